/* 16-byte vectors in the compiler's own terms: SSE4.2 (no fma), NEON, and whatever the generic target has. */
#if defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

typedef vi32 mask_f32;
typedef vi64 mask_f64;

#if defined(__aarch64__)
INLINE vf32 v_fma_f32(vf32 a, vf32 b, vf32 c) {
    return (vf32)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
INLINE vf64 v_fma_f64(vf64 a, vf64 b, vf64 c) {
    return (vf64)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
#endif

INLINE mask_f32 v_lt_f32(vf32 a, vf32 b) { return a < b; }
INLINE mask_f64 v_lt_f64(vf64 a, vf64 b) { return a < b; }
INLINE mask_f32 v_le_f32(vf32 a, vf32 b) { return a <= b; }
INLINE mask_f32 v_eq_f32(vf32 a, vf32 b) { return a == b; }
INLINE mask_f64 v_le_f64(vf64 a, vf64 b) { return a <= b; }
INLINE mask_f64 v_eq_f64(vf64 a, vf64 b) { return a == b; }
INLINE mask_f32 v_ordered_f32(vf32 a, vf32 b) { return (a == a) & (b == b); }
INLINE mask_f64 v_ordered_f64(vf64 a, vf64 b) { return (a == a) & (b == b); }
INLINE mask_f32 v_above_f32(vi32 a, vi32 b) { return a > b; }
INLINE mask_f64 v_above_f64(vi64 a, vi64 b) { return a > b; }
INLINE mask_f32 v_same_f32(vi32 a, vi32 b) { return a == b; }
INLINE mask_f64 v_same_f64(vi64 a, vi64 b) { return a == b; }
#if defined(__SSE2__)
INLINE int v_all_f32(mask_f32 m) { return _mm_movemask_ps((__m128)m) == 0xf; }
INLINE int v_all_f64(mask_f64 m) { return _mm_movemask_pd((__m128d)m) == 3; }
#elif defined(__aarch64__)
INLINE int v_all_f32(mask_f32 m) { return vminvq_u32((uint32x4_t)m) != 0; }
INLINE int v_all_f64(mask_f64 m) { return (m[0] & m[1]) != 0; }
#else
INLINE int v_all_f32(mask_f32 m) { return (m[0] & m[1] & m[2] & m[3]) != 0; }
INLINE int v_all_f64(mask_f64 m) { return (m[0] & m[1]) != 0; }
#endif
#if defined(__SSE2__)
INLINE unsigned v_lanes_f32(mask_f32 m) { return (unsigned)_mm_movemask_ps((__m128)m); }
INLINE unsigned v_lanes_f64(mask_f64 m) { return (unsigned)_mm_movemask_pd((__m128d)m); }
#else
INLINE unsigned v_lanes_f32(mask_f32 m) { return (m[0] & 1u) | (m[1] & 2u) | (m[2] & 4u) | (m[3] & 8u); }
INLINE unsigned v_lanes_f64(mask_f64 m) { return (unsigned)((m[0] & 1) | (m[1] & 2)); }
#endif
INLINE vf32 v_select_f32(mask_f32 m, vf32 a, vf32 b) { return (vf32)((m & (vi32)a) | (~m & (vi32)b)); }
INLINE vf64 v_select_f64(mask_f64 m, vf64 a, vf64 b) { return (vf64)((m & (vi64)a) | (~m & (vi64)b)); }
/* Not NEON's fmin, which would return NaN for a NaN in either place. */
INLINE vf32 v_min_f32(vf32 a, vf32 b) { return v_select_f32(a < b, a, b); }
INLINE vf64 v_min_f64(vf64 a, vf64 b) { return v_select_f64(a < b, a, b); }
INLINE vf32 v_max_f32(vf32 a, vf32 b) { return v_select_f32(a > b, a, b); }
INLINE vf64 v_max_f64(vf64 a, vf64 b) { return v_select_f64(a > b, a, b); }

#if defined(__aarch64__)
INLINE vf32 v_sqrt_f32(vf32 x) { return (vf32)vsqrtq_f32((float32x4_t)x); }
INLINE vf64 v_sqrt_f64(vf64 x) { return (vf64)vsqrtq_f64((float64x2_t)x); }
#elif defined(__SSE2__)
INLINE vf32 v_sqrt_f32(vf32 x) { return (vf32)_mm_sqrt_ps((__m128)x); }
INLINE vf64 v_sqrt_f64(vf64 x) { return (vf64)_mm_sqrt_pd((__m128d)x); }
#else
INLINE vf32 v_sqrt_f32(vf32 x) {
    return (vf32){__builtin_sqrtf(x[0]), __builtin_sqrtf(x[1]), __builtin_sqrtf(x[2]), __builtin_sqrtf(x[3])};
}
INLINE vf64 v_sqrt_f64(vf64 x) { return (vf64){__builtin_sqrt(x[0]), __builtin_sqrt(x[1])}; }
#endif

INLINE mask_f64 v_odd_f64(vi64 i) { return -(i & 1); }

INLINE vf32 v_lookup_f32(const float *table, vi32 i) {
    i &= 15;
    return (vf32){table[i[0]], table[i[1]], table[i[2]], table[i[3]]};
}
INLINE vf32 v_lookup32_f32(const float *table, vi32 i) {
    i &= 31;
    return (vf32){table[i[0]], table[i[1]], table[i[2]], table[i[3]]};
}
INLINE vf64 v_lookup_f64(const double *table, vi64 i) { return (vf64){table[i[0] & 15], table[i[1] & 15]}; }
INLINE vf64 v_lookup32_f64(const double *table, vi64 i) { return (vf64){table[i[0] & 31], table[i[1] & 31]}; }

INLINE vf32 v_load_f32(const float *p) {
    vf32 x;
    memcpy(&x, p, sizeof x);
    return x;
}
INLINE vf64 v_load_f64(const double *p) {
    vf64 x;
    memcpy(&x, p, sizeof x);
    return x;
}
INLINE void v_store_f32(float *p, vf32 x) { memcpy(p, &x, sizeof x); }
INLINE void v_store_f64(double *p, vf64 x) { memcpy(p, &x, sizeof x); }

INLINE void v_turn_parts_f32(vf32 x[1]) { (void)x; }
INLINE void v_turn_parts_f64(vf64 x[1]) { (void)x; }
INLINE vf32 v_zip_low_f32(vf32 a, vf32 b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
INLINE vf32 v_zip_high_f32(vf32 a, vf32 b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
INLINE vf64 v_zip_low_f64(vf64 a, vf64 b) { return __builtin_shufflevector(a, b, 0, 2); }
INLINE vf64 v_zip_high_f64(vf64 a, vf64 b) { return __builtin_shufflevector(a, b, 1, 3); }

INLINE vf32 v_load_first_f32(const float *p, ptrdiff_t n) {
    vf32 x = {0};
    memcpy(&x, p, (size_t)n * 4);
    return x;
}
INLINE vf64 v_load_first_f64(const double *p, ptrdiff_t n) {
    vf64 x = {0};
    memcpy(&x, p, (size_t)n * 8);
    return x;
}
INLINE void v_store_first_f32(float *p, vf32 x, ptrdiff_t n) { memcpy(p, &x, (size_t)n * 4); }
INLINE void v_store_first_f64(double *p, vf64 x, ptrdiff_t n) { memcpy(p, &x, (size_t)n * 8); }
INLINE void v_copy_first(void *to, const void *from, size_t n) { memcpy(to, from, n); }

#if defined(__SSE2__)
/* Intrinsics here, as gcc 12's vectorizer demotes a double product to float in the plain form of v_fma_f32 below. */
INLINE vf64 v_widen_low(vf32 x) { return (vf64)_mm_cvtps_pd((__m128)x); }
INLINE vf64 v_widen_high(vf32 x) { return (vf64)_mm_cvtps_pd(_mm_movehl_ps((__m128)x, (__m128)x)); }
INLINE vf64 v_load_wide_f32(const float *p) {
    double pair;
    memcpy(&pair, p, sizeof pair);
    return (vf64)_mm_cvtps_pd(_mm_castpd_ps(_mm_set_sd(pair)));
}
INLINE vf32 v_narrow(vf64 low, vf64 high) {
    return (vf32)_mm_movelh_ps(_mm_cvtpd_ps((__m128d)low), _mm_cvtpd_ps((__m128d)high));
}

/* In double the product of two floats is exact; the sum's rounding there adds 2^-29 ULP at most. */
INLINE vf32 v_fma_f32(vf32 a, vf32 b, vf32 c) {
    return v_narrow(v_widen_low(a) * v_widen_low(b) + v_widen_low(c),
                    v_widen_high(a) * v_widen_high(b) + v_widen_high(c));
}

/* Dekker's exact product (1971) and Knuth's exact sum; an infinite or overflowing term leaves the plain sum, as no
 * error does: -0 stays.  Of the last resort it is a call, a fortieth of the wheel. */
#ifdef __SSE4_1__
INLINE
#else
static __attribute__((noinline, unused))
#endif
vf64 v_fma_f64(vf64 a, vf64 b, vf64 c) {
    vf64 p = a * b, u = a * 134217729.0, v = b * 134217729.0;
    vf64 a1 = u - (u - a), a2 = a - a1, b1 = v - (v - b), b2 = b - b1;
    vf64 product_error = ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2;
    vf64 s = p + c, t = s - p, error = ((p - (s - t)) + (c - t)) + product_error;
    return v_select_f64((error < 0) | (error > 0), s + error, s);
}
#else
INLINE vf64 v_widen_low(vf32 x) { return (vf64){x[0], x[1]}; }
INLINE vf64 v_widen_high(vf32 x) { return (vf64){x[2], x[3]}; }
INLINE vf64 v_load_wide_f32(const float *p) { return (vf64){p[0], p[1]}; }
INLINE vf32 v_narrow(vf64 low, vf64 high) {
    return (vf32){(float)low[0], (float)low[1], (float)high[0], (float)high[1]};
}
#if !defined(__aarch64__)
INLINE vf32 v_fma_f32(vf32 a, vf32 b, vf32 c) {
    for (int i = 0; i < 4; i++) a[i] = __builtin_fmaf(a[i], b[i], c[i]);
    return a;
}
INLINE vf64 v_fma_f64(vf64 a, vf64 b, vf64 c) {
    for (int i = 0; i < 2; i++) a[i] = __builtin_fma(a[i], b[i], c[i]);
    return a;
}
#endif
#endif

#if defined(__SSE2__)
INLINE void v_stream(void *p, const void *q) { _mm_stream_si128(p, _mm_loadu_si128(q)); }
INLINE void v_stream_fence(void) { _mm_sfence(); }
#else
INLINE void v_stream(void *p, const void *q) { memcpy(p, q, VEKT_VECTOR_BYTES); }
INLINE void v_stream_fence(void) {}
#endif
