/* What becomes of a block of c once its sums are complete.
 *
 * Blocks are as small as one tile of the product, 14 rows of 32 columns.  A call of the activation for each of such
 * short rows costs more than its work, so they are brought together in scratch memory that stays in the first-level
 * cache, and are copied back.  relu takes one instruction and is done in registers beside the addition of the bias:
 * 0.05 ns an element of a tile, 0.6 % of a product with k = 1024; by way of the scratch memory it took 0.2.  The long
 * activations begin slowly, in 60 ns or so: blocks of a thousand elements and more gain 20 % over single tiles. */

enum { FN(EPILOGUE_ELEMENTS) = 4096 / sizeof(REAL) };
/* Rows from this length on are worth a call of their own, in place. */
enum { FN(EPILOGUE_LONG_ROW) = 1024 / sizeof(REAL) };

INLINE vekt_matrix FN(moved)(vekt_matrix x, ptrdiff_t rows, ptrdiff_t columns) {
    x.data += rows * x.row + columns * x.col;
    return x;
}

static void FN(copy_row)(char *to, ptrdiff_t to_step, const char *from, ptrdiff_t from_step, ptrdiff_t n) {
    for (; n > 0; n--, to += to_step, from += from_step) memcpy(to, from, sizeof(REAL));
}

/* y = x + b for n <= LANES contiguous elements, or its positive part; the sum goes to z too, where that is given. */
INLINE void FN(finish_lanes)(int relu, ptrdiff_t n, char *y, char *z, const char *x, VEC b) {
    if (n == LANES) {
        VEC sum = FN(v_load)((const REAL *)x) + b;
        if (z) FN(v_store)((REAL *)z, sum);
        FN(v_store)((REAL *)y, relu ? v_max(K(0), sum) : sum);
    } else {
        VEC sum = FN(v_load_first)((const REAL *)x, n) + b;
        if (z) FN(v_store_first)((REAL *)z, sum, n);
        FN(v_store_first)((REAL *)y, relu ? v_max(K(0), sum) : sum, n);
    }
}

INLINE VEC FN(load_bias)(const char *bias, ptrdiff_t step, ptrdiff_t n) {
    REAL same;
    if (step) return n == LANES ? FN(v_load)((const REAL *)bias) : FN(v_load_first)((const REAL *)bias, n);
    memcpy(&same, bias, sizeof same);
    return K(same);
}

/* The same on rows of n contiguous elements.  The bias is contiguous along its rows, or the same for all of them. */
INLINE void FN(add_bias)(int relu, ptrdiff_t m, ptrdiff_t n, vekt_matrix y, vekt_matrix z, vekt_matrix x,
                         vekt_matrix bias) {
    const ptrdiff_t width = sizeof(VEC), b_width = bias.col ? width : 0, rest = n % LANES ? n % LANES : LANES;
    if (n <= 2 * LANES && !bias.row) {
        /* a tile: its bias stays in registers */
        const int two = n > LANES;
        const VEC b[2] = {FN(load_bias)(bias.data, bias.col, two ? LANES : rest),
                          FN(load_bias)(bias.data + two * b_width, bias.col, rest)};
        for (; m > 0; m--, x.data += x.row, y.data += y.row, z.data += z.row) {
            if (two) FN(finish_lanes)(relu, LANES, y.data, z.data, x.data, b[0]);
            char *kept = z.data ? z.data + two * width : NULL;
            FN(finish_lanes)(relu, rest, y.data + two * width, kept, x.data + two * width, b[1]);
        }
        return;
    }
    for (; m > 0; m--, x.data += x.row, y.data += y.row, z.data += z.row, bias.data += bias.row) {
        const char *from = x.data, *b = bias.data;
        char *to = y.data, *kept = z.data;
        ptrdiff_t left = n;
        for (; left > LANES; left -= LANES, from += width, to += width, b += b_width) {
            FN(finish_lanes)(relu, LANES, to, kept, from, FN(load_bias)(b, b_width, LANES));
            if (kept) kept += width;
        }
        FN(finish_lanes)(relu, left, to, kept, from, FN(load_bias)(b, b_width, left));
    }
}

static void FN(activate)(const vekt_epilogue *e, char *x, ptrdiff_t n) {
    const ptrdiff_t item = sizeof(REAL);
    char *args[VEKT_MAX_ARGS] = {x};
    ptrdiff_t advance[VEKT_MAX_ARGS] = {item};
    for (int p = 0; p < e->n_params; p++) args[1 + p] = e->params[p];
    args[1 + e->n_params] = x;
    advance[1 + e->n_params] = item;
    e->activation(args, advance, n);
}

/* All operands run along the rows, or are the same there. */
INLINE void FN(epilogue_direct)(const vekt_epilogue *e, ptrdiff_t m, ptrdiff_t n, vekt_matrix c, vekt_matrix z,
                                vekt_matrix bias) {
    const ptrdiff_t item = sizeof(REAL);
    if (e->is_relu) {
        FN(add_bias)(1, m, n, c, z, c, bias);
    } else if (!e->activation) {
        FN(add_bias)(0, m, n, c, z, c, bias);
    } else if (n >= FN(EPILOGUE_LONG_ROW)) {
        for (ptrdiff_t r = 0; r < m; r++) {
            FN(add_bias)(0, 1, n, FN(moved)(c, r, 0), FN(moved)(z, r, 0), FN(moved)(c, r, 0), FN(moved)(bias, r, 0));
            FN(activate)(e, c.data + r * c.row, n);
        }
    } else {
        _Alignas(64) REAL scratch[FN(EPILOGUE_ELEMENTS)];
        const vekt_matrix y = {(char *)scratch, n * item, item};
        const ptrdiff_t together = FN(EPILOGUE_ELEMENTS) / n;
        for (ptrdiff_t r = 0, rows; r < m; r += rows) {
            rows = m - r < together ? m - r : together;
            FN(add_bias)(0, rows, n, y, FN(moved)(z, r, 0), FN(moved)(c, r, 0), FN(moved)(bias, r, 0));
            FN(activate)(e, y.data, rows * n);
            for (ptrdiff_t q = 0; q < rows; q++)
                memcpy(c.data + (r + q) * c.row, y.data + q * y.row, (size_t)(n * item));
        }
    }
}

/* Any steps, a few elements at a time. */
static void FN(epilogue_strided)(const vekt_epilogue *e, ptrdiff_t m, ptrdiff_t n, vekt_matrix c, vekt_matrix z,
                                 vekt_matrix bias) {
    enum { FEW = 64 };
    const ptrdiff_t item = sizeof(REAL);
    _Alignas(64) REAL scratch[FEW], bias_scratch[FEW];
    const vekt_matrix y = {(char *)scratch, 0, item}, b = {(char *)bias_scratch, 0, item}, none = {NULL, 0, 0};
    for (ptrdiff_t r = 0; r < m; r++) {
        for (ptrdiff_t s = 0, few; s < n; s += few) {
            char *here = c.data + r * c.row + s * c.col;
            few = n - s < FEW ? n - s : FEW;
            FN(copy_row)(y.data, item, here, c.col, few);
            FN(copy_row)(b.data, item, bias.data + r * bias.row + s * bias.col, bias.col, few);
            FN(add_bias)(0, 1, few, y, none, y, b);
            if (z.data) FN(copy_row)(z.data + r * z.row + s * z.col, z.col, y.data, item, few);
            if (e->activation) FN(activate)(e, y.data, few);
            FN(copy_row)(here, c.col, y.data, item, few);
        }
    }
}

/* Rows i to i + m and columns j to j + n of c, whose first element lies at `c`. */
static void FN(epilogue)(const vekt_epilogue *e, ptrdiff_t i, ptrdiff_t m, ptrdiff_t j, ptrdiff_t n, char *c,
                         ptrdiff_t c_row, ptrdiff_t c_col) {
    static const REAL minus_zero = (REAL)-0.0; /* changes no number */
    const ptrdiff_t item = sizeof(REAL);
    vekt_matrix block = {c, c_row, c_col}, z = {NULL, 0, 0}, bias = {(char *)&minus_zero, 0, 0};
    if (e->preactivation.data) z = FN(moved)(e->preactivation, i, j);
    if (e->bias.data) bias = FN(moved)(e->bias, i, j);
    if (c_col != item && c_row == item) {
        /* column by column */
        block = (vekt_matrix){c, c_col, c_row};
        z = (vekt_matrix){z.data, z.col, z.row};
        bias = (vekt_matrix){bias.data, bias.col, bias.row};
        ptrdiff_t rows = m;
        m = n;
        n = rows;
    }
    if (block.col == item && (!z.data || z.col == item) && (bias.col == item || bias.col == 0))
        FN(epilogue_direct)(e, m, n, block, z, bias);
    else
        FN(epilogue_strided)(e, m, n, block, z, bias);
}
