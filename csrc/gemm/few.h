/* Few rows: too few to copy b for, so it is read once, where it lies, beside all rows at once. */

enum { FN(FEW_ROWS) = 10 };
/* Sums at a time, together no more than half of L1. */
enum { FN(FEW_SUMS) = 16384 / sizeof(REAL) };
/* A square of b that is brought from columns to rows. */
enum { FN(TURNED) = 64 };

/* k rows of n contiguous elements, TURNED apart, from a block of b of any layout. */
static void FN(turn)(REAL *out, const char *src, ptrdiff_t row, ptrdiff_t col, ptrdiff_t k, ptrdiff_t n) {
    ptrdiff_t j = 0;
    if (row == sizeof(REAL))
        for (; j + LANES <= n; j += LANES) {
            ptrdiff_t p = 0;
            for (; p + PART <= k; p += PART) {
                VEC column[PART];
                FN(load_columns)(column, src + p * row + j * col, col);
#pragma GCC unroll 4
                for (int i = 0; i < PART; i++) FN(v_store)(out + (p + i) * FN(TURNED) + j, column[i]);
            }
            for (; p < k; p++)
                for (ptrdiff_t l = j; l < j + LANES; l++)
                    out[p * FN(TURNED) + l] = *(const FN(element) *)(src + p * row + l * col);
        }
    for (; j < n; j++)
        for (ptrdiff_t p = 0; p < k; p++)
            out[p * FN(TURNED) + j] = *(const FN(element) *)(src + p * row + j * col);
}

static int FN(product_few)(const vekt_product *p) {
    if (p->n == 1 && p->k > 0 && !p->packed) return FN(product_column)(p);
    if (p->packed || p->m > FN(FEW_ROWS) || p->k == 0 || p->m == 0) return 0;
    REAL run[FN(FEW_SUMS) + FN(FEW_ROWS) * LANES] __attribute__((aligned(64)));
    REAL turned[FN(TURNED) * FN(TURNED)] __attribute__((aligned(64)));
    const ptrdiff_t item = sizeof(REAL);
    const int in_place = p->b.col == item;
    const ptrdiff_t width = in_place ? FN(FEW_SUMS) / p->m / LANES * LANES : FN(TURNED);
    const ptrdiff_t row = width / LANES % 2 ? width : width + LANES;
    for (ptrdiff_t j = 0; j < p->n; j += width) {
        const ptrdiff_t n = p->n - j < width ? p->n - j : width;
        const vekt_matrix c = {p->c.data + j * p->c.col, p->c.row, p->c.col};
        for (ptrdiff_t first = 0; first < p->k; first += VEKT_PRODUCT_RUN) {
            const ptrdiff_t k = p->k - first < VEKT_PRODUCT_RUN ? p->k - first : VEKT_PRODUCT_RUN;
            const char *a = p->a.data + first * p->a.col, *b = p->b.data + first * p->b.row + j * p->b.col;
            for (ptrdiff_t i = 0; i < p->m; i++) memset(run + i * row, 0, (size_t)(n * item));
            if (in_place)
                FN(stream)(p->m, a, p->a.row, p->a.col, b, p->b.row, run, row, n, k);
            else
                for (ptrdiff_t q = 0; q < k; q += FN(TURNED)) {
                    const ptrdiff_t steps = k - q < FN(TURNED) ? k - q : FN(TURNED);
                    FN(turn)(turned, b + q * p->b.row, p->b.row, p->b.col, steps, n);
                    FN(stream)(p->m, a + q * p->a.col, p->a.row, p->a.col, (char *)turned, FN(TURNED) * item, run,
                               row, n, steps);
                }
            FN(add_run)(&c, run, row, p->m, n, first > 0 || p->accumulate);
        }
        if (p->epilogue) FN(epilogue)(p->epilogue, 0, p->m, j, n, c.data, c.row, c.col);
    }
    return 1;
}
