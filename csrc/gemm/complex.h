/* Products of complex numbers: four real ones, two of which change places with a sign; by kernels of their own where
 * there are few of them. */

static void FN(split)(REAL *plane, ptrdiff_t apart, const char *from, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        REAL z[2];
        memcpy(z, from + i * (ptrdiff_t)sizeof z, sizeof z);
        plane[i] = z[0];
        plane[apart + i] = z[1];
    }
}

static void FN(join)(char *to, const REAL *plane, ptrdiff_t apart, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        const REAL z[2] = {plane[i], plane[apart + i]};
        memcpy(to + i * (ptrdiff_t)sizeof z, z, sizeof z);
    }
}

/* One row, as real ones are in dots.h: c^T = b^T a^T. */
static int FN(product_complex_row)(const vekt_product *p) {
    const ptrdiff_t item = 2 * sizeof(REAL);
    if (p->invariant || p->m != 1 || p->n == 1 || p->k <= FN(SMALL_STEPS) || p->b.row != item || p->b.col == item)
        return 0;
    vekt_product column = FN(swapped)(p);
    column.conjugate = p->conjugate ? VEKT_CONJUGATE_B : 0;
    return FN(product_complex_column)(&column) < 0 ? -1 : 1;
}

/* A stack of sums of short vectors, some of them at a time brought together; 0 where it is none. */
static int FN(stack_of_short_sums)(const vekt_product *p, ptrdiff_t count, const ptrdiff_t steps[3]) {
    enum { SHORT = 64, STAGED = 4096 };
    const ptrdiff_t item = 2 * sizeof(REAL), row = p->k * item;
    if (p->m != 1 || p->n != 1 || p->k <= 0 || p->k > SHORT || p->accumulate) return 0;
    char *a = vekt_workspace(VEKT_WORKSPACE_A, STAGED * sizeof(REAL[2])),
         *b = vekt_workspace(VEKT_WORKSPACE_B, STAGED * sizeof(REAL[2]));
    if (!a || !b) return -1;
    for (ptrdiff_t i = 0, rows; i < count; i += rows) {
        rows = count - i < STAGED / p->k ? count - i : STAGED / p->k;
        for (ptrdiff_t r = 0; r < rows; r++) {
            FN(gather_complex)(a + r * row, p->a.data + (i + r) * steps[0], p->a.col, p->k);
            FN(gather_complex)(b + r * row, p->b.data + (i + r) * steps[1], p->b.row, p->k);
        }
        const FN(complex_column) d = {a, b, row, item, row, NULL, p->conjugate};
        FN(complex_sums)(&d, rows, p->k, p->c.data + i * steps[2], steps[2]);
    }
    return 1;
}

/* One column of short rows that are not contiguous. */
static int FN(complex_rows_together)(const vekt_product *p) {
    const ptrdiff_t item = 2 * sizeof(REAL);
    if (p->n != 1 || p->m < LANES || p->k == 1 || p->a.col == item || p->a.row == item) return 0;
    vekt_product row = *p;
    row.m = 1;
    return FN(stack_of_short_sums)(&row, p->m, (ptrdiff_t[3]){p->a.row, 0, p->c.row});
}

static int FN(product_complex)(const vekt_product *p) {
    const FN(storage) storage = {2 * sizeof(REAL), 2, FN(split), FN(join)};
    if (p->m <= 0 || p->n <= 0) return 0;
    int taken = FN(complex_rows_together)(p);
    if (taken) return taken < 0 ? -1 : 0;
    if (p->k > 0 && p->n == 1 && !p->accumulate) return FN(product_complex_column)(p);
    taken = p->k > 0 && !p->accumulate ? FN(product_complex_row)(p) : 0;
    if (!taken && p->k > 0) taken = FN(product_complex_few)(p);
    if (taken) return taken < 0 ? -1 : 0;
    return FN(product_by_planes)(p, &storage);
}

static int FN(stack_complex)(const vekt_product *first, ptrdiff_t count, const ptrdiff_t steps[3]) {
    const ptrdiff_t item = 2 * sizeof(REAL);
    if (first->m == 1 && first->n == 1 && first->k > 0 && !first->accumulate &&
        (first->k == 1 || (first->a.col == item && first->b.row == item))) {
        const FN(complex_column) d = {first->a.data, first->b.data, steps[0], item, steps[1], NULL, first->conjugate};
        FN(complex_sums)(&d, count, first->k, first->c.data, steps[2]);
        return 1;
    }
    return FN(stack_of_short_sums)(first, count, steps);
}
