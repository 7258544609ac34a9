/* A product of one thread, by the shortest way for its shape. */

static void FN(finish_empty)(const vekt_product *p) {
    for (ptrdiff_t i = 0; i < p->m; i++)
        for (ptrdiff_t j = 0; j < p->n && !p->accumulate; j++)
            *(FN(element) *)(p->c.data + i * p->c.row + j * p->c.col) = 0;
    if (p->epilogue) FN(epilogue)(p->epilogue, 0, p->m, 0, p->n, p->c.data, p->c.row, p->c.col);
}

/* Is c^T = b^T a^T the better order?  Where c's columns are contiguous, so that tiles are stored as they are; and
 * where they are few, if a's are contiguous, so that vectors along them are full. */
static int FN(is_better_swapped)(const vekt_product *p) {
    const ptrdiff_t item = sizeof(REAL);
    if (p->packed) return 0;
    if (p->c.col != item && p->c.row == item) return 1;
    return p->n <= TILE_ROWS && p->m >= 4 * SLIVER && p->a.row == item && p->a.col != item;
}

static int FN(product)(const vekt_product *p) {
    if (p->m <= 0 || p->n <= 0) return 0;
    if (p->k <= 0) {
        FN(finish_empty)(p);
        return 0;
    }
    if (p->packed && p->n == 1) { /* the first column of a sliver; the order of dot */
        vekt_product column = *p;
        column.packed = NULL;
        column.b = (vekt_matrix){(char *)p->packed, SLIVER * sizeof(REAL), sizeof(REAL)};
        return FN(product)(&column);
    }
    int taken = FN(product_small)(p);
    if (!taken) taken = FN(column_in_lanes)(p);
    if (!taken) taken = FN(product_dots)(p);
    if (!taken) taken = FN(product_few)(p);
    if (taken) return taken < 0 ? -1 : 0;
    if (!FN(is_better_swapped)(p)) return FN(blocked)(p);
    vekt_product swapped = FN(swapped)(p);
    vekt_epilogue epilogue;
    if (p->epilogue) {
        epilogue = *p->epilogue;
        epilogue.bias = FN(transposed)(epilogue.bias);
        epilogue.preactivation = FN(transposed)(epilogue.preactivation);
        swapped.epilogue = &epilogue;
    }
    return FN(blocked)(&swapped);
}

static int FN(stack)(const vekt_product *first, ptrdiff_t count, const ptrdiff_t steps[3]) {
    if (FN(is_small)(first)) {
        FN(small_stack)(first, count, steps);
        return 1;
    }
    return FN(stack_of_dots)(first, count, steps) || FN(stack_in_lanes)(first, count, steps) ||
           FN(stack_of_columns)(first, count, steps);
}
