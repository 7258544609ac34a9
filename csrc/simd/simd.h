/* Vectors of one register of the target: types, and the few operations that C operators lack.
 *
 * vf32 / vf64 hold LANES_F32 / LANES_F64 numbers, vi32 / vi64 integers of the same shape; + - * / & | ^ << >>
 * are the compiler's own on all of them.  A comparison gives a mask: an AVX-512 mask register, elsewhere a
 * vector of all-ones lanes.
 *
 *   v_fma(a, b, c)       a*b + c with one rounding (emulated, slowly, where the target has no such instruction)
 *   v_mad(a, b, c)       a*b + c, one rounding or two: for polynomial terms too small to tell
 *   v_min(a, b)          a < b ? a : b: the second where either is NaN (x86 minps; the same bits elsewhere)
 *   v_max(a, b)          a > b ? a : b, likewise
 *   v_sqrt(x)            correctly rounded
 *   v_lt v_le v_eq       masks; false where either is NaN
 *   v_ordered            where neither is NaN
 *   v_select(m, a, b)    a where m, else b
 *   v_or_limit(y, x)     y, a logarithm of x; the limit where x is 0 or infinite, NaN where it is less or NaN
 *   v_or_sign(y, x)      y with a minus sign where x has one, too
 *   v_scale(x, n)        x 2^n with one rounding, x from 1/2 to 2, n a whole number up to 250 (of doubles 1250)
 *   v_all(m)             true where every lane of the mask is
 *   v_lanes(m)           an unsigned integer with bit i set where lane i is true
 *   v_bits(x) v_real(i)  reinterpret
 *   v_wrap_add(i, j)     i + j, where bits of numbers may wrap around: + of signed integers may not; v_wrap_sub
 * likewise v_odd(i)             a mask, true where the integer is odd; of vi64 only v_widen(x, wide)     its lanes as
 * doubles: wide[0] alone for vf64, wide[0] and wide[1] for vf32
 *
 * with the suffix of the type, as no argument tells it:
 *
 *   v_splat(c)           c in every lane
 *   v_load v_store       any alignment
 *   v_load_first(p, n)   the first n lanes, 0 < n <= LANES, the others zero; v_store_first likewise
 *   v_shorten(wide)      doubles as v_widen gives them, rounded
 *   v_above(i, j)        a mask: i > j as integers; v_same: i == j
 *   v_split(x, &k)       m and k of x = m 2^k > 0, 3/4 <= m < 3/2, subnormal numbers, too; of double with an edge
 *                        before k: edge/2 <= m < edge, edge from 1 to 2
 *   v_load_wide(p)       LANES_F64 numbers as doubles
 *   v_lookup(table, i)   table[i mod 16]; v_lookup32: table[i mod 32]; tables aligned to 64 bytes
 *   v_turn_parts(x)      16 bytes at place j of x[i] to place i of x[j], for all VEKT_VECTOR_BYTES / 16 of either
 *   v_zip_low(a, b)      in each 16 bytes a0 b0 a1 b1 (double: a0 b0); v_zip_high: a2 b2 a3 b3 (a1 b1)
 *
 * and without one:
 *
 *   v_copy_first(to, from, n)   n bytes, at most VEKT_VECTOR_BYTES: memcpy without a call where masks allow
 *   v_now(x)                    the variable x, a whole register, is computed here and not where it is used
 *   v_here(i)                   the same for an integer or a pointer
 */
#ifndef VEKT_SIMD_H
#define VEKT_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define VEKT_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VEKT_VECTOR_BYTES 32
#else
#define VEKT_VECTOR_BYTES 16
#endif

#if defined(__FMA__) || defined(__aarch64__) || defined(__FP_FAST_FMA)
#define VEKT_HAS_FMA 1
#else
#define VEKT_HAS_FMA 0
#endif

/* gcc's AddressSanitizer sees no masked load or store: it is told of n bytes at p. */
#ifdef __SANITIZE_ADDRESS__
void __asan_loadN(void *p, uintptr_t n);
void __asan_storeN(void *p, uintptr_t n);
#define v_told_load(p, n) __asan_loadN((void *)(p), (uintptr_t)(n))
#define v_told_store(p, n) __asan_storeN(p, (uintptr_t)(n))
#else
#define v_told_load(p, n) ((void)0)
#define v_told_store(p, n) ((void)0)
#endif

#if defined(__x86_64__)
#define v_now(x) __asm__("" : "+v"(x))
#elif defined(__aarch64__)
#define v_now(x) __asm__("" : "+w"(x))
#else
#define v_now(x) ((void)0)
#endif
#define v_here(i) __asm__("" : "+r"(i))

typedef float vf32 __attribute__((vector_size(VEKT_VECTOR_BYTES)));
typedef double vf64 __attribute__((vector_size(VEKT_VECTOR_BYTES)));
typedef int32_t vi32 __attribute__((vector_size(VEKT_VECTOR_BYTES)));
typedef int64_t vi64 __attribute__((vector_size(VEKT_VECTOR_BYTES)));

typedef uint32_t vw32 __attribute__((vector_size(VEKT_VECTOR_BYTES)));
typedef uint64_t vw64 __attribute__((vector_size(VEKT_VECTOR_BYTES)));

enum { LANES_F32 = VEKT_VECTOR_BYTES / 4, LANES_F64 = VEKT_VECTOR_BYTES / 8 };

#if VEKT_VECTOR_BYTES == 64
#include "x86_v4.h"
#elif VEKT_VECTOR_BYTES == 32
#include "x86_v3.h"
#else
#include "portable.h"
#endif

#define OVERLOAD(name, x) _Generic((x), vf32: name##_f32, vf64: name##_f64)
#define v_fma(a, b, c) OVERLOAD(v_fma, a)(a, b, c)
#define v_odd(i) v_odd_f64(i)
#define v_min(a, b) OVERLOAD(v_min, a)(a, b)
#define v_lt(a, b) OVERLOAD(v_lt, a)(a, b)
#define v_max(a, b) OVERLOAD(v_max, a)(a, b)
#define v_le(a, b) OVERLOAD(v_le, a)(a, b)
#define v_eq(a, b) OVERLOAD(v_eq, a)(a, b)
#define v_ordered(a, b) OVERLOAD(v_ordered, a)(a, b)
#define v_select(m, a, b) OVERLOAD(v_select, a)(m, a, b)
#define v_bits(x) OVERLOAD(v_bits, x)(x)
#define v_all(m) _Generic((m), mask_f32: v_all_f32, mask_f64: v_all_f64)(m)
#define v_lanes(m) _Generic((m), mask_f32: v_lanes_f32, mask_f64: v_lanes_f64)(m)
#define v_wrap_add(i, j) _Generic((i), vi32: v_wrap_add_i32, vi64: v_wrap_add_i64)(i, j)
#define v_wrap_sub(i, j) _Generic((i), vi32: v_wrap_sub_i32, vi64: v_wrap_sub_i64)(i, j)
#define v_real(i) _Generic((i), vi32: v_real_f32, vi64: v_real_f64)(i)
#define v_abs(x) OVERLOAD(v_abs, x)(x)
#define v_sqrt(x) OVERLOAD(v_sqrt, x)(x)
#define v_copysign(magnitude, sign) OVERLOAD(v_copysign, magnitude)(magnitude, sign)
#define v_mad(a, b, c) OVERLOAD(v_mad, a)(a, b, c)
#define v_scale(x, n) OVERLOAD(v_scale, x)(x, n)
#define v_or_limit(y, x) OVERLOAD(v_or_limit, y)(y, x)
#define v_or_sign(y, x) OVERLOAD(v_or_sign, y)(y, x)

#define v_widen(x, wide) OVERLOAD(v_widen, x)(x, wide)

INLINE vi32 v_bits_f32(vf32 x) { return (vi32)x; }
INLINE vi64 v_bits_f64(vf64 x) { return (vi64)x; }
INLINE vf32 v_real_f32(vi32 i) { return (vf32)i; }
INLINE vf64 v_real_f64(vi64 i) { return (vf64)i; }
INLINE vi32 v_wrap_add_i32(vi32 i, vi32 j) { return (vi32)((vw32)i + (vw32)j); }
INLINE vi64 v_wrap_add_i64(vi64 i, vi64 j) { return (vi64)((vw64)i + (vw64)j); }
INLINE vi32 v_wrap_sub_i32(vi32 i, vi32 j) { return (vi32)((vw32)i - (vw32)j); }
INLINE vi64 v_wrap_sub_i64(vi64 i, vi64 j) { return (vi64)((vw64)i - (vw64)j); }
INLINE vf32 v_splat_f32(float c) { return c - (vf32){0}; } /* not 0 + c: that would lose -0 */
INLINE vf64 v_splat_f64(double c) { return c - (vf64){0}; }
INLINE vf32 v_abs_f32(vf32 x) { return (vf32)((vi32)x & 0x7fffffff); }
INLINE vf64 v_abs_f64(vf64 x) { return (vf64)((vi64)x & 0x7fffffffffffffff); }
#if VEKT_HAS_FMA
INLINE vf32 v_mad_f32(vf32 a, vf32 b, vf32 c) { return v_fma_f32(a, b, c); }
INLINE vf64 v_mad_f64(vf64 a, vf64 b, vf64 c) { return v_fma_f64(a, b, c); }
#else
INLINE vf32 v_mad_f32(vf32 a, vf32 b, vf32 c) { return a * b + c; }
INLINE vf64 v_mad_f64(vf64 a, vf64 b, vf64 c) { return a * b + c; }
#endif
INLINE vf32 v_copysign_f32(vf32 m, vf32 s) { return (vf32)(((vi32)m & 0x7fffffff) | ((vi32)s & INT32_MIN)); }
INLINE vf64 v_copysign_f64(vf64 m, vf64 s) { return (vf64)(((vi64)m & 0x7fffffffffffffff) | ((vi64)s & INT64_MIN)); }
INLINE vf32 v_or_sign_f32(vf32 y, vf32 x) { return (vf32)((vi32)y | ((vi32)x & INT32_MIN)); }
INLINE vf64 v_or_sign_f64(vf64 y, vf64 x) { return (vf64)((vi64)y | ((vi64)x & INT64_MIN)); }
#if VEKT_VECTOR_BYTES != 64
INLINE vf32 v_scale_f32(vf32 x, vf32 n) {
    const vi32 whole = v_wrap_sub_i32(v_bits_f32(n + v_splat_f32(0x1.8p23)), v_bits_f32(v_splat_f32(0x1.8p23)));
    const vi32 first = whole >> 1, one = v_bits_f32(v_splat_f32(1)); /* of NaN any, which x is then, too */
    const vf32 power = v_real_f32(v_wrap_add_i32(one, first << 23));
    return x * power * v_real_f32(v_wrap_add_i32(one, (whole - first) << 23));
}
INLINE vf32 v_split_f32(vf32 x, vf32 *power) {
    const mask_f32 tiny = v_lt_f32(x, v_splat_f32(0x1p-126));
    const vf32 normal = v_select_f32(tiny, x * v_splat_f32(0x1p24), x);
    const vi32 place = v_wrap_sub_i32(v_bits_f32(normal), v_bits_f32(v_splat_f32(0.75f))), shift = place >> 23;
    const vf32 k = v_real_f32(shift + v_bits_f32(v_splat_f32(0x1.8p23))) - v_splat_f32(0x1.8p23);
    *power = v_select_f32(tiny, k - v_splat_f32(24), k);
    return v_real_f32(v_wrap_sub_i32(v_bits_f32(normal), shift << 23));
}
INLINE vf64 v_scale_f64(vf64 x, vf64 n) {
    const vi64 whole = v_wrap_sub_i64(v_bits_f64(n + v_splat_f64(0x1.8p52)), v_bits_f64(v_splat_f64(0x1.8p52)));
    const vi64 first = whole >> 1, one = v_bits_f64(v_splat_f64(1)); /* of NaN any, which x is then, too */
    const vf64 power = v_real_f64(v_wrap_add_i64(one, first << 52));
    return x * power * v_real_f64(v_wrap_add_i64(one, (whole - first) << 52));
}
INLINE vf64 v_split_f64(vf64 x, double edge, vf64 *power) {
    const mask_f64 tiny = v_lt_f64(x, v_splat_f64(0x1p-1022));
    const vf64 normal = v_select_f64(tiny, x * v_splat_f64(0x1p53), x);
    const vi64 place = v_wrap_sub_i64(v_bits_f64(normal), v_bits_f64(v_splat_f64(edge / 2))), shift = place >> 52;
    const vf64 k = v_real_f64(shift + v_bits_f64(v_splat_f64(0x1.8p52))) - v_splat_f64(0x1.8p52);
    *power = v_select_f64(tiny, k - v_splat_f64(53), k);
    return v_real_f64(v_wrap_sub_i64(v_bits_f64(normal), shift << 52));
}
INLINE vf32 v_or_limit_f32(vf32 y, vf32 x) {
    const vf32 zero = v_splat_f32(0), infinity = v_splat_f32(__builtin_inff());
    const vf32 beyond = v_select_f32(v_le_f32(x, zero), (vf32)((vi32){0} + (int32_t)0xffc00000), x);
    const vf32 other = v_select_f32(v_eq_f32(x, zero), -infinity, beyond);
    return v_select_f32(v_lt_f32(zero, x) & v_lt_f32(x, infinity), y, other);
}
INLINE vf64 v_or_limit_f64(vf64 y, vf64 x) {
    const vf64 zero = v_splat_f64(0), infinity = v_splat_f64(__builtin_inf());
    const vf64 beyond = v_select_f64(v_le_f64(x, zero), (vf64)((vi64){0} + (int64_t)0xfff8000000000000), x);
    const vf64 other = v_select_f64(v_eq_f64(x, zero), -infinity, beyond);
    return v_select_f64(v_lt_f64(zero, x) & v_lt_f64(x, infinity), y, other);
}
#endif
INLINE vf64 v_load_wide_f64(const double *p) { return v_load_f64(p); }
INLINE void v_widen_f32(vf32 x, vf64 *wide) {
    wide[0] = v_widen_low(x);
    wide[1] = v_widen_high(x);
}
INLINE void v_widen_f64(vf64 x, vf64 *wide) { wide[0] = x; }
INLINE vf32 v_shorten_f32(const vf64 *wide) { return v_narrow(wide[0], wide[1]); }
INLINE vf64 v_shorten_f64(const vf64 *wide) { return wide[0]; }

#endif
