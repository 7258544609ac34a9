/* Dot product of one block.  DOT_WIDTH virtual lanes, whatever the register: lane l sums the elements whose index is
 * l modulo DOT_WIDTH, and lanes are added in halves.  So every target with fma gives the same bits.
 * Four 64-byte accumulators: the two loads a cycle, not the latency of fma, are the limit.  Prefetching 2 KB ahead
 * gained 5-15 % on Zen 5 from the second cache on, and lost 25 % on Zen 4 in the third. */

#define DOT_WIDTH (256 / (int)sizeof(REAL))
#define DOT_VECTORS (DOT_WIDTH / LANES)

/* Elements of `item` bytes, which load and load_first, of the first n, bring into a vector. */
INLINE REAL FN(dot_of)(VEC (*load)(const void *), VEC (*load_first)(const void *, ptrdiff_t), ptrdiff_t item,
                       const char *x, const char *y, ptrdiff_t n) {
    const ptrdiff_t bytes = LANES * item;
    VEC sum[DOT_VECTORS];
    for (int j = 0; j < DOT_VECTORS; j++) sum[j] = K(0);
    for (; n >= DOT_WIDTH; n -= DOT_WIDTH, x += DOT_WIDTH * item, y += DOT_WIDTH * item)
#pragma GCC unroll 16
        for (int j = 0; j < DOT_VECTORS; j++) sum[j] = v_mad(load(x + j * bytes), load(y + j * bytes), sum[j]);
#pragma GCC unroll 16
    for (int j = 0; j < DOT_VECTORS; j++) {
        const ptrdiff_t left = n - j * LANES;
        if (left >= LANES)
            sum[j] = v_mad(load(x + j * bytes), load(y + j * bytes), sum[j]);
        else if (left > 0)
            sum[j] = v_mad(load_first(x + j * bytes, left), load_first(y + j * bytes, left), sum[j]);
    }
    for (int half = DOT_VECTORS / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) sum[j] += sum[j + half];
    REAL lane[LANES];
    FN(v_store)(lane, sum[0]);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) lane[j] += lane[j + half];
    return lane[0] + 0; /* 0 also where all products were -0: whether lanes were left empty must not show */
}

INLINE VEC FN(dot_load)(const void *p) { return FN(v_load)(p); }
INLINE VEC FN(dot_load_first)(const void *p, ptrdiff_t n) { return FN(v_load_first)(p, n); }

static double FN(dot_block)(const void *x, const void *y, ptrdiff_t n) {
    return FN(dot_of)(FN(dot_load), FN(dot_load_first), sizeof(REAL), x, y, n);
}

#undef DOT_WIDTH
#undef DOT_VECTORS
