/* Products of elements that are stored otherwise than the kernels compute: 16-bit floats as floats, complex numbers
 * as a plane of real parts and one of imaginary parts.  Blocks of the operands are brought into planes, which the
 * product of REAL multiplies, and a block of c is brought back when its sums are complete, with one rounding. */

typedef struct {
    ptrdiff_t item; /* bytes of an element in memory */
    int planes;
    /* contiguous elements, to planes that lie `apart` numbers apart, and back */
    void (*load)(REAL *plane, ptrdiff_t apart, const char *from, ptrdiff_t n);
    void (*store)(char *to, const REAL *plane, ptrdiff_t apart, ptrdiff_t n);
} FN(storage);

/* A block in planes, rows or columns contiguous as they are in memory. */
typedef struct {
    REAL *data;
    ptrdiff_t apart, rows, columns;
    int by_columns;
} FN(planes);

INLINE FN(planes) FN(planes_of)(const FN(storage) * s, REAL *data, ptrdiff_t apart, const vekt_matrix *x,
                                ptrdiff_t rows, ptrdiff_t columns) {
    const int by_columns = columns == 1 ? rows > 1 : x->col != s->item && x->row == s->item;
    return (FN(planes)){data, apart, rows, columns, by_columns};
}

INLINE vekt_matrix FN(plane)(const FN(planes) * block, int plane) {
    const ptrdiff_t item = sizeof(REAL);
    char *data = (char *)(block->data + plane * block->apart);
    return block->by_columns ? (vekt_matrix){data, item, block->rows * item}
                             : (vekt_matrix){data, block->columns * item, item};
}

/* Elements that lie `step` bytes apart to a dense line, or back. */
INLINE void FN(move_line)(ptrdiff_t item, char *line, char *memory, ptrdiff_t step, ptrdiff_t n, int store) {
    for (ptrdiff_t j = 0; j < n; j++)
        memcpy(store ? memory + j * step : line + j * item, store ? line + j * item : memory + j * step,
               (size_t)item);
}

/* Between a block and memory at `data`, in either direction. */
INLINE void FN(transfer)(const FN(storage) * s, const FN(planes) * block, const vekt_matrix *x, char *data,
                         int store) {
    enum { GATHERED = 64 };
    char line[GATHERED * 16];
    ptrdiff_t runs = block->by_columns ? block->columns : block->rows, run = block->rows + block->columns - runs;
    ptrdiff_t between = block->by_columns ? x->col : x->row, step = block->by_columns ? x->row : x->col;
    if (step == s->item && between == run * step) run *= runs, runs = 1;
    REAL *plane = block->data;
    for (ptrdiff_t r = 0; r < runs; r++, data += between, plane += run) {
        if (step == s->item) {
            store ? s->store(data, plane, block->apart, run) : s->load(plane, block->apart, data, run);
            continue;
        }
        for (ptrdiff_t i = 0; i < run; i += GATHERED) {
            const ptrdiff_t n = run - i < GATHERED ? run - i : GATHERED;
            char *from = data + i * step;
            if (store) s->store(line, plane + i, block->apart, n);
            if (s->item == 2) /* constants, for loops without a call */
                FN(move_line)(2, line, from, step, n, store);
            else
                FN(move_line)(2 * sizeof(REAL), line, from, step, n, store);
            if (!store) s->load(plane + i, block->apart, line, n);
        }
    }
}

/* One product of planes. */
static int FN(multiply_planes)(const FN(planes) * a, int a_plane, const FN(planes) * b, int b_plane,
                               const FN(planes) * c, int c_plane, int accumulate) {
    const vekt_product p = {.m = a->rows,
                            .n = b->columns,
                            .k = a->columns,
                            .a = FN(plane)(a, a_plane),
                            .b = FN(plane)(b, b_plane),
                            .c = FN(plane)(c, c_plane),
                            .accumulate = accumulate,
                            .invariant = 1}; /* a block may be the last row of a larger product */
    return FN(product)(&p);
}

static void FN(negate)(REAL *x, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) x[i] = -x[i];
}

static int FN(multiply_blocks)(int planes, const FN(planes) * a, const FN(planes) * b, const FN(planes) * c,
                               int accumulate) {
    if (planes == 1) return FN(multiply_planes)(a, 0, b, 0, c, 0, accumulate);
    if (FN(multiply_planes)(a, 0, b, 1, c, 1, accumulate) < 0) return -1;
    if (FN(multiply_planes)(a, 1, b, 0, c, 1, 1) < 0) return -1;
    FN(negate)(b->data + b->apart, b->rows * b->columns);
    if (FN(multiply_planes)(a, 0, b, 0, c, 0, accumulate) < 0) return -1;
    return FN(multiply_planes)(a, 1, b, 1, c, 0, 1);
}

INLINE int FN(product_by_planes)(const vekt_product *p, const FN(storage) * s) {
    /* Whole runs of k: sums in their usual order.  One column has another, so none is left over at the end. */
    enum { M = 512, N = 512, K = VEKT_PRODUCT_RUN };
    const ptrdiff_t m_limit = p->m < M ? p->m : M, n_limit = p->n <= N + 1 ? p->n : N + 1,
                    k_limit = p->k < K ? p->k : K;
    const ptrdiff_t a_size = m_limit * k_limit, b_size = k_limit * n_limit, c_size = m_limit * n_limit;
    const size_t bytes = (size_t)((a_size + b_size + c_size) * s->planes) * sizeof(REAL);
    if (p->m <= 0 || p->n <= 0) return 0;
    REAL *a_data = vekt_workspace(VEKT_WORKSPACE_PLANES, bytes);
    if (!a_data) return -1;
    REAL *b_data = a_data + a_size * s->planes, *c_data = b_data + b_size * s->planes;
    for (ptrdiff_t j = 0, n; j < p->n; j += n) {
        n = p->n - j <= N + 1 ? p->n - j : N;
        for (ptrdiff_t i = 0, m; i < p->m; i += m) {
            m = p->m - i < M ? p->m - i : M;
            const FN(planes) c = FN(planes_of)(s, c_data, c_size, &p->c, m, n);
            char *result = p->c.data + i * p->c.row + j * p->c.col;
            if (p->accumulate) FN(transfer)(s, &c, &p->c, result, 0);
            ptrdiff_t q = 0, k;
            do { /* once, for zeros, where k is 0 */
                k = p->k - q < K ? p->k - q : K;
                const FN(planes) a = FN(planes_of)(s, a_data, a_size, &p->a, m, k);
                const FN(planes) b = FN(planes_of)(s, b_data, b_size, &p->b, k, n);
                FN(transfer)(s, &a, &p->a, p->a.data + i * p->a.row + q * p->a.col, 0);
                if (p->conjugate) FN(negate)(a_data + a_size, m * k);
                FN(transfer)(s, &b, &p->b, p->b.data + q * p->b.row + j * p->b.col, 0);
                if (FN(multiply_blocks)(s->planes, &a, &b, &c, p->accumulate || q > 0) < 0) return -1;
                q += k;
            } while (q < p->k);
            FN(transfer)(s, &c, &p->c, result, 1);
        }
    }
    return 0;
}
