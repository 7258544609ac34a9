/* A few rows of complex numbers, by a matrix whose rows are contiguous: each element has the sums that planes.h would
 * give it, those of a run by the real parts of a and by the imaginary ones, without a way through planes. */

/* Vectors of a row of c at a time: two sums of each in registers. */
enum { FN(FEW_VECTORS) = VEKT_VECTOR_BYTES == 64 ? 8 : 4 };
enum { FN(FEW_COMPLEX) = 4, FN(FEW_STEPS) = 16384 };

/* c += or = sum, n parts of numbers that lie `step` bytes apart. */
INLINE void FN(put_numbers)(char *c, ptrdiff_t step, VEC sum, ptrdiff_t n) {
    REAL parts[LANES];
    if (step == 2 * sizeof(REAL)) {
        if (n == LANES)
            FN(v_store)((REAL *)c, sum);
        else
            FN(v_store_first)((REAL *)c, sum, n);
        return;
    }
    FN(v_store)(parts, sum);
    for (ptrdiff_t l = 0; l < n; l += 2) memcpy(c + l / 2 * step, parts + l, 2 * sizeof(REAL));
}

/* One row over a part of its columns, `vectors` of them, the last one with `last` lanes. */
INLINE void FN(few_columns)(const int vectors, const vekt_product *p, const char *a, const char *b, char *c,
                            ptrdiff_t last) {
    VEC total[8] = {{0}}, sign;
    for (int l = 0; l < LANES; l++) sign[l] = (l % 2 == 0) == (p->conjugate == 0) ? 1 : -1;
    for (ptrdiff_t q = 0; q < p->k; q += VEKT_PRODUCT_RUN) {
        const ptrdiff_t end = p->k - q < VEKT_PRODUCT_RUN ? p->k - q : VEKT_PRODUCT_RUN;
        VEC by_real[8], by_imaginary[8];
#pragma GCC unroll 8
        for (int t = 0; t < vectors; t++) by_real[t] = by_imaginary[t] = (VEC){0};
        for (ptrdiff_t i = 0; i < end; i++, a += p->a.col, b += p->b.row) {
            enum { AHEAD = 8 };
            REAL z[2];
            memcpy(z, a, sizeof z);
            const VEC real = FN(v_splat)(z[0]), imaginary = FN(v_splat)(z[1]) * sign;
#pragma GCC unroll 8
            for (int t = 0; t < vectors; t++) {
                const REAL *from = (const REAL *)b + t * LANES;
                const VEC v = t == vectors - 1 && last < LANES ? FN(v_load_first)(from, last) : FN(v_load)(from);
                if (vectors == FN(FEW_VECTORS)) __builtin_prefetch((const char *)from + AHEAD * p->b.row);
                by_real[t] = FN(v_mad)(real, v, by_real[t]);
                by_imaginary[t] = FN(v_mad)(imaginary, v, by_imaginary[t]);
            }
        }
#pragma GCC unroll 8
        for (int t = 0; t < vectors; t++) {
            total[t] = q ? total[t] + by_real[t] : by_real[t];
            total[t] += FN(swap)(by_imaginary[t], 1);
        }
    }
    for (int t = 0; t < vectors; t++)
        FN(put_numbers)(c + t * (LANES / 2) * p->c.col, p->c.col, total[t], t == vectors - 1 ? last : LANES);
}

static void FN(few_row)(const vekt_product *p, const char *a, char *c) {
    const char *b = p->b.data;
    ptrdiff_t n = 2 * p->n;
    for (int vectors; n > 0;
         n -= vectors * LANES, b += vectors * (int)sizeof(VEC), c += vectors * (LANES / 2) * p->c.col) {
        const ptrdiff_t all = vekt_ceil_divide(n, LANES);
        vectors = all >= FN(FEW_VECTORS) ? FN(FEW_VECTORS) : all >= 4 ? 4 : all >= 2 ? 2 : 1;
        const ptrdiff_t last = n - (vectors - 1) * LANES < LANES ? n - (vectors - 1) * LANES : LANES;
        if (vectors == FN(FEW_VECTORS))
            FN(few_columns)(FN(FEW_VECTORS), p, a, b, c, last);
        else if (vectors == 4)
            FN(few_columns)(4, p, a, b, c, last);
        else if (vectors == 2)
            FN(few_columns)(2, p, a, b, c, last);
        else
            FN(few_columns)(1, p, a, b, c, last);
    }
}

/* By columns of b that lie apart: copies of as many of them as few_columns takes. */
static int FN(few_columns_apart)(const vekt_product *p) {
    enum { PANEL = FN(FEW_VECTORS) * LANES / 2, MOST_STEPS = 1 << 14 };
    const ptrdiff_t item = 2 * sizeof(REAL);
    if (p->k > MOST_STEPS || p->b.row == item) return 0;
    char *copy = vekt_workspace(VEKT_WORKSPACE_B, (size_t)(p->k * PANEL * item));
    if (!copy) return -1;
    vekt_product part = *p;
    for (ptrdiff_t j = 0; j < p->n; j += PANEL) {
        part.n = p->n - j < PANEL ? p->n - j : PANEL;
        part.b = (vekt_matrix){copy, part.n * item, item};
        for (ptrdiff_t i = 0; i < p->k; i++)
            FN(gather_complex)(copy + i * part.b.row, p->b.data + i * p->b.row + j * p->b.col, p->b.col, part.n);
        for (ptrdiff_t i = 0; i < p->m; i++)
            FN(few_row)(&part, p->a.data + i * p->a.row, p->c.data + i * p->c.row + j * p->c.col);
    }
    return 1;
}

/* 1 where it is done, 0 where it is better done otherwise, -1 where memory is missing. */
static int FN(product_complex_few)(const vekt_product *p) {
    const ptrdiff_t item = 2 * sizeof(REAL);
    const int small = p->m * p->n * p->k <= FN(FEW_STEPS);
    if (p->accumulate || p->n == 1 || (p->m > FN(FEW_COMPLEX) && !small)) return 0;
    if (p->b.col != item && !small) return FN(few_columns_apart)(p);
    vekt_product rows = *p;
    if (p->b.col != item) {
        char *copy = vekt_workspace(VEKT_WORKSPACE_B, (size_t)(p->k * p->n * item));
        if (!copy) return -1;
        for (ptrdiff_t i = 0; i < p->k; i++)
            FN(gather_complex)(copy + i * p->n * item, p->b.data + i * p->b.row, p->b.col, p->n);
        rows.b = (vekt_matrix){copy, p->n * item, item};
    }
    for (ptrdiff_t i = 0; i < p->m; i++) FN(few_row)(&rows, p->a.data + i * p->a.row, p->c.data + i * p->c.row);
    return 1;
}
