/* Products of 16-bit floats, summed in float. */
static int product_converted(const vekt_product *p, void (*widen)(float *, const char *, ptrdiff_t),
                             void (*narrow)(char *, const float *, ptrdiff_t)) {
    for (ptrdiff_t i = 0; i < p->m; i++)
        for (ptrdiff_t j = 0; j < p->n; j++) {
            float sum = 0, x, y;
            char *c = p->c.data + i * p->c.row + j * p->c.col;
            if (p->accumulate) widen(&sum, c, 1);
            for (ptrdiff_t q = 0; q < p->k; q++) {
                widen(&x, p->a.data + i * p->a.row + q * p->a.col, 1);
                widen(&y, p->b.data + q * p->b.row + j * p->b.col, 1);
                sum = x * y + sum;
            }
            narrow(c, &sum, 1);
        }
    return 0;
}

static int product_half(const vekt_product *p) { return product_converted(p, widen_half, narrow_half); }
static int product_bfloat16(const vekt_product *p) { return product_converted(p, widen_bfloat16, narrow_bfloat16); }
