/* What becomes of a block of c when its sums are complete. */

/* Rows i to i + m and columns j to j + n of c, whose first element lies at `c`. */
static void FN(epilogue)(const vekt_epilogue *e, ptrdiff_t i, ptrdiff_t m, ptrdiff_t j, ptrdiff_t n, char *c,
                         ptrdiff_t c_row, ptrdiff_t c_col) {
    char *args[VEKT_MAX_ARGS];
    ptrdiff_t advance[VEKT_MAX_ARGS] = {sizeof(REAL)};
    for (int p = 0; p < e->n_params; p++) args[1 + p] = e->params[p];
    advance[1 + e->n_params] = sizeof(REAL);
    for (ptrdiff_t r = 0; r < m; r++) {
        for (ptrdiff_t s = 0; s < n; s++) {
            REAL x, b = 0;
            char *element = c + r * c_row + s * c_col;
            memcpy(&x, element, sizeof x);
            if (e->bias.data) memcpy(&b, e->bias.data + (i + r) * e->bias.row + (j + s) * e->bias.col, sizeof b);
            x += b;
            if (e->preactivation.data)
                memcpy(e->preactivation.data + (i + r) * e->preactivation.row + (j + s) * e->preactivation.col, &x,
                       sizeof x);
            args[0] = args[1 + e->n_params] = (char *)&x;
            if (e->activation) e->activation(args, advance, 1);
            memcpy(element, &x, sizeof x);
        }
    }
}
