/* Sum of squares of a block of floats in float, which takes two thirds of the time that conversion to double takes;
 * in double where squares left the range. */

#define SQUARES_WIDTH 64 /* virtual lanes, as in reduce.h */
#define SQUARES_CHAIN 16 /* additions in float, before their sum is added in double */
#define SQUARES_VECTORS (SQUARES_WIDTH / LANES_F32)

static vekt_number short_sum_squares_block_f32(const void *px, const void *py, ptrdiff_t n) {
    const float *x = px;
    vf64 wide[2 * SQUARES_VECTORS];
    for (int j = 0; j < 2 * SQUARES_VECTORS; j++) wide[j] = v_splat_f64(0);
    for (ptrdiff_t left = n; left > 0;) {
        vf32 sum[SQUARES_VECTORS];
        for (int j = 0; j < SQUARES_VECTORS; j++) sum[j] = v_splat_f32(0);
        int i = 0;
        for (; i < SQUARES_CHAIN && left >= SQUARES_WIDTH; i++, left -= SQUARES_WIDTH, x += SQUARES_WIDTH)
#pragma GCC unroll 16
            for (int j = 0; j < SQUARES_VECTORS; j++) {
                const vf32 a = v_load_f32(x + j * LANES_F32);
                sum[j] = v_mad(a, a, sum[j]);
            }
        if (i < SQUARES_CHAIN) {
#pragma GCC unroll 16
            for (int j = 0; j < SQUARES_VECTORS; j++) {
                const ptrdiff_t m = left - j * LANES_F32;
                if (m <= 0) break;
                const vf32 a = v_load_first_f32(x + j * LANES_F32, m < LANES_F32 ? m : LANES_F32);
                sum[j] = v_mad(a, a, sum[j]);
            }
            left = 0;
        }
#pragma GCC unroll 16
        for (int j = 0; j < SQUARES_VECTORS; j++) {
            vf64 pair[2];
            v_widen(sum[j], pair);
            wide[2 * j] += pair[0];
            wide[2 * j + 1] += pair[1];
        }
    }
    for (int half = SQUARES_VECTORS; half > 0; half /= 2)
        for (int j = 0; j < half; j++) wide[j] += wide[j + half];
    double lane[LANES_F64];
    v_store_f64(lane, wide[0]);
    for (int half = LANES_F64 / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) lane[j] += lane[j + half];
    /* Squares below 2^-126 lose at most 2^-149 each, 2^-135 together: nothing beside the least sum taken here. */
    if (lane[0] >= 0x1p-90 && lane[0] <= 0x1p127) return (vekt_number){.real = lane[0]};
    return sum_squares_block_f32(px, py, n);
}

#undef SQUARES_WIDTH
#undef SQUARES_CHAIN
#undef SQUARES_VECTORS
