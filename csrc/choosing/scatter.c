/* Sums at given places along an axis, and ones.
 *
 * Every element of x has its terms added in the order of the indices, whatever the number of threads: these share the
 * rows before the axis, or what lies behind it, or else the axis itself, each then reading all indices. */
#include "engine/convert.h"
#include "engine/half.h"
#include "reduce/dims.h"
#include "runtime/fpenv.h"

#include <string.h>

enum { THREADED_ELEMENTS = 1 << 17 };
enum { PART_BYTES = 256 }; /* the least of what lies behind the axis that is one thread's */
enum { AHEAD = 2, LINE = 64, NARROW_BLOCK = 128, FEW = 8 };
enum { FEW_PIECE = 1 << 16, MANY_PIECE = 1 << 10 }; /* indices between two looks at signals */

typedef struct plan plan;
typedef void (*add_few)(const plan *p, char *x, const char *values, const int64_t *indices, ptrdiff_t count,
                        ptrdiff_t low, ptrdiff_t high);
typedef void (*add_many)(const plan *p, char *x, const char *values, ptrdiff_t n);

struct plan {
    const vekt_scatter_call *asked;
    add_few few;                 /* NULL where rows are long */
    add_many many;               /* of one row */
    vekt_loop loop;              /* of floats and doubles, for more than a few */
    const vekt_storage *storage; /* of 16-bit floats */
    ptrdiff_t item, unit;        /* bytes of an element, and elements of a part */
    int by_places;
};

/* Rows of so few elements that a call for each would take longer than they do. */
#define ADD_FEW(name, type, sum)                                                                                \
    static void few_##name(const plan *p, char *x, const char *values, const int64_t *indices, ptrdiff_t count, \
                           ptrdiff_t low, ptrdiff_t high) {                                                     \
        typedef type anywhere __attribute__((aligned(1), may_alias));                                           \
        const ptrdiff_t step = p->asked->step, n = p->asked->inner;                                             \
        const anywhere *b = (const anywhere *)values;                                                           \
        for (ptrdiff_t j = 0; j < count; j++, b += n) {                                                         \
            const ptrdiff_t at = (ptrdiff_t)indices[j];                                                         \
            if ((size_t)(at - low) >= (size_t)(high - low)) continue;                                           \
            anywhere *a = (anywhere *)(x + at * step);                                                          \
            if (n == 1)                                                                                         \
                *a = (type)(sum(*a, *b));                                                                       \
            else                                                                                                \
                for (ptrdiff_t i = 0; i < n; i++) a[i] = (type)(sum(a[i], b[i]));                               \
        }                                                                                                       \
    }
#define ADD_MANY(name, type, sum)                                                      \
    static void many_##name(const plan *p, char *x, const char *values, ptrdiff_t n) { \
        typedef type anywhere __attribute__((aligned(1), may_alias));                  \
        anywhere *a = (anywhere *)x;                                                   \
        const anywhere *b = (const anywhere *)values;                                  \
        (void)p;                                                                       \
        for (ptrdiff_t i = 0; i < n; i++) a[i] = (type)(sum(a[i], b[i]));              \
    }
#define SUM(a, b) (a) + (b)
#define EITHER(a, b) ((a) != 0) | ((b) != 0)
ADD_FEW(bool, uint8_t, EITHER)
ADD_FEW(u8, uint8_t, SUM)
ADD_FEW(u16, uint16_t, SUM)
ADD_FEW(u32, uint32_t, SUM)
ADD_FEW(u64, uint64_t, SUM)
ADD_FEW(f32, float, SUM)
ADD_FEW(f64, double, SUM)
ADD_MANY(bool, uint8_t, EITHER)
ADD_MANY(u8, uint8_t, SUM)
ADD_MANY(u16, uint16_t, SUM)
ADD_MANY(u32, uint32_t, SUM)
ADD_MANY(u64, uint64_t, SUM)

/* By the target's own addition. */
static void many_real(const plan *p, char *x, const char *values, ptrdiff_t n) {
    const ptrdiff_t advance[3] = {p->item, p->item, p->item};
    p->loop((char *const[]){x, (char *)values, x}, advance, n);
}

static void many_narrow(const plan *p, char *x, const char *values, ptrdiff_t n) {
    float a[NARROW_BLOCK], b[NARROW_BLOCK];
    for (ptrdiff_t m; n > 0; n -= m, x += 2 * m, values += 2 * m) {
        m = vekt_smaller(n, NARROW_BLOCK);
        p->storage->widen(a, x, m);
        p->storage->widen(b, values, m);
        for (ptrdiff_t i = 0; i < m; i++) a[i] += b[i];
        p->storage->narrow(x, a, m);
    }
}

/* Elements begin to end of what lies behind the axis, for places from `low` to `high`. */
static void add_rows(const plan *p, ptrdiff_t o, ptrdiff_t low, ptrdiff_t high, ptrdiff_t begin, ptrdiff_t end) {
    const vekt_scatter_call *a = p->asked;
    const ptrdiff_t row = a->inner * p->item, bytes = (end - begin) * p->item;
    char *x = a->x + vekt_offset(a->dims, a->n_outer, 0, o) + begin * p->item;
    const char *values = a->values + o * a->count * row + begin * p->item;
    for (ptrdiff_t first = 0, m; first < a->count; first += m, values += m * row) {
        if (first && vekt_should_stop()) return;
        const int64_t *indices = a->indices + first;
        m = vekt_smaller(a->count - first, p->few ? FEW_PIECE : MANY_PIECE);
        if (p->few) {
            p->few(p, x, values, indices, m, low, high);
            continue;
        }
        for (ptrdiff_t j = 0; j < m; j++) {
            if (indices[j] < low || indices[j] >= high) continue;
            if (j + AHEAD < m) {
                const char *next = x + indices[j + AHEAD] * a->step;
                for (ptrdiff_t b = 0; b < bytes && b < 16 * LINE; b += LINE) __builtin_prefetch(next + b, 1);
            }
            p->many(p, x + indices[j] * a->step, values + j * row, end - begin);
        }
    }
}

/* Parts of all outer rows. */
static void run(void *context, ptrdiff_t first, ptrdiff_t last) {
    const plan *p = context;
    const vekt_scatter_call *a = p->asked;
    const ptrdiff_t whole = p->by_places ? a->length : a->inner;
    const ptrdiff_t parts = vekt_ceil_divide(whole, p->unit);
    for (ptrdiff_t t = first, m; t < last; t += m) {
        const ptrdiff_t o = t / parts, part = t % parts;
        m = vekt_smaller(parts - part, last - t);
        const ptrdiff_t begin = part * p->unit, end = vekt_smaller((part + m) * p->unit, whole);
        if (p->by_places)
            add_rows(p, o, begin, end, 0, a->inner);
        else
            add_rows(p, o, 0, a->length, begin, end);
    }
}

static vekt_loop addition_of(const vekt_target *target, int type) {
    for (int i = 0; i < target->n_arithmetic; i++)
        if (target->arithmetic[i].type[0] == type && !strcmp(target->arithmetic[i].name, "add"))
            return target->arithmetic[i].loop;
    return NULL;
}

static void choose_kernel(plan *p, const vekt_target *target, int type) {
    static const struct {
        add_few few;
        add_many many;
    } kernels[VEKT_N_TYPES] = {
        [VEKT_TYPE_BOOL] = {few_bool, many_bool},   [VEKT_TYPE_I8] = {few_u8, many_u8},
        [VEKT_TYPE_U8] = {few_u8, many_u8},         [VEKT_TYPE_I16] = {few_u16, many_u16},
        [VEKT_TYPE_U16] = {few_u16, many_u16},      [VEKT_TYPE_I32] = {few_u32, many_u32},
        [VEKT_TYPE_U32] = {few_u32, many_u32},      [VEKT_TYPE_I64] = {few_u64, many_u64},
        [VEKT_TYPE_U64] = {few_u64, many_u64},      [VEKT_TYPE_HALF] = {NULL, many_narrow},
        [VEKT_TYPE_BFLOAT16] = {NULL, many_narrow}, [VEKT_TYPE_F32] = {few_f32, many_real},
        [VEKT_TYPE_F64] = {few_f64, many_real},
    };
    p->few = p->asked->inner < FEW ? kernels[type].few : NULL;
    p->many = kernels[type].many;
    p->item = vekt_type_bytes(type);
    p->storage = type == VEKT_TYPE_HALF ? &target->half : &target->bfloat16;
    if (type == VEKT_TYPE_F32 || type == VEKT_TYPE_F64) p->loop = addition_of(target, type);
}

void vekt_scatter_add(const vekt_target *target, const vekt_scatter_call *call) {
    const ptrdiff_t outer = vekt_count(call->dims, call->n_outer);
    if (outer == 0 || call->count == 0 || call->inner == 0) return;
    vekt_scatter_call asked = *call;
    if (call->type == VEKT_TYPE_C64 || call->type == VEKT_TYPE_C128) { /* of their parts */
        asked.type = call->type == VEKT_TYPE_C64 ? VEKT_TYPE_F32 : VEKT_TYPE_F64;
        asked.inner *= 2;
    }
    plan p = {.asked = &asked};
    choose_kernel(&p, target, asked.type);
    const int threads = vekt_get_num_threads();
    const int is_threaded = threads > 1 && outer * call->count * asked.inner >= THREADED_ELEMENTS;
    p.by_places = is_threaded && outer < threads && asked.inner * p.item < threads * PART_BYTES;
    p.unit = p.by_places                      ? vekt_ceil_divide(asked.length, threads)
             : is_threaded && outer < threads ? vekt_round_up(vekt_ceil_divide(asked.inner, threads), LINE / p.item)
                                              : asked.inner;
    const ptrdiff_t parts = outer * vekt_ceil_divide(p.by_places ? asked.length : asked.inner, p.unit);
    vekt_fpenv saved = vekt_fpenv_enter();
    if (is_threaded)
        vekt_parallel_for(parts, 1, run, &p);
    else
        run(&p, 0, parts);
    vekt_fpenv_leave(saved);
}

void vekt_mark(const int64_t *indices, const vekt_dim *dims, int n_dims, ptrdiff_t length, ptrdiff_t step,
               ptrdiff_t item, const char *one, char *out) {
    const ptrdiff_t n = vekt_count(dims, n_dims);
    const int rows = n_dims ? n_dims - 1 : 0;
    const ptrdiff_t last = n_dims ? dims[rows].size : 1, last_step = n_dims ? dims[rows].step[0] : 0;
    for (ptrdiff_t i = 0; i < n; i += last) {
        char *at = out + vekt_offset(dims, rows, 0, i / last);
        for (ptrdiff_t j = 0; j < last; j++) {
            const int64_t k = indices[i + j];
            if (k >= 0 && k < length) memcpy(at + j * last_step + k * step, one, (size_t)item);
        }
    }
}
