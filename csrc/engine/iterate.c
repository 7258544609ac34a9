/* Elementwise operations on operands of any layout and type: plan.h tells how. */
#include "box.h"
#include "convert.h"
#include "runtime/fpenv.h"
#include "linalg/matmul.h"
#include "plan.h"

#include <stdatomic.h>
#include <string.h>

enum {
    THREADED_PICOSECONDS = 60000000, /* a call is shared out from this much work on */
    PLAIN_ELEMENTS = 4096,           /* too few to plan anything where all operands are contiguous or one value; */
    PLAIN_BYTES = 4096               /* those to convert as long as there is room */
};

typedef struct {
    const vekt_plan *plan;
    ptrdiff_t extent[VEKT_MAX_DIMS]; /* of the box at hand */
    ptrdiff_t total, run;            /* its elements, and those of a run */
    int outer;                       /* the first dimension from run to run */
    char *scratch;
    char *at[VEKT_MAX_OPERANDS];               /* first element of the box */
    const char *copied[VEKT_MAX_OPERANDS];     /* what the buffers hold: of which box, */
    ptrdiff_t copied_total[VEKT_MAX_OPERANDS]; /* and how many elements of it */
    const char *splatted[VEKT_MAX_OPERANDS];
} worker;

/* One value, as the operation takes it, over VEKT_SPLAT_BYTES: once for each row where a column meets a matrix. */
static void fill_splat(const vekt_plan *p, int k, char *splat, const char *value) {
    const int item = p->item[k];
    uint64_t words[2] = {0, 0};
    if (p->it->type[k] == p->operation->type[k])
        memcpy(words, value, (size_t)item);
    else
        vekt_convert(p->target, p->operation->type[k], words, p->it->type[k], value, 1);
    for (int have = item; have < 8; have *= 2) words[0] |= words[0] << 8 * have;
    if (item < 16) words[1] = words[0];
    for (int i = 0; i < VEKT_SPLAT_BYTES; i += (int)sizeof words) memcpy(splat + i, words, sizeof words);
}

/* How the operands that are used in place go together over a box of these extents. */
static void measure_box(worker *w) {
    const vekt_plan *p = w->plan;
    w->total = 1;
    for (int d = 0; d < p->ndim; d++) w->total *= w->extent[d];
    w->run = w->extent[0];
    w->outer = 1;
    for (; w->outer < p->ndim; w->outer++) {
        const int d = w->outer;
        if (w->extent[d] == 1) continue;
        for (int k = 0; k < p->n_args; k++) {
            if (p->mode[k] == VEKT_COPIED) continue;
            if (p->it->step[k][d] != (p->mode[k] == VEKT_SPLAT ? 0 : p->memory[k] * w->run)) return;
        }
        w->run *= w->extent[d];
    }
}

static vekt_box box_of(const worker *w, int k) { return (vekt_box){w->plan->ndim, w->extent, w->plan->it->step[k]}; }

/* A box cut short along its last dimension is the beginning of a whole one. */
static int is_beginning(const worker *w) {
    const vekt_plan *p = w->plan;
    for (int d = 0, cut = 0; d < p->ndim; d++) {
        if (cut && p->extent[d] > 1) return 0;
        cut |= w->extent[d] < p->extent[d];
    }
    return 1;
}

static void copy_inputs(worker *w, int beginning) {
    const vekt_plan *p = w->plan;
    for (int k = 0; k < p->operation->nin; k++) {
        if (p->mode[k] != VEKT_COPIED) continue;
        if (beginning && w->copied[k] == w->at[k] && w->copied_total[k] >= w->total) continue;
        const vekt_box box = box_of(w, k);
        vekt_gather_box(p->target, &box, p->operation->type[k], w->scratch + p->buffer[k], p->it->type[k], w->at[k],
                        w->scratch + p->raw);
        w->copied[k] = beginning ? w->at[k] : NULL;
        w->copied_total[k] = w->total;
    }
}

static void copy_outputs(worker *w) {
    const vekt_plan *p = w->plan;
    for (int k = p->operation->nin; k < p->n_args; k++) {
        if (p->mode[k] != VEKT_COPIED) continue;
        const vekt_box box = box_of(w, k);
        vekt_scatter_box(p->target, &box, p->it->type[k], w->at[k], p->operation->type[k], w->scratch + p->buffer[k],
                         w->scratch + p->raw);
    }
}

static void run_box(worker *w, char (*splats)[VEKT_SPLAT_BYTES]) {
    const vekt_plan *p = w->plan;
    char *place[VEKT_MAX_OPERANDS], *args[VEKT_MAX_OPERANDS];
    ptrdiff_t advance[VEKT_MAX_OPERANDS], index[VEKT_MAX_DIMS];
    for (int k = 0; k < p->n_args; k++) {
        place[k] = w->at[k];
        advance[k] = p->mode[k] == VEKT_SPLAT ? 0 : p->item[k];
    }
    for (int d = w->outer; d < p->ndim; d++) index[d] = 0;
    for (ptrdiff_t done = 0;;) {
        for (int k = 0; k < p->n_args; k++) {
            if (p->mode[k] == VEKT_DIRECT) {
                args[k] = place[k];
            } else if (p->mode[k] != VEKT_SPLAT) {
                args[k] = w->scratch + p->buffer[k] + done * p->item[k];
            } else {
                args[k] = splats[k];
                if (w->splatted[k] != place[k]) fill_splat(p, k, splats[k], w->splatted[k] = place[k]);
            }
        }
        if (w->outer <
            p->ndim) { /* where rows are far apart, the prefetcher does not know where the next one begins */
            for (int k = 0; k < p->n_args; k++) {
                const ptrdiff_t step = p->it->step[k][w->outer];
                if (p->mode[k] == VEKT_DIRECT && step > w->run * p->item[k]) __builtin_prefetch(place[k] + step);
            }
        }
        p->operation->run(p->operation, args, advance, w->run);
        for (int k = p->operation->nin; k < p->n_args; k++) {
            if (p->mode[k] == VEKT_STREAMED) p->target->stream(place[k], args[k], (size_t)(w->run * p->item[k]));
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

/* Is there the memory on this thread that the operation will ask for?  It cannot say so itself. */
static int has_scratch(const vekt_operation *o) {
    return !o->scratch || vekt_workspace(VEKT_WORKSPACE_PROGRAM, o->scratch);
}

/* Boxes begin to end - 1. */
static void run_boxes(void *context, ptrdiff_t begin, ptrdiff_t end) {
    const vekt_plan *p = context;
    _Alignas(64) char splats[VEKT_MAX_OPERANDS][VEKT_SPLAT_BYTES];
    ptrdiff_t index[VEKT_MAX_DIMS];
    worker w;
    w.plan = p;
    w.scratch = p->scratch ? vekt_workspace(VEKT_WORKSPACE_BOX, p->scratch) : NULL;
    if ((p->scratch && !w.scratch) || !has_scratch(p->operation)) {
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
        const ptrdiff_t count = vekt_ceil_divide(p->it->shape[d], p->extent[d]);
        index[d] = rest % count * p->extent[d];
        rest /= count;
        for (int k = 0; k < p->n_args; k++) w.at[k] += index[d] * p->it->step[k][d];
    }
    for (int measured = 0, beginning = 0;;) {
        int same = measured;
        for (int d = 0; d < p->ndim; d++) {
            const ptrdiff_t extent = vekt_smaller(p->it->shape[d] - index[d], p->extent[d]);
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

static ptrdiff_t count(const vekt_plan *p) {
    ptrdiff_t n = 1;
    for (int d = 0; d < p->ndim; d++) n *= p->it->shape[d];
    return n;
}

/* Of a call on few elements: args that are NULL are converted, in one buffer.  0 where there is no room.  Not inline:
 * most calls need no such frame. */
__attribute__((noinline)) static int run_converted(const vekt_plan *p, const vekt_iteration *it, char **args,
                                                   const ptrdiff_t *advance, ptrdiff_t n) {
    _Alignas(64) char buffer[PLAIN_BYTES];
    const int nin = p->operation->nin;
    uint8_t converted[VEKT_MAX_OPERANDS];
    ptrdiff_t used = 0;
    for (int k = 0; k < p->n_args; k++) {
        converted[k] = !args[k];
        if (args[k]) continue;
        args[k] = buffer + used;
        used += (n * p->item[k] + 63) & ~(ptrdiff_t)63;
        if (used > PLAIN_BYTES) return 0;
    }
    for (int k = 0; k < nin; k++) {
        if (converted[k]) vekt_convert(p->target, p->operation->type[k], args[k], it->type[k], it->data[k], n);
    }
    p->operation->run(p->operation, args, advance, n);
    for (int k = nin; k < p->n_args; k++) {
        if (converted[k]) vekt_convert(p->target, it->type[k], it->data[k], p->operation->type[k], args[k], n);
    }
    return 1;
}

/* A call on few elements, in the order in which they lie: half the time of one that is planned.  0 if it is not one,
 * -1 where scratch memory is missing. */
static int run_plain(const vekt_plan *p, const vekt_iteration *it) {
    _Alignas(64) char splats[VEKT_MAX_OPERANDS][VEKT_SPLAT_BYTES];
    char *args[VEKT_MAX_OPERANDS];
    ptrdiff_t advance[VEKT_MAX_OPERANDS], n = 1;
    const int nin = p->operation->nin;
    int in_place = 1, done = 1;
    for (int d = 0; d < it->ndim; d++) n *= it->shape[d];
    if (n == 0 || n > PLAIN_ELEMENTS) return 0;
    for (int k = 0; k < p->n_args; k++) {
        ptrdiff_t dense = p->memory[k], steps = 0, gaps = 0; /* zero for one value; for elements side by side */
        for (int d = it->ndim - 1; d >= 0; d--) {
            if (it->shape[d] == 1) continue;
            steps |= it->step[k][d];
            gaps |= it->step[k][d] ^ dense;
            dense *= it->shape[d];
        }
        const int same = it->type[k] == p->operation->type[k];
        if (gaps == 0 && (same || steps != 0 || k >= nin)) {
            args[k] = same ? it->data[k] : NULL;
            advance[k] = p->item[k];
            in_place &= same;
        } else if (steps == 0 && k < nin) {
            args[k] = splats[k];
            advance[k] = 0;
        } else {
            return 0;
        }
    }
    if (!has_scratch(p->operation)) return -1;
    const vekt_fpenv saved = vekt_fpenv_enter();
    for (int k = 0; k < nin; k++) {
        if (advance[k] == 0) fill_splat(p, k, splats[k], it->data[k]);
    }
    if (in_place)
        p->operation->run(p->operation, args, advance, n);
    else
        done = run_converted(p, it, args, advance, n);
    vekt_fpenv_leave(saved);
    return done;
}

int vekt_iterate(const vekt_target *target, vekt_iteration *it) {
    vekt_plan p;
    p.target = target;
    p.operation = it->operation;
    p.it = it;
    p.n_args = it->operation->nin + it->operation->nout;
    for (int k = 0; k < p.n_args; k++) {
        p.memory[k] = (uint8_t)vekt_type_bytes(it->type[k]);
        p.item[k] = (uint8_t)vekt_type_bytes(it->operation->type[k]);
    }
    const int plain = run_plain(&p, it);
    if (plain || !vekt_plan_call(&p, it)) return plain < 0 ? -1 : 0;
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
