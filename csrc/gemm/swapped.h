/* c^T = b^T a^T: the same sums, with rows of c where the columns were. */
static vekt_matrix FN(transposed)(vekt_matrix x) { return (vekt_matrix){x.data, x.col, x.row}; }

/* But for the epilogue. */
static vekt_product FN(swapped)(const vekt_product *p) {
    vekt_product swapped = *p;
    swapped.m = p->n;
    swapped.n = p->m;
    swapped.a = FN(transposed)(p->b);
    swapped.b = FN(transposed)(p->a);
    swapped.c = FN(transposed)(p->c);
    swapped.epilogue = NULL;
    return swapped;
}
