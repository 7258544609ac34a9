/* A product in blocks that stay in the caches, each a grid of tiles. */

/* How a product is cut, in rows, columns and steps of k, and whether a and b are copied on the way. */
typedef struct {
    ptrdiff_t m, n, k;
    int copy_a, copy_b, far;
} FN(plan);

/* One block: its place and size, and the operands from their first elements within it. */
typedef struct {
    ptrdiff_t i, j, m, n, k;
    vekt_matrix a, b, c;
    int accumulate, far;
    const vekt_epilogue *epilogue; /* NULL before the last step of k */
    ptrdiff_t packed_step;         /* b is packed, its slivers this far apart; otherwise 0 */
    REAL *a_copy;                  /* NULL where a is read in place */
    int copy_b, b_copied;          /* all slivers are to be copied, or have been */
    REAL *b_copy;
    ptrdiff_t b_copy_step; /* from sliver to sliver; 0 where each takes the place of the one before */
} FN(block);

/* A tile of c whose rows are not contiguous. */
static void FN(staged_tile)(FN(micro_kernel) kernel, const FN(tile) * t, ptrdiff_t rows, ptrdiff_t columns,
                            ptrdiff_t c_col) {
    REAL stage[TILE_ROWS * SLIVER] __attribute__((aligned(64)));
    FN(tile) staged = *t;
    staged.c = (char *)stage;
    staged.c_row = SLIVER * sizeof(REAL);
    if (t->accumulate) FN(gather)(stage, SLIVER, t->c, t->c_row, c_col, rows, columns);
    kernel(&staged);
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < columns; j++)
            *(FN(element) *)(t->c + i * t->c_row + j * c_col) = stage[i * SLIVER + j];
}

/* Points the tile to the block's sliver from column j on.  Returns where the first tile is to leave its copy of b:
 * that costs nothing beside the sums, where a copy made beforehand reads b twice. */
static REAL *FN(find_sliver)(const FN(block) * x, ptrdiff_t j, ptrdiff_t columns, FN(tile) * t) {
    const int readable = x->b.col == sizeof(REAL) && (MASKED_LOADS || columns % LANES == 0);
    const ptrdiff_t sliver = j / SLIVER;
    t->b = x->b.data + j * x->b.col;
    t->b_row = x->b.row;
    if (readable && !x->copy_b) return NULL;
    if (readable && !x->b_copied && columns == SLIVER) return (REAL *)((char *)x->b_copy + sliver * x->b_copy_step);
    t->b_row = SLIVER * sizeof(REAL);
    if (x->packed_step) {
        t->b = x->b.data + sliver * x->packed_step;
        return NULL;
    }
    t->b = (char *)x->b_copy + sliver * x->b_copy_step;
    if (!x->b_copied)
        FN(pack_sliver)((REAL *)t->b, SLIVER, x->b.data + j * x->b.col, x->b.row, x->b.col, x->k, columns);
    return NULL;
}

/* All tiles of a; where its columns are contiguous, a few of them at a time, each as long as the block is high. */
static void FN(pack_tiles)(const FN(block) * x, ptrdiff_t chunks, ptrdiff_t height, ptrdiff_t taller) {
    const ptrdiff_t slice = x->a.row == sizeof(REAL) ? PACKED_STEPS : x->k;
    for (ptrdiff_t p = 0; p < x->k; p += slice) {
        const ptrdiff_t steps = x->k - p < slice ? x->k - p : slice;
        const char *a = x->a.data + p * x->a.col;
        REAL *copy = x->a_copy + p * TILE_ROWS;
        for (ptrdiff_t chunk = 0, rows; chunk < chunks; chunk++, a += rows * x->a.row, copy += TILE_ROWS * x->k) {
            rows = height + (chunk < taller);
            FN(pack_sliver)(copy, TILE_ROWS, a, x->a.col, x->a.row, steps, rows);
        }
    }
}

static void FN(run_block)(const FN(block) * x) {
    const ptrdiff_t chunks = vekt_ceil_divide(x->m, TILE_ROWS), height = x->m / chunks, taller = x->m % chunks;
    if (x->a_copy) FN(pack_tiles)(x, chunks, height, taller);
    for (ptrdiff_t j = 0; j < x->n; j += SLIVER) {
        const ptrdiff_t columns = x->n - j < SLIVER ? x->n - j : SLIVER;
        const int narrow = columns <= LANES;
        FN(tile) t = {.k = x->k, .a_row = x->a.row, .a_col = x->a.col, .c_row = x->c.row};
        if (x->a_copy) {
            t.a_row = sizeof(REAL);
            t.a_col = TILE_ROWS * sizeof(REAL);
        }
        t.last = (int)(columns - (narrow ? 0 : LANES));
        t.accumulate = x->accumulate;
        t.far = x->far;
        t.copy = FN(find_sliver)(x, j, columns, &t);
        for (ptrdiff_t chunk = 0, i = 0, rows; chunk < chunks; chunk++, i += rows) {
            rows = height + (chunk < taller);
            t.a = x->a.data + i * x->a.row;
            t.c = x->c.data + i * x->c.row + j * x->c.col;
            if (x->a_copy) t.a = (const char *)(x->a_copy + chunk * TILE_ROWS * x->k);
            t.next = t.b_row == SLIVER * sizeof(REAL)
                         ? t.b + x->k * t.b_row + chunk * (x->k / PREFETCH_STEPS * NEXT_BYTES)
                         : t.c;
            const int kind = narrow ? NARROW_TILE : t.copy ? COPYING_TILE : FULL_TILE;
            const FN(micro_kernel) kernel = FN(micro_kernels)[kind][rows - 1];
            if (x->c.col == sizeof(REAL) || columns == 1)
                kernel(&t);
            else
                FN(staged_tile)(kernel, &t, rows, columns, x->c.col);
            if (t.copy) {
                t.b = (const char *)t.copy;
                t.b_row = SLIVER * sizeof(REAL);
                t.copy = NULL;
            }
        }
        if (x->epilogue)
            FN(epilogue)(x->epilogue, x->i, x->m, x->j + j, columns, x->c.data + j * x->c.col, x->c.row, x->c.col);
    }
}

/* `length` in equal parts of at most `most`, of which all but the last are multiples of `unit`. */
INLINE ptrdiff_t FN(part)(ptrdiff_t length, ptrdiff_t most, ptrdiff_t unit) {
    const ptrdiff_t parts = vekt_ceil_divide(length, most);
    return vekt_round_up(vekt_ceil_divide(length, parts), unit);
}

static FN(plan) FN(make_plan)(const vekt_product *p) {
    const ptrdiff_t item = sizeof(REAL);
    FN(plan)
    plan = {.m = FN(part)(p->m, block_rows(), TILE_ROWS),
            .n = FN(part)(p->n, BLOCK_BYTES / item, SLIVER),
            .k = FN(part)(p->k, block_steps(), VEKT_PRODUCT_RUN)};
    if (p->n > 4 * SLIVER && p->m > 1)
        plan.copy_a =
            p->a.col == item ? p->a.row % ALIASING_STEP == 0 : p->a.row != item || p->a.col % ALIASING_STEP == 0;
    const ptrdiff_t b_bytes = p->n * p->k * item;
    if (p->b.col == item && p->m > TILE_ROWS)
        plan.copy_b = b_bytes > vekt_this_machine.copy_bytes || p->b.row % ALIASING_STEP == 0;
    else if (p->b.col == item)
        /* A single tile has no use for the copy, but kernels that leave one ask for rows of b ahead: that takes up to
         * a third of the time where b comes from memory. */
        plan.copy_b = b_bytes > vekt_this_machine.passing_bytes && p->n > SLIVER;
    else
        plan.copy_b = 1;
    if (p->packed) plan.copy_b = 0;
    /* What comes from L2 is not asked for ahead: that costs 4-7 % of squares up to 256. */
    plan.far = (p->m * p->k + p->k * p->n + p->m * p->n) * item > vekt_this_machine.near_bytes;
    return plan;
}

static int FN(blocked)(const vekt_product *p) {
    const ptrdiff_t item = sizeof(REAL);
    const FN(plan) plan = FN(make_plan)(p);
    FN(block) x = {.packed_step = p->packed ? SLIVER * p->k * item : 0, .copy_b = plan.copy_b, .far = plan.far};
    if (plan.copy_a) {
        const ptrdiff_t tiles = vekt_ceil_divide(plan.m, TILE_ROWS);
        x.a_copy = vekt_workspace(VEKT_WORKSPACE_A, (size_t)(tiles * TILE_ROWS * plan.k * item));
        if (!x.a_copy) return -1;
    }
    if (!p->packed && (plan.copy_b || (!MASKED_LOADS && p->n % LANES))) {
        x.b_copy_step = plan.copy_b && p->m > plan.m ? SLIVER * plan.k * item : 0;
        const ptrdiff_t slivers = x.b_copy_step ? vekt_ceil_divide(plan.n, SLIVER) : 1;
        x.b_copy = vekt_workspace(VEKT_WORKSPACE_B, (size_t)(slivers * SLIVER * plan.k * item));
        if (!x.b_copy) return -1;
    }
    for (x.j = 0; x.j < p->n; x.j += plan.n) {
        x.n = p->n - x.j < plan.n ? p->n - x.j : plan.n;
        for (ptrdiff_t q = 0; q < p->k; q += plan.k) {
            x.k = p->k - q < plan.k ? p->k - q : plan.k;
            x.accumulate = p->accumulate || q > 0;
            x.epilogue = q + x.k == p->k ? p->epilogue : NULL;
            x.b = p->b;
            x.b.data = p->packed ? (char *)p->packed + x.j / SLIVER * x.packed_step + q * SLIVER * item
                                 : p->b.data + q * p->b.row + x.j * p->b.col;
            if (p->packed) x.b.col = 0;
            for (x.i = 0; x.i < p->m; x.i += plan.m) {
                x.m = p->m - x.i < plan.m ? p->m - x.i : plan.m;
                x.a = p->a;
                x.a.data += x.i * p->a.row + q * p->a.col;
                x.c = p->c;
                x.c.data += x.i * p->c.row + x.j * p->c.col;
                x.b_copied = x.b_copy_step && x.i > 0;
                FN(run_block)(&x);
            }
        }
    }
    return 0;
}
