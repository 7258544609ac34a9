#include "box.h"
#include "plan.h"
#include "streaming.h"
#include "runtime/machine.h"

/* Measured on AMD's Zen 4 and 5.  In elements unless it says otherwise. */
enum {
    LONG_ROW = 256,        /* rows this long run one by one; shorter ones in boxes: 7-16 times as quick at 3 to 8 */
    LONG_RUN = 128,        /* what is contiguous for less than this is copied */
    BOX_BYTES = 8192,      /* of a copied operand: a few of them stay in the first-level cache */
    READ_ELEMENTS = 512,   /* of a box whose copies come from memory: the shorter, the sooner it is asked for more */
    NARROW_BYTES = 16384,  /* and the rows are very short */
    SMALL_OPERAND = 2048,  /* of fewer different elements, an operand stays in the cache whatever its order */
    LINES_BYTES = 256,     /* of it read side by side: less, and its lines are read one by one */
    ALIASING_BYTES = 1024, /* rows of a copy a multiple of this apart share a few lines of the first-level cache */
    UNCOPIED_ELEMENTS = 65536 /* where nothing is copied, boxes are there for the threads alone */
};

/* Does dimension a come before b?  By the steps of the outputs, then of the inputs: so that what is contiguous in
 * most of them comes first. */
static int precedes(const vekt_plan *p, const ptrdiff_t (*step)[VEKT_MAX_DIMS], int a, int b) {
    const int nin = p->operation->nin;
    for (int j = 0; j < p->n_args; j++) {
        const int k = j < p->operation->nout ? nin + j : j - p->operation->nout;
        const ptrdiff_t x = vekt_magnitude(step[k][a]), y = vekt_magnitude(step[k][b]);
        if (x != y) return x < y;
    }
    return 0;
}

/* Writes to it->shape, step and data.  Returns 0 where there are no elements. */
static int order_dims(vekt_plan *p, vekt_iteration *it) {
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

static void join_dims(vekt_plan *p, vekt_iteration *it) {
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

static int is_constant(const vekt_plan *p, int k) {
    for (int d = 0; d < p->ndim; d++) {
        if (p->it->step[k][d] != 0) return 0;
    }
    return 1;
}

/* How many different elements an operand has. */
static ptrdiff_t distinct(const vekt_plan *p, int k) {
    ptrdiff_t count = 1;
    for (int d = 0; d < p->ndim; d++) {
        if (p->it->step[k][d] != 0) count *= p->it->shape[d];
    }
    return count;
}

/* Along a dimension of n elements: about as many in each box, at most `most`.  Where there are many, a multiple of
 * 16, so that boxes of arrays that are aligned to lines are, too. */
static ptrdiff_t share(ptrdiff_t n, ptrdiff_t most) {
    if (n <= most) return n;
    const ptrdiff_t part = vekt_ceil_divide(n, vekt_ceil_divide(n, most)), lines = (part + 15) & ~(ptrdiff_t)15;
    if (part < 32) return part;
    return lines <= most ? lines : most & ~(ptrdiff_t)15;
}

/* Over how many elements of a box memory of operand k is one stretch, or one value. */
static ptrdiff_t stretch(const vekt_plan *p, int k) {
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
static int closest(const vekt_plan *p, int k) {
    const ptrdiff_t *step = p->it->step[k];
    int best = 0;
    for (int d = 1; d < p->ndim; d++) {
        if (step[d] != 0 && vekt_magnitude(step[d]) < vekt_magnitude(step[best])) best = d;
    }
    return best != 0 && distinct(p, k) > SMALL_OPERAND ? best : 0;
}

/* What operands ask of a box. */
typedef struct {
    int copies;                       /* is one copied? */
    int reads;                        /* and not from the cache alone? */
    int widest;                       /* bytes of the widest element */
    uint8_t along[VEKT_MAX_OPERANDS]; /* the dimension along which the lines of a transposed operand lie, or 0 */
    int first;                        /* the first of these */
} needs;

/* Sets the modes that do not depend on boxes. */
static needs find_needs(vekt_plan *p) {
    const ptrdiff_t *shape = p->it->shape;
    needs found = {.widest = 1};
    for (int k = 0; k < p->n_args; k++) {
        const ptrdiff_t step = p->it->step[k][0];
        const int contiguous = step == p->memory[k] || shape[0] == 1, same = p->it->type[k] == p->operation->type[k];
        p->mode[k] = k < p->operation->nin && is_constant(p, k) ? VEKT_SPLAT : VEKT_DIRECT;
        if (p->item[k] > found.widest) found.widest = p->item[k];
        if (p->mode[k] == VEKT_SPLAT || (step == 0 && shape[0] >= LONG_RUN)) continue;
        if (same && (contiguous || step == 0)) continue;
        p->mode[k] = VEKT_COPIED;
        found.copies = 1;
        found.reads |= !same || distinct(p, k) > SMALL_OPERAND;
        if (!contiguous && step != 0) found.along[k] = (uint8_t)closest(p, k);
        if (found.along[k] && !found.first) found.first = found.along[k];
    }
    return found;
}

/* Boxes hold whole lines of transposed operands; the next box continues the lines that this one has begun to read. */
static void take_lines(vekt_plan *p, const needs *wanted, ptrdiff_t *room) {
    for (int k = 0; k < p->n_args; k++) {
        const int along = wanted->along[k];
        if (!along) continue;
        ptrdiff_t line = LINES_BYTES / p->memory[k];
        if (p->it->shape[along] < line + line / 2) line = p->it->shape[along];
        if (p->extent[along] >= line || line > *room) continue;
        *room /= line;
        p->extent[along] = line;
    }
    for (int d = wanted->first; d > 0; d--) p->order[d] = p->order[d - 1];
    p->order[0] = wanted->first;
}

/* As many elements as there is room for, the first dimension first.  Not with rows of a copy that are a multiple of
 * ALIASING_BYTES apart, where `widest` is given. */
static void fill(vekt_plan *p, ptrdiff_t room, int widest) {
    const ptrdiff_t *shape = p->it->shape;
    for (int d = 0; d < p->ndim && room > 1; d++) {
        room *= p->extent[d];
        ptrdiff_t part = share(shape[d], room);
        if (widest && d == 0 && part > 2 * LONG_RUN && part * widest % ALIASING_BYTES == 0) {
            part = share(shape[d], part - 16);
            if (part * widest % ALIASING_BYTES == 0) part += 16;
        }
        if (part < p->extent[d]) part = p->extent[d];
        p->extent[d] = part;
        room /= part;
    }
}

/* The strategies, each with what it has been measured by (`vekt compare` is `V`, asv_bench/benchmarks `B`). */

/* Nothing is copied, and rows are long: boxes are there for the threads alone.
 * V --op add: "equal shapes", "rows".  B bench_elementwise.TimeContiguous. */
static void box_for_threads(vekt_plan *p) {
    ptrdiff_t room = UNCOPIED_ELEMENTS;
    for (int d = 0; d < p->ndim && room > 1; d++) room /= p->extent[d] = share(p->it->shape[d], room);
}

/* Copies stay in the first-level cache; short ones where they come from memory.
 * V --op add: "(..., 3), (3,)", "columns", "uint8 (..., 3), (3,)".  B bench_elementwise.TimeLayouts. */
static ptrdiff_t room_for_copies(const needs *wanted) {
    return wanted->reads ? READ_ELEMENTS : BOX_BYTES / wanted->widest;
}

static void box_of_copies(vekt_plan *p, const needs *wanted) { fill(p, room_for_copies(wanted), 0); }

/* A few elements side by side, as of a pixel, are turned in a box of that size.
 * V --op layouts.  B bench_layouts.TimeElementwise. */
static void box_of_pixels(vekt_plan *p, const needs *wanted) {
    ptrdiff_t room = room_for_copies(wanted);
    take_lines(p, wanted, &room);
    fill(p, room, 0);
}

static int has_pixels(const vekt_plan *p, const needs *wanted) {
    return p->it->shape[wanted->first] * wanted->widest <= 16 && p->it->shape[0] >= READ_ELEMENTS;
}

/* Of long lines of a transposed operand, many have to stay in the second-level cache.
 * V --op add: "A, A.T"; --op layouts.  B bench_elementwise.TimeLayouts, bench_layouts.TimeElementwise. */
static void box_of_lines(vekt_plan *p, const needs *wanted) {
    ptrdiff_t room = (p->it->shape[0] < 8 ? NARROW_BYTES : vekt_this_machine.turned_bytes) / wanted->widest;
    take_lines(p, wanted, &room);
    fill(p, room, wanted->widest);
}

/* Operands that are not contiguous for long in a box are copied, too. */
static void copy_short_runs(vekt_plan *p) {
    ptrdiff_t box = 1;
    for (int d = 0; d < p->ndim; d++) box *= p->extent[d];
    const ptrdiff_t enough = vekt_smaller(box, LONG_RUN);
    for (int k = 0; k < p->n_args; k++) {
        if (p->mode[k] == VEKT_DIRECT && p->extent[0] < enough && stretch(p, k) < enough) p->mode[k] = VEKT_COPIED;
    }
}

/* Sets modes, extents and order. */
static void choose_box(vekt_plan *p) {
    const needs wanted = find_needs(p);
    for (int d = 0; d < p->ndim; d++) {
        p->extent[d] = 1;
        p->order[d] = d;
    }
    if (!wanted.copies && (p->ndim == 1 || p->it->shape[0] >= LONG_ROW)) {
        box_for_threads(p);
        return;
    }
    if (!wanted.first)
        box_of_copies(p, &wanted);
    else if (has_pixels(p, &wanted))
        box_of_pixels(p, &wanted);
    else
        box_of_lines(p, &wanted);
    copy_short_runs(p);
}

static int shares_memory(const vekt_plan *p, int k) {
    for (int j = 0; j < p->operation->nin; j++) {
        if (p->it->data[j] == p->it->data[k]) return 1; /* in place: the lines are read anyway */
    }
    return 0;
}

/* The boxes, and scratch memory for one of them. */
static void lay_out(vekt_plan *p) {
    p->box = p->boxes = 1;
    for (int d = 0; d < p->ndim; d++) {
        p->box *= p->extent[d];
        p->boxes *= vekt_ceil_divide(p->it->shape[d], p->extent[d]);
    }
    int raw = 0;
    p->scratch = 0;
    for (int k = 0; k < p->n_args; k++) {
        if (p->mode[k] == VEKT_DIRECT && p->it->step[k][0] == 0 && k < p->operation->nin) p->mode[k] = VEKT_SPLAT;
        if (p->mode[k] != VEKT_COPIED && p->mode[k] != VEKT_STREAMED) continue;
        p->buffer[k] = p->scratch;
        p->scratch += ((size_t)(p->box * p->item[k]) + VEKT_BOX_SLACK + 63) & ~(size_t)63;
        if (p->it->type[k] != p->operation->type[k] && p->memory[k] > raw) raw = p->memory[k];
    }
    p->raw = p->scratch;
    if (raw) p->scratch += (size_t)(p->box * raw) + VEKT_BOX_SLACK;
}

/* Large outputs by way of the first-level cache. */
static void choose_streams(vekt_plan *p) {
    ptrdiff_t all = 1;
    for (int d = 0; d < p->ndim; d++) all *= p->it->shape[d];
    for (int k = p->operation->nin; k < p->n_args; k++) {
        if (p->mode[k] != VEKT_DIRECT || p->extent[0] < LONG_ROW || shares_memory(p, k)) continue;
        if (!vekt_should_stream(p->it->data[k], all * p->item[k], p->operation->cost)) continue;
        p->mode[k] = VEKT_STREAMED;
        ptrdiff_t room = BOX_BYTES / p->item[k];
        for (int d = 0; d < p->ndim; d++) {
            if (p->extent[d] > room) p->extent[d] = room;
            room = room / p->extent[d] > 1 ? room / p->extent[d] : 1;
        }
    }
}

int vekt_plan_call(vekt_plan *p, vekt_iteration *it) {
    if (!order_dims(p, it)) return 0;
    join_dims(p, it);
    choose_box(p);
    choose_streams(p);
    lay_out(p);
    return 1;
}
