/* Row kernels on any layout: which rows run side by side, and what is copied into scratch memory first.
 *
 * A kernel wants the elements of a row next to each other, or those of LANES rows (vekt.h: vekt_row_call).  Memory
 * that is so, in the kernel's own dtype and without a mask, is used in place; short rows are packed into panels in
 * the first-level cache; all else is staged: copied, converted and masked, a few rows at a time. */
#include "drivers.h"
#include "runtime/fpenv.h"
#include "row_dims.h"
#include "engine/stage.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { THREADED_PICOSECONDS = 60000000 };
/* Rows of contiguous elements run as panels up to this length, where there are enough: what goes across lanes costs
 * as much as 150 elements. */
enum { PANEL_ROW = 256 };
/* Panels of one operand together stay in the first-level cache; in the second-level one where they are filled from
 * rows side by side, as memory wants to be read in long stretches. */
enum {
    PANEL_BYTES = 1 << 14,
    WIDE_PANEL_BYTES = 1 << 20,
    MIN_WIDE_PANELS = 4,
    MAX_PANELS = 32,
    STACK_BYTES = 1 << 15
};
/* Rows transposed at a time, where there are too few side by side to fill panels. */
enum { TRANSPOSED_ROWS = 4 };
/* The operands that the kernels see as rows. */
static const int elements[] = {VEKT_ROWS_X, VEKT_ROWS_Y, VEKT_ROWS_OUT};
enum { N_ELEMENTS = sizeof elements / sizeof *elements };

typedef struct {
    vekt_rows_call c; /* its dimensions coalesced */
    const vekt_target *target;
    const vekt_row_kernels *kernel;
    ptrdiff_t rows, run; /* all rows, and those along the last outer dimension */
    ptrdiff_t n;         /* elements of a row */
    ptrdiff_t item, memory, lanes;
    ptrdiff_t block; /* rows taken at a time */
    int panel;
    int column;  /* staged with the elements of several rows side by side */
    int crosses; /* runs are shorter than a panel: everything is staged, and a block may take several runs */
    int staged[VEKT_ROWS_OPERANDS];
    int discards; /* out is missing, but the kernel wants one */
    atomic_int failed;
} plan;

/* ---- dimensions ------------------------------------------------------------------------------------------- */

static ptrdiff_t product(const ptrdiff_t *shape, int n) {
    ptrdiff_t size = 1;
    for (int i = 0; i < n; i++) size *= shape[i];
    return size;
}

static ptrdiff_t row_step(const plan *p, int k) { return p->c.n_outer ? p->c.steps[k][p->c.n_outer - 1] : 0; }

/* From one element of a row to the next; only where there is one inner dimension, or none. */
static ptrdiff_t element_step(const plan *p, int k) { return p->c.n_inner ? p->c.steps[k][p->c.n_outer] : p->memory; }

/* Where row i of an operand begins. */
static char *row_address(const plan *p, int k, ptrdiff_t i) {
    char *address = p->c.data[k];
    for (int d = p->c.n_outer - 1; d >= 0; d--) {
        address += i % p->c.shape[d] * p->c.steps[k][d];
        i /= p->c.shape[d];
    }
    return address;
}

/* ---- staging ---------------------------------------------------------------------------------------------- */

/* Does f for each stretch of an operand that has one step in memory, with its place in the dense copy. */
typedef void (*stretch)(const plan *p, int k, char *memory, ptrdiff_t step, char *dense, ptrdiff_t n);

static void each_stretch(const plan *p, int k, ptrdiff_t first, ptrdiff_t rows, char *dense, ptrdiff_t item,
                         stretch f) {
    const vekt_rows_call *c = &p->c;
    if (p->column) {
        char *memory = row_address(p, k, first);
        for (ptrdiff_t j = 0; j < p->n; j++, dense += rows * item)
            f(p, k, memory + j * element_step(p, k), row_step(p, k), dense, rows);
        return;
    }
    int inner = c->n_outer, last = c->n_outer + c->n_inner - 1;
    ptrdiff_t length = c->n_inner ? c->shape[last] : 1, step = c->n_inner ? c->steps[k][last] : p->memory;
    for (ptrdiff_t i = first; i < first + rows; i++) {
        char *row = row_address(p, k, i);
        for (ptrdiff_t j = 0; j < p->n / length; j++, dense += length * item) {
            char *memory = row;
            ptrdiff_t rest = j;
            for (int d = last - 1; d >= inner; d--) {
                memory += rest % c->shape[d] * c->steps[k][d];
                rest /= c->shape[d];
            }
            f(p, k, memory, step, dense, length);
        }
    }
}

static void gather(const plan *p, int k, char *memory, ptrdiff_t step, char *dense, ptrdiff_t n) {
    (void)k;
    vekt_gather(p->c.dtype, p->c.format, dense, memory, step, n);
}

static void scatter(const plan *p, int k, char *memory, ptrdiff_t step, char *dense, ptrdiff_t n) {
    (void)k;
    vekt_scatter(p->c.dtype, p->c.format, memory, step, dense, n);
}

static void fill_masked(const plan *p, int k, char *memory, ptrdiff_t step, char *dense, ptrdiff_t n) {
    (void)k;
    vekt_fill_masked(p->c.dtype, dense, memory, step, n, p->c.negate ? (double)INFINITY : -(double)INFINITY);
}

/* ---- blocks ----------------------------------------------------------------------------------------------- */

/* Rows in memory or in a dense copy. */
typedef struct {
    char *data;
    ptrdiff_t row_step, step;
} view;

static view view_of(const plan *p, int k, ptrdiff_t first, ptrdiff_t rows, char *dense) {
    if (!p->c.data[k] && !(p->discards && k == VEKT_ROWS_OUT)) return (view){0};
    if (!p->staged[k]) return (view){row_address(p, k, first), row_step(p, k), element_step(p, k)};
    if (p->column) return (view){dense, p->item, rows * p->item};
    return (view){dense, p->n * p->item, p->item};
}

/* Does a dense copy differ from memory in nothing but which of the two steps is the short one? */
static int is_transposed(const plan *p, int k) {
    return !p->panel && p->c.format == VEKT_NATIVE && p->c.n_inner == 1 && row_step(p, k) == p->item;
}

static void copy_in(const plan *p, int k, ptrdiff_t first, ptrdiff_t rows, char *dense) {
    if (is_transposed(p, k))
        p->kernel->transpose(dense, p->n * p->item, row_address(p, k, first), element_step(p, k), p->n, rows);
    else
        each_stretch(p, k, first, rows, dense, p->item, gather);
}

static void copy_out(const plan *p, int k, ptrdiff_t first, ptrdiff_t rows, char *dense) {
    if (is_transposed(p, k))
        p->kernel->transpose(row_address(p, k, first), element_step(p, k), dense, p->n * p->item, rows, p->n);
    else
        each_stretch(p, k, first, rows, dense, p->item, scatter);
}

static size_t scalar_bytes(const plan *p) { return (size_t)((p->block + p->lanes) * p->item + 63) & ~(size_t)63; }
static size_t row_bytes(const plan *p) { return scalar_bytes(p) * (p->c.op == VEKT_CROSS_ENTROPY ? 3 : 1); }

/* The numbers that belong to the rows of a block, one by one where it takes several runs. */
static void load_scalars(const plan *p, ptrdiff_t first, ptrdiff_t rows, char *scalars) {
    const ptrdiff_t n = p->crosses ? 1 : rows, step = row_step(p, VEKT_ROWS_SCALAR);
    for (ptrdiff_t i = 0; i < rows; i += n)
        vekt_gather(p->c.dtype, p->c.format, scalars + i * p->item, row_address(p, VEKT_ROWS_SCALAR, first + i), step,
                    n);
}

static void store_scalars(const plan *p, ptrdiff_t first, ptrdiff_t rows, const char *scalars) {
    const ptrdiff_t n = p->crosses ? 1 : rows, step = row_step(p, VEKT_ROWS_SCALAR);
    for (ptrdiff_t i = 0; i < rows; i += n)
        vekt_scatter(p->c.dtype, p->c.format, row_address(p, VEKT_ROWS_SCALAR, first + i), step,
                     scalars + i * p->item, n);
}

/* Labels stand behind the numbers of the rows, and what gradients are multiplied by behind these. */
static void load_labels(const plan *p, ptrdiff_t first, ptrdiff_t rows, char *scalars) {
    const ptrdiff_t n = p->crosses ? 1 : rows;
    char *labels = scalars + scalar_bytes(p), *factors = labels + scalar_bytes(p);
    for (ptrdiff_t i = 0; i < rows; i += n) {
        if (p->c.data[VEKT_ROWS_LABEL])
            vekt_gather_labels(p->c.dtype, labels + i * p->item, row_address(p, VEKT_ROWS_LABEL, first + i),
                               row_step(p, VEKT_ROWS_LABEL), n, p->n);
        vekt_gather_factors(p->c.dtype, factors + i * p->item, row_address(p, VEKT_ROWS_FACTOR, first + i),
                            row_step(p, VEKT_ROWS_FACTOR), n);
    }
}

/* What belongs to the rows from number i of a block on. */
static vekt_row_call call_for(const plan *p, ptrdiff_t i, char *scalars) {
    vekt_row_call call = {.n = p->n, .negate = p->c.negate};
    if (p->c.data[VEKT_ROWS_SCALAR]) call.scalar = scalars + i * p->item;
    if (p->c.op == VEKT_CROSS_ENTROPY) {
        call.label = scalars + scalar_bytes(p) + i * p->item;
        call.factor = scalars + 2 * scalar_bytes(p) + i * p->item;
        call.on_label = p->c.on_label;
        call.everywhere = p->c.everywhere;
    }
    return call;
}

/* Each row by itself, in place. */
static void run_rows(const plan *p, const view *v, ptrdiff_t rows, char *scalars) {
    for (ptrdiff_t i = 0; i < rows; i++) {
        vekt_row_call call = call_for(p, i, scalars);
        call.x = v[0].data + i * v[0].row_step;
        call.y = v[1].data ? v[1].data + i * v[1].row_step : NULL;
        call.out = v[2].data ? v[2].data + i * v[2].row_step : NULL;
        p->kernel->row(&call);
    }
}

static int is_panel(const plan *p, const view *v) { return !v->data || (v->row_step == p->item && p->n > 1); }

/* All rows of a block side by side: through panels in scratch, or in place where panels would leave the cache. */
static void run_panels(const plan *p, const view *v, ptrdiff_t rows, char *panels, char *scalars) {
    const ptrdiff_t lane_bytes = p->lanes * p->item, bytes = p->n * lane_bytes;
    const int in_place = bytes > WIDE_PANEL_BYTES && rows == p->lanes && is_panel(p, &v[0]) && is_panel(p, &v[1]) &&
                         is_panel(p, &v[2]);
    char *const x = panels, *const y = panels + vekt_ceil_divide(p->block, p->lanes) * bytes;
    if (!in_place) {
        p->kernel->pack(x, v[0].data, v[0].row_step, v[0].step, rows, p->n);
        if (v[1].data) p->kernel->pack(y, v[1].data, v[1].row_step, v[1].step, rows, p->n);
    }
    for (ptrdiff_t i = 0; i * p->lanes < rows; i++) {
        vekt_row_call call = call_for(p, i * p->lanes, scalars);
        if (in_place) {
            call.x = v[0].data, call.x_step = v[0].step;
            call.y = v[1].data, call.y_step = v[1].step;
            call.out = v[2].data, call.out_step = v[2].step;
        } else {
            call.x = x + i * bytes;
            call.out = v[2].data ? x + i * bytes : NULL;
            call.y = v[1].data ? y + i * bytes : NULL;
            call.x_step = call.y_step = call.out_step = lane_bytes;
        }
        p->kernel->panel(&call);
    }
    if (!in_place && v[2].data) p->kernel->unpack(v[2].data, v[2].row_step, v[2].step, x, rows, p->n);
}

/* Scratch memory: panels of x (and out) and of y, a dense copy of each operand, one number for each row. */
static size_t dense_bytes(const plan *p) { return ((size_t)(p->block * p->n * p->item) + 63) & ~(size_t)63; }

static size_t panel_bytes(const plan *p) {
    return p->panel ? (size_t)(vekt_round_up(p->block, p->lanes) * p->n * p->item) : 0;
}

/* Kernels may work in place. */
static int shares_copy(const plan *p, int k) {
    return k == VEKT_ROWS_OUT && p->staged[VEKT_ROWS_X] && p->staged[VEKT_ROWS_OUT];
}

static size_t scratch_bytes(const plan *p) {
    size_t bytes = row_bytes(p) + panel_bytes(p) * (p->c.data[VEKT_ROWS_Y] ? 2 : 1);
    for (int i = 0; i < N_ELEMENTS; i++)
        bytes += p->staged[elements[i]] && !shares_copy(p, elements[i]) ? dense_bytes(p) : 0;
    return bytes;
}

static void run_block(const plan *p, ptrdiff_t first, ptrdiff_t rows, char *scratch) {
    const int is_input = p->c.op == VEKT_LOGSUMEXP_BACKWARD, is_loss = p->c.op == VEKT_CROSS_ENTROPY;
    char *scalars = scratch, *panels = scalars + row_bytes(p);
    char *dense = panels + panel_bytes(p) * (p->c.data[VEKT_ROWS_Y] ? 2 : 1), *copies[N_ELEMENTS] = {0};
    view v[N_ELEMENTS];
    for (int i = 0; i < N_ELEMENTS; i++) {
        const int k = elements[i];
        if (shares_copy(p, k))
            copies[i] = copies[0];
        else if (p->staged[k])
            copies[i] = dense, dense += dense_bytes(p);
        v[i] = view_of(p, k, first, rows, copies[i]);
        if (!p->staged[k] || k == VEKT_ROWS_OUT) continue;
        copy_in(p, k, first, rows, copies[i]);
        if (k == VEKT_ROWS_X && p->c.data[VEKT_ROWS_WHERE])
            each_stretch(p, VEKT_ROWS_WHERE, first, rows, copies[i], p->item, fill_masked);
    }
    if (is_input) load_scalars(p, first, rows, scalars);
    if (is_loss) load_labels(p, first, rows, scalars);
    if (p->panel)
        run_panels(p, v, rows, panels, scalars);
    else
        run_rows(p, v, rows, scalars);
    if (is_loss || p->c.op == VEKT_LOGSUMEXP) store_scalars(p, first, rows, scalars);
    if (p->staged[VEKT_ROWS_OUT] && !p->discards) copy_out(p, VEKT_ROWS_OUT, first, rows, copies[2]);
}

static void run(void *context, ptrdiff_t begin, ptrdiff_t end) {
    plan *p = context;
    _Alignas(64) char stack[STACK_BYTES];
    char *scratch = stack, *allocated = NULL;
    const size_t bytes = scratch_bytes(p);
    if (bytes > sizeof stack) {
        allocated = malloc(bytes + 63);
        if (!allocated) {
            atomic_store(&p->failed, 1);
            return;
        }
        scratch = (char *)(((uintptr_t)allocated + 63) & ~(uintptr_t)63);
    }
    for (ptrdiff_t i = begin, rows; i < end; i += rows) {
        rows = end - i < p->block ? end - i : p->block;
        ptrdiff_t left = p->run - i % p->run;
        if (!p->crosses && left < rows) rows = left;
        run_block(p, i, rows, scratch);
    }
    free(allocated);
}

/* ---- planning --------------------------------------------------------------------------------------------- */

static int needs_staging(const plan *p, int k) {
    if (!p->c.data[k]) return 0;
    if (p->c.format != VEKT_NATIVE || p->c.n_inner > 1 || (k == VEKT_ROWS_X && p->c.data[VEKT_ROWS_WHERE])) return 1;
    if (p->crosses) return 1;
    return element_step(p, k) != p->item && (!p->panel || row_step(p, k) != p->item);
}

static int all_contiguous(const plan *p) {
    for (int i = 0; i < N_ELEMENTS; i++) {
        if (p->c.data[elements[i]] && (p->c.n_inner > 1 || element_step(p, elements[i]) != p->memory)) return 0;
    }
    return 1;
}

/* Do rows next to each other in memory fill panels, or most of them? */
static int fill_panels(const plan *p) {
    const ptrdiff_t across = vekt_magnitude(row_step(p, VEKT_ROWS_X)),
                    along = vekt_magnitude(element_step(p, VEKT_ROWS_X));
    const ptrdiff_t lanes = vekt_round_up(p->run, p->lanes);
    return p->c.n_inner <= 1 && across < along && 10 * p->run >= 7 * lanes;
}

static ptrdiff_t panels_at_a_time(const plan *p, int wide) {
    const ptrdiff_t bytes = p->n * p->lanes * p->item, fit = (wide ? WIDE_PANEL_BYTES : PANEL_BYTES) / bytes;
    const ptrdiff_t least = wide && bytes <= WIDE_PANEL_BYTES ? MIN_WIDE_PANELS : 1;
    return fit < least ? least : fit > MAX_PANELS ? MAX_PANELS : fit;
}

static void choose_mode(plan *p) {
    const int contiguous = all_contiguous(p), wide = !contiguous && fill_panels(p);
    const int longest = contiguous && p->rows < p->lanes ? VEKT_SHORT_ROW : PANEL_ROW;
    p->panel = p->n <= longest || wide;
    if (p->c.op == VEKT_CROSS_ENTROPY) p->panel = p->n <= VEKT_SHORT_ROW;
    p->crosses = p->panel && p->run < p->lanes && p->rows > p->run;
    p->column = p->panel && wide && !p->crosses;
    p->block = p->n < 1024 ? 1024 / p->n : 1;
    if (p->panel) p->block = p->lanes * panels_at_a_time(p, wide);
    for (int i = 0; i < N_ELEMENTS; i++) {
        const int k = elements[i];
        p->staged[k] = needs_staging(p, k);
        if (p->staged[k] && is_transposed(p, k)) p->block = TRANSPOSED_ROWS;
    }
    p->discards = p->c.op == VEKT_CROSS_ENTROPY && !p->c.data[VEKT_ROWS_OUT];
    p->staged[VEKT_ROWS_OUT] |= p->discards;
    if (p->block > p->rows) p->block = p->rows;
}

int vekt_rows(const vekt_target *target, const vekt_rows_call *call) {
    plan p = {.c = *call, .target = target};
    vekt_simplify_rows(&p.c);
    p.kernel = &target->rows[call->op][call->dtype];
    p.rows = product(p.c.shape, p.c.n_outer);
    p.run = p.c.n_outer ? p.c.shape[p.c.n_outer - 1] : 1;
    p.n = product(p.c.shape + p.c.n_outer, p.c.n_inner);
    p.item = call->dtype == VEKT_F32 ? 4 : 8;
    p.memory = call->format == VEKT_NATIVE ? p.item : 2;
    p.lanes = target->vector_bytes / p.item;
    if (p.rows == 0 || p.n == 0) return 0;
    choose_mode(&p);
    vekt_fpenv saved = vekt_fpenv_enter();
    if ((double)p.rows * (double)p.n * p.kernel->cost > THREADED_PICOSECONDS)
        vekt_parallel_for(p.rows, p.block, run, &p);
    else
        run(&p, 0, p.rows);
    vekt_fpenv_leave(saved);
    return atomic_load(&p.failed) ? -1 : 0;
}
