/* The backward pass of prelu (vekt.h: vekt_prelu_block, vekt_prelu_columns): dx has the bits of leaky_relu_backward,
 * and the terms of the slope's gradient are added up in double, where a product of floats is exact. */

#if MANTISSA_BITS == 52
INLINE vf64 prelu_add(vf64 sum, vf64 dy, vf64 x) {
    return v_select(v_lt(v_splat_f64(0), x), sum, v_mad(dy, x, sum)); /* NaN counts */
}
INLINE void prelu_accumulate_f64(vf64 *sum, vf64 dy, vf64 x) { *sum = prelu_add(*sum, dy, x); }
#else
INLINE void prelu_accumulate_f32(vf64 *sum, vf32 dy, vf32 x) {
    sum[0] = prelu_add(sum[0], v_widen_low(dy), v_widen_low(x));
    sum[1] = prelu_add(sum[1], v_widen_high(dy), v_widen_high(x));
}
#endif

INLINE VEC FN(prelu_dx)(VEC dy, VEC x, VEC slope) { return dy * FN(leaky_relu_grad)(x, &slope); }

/* Virtual lanes, as in dot.h: lane l sums the elements whose index is l modulo PRELU_LANES, whatever the register. */
#define PREFETCH_BYTES 2048
#define PRELU_LANES 32
#define PRELU_SUMS (PRELU_LANES / LANES_F64)
#define SUMS_PER_VECTOR (LANES / LANES_F64)

static double FN(prelu_block)(const void *pdy, const void *px, const void *pslope, void *pdx, ptrdiff_t n) {
    const REAL *dy = pdy, *x = px;
    REAL *dx = pdx;
    const VEC slope = K(*(const REAL *)pslope);
    vf64 sum[PRELU_SUMS];
    for (int j = 0; j < PRELU_SUMS; j++) sum[j] = v_splat_f64(0);
    for (; n >= PRELU_LANES; n -= PRELU_LANES, dy += PRELU_LANES, x += PRELU_LANES, dx += PRELU_LANES)
#pragma GCC unroll 16
        for (int j = 0; j < PRELU_LANES / LANES; j++) {
            VEC a = FN(v_load)(dy + j * LANES), b = FN(v_load)(x + j * LANES);
            __builtin_prefetch((const char *)(dy + j * LANES) + PREFETCH_BYTES);
            __builtin_prefetch((const char *)(x + j * LANES) + PREFETCH_BYTES);
            FN(v_store)(dx + j * LANES, FN(prelu_dx)(a, b, slope));
            FN(prelu_accumulate)(sum + j * SUMS_PER_VECTOR, a, b);
        }
#pragma GCC unroll 16
    for (int j = 0; j < PRELU_LANES / LANES; j++) {
        ptrdiff_t left = n - j * LANES, m = left < LANES ? left : LANES;
        if (m <= 0) break;
        VEC a = FN(v_load_first)(dy + j * LANES, m), b = FN(v_load_first)(x + j * LANES, m);
        FN(v_store_first)(dx + j * LANES, FN(prelu_dx)(a, b, slope), m);
        FN(prelu_accumulate)(sum + j * SUMS_PER_VECTOR, a, b);
    }
#pragma GCC unroll 16
    for (int half = PRELU_SUMS / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) sum[j] += sum[j + half];
    double lane[LANES_F64];
    v_store_f64(lane, sum[0]);
    for (int half = LANES_F64 / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) lane[j] += lane[j + half];
    return lane[0];
}

static void FN(prelu_columns)(const void *pdy, const void *px, const void *pslopes, void *pdx, double *sums,
                              ptrdiff_t n, ptrdiff_t ahead) {
    const REAL *dy = pdy, *x = px, *slopes = pslopes;
    REAL *dx = pdx;
    vf64 sum[SUMS_PER_VECTOR];
    for (; n >= LANES; n -= LANES, dy += LANES, x += LANES, slopes += LANES, dx += LANES, sums += LANES) {
        VEC a = FN(v_load)(dy), b = FN(v_load)(x);
        __builtin_prefetch((const char *)dy + ahead);
        __builtin_prefetch((const char *)x + ahead);
        FN(v_store)(dx, FN(prelu_dx)(a, b, FN(v_load)(slopes)));
        for (int j = 0; j < SUMS_PER_VECTOR; j++) sum[j] = v_load_f64(sums + j * LANES_F64);
        FN(prelu_accumulate)(sum, a, b);
        for (int j = 0; j < SUMS_PER_VECTOR; j++) v_store_f64(sums + j * LANES_F64, sum[j]);
    }
    if (n > 0) {
        VEC a = FN(v_load_first)(dy, n), b = FN(v_load_first)(x, n);
        FN(v_store_first)(dx, FN(prelu_dx)(a, b, FN(v_load_first)(slopes, n)), n);
        double last[LANES] = {0};
        memcpy(last, sums, (size_t)n * sizeof *last);
        for (int j = 0; j < SUMS_PER_VECTOR; j++) sum[j] = v_load_f64(last + j * LANES_F64);
        FN(prelu_accumulate)(sum, a, b);
        for (int j = 0; j < SUMS_PER_VECTOR; j++) v_store_f64(last + j * LANES_F64, sum[j]);
        memcpy(sums, last, (size_t)n * sizeof *last);
    }
}

#undef PREFETCH_BYTES
#undef PRELU_LANES
#undef PRELU_SUMS
#undef SUMS_PER_VECTOR
