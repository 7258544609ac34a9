/* Squares of LANES rows by LANES columns, in registers. */

/* Elements in 16 bytes. */
#define PART (16 / (int)sizeof(REAL))

/* x[i], lane j <-> x[j], lane i: squares of PART in their places, then the places. */
INLINE void FN(turn)(VEC x[LANES]) {
    VEC y[LANES];
#pragma GCC unroll 4
    for (int i = 0; i < LANES; i += PART)
        if (PART == 2) {
            y[i] = FN(v_zip_low)(x[i], x[i + 1]);
            y[i + 1] = FN(v_zip_high)(x[i], x[i + 1]);
        } else {
            VEC even_low = FN(v_zip_low)(x[i], x[i + 2]), even_high = FN(v_zip_high)(x[i], x[i + 2]);
            VEC odd_low = FN(v_zip_low)(x[i + 1], x[i + 3]), odd_high = FN(v_zip_high)(x[i + 1], x[i + 3]);
            y[i] = FN(v_zip_low)(even_low, odd_low);
            y[i + 1] = FN(v_zip_high)(even_low, odd_low);
            y[i + 2] = FN(v_zip_low)(even_high, odd_high);
            y[i + 3] = FN(v_zip_high)(even_high, odd_high);
        }
#pragma GCC unroll 4
    for (int i = 0; i < PART; i++) {
        VEC places[LANES / PART];
#pragma GCC unroll 4
        for (int j = 0; j < LANES / PART; j++) places[j] = y[j * PART + i];
        FN(v_turn_parts)(places);
#pragma GCC unroll 4
        for (int j = 0; j < LANES / PART; j++) x[j * PART + i] = places[j];
    }
}

/* column[j], lane i = element j of the row at p + i * step; 0 beyond `rows` and `columns`.  A whole line of the cache
 * is read at a time: rows a multiple of 4 KB apart do not stay in L1 for a second visit. */
INLINE void FN(load_columns)(VEC column[LANES], const char *p, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t columns) {
    if (rows >= LANES && columns >= LANES) {
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++) column[i] = FN(v_load)((const void *)(p + i * step));
    } else {
        for (int i = 0; i < LANES; i++) {
            column[i] = (VEC){0};
            if (i < rows)
                column[i] = FN(v_load_first)((const void *)(p + i * step), columns < LANES ? columns : LANES);
        }
    }
    FN(turn)(column);
}
