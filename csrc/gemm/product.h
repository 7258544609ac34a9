/* A product of one thread, by the shortest way for its shape. */

static size_t FN(packed_bytes)(ptrdiff_t k, ptrdiff_t n) { return (size_t)(k * n) * sizeof(REAL); }

static void FN(pack)(void *packed, const vekt_matrix *b, ptrdiff_t k, ptrdiff_t n) {
    REAL *out = packed;
    for (ptrdiff_t p = 0; p < k; p++)
        for (ptrdiff_t j = 0; j < n; j++) memcpy(&out[p * n + j], b->data + p * b->row + j * b->col, sizeof(REAL));
}

static REAL FN(mad_one)(REAL a, REAL b, REAL c) {
#if VEKT_HAS_FMA
    return sizeof(REAL) == 4 ? (REAL)__builtin_fmaf((float)a, (float)b, (float)c) : (REAL)__builtin_fma(a, b, c);
#else
    return a * b + c;
#endif
}

static int FN(product)(const vekt_product *p) {
    vekt_matrix b = p->b;
    if (p->packed) b = (vekt_matrix){(char *)p->packed, p->n * (ptrdiff_t)sizeof(REAL), sizeof(REAL)};
    for (ptrdiff_t i = 0; i < p->m; i++)
        for (ptrdiff_t j = 0; j < p->n; j++) {
            REAL sum = 0;
            char *c = p->c.data + i * p->c.row + j * p->c.col;
            if (p->accumulate) memcpy(&sum, c, sizeof sum);
            for (ptrdiff_t first = 0; first < p->k; first += VEKT_PRODUCT_RUN) {
                REAL run = 0;
                for (ptrdiff_t q = first; q < p->k && q < first + VEKT_PRODUCT_RUN; q++) {
                    REAL x, y;
                    memcpy(&x, p->a.data + i * p->a.row + q * p->a.col, sizeof x);
                    memcpy(&y, b.data + q * b.row + j * b.col, sizeof y);
                    run = FN(mad_one)(x, y, run);
                }
                sum = first || p->accumulate ? sum + run : run;
            }
            memcpy(c, &sum, sizeof sum);
        }
    if (p->epilogue) FN(epilogue)(p->epilogue, 0, p->m, 0, p->n, p->c.data, p->c.row, p->c.col);
    return 0;
}

static int FN(stack)(const vekt_product *first, ptrdiff_t count, const ptrdiff_t steps[3]) {
    vekt_product one = *first;
    for (ptrdiff_t i = 0; i < count; i++) {
        if (FN(product)(&one) < 0) return -1;
        one.a.data += steps[0];
        one.b.data += steps[1];
        one.c.data += steps[2];
    }
    return 0;
}
