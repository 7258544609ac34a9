/* Vectors across the rows of a matrix whose rows are contiguous: lane l belongs to row l. */

/* Columns that 16 bytes of a row hold. */
#define PART (16 / (int)sizeof(REAL))

/* column[j], lane l = element j of the row at p + l * step, for PART columns and LANES rows. */
INLINE void FN(load_columns)(VEC column[PART], const char *p, ptrdiff_t step) {
    VEC x[PART];
#pragma GCC unroll 4
    for (int i = 0; i < PART; i++) x[i] = FN(v_load_parts)(p + i * step, PART * step);
    if (PART == 2) {
        column[0] = FN(v_zip_low)(x[0], x[1]);
        column[1] = FN(v_zip_high)(x[0], x[1]);
        return;
    }
    VEC even_low = FN(v_zip_low)(x[0], x[PART - 2]), even_high = FN(v_zip_high)(x[0], x[PART - 2]);
    VEC odd_low = FN(v_zip_low)(x[1], x[PART - 1]), odd_high = FN(v_zip_high)(x[1], x[PART - 1]);
    column[0] = FN(v_zip_low)(even_low, odd_low);
    column[1] = FN(v_zip_high)(even_low, odd_low);
    column[PART - 2] = FN(v_zip_low)(even_high, odd_high);
    column[PART - 1] = FN(v_zip_high)(even_high, odd_high);
}
