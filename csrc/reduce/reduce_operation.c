/* An operation whose outputs are reduced in the pass that computes them: reduce_plan.h tells how. */
#include "engine/convert.h"
#include "runtime/fpenv.h"
#include "lines.h"
#include "linalg/matmul.h"
#include "reduce_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { X = VEKT_NORM_X, OUT = VEKT_NORM_OUT };
enum { THREADED_PICOSECONDS = 60000000, TOGETHER = 256 };

/* ---- totals ------------------------------------------------------------------------------------------------ */

static vekt_total nothing(int term) {
    return (vekt_total){term == VEKT_SUM ? 0 : term == VEKT_GREATEST ? -(double)INFINITY : (double)INFINITY, 0};
}

static void add(vekt_total *t, double b) {
    const double a = t->value, sum = a + b, part = sum - a;
    t->error += (a - (sum - part)) + (b - part);
    t->value = sum;
}

static void join(int term, vekt_total *t, double b) {
    if (term == VEKT_SUM)
        add(t, b);
    else
        t->value = vekt_merge(VEKT_F64, term, (vekt_number){.real = t->value}, (vekt_number){.real = b}).real;
}

/* What vekt_reduce_lines calls with the results of a box. */
static void join_lines(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *results,
                       ptrdiff_t width) {
    const int term = p->asked->streams[0].term;
    (void)width;
    if (term == VEKT_SUM && p->plan.n_outer == 1 && p->plan.outer[0].step[OUT] == sizeof(vekt_total)) {
        vekt_total *t = (vekt_total *)p->plan.out + begin;
        for (ptrdiff_t i = 0; i < end - begin; i++) add(t + i, results[i].real);
        return;
    }
    for (ptrdiff_t line = begin; line < end; line++, results++)
        join(term, (vekt_total *)(p->plan.out + vekt_offset(p->plan.outer, p->plan.n_outer, OUT, line)),
             results->real);
}

static double result_of(const vekt_total *t, int term, double divisor) {
    /* Where a sum has become infinite, its error is not a number. */
    const double value = term == VEKT_SUM && isfinite(t->value) ? t->value + t->error : t->value;
    return divisor == 0 || divisor == 1 ? value : value / divisor;
}

/* Writes results: the totals lie densely, beginning with index `first` along the dimension of the chunks, of which
 * they have `length`. */
static void write_results(const vekt_reduce_plan *p, const vekt_reduced *o, const vekt_total *totals, ptrdiff_t first,
                          ptrdiff_t length) {
    const int type = p->r->iteration.type[o->k];
    const ptrdiff_t item = vekt_type_bytes(type);
    vekt_dim dims[VEKT_MAX_DIMS];
    int n = 0;
    char *out = p->r->iteration.data[o->k];
    for (int d = 0; d < p->ndim; d++) {
        if (o->stride[d] == 0) continue;
        const ptrdiff_t size = d == p->split ? length : p->shape[d];
        if (d == p->split) out += first * p->step[o->k][d];
        dims[n++] = (vekt_dim){size, {o->stride[d] * (ptrdiff_t)sizeof(vekt_total), 0, p->step[o->k][d]}};
    }
    const ptrdiff_t count = vekt_count(dims, n), row = n > 0 ? dims[n - 1].size : 1;
    const ptrdiff_t step = n > 0 ? dims[n - 1].step[OUT] : item;
    double values[TOGETHER];
    char converted[TOGETHER * sizeof(double)];
    for (ptrdiff_t i = 0, m; i < count; i += m) {
        m = vekt_smaller(vekt_smaller(TOGETHER, count - i), row - i % row);
        const vekt_total *t = (const vekt_total *)((const char *)totals + vekt_offset(dims, n, X, i));
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
static int add_box(const vekt_reduce_plan *p, const vekt_reduced *o, const ptrdiff_t *extent, const char *buffer,
                   vekt_total *totals) {
    vekt_dim dims[VEKT_MAX_DIMS];
    ptrdiff_t step = vekt_type_bytes(p->operation->type[o->k]);
    int outer = 0, inner;
    for (int d = 0; d < p->ndim; d++) outer += o->stride[d] != 0;
    const int n_outer = outer;
    inner = p->ndim;
    for (int d = p->ndim - 1; d >= 0; d--) {
        const vekt_dim dim = {extent[d], {step, 0, o->stride[d] * (ptrdiff_t)sizeof(vekt_total)}};
        dims[o->stride[d] != 0 ? --outer : --inner] = dim;
        step *= extent[d];
    }
    const vekt_line_request lines = {
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
static int run_box(const vekt_reduce_plan *p, vekt_iteration *it, const ptrdiff_t *index, const ptrdiff_t *extent,
                   char *scratch, vekt_total *const *totals, ptrdiff_t first) {
    it->ndim = p->ndim;
    memcpy(it->shape, extent, (size_t)p->ndim * sizeof *extent);
    for (int k = 0; k < p->n_args; k++) {
        char *at = p->r->iteration.data[k];
        for (int d = 0; d < p->ndim; d++) at += index[d] * p->step[k][d];
        it->data[k] = at;
        memcpy(it->step[k], p->step[k], (size_t)p->ndim * sizeof **p->step);
    }
    for (int j = 0; j < p->n_reduced; j++) {
        const vekt_reduced *o = &p->outputs[j];
        ptrdiff_t step = vekt_type_bytes(p->operation->type[o->k]);
        it->data[o->k] = scratch + o->buffer;
        for (int d = p->ndim - 1; d >= 0; step *= extent[d], d--) it->step[o->k][d] = step;
    }
    if (vekt_iterate(p->target, it) < 0) return -1;
    for (int j = 0; j < p->n_reduced; j++) {
        const vekt_reduced *o = &p->outputs[j];
        vekt_total *t = totals[j];
        for (int d = 0; d < p->ndim; d++) t += (index[d] - (d == p->split ? first : 0)) * o->stride[d];
        if (add_box(p, o, extent, scratch + o->buffer, t) < 0) return -1;
    }
    return 0;
}

static int run_chunk(const vekt_reduce_plan *p, ptrdiff_t chunk, char *scratch) {
    const ptrdiff_t first = chunk * p->chunk, length = vekt_smaller(p->chunk, p->shape[p->split] - first);
    ptrdiff_t index[VEKT_MAX_DIMS] = {0}, extent[VEKT_MAX_DIMS];
    vekt_total *totals[VEKT_MAX_OPERANDS];
    vekt_iteration it;
    it.operation = p->operation;
    for (int k = 0; k < p->n_args; k++) it.type[k] = p->r->iteration.type[k];
    for (int j = 0; j < p->n_reduced; j++) {
        const vekt_reduced *o = &p->outputs[j];
        it.type[o->k] = p->operation->type[o->k];
        totals[j] =
            o->merged ? p->partials + o->place + (size_t)(chunk * o->kept) : (vekt_total *)(scratch + o->place);
        for (ptrdiff_t i = 0; i < o->kept; i++) totals[j][i] = nothing(o->term);
    }
    index[p->split] = first;
    for (int d = 0; d >= 0;) {
        for (d = 0; d < p->ndim; d++)
            extent[d] = vekt_smaller(p->extent[d], (d == p->split ? first + length : p->shape[d]) - index[d]);
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
    vekt_reduce_plan *p = context;
    char *scratch = vekt_workspace(VEKT_WORKSPACE_REDUCED, p->scratch);
    if (!scratch) atomic_store(&p->failed, 1);
    for (; scratch && begin < end; begin++) {
        if (run_chunk(p, begin, scratch) < 0) atomic_store(&p->failed, 1);
    }
}

/* ---- the call ---------------------------------------------------------------------------------------------- */

static void merge_chunks(const vekt_reduce_plan *p) {
    for (int j = 0; j < p->n_reduced; j++) {
        const vekt_reduced *o = &p->outputs[j];
        if (!o->merged) continue;
        vekt_total *all = p->partials + o->place;
        for (ptrdiff_t i = o->kept; i < o->kept * p->chunks; i++) {
            vekt_total *t = &all[i % o->kept];
            join(o->term, t, all[i].value);
            t->error += all[i].error;
        }
        write_results(p, o, all, 0, p->shape[p->split]);
    }
}

/* Of no elements: each result is that of none. */
static int write_nothing(vekt_reduce_plan *p) {
    for (int j = 0; j < p->n_reduced; j++) {
        const vekt_reduced *o = &p->outputs[j];
        vekt_total *totals = malloc((size_t)vekt_larger(o->kept, 1) * sizeof *totals);
        if (!totals) return -1;
        for (ptrdiff_t i = 0; i < o->kept; i++) totals[i] = nothing(o->term);
        write_results(p, o, totals, 0, p->shape[p->split]);
        free(totals);
    }
    return 0;
}

static int run(vekt_reduce_plan *p, const vekt_target *target, vekt_reduction *r) {
    static const int terms[] = {
        [VEKT_REDUCED_SUM] = VEKT_SUM, [VEKT_REDUCED_MAX] = VEKT_GREATEST, [VEKT_REDUCED_MIN] = VEKT_LEAST};
    p->target = target, p->r = r, p->operation = r->iteration.operation;
    p->n_args = p->operation->nin + p->operation->nout;
    p->ndim = p->n_reduced = p->split = 0;
    p->partials = NULL;
    atomic_init(&p->failed, 0);
    for (int k = p->operation->nin; k < p->n_args; k++) {
        if (r->reduce[k] == VEKT_STORED) continue;
        vekt_reduced *o = &p->outputs[p->n_reduced++];
        o->k = k, o->term = terms[r->reduce[k]];
        o->element = p->operation->type[k] == VEKT_TYPE_F32 ? VEKT_F32 : VEKT_F64;
    }
    for (int k = 0; k < p->n_args; k++) p->step[k][0] = 0; /* of no dimensions */
    const ptrdiff_t elements = vekt_plan_reduction(p);
    const size_t merged = vekt_lay_out_totals(p);
    const vekt_fpenv saved = vekt_fpenv_enter();
    int status = -1;
    if (elements == 0) {
        status = write_nothing(p);
    } else if (merged == 0 || (p->partials = malloc(merged * sizeof(vekt_total)))) {
        if (p->chunks > 1 && elements > THREADED_PICOSECONDS / (p->operation->cost + 1))
            vekt_parallel_for(p->chunks, 1, run_chunks, p);
        else
            run_chunks(p, 0, p->chunks);
        status = atomic_load(&p->failed) ? -1 : 0;
        if (status == 0) merge_chunks(p);
        free(p->partials);
    }
    vekt_fpenv_leave(saved);
    return status;
}

int vekt_reduce_operation(const vekt_target *target, vekt_reduction *r) {
    const vekt_operation *o = r->iteration.operation;
    int k = o->nin;
    while (k < o->nin + o->nout && r->reduce[k] == VEKT_STORED) k++;
    if (k == o->nin + o->nout) return vekt_iterate(target, &r->iteration);
    vekt_reduce_plan *p = malloc(sizeof *p); /* too much for the stack, on top of what the operation needs */
    const int status = p ? run(p, target, r) : -1;
    free(p);
    return status;
}
