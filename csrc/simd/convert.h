/* Conversions between types, as the compiler vectorises them; those that are missing in the table below are in
 * convert.c.  Included once for each target. */

#define CONVERSION_BY(from, FROM, to, TO, value)                          \
    static void from##_to_##to(void *dst, const void *src, ptrdiff_t n) { \
        typedef FROM from_anywhere __attribute__((aligned(1)));           \
        typedef TO to_anywhere __attribute__((aligned(1)));               \
        const from_anywhere *restrict x = src;                            \
        to_anywhere *restrict y = dst;                                    \
        for (ptrdiff_t i = 0; i < n; i++) y[i] = (TO)(value);             \
    }
#define CONVERSION(from, FROM, to, TO) CONVERSION_BY(from, FROM, to, TO, x[i])
/* Truth values are views of any bytes: all but 0 are true. */
#define CONVERSION_OF_BOOL(to, TO) CONVERSION_BY(bool, uint8_t, to, TO, x[i] != 0)

CONVERSION_OF_BOOL(i16, int16_t)
CONVERSION_OF_BOOL(i32, int32_t)
CONVERSION_OF_BOOL(i64, int64_t)
CONVERSION_OF_BOOL(f32, float)
CONVERSION_OF_BOOL(f64, double)
CONVERSION(i8, int8_t, f32, float)
CONVERSION(u8, uint8_t, f32, float)
CONVERSION(i16, int16_t, f32, float)
CONVERSION(u16, uint16_t, f32, float)
CONVERSION(i32, int32_t, f32, float)
CONVERSION(i8, int8_t, f64, double)
CONVERSION(u8, uint8_t, f64, double)
CONVERSION(i16, int16_t, f64, double)
CONVERSION(u16, uint16_t, f64, double)
CONVERSION(i32, int32_t, f64, double)
CONVERSION(i64, int64_t, f64, double)
CONVERSION(f32, float, f64, double)
CONVERSION(f64, double, f32, float)
CONVERSION(f32, float, i32, int32_t)
CONVERSION(i8, int8_t, i16, int16_t)
CONVERSION(u8, uint8_t, i16, int16_t)
CONVERSION(i8, int8_t, i32, int32_t)
CONVERSION(u8, uint8_t, i32, int32_t)
CONVERSION(i16, int16_t, i32, int32_t)
CONVERSION(u16, uint16_t, i32, int32_t)
CONVERSION(i8, int8_t, i64, int64_t)
CONVERSION(u8, uint8_t, i64, int64_t)
CONVERSION(i16, int16_t, i64, int64_t)
CONVERSION(u16, uint16_t, i64, int64_t)
CONVERSION(i32, int32_t, i64, int64_t)
CONVERSION(u32, uint32_t, i64, int64_t)
#undef CONVERSION
#undef CONVERSION_OF_BOOL
#undef CONVERSION_BY

static void half_to_f32(void *dst, const void *src, ptrdiff_t n) { widen_half(dst, src, n); }
static void f32_to_half(void *dst, const void *src, ptrdiff_t n) { narrow_half(dst, src, n); }
static void bfloat16_to_f32(void *dst, const void *src, ptrdiff_t n) { widen_bfloat16(dst, src, n); }
static void f32_to_bfloat16(void *dst, const void *src, ptrdiff_t n) { narrow_bfloat16(dst, src, n); }

/* Unsigned integers widen to signed ones of the next size, and to unsigned ones by the same bits. */
#define VEKT_CONVERSIONS                                                                \
    {                                                                                   \
        [VEKT_TYPE_BOOL] = {[VEKT_TYPE_I16] = bool_to_i16,                              \
                            [VEKT_TYPE_U16] = bool_to_i16,                              \
                            [VEKT_TYPE_I32] = bool_to_i32,                              \
                            [VEKT_TYPE_U32] = bool_to_i32,                              \
                            [VEKT_TYPE_I64] = bool_to_i64,                              \
                            [VEKT_TYPE_U64] = bool_to_i64,                              \
                            [VEKT_TYPE_F32] = bool_to_f32,                              \
                            [VEKT_TYPE_F64] = bool_to_f64},                             \
        [VEKT_TYPE_I8] = {[VEKT_TYPE_I16] = i8_to_i16,                                  \
                          [VEKT_TYPE_I32] = i8_to_i32,                                  \
                          [VEKT_TYPE_I64] = i8_to_i64,                                  \
                          [VEKT_TYPE_F32] = i8_to_f32,                                  \
                          [VEKT_TYPE_F64] = i8_to_f64},                                 \
        [VEKT_TYPE_U8] = {[VEKT_TYPE_I16] = u8_to_i16,                                  \
                          [VEKT_TYPE_U16] = u8_to_i16,                                  \
                          [VEKT_TYPE_I32] = u8_to_i32,                                  \
                          [VEKT_TYPE_U32] = u8_to_i32,                                  \
                          [VEKT_TYPE_I64] = u8_to_i64,                                  \
                          [VEKT_TYPE_U64] = u8_to_i64,                                  \
                          [VEKT_TYPE_F32] = u8_to_f32,                                  \
                          [VEKT_TYPE_F64] = u8_to_f64},                                 \
        [VEKT_TYPE_I16] = {[VEKT_TYPE_I32] = i16_to_i32,                                \
                           [VEKT_TYPE_I64] = i16_to_i64,                                \
                           [VEKT_TYPE_F32] = i16_to_f32,                                \
                           [VEKT_TYPE_F64] = i16_to_f64},                               \
        [VEKT_TYPE_U16] = {[VEKT_TYPE_I32] = u16_to_i32,                                \
                           [VEKT_TYPE_U32] = u16_to_i32,                                \
                           [VEKT_TYPE_I64] = u16_to_i64,                                \
                           [VEKT_TYPE_U64] = u16_to_i64,                                \
                           [VEKT_TYPE_F32] = u16_to_f32,                                \
                           [VEKT_TYPE_F64] = u16_to_f64},                               \
        [VEKT_TYPE_I32] = {[VEKT_TYPE_I64] = i32_to_i64,                                \
                           [VEKT_TYPE_F32] = i32_to_f32,                                \
                           [VEKT_TYPE_F64] = i32_to_f64},                               \
        [VEKT_TYPE_U32] = {[VEKT_TYPE_I64] = u32_to_i64, [VEKT_TYPE_U64] = u32_to_i64}, \
        [VEKT_TYPE_I64] = {[VEKT_TYPE_F64] = i64_to_f64},                               \
        [VEKT_TYPE_HALF] = {[VEKT_TYPE_F32] = half_to_f32},                             \
        [VEKT_TYPE_BFLOAT16] = {[VEKT_TYPE_F32] = bfloat16_to_f32},                     \
        [VEKT_TYPE_F32] = {[VEKT_TYPE_HALF] = f32_to_half,                              \
                           [VEKT_TYPE_BFLOAT16] = f32_to_bfloat16,                      \
                           [VEKT_TYPE_F64] = f32_to_f64,                                \
                           [VEKT_TYPE_I32] = f32_to_i32},                               \
        [VEKT_TYPE_F64] = {[VEKT_TYPE_F32] = f64_to_f32},                               \
    }
