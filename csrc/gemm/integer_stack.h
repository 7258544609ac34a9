/* Small products of integers, one in each lane: a stack of them, or the rows or columns of one.  Included by
 * integer_product.h. */

/* Elements of an operand, and products of elements: beyond, tiles are as quick. */
enum { NAME(stacked) = 64, NAME(stacked_steps) = 128 };

/* An element of each of `lanes` products, step bytes apart, side by side. */
INLINE TARGET void NAME(gather_lanes)(STORED *to, const char *from, ptrdiff_t step, ptrdiff_t lanes) {
    if (lanes == NAME(n_lanes))
        for (int l = 0; l < NAME(n_lanes); l++) memcpy(to + l, from + l * step, sizeof(STORED));
    else
        for (ptrdiff_t l = 0; l < lanes; l++) memcpy(to + l, from + l * step, sizeof(STORED));
}

INLINE TARGET void NAME(gather_matrices)(STORED *to, const vekt_matrix *x, ptrdiff_t rows, ptrdiff_t columns,
                                         ptrdiff_t step, ptrdiff_t lanes) {
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < columns; j++, to += NAME(n_lanes))
            NAME(gather_lanes)(to, x->data + i * x->row + j * x->col, step, lanes);
}

INLINE TARGET NAME(lanes) NAME(widened)(const STORED *from) {
    NAME(stored) x;
    memcpy(&x, from, sizeof x);
    return __builtin_convertvector(x, NAME(lanes));
}

/* c of up to n_lanes products whose elements were gathered. */
INLINE TARGET void NAME(multiply_lanes)(const vekt_product *p, const STORED *a, const STORED *b, ptrdiff_t step,
                                        ptrdiff_t lanes) {
    enum { LANES = NAME(n_lanes) };
    for (ptrdiff_t i = 0; i < p->m; i++, a += p->k * LANES)
        for (ptrdiff_t j = 0; j < p->n; j++) {
            NAME(lanes) sum = {0};
            for (ptrdiff_t q = 0; q < p->k; q++) {
                const NAME(lanes) x = NAME(widened)(a + q * LANES), y = NAME(widened)(b + (q * p->n + j) * LANES);
                sum = MULTIPLY_ADD(sum, FACTORS(x), y);
            }
            const NAME(stored) result = RESULT(sum, (NAME(stored)){0});
            STORED elements[LANES];
            memcpy(elements, &result, sizeof result);
            char *c = p->c.data + i * p->c.row + j * p->c.col;
            for (ptrdiff_t l = 0; l < lanes; l++) memcpy(c + l * step, elements + l, sizeof(STORED));
        }
}

/* Returns 0 where products are too large, or added to what c holds. */
static TARGET int NAME(stack)(const vekt_product *first, ptrdiff_t count, const ptrdiff_t steps[3]) {
    enum { LANES = NAME(n_lanes), STACKED = NAME(stacked) };
    const ptrdiff_t m = first->m, n = first->n, k = first->k;
    if (first->accumulate || k <= 0 || m > STACKED || n > STACKED || k > STACKED) return 0;
    if (m * k > STACKED || k * n > STACKED || m * n * k > NAME(stacked_steps)) return 0;
    STORED a[STACKED * LANES] __attribute__((aligned(64))), b[STACKED * LANES] __attribute__((aligned(64)));
    vekt_product p = *first;
    for (ptrdiff_t i = 0, lanes; i < count; i += lanes) {
        lanes = count - i < LANES ? count - i : LANES;
        if (i == 0 || steps[0]) NAME(gather_matrices)(a, &p.a, m, k, steps[0], lanes);
        if (i == 0 || steps[1]) NAME(gather_matrices)(b, &p.b, k, n, steps[1], lanes);
        NAME(multiply_lanes)(&p, a, b, steps[2], lanes);
        p.a.data += lanes * steps[0];
        p.b.data += lanes * steps[1];
        p.c.data += lanes * steps[2];
    }
    return 1;
}

/* A product with many rows or columns: each by itself. */
static TARGET int NAME(lines)(const vekt_product *p) {
    enum { LEAST = 16, SIDE = 4 };
    vekt_product line = *p;
    if (p->m >= LEAST && p->n <= SIDE) {
        line.m = 1;
        return NAME(stack)(&line, p->m, (ptrdiff_t[3]){p->a.row, 0, p->c.row});
    }
    if (p->n >= LEAST && p->m <= SIDE && p->b.col != sizeof(STORED)) {
        line.n = 1;
        return NAME(stack)(&line, p->n, (ptrdiff_t[3]){0, p->b.col, p->c.col});
    }
    return 0;
}
