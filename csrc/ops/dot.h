/* Dot product of one block.  DOT_WIDTH virtual lanes, whatever the register: lane l sums the elements whose index is
 * l modulo DOT_WIDTH, and lanes are added in halves.  So every target with fma gives the same bits.
 * Four 64-byte accumulators: the two loads a cycle, not the latency of fma, are the limit. */

#define DOT_WIDTH (256 / (int)sizeof(REAL))
#define DOT_VECTORS (DOT_WIDTH / LANES)
#define DOT_PREFETCH_BYTES 2048 /* 5-15 % from the second cache on; 512 loses, 4096 gains less */

static double FN(dot_block)(const void *px, const void *py, ptrdiff_t n) {
    const REAL *x = px, *y = py;
    VEC sum[DOT_VECTORS];
    for (int j = 0; j < DOT_VECTORS; j++) sum[j] = K(0);
    for (; n >= DOT_WIDTH; n -= DOT_WIDTH, x += DOT_WIDTH, y += DOT_WIDTH)
#pragma GCC unroll 16
        for (int j = 0; j < DOT_VECTORS; j++) {
            __builtin_prefetch((const char *)(x + j * LANES) + DOT_PREFETCH_BYTES);
            __builtin_prefetch((const char *)(y + j * LANES) + DOT_PREFETCH_BYTES);
            sum[j] = v_mad(FN(v_load)(x + j * LANES), FN(v_load)(y + j * LANES), sum[j]);
        }
#pragma GCC unroll 16
    for (int j = 0; j < DOT_VECTORS; j++) {
        ptrdiff_t left = n - j * LANES;
        if (left >= LANES)
            sum[j] = v_mad(FN(v_load)(x + j * LANES), FN(v_load)(y + j * LANES), sum[j]);
        else if (left > 0)
            sum[j] = v_mad(FN(v_load_first)(x + j * LANES, left), FN(v_load_first)(y + j * LANES, left), sum[j]);
    }
    for (int half = DOT_VECTORS / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) sum[j] += sum[j + half];
    REAL lane[LANES];
    FN(v_store)(lane, sum[0]);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) lane[j] += lane[j + half];
    return lane[0] + 0; /* 0 also where all products were -0: whether lanes were left empty must not show */
}

#undef DOT_WIDTH
#undef DOT_VECTORS
#undef DOT_PREFETCH_BYTES
