/* Running sums and products along one axis of any layout: lines one by one where they lie in one piece, columns side
 * by side where those do, and everything else by way of the first-level cache.  Each line has its own order, which
 * nothing changes: neither the layout nor the threads. */
#include "dims.h"
#include "engine/convert.h"
#include "runtime/fpenv.h"

#include <stdatomic.h>
#include <string.h>

enum { X = VEKT_NORM_X, OUT = VEKT_NORM_OUT };
enum { PART = 1024, COLUMNS = 512, ROWS = 8, THREADED_BYTES = 8 << 20, GROUP_ELEMENTS = 4096, SHORT = 16, FEW = 8 };

typedef struct {
    const vekt_target *target;
    const vekt_scan_call *call;
    const vekt_scan *scan;
    vekt_dim *outer, line;
    int n_outer, element_type; /* in which is computed */
    ptrdiff_t columns;         /* next to each other; 1 for lines one by one */
    ptrdiff_t segments, group; /* of columns; lines in a task */
} scan_plan;

static void strided_copy(ptrdiff_t item, char *to, ptrdiff_t to_step, const char *from, ptrdiff_t from_step,
                         ptrdiff_t n) {
#define COPY(type) \
    for (ptrdiff_t i = 0; i < n; i++) memcpy(to + i * to_step, from + i * from_step, sizeof(type))
    switch (item) {
    case 1:
        COPY(uint8_t);
        break;
    case 2:
        COPY(uint16_t);
        break;
    case 4:
        COPY(uint32_t);
        break;
    default:
        COPY(uint64_t);
    }
#undef COPY
}

/* n <= PART elements as they are computed with: in place, or in `buffer`, by way of `raw`. */
static const char *bring(const scan_plan *p, const char *x, ptrdiff_t step, ptrdiff_t n, char *raw, char *buffer) {
    const ptrdiff_t item = vekt_type_bytes(p->call->type);
    const int converts = p->call->type != p->element_type;
    if (step != item) {
        strided_copy(item, converts ? raw : buffer, item, x, step, n);
        if (!converts) return buffer;
        x = raw;
    }
    if (!converts) return x;
    vekt_convert(p->target, p->element_type, buffer, p->call->type, x, n);
    return buffer;
}

/* Where results go before deliver() takes them to their place. */
static char *place_for(const scan_plan *p, char *out, ptrdiff_t step, char *buffer) {
    return p->call->out_type == p->element_type && step == vekt_type_bytes(p->element_type) ? out : buffer;
}

static void deliver(const scan_plan *p, char *out, ptrdiff_t step, ptrdiff_t n, const char *results, char *raw) {
    const ptrdiff_t item = vekt_type_bytes(p->call->out_type);
    const int converts = p->call->out_type != p->element_type;
    if (results == out) return;
    if (converts) {
        vekt_convert(p->target, p->call->out_type, step == item ? out : raw, p->element_type, results, n);
        if (step == item) return;
        results = raw;
    }
    strided_copy(item, out, step, results, item, n);
}

static vekt_number none_of(const scan_plan *p) {
    const int product = p->call->op == VEKT_SCAN_PROD;
    if (p->element_type == VEKT_TYPE_I64) return (vekt_number){.integer = product};
    return (vekt_number){.real = product ? 1 : -0.0};
}

typedef union {
    char bytes[PART * sizeof(double)];
    double numbers[PART];
} part_buffer;

static void scan_line(const scan_plan *p, const char *x, char *out) {
    part_buffer raw, buffer;
    vekt_number carry = none_of(p);
    for (ptrdiff_t i = 0, m; i < p->line.size; i += m, x += m * p->line.step[X], out += m * p->line.step[OUT]) {
        m = vekt_smaller(p->line.size - i, PART);
        const char *dense = bring(p, x, p->line.step[X], m, raw.bytes, buffer.bytes);
        char *results = place_for(p, out, p->line.step[OUT], buffer.bytes);
        p->scan->row(dense, results, &carry, m);
        deliver(p, out, p->line.step[OUT], m, results, raw.bytes);
    }
}

static void scan_columns(const scan_plan *p, const char *x, char *out, ptrdiff_t n) {
    const vekt_dim *last = &p->outer[p->n_outer - 1];
    const ptrdiff_t item = vekt_type_bytes(p->element_type), x_step = last->step[X], out_step = last->step[OUT];
    const int in_place = p->call->type == p->element_type && x_step == item;
    const int direct = p->call->out_type == p->element_type && out_step == item;
    part_buffer raw;
    double buffer[ROWS][COLUMNS];
    vekt_number carry[COLUMNS];
    for (ptrdiff_t j = 0; j < n; j++) carry[j] = none_of(p);
    for (ptrdiff_t i = 0, rows; i < p->line.size;
         i += rows, x += rows * p->line.step[X], out += rows * p->line.step[OUT]) {
        rows = vekt_smaller(p->line.size - i, ROWS);
        for (ptrdiff_t r = 0; r < rows && !in_place; r++) {
            const char *dense = bring(p, x + r * p->line.step[X], x_step, n, raw.bytes, (char *)buffer[r]);
            if (dense != (const char *)buffer[r]) memcpy(buffer[r], dense, (size_t)(n * item));
        }
        const char *from = in_place ? x : (const char *)buffer;
        char *to = direct ? out : (char *)buffer;
        const ptrdiff_t from_step = in_place ? p->line.step[X] : (ptrdiff_t)sizeof *buffer;
        const ptrdiff_t to_step = direct ? p->line.step[OUT] : (ptrdiff_t)sizeof *buffer;
        p->scan->columns(from, from_step, to, to_step, rows, carry, n);
        for (ptrdiff_t r = 0; r < rows && !direct; r++)
            deliver(p, out + r * p->line.step[OUT], out_step, n, (const char *)buffer[r], raw.bytes);
    }
}

static void run_tasks(void *context, ptrdiff_t begin, ptrdiff_t end) {
    const scan_plan *p = context;
    const ptrdiff_t lines = vekt_count(p->outer, p->n_outer);
    for (ptrdiff_t t = begin; t < end; t++) {
        if (p->columns > 1) {
            const ptrdiff_t j = t % p->segments * COLUMNS, line = t / p->segments * p->columns + j;
            scan_columns(p, p->call->x + vekt_offset(p->outer, p->n_outer, X, line),
                         p->call->out + vekt_offset(p->outer, p->n_outer, OUT, line),
                         vekt_smaller(COLUMNS, p->columns - j));
            continue;
        }
        for (ptrdiff_t l = t * p->group; l < vekt_smaller(lines, (t + 1) * p->group); l++)
            scan_line(p, p->call->x + vekt_offset(p->outer, p->n_outer, X, l),
                      p->call->out + vekt_offset(p->outer, p->n_outer, OUT, l));
    }
}

/* Integers are summed as int64; floats of up to 32 bits to others as floats, whose sums are doubles; else doubles. */
static int computes_as(const vekt_scan_call *call) {
    const int single = call->type != VEKT_TYPE_F64 && call->type >= VEKT_TYPE_HALF && call->out_type != VEKT_TYPE_F64;
    return call->out_type <= VEKT_TYPE_U64 ? VEKT_TYPE_I64 : single ? VEKT_TYPE_F32 : VEKT_TYPE_F64;
}

void vekt_scan_along(const vekt_target *target, const vekt_scan_call *given) {
    vekt_scan_call call = *given;
    scan_plan p = {.target = target, .call = &call, .outer = call.dims, .line = call.dims[call.n_outer]};
    p.element_type = computes_as(&call);
    if (call.type == VEKT_TYPE_U64) call.type = VEKT_TYPE_I64; /* the same bits */
    if (call.out_type == VEKT_TYPE_U64) call.out_type = VEKT_TYPE_I64;
    if (given->type == VEKT_TYPE_U64 && p.element_type != VEKT_TYPE_I64) call.type = VEKT_TYPE_U64;
    const int element = p.element_type == VEKT_TYPE_I64   ? VEKT_I64
                        : p.element_type == VEKT_TYPE_F32 ? VEKT_F32
                                                          : VEKT_F64;
    p.scan = &target->scans[call.op][element];
    vekt_sort_dims(p.outer, call.n_outer, X);
    p.n_outer = vekt_join_dims(p.outer, call.n_outer);
    const vekt_dim *last = p.n_outer ? &p.outer[p.n_outer - 1] : NULL;
    const ptrdiff_t lines = vekt_count(p.outer, p.n_outer);
    const int converts = call.type != p.element_type || call.out_type != p.element_type;
    const int unit =
        last && last->step[X] == vekt_type_bytes(call.type) && vekt_magnitude(p.line.step[X]) != last->step[X];
    /* Short lines are gathered to columns: what a call costs would be most of each. */
    const int beside =
        (unit && (last->size >= FEW || !converts)) || (last && p.line.size <= SHORT && last->size >= FEW);
    p.columns = beside ? last->size : 1;
    p.segments = vekt_ceil_divide(p.columns, COLUMNS);
    p.group = GROUP_ELEMENTS / (p.line.size + 1) + 1;
    const ptrdiff_t tasks = beside ? lines / p.columns * p.segments : vekt_ceil_divide(lines, p.group);
    if (lines == 0 || p.line.size == 0) return;
    const vekt_fpenv saved = vekt_fpenv_enter();
    if (lines * p.line.size * vekt_type_bytes(call.type) >= THREADED_BYTES)
        vekt_parallel_for(tasks, tasks > 64 ? tasks / 64 : 1, run_tasks, &p);
    else
        run_tasks(&p, 0, tasks);
    vekt_fpenv_leave(saved);
}
