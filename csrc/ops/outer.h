/* Outer product: row i of c is a[i] * b.  b and the rows of c are contiguous. */
static void FN(outer)(void *pc, ptrdiff_t row_step, const void *pa, ptrdiff_t a_step, const void *pb, ptrdiff_t m,
                      ptrdiff_t n) {
    const REAL *b = pb;
    const char *a = pa;
    char *row = pc;
    for (; m > 0; m--, a += a_step, row += row_step) {
        REAL factor, *c = (REAL *)row;
        memcpy(&factor, a, sizeof factor);
        const VEC x = FN(v_splat)(factor);
        ptrdiff_t j = 0;
        for (; j + LANES <= n; j += LANES) FN(v_store)(c + j, x * FN(v_load)(b + j));
        if (j < n) FN(v_store_first)(c + j, x * FN(v_load_first)(b + j, n - j), n - j);
    }
}
