/* One block's dot product for every type, as vekt_dot_block has it. */

static void block_f32(const void *x, const void *y, ptrdiff_t n, vekt_dot_sum *sum) {
    sum->real[0] = dot_block_f32(x, y, n);
}
static void block_f64(const void *x, const void *y, ptrdiff_t n, vekt_dot_sum *sum) {
    sum->real[0] = dot_block_f64(x, y, n);
}

INLINE vf32 load_half_first(const void *p, ptrdiff_t n) {
    uint16_t first[LANES_F32] = {0};
    memcpy(first, p, (size_t)n * 2);
    return load_half(first);
}
INLINE vf32 load_bfloat16_first(const void *p, ptrdiff_t n) {
    uint16_t first[LANES_F32] = {0};
    memcpy(first, p, (size_t)n * 2);
    return load_bfloat16(first);
}
static void block_half(const void *x, const void *y, ptrdiff_t n, vekt_dot_sum *sum) {
    sum->real[0] = dot_of_f32(load_half, load_half_first, 2, x, y, n);
}
static void block_bfloat16(const void *x, const void *y, ptrdiff_t n, vekt_dot_sum *sum) {
    sum->real[0] = dot_of_f32(load_bfloat16, load_bfloat16_first, 2, x, y, n);
}

static void block_i8(const void *x, const void *y, ptrdiff_t n, vekt_dot_sum *sum) {
    sum->integer = dot_i8(x, y, (size_t)n);
}
static void block_i16(const void *x, const void *y, ptrdiff_t n, vekt_dot_sum *sum) {
    sum->integer = dot_i16(x, y, (size_t)n * 2);
}
static void block_i32(const void *x, const void *y, ptrdiff_t n, vekt_dot_sum *sum) {
    sum->integer = dot_i32(x, y, (size_t)n * 4);
}
static void block_i64(const void *x, const void *y, ptrdiff_t n, vekt_dot_sum *sum) {
    sum->integer = dot_i64(x, y, (size_t)n * 8);
}
static void block_bool(const void *x, const void *y, ptrdiff_t n, vekt_dot_sum *sum) {
    sum->integer = dot_bool(x, y, (size_t)n);
}

static const vekt_dot_block dot_blocks[VEKT_N_PRODUCTS] = {
    [VEKT_PRODUCT_F32] = block_f32,
    [VEKT_PRODUCT_F64] = block_f64,
    [VEKT_PRODUCT_HALF] = block_half,
    [VEKT_PRODUCT_BFLOAT16] = block_bfloat16,
    [VEKT_PRODUCT_I8] = block_i8,
    [VEKT_PRODUCT_I16] = block_i16,
    [VEKT_PRODUCT_I32] = block_i32,
    [VEKT_PRODUCT_I64] = block_i64,
    [VEKT_PRODUCT_BOOL] = block_bool,
    [VEKT_PRODUCT_C64] = dot_block_complex_f32,
    [VEKT_PRODUCT_C128] = dot_block_complex_f64,
};
