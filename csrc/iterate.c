/* Elementwise operations on operands of any layout and type.
 *
 *   plan  dimensions of one element dropped, the first output's made positive, the shortest of its steps first;
 *         neighbours joined that every operand walks through as through one
 *   box   a part of the elements, as much along each dimension as the caches hold.  Over a box an operand is used in
 *         place, or comes as a dense copy: converted, transposed, or a short period many times over.  A copy stays
 *         for the next box where that is the same
 *   run   the longest part of a box along which what is used in place is contiguous or one value
 *
 * Boxes are the same for any number of threads, which share them out. */
#include "box.h"
#include "convert.h"
#include "fpenv.h"
#include "matmul.h"
#include "streaming.h"

#include <stdatomic.h>
#include <string.h>

/* A call is shared out from this much work on. */
enum { THREADED_PICOSECONDS = 60000000 };

/* Measured on AMD's Zen 4 and 5.  In elements unless it says otherwise. */
enum {
    LONG_ROW = 256,        /* rows this long run one by one; shorter ones in boxes: 7-16 times as quick at 3 to 8 */
    LONG_RUN = 128,        /* what is contiguous for less than this is copied */
    BOX_BYTES = 8192,      /* of a copied operand: a few of them stay in the first-level cache */
    TURNED_BYTES = 262144, /* where a large transposed operand is copied: a share of the second-level cache */
    NARROW_BYTES = 16384,  /* and the rows are very short */
    SMALL_OPERAND = 2048,  /* of fewer different elements, an operand stays in the cache whatever its order */
    LINES_BYTES = 256,     /* of it read side by side: less, and its lines are read one by one */
    ALIASING_BYTES = 1024, /* rows of a copy a multiple of this apart share a few lines of the first-level cache */
    UNCOPIED_ELEMENTS = 65536 /* where nothing is copied, boxes are there for the threads alone */
};

enum mode {
    DIRECT,  /* in place, contiguous along a run */
    SPLAT,   /* one value along a run */
    COPIED,  /* by way of a dense buffer */
    STREAMED /* DIRECT outputs, with stores that bypass the cache */
};

typedef struct {
    const vekt_target *target;
    const vekt_operation *operation;
    const vekt_iteration *it; /* with dimension 0 fastest */
    int n_args, ndim;
    uint8_t mode[VEKT_MAX_OPERANDS];
    uint8_t memory[VEKT_MAX_OPERANDS], item[VEKT_MAX_OPERANDS]; /* bytes in memory, and in the operation */
    int order[VEKT_MAX_DIMS];                                   /* of the dimensions, for going from box to box */
    ptrdiff_t extent[VEKT_MAX_DIMS];                            /* of a whole box */
    ptrdiff_t box, boxes;                                       /* elements of a whole box; how many boxes */
    size_t buffer[VEKT_MAX_OPERANDS], raw, scratch;             /* offsets and size of the scratch memory */
    _Atomic int *failed;                                        /* set where that is missing */
} plan;

static ptrdiff_t size_of(ptrdiff_t step) { return step < 0 ? -step : step; }
static ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static ptrdiff_t ceil_divide(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }

/* ---- plan ----------------------------------------------------------------------------------------------------- */

/* Does dimension a come before b?  By the steps of the outputs, then of the inputs: so that what is contiguous in
 * most of them comes first. */
static int precedes(const plan *p, const ptrdiff_t (*step)[VEKT_MAX_DIMS], int a, int b) {
    const int nin = p->operation->nin;
    for (int j = 0; j < p->n_args; j++) {
        const int k = j < p->operation->nout ? nin + j : j - p->operation->nout;
        const ptrdiff_t x = size_of(step[k][a]), y = size_of(step[k][b]);
        if (x != y) return x < y;
    }
    return 0;
}

/* Writes to it->shape, step and data.  Returns 0 where there are no elements. */
static int order_dims(plan *p, vekt_iteration *it) {
    const int reference = p->operation->nin;
    uint8_t order[VEKT_MAX_DIMS];
    int n = 0;
    for (int d = it->ndim - 1; d >= 0; d--) {
        if (it->shape[d] == 0) return 0;
        if (it->shape[d] == 1) continue;
        if (it->step[reference][d] < 0) {
            for (int k = 0; k < p->n_args; k++) {
                it->data[k] += (it->shape[d] - 1) * it->step[k][d];
                it->step[k][d] = -it->step[k][d];
            }
        }
        int at = n++;
        for (; at > 0 && precedes(p, (const ptrdiff_t (*)[VEKT_MAX_DIMS])it->step, d, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)d;
    }
    ptrdiff_t row[VEKT_MAX_DIMS];
    for (int k = -1; k < p->n_args; k++) {
        ptrdiff_t *values = k < 0 ? it->shape : it->step[k];
        for (int i = 0; i < n; i++) row[i] = values[order[i]];
        for (int i = 0; i < n; i++) values[i] = row[i];
    }
    p->ndim = n;
    return 1;
}

static void join_dims(plan *p, vekt_iteration *it) {
    int last = 0;
    if (p->ndim == 0) {
        it->shape[0] = p->ndim = 1;
        for (int k = 0; k < p->n_args; k++) it->step[k][0] = k < p->operation->nin ? 0 : p->memory[k];
        return;
    }
    for (int d = 1; d < p->ndim; d++) {
        int joins = 1;
        for (int k = 0; k < p->n_args && joins; k++) joins = it->step[k][d] == it->step[k][last] * it->shape[last];
        if (joins) {
            it->shape[last] *= it->shape[d];
        } else if (++last != d) {
            it->shape[last] = it->shape[d];
            for (int k = 0; k < p->n_args; k++) it->step[k][last] = it->step[k][d];
        }
    }
    p->ndim = last + 1;
}

static int is_constant(const plan *p, int k) {
    for (int d = 0; d < p->ndim; d++) {
        if (p->it->step[k][d] != 0) return 0;
    }
    return 1;
}

/* How many different elements an operand has. */
static ptrdiff_t distinct(const plan *p, int k) {
    ptrdiff_t count = 1;
    for (int d = 0; d < p->ndim; d++) {
        if (p->it->step[k][d] != 0) count *= p->it->shape[d];
    }
    return count;
}

/* Along a dimension of n elements: about as many in each box, at most `most`, in whole lines where there are many. */
static ptrdiff_t share(ptrdiff_t n, ptrdiff_t most) {
    if (n <= most) return n;
    ptrdiff_t part = ceil_divide(n, ceil_divide(n, most));
    if (part >= 32) part = (part + 15) & ~(ptrdiff_t)15;
    return smaller(part, most);
}

/* Over how many elements of a box memory of operand k is one stretch, or one value. */
static ptrdiff_t stretch(const plan *p, int k) {
    ptrdiff_t run = 1;
    const ptrdiff_t first = p->it->step[k][0];
    for (int d = 0; d < p->ndim; d++) {
        if (p->extent[d] == 1) continue;
        if (p->it->step[k][d] != first * run) break;
        run *= p->extent[d];
        if (p->extent[d] != p->it->shape[d]) break;
    }
    return run;
}

/* The dimension along which elements of an operand lie closest; 0, too, where it has so few that any order will do.
 */
static int closest(const plan *p, int k) {
    const ptrdiff_t *step = p->it->step[k];
    int best = 0;
    for (int d = 1; d < p->ndim; d++) {
        if (step[d] != 0 && size_of(step[d]) < size_of(step[best])) best = d;
    }
    return best != 0 && distinct(p, k) > SMALL_OPERAND ? best : 0;
}

/* Boxes hold whole lines of a transposed operand, which lie along this dimension. */
static void turn(plan *p, int k, int along, ptrdiff_t *room) {
    ptrdiff_t line = LINES_BYTES / p->memory[k];
    if (p->it->shape[along] < line + line / 2) line = p->it->shape[along];
    if (p->extent[along] >= line || line > *room) return;
    *room /= line;
    p->extent[along] = line;
}

/* Sets the modes that do not depend on boxes, and the extents. */
static void choose_box(plan *p) {
    const ptrdiff_t *shape = p->it->shape;
    int copies = 0, widest = 1, first = 0;
    uint8_t along[VEKT_MAX_OPERANDS];
    for (int d = 0; d < p->ndim; d++) {
        p->extent[d] = 1;
        p->order[d] = d;
    }
    for (int k = 0; k < p->n_args; k++) {
        const ptrdiff_t step = p->it->step[k][0];
        const int contiguous = step == p->memory[k] || shape[0] == 1, same = p->it->type[k] == p->operation->type[k];
        p->mode[k] = k < p->operation->nin && is_constant(p, k) ? SPLAT : DIRECT;
        along[k] = 0;
        if (p->item[k] > widest) widest = p->item[k];
        if (p->mode[k] == SPLAT || (step == 0 && shape[0] >= LONG_RUN)) continue;
        if (same && (contiguous || step == 0)) continue;
        p->mode[k] = COPIED;
        copies = 1;
        if (!contiguous && step != 0) along[k] = (uint8_t)closest(p, k);
        if (along[k] && !first) first = along[k];
    }
    if (!copies && (p->ndim == 1 || shape[0] >= LONG_ROW)) {
        ptrdiff_t room = UNCOPIED_ELEMENTS;
        for (int d = 0; d < p->ndim && room > 1; d++) room /= p->extent[d] = share(shape[d], room);
        return;
    }
    const ptrdiff_t bytes = !first ? BOX_BYTES : shape[0] < 8 ? NARROW_BYTES : TURNED_BYTES;
    ptrdiff_t room = bytes / widest;
    for (int k = 0; k < p->n_args; k++) {
        if (along[k]) turn(p, k, along[k], &room);
    }
    if (first) { /* the next box continues the lines that this one has begun to read */
        for (int d = first; d > 0; d--) p->order[d] = p->order[d - 1];
        p->order[0] = first;
    }
    for (int d = 0; d < p->ndim && room > 1; d++) {
        room *= p->extent[d];
        ptrdiff_t part = share(shape[d], room);
        if (first && d == 0 && part > 2 * LONG_RUN && part * widest % ALIASING_BYTES == 0) {
            part = share(shape[d], part - 16);
            if (part * widest % ALIASING_BYTES == 0) part += 16;
        }
        if (part < p->extent[d]) part = p->extent[d];
        p->extent[d] = part;
        room /= part;
    }
    ptrdiff_t box = 1;
    for (int d = 0; d < p->ndim; d++) box *= p->extent[d];
    const ptrdiff_t enough = smaller(box, LONG_RUN);
    for (int k = 0; k < p->n_args; k++) {
        if (p->mode[k] == DIRECT && p->extent[0] < enough && stretch(p, k) < enough) p->mode[k] = COPIED;
    }
}

static int shares_memory(const plan *p, int k) {
    for (int j = 0; j < p->operation->nin; j++) {
        if (p->it->data[j] == p->it->data[k]) return 1; /* in place: the lines are read anyway */
    }
    return 0;
}

/* The boxes, and scratch memory for one of them. */
static void lay_out(plan *p) {
    p->box = p->boxes = 1;
    for (int d = 0; d < p->ndim; d++) {
        p->box *= p->extent[d];
        p->boxes *= ceil_divide(p->it->shape[d], p->extent[d]);
    }
    int raw = 0;
    p->scratch = 0;
    for (int k = 0; k < p->n_args; k++) {
        if (p->mode[k] == DIRECT && p->it->step[k][0] == 0 && k < p->operation->nin) p->mode[k] = SPLAT;
        if (p->mode[k] != COPIED && p->mode[k] != STREAMED) continue;
        p->buffer[k] = p->scratch;
        p->scratch += ((size_t)(p->box * p->item[k]) + VEKT_BOX_SLACK + 63) & ~(size_t)63;
        if (p->it->type[k] != p->operation->type[k] && p->memory[k] > raw) raw = p->memory[k];
    }
    p->raw = p->scratch;
    if (raw) p->scratch += (size_t)(p->box * raw) + VEKT_BOX_SLACK;
}

/* Large outputs by way of the first-level cache. */
static void choose_streams(plan *p) {
    ptrdiff_t all = 1;
    for (int d = 0; d < p->ndim; d++) all *= p->it->shape[d];
    for (int k = p->operation->nin; k < p->n_args; k++) {
        if (p->mode[k] != DIRECT || p->extent[0] < LONG_ROW || shares_memory(p, k)) continue;
        if (!vekt_should_stream(p->it->data[k], all * p->item[k], p->operation->cost)) continue;
        p->mode[k] = STREAMED;
        ptrdiff_t room = BOX_BYTES / p->item[k];
        for (int d = 0; d < p->ndim; d++) {
            if (p->extent[d] > room) p->extent[d] = room;
            room = room / p->extent[d] > 1 ? room / p->extent[d] : 1;
        }
    }
}

/* ---- run ------------------------------------------------------------------------------------------------------ */

typedef struct {
    const plan *plan;
    ptrdiff_t extent[VEKT_MAX_DIMS]; /* of the box at hand */
    ptrdiff_t total, run;            /* its elements, and those of a run */
    int outer;                       /* the first dimension from run to run */
    char *scratch;
    char *at[VEKT_MAX_OPERANDS];               /* first element of the box */
    const char *copied[VEKT_MAX_OPERANDS];     /* what the buffers hold: of which box, */
    ptrdiff_t copied_total[VEKT_MAX_OPERANDS]; /* and how many elements of it */
    const char *splatted[VEKT_MAX_OPERANDS];
} worker;

/* One value, as the operation takes it, over VEKT_SPLAT_BYTES. */
static void fill_splat(const plan *p, int k, char *splat, const char *value) {
    const int item = p->item[k];
    vekt_convert(p->target, p->operation->type[k], splat, p->it->type[k], value, 1);
    for (int have = item; have < VEKT_SPLAT_BYTES; have *= 2) memcpy(splat + have, splat, (size_t)have);
}

/* How the operands that are used in place go together over a box of these extents. */
static void measure_box(worker *w) {
    const plan *p = w->plan;
    w->total = 1;
    for (int d = 0; d < p->ndim; d++) w->total *= w->extent[d];
    w->run = w->extent[0];
    w->outer = 1;
    for (; w->outer < p->ndim; w->outer++) {
        const int d = w->outer;
        if (w->extent[d] == 1) continue;
        for (int k = 0; k < p->n_args; k++) {
            if (p->mode[k] == COPIED) continue;
            if (p->it->step[k][d] != (p->mode[k] == SPLAT ? 0 : p->memory[k] * w->run)) return;
        }
        w->run *= w->extent[d];
    }
}

static vekt_box box_of(const worker *w, int k) { return (vekt_box){w->plan->ndim, w->extent, w->plan->it->step[k]}; }

/* A box cut short along its last dimension is the beginning of a whole one. */
static int is_beginning(const worker *w) {
    const plan *p = w->plan;
    for (int d = 0, cut = 0; d < p->ndim; d++) {
        if (cut && p->extent[d] > 1) return 0;
        cut |= w->extent[d] < p->extent[d];
    }
    return 1;
}

static void copy_inputs(worker *w, int beginning) {
    const plan *p = w->plan;
    for (int k = 0; k < p->operation->nin; k++) {
        if (p->mode[k] != COPIED) continue;
        if (beginning && w->copied[k] == w->at[k] && w->copied_total[k] >= w->total) continue;
        const vekt_box box = box_of(w, k);
        vekt_gather_box(p->target, &box, p->operation->type[k], w->scratch + p->buffer[k], p->it->type[k], w->at[k],
                        w->scratch + p->raw);
        w->copied[k] = beginning ? w->at[k] : NULL;
        w->copied_total[k] = w->total;
    }
}

static void copy_outputs(worker *w) {
    const plan *p = w->plan;
    for (int k = p->operation->nin; k < p->n_args; k++) {
        if (p->mode[k] != COPIED) continue;
        const vekt_box box = box_of(w, k);
        vekt_scatter_box(p->target, &box, p->it->type[k], w->at[k], p->operation->type[k], w->scratch + p->buffer[k],
                         w->scratch + p->raw);
    }
}

static void run_box(worker *w, char (*splats)[VEKT_SPLAT_BYTES]) {
    const plan *p = w->plan;
    char *place[VEKT_MAX_OPERANDS], *args[VEKT_MAX_OPERANDS];
    ptrdiff_t advance[VEKT_MAX_OPERANDS], index[VEKT_MAX_DIMS];
    for (int k = 0; k < p->n_args; k++) {
        place[k] = w->at[k];
        advance[k] = p->mode[k] == SPLAT ? 0 : p->item[k];
    }
    for (int d = w->outer; d < p->ndim; d++) index[d] = 0;
    for (ptrdiff_t done = 0;;) {
        for (int k = 0; k < p->n_args; k++) {
            if (p->mode[k] == DIRECT) {
                args[k] = place[k];
            } else if (p->mode[k] != SPLAT) {
                args[k] = w->scratch + p->buffer[k] + done * p->item[k];
            } else {
                args[k] = splats[k];
                if (w->splatted[k] != place[k]) fill_splat(p, k, splats[k], w->splatted[k] = place[k]);
            }
        }
        if (w->outer < p->ndim) { /* rows far apart: the prefetcher does not know where the next one begins */
            for (int k = 0; k < p->n_args; k++) {
                if (p->mode[k] == DIRECT) __builtin_prefetch(place[k] + p->it->step[k][w->outer]);
            }
        }
        p->operation->run(p->operation, args, advance, w->run);
        for (int k = p->operation->nin; k < p->n_args; k++) {
            if (p->mode[k] == STREAMED) p->target->stream(place[k], args[k], (size_t)(w->run * p->item[k]));
        }
        done += w->run;
        if (done == w->total) return;
        for (int d = w->outer; d < p->ndim; d++) {
            const int more = ++index[d] < w->extent[d];
            const ptrdiff_t back = more ? 0 : index[d];
            for (int k = 0; k < p->n_args; k++) place[k] += p->it->step[k][d] * (1 - back);
            if (more) break;
            index[d] = 0;
        }
    }
}

/* Boxes begin to end - 1. */
static void run_boxes(void *context, ptrdiff_t begin, ptrdiff_t end) {
    const plan *p = context;
    _Alignas(64) char splats[VEKT_MAX_OPERANDS][VEKT_SPLAT_BYTES];
    ptrdiff_t index[VEKT_MAX_DIMS];
    worker w;
    w.plan = p;
    w.scratch = p->scratch ? vekt_workspace(VEKT_WORKSPACE_BOX, p->scratch) : NULL;
    if (p->scratch && !w.scratch) {
        atomic_store(p->failed, 1);
        return;
    }
    for (int k = 0; k < p->n_args; k++) {
        w.at[k] = p->it->data[k];
        w.copied[k] = w.splatted[k] = NULL;
    }
    ptrdiff_t rest = begin;
    for (int i = 0; i < p->ndim; i++) {
        const int d = p->order[i];
        const ptrdiff_t count = ceil_divide(p->it->shape[d], p->extent[d]);
        index[d] = rest % count * p->extent[d];
        rest /= count;
        for (int k = 0; k < p->n_args; k++) w.at[k] += index[d] * p->it->step[k][d];
    }
    for (int measured = 0, beginning = 0;;) {
        int same = measured;
        for (int d = 0; d < p->ndim; d++) {
            const ptrdiff_t extent = smaller(p->it->shape[d] - index[d], p->extent[d]);
            if (!measured || w.extent[d] != extent) same = 0;
            w.extent[d] = extent;
        }
        if (!same) {
            measure_box(&w);
            beginning = is_beginning(&w);
            measured = 1;
        }
        copy_inputs(&w, beginning);
        run_box(&w, splats);
        copy_outputs(&w);
        if (++begin == end) return;
        for (int i = 0; i < p->ndim; i++) {
            const int d = p->order[i];
            const ptrdiff_t step = p->extent[d], former = index[d];
            index[d] = former + step < p->it->shape[d] ? former + step : 0;
            for (int k = 0; k < p->n_args; k++) w.at[k] += (index[d] - former) * p->it->step[k][d];
            if (index[d] != 0) break;
        }
    }
}

static ptrdiff_t count(const plan *p) {
    ptrdiff_t n = 1;
    for (int d = 0; d < p->ndim; d++) n *= p->it->shape[d];
    return n;
}

int vekt_iterate(const vekt_target *target, vekt_iteration *it) {
    plan p;
    p.target = target;
    p.operation = it->operation;
    p.it = it;
    p.n_args = it->operation->nin + it->operation->nout;
    for (int k = 0; k < p.n_args; k++) {
        p.memory[k] = (uint8_t)vekt_type_bytes(it->type[k]);
        p.item[k] = (uint8_t)vekt_type_bytes(it->operation->type[k]);
    }
    if (!order_dims(&p, it)) return 0;
    join_dims(&p, it);
    choose_box(&p);
    choose_streams(&p);
    lay_out(&p);
    _Atomic int failed = 0;
    p.failed = &failed;
    const vekt_fpenv saved = vekt_fpenv_enter();
    if (p.boxes > 1 && count(&p) > THREADED_PICOSECONDS / (p.operation->cost + 1))
        vekt_parallel_for(p.boxes, 1, run_boxes, &p);
    else
        run_boxes(&p, 0, p.boxes);
    vekt_fpenv_leave(saved);
    return atomic_load(&failed) ? -1 : 0;
}
