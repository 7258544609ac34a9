/* Stacks of columns: small matrices times vectors, each element with the sums of gemv.h. */

static int FN(stack_of_dots)(const vekt_product *p, ptrdiff_t count, const ptrdiff_t steps[3]);

/* Short ones of other elements are brought together, some at a time. */
static int FN(stack_of_strided)(const vekt_product *p, ptrdiff_t count, const ptrdiff_t steps[3]) {
    enum { STAGED = 2048, SHORT = 64 };
    const ptrdiff_t item = sizeof(REAL), row = p->k * item;
    if (p->k > SHORT || p->accumulate) return 0;
    REAL a[STAGED], b[STAGED];
    vekt_product dense = *p;
    dense.a = (vekt_matrix){(char *)a, 0, item};
    dense.b = (vekt_matrix){(char *)b, item, 0};
    for (ptrdiff_t i = 0, n; i < count; i += n) {
        n = count - i < STAGED / p->k ? count - i : STAGED / p->k;
        FN(gather)(a, p->k, p->a.data + i * steps[0], steps[0], p->a.col, n, p->k);
        FN(gather)(b, p->k, p->b.data + i * steps[1], steps[1], p->b.row, n, p->k);
        dense.c.data = p->c.data + i * steps[2];
        FN(stack_of_dots)(&dense, n, (ptrdiff_t[3]){row, row, steps[2]});
    }
    return 1;
}

/* A stack of single sums of contiguous elements; 0 where they are not, or where a sum has more than one block. */
static int FN(stack_of_dots)(const vekt_product *p, ptrdiff_t count, const ptrdiff_t steps[3]) {
    const ptrdiff_t item = sizeof(REAL);
    if (p->m != 1 || p->n != 1 || p->k <= 0 || p->k > VEKT_DOT_BLOCK || p->epilogue || p->packed) return 0;
    if (p->k > 1 && (p->a.col != item || p->b.row != item)) return FN(stack_of_strided)(p, count, steps);
    FN(dots) d = {p->a.data, steps[0], item, (const REAL *)p->b.data, NULL, steps[1], 0};
    vekt_matrix c = {p->c.data, 0, steps[2]};
    for (ptrdiff_t rows; count > 0; count -= rows) {
        REAL sums[FN(DOT_AT_A_TIME)] __attribute__((aligned(64)));
        rows = count < FN(DOT_AT_A_TIME) ? count : FN(DOT_AT_A_TIME);
        FN(dot_groups)(&d, rows, p->k, sums);
        for (ptrdiff_t i = 0; i < rows; i++) sums[i] += 0; /* as dot_sums does */
        FN(add_run)(&c, sums, 0, 1, rows, p->accumulate);
        d.a += rows * d.row;
        d.x = FN(x_of)(&d, rows);
        c.data += rows * c.col;
    }
    return 1;
}

/* Elements of a matrix, and of a row of it, that go through memory, where a product goes to each lane. */
enum { FN(LANE_MATRIX) = 64, FN(LANE_ROW) = 8 };

INLINE void FN(gather_lanes)(REAL *to, const char *from, ptrdiff_t step, ptrdiff_t lanes) {
    for (ptrdiff_t l = 0; l < lanes; l++) to[l] = *(const FN(element) *)(from + l * step);
}

/* An element of each of up to LANES matrices, side by side, and the next element behind them. */
INLINE void FN(gather_matrices)(REAL *to, const vekt_matrix *x, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t step,
                                ptrdiff_t lanes) {
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < columns; j++, to += LANES) {
            const char *from = x->data + i * x->row + j * x->col;
            lanes == LANES ? FN(gather_lanes)(to, from, step, LANES) : FN(gather_lanes)(to, from, step, lanes);
        }
}

/* The sum of n products in halves, as if there were LANE_ROW of them. */
INLINE VEC FN(sum_in_lanes)(const REAL *a, const REAL *x, ptrdiff_t n) {
    VEC product[FN(LANE_ROW)] = {{0}};
#pragma GCC unroll 8
    for (int q = 0; q < FN(LANE_ROW); q++)
        if (q < n) product[q] = v_mad(FN(v_load)(a + q * LANES), FN(v_load)(x + q * LANES), product[q]);
#pragma GCC unroll 4
    for (int half = FN(LANE_ROW) / 2; half > 0; half /= 2)
#pragma GCC unroll 8
        for (int l = 0; l < half; l++) product[l] += product[l + half];
    return product[0] + K(0); /* as dot_sums does */
}

/* A stack of tiny matrices in any layout; 0 where it is none. */
static int FN(stack_in_lanes)(const vekt_product *p, ptrdiff_t count, const ptrdiff_t steps[3]) {
    enum { MOST = FN(LANE_MATRIX) };
    if (p->n != 1 || p->k <= 0 || p->k > FN(LANE_ROW) || p->m > MOST || p->m * p->k > MOST || p->accumulate ||
        p->epilogue || p->packed)
        return 0;
    REAL a[MOST * LANES] __attribute__((aligned(64))) = {0},
                         x[FN(LANE_ROW) * LANES] __attribute__((aligned(64))) = {0};
    vekt_matrix from = p->a, vector = p->b;
    char *to = p->c.data;
    for (ptrdiff_t i = 0, lanes; i < count; i += lanes) {
        lanes = count - i < LANES ? count - i : LANES;
        if (i == 0 || steps[0]) FN(gather_matrices)(a, &from, p->m, p->k, steps[0], lanes);
        if (i == 0 || steps[1]) FN(gather_matrices)(x, &vector, p->k, 1, steps[1], lanes);
        for (ptrdiff_t r = 0; r < p->m; r++) {
            REAL sums[LANES];
            FN(v_store)(sums, FN(sum_in_lanes)(a + r * p->k * LANES, x, p->k));
            for (ptrdiff_t l = 0; l < lanes; l++) *(FN(element) *)(to + r * p->c.row + l * steps[2]) = sums[l];
        }
        from.data += lanes * steps[0];
        vector.data += lanes * steps[1];
        to += lanes * steps[2];
    }
    return 1;
}

/* One column of many tiny rows that are not contiguous. */
static int FN(column_in_lanes)(const vekt_product *p) {
    const ptrdiff_t item = sizeof(REAL);
    if (p->n != 1 || p->m < LANES || p->k == 1 || p->a.col == item || p->a.row == item) return 0;
    vekt_product row = *p;
    row.m = 1;
    return FN(stack_in_lanes)(&row, p->m, (ptrdiff_t[3]){p->a.row, 0, p->c.row});
}

/* A stack of columns: matrices of contiguous rows times contiguous vectors, of one block each; 0 where it is none. */
static int FN(stack_of_columns)(const vekt_product *p, ptrdiff_t count, const ptrdiff_t steps[3]) {
    const ptrdiff_t item = sizeof(REAL);
    if (p->n != 1 || p->m > FN(DOT_AT_A_TIME) || p->k <= 0 || p->k > VEKT_DOT_BLOCK || p->epilogue || p->packed)
        return 0;
    if (p->k > 1 && (p->a.col != item || p->b.row != item)) return 0;
    FN(dots) d = {p->a.data, p->a.row, item, (const REAL *)p->b.data, NULL, 0, 0};
    vekt_matrix c = {p->c.data, 0, p->c.row};
    for (; count > 0;
         count--, d.a += steps[0], d.x = (const REAL *)((const char *)d.x + steps[1]), c.data += steps[2]) {
        REAL sums[FN(DOT_AT_A_TIME)] __attribute__((aligned(64)));
        FN(dot_sums)(&d, p->m, p->k, sums);
        FN(add_run)(&c, sums, 0, 1, p->m, p->accumulate);
    }
    return 1;
}
