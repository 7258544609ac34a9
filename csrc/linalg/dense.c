/* The backward pass of a dense layer, block of rows by block of rows.
 *
 * dz is computed once, into a block that stays in the cache, and is summed while it is in the first level; both
 * products read it from there.  A block is a whole number of the runs in which products are summed, so that adding
 * block after block to dw gives the bits of one product. */
#include "dense.h"
#include "runtime/fpenv.h"
#include "engine/convert.h"
#include "engine/stage.h"

#include <string.h>

/* 256 KB to 16 MB made no difference of more than 4 %, the larger the better where there are thousand columns and
 * more: dw is read and written once for each block.  To pack w^T once for all blocks did not help. */
enum { DZ_BYTES = 2 << 20 };
/* Elements for one call of the activation's loop, and rows at least: those of one line of memory, where the columns
 * are what is contiguous. */
enum { CHUNK_ELEMENTS = 4096, CHUNK_ROWS = 16 };
/* As in elementwise.c. */
enum { THREADED_PICOSECONDS = 60000000 };

typedef struct {
    const vekt_target *target;
    const vekt_dense_call *call;
    int dtype;
    ptrdiff_t item;
    ptrdiff_t first, rows; /* the block */
    vekt_matrix dz;        /* of the block; contiguous rows, or dy itself */
    double *sums;          /* n for each run of the block */
    _Atomic int failed;
} block;

static vekt_matrix rows_from(vekt_matrix x, ptrdiff_t row) {
    x.data += row * x.row;
    return x;
}

static vekt_matrix transposed(vekt_matrix x) { return (vekt_matrix){x.data, x.col, x.row}; }

/* Rows of contiguous elements: those of x, if they are, else copies in `space`. */
static vekt_matrix contiguous_rows(const block *b, vekt_matrix x, int from, ptrdiff_t rows, char *space) {
    const ptrdiff_t n = b->call->n;
    const vekt_matrix copy = {space, n * b->item, b->item};
    if (from) {
        const int to = b->dtype == VEKT_F32 ? VEKT_TYPE_F32 : VEKT_TYPE_F64;
        for (ptrdiff_t r = 0; r < rows; r++)
            vekt_convert_line(b->target, to, copy.data + r * copy.row, from - 1, x.data + r * x.row, x.col, n);
        return copy;
    }
    if (x.col == b->item || n == 1) return x;
    if (x.row == b->item) {
        b->target->rows[VEKT_SOFTMAX][b->dtype].transpose(copy.data, copy.row, x.data, x.col, n, rows);
    } else {
        for (ptrdiff_t r = 0; r < rows; r++)
            vekt_gather(b->dtype, VEKT_NATIVE, copy.data + r * copy.row, x.data + r * x.row, x.col, n);
    }
    return copy;
}

/* dz = dy * activation'(z) for a few rows. */
static void differentiate(const block *b, vekt_matrix dy, vekt_matrix z, vekt_matrix dz, ptrdiff_t rows) {
    const vekt_kernel *kernel = b->call->backward;
    const ptrdiff_t n = b->call->n, row_bytes = n * b->item;
    const int together = dy.row == row_bytes && z.row == row_bytes && dz.row == row_bytes;
    char *args[VEKT_MAX_ARGS];
    ptrdiff_t advance[VEKT_MAX_ARGS] = {b->item, b->item};
    for (int p = 2; p < kernel->nin; p++) args[p] = b->call->params[p - 2];
    advance[kernel->nin] = b->item;
    for (ptrdiff_t r = 0; r < (together ? 1 : rows); r++) {
        args[0] = dy.data + r * dy.row;
        args[1] = z.data + r * z.row;
        args[kernel->nin] = dz.data + r * dz.row;
        kernel->loop(args, advance, together ? rows * n : n);
    }
}

/* dz and the sums of its columns, for the rows from begin to end of the block: whole runs. */
static void differentiate_runs(void *context, ptrdiff_t begin, ptrdiff_t end) {
    block *b = context;
    const vekt_dense_call *c = b->call;
    const ptrdiff_t n = c->n, fitting = n < CHUNK_ELEMENTS / CHUNK_ROWS ? CHUNK_ELEMENTS / n : CHUNK_ROWS;
    const ptrdiff_t chunk = fitting < VEKT_PRODUCT_RUN ? fitting : VEKT_PRODUCT_RUN,
                    space_bytes = chunk * n * b->item;
    char *space = vekt_workspace(VEKT_WORKSPACE_STAGE, (size_t)(2 * space_bytes));
    if (!space) {
        b->failed = 1;
        return;
    }
    memset(b->sums + begin / VEKT_PRODUCT_RUN * n, 0,
           (size_t)(vekt_ceil_divide(end - begin, VEKT_PRODUCT_RUN) * n) * sizeof *b->sums);
    for (ptrdiff_t r = begin, rows; r < end; r += rows) {
        const ptrdiff_t run = r / VEKT_PRODUCT_RUN, run_end = (run + 1) * VEKT_PRODUCT_RUN;
        const ptrdiff_t left = (run_end < end ? run_end : end) - r;
        rows = left < chunk ? left : chunk;
        vekt_matrix dz = contiguous_rows(b, rows_from(c->dy, b->first + r), c->from[0], rows, space);
        if (c->backward) {
            const vekt_matrix z =
                contiguous_rows(b, rows_from(c->z, b->first + r), c->from[3], rows, space + space_bytes);
            const vekt_matrix dy = dz;
            dz = rows_from(b->dz, r);
            differentiate(b, dy, z, dz, rows);
        }
        b->target->products->add_rows[b->dtype](b->sums + run * n, dz.data, dz.row, rows, n);
    }
}

static void differentiate_block(block *b) {
    const int cost = b->call->backward ? b->call->backward->cost : 0;
    if (b->call->n > 0 && b->rows > THREADED_PICOSECONDS / (cost + 100) / b->call->n)
        vekt_parallel_for(b->rows, VEKT_PRODUCT_RUN, differentiate_runs, b);
    else if (b->call->n > 0 && b->rows > 0)
        differentiate_runs(b, 0, b->rows);
}

/* Adds the runs of the block to the first row of all. */
static void add_runs(const block *b, double *total) {
    for (ptrdiff_t r = 0; r < b->rows; r += VEKT_PRODUCT_RUN) {
        const double *sums = b->sums + r / VEKT_PRODUCT_RUN * b->call->n;
        for (ptrdiff_t j = 0; j < b->call->n; j++) total[j] += sums[j];
    }
}

/* Both products of the block's dz. */
static int multiply(const block *b) {
    const vekt_dense_call *c = b->call;
    const int type = b->dtype == VEKT_F32 ? VEKT_PRODUCT_F32 : VEKT_PRODUCT_F64;
    const uint8_t dz_from = c->backward ? 0 : c->from[0];
    const vekt_product dw = {.m = c->k,
                             .n = c->n,
                             .k = b->rows,
                             .a = transposed(rows_from(c->x, b->first)),
                             .b = b->dz,
                             .c = c->dw,
                             .accumulate = b->first > 0,
                             .from = {c->from[1], dz_from}};
    if (vekt_matmul(b->target, type, &dw) < 0) return -1;
    if (!c->dx.data) return 0;
    const vekt_product dx = {.m = b->rows,
                             .n = c->k,
                             .k = c->n,
                             .a = b->dz,
                             .b = transposed(c->w),
                             .c = rows_from(c->dx, b->first),
                             .invariant = b->rows < c->m, /* the last block may be one row */
                             .from = {dz_from, c->from[2]}};
    return vekt_matmul(b->target, type, &dx);
}

/* Without an activation dz is at hand, and one column has the order of sums of a dot product: both are one block. */
static ptrdiff_t block_rows(const vekt_dense_call *c, ptrdiff_t item) {
    if (!c->backward || c->n <= 1) return c->m;
    const ptrdiff_t runs = DZ_BYTES / (c->n * item) / VEKT_PRODUCT_RUN;
    const ptrdiff_t rows = (runs < 1 ? 1 : runs) * VEKT_PRODUCT_RUN;
    return rows < c->m ? rows : c->m;
}

static int run_blocks(block *b, ptrdiff_t rows) {
    const vekt_dense_call *c = b->call;
    const ptrdiff_t runs = vekt_ceil_divide(rows, VEKT_PRODUCT_RUN);
    const size_t dz_bytes = c->backward ? ((size_t)(rows * c->n * b->item) + 63) / 64 * 64 : 0;
    char *space = vekt_workspace(VEKT_WORKSPACE_DZ, dz_bytes + (size_t)((runs + 1) * c->n) * sizeof(double) + 1);
    if (!space) return -1;
    double *total = (double *)(space + dz_bytes);
    memset(total, 0, (size_t)c->n * sizeof *total);
    b->sums = total + c->n;

    do {
        b->rows = c->m - b->first < rows ? c->m - b->first : rows;
        b->dz = c->backward ? (vekt_matrix){space, c->n * b->item, b->item} : rows_from(c->dy, b->first);
        differentiate_block(b);
        if (b->failed || multiply(b) < 0) return -1;
        add_runs(b, total);
        b->first += b->rows;
    } while (b->first < c->m);

    for (ptrdiff_t j = 0; j < c->n; j++) {
        const float rounded = (float)total[j];
        memcpy(c->db + j * c->db_step, b->dtype == VEKT_F32 ? (const void *)&rounded : &total[j], (size_t)b->item);
    }
    return 0;
}

int vekt_dense_backward(const vekt_target *target, int dtype, const vekt_dense_call *call) {
    block b = {.target = target, .call = call, .dtype = dtype, .item = dtype == VEKT_F32 ? 4 : 8};
    vekt_fpenv saved = vekt_fpenv_enter();
    int status = run_blocks(&b, block_rows(call, b.item));
    vekt_fpenv_leave(saved);
    return status;
}
