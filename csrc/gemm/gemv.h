/* One column: c (m, 1) = or += a (m, k) b (k, 1), each element by itself a dot product in the order of ops/dot.h.
 *
 * Blocks of VEKT_DOT_BLOCK are added pairwise in double.  In a block, lane l of DOT_LANES sums the elements whose
 * index is l modulo DOT_LANES, and lanes are added in halves. */

enum { FN(DOT_LANES) = 256 / sizeof(REAL), FN(DOT_VECTORS) = FN(DOT_LANES) / LANES };
/* Rows side by side: as many as have all their lanes in registers, x beside them. */
enum { FN(DOT_ROWS) = VEKT_VECTOR_BYTES == 64 ? 4 : 1 };
/* Sums at a time: where columns are contiguous, those of all levels of the tree stay in L1. */
enum { FN(DOT_AT_A_TIME) = 512 };

/* The operands from the first row and element on. */
typedef struct {
    const char *a;
    ptrdiff_t row, col;
    const REAL *x;
    REAL *gathered;  /* room for a block of a row, where neither rows nor columns of a are contiguous */
    ptrdiff_t x_row; /* bytes from the vector of one row to that of the next: 0 where all have the same */
    int far;         /* a comes from memory: the next rows are asked for ahead */
} FN(dots);

static const REAL *FN(x_of)(const FN(dots) * d, ptrdiff_t row) {
    return (const REAL *)((const char *)d->x + row * d->x_row);
}

/* All lanes to the first one. */
INLINE void FN(add_halves)(VEC lane[LANES]) {
#pragma GCC unroll 4
    for (int half = LANES / 2; half > 0; half /= 2)
#pragma GCC unroll 8
        for (int l = 0; l < half; l++) lane[l] += lane[l + half];
}

/* What is left of the lanes of each row when there is one vector of them. */
INLINE void FN(dot_rows)(const int rows, const char *a, ptrdiff_t row, const REAL *x, ptrdiff_t n, int far,
                         REAL *lanes) {
    VEC sum[4][FN(DOT_VECTORS)];
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 16
        for (int j = 0; j < FN(DOT_VECTORS); j++) sum[i][j] = (VEC){0};
    for (; n >= FN(DOT_LANES); n -= FN(DOT_LANES), x += FN(DOT_LANES), a += FN(DOT_LANES) * sizeof(REAL)) {
        if (far)
#pragma GCC unroll 4
            for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
                for (int line = 0; line < 256; line += 64) __builtin_prefetch(a + (rows + i) * row + line, 0, 2);
#pragma GCC unroll 16
        for (int j = 0; j < FN(DOT_VECTORS); j++) {
            const VEC y = FN(v_load)(x + j * LANES);
#pragma GCC unroll 4
            for (int i = 0; i < rows; i++)
                sum[i][j] = FN(v_mad)(FN(v_load)((const REAL *)(a + i * row) + j * LANES), y, sum[i][j]);
        }
    }
#pragma GCC unroll 16
    for (int j = 0; j < FN(DOT_VECTORS); j++) {
        const ptrdiff_t left = n - j * LANES < LANES ? n - j * LANES : LANES;
        if (left > 0) {
            const VEC y = FN(v_load_first)(x + j * LANES, left);
#pragma GCC unroll 4
            for (int i = 0; i < rows; i++)
                sum[i][j] = FN(v_mad)(FN(v_load_first)((const REAL *)(a + i * row) + j * LANES, left), y, sum[i][j]);
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (int half = FN(DOT_VECTORS) / 2; half > 0; half /= 2)
#pragma GCC unroll 8
            for (int j = 0; j < half; j++) sum[i][j] += sum[i][j + half];
        FN(v_store)(lanes + i * LANES, sum[i][0]);
    }
}

/* The same for up to two vectors of elements: without a way through memory, and with a mask for the last one alone.
 */
INLINE void FN(short_group)(const int vectors, const FN(dots) * d, ptrdiff_t rows, ptrdiff_t n, REAL *sums) {
    VEC lane[LANES], x[2], y[2];
    const ptrdiff_t last = n - (vectors - 1) * LANES;
    const char *a = d->a;
#pragma GCC unroll 16
    for (ptrdiff_t i = 0; i < LANES; i++, a += d->row) {
        lane[i] = (VEC){0};
        if (i >= rows) continue;
        if (i == 0 || d->x_row) {
            x[0] = x[1] = (VEC){0};
            for (int v = 0; v < vectors - 1; v++) x[v] = FN(v_load)(FN(x_of)(d, i) + v * LANES);
            x[vectors - 1] = FN(v_load_first)(FN(x_of)(d, i) + (vectors - 1) * LANES, last);
        }
        for (int v = 0; v < vectors - 1; v++) y[v] = FN(v_load)((const REAL *)a + v * LANES);
        y[vectors - 1] = FN(v_load_first)((const REAL *)a + (vectors - 1) * LANES, last);
        lane[i] = v_mad(y[0], x[0], lane[i]);
        if (vectors == 2) lane[i] += y[1] * x[1];
    }
    FN(turn)(lane);
    FN(add_halves)(lane);
    FN(v_store)(sums, lane[0]);
}

/* All of them for up to four elements, brought into columns one by one. */
INLINE void FN(tiny_group)(const FN(dots) * d, ptrdiff_t n, REAL *sums) {
    REAL columns[2][LANES] __attribute__((aligned(64)));
    VEC sum[4] = {{0}};
    for (ptrdiff_t p = 0; p < n; p++) {
        const char *a = d->a + p * (ptrdiff_t)sizeof(REAL), *x = (const char *)(d->x + p);
        VEC y = FN(v_splat)(*(const FN(element) *)x);
        for (ptrdiff_t i = 0; i < LANES; i++) columns[0][i] = *(const FN(element) *)(a + i * d->row);
        if (d->x_row) {
            for (ptrdiff_t i = 0; i < LANES; i++) columns[1][i] = *(const FN(element) *)(x + i * d->x_row);
            y = FN(v_load)(columns[1]);
        }
        sum[p] = v_mad(FN(v_load)(columns[0]), y, sum[p]);
    }
    FN(v_store)(sums, (sum[0] + sum[2]) + (sum[1] + sum[3]));
}

/* LANES sums, of which `rows` are wanted. */
static void FN(dot_group)(const FN(dots) * d, ptrdiff_t rows, ptrdiff_t n, REAL *sums) {
    REAL lanes[LANES * LANES] __attribute__((aligned(64)));
    const char *a = d->a;
    ptrdiff_t i = 0;
    if (!d->gathered && n <= 4 && rows == LANES) {
        FN(tiny_group)(d, n, sums);
        return;
    }
    if (!d->gathered && n <= LANES) {
        FN(short_group)(1, d, rows, n, sums);
        return;
    }
    if (!d->gathered && n <= 2 * LANES) {
        FN(short_group)(2, d, rows, n, sums);
        return;
    }
    if (FN(DOT_ROWS) > 1 && !d->gathered && !d->x_row)
        for (; i + FN(DOT_ROWS) <= rows; i += FN(DOT_ROWS), a += FN(DOT_ROWS) * d->row)
            FN(dot_rows)(FN(DOT_ROWS), a, d->row, d->x, n, d->far, lanes + i * LANES);
    for (; i < rows; i++, a += d->row) {
        if (d->gathered) FN(gather)(d->gathered, 1, a, d->col, 0, n, 1);
        FN(dot_rows)(1, d->gathered ? (char *)d->gathered : a, d->row, FN(x_of)(d, i), n, d->far && !d->gathered,
                     lanes + i * LANES);
    }
    VEC lane[LANES]; /* of all rows */
    FN(load_columns)(lane, (char *)lanes, sizeof(VEC), rows, LANES);
    FN(add_halves)(lane);
    FN(v_store)(sums, lane[0]);
}

/* The sums over lanes l, l + step, l + 2 step... of rows that lie side by side; with room for the levels below. */
static void FN(dot_tree)(const FN(dots) * d, ptrdiff_t rows, ptrdiff_t n, ptrdiff_t l, ptrdiff_t step, REAL *sums) {
    if (step == FN(DOT_LANES) || l + step >= n) {
        memset(sums, 0, (size_t)rows * sizeof(REAL));
        const vekt_matrix x = {(char *)(d->x + l), 0, step * (ptrdiff_t)sizeof(REAL)};
        FN(stream)(1, &x, d->a + l * d->col, step * d->col, sums, 0, rows, vekt_ceil_divide(n - l, step));
        return;
    }
    FN(dot_tree)(d, rows, n, l, 2 * step, sums);
    FN(dot_tree)(d, rows, n, l + step, 2 * step, sums + FN(DOT_AT_A_TIME));
    for (ptrdiff_t i = 0; i < rows; i++) sums[i] += sums[FN(DOT_AT_A_TIME) + i];
}

/* Vectors of a panel: four lanes of each in registers. */
enum { FN(PANEL_VECTORS) = VEKT_VECTOR_BYTES == 64 ? 4 : 2 };

/* Some vectors of rows that lie side by side, `last` rows in the last one.  Four lanes at a time, a quarter of them
 * apart, are added up first.  These fours are visited in the order of their index with its bits reversed, so that
 * halves meet as soon as they are complete, on a stack. */
INLINE void FN(dot_panel)(const FN(dots) * d, const int vectors, ptrdiff_t n, ptrdiff_t last, REAL *sums) {
    VEC stack[8][FN(PANEL_VECTORS)]; /* more than the levels of the tree */
    ptrdiff_t quarter = 1;
    int bits = 0, top = 0;
    while (4 * quarter < n && 4 * quarter < FN(DOT_LANES)) quarter *= 2, bits++;
    for (int count = 0; count < quarter; count++) {
        ptrdiff_t l = 0;
        for (int bit = 0; bit < bits; bit++) l |= (ptrdiff_t)(count >> bit & 1) << (bits - 1 - bit);
        VEC sum[4][FN(PANEL_VECTORS)] = {{{0}}};
        for (; l < n; l += FN(DOT_LANES)) {
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++) {
                const ptrdiff_t p = l + i * quarter;
                if (p >= n) continue;
                const REAL *a = (const REAL *)(d->a + p * d->col), *end = a + (vectors - 1) * LANES;
                const VEC x = FN(v_splat)(((const FN(element) *)d->x)[p]);
#pragma GCC unroll 4
                for (int v = 0; v < vectors - 1; v++) sum[i][v] = FN(v_mad)(FN(v_load)(a + v * LANES), x, sum[i][v]);
                const VEC y = last == LANES ? FN(v_load)(end) : FN(v_load_first)(end, last);
                sum[i][vectors - 1] = FN(v_mad)(y, x, sum[i][vectors - 1]);
            }
        }
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) sum[0][v] = (sum[0][v] + sum[2][v]) + (sum[1][v] + sum[3][v]);
        for (int t = count; t & 1; t >>= 1) {
            top--;
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) sum[0][v] += stack[top][v];
        }
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) stack[top][v] = sum[0][v];
        top++;
    }
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) FN(v_store)(sums + v * LANES, stack[0][v]);
}

static void FN(dot_panels)(const FN(dots) * d, ptrdiff_t rows, ptrdiff_t n, REAL *sums) {
    enum { WIDE = FN(PANEL_VECTORS) };
    FN(dots) at = *d;
    for (; rows >= WIDE * LANES; rows -= WIDE * LANES, at.a += WIDE * sizeof(VEC), sums += WIDE * LANES)
        FN(dot_panel)(&at, WIDE, n, LANES, sums);
    const ptrdiff_t last = (rows - 1) % LANES + 1;
    if (rows > 3 * LANES)
        FN(dot_panel)(&at, WIDE, n, last, sums);
    else if (rows > 2 * LANES)
        FN(dot_panel)(&at, WIDE < 3 ? WIDE : 3, n, last, sums);
    else if (rows > LANES)
        FN(dot_panel)(&at, 2, n, last, sums);
    else if (rows > 0)
        FN(dot_panel)(&at, 1, n, last, sums);
}

/* The same with all lanes in L1, so that columns are read in the order in which they lie: a few vectors of each. */
enum { FN(LANE_ROWS) = 256 / sizeof(REAL) };

INLINE void FN(lane_block)(const FN(dots) * d, const int vectors, ptrdiff_t n, ptrdiff_t last, REAL *sums) {
    REAL lanes[FN(DOT_LANES)][FN(LANE_ROWS)] __attribute__((aligned(64)));
    for (ptrdiff_t p = 0; p < n; p++) {
        REAL *to = lanes[p % FN(DOT_LANES)];
        const REAL *a = (const REAL *)(d->a + p * d->col);
        const VEC x = FN(v_splat)(((const FN(element) *)d->x)[p]);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            const VEC sum = p < FN(DOT_LANES) ? (VEC){0} : FN(v_load)(to + v * LANES);
            const int whole = v < vectors - 1 || last == LANES;
            const VEC y = whole ? FN(v_load)(a + v * LANES) : FN(v_load_first)(a + v * LANES, last);
            FN(v_store)(to + v * LANES, FN(v_mad)(y, x, sum));
        }
    }
    for (int half = FN(DOT_LANES) / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            for (int v = 0; v < vectors * LANES; v += LANES)
                FN(v_store)(lanes[l] + v, FN(v_load)(lanes[l] + v) + FN(v_load)(lanes[l + half] + v));
    memcpy(sums, lanes[0], (size_t)vectors * sizeof(VEC));
}

static void FN(dot_lanes)(const FN(dots) * d, ptrdiff_t rows, ptrdiff_t n, REAL *sums) {
    enum { ROWS = FN(LANE_ROWS), VECTORS = ROWS / LANES };
    FN(dots) at = *d;
    for (; rows >= ROWS; rows -= ROWS, at.a += ROWS * sizeof(REAL), sums += ROWS)
        FN(lane_block)(&at, VECTORS, n, LANES, sums);
    const int vectors = (int)vekt_ceil_divide(rows, LANES);
    if (rows > 0) FN(lane_block)(&at, vectors, n, rows - (vectors - 1) * LANES, sums);
}

static void FN(dot_streams)(const FN(dots) * d, ptrdiff_t rows, ptrdiff_t n, REAL *sums) {
    REAL levels[8 * FN(DOT_AT_A_TIME)] __attribute__((aligned(64)));
    FN(dot_tree)(d, rows, n, 0, 1, levels);
    memcpy(sums, levels, (size_t)rows * sizeof(REAL));
}

static void FN(dot_groups)(const FN(dots) * d, ptrdiff_t rows, ptrdiff_t n, REAL *sums) {
    FN(dots) at = *d;
    for (ptrdiff_t i = 0; i < rows; i += LANES, at.a += LANES * at.row, at.x = FN(x_of)(&at, LANES))
        FN(dot_group)(&at, rows - i < LANES ? rows - i : LANES, n, sums + i);
}

/* What the second-level cache holds is read by panels.  Where columns lie so far apart, those of the lanes that a
 * panel visits one after the other share few places of the first-level cache. */
#ifndef CROWDED
#define CROWDED 256
#endif

/* One block. */
static void FN(dot_sums)(const FN(dots) * d, ptrdiff_t rows, ptrdiff_t n, REAL *sums) {
    if (d->col == sizeof(REAL) || d->row != sizeof(REAL))
        FN(dot_groups)(d, rows, n, sums);
    else if (n <= 2 * FN(DOT_LANES)) /* too short a chain for memory traffic */
        FN(dot_panels)(d, rows, n, sums);
    else if (rows * n * (ptrdiff_t)sizeof(REAL) > vekt_this_machine.near_bytes)
        FN(dot_streams)(d, rows, n, sums);
    else if (d->col % CROWDED == 0)
        FN(dot_lanes)(d, rows, n, sums);
    else
        FN(dot_panels)(d, rows, n, sums);
    /* Lanes that no element reaches add 0, which shows where all others are -0; not all ways have them. */
    for (ptrdiff_t i = 0; i < rows; i++) sums[i] += 0;
}

static void FN(dot_pairwise)(const FN(dots) * d, ptrdiff_t rows, ptrdiff_t n, double *sums) {
    const ptrdiff_t blocks = vekt_ceil_divide(n, VEKT_DOT_BLOCK), left = blocks / 2 * VEKT_DOT_BLOCK;
    if (blocks <= 1) {
        REAL block[FN(DOT_AT_A_TIME)] __attribute__((aligned(64)));
        FN(dot_sums)(d, rows, n, block);
        for (ptrdiff_t i = 0; i < rows; i++) sums[i] = block[i];
        return;
    }
    const FN(dots) rest = {d->a + left * d->col, d->row, d->col, d->x + left, d->gathered, 0, d->far};
    double right[FN(DOT_AT_A_TIME)];
    FN(dot_pairwise)(d, rows, left, sums);
    FN(dot_pairwise)(&rest, rows, n - left, right);
    for (ptrdiff_t i = 0; i < rows; i++) sums[i] += right[i];
}

static int FN(product_column)(const vekt_product *p) {
    const ptrdiff_t item = sizeof(REAL);
    /* Asking for the next rows of a takes off a third where they come from memory, and adds 5 % elsewhere. */
    FN(dots)
    d = {p->a.data,
         p->a.row,
         p->k == 1 ? item : p->a.col,
         (const REAL *)p->b.data,
         NULL,
         0,
         p->m * p->k * item > vekt_this_machine.from_memory_bytes};
    if (p->b.row != item) {
        REAL *x = vekt_workspace(VEKT_WORKSPACE_B, (size_t)(p->k * item));
        if (!x) return -1;
        FN(gather)(x, 1, p->b.data, p->b.row, 0, p->k, 1);
        d.x = x;
    }
    if (d.col != item && d.row != item) {
        d.gathered = vekt_workspace(VEKT_WORKSPACE_A, VEKT_DOT_BLOCK * sizeof(REAL));
        if (!d.gathered) return -1;
    }
    for (ptrdiff_t i = 0; i < p->m; i += FN(DOT_AT_A_TIME), d.a += FN(DOT_AT_A_TIME) * d.row) {
        const ptrdiff_t rows = p->m - i < FN(DOT_AT_A_TIME) ? p->m - i : FN(DOT_AT_A_TIME);
        REAL sums[FN(DOT_AT_A_TIME)] __attribute__((aligned(64)));
        if (p->k <= VEKT_DOT_BLOCK) {
            FN(dot_sums)(&d, rows, p->k, sums);
        } else {
            double total[FN(DOT_AT_A_TIME)];
            FN(dot_pairwise)(&d, rows, p->k, total);
            for (ptrdiff_t r = 0; r < rows; r++) sums[r] = (REAL)total[r];
        }
        const vekt_matrix c = {p->c.data + i * p->c.row, 0, p->c.row}; /* its column as a row */
        FN(add_run)(&c, sums, 0, 1, rows, p->accumulate);
        if (p->epilogue) FN(epilogue)(p->epilogue, i, rows, 0, 1, c.data, p->c.row, p->c.col);
    }
    return 1;
}
