/* Few rows: too few to pay for a copy of b, which is read once, as it lies, beside all rows of a. */

enum { FN(FEW_ROWS) = 4 };
/* Sums of a row, or of all rows together, that are formed at a time: half of L1. */
enum { FN(FEW_SUMS) = 16384 / sizeof(REAL) };

/* The chains of one run of k for n columns, from a's and b's first elements in it. */
static void FN(few_run)(const vekt_product *p, const char *a, const char *b, ptrdiff_t k, ptrdiff_t n, REAL *sum,
                        ptrdiff_t sum_row) {
    const vekt_matrix rows = {(char *)a, p->a.row, p->a.col};
    if (p->b.col == sizeof(REAL)) {
        for (ptrdiff_t i = 0; i < p->m; i++) memset(sum + i * sum_row, 0, (size_t)n * sizeof(REAL));
        FN(stream)(p->m, &rows, b, p->b.row, sum, sum_row, n, k);
    } else if (p->m == 1) {
        FN(across_1)(p->m, &rows, b, p->b.col, n, k, sum, sum_row);
    } else if (p->m == 2) {
        FN(across_2)(p->m, &rows, b, p->b.col, n, k, sum, sum_row);
    } else {
        FN(across_4)(p->m, &rows, b, p->b.col, n, k, sum, sum_row);
    }
}

static int FN(product_few)(const vekt_product *p) {
    if (p->n == 1) return FN(product_column)(p);
    const ptrdiff_t item = sizeof(REAL);
    const int streams = p->b.col == item;
    if (p->packed || p->m > FN(FEW_ROWS)) return 0;
    /* Three rows and more pay for tiles, 1.1 times as quick, until b no longer fits L2. */
    if (streams ? p->m > 2 && p->k * p->n * item < vekt_this_machine.near_bytes : p->b.row != item) return 0;
    const ptrdiff_t width = streams ? FN(FEW_SUMS) / p->m / LANES * LANES : FN(GROUPS) * LANES;
    const ptrdiff_t sum_row = width / LANES % 2 ? width : width + LANES; /* not all in the same places of L1 */
    REAL room[FN(FEW_SUMS) + (FN(FEW_ROWS) + 1) * LANES] __attribute__((aligned(64)));
    REAL *const sum = room + LANES - (streams ? FN(to_line)(p->b.data, p->b.row) : LANES);
    for (ptrdiff_t j = 0; j < p->n; j += width) {
        const ptrdiff_t n = p->n - j < width ? p->n - j : width;
        const vekt_matrix c = {p->c.data + j * p->c.col, p->c.row, p->c.col};
        for (ptrdiff_t first = 0; first < p->k; first += VEKT_PRODUCT_RUN) {
            const ptrdiff_t k = p->k - first < VEKT_PRODUCT_RUN ? p->k - first : VEKT_PRODUCT_RUN;
            FN(few_run)(p, p->a.data + first * p->a.col, p->b.data + first * p->b.row + j * p->b.col, k, n, sum,
                        sum_row);
            FN(add_run)(&c, sum, sum_row, p->m, n, first > 0 || p->accumulate);
        }
        if (p->epilogue) FN(epilogue)(p->epilogue, 0, p->m, j, n, c.data, c.row, c.col);
    }
    return 1;
}
