/* An operation whose outputs are reduced in the pass that computes them.
 *
 *   chunk  a part along one dimension, for one thread.  An output that is reduced along it has totals for each chunk,
 *          which are merged in their order; all others are complete when the chunk is
 *   box    a part of a chunk that stays in the caches: vekt_iterate runs the operation over it, with dense buffers in
 *          place of the outputs that are reduced, and vekt_reduce_lines adds these to the totals
 *
 * Chunks and boxes follow from the shape and the steps.  Sums carry the roundings of their additions along (Knuth's
 * exact sum), so that the number of boxes does not tell. */
#include "reduce_operation.h"

#include "convert.h"
#include "fpenv.h"
#include "lines.h"
#include "matmul.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { X = VEKT_NORM_X, OUT = VEKT_NORM_OUT };
enum { THREADED_PICOSECONDS = 60000000 };
/* Elements.  A box has LONG columns at most where others than these are reduced: totals are touched once a box. */
enum { BOX = 8192, LONG = 1024, CHUNK = 65536, CHUNKS = 64, MANY_CHUNKS = 4096, FEW_TOTALS = 16384, TOGETHER = 256 };

typedef struct {
    double value, error; /* of a sum, whose true value is close to value + error */
} total;

/* An output that is reduced. */
typedef struct {
    int k, term, element;
    int merged;                      /* along the dimension of the chunks, too */
    ptrdiff_t kept;                  /* totals of a chunk */
    ptrdiff_t stride[VEKT_MAX_DIMS]; /* of them: 0 along what is reduced */
    size_t buffer, place;            /* in the scratch memory, or in the partial totals */
} reduced;

typedef struct {
    const vekt_target *target;
    const vekt_reduction *r;
    const vekt_operation *operation;
    int n_args, ndim, n_reduced;
    ptrdiff_t shape[VEKT_MAX_DIMS]; /* the last dimension is the fastest */
    ptrdiff_t step[VEKT_MAX_OPERANDS][VEKT_MAX_DIMS];
    ptrdiff_t extent[VEKT_MAX_DIMS]; /* of a whole box */
    int split;                       /* dimension of the chunks */
    ptrdiff_t chunk, chunks;
    size_t scratch;
    total *partials;
    reduced outputs[VEKT_MAX_OPERANDS];
    _Atomic int failed;
} plan;

static ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static ptrdiff_t larger(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }
static ptrdiff_t ceil_divide(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }

/* ---- totals ------------------------------------------------------------------------------------------------ */

static total nothing(int term) {
    return (total){term == VEKT_SUM ? 0 : term == VEKT_GREATEST ? -(double)INFINITY : (double)INFINITY, 0};
}

static void add(total *t, double b) {
    const double a = t->value, sum = a + b, part = sum - a;
    t->error += (a - (sum - part)) + (b - part);
    t->value = sum;
}

static void join(int term, total *t, double b) {
    if (term == VEKT_SUM)
        add(t, b);
    else
        t->value = vekt_merge(VEKT_F64, term, (vekt_number){.real = t->value}, (vekt_number){.real = b}).real;
}

/* What vekt_reduce_lines calls with the results of a box. */
static void join_lines(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *results,
                       ptrdiff_t width) {
    const int term = p->streams[0].term;
    (void)width;
    if (term == VEKT_SUM && p->n_outer == 1 && p->outer[0].step[OUT] == sizeof(total)) {
        total *t = (total *)p->out + begin;
        for (ptrdiff_t i = 0; i < end - begin; i++) add(t + i, results[i].real);
        return;
    }
    for (ptrdiff_t line = begin; line < end; line++, results++)
        join(term, (total *)(p->out + vekt_offset(p->outer, p->n_outer, OUT, line)), results->real);
}

static double result_of(const total *t, int term, double divisor) {
    /* Where a sum has become infinite, its error is not a number. */
    const double value = term == VEKT_SUM && isfinite(t->value) ? t->value + t->error : t->value;
    return divisor == 0 || divisor == 1 ? value : value / divisor;
}

/* Writes results: the totals lie densely, beginning with index `first` along the dimension of the chunks, of which
 * they have `length`. */
static void write_results(const plan *p, const reduced *o, const total *totals, ptrdiff_t first, ptrdiff_t length) {
    const int type = p->r->iteration.type[o->k];
    const ptrdiff_t item = vekt_type_bytes(type);
    vekt_dim dims[VEKT_MAX_DIMS];
    int n = 0;
    char *out = p->r->iteration.data[o->k];
    for (int d = 0; d < p->ndim; d++) {
        if (o->stride[d] == 0) continue;
        const ptrdiff_t size = d == p->split ? length : p->shape[d];
        if (d == p->split) out += first * p->step[o->k][d];
        dims[n++] = (vekt_dim){size, {o->stride[d] * (ptrdiff_t)sizeof(total), 0, p->step[o->k][d]}};
    }
    const ptrdiff_t count = vekt_count(dims, n), row = n > 0 ? dims[n - 1].size : 1;
    const ptrdiff_t step = n > 0 ? dims[n - 1].step[OUT] : item;
    double values[TOGETHER];
    char converted[TOGETHER * sizeof(double)];
    for (ptrdiff_t i = 0, m; i < count; i += m) {
        m = smaller(smaller(TOGETHER, count - i), row - i % row);
        const total *t = (const total *)((const char *)totals + vekt_offset(dims, n, X, i));
        char *to = out + vekt_offset(dims, n, OUT, i);
        for (ptrdiff_t j = 0; j < m; j++) values[j] = result_of(t + j, o->term, p->r->divisor[o->k]);
        if (step == item) {
            vekt_convert(p->target, type, to, VEKT_TYPE_F64, values, m);
            continue;
        }
        vekt_convert(p->target, type, converted, VEKT_TYPE_F64, values, m);
        for (ptrdiff_t j = 0; j < m; j++) memcpy(to + j * step, converted + j * item, (size_t)item);
    }
}

/* ---- boxes ------------------------------------------------------------------------------------------------- */

/* Adds the buffer of a box of these extents to the totals of the box' first element. */
static int add_box(const plan *p, const reduced *o, const ptrdiff_t *extent, const char *buffer, total *totals) {
    vekt_dim dims[VEKT_MAX_DIMS];
    ptrdiff_t step = vekt_type_bytes(p->operation->type[o->k]);
    int outer = 0, inner;
    for (int d = 0; d < p->ndim; d++) outer += o->stride[d] != 0;
    const int n_outer = outer;
    inner = p->ndim;
    for (int d = p->ndim - 1; d >= 0; d--) {
        const vekt_dim dim = {extent[d], {step, 0, o->stride[d] * (ptrdiff_t)sizeof(total)}};
        dims[o->stride[d] != 0 ? --outer : --inner] = dim;
        step *= extent[d];
    }
    vekt_lines lines = {
        .target = p->target,
        .element = o->element,
        .n_operands = 1,
        .n_streams = 1,
        .streams = {{o->term, X, X}},
        .data = {buffer, buffer},
        .out = (char *)totals,
        .finish = join_lines,
    };
    return vekt_reduce_lines(&lines, dims, n_outer, p->ndim - n_outer);
}

/* Runs the operation over a box, and adds what is reduced. */
static int run_box(const plan *p, vekt_iteration *it, const ptrdiff_t *index, const ptrdiff_t *extent, char *scratch,
                   total *const *totals, ptrdiff_t first) {
    it->ndim = p->ndim;
    memcpy(it->shape, extent, (size_t)p->ndim * sizeof *extent);
    for (int k = 0; k < p->n_args; k++) {
        char *at = p->r->iteration.data[k];
        for (int d = 0; d < p->ndim; d++) at += index[d] * p->step[k][d];
        it->data[k] = at;
        memcpy(it->step[k], p->step[k], (size_t)p->ndim * sizeof **p->step);
    }
    for (int j = 0; j < p->n_reduced; j++) {
        const reduced *o = &p->outputs[j];
        ptrdiff_t step = vekt_type_bytes(p->operation->type[o->k]);
        it->data[o->k] = scratch + o->buffer;
        for (int d = p->ndim - 1; d >= 0; step *= extent[d], d--) it->step[o->k][d] = step;
    }
    if (vekt_iterate(p->target, it) < 0) return -1;
    for (int j = 0; j < p->n_reduced; j++) {
        const reduced *o = &p->outputs[j];
        total *t = totals[j];
        for (int d = 0; d < p->ndim; d++) t += (index[d] - (d == p->split ? first : 0)) * o->stride[d];
        if (add_box(p, o, extent, scratch + o->buffer, t) < 0) return -1;
    }
    return 0;
}

static int run_chunk(const plan *p, ptrdiff_t chunk, char *scratch) {
    const ptrdiff_t first = chunk * p->chunk, length = smaller(p->chunk, p->shape[p->split] - first);
    ptrdiff_t index[VEKT_MAX_DIMS] = {0}, extent[VEKT_MAX_DIMS];
    total *totals[VEKT_MAX_OPERANDS];
    vekt_iteration it;
    it.operation = p->operation;
    for (int k = 0; k < p->n_args; k++) it.type[k] = p->r->iteration.type[k];
    for (int j = 0; j < p->n_reduced; j++) {
        const reduced *o = &p->outputs[j];
        it.type[o->k] = p->operation->type[o->k];
        totals[j] = o->merged ? p->partials + o->place + (size_t)(chunk * o->kept) : (total *)(scratch + o->place);
        for (ptrdiff_t i = 0; i < o->kept; i++) totals[j][i] = nothing(o->term);
    }
    index[p->split] = first;
    for (int d = 0; d >= 0;) {
        for (d = 0; d < p->ndim; d++)
            extent[d] = smaller(p->extent[d], (d == p->split ? first + length : p->shape[d]) - index[d]);
        if (run_box(p, &it, index, extent, scratch, totals, first) < 0) return -1;
        for (d = p->ndim - 1; d >= 0; d--) {
            index[d] += extent[d];
            if (index[d] < (d == p->split ? first + length : p->shape[d])) break;
            index[d] = d == p->split ? first : 0;
        }
    }
    for (int j = 0; j < p->n_reduced; j++) {
        if (!p->outputs[j].merged) write_results(p, &p->outputs[j], totals[j], first, length);
    }
    return 0;
}

static void run_chunks(void *context, ptrdiff_t begin, ptrdiff_t end) {
    plan *p = context;
    char *scratch = vekt_workspace(VEKT_WORKSPACE_REDUCED, p->scratch);
    if (!scratch) atomic_store(&p->failed, 1);
    for (; scratch && begin < end; begin++) {
        if (run_chunk(p, begin, scratch) < 0) atomic_store(&p->failed, 1);
    }
}

/* ---- plan -------------------------------------------------------------------------------------------------- */

static ptrdiff_t size_of(ptrdiff_t step) { return step < 0 ? -step : step; }

/* How far apart elements are along a dimension: in the outputs that are stored, then in the inputs, then in all. */
static int is_slower(const plan *p, int a, int b) {
    for (int pass = 0; pass < 3; pass++) {
        ptrdiff_t x = 0, y = 0;
        for (int k = 0; k < p->n_args; k++) {
            const int input = k < p->operation->nin, stored = !input && p->r->reduce[k] == VEKT_STORED;
            if (!(pass == 0 ? stored : pass == 1 ? input : !input)) continue;
            x += size_of(p->step[k][a]);
            y += size_of(p->step[k][b]);
        }
        if (x != y) return x > y;
    }
    return 0;
}

static void swap_dims(plan *p, int a, int b) {
    for (int k = -1; k < p->n_args; k++) {
        ptrdiff_t *v = k < 0 ? p->shape : p->step[k];
        const ptrdiff_t former = v[a];
        v[a] = v[b];
        v[b] = former;
    }
}

/* Without dimensions of one element, the slowest first, joined where all operands allow. */
static void order_dims(plan *p) {
    const vekt_iteration *it = &p->r->iteration;
    for (int d = 0; d < it->ndim; d++) {
        if (it->shape[d] == 1) continue;
        p->shape[p->ndim] = it->shape[d];
        for (int k = 0; k < p->n_args; k++) p->step[k][p->ndim] = it->step[k][d];
        for (int i = p->ndim++; i > 0 && is_slower(p, i, i - 1); i--) swap_dims(p, i, i - 1);
    }
    if (p->ndim == 0) {
        p->shape[p->ndim++] = 1;
        return;
    }
    int last = 0;
    for (int d = 1; d < p->ndim; d++) {
        int joins = 1;
        for (int k = 0; k < p->n_args && joins; k++) joins = p->step[k][last] == p->step[k][d] * p->shape[d];
        last += !joins;
        p->shape[last] = joins ? p->shape[last] * p->shape[d] : p->shape[d];
        for (int k = 0; k < p->n_args; k++) p->step[k][last] = p->step[k][d];
    }
    p->ndim = last + 1;
}

static int keeps(const plan *p, const reduced *o, int d) { return p->step[o->k][d] != 0; }

/* Totals of each chunk along a dimension that have to be merged. */
static ptrdiff_t merged_totals(const plan *p, int split) {
    ptrdiff_t sum = 0;
    for (int j = 0; j < p->n_reduced; j++) {
        const reduced *o = &p->outputs[j];
        ptrdiff_t kept = 1;
        if (keeps(p, o, split)) continue;
        for (int d = 0; d < p->ndim; d++) kept *= keeps(p, o, d) ? p->shape[d] : 1;
        sum += kept;
    }
    return sum;
}

/* Chunks along the slowest dimension that allows for many of them and has few totals to merge. */
static void choose_chunks(plan *p, ptrdiff_t elements) {
    ptrdiff_t best = 0, cost = 0;
    for (int d = 0; d < p->ndim; d++) {
        const ptrdiff_t merged = merged_totals(p, d), parts = smaller(p->shape[d], CHUNKS);
        const int fits = merged <= FEW_TOTALS, fitted = cost <= FEW_TOTALS;
        if (d > 0 && (fits != fitted ? !fits : fits ? parts <= best : merged >= cost)) continue;
        p->split = d;
        best = parts;
        cost = merged;
    }
    const ptrdiff_t length = p->shape[p->split], most = cost > 0 ? CHUNKS : MANY_CHUNKS;
    const ptrdiff_t wanted = larger(1, smaller(smaller(most, length), elements / CHUNK));
    p->chunk = ceil_divide(length, wanted);
    p->chunks = ceil_divide(length, p->chunk);
}

/* Is something reduced along d, and not along the fastest dimension? */
static int has_columns(const plan *p, int d) {
    for (int j = 0; j < p->n_reduced; j++) {
        if (keeps(p, &p->outputs[j], p->ndim - 1) && !keeps(p, &p->outputs[j], d)) return 1;
    }
    return 0;
}

/* As much as there is room for along the fastest dimension, then along those whose rows are added to each other. */
static void choose_box(plan *p) {
    const int fastest = p->ndim - 1;
    ptrdiff_t room = BOX;
    int columns = 0;
    for (int d = 0; d < fastest; d++) columns |= has_columns(p, d);
    for (int pass = 0; pass < 3; pass++) {
        for (int d = fastest; d >= 0; d--) {
            if (pass != (d == fastest ? 0 : has_columns(p, d) ? 1 : 2)) continue;
            const ptrdiff_t length = d == p->split ? p->chunk : p->shape[d];
            p->extent[d] = smaller(length, pass == 0 && columns ? LONG : room);
            room = larger(1, room / p->extent[d]);
        }
    }
}

/* Memory for the buffers and the totals; returns how many of these are to be merged. */
static size_t lay_out(plan *p) {
    size_t merged = 0;
    ptrdiff_t box = 1;
    for (int d = 0; d < p->ndim; d++) box *= p->extent[d];
    p->scratch = 64;
    for (int j = 0; j < p->n_reduced; j++) {
        reduced *o = &p->outputs[j];
        o->kept = 1;
        for (int d = p->ndim - 1; d >= 0; d--) {
            o->stride[d] = keeps(p, o, d) ? o->kept : 0;
            if (o->stride[d]) o->kept *= d == p->split ? p->chunk : p->shape[d];
        }
        o->merged = !keeps(p, o, p->split);
        o->buffer = p->scratch;
        p->scratch += ((size_t)(box * vekt_type_bytes(p->operation->type[o->k])) + 127) & ~(size_t)63;
        o->place = o->merged ? merged : p->scratch;
        if (o->merged)
            merged += (size_t)(o->kept * p->chunks);
        else
            p->scratch += ((size_t)o->kept * sizeof(total) + 63) & ~(size_t)63;
    }
    return merged;
}

static void merge_chunks(const plan *p) {
    for (int j = 0; j < p->n_reduced; j++) {
        const reduced *o = &p->outputs[j];
        if (!o->merged) continue;
        total *all = p->partials + o->place;
        for (ptrdiff_t i = o->kept; i < o->kept * p->chunks; i++) {
            total *t = &all[i % o->kept];
            join(o->term, t, all[i].value);
            t->error += all[i].error;
        }
        write_results(p, o, all, 0, p->shape[p->split]);
    }
}

/* Of no elements: each result is that of none. */
static int write_nothing(plan *p) {
    for (int j = 0; j < p->n_reduced; j++) {
        const reduced *o = &p->outputs[j];
        total *totals = malloc((size_t)larger(o->kept, 1) * sizeof *totals);
        if (!totals) return -1;
        for (ptrdiff_t i = 0; i < o->kept; i++) totals[i] = nothing(o->term);
        write_results(p, o, totals, 0, p->shape[p->split]);
        free(totals);
    }
    return 0;
}

int vekt_reduce_operation(const vekt_target *target, vekt_reduction *r) {
    static const int terms[] = {
        [VEKT_REDUCED_SUM] = VEKT_SUM, [VEKT_REDUCED_MAX] = VEKT_GREATEST, [VEKT_REDUCED_MIN] = VEKT_LEAST};
    plan p;
    p.target = target, p.r = r, p.operation = r->iteration.operation;
    p.n_args = p.operation->nin + p.operation->nout;
    p.ndim = p.n_reduced = p.split = 0;
    p.partials = NULL;
    atomic_init(&p.failed, 0);
    for (int k = p.operation->nin; k < p.n_args; k++) {
        if (r->reduce[k] == VEKT_STORED) continue;
        reduced *o = &p.outputs[p.n_reduced++];
        o->k = k, o->term = terms[r->reduce[k]];
        o->element = p.operation->type[k] == VEKT_TYPE_F32 ? VEKT_F32 : VEKT_F64;
    }
    if (p.n_reduced == 0) return vekt_iterate(target, &r->iteration);
    for (int k = 0; k < p.n_args; k++) p.step[k][0] = 0; /* of no dimensions */
    order_dims(&p);
    ptrdiff_t elements = 1;
    for (int d = 0; d < p.ndim; d++) elements *= p.shape[d];
    p.chunk = p.shape[0], p.chunks = 1;
    if (elements > 0) {
        choose_chunks(&p, elements);
        choose_box(&p);
    } else {
        for (int d = 0; d < p.ndim; d++) p.extent[d] = 1;
    }
    const size_t merged = lay_out(&p);
    const vekt_fpenv saved = vekt_fpenv_enter();
    int status = -1;
    if (elements == 0) {
        status = write_nothing(&p);
    } else if (merged == 0 || (p.partials = malloc(merged * sizeof(total)))) {
        if (p.chunks > 1 && elements > THREADED_PICOSECONDS / (p.operation->cost + 1))
            vekt_parallel_for(p.chunks, 1, run_chunks, &p);
        else
            run_chunks(&p, 0, p.chunks);
        status = atomic_load(&p.failed) ? -1 : 0;
        if (status == 0) merge_chunks(&p);
        free(p.partials);
    }
    vekt_fpenv_leave(saved);
    return status;
}
