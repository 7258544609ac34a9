/* AVX2 + FMA: 32-byte vectors. */
#include <immintrin.h>

typedef vi32 mask_f32;
typedef vi64 mask_f64;

INLINE vf32 v_fma_f32(vf32 a, vf32 b, vf32 c) { return (vf32)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
INLINE vf64 v_fma_f64(vf64 a, vf64 b, vf64 c) { return (vf64)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c); }
INLINE vf32 v_sqrt_f32(vf32 x) { return (vf32)_mm256_sqrt_ps((__m256)x); }
INLINE vf64 v_sqrt_f64(vf64 x) { return (vf64)_mm256_sqrt_pd((__m256d)x); }
INLINE vf32 v_min_f32(vf32 a, vf32 b) { return (vf32)_mm256_min_ps((__m256)a, (__m256)b); }
INLINE vf64 v_min_f64(vf64 a, vf64 b) { return (vf64)_mm256_min_pd((__m256d)a, (__m256d)b); }
INLINE mask_f32 v_lt_f32(vf32 a, vf32 b) { return a < b; }
INLINE mask_f64 v_lt_f64(vf64 a, vf64 b) { return a < b; }
INLINE vf32 v_max_f32(vf32 a, vf32 b) { return (vf32)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE mask_f32 v_le_f32(vf32 a, vf32 b) { return a <= b; }
INLINE mask_f32 v_eq_f32(vf32 a, vf32 b) { return a == b; }
INLINE vf64 v_max_f64(vf64 a, vf64 b) { return (vf64)_mm256_max_pd((__m256d)a, (__m256d)b); }
INLINE mask_f64 v_le_f64(vf64 a, vf64 b) { return a <= b; }
INLINE mask_f64 v_eq_f64(vf64 a, vf64 b) { return a == b; }
INLINE mask_f32 v_ordered_f32(vf32 a, vf32 b) { return (mask_f32)_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_ORD_Q); }
INLINE mask_f64 v_ordered_f64(vf64 a, vf64 b) { return (mask_f64)_mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_ORD_Q); }
INLINE mask_f32 v_above_f32(vi32 a, vi32 b) { return a > b; }
INLINE mask_f64 v_above_f64(vi64 a, vi64 b) { return a > b; }
INLINE mask_f32 v_same_f32(vi32 a, vi32 b) { return a == b; }
INLINE mask_f64 v_same_f64(vi64 a, vi64 b) { return a == b; }
INLINE int v_all_f32(mask_f32 m) { return _mm256_movemask_ps((__m256)m) == 0xff; }
INLINE int v_all_f64(mask_f64 m) { return _mm256_movemask_pd((__m256d)m) == 0xf; }
INLINE unsigned v_lanes_f32(mask_f32 m) { return (unsigned)_mm256_movemask_ps((__m256)m); }
INLINE unsigned v_lanes_f64(mask_f64 m) { return (unsigned)_mm256_movemask_pd((__m256d)m); }
INLINE vf32 v_select_f32(mask_f32 m, vf32 a, vf32 b) {
    return (vf32)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)m);
}
INLINE vf64 v_select_f64(mask_f64 m, vf64 a, vf64 b) {
    return (vf64)_mm256_blendv_pd((__m256d)b, (__m256d)a, (__m256d)m);
}
INLINE mask_f64 v_odd_f64(vi64 i) { return -(i & 1); }

/* vpermps reads the low 3 bits of an index; bit 3 chooses the half, moved to the sign for the blend.
 * 3-4 micro-operations where vgatherdps takes 8 loads. */
INLINE vf32 v_lookup_f32(const float *table, vi32 i) {
    __m256 low = _mm256_permutevar8x32_ps(_mm256_load_ps(table), (__m256i)i);
    __m256 high = _mm256_permutevar8x32_ps(_mm256_load_ps(table + 8), (__m256i)i);
    return (vf32)_mm256_blendv_ps(low, high, (__m256)(i << 28));
}
INLINE vf32 v_lookup32_f32(const float *table, vi32 i) {
    const __m256 low = (__m256)v_lookup_f32(table, i), high = (__m256)v_lookup_f32(table + 16, i);
    return (vf32)_mm256_blendv_ps(low, high, (__m256)(i << 27));
}
/* Four loads and a merge: two thirds of the time of vgatherqpd; vpermps on the 16 halves of rows came between. */
INLINE vf64 load_each_f64(const double *table, vi64 i) {
    __m128i low = _mm256_castsi256_si128((__m256i)i), high = _mm256_extracti128_si256((__m256i)i, 1);
    __m128d a = _mm_loadh_pd(_mm_load_sd(table + _mm_cvtsi128_si64(low)), table + _mm_extract_epi64(low, 1));
    __m128d b = _mm_loadh_pd(_mm_load_sd(table + _mm_cvtsi128_si64(high)), table + _mm_extract_epi64(high, 1));
    return (vf64)_mm256_set_m128d(b, a);
}
INLINE vf64 v_lookup_f64(const double *table, vi64 i) { return load_each_f64(table, i & 15); }
INLINE vf64 v_lookup32_f64(const double *table, vi64 i) { return load_each_f64(table, i & 31); }

INLINE vf32 v_load_f32(const float *p) { return (vf32)_mm256_loadu_ps(p); }
INLINE vf64 v_load_f64(const double *p) { return (vf64)_mm256_loadu_pd(p); }
INLINE void v_store_f32(float *p, vf32 x) { _mm256_storeu_ps(p, (__m256)x); }
INLINE void v_store_f64(double *p, vf64 x) { _mm256_storeu_pd(p, (__m256d)x); }

INLINE __m256i first_f32(ptrdiff_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE __m256i first_f64(ptrdiff_t n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
INLINE vf32 v_load_first_f32(const float *p, ptrdiff_t n) {
    v_told_load(p, n * 4);
    return (vf32)_mm256_maskload_ps(p, first_f32(n));
}
INLINE vf64 v_load_first_f64(const double *p, ptrdiff_t n) {
    v_told_load(p, n * 8);
    return (vf64)_mm256_maskload_pd(p, first_f64(n));
}
INLINE void v_store_first_f32(float *p, vf32 x, ptrdiff_t n) {
    v_told_store(p, n * 4);
    _mm256_maskstore_ps(p, first_f32(n), (__m256)x);
}
INLINE void v_store_first_f64(double *p, vf64 x, ptrdiff_t n) {
    v_told_store(p, n * 8);
    _mm256_maskstore_pd(p, first_f64(n), (__m256d)x);
}

INLINE void v_turn_parts_f32(vf32 x[2]) {
    __m256 a = (__m256)x[0], b = (__m256)x[1];
    x[0] = (vf32)_mm256_permute2f128_ps(a, b, 0x20);
    x[1] = (vf32)_mm256_permute2f128_ps(a, b, 0x31);
}
INLINE void v_turn_parts_f64(vf64 x[2]) {
    __m256d a = (__m256d)x[0], b = (__m256d)x[1];
    x[0] = (vf64)_mm256_permute2f128_pd(a, b, 0x20);
    x[1] = (vf64)_mm256_permute2f128_pd(a, b, 0x31);
}
INLINE vf32 v_zip_low_f32(vf32 a, vf32 b) { return (vf32)_mm256_unpacklo_ps((__m256)a, (__m256)b); }
INLINE vf32 v_zip_high_f32(vf32 a, vf32 b) { return (vf32)_mm256_unpackhi_ps((__m256)a, (__m256)b); }
INLINE vf64 v_zip_low_f64(vf64 a, vf64 b) { return (vf64)_mm256_unpacklo_pd((__m256d)a, (__m256d)b); }
INLINE vf64 v_zip_high_f64(vf64 a, vf64 b) { return (vf64)_mm256_unpackhi_pd((__m256d)a, (__m256d)b); }
INLINE void v_copy_first(void *to, const void *from, size_t n) { memcpy(to, from, n); }

INLINE vf64 v_widen_low(vf32 x) { return (vf64)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)x)); }
INLINE vf64 v_widen_high(vf32 x) { return (vf64)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)x, 1)); }
INLINE vf64 v_load_wide_f32(const float *p) { return (vf64)_mm256_cvtps_pd(_mm_loadu_ps(p)); }
INLINE vf32 v_narrow(vf64 low, vf64 high) {
    return (vf32)_mm256_set_m128(_mm256_cvtpd_ps((__m256d)high), _mm256_cvtpd_ps((__m256d)low));
}
INLINE vf32 v_load_half(const void *p) { return (vf32)_mm256_cvtph_ps(_mm_loadu_si128(p)); }
INLINE void v_store_half(void *p, vf32 x) {
    _mm_storeu_si128(p, _mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
INLINE void v_stream(void *p, const void *q) { _mm256_stream_si256(p, _mm256_loadu_si256(q)); }
INLINE void v_stream_fence(void) { _mm_sfence(); }
