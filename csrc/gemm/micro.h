/* Tiles of c: the innermost kernels, for each height of a tile and one or two vectors across. */

/* An element of memory of any alignment. */
typedef REAL FN(element) __attribute__((aligned(1), may_alias));

/* Columns of a full tile. */
#define SLIVER (TILE_VECTORS * LANES)

/* c (rows, columns) = or += a (rows, k) b (k, columns), k > 0.  Steps in bytes; c and b have contiguous rows. */
typedef struct {
    ptrdiff_t k;
    const char *a;
    ptrdiff_t a_row, a_col;
    const char *b;
    ptrdiff_t b_row;
    char *c;
    ptrdiff_t c_row;
    int last; /* columns in the last vector: 1 to LANES */
    int accumulate;
    int far;          /* the operands come from beyond L2: what is wanted soon is asked for while k runs */
    REAL *copy;       /* where the copying kernels leave b, SLIVER to a row */
    const char *next; /* NEXT_BYTES of it for every PREFETCH_STEPS */
} FN(tile);
typedef void (*FN(micro_kernel))(const FN(tile) * t);

INLINE VEC FN(load_last)(const REAL *p, int last) { return MASKED_LOADS ? FN(v_load_first)(p, last) : FN(v_load)(p); }

/* A row of a tile, which begins anywhere in a line of the cache: of c, soon to be written, or of b. */
INLINE void FN(prefetch_row)(const char *row, const int vectors, const int of_c) {
    const char *end = row + vectors * (int)sizeof(VEC) - 1;
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++, row += sizeof(VEC))
        if (of_c)
            __builtin_prefetch(row, 1);
        else
            __builtin_prefetch(row, 0, 2); /* into L2: rows of b a multiple of 4 KB apart overfill a set of L1 */
    if (of_c)
        __builtin_prefetch(end, 1);
    else
        __builtin_prefetch(end, 0, 2);
}

/* Rows of a that are read from one pointer: row 0 and, as x86 has these factors in its addresses and one product is
 * kept, 1, 2, 3 and 4 beyond it.  All of a tile then takes three pointers and two steps, which stay in registers. */
#define POINTER_ROWS 5
#define POINTERS ((TILE_ROWS + POINTER_ROWS - 1) / POINTER_ROWS)

INLINE void FN(micro)(const int rows, const int vectors, const int copying, const FN(tile) * t) {
    const char *a = t->a, *b = t->b, *next = t->next;
    const ptrdiff_t a_row = t->a_row, a_col = t->a_col, b_row = t->b_row, c_row = t->c_row;
    ptrdiff_t three_rows = 3 * a_row;
    v_here(three_rows);
    const ptrdiff_t down[POINTER_ROWS] = {0, a_row, 2 * a_row, three_rows, 4 * a_row};
    const int last = t->last;
    REAL *copy = t->copy;
    int accumulate = t->accumulate;
    const char *ahead = t->c, *last_row = t->c + (rows - 1) * c_row;
    for (ptrdiff_t k = t->k; k > 0; k -= VEKT_PRODUCT_RUN, accumulate = 1) {
        VEC sum[TILE_ROWS][TILE_VECTORS];
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
            for (int j = 0; j < vectors; j++) sum[i][j] = (VEC){0};
        for (ptrdiff_t left = k < VEKT_PRODUCT_RUN ? k : VEKT_PRODUCT_RUN, steps; left > 0; left -= steps) {
            steps = left;
            if (t->far) {
                steps = left < PREFETCH_STEPS ? left : PREFETCH_STEPS;
                FN(prefetch_row)(ahead, vectors, 1);
                ahead += ahead != last_row ? c_row : 0;
                /* Rows of a are too many for the processor to follow each. */
                const char *soon = a + PREFETCH_STEPS * a_col;
                for (int i = 0; i < rows; i++, soon += a_row) __builtin_prefetch(soon);
                for (int line = 0; line < NEXT_BYTES; line += 64) __builtin_prefetch(next + line, 0, 2);
                next += NEXT_BYTES;
            }
            const char *at[POINTERS];
#pragma GCC unroll 4
            for (int q = 0; q < POINTERS; q++) at[q] = a + q * POINTER_ROWS * a_row;
            a += steps * a_col;
#pragma GCC unroll 1
            for (ptrdiff_t step = steps; step > 0; step--, b += b_row) {
                const REAL *row = (const REAL *)b;
                VEC y[TILE_VECTORS];
#pragma GCC unroll 2
                for (int j = 0; j < vectors - 1; j++) y[j] = FN(v_load)(row + j * LANES);
                y[vectors - 1] = FN(load_last)(row + (vectors - 1) * LANES, last);
                if (copying) {
#pragma GCC unroll 2
                    for (int j = 0; j < vectors; j++) FN(v_store)(copy + j * LANES, y[j]);
                    FN(prefetch_row)(b + PREFETCH_ROWS * b_row, vectors, 0);
                    copy += SLIVER;
                }
#pragma GCC unroll 16
                for (int i = 0; i < rows; i++) {
                    const char *x_at = at[i / POINTER_ROWS] + down[i % POINTER_ROWS];
                    const VEC x = FN(v_splat)(*(const FN(element) *)x_at);
#pragma GCC unroll 2
                    for (int j = 0; j < vectors; j++) sum[i][j] = FN(v_mad)(x, y[j], sum[i][j]);
                }
#pragma GCC unroll 4
                for (int q = 0; q < POINTERS && q * POINTER_ROWS < rows; q++) {
                    at[q] += a_col;
                    v_here(at[q]);
                }
            }
        }
        char *c = t->c;
        if (accumulate) {
#pragma GCC unroll 16
            for (int i = 0; i < rows; i++, c += c_row) {
                const REAL *row = (const REAL *)c, *row_end = row + (vectors - 1) * LANES;
#pragma GCC unroll 2
                for (int j = 0; j < vectors - 1; j++) sum[i][j] = FN(v_load)(row + j * LANES) + sum[i][j];
                sum[i][vectors - 1] = FN(v_load_first)(row_end, last) + sum[i][vectors - 1];
            }
            c = t->c;
        }
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++, c += c_row) {
            REAL *row = (REAL *)c;
#pragma GCC unroll 2
            for (int j = 0; j < vectors - 1; j++) FN(v_store)(row + j * LANES, sum[i][j]);
            FN(v_store_first)(row + (vectors - 1) * LANES, sum[i][vectors - 1], last);
        }
    }
}

#define MICRO_KERNELS(rows)                                                                   \
    static void FN(micro_narrow_##rows)(const FN(tile) * t) { FN(micro)(rows, 1, 0, t); }     \
    static void FN(micro_##rows)(const FN(tile) * t) { FN(micro)(rows, TILE_VECTORS, 0, t); } \
    static void FN(micro_copying_##rows)(const FN(tile) * t) { FN(micro)(rows, TILE_VECTORS, 1, t); }
#define NARROW(rows) FN(micro_narrow_##rows),
#define FULL(rows) FN(micro_##rows),
#define COPYING(rows) FN(micro_copying_##rows),
EACH_TILE_HEIGHT(MICRO_KERNELS)
static const FN(micro_kernel) FN(micro_kernels)[N_TILE_KINDS][TILE_ROWS] = {
    {EACH_TILE_HEIGHT(NARROW)}, {EACH_TILE_HEIGHT(FULL)}, {EACH_TILE_HEIGHT(COPYING)}};
#undef POINTER_ROWS
#undef POINTERS
#undef MICRO_KERNELS
#undef NARROW
#undef FULL
#undef COPYING
