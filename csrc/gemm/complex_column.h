/* One column of complex numbers: each element by itself a dot product in the order of ops/dot_complex.h, whatever the
 * layout.  There are two sums, of the numbers' parts by those of the same place and by those of the other. */

enum { FN(PARTS) = 128 / sizeof(REAL), FN(PART_VECTORS) = FN(PARTS) / LANES };
/* Rows side by side: as many as have their sums in registers. */
enum { FN(COMPLEX_ROWS) = VEKT_VECTOR_BYTES == 64 ? 4 : 1 };

/* What becomes of the sums: which operand counts as its conjugate changes signs alone. */
static void FN(put_complex)(char *c, VEC straight, VEC crossed, int first, int conjugate, double total[2]) {
    const REAL re = straight[first], im = straight[first + 1], one = crossed[first], other = crossed[first + 1];
    total[0] = conjugate ? re + im : re - im;
    total[1] = conjugate == 0 ? one + other : conjugate == VEKT_CONJUGATE_A ? one - other : other - one;
    if (!c) return;
    const REAL z[2] = {(REAL)total[0], (REAL)total[1]};
    memcpy(c, z, sizeof z);
}

/* All lanes to the first two. */
INLINE VEC FN(sum_pairs)(VEC sum[FN(PART_VECTORS)]) {
#pragma GCC unroll 4
    for (int half = FN(PART_VECTORS) / 2; half > 0; half /= 2)
#pragma GCC unroll 8
        for (int j = 0; j < half; j++) sum[j] += sum[j + half];
#pragma GCC unroll 4
    for (int half = LANES / 2; half > 1; half /= 2) sum[0] += FN(swap)(sum[0], half);
    return sum[0];
}

/* Rows of n contiguous parts, two to a number, by one vector. */
INLINE void FN(complex_rows)(const int rows, const char *a, ptrdiff_t row, const REAL *x, ptrdiff_t n, VEC *straight,
                             VEC *crossed) {
    VEC same[4][FN(PART_VECTORS)], other[4][FN(PART_VECTORS)];
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
        for (int j = 0; j < FN(PART_VECTORS); j++) same[i][j] = other[i][j] = (VEC){0};
    for (; n >= FN(PARTS); n -= FN(PARTS), x += FN(PARTS), a += FN(PARTS) * sizeof(REAL)) {
#pragma GCC unroll 8
        for (int j = 0; j < FN(PART_VECTORS); j++) {
            const VEC y = FN(v_load)(x + j * LANES), z = FN(swap)(y, 1);
#pragma GCC unroll 4
            for (int i = 0; i < rows; i++) {
                const VEC v = FN(v_load)((const REAL *)(a + i * row) + j * LANES);
                same[i][j] = FN(v_mad)(v, y, same[i][j]);
                other[i][j] = FN(v_mad)(v, z, other[i][j]);
            }
        }
    }
#pragma GCC unroll 8
    for (int j = 0; j < FN(PART_VECTORS); j++) {
        const ptrdiff_t left = n - j * LANES < LANES ? n - j * LANES : LANES;
        if (left <= 0) break;
        const VEC y = FN(v_load_first)(x + j * LANES, left), z = FN(swap)(y, 1);
#pragma GCC unroll 4
        for (int i = 0; i < rows; i++) {
            const VEC v = FN(v_load_first)((const REAL *)(a + i * row) + j * LANES, left);
            same[i][j] = FN(v_mad)(v, y, same[i][j]);
            other[i][j] = FN(v_mad)(v, z, other[i][j]);
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++) {
        straight[i] = FN(sum_pairs)(same[i]);
        crossed[i] = FN(sum_pairs)(other[i]);
    }
}

/* One row of no more parts than a vector has lanes. */
INLINE void FN(short_complex_row)(const char *a, const REAL *x, ptrdiff_t n, VEC *straight, VEC *crossed) {
    const VEC v = FN(v_load_first)((const REAL *)a, n), y = FN(v_load_first)(x, n), zero = {0};
    VEC same = FN(v_mad)(v, y, zero) + zero, other = FN(v_mad)(v, FN(swap)(y, 1), zero) + zero;
#pragma GCC unroll 4
    for (int half = LANES / 2; half > 1; half /= 2) {
        same += FN(swap)(same, half);
        other += FN(swap)(other, half);
    }
    *straight = same;
    *crossed = other;
}

/* The first pair of lanes everywhere. */
INLINE VEC FN(repeat_pair)(const REAL *x) {
    VEC pair = FN(v_load_first)(x, 2);
    for (int l = 2; l < LANES; l *= 2) pair += FN(swap)(pair, l); /* what is there yet is +0: no sum is rounded */
    return pair;
}

/* Up to four vectors of rows that lie side by side, two lanes to a number, `last` lanes in the last one.  The chains
 * of ops/dot_complex.h one after the other, in the order of their index with its bits reversed, so that halves meet
 * as soon as they are complete; chains without a number would add 0. */
INLINE void FN(complex_panel)(const int vectors, const char *a, ptrdiff_t col, const REAL *x, ptrdiff_t n,
                              ptrdiff_t last, VEC *straight, VEC *crossed) {
    enum { MOST = FN(PARTS) / 2 };
    VEC stack[8][2][4];
    int chains = 1, bits = 0, top = 0;
    while (chains < n && chains < MOST) chains *= 2, bits++;
    for (int count = 0; count < chains; count++) {
        int chain = 0;
        for (int bit = 0; bit < bits; bit++) chain |= (count >> bit & 1) << (bits - 1 - bit);
        VEC same[4] = {{0}}, other[4] = {{0}};
        for (ptrdiff_t p = chain; p < n; p += MOST) {
            const VEC y = FN(repeat_pair)(x + 2 * p), z = FN(swap)(y, 1);
            const REAL *from = (const REAL *)(a + p * col);
#pragma GCC unroll 4
            for (int t = 0; t < vectors; t++, from += LANES) {
                const VEC v = t < vectors - 1 || last == LANES ? FN(v_load)(from) : FN(v_load_first)(from, last);
                same[t] = FN(v_mad)(v, y, same[t]);
                other[t] = FN(v_mad)(v, z, other[t]);
            }
        }
        for (int t = count; t & 1; t >>= 1) {
            top--;
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) same[v] += stack[top][0][v], other[v] += stack[top][1][v];
        }
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) stack[top][0][v] = same[v], stack[top][1][v] = other[v];
        top++;
    }
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
        straight[v] = stack[0][0][v] + (VEC){0};
        crossed[v] = stack[0][1][v] + (VEC){0};
    }
}

/* A column of a product: rows from `a` on, each by the same x or by that x_row bytes after the former one's. */
typedef struct {
    const char *a, *x;
    ptrdiff_t row, col, x_row;
    char *gathered; /* room for a block of a row, where neither rows nor columns are contiguous */
    int conjugate;
} FN(complex_column);

static void FN(gather_complex)(char *to, const char *from, ptrdiff_t step, ptrdiff_t n) {
    const size_t item = 2 * sizeof(REAL);
    for (ptrdiff_t i = 0; i < n; i++) memcpy(to + i * (ptrdiff_t)item, from + i * step, item);
}

/* One block, of k numbers, of row i; added pairwise with others in double. */
static void FN(complex_blocks)(const FN(complex_column) * d, ptrdiff_t i, ptrdiff_t first, ptrdiff_t k,
                               double total[2]) {
    const ptrdiff_t item = 2 * sizeof(REAL), blocks = vekt_ceil_divide(k, VEKT_DOT_BLOCK);
    if (blocks > 1) {
        const ptrdiff_t left = blocks / 2 * VEKT_DOT_BLOCK;
        double right[2];
        FN(complex_blocks)(d, i, first, left, total);
        FN(complex_blocks)(d, i, first + left, k - left, right);
        total[0] += right[0];
        total[1] += right[1];
        return;
    }
    const char *a = d->a + i * d->row + first * d->col;
    if (d->col != item && k > 1) {
        FN(gather_complex)(d->gathered, a, d->col, k);
        a = d->gathered;
    }
    VEC straight, crossed;
    FN(complex_rows)(1, a, 0, (const REAL *)(d->x + i * d->x_row + first * item), 2 * k, &straight, &crossed);
    FN(put_complex)(NULL, straight, crossed, 0, d->conjugate, total);
}

static void FN(complex_sums)(const FN(complex_column) * d, ptrdiff_t m, ptrdiff_t k, char *c, ptrdiff_t c_row) {
    enum { SIDE = LANES / 2 };
    const ptrdiff_t item = 2 * sizeof(REAL);
    const int one_block = k <= VEKT_DOT_BLOCK, contiguous = d->col == item || k == 1;
    const int side_by_side = one_block && !contiguous && d->row == item && d->x_row == 0;
    double total[2];
    ptrdiff_t i = 0, rows;
    for (; i < m; i += rows) {
        VEC straight[4], crossed[4];
        const char *a = d->a + i * d->row;
        rows = 1;
        if (side_by_side) {
            rows = m - i >= 4 * SIDE ? 4 * SIDE : m - i < SIDE ? m - i : SIDE;
            if (rows == 4 * SIDE)
                FN(complex_panel)(4, a, d->col, (const REAL *)d->x, k, LANES, straight, crossed);
            else
                FN(complex_panel)(1, a, d->col, (const REAL *)d->x, k, 2 * rows, straight, crossed);
            for (int r = 0; r < rows; r++)
                FN(put_complex)(c + (i + r) * c_row, straight[r / SIDE], crossed[r / SIDE], 2 * (r % SIDE),
                                d->conjugate, total);
        } else if (one_block && contiguous) {
            const REAL *x = (const REAL *)(d->x + i * d->x_row);
            if (2 * k <= LANES) {
                FN(short_complex_row)(a, x, 2 * k, straight, crossed);
            } else if (d->x_row == 0 && m - i >= FN(COMPLEX_ROWS)) {
                rows = FN(COMPLEX_ROWS);
                FN(complex_rows)(FN(COMPLEX_ROWS), a, d->row, x, 2 * k, straight, crossed);
            } else {
                FN(complex_rows)(1, a, 0, x, 2 * k, straight, crossed);
            }
            for (int r = 0; r < rows; r++)
                FN(put_complex)(c + (i + r) * c_row, straight[r], crossed[r], 0, d->conjugate, total);
        } else {
            FN(complex_blocks)(d, i, 0, k, total);
            const REAL z[2] = {(REAL)total[0], (REAL)total[1]};
            memcpy(c + i * c_row, z, sizeof z);
        }
    }
}

/* c (m, 1) = a (m, k) b (k, 1). */
static int FN(product_complex_column)(const vekt_product *p) {
    const ptrdiff_t item = 2 * sizeof(REAL), block = p->k < VEKT_DOT_BLOCK ? p->k : VEKT_DOT_BLOCK;
    FN(complex_column) d = {p->a.data, p->b.data, p->a.row, p->a.col, 0, NULL, p->conjugate};
    if (p->b.row != item && p->k > 1) {
        char *x = vekt_workspace(VEKT_WORKSPACE_B, (size_t)(p->k * item));
        if (!x) return -1;
        FN(gather_complex)(x, p->b.data, p->b.row, p->k);
        d.x = x;
    }
    if (d.col != item) {
        d.gathered = vekt_workspace(VEKT_WORKSPACE_A, (size_t)(block * item));
        if (!d.gathered) return -1;
    }
    FN(complex_sums)(&d, p->m, p->k, p->c.data, p->c.row);
    return 0;
}
