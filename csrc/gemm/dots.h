/* One row where b's columns are contiguous, and nobody asked for the order of sums of a larger batch: plain dot
 * products, as the column c^T = b^T a^T.  They are 1.1 to 2 times as quick as across.h; for two rows, one after the
 * other, they gain nothing, and for four they lose a third.
 *
 * Whether this way is taken depends on m, k and the layout of b, never on n: pieces of the columns of a product, on
 * whatever thread, have the bits of the whole.  Up to SMALL_STEPS, small products and the others are alike. */
static int FN(product_dots)(const vekt_product *p) {
    const ptrdiff_t item = sizeof(REAL);
    if (p->invariant || p->packed || p->m != 1 || p->n == 1 || p->k <= FN(SMALL_STEPS) || p->b.row != item ||
        p->b.col == item)
        return 0;
    const vekt_product column = FN(swapped)(p);
    if (FN(product_column)(&column) < 0) return -1;
    if (p->epilogue) FN(epilogue)(p->epilogue, 0, 1, 0, p->n, p->c.data, p->c.row, p->c.col);
    return 1;
}
