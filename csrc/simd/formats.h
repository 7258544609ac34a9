/* float16 and bfloat16 in memory, float in the kernels.  Rounds to nearest even; NaN stays, made quiet. */

typedef uint16_t vu16 __attribute__((vector_size(VEKT_VECTOR_BYTES / 2)));

INLINE vi32 load_16(const void *p) {
    vu16 x;
    memcpy(&x, p, sizeof x);
    return __builtin_convertvector(x, vi32);
}

INLINE void store_16(void *p, vi32 x) {
    vu16 low = __builtin_convertvector(x, vu16);
    memcpy(p, &low, sizeof low);
}

INLINE vf32 load_bfloat16(const void *p) { return (vf32)(load_16(p) << 16); }

INLINE void store_bfloat16(void *p, vf32 x) {
    vi32 bits = (vi32)x, rounded = bits + 0x7fff + (bits >> 16 & 1);
    store_16(p, (vi32)v_select_f32(v_eq_f32(x, x), (vf32)rounded, (vf32)(bits | 0x400000)) >> 16);
}

#if defined(__F16C__)
INLINE vf32 load_half(const void *p) { return v_load_half(p); }
INLINE void store_half(void *p, vf32 x) { v_store_half(p, x); }
#else
INLINE vi32 either(vi32 mask, vi32 a, vi32 b) { return (mask & a) | (~mask & b); }

INLINE vf32 load_half(const void *p) {
    vi32 half = load_16(p), magnitude = half & 0x7fff, special = (magnitude > 0x7bff) & 0x7f800000;
    /* The product moves the exponent bias from 15 to 127; it is exact, subnormals included. */
    vf32 x = (vf32)(magnitude << 13) * v_splat_f32(0x1p112f);
    return (vf32)((vi32)x | special | (half & 0x8000) << 16);
}

INLINE void store_half(void *p, vf32 x) {
    vi32 bits = (vi32)v_abs_f32(x);
    /* Normal halves: add just under half a unit, a whole half where the last kept bit is odd. */
    vi32 normal = (bits + 0xfff + (bits >> 13 & 1) - (112 << 23)) >> 13;
    /* Subnormal ones: their unit, 2**-24, is the last bit of a float just above 0.5. */
    vi32 subnormal = (vi32)((vf32)bits + v_splat_f32(0.5f)) - 0x3f000000;
    vi32 infinity = (vi32){0} + 0x7c00;
    vi32 half = either(bits < 0x38800000, subnormal, either(bits < 0x477ff000, normal, infinity)); /* 65520 */
    half = either(bits > 0x7f800000, 0x7e00 | (bits >> 13 & 0x1ff), half);
    store_16(p, half | ((vi32)x >> 16 & 0x8000));
}
#endif

INLINE void widen(vf32 (*load)(const void *), float *dst, const char *src, ptrdiff_t n) {
    uint16_t last[LANES_F32] = {0};
    for (; n >= LANES_F32; n -= LANES_F32, dst += LANES_F32, src += sizeof last) v_store_f32(dst, load(src));
    if (n == 0) return;
    memcpy(last, src, (size_t)n * 2);
    v_store_first_f32(dst, load(last), n);
}

INLINE void narrow(void (*store)(void *, vf32), char *dst, const float *src, ptrdiff_t n) {
    uint16_t last[LANES_F32];
    for (; n >= LANES_F32; n -= LANES_F32, src += LANES_F32, dst += sizeof last) store(dst, v_load_f32(src));
    if (n == 0) return;
    store(last, v_load_first_f32(src, n));
    memcpy(dst, last, (size_t)n * 2);
}

static void widen_half(float *dst, const char *src, ptrdiff_t n) { widen(load_half, dst, src, n); }
static void narrow_half(char *dst, const float *src, ptrdiff_t n) { narrow(store_half, dst, src, n); }
static void widen_bfloat16(float *dst, const char *src, ptrdiff_t n) { widen(load_bfloat16, dst, src, n); }
static void narrow_bfloat16(char *dst, const float *src, ptrdiff_t n) { narrow(store_bfloat16, dst, src, n); }
