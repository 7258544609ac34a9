/* Products of complex numbers. */
#define COMPLEX_PRODUCT(name, real)                                                \
    static int name(const vekt_product *p) {                                       \
        for (ptrdiff_t i = 0; i < p->m; i++)                                       \
            for (ptrdiff_t j = 0; j < p->n; j++) {                                 \
                real sum[2] = {0, 0}, x[2], y[2];                                  \
                char *c = p->c.data + i * p->c.row + j * p->c.col;                 \
                if (p->accumulate) memcpy(sum, c, sizeof sum);                     \
                for (ptrdiff_t q = 0; q < p->k; q++) {                             \
                    memcpy(x, p->a.data + i * p->a.row + q * p->a.col, sizeof x);  \
                    memcpy(y, p->b.data + q * p->b.row + j * p->b.col, sizeof y);  \
                    sum[0] += x[0] * y[0] - x[1] * y[1];                           \
                    sum[1] += x[0] * y[1] + x[1] * y[0];                           \
                }                                                                  \
                memcpy(c, sum, sizeof sum);                                        \
            }                                                                      \
        return 0;                                                                  \
    }
COMPLEX_PRODUCT(product_c64, float)
COMPLEX_PRODUCT(product_c128, double)
