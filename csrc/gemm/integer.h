/* Products of integers, modulo 2^bits. */
#define INTEGER_PRODUCT(name, type)                                                          \
    static int name(const vekt_product *p) {                                                 \
        for (ptrdiff_t i = 0; i < p->m; i++)                                                 \
            for (ptrdiff_t j = 0; j < p->n; j++) {                                           \
                type sum = 0, x, y;                                                          \
                char *c = p->c.data + i * p->c.row + j * p->c.col;                           \
                if (p->accumulate) memcpy(&sum, c, sizeof sum);                              \
                for (ptrdiff_t q = 0; q < p->k; q++) {                                       \
                    memcpy(&x, p->a.data + i * p->a.row + q * p->a.col, sizeof x);           \
                    memcpy(&y, p->b.data + q * p->b.row + j * p->b.col, sizeof y);           \
                    sum = (type)(sum + (uint64_t)x * (uint64_t)y);                           \
                }                                                                            \
                memcpy(c, &sum, sizeof sum);                                                 \
            }                                                                                \
        return 0;                                                                            \
    }
INTEGER_PRODUCT(product_i8, uint8_t)
INTEGER_PRODUCT(product_i16, uint16_t)
INTEGER_PRODUCT(product_i32, uint32_t)
INTEGER_PRODUCT(product_i64, uint64_t)

static int product_bool(const vekt_product *p) {
    for (ptrdiff_t i = 0; i < p->m; i++)
        for (ptrdiff_t j = 0; j < p->n; j++) {
            char any = 0, *c = p->c.data + i * p->c.row + j * p->c.col;
            for (ptrdiff_t q = 0; q < p->k; q++)
                any |= p->a.data[i * p->a.row + q * p->a.col] && p->b.data[q * p->b.row + j * p->b.col];
            *c = any || (p->accumulate && *c);
        }
    return 0;
}
