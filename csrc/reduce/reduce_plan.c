#include "reduce_plan.h"

#include "engine/convert.h"

#include <string.h>

/* Elements.  A box has LONG columns at most where others than these are reduced: totals are touched once a box. */
enum { BOX = 8192, LONG = 1024, CHUNK = 65536, CHUNKS = 64, MANY_CHUNKS = 4096, FEW_TOTALS = 16384 };

/* How far apart elements are along a dimension: in the outputs that are stored, then in the inputs, then in all. */
static int is_slower(const vekt_reduce_plan *p, int a, int b) {
    for (int pass = 0; pass < 3; pass++) {
        ptrdiff_t x = 0, y = 0;
        for (int k = 0; k < p->n_args; k++) {
            const int input = k < p->operation->nin, stored = !input && p->r->reduce[k] == VEKT_STORED;
            if (!(pass == 0 ? stored : pass == 1 ? input : !input)) continue;
            x += vekt_magnitude(p->step[k][a]);
            y += vekt_magnitude(p->step[k][b]);
        }
        if (x != y) return x > y;
    }
    return 0;
}

static void swap_dims(vekt_reduce_plan *p, int a, int b) {
    for (int k = -1; k < p->n_args; k++) {
        ptrdiff_t *v = k < 0 ? p->shape : p->step[k];
        const ptrdiff_t former = v[a];
        v[a] = v[b];
        v[b] = former;
    }
}

/* Without dimensions of one element, the slowest first, joined where all operands allow. */
static void order_dims(vekt_reduce_plan *p) {
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

static int keeps(const vekt_reduce_plan *p, const vekt_reduced *o, int d) { return p->step[o->k][d] != 0; }

/* Totals of each chunk along a dimension that have to be merged. */
static ptrdiff_t merged_totals(const vekt_reduce_plan *p, int split) {
    ptrdiff_t sum = 0;
    for (int j = 0; j < p->n_reduced; j++) {
        const vekt_reduced *o = &p->outputs[j];
        ptrdiff_t kept = 1;
        if (keeps(p, o, split)) continue;
        for (int d = 0; d < p->ndim; d++) kept *= keeps(p, o, d) ? p->shape[d] : 1;
        sum += kept;
    }
    return sum;
}

/* Chunks along the slowest dimension that allows for many of them and has few totals to merge. */
static void choose_chunks(vekt_reduce_plan *p, ptrdiff_t elements) {
    ptrdiff_t best = 0, cost = 0;
    for (int d = 0; d < p->ndim; d++) {
        const ptrdiff_t merged = merged_totals(p, d), parts = vekt_smaller(p->shape[d], CHUNKS);
        const int fits = merged <= FEW_TOTALS, fitted = cost <= FEW_TOTALS;
        if (d > 0 && (fits != fitted ? !fits : fits ? parts <= best : merged >= cost)) continue;
        p->split = d;
        best = parts;
        cost = merged;
    }
    const ptrdiff_t length = p->shape[p->split], most = cost > 0 ? CHUNKS : MANY_CHUNKS;
    const ptrdiff_t wanted = vekt_larger(1, vekt_smaller(vekt_smaller(most, length), elements / CHUNK));
    p->chunk = vekt_ceil_divide(length, wanted);
    p->chunks = vekt_ceil_divide(length, p->chunk);
}

/* Is something reduced along d, and not along the fastest dimension? */
static int has_columns(const vekt_reduce_plan *p, int d) {
    for (int j = 0; j < p->n_reduced; j++) {
        if (keeps(p, &p->outputs[j], p->ndim - 1) && !keeps(p, &p->outputs[j], d)) return 1;
    }
    return 0;
}

/* As much as there is room for along the fastest dimension, then along those whose rows are added to each other. */
static void choose_box(vekt_reduce_plan *p) {
    const int fastest = p->ndim - 1;
    ptrdiff_t room = BOX;
    int columns = 0;
    for (int d = 0; d < fastest; d++) columns |= has_columns(p, d);
    for (int pass = 0; pass < 3; pass++) {
        for (int d = fastest; d >= 0; d--) {
            if (pass != (d == fastest ? 0 : has_columns(p, d) ? 1 : 2)) continue;
            const ptrdiff_t length = d == p->split ? p->chunk : p->shape[d];
            p->extent[d] = vekt_smaller(length, pass == 0 && columns ? LONG : room);
            room = vekt_larger(1, room / p->extent[d]);
        }
    }
}

size_t vekt_lay_out_totals(vekt_reduce_plan *p) {
    size_t merged = 0;
    ptrdiff_t box = 1;
    for (int d = 0; d < p->ndim; d++) box *= p->extent[d];
    p->scratch = 64;
    for (int j = 0; j < p->n_reduced; j++) {
        vekt_reduced *o = &p->outputs[j];
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
            p->scratch += ((size_t)o->kept * sizeof(vekt_total) + 63) & ~(size_t)63;
    }
    return merged;
}

ptrdiff_t vekt_plan_reduction(vekt_reduce_plan *p) {
    order_dims(p);
    ptrdiff_t elements = 1;
    for (int d = 0; d < p->ndim; d++) elements *= p->shape[d];
    p->chunk = p->shape[0], p->chunks = 1;
    if (elements > 0) {
        choose_chunks(p, elements);
        choose_box(p);
    } else {
        for (int d = 0; d < p->ndim; d++) p->extent[d] = 1;
    }
    return elements;
}
