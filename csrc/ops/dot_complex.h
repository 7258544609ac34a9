/* Dot product of one block of complex numbers, nothing conjugated.  Lanes are virtual as in dot.h, half as many:
 * there are two sums, of the numbers' parts by those of the same place and by those of the other. */

#define DOT_WIDTH (128 / (int)sizeof(REAL))
#define DOT_VECTORS (DOT_WIDTH / LANES)

INLINE void FN(complex_step)(VEC *straight, VEC *crossed, VEC x, VEC y) {
    *straight = v_mad(x, y, *straight);
    *crossed = v_mad(x, FN(swap)(y, 1), *crossed);
}

/* Lanes of even and of odd index. */
INLINE void FN(sum_parts)(VEC sum[DOT_VECTORS], REAL parts[2]) {
    REAL lane[LANES];
    for (int half = DOT_VECTORS / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) sum[j] += sum[j + half];
    FN(v_store)(lane, sum[0]);
    for (int half = LANES / 2; half > 1; half /= 2)
        for (int j = 0; j < half; j++) lane[j] += lane[j + half];
    parts[0] = lane[0];
    parts[1] = lane[1];
}

static void FN(dot_block_complex)(const void *px, const void *py, ptrdiff_t n, vekt_dot_sum *sum) {
    const REAL *x = px, *y = py;
    VEC straight[DOT_VECTORS], crossed[DOT_VECTORS];
    for (int j = 0; j < DOT_VECTORS; j++) straight[j] = crossed[j] = K(0);
    for (n *= 2; n >= DOT_WIDTH; n -= DOT_WIDTH, x += DOT_WIDTH, y += DOT_WIDTH)
#pragma GCC unroll 8
        for (int j = 0; j < DOT_VECTORS; j++)
            FN(complex_step)(&straight[j], &crossed[j], FN(v_load)(x + j * LANES), FN(v_load)(y + j * LANES));
#pragma GCC unroll 8
    for (int j = 0; j < DOT_VECTORS; j++) {
        const ptrdiff_t left = n - j * LANES;
        if (left <= 0) continue;
        const VEC last_x = left >= LANES ? FN(v_load)(x + j * LANES) : FN(v_load_first)(x + j * LANES, left);
        const VEC last_y = left >= LANES ? FN(v_load)(y + j * LANES) : FN(v_load_first)(y + j * LANES, left);
        FN(complex_step)(&straight[j], &crossed[j], last_x, last_y);
    }
    REAL same[2], other[2];
    FN(sum_parts)(straight, same);
    FN(sum_parts)(crossed, other);
    sum->real[0] = same[0] - same[1];
    sum->real[1] = other[0] + other[1];
}

#undef DOT_WIDTH
#undef DOT_VECTORS
