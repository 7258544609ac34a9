/* The rate that no product can exceed: v_mad between registers, with nothing to load or store.
 * Sixteen chains cover two units of any latency; where there are but sixteen registers, twelve fit into them with the
 * factors, and more would be spilled to memory, at half the rate. */
#if VEKT_VECTOR_BYTES == 64 || defined(__aarch64__)
#define PEAK_CHAINS 16
#else
#define PEAK_CHAINS 12
#endif

/* Runs `steps` rounds and returns how many operations that were, a multiplication and an addition each counting. */
static double FN(peak)(ptrdiff_t steps) {
    VEC sum[PEAK_CHAINS], x = K(0.5), y = K(0.25);
    for (int j = 0; j < PEAK_CHAINS; j++) sum[j] = K(j);
    for (ptrdiff_t i = 0; i < steps; i++)
#pragma GCC unroll 16
        for (int j = 0; j < PEAK_CHAINS; j++) sum[j] = v_mad(x, y, sum[j]);
    for (int j = 1; j < PEAK_CHAINS; j++) sum[0] += sum[j];
    REAL lane[LANES];
    FN(v_store)(lane, sum[0]);
    volatile REAL sink = lane[0]; /* or the compiler would drop it all */
    (void)sink;
    return 2.0 * PEAK_CHAINS * LANES * (double)steps;
}

#undef PEAK_CHAINS
