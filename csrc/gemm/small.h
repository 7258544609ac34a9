/* Small products, and stacks of them: tiles at once, where cutting into blocks would take longer than the sums. */

enum { FN(SMALL) = 32, FN(SMALL_STEPS) = 64 };

static int FN(is_small)(const vekt_product *p) {
    return p->m <= FN(SMALL) && p->n <= FN(SMALL) && p->k <= FN(SMALL_STEPS) && p->m > 0 && p->n > 1 && p->k > 0 &&
           !p->packed;
}

/* p is small; its rows of c are contiguous unless no side of it is. */
static void FN(small_tiles)(const vekt_product *p) {
    REAL copy[FN(SMALL_STEPS) * SLIVER] __attribute__((aligned(64)));
    const ptrdiff_t item = sizeof(REAL);
    const ptrdiff_t chunks = vekt_ceil_divide(p->m, TILE_ROWS), height = p->m / chunks, taller = p->m % chunks;
    for (ptrdiff_t j = 0; j < p->n; j += SLIVER) {
        const ptrdiff_t columns = p->n - j < SLIVER ? p->n - j : SLIVER;
        const int narrow = columns <= LANES;
        FN(tile) t = {.k = p->k, .a = p->a.data, .a_row = p->a.row, .a_col = p->a.col};
        t.accumulate = p->accumulate;
        t.far = 0;
        t.last = (int)(columns - (narrow ? 0 : LANES));
        t.b = p->b.data + j * p->b.col;
        t.b_row = p->b.row;
        if (p->b.col != item || (!MASKED_LOADS && t.last != LANES)) {
            FN(pack_sliver)(copy, SLIVER, t.b, p->b.row, p->b.col, p->k, columns);
            t.b = (const char *)copy;
            t.b_row = SLIVER * item;
        }
        t.next = t.b;
        t.c = p->c.data + j * p->c.col;
        t.c_row = p->c.row;
        for (ptrdiff_t chunk = 0; chunk < chunks; chunk++) {
            const ptrdiff_t rows = height + (chunk < taller);
            const FN(micro_kernel) kernel = FN(micro_kernels)[narrow ? NARROW_TILE : FULL_TILE][rows - 1];
            if (p->c.col == item)
                kernel(&t);
            else
                FN(staged_tile)(kernel, &t, rows, columns, p->c.col);
            t.a += rows * t.a_row;
            t.c += rows * t.c_row;
        }
    }
}

static void FN(small_stack)(const vekt_product *first, ptrdiff_t count, const ptrdiff_t steps[3]) {
    vekt_product one = *first;
    char **a = &one.a.data, **b = &one.b.data;
    if (one.c.col != sizeof(REAL) && one.c.row == sizeof(REAL)) {
        one = FN(swapped)(first);
        a = &one.b.data;
        b = &one.a.data;
    }
    for (char *c = one.c.data; count > 0; count--, *a += steps[0], *b += steps[1], c += steps[2]) {
        one.c.data = c;
        FN(small_tiles)(&one);
        if (first->epilogue) FN(epilogue)(first->epilogue, 0, first->m, 0, first->n, c, first->c.row, first->c.col);
    }
}

static int FN(product_small)(const vekt_product *p) {
    if (!FN(is_small)(p)) return 0;
    FN(small_stack)(p, 1, (ptrdiff_t[3]){0, 0, 0});
    return 1;
}
