/* The k greatest elements of rows, in falling order, of equal ones the first first.
 *
 * A row is walked through in chunks.  The greatest elements of groups of a chunk, of which there are 2 k and more,
 * tell a bound: k of them are no less, so that what is below the k-th of them is not among the k greatest.  Groups
 * take every so manieth element: no order of a row, rising or falling, makes the bound a bad one.  What a vector
 * compare leaves is collected, and sorted when there is no room for more, which gives the next bound.
 *
 * Elements are compared as floats, doubles or integers of their sizes, and sorted by unsigned keys of the same order.
 */
#include "engine/convert.h"
#include "reduce/dims.h"
#include "runtime/fpenv.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 14, BLOCK = 1 << 10 };
enum { LEAST_GROUPS = 256, MOST_GROUPS = CHUNK / 4, LEAST_ROOM = 1 << 10 };
enum { SHORT_SORT = 32, SHORT_BLOCK = 128, DIGITS = 256 };
enum { THREADED_ELEMENTS = 1 << 16, SEGMENT = 1 << 17 };

typedef struct {
    uint64_t key;
    int64_t place;
} entry;

typedef struct {
    const vekt_target *target;
    const vekt_selection *kernels;
    int type;    /* in memory */
    int element; /* VEKT_F32...: what is compared */
    int is_direct, item;
    uint64_t flip; /* turns unsigned integers into signed ones */
    ptrdiff_t k;
    entry *entries, *found, *spare; /* of memory for twice as many there are these halves */
    ptrdiff_t count, room;
    void *chunk, *groups;
    uint64_t least; /* no key below is wanted */
    int above;      /* nor this one itself */
} choosing;

static int bytes_of(int element) { return element == VEKT_F32 || element == VEKT_I32 ? 4 : 8; }

static uint64_t key_of(int element, const void *x) {
    const uint64_t top = (uint64_t)1 << 63;
    if (element == VEKT_F32 || element == VEKT_I32) {
        uint32_t bits;
        memcpy(&bits, x, sizeof bits);
        if (element == VEKT_I32) return bits ^ (uint32_t)1 << 31;
        if ((bits & 0x7fffffffu) > 0x7f800000u) return UINT32_MAX;
        if (bits == (uint32_t)1 << 31) bits = 0;
        return bits >> 31 ? ~bits : bits | (uint32_t)1 << 31;
    }
    uint64_t bits;
    memcpy(&bits, x, sizeof bits);
    if (element == VEKT_I64) return bits ^ top;
    if ((bits & ~top) > 0x7ff0000000000000u) return UINT64_MAX;
    if (bits == top) bits = 0;
    return bits & top ? ~bits : bits | top;
}

/* The element of a key that is not NaN's. */
static void element_of(int element, uint64_t key, void *x) {
    const uint64_t top = (uint64_t)1 << (8 * bytes_of(element) - 1);
    const int is_integer = element == VEKT_I32 || element == VEKT_I64;
    const uint64_t bits = is_integer || key & top ? key ^ top : ~key;
    const uint32_t low = (uint32_t)bits;
    if (bytes_of(element) == 4)
        memcpy(x, &low, sizeof low);
    else
        memcpy(x, &bits, sizeof bits);
}

static uint64_t highest_key(int element) { return bytes_of(element) == 4 ? UINT32_MAX : UINT64_MAX; }

/* In falling order of the keys; entries of the same one stay in theirs.  Returns which of the two has the result. */
static entry *sort(entry *a, entry *b, ptrdiff_t n, int bytes) {
    if (n <= SHORT_SORT) {
        for (ptrdiff_t i = 1; i < n; i++) {
            const entry e = a[i];
            ptrdiff_t j = i;
            for (; j > 0 && a[j - 1].key < e.key; j--) a[j] = a[j - 1];
            a[j] = e;
        }
        return a;
    }
    ptrdiff_t starts[sizeof(uint64_t)][DIGITS];
    memset(starts, 0, (size_t)bytes * sizeof *starts);
    for (ptrdiff_t i = 0; i < n; i++)
        for (int d = 0; d < bytes; d++) starts[d][~(a[i].key >> 8 * d) & 0xff]++;
    for (int d = 0; d < bytes && !vekt_should_stop(); d++) {
        ptrdiff_t *start = starts[d], sum = 0;
        if (start[~(a[0].key >> 8 * d) & 0xff] == n) continue;
        for (int i = 0; i < DIGITS; i++) {
            const ptrdiff_t count = start[i];
            start[i] = sum;
            sum += count;
        }
        for (ptrdiff_t i = 0; i < n; i++) b[start[~(a[i].key >> 8 * d) & 0xff]++] = a[i];
        entry *sorted = b;
        b = a;
        a = sorted;
    }
    return a;
}

/* Leaves the k greatest of what has been found. */
static void settle(choosing *c) {
    if (sort(c->found, c->spare, c->count, bytes_of(c->element)) != c->found) {
        entry *sorted = c->spare;
        c->spare = c->found;
        c->found = sorted;
    }
    if (c->count < c->k) return;
    c->count = c->k;
    c->least = c->found[c->k - 1].key;
    c->above = 1;
}

static inline void take(choosing *c, uint64_t key, int64_t place) {
    if (key < c->least || (key == c->least && c->above)) return;
    c->found[c->count++] = (entry){key, place};
    if (c->count == c->room) settle(c);
}

/* Elements that groups can tell of, brought to what is compared. */
static const char *staged(choosing *c, const char *x, ptrdiff_t n) {
    if (c->is_direct) return x;
    const int is_integer = c->element == VEKT_I32 || c->element == VEKT_I64;
    const int to = c->element == VEKT_F32   ? VEKT_TYPE_F32
                   : c->element == VEKT_F64 ? VEKT_TYPE_F64
                   : c->element == VEKT_I32 ? VEKT_TYPE_I32
                                            : VEKT_TYPE_I64;
    const int swapped = c->type & ~VEKT_TYPE_MASK;
    vekt_convert(c->target, to, c->chunk, is_integer ? to | swapped : c->type, x, n);
    if (c->flip && c->element == VEKT_I32)
        for (ptrdiff_t i = 0; i < n; i++) ((uint32_t *)c->chunk)[i] ^= (uint32_t)c->flip;
    else if (c->flip)
        for (ptrdiff_t i = 0; i < n; i++) ((uint64_t *)c->chunk)[i] ^= c->flip;
    return c->chunk;
}

/* Raises the bound by what the groups of a chunk have; whether there is anything for it in the chunk. */
static int look_at_groups(choosing *c, const char *x, ptrdiff_t n, ptrdiff_t n_groups) {
    const int bytes = bytes_of(c->element);
    memcpy(c->groups, x, (size_t)(n_groups * bytes));
    c->kernels->greatest(c->groups, n_groups, x + n_groups * bytes, n - n_groups);
    entry *const keys = (entry *)((char *)c->groups + MOST_GROUPS * sizeof(uint64_t));
    ptrdiff_t count = 0;
    for (ptrdiff_t i = 0; i < n_groups; i++) {
        const uint64_t key = key_of(c->element, (char *)c->groups + i * bytes);
        if (key > c->least || (key == c->least && !c->above)) keys[count++].key = key;
    }
    if (count < c->k) return count > 0;
    const uint64_t bound = sort(keys, keys + MOST_GROUPS, count, bytes)[c->k - 1].key;
    if (bound > c->least) c->least = bound, c->above = 0;
    return 1;
}

/* Few of a short row: each that is above the last one is put where it belongs. */
static void choose_few(choosing *c, const char *x, ptrdiff_t begin, ptrdiff_t end) {
    const int bytes = bytes_of(c->element);
    entry *found = c->found;
    ptrdiff_t count = 0;
    const char *chunk = staged(c, x + begin * c->item, end - begin);
    for (ptrdiff_t at = begin, m; at < end; at += m, chunk += m * bytes) {
        int32_t places[SHORT_BLOCK];
        m = vekt_smaller(end - at, count < c->k ? c->k - count : SHORT_BLOCK);
        ptrdiff_t n = m;
        if (count == c->k) {
            uint64_t bound[1];
            if (found[count - 1].key == highest_key(c->element)) break;
            element_of(c->element, found[count - 1].key, bound);
            n = c->kernels->places(places, chunk, m, bound, 1);
        }
        for (ptrdiff_t i = 0; i < n; i++) {
            const ptrdiff_t place = count < c->k ? i : places[i];
            const entry e = {key_of(c->element, chunk + place * bytes), at + place};
            ptrdiff_t j = count < c->k ? count++ : count;
            if (j == c->k && found[--j].key >= e.key) continue;
            for (; j > 0 && found[j - 1].key < e.key; j--) found[j] = found[j - 1];
            found[j] = e;
        }
    }
    c->count = count;
}

/* Elements from begin to end of a row at x, which stand in the found entries then: sorted, k or all. */
static void choose(choosing *c, const char *x, ptrdiff_t begin, ptrdiff_t end) {
    const int bytes = bytes_of(c->element);
    const ptrdiff_t n_groups = vekt_round_up(vekt_larger(2 * c->k, LEAST_GROUPS), VEKT_GROUP_LANES);
    c->count = 0, c->least = 0, c->above = 0;
    if (c->k <= SHORT_SORT && end - begin < 4 * n_groups) {
        choose_few(c, x, begin, end);
        return;
    }
    for (ptrdiff_t at = begin, m; at < end && !vekt_should_stop(); at += m) {
        m = vekt_smaller(end - at, CHUNK);
        if (c->above && c->least == highest_key(c->element)) break;
        const char *chunk = staged(c, x + at * c->item, m);
        if (n_groups <= MOST_GROUPS && m >= 4 * n_groups && !look_at_groups(c, chunk, m, n_groups)) continue;
        for (ptrdiff_t i = 0, l; i < m; i += l, chunk += l * bytes) {
            l = vekt_smaller(m - i, BLOCK);
            if ((c->least == 0 && !c->above) || (c->element < VEKT_N_DTYPES && c->least == highest_key(c->element))) {
                for (ptrdiff_t j = 0; j < l; j++) take(c, key_of(c->element, chunk + j * bytes), at + i + j);
                continue;
            }
            int32_t places[BLOCK];
            uint64_t bound[1];
            element_of(c->element, c->least, bound);
            const ptrdiff_t n = c->kernels->places(places, chunk, l, bound, c->above);
            for (ptrdiff_t j = 0; j < n; j++)
                take(c, key_of(c->element, chunk + places[j] * bytes), at + i + places[j]);
        }
    }
    settle(c);
}

/* Memory for rows, or segments, of n elements, of which the entries are to be freed; -1 where it is missing. */
static int provide(choosing *c, ptrdiff_t n) {
    c->room = vekt_smaller(n, vekt_larger(4 * c->k, LEAST_ROOM)) + 1;
    c->entries = malloc(2 * (size_t)c->room * sizeof(entry));
    c->found = c->entries;
    c->groups = vekt_workspace(VEKT_WORKSPACE_B, MOST_GROUPS * (sizeof(uint64_t) + 2 * sizeof(entry)));
    c->chunk = c->is_direct ? NULL : vekt_workspace(VEKT_WORKSPACE_STAGE, CHUNK * sizeof(uint64_t));
    if (!c->found || !c->groups || (!c->is_direct && !c->chunk)) return -1;
    c->spare = c->found + c->room;
    return 0;
}

typedef struct {
    const vekt_top_k_call *asked;
    choosing base;
    ptrdiff_t segments, segment; /* of a row, and their elements */
    entry *parts;                /* k for each segment, or NULL */
    ptrdiff_t *counts;
    int failed;
} job;

static void write_row(const job *p, const entry *found, ptrdiff_t row) {
    const vekt_top_k_call *a = p->asked;
    const char *x = a->x + vekt_offset(a->dims, a->n_dims, 0, row);
    char *values = a->values + row * a->k * p->base.item, *indices = a->indices + row * a->k * 8;
    const int swapped = a->type & VEKT_SWAPPED;
    for (ptrdiff_t i = 0; i < a->k; i++) {
        const char *from = x + found[i].place * p->base.item;
        if (swapped)
            vekt_convert(p->base.target, a->type & VEKT_TYPE_MASK, values, a->type, from, 1);
        else if (p->base.item == 4)
            memcpy(values, from, 4);
        else
            memcpy(values, from, (size_t)p->base.item);
        memcpy(indices, &found[i].place, sizeof found[i].place);
        values += p->base.item;
        indices += sizeof found[i].place;
    }
}

static void run(void *context, ptrdiff_t begin, ptrdiff_t end) {
    job *p = context;
    const vekt_top_k_call *a = p->asked;
    choosing c = p->base;
    if (provide(&c, p->segment) < 0) {
        __atomic_store_n(&p->failed, 1, __ATOMIC_RELAXED);
        end = begin;
    }
    for (ptrdiff_t t = begin; t < end; t++) {
        const ptrdiff_t row = t / p->segments, first = t % p->segments * p->segment;
        const char *x = a->x + vekt_offset(a->dims, a->n_dims, 0, row);
        choose(&c, x, first, vekt_smaller(first + p->segment, a->n));
        if (vekt_has_stopped()) break;
        if (p->parts) {
            memcpy(p->parts + t * a->k, c.found, (size_t)c.count * sizeof(entry));
            p->counts[t] = c.count;
        } else if (c.count == a->k) { /* or the call has been stopped */
            write_row(p, c.found, row);
        }
    }
    free(c.entries);
}

/* The segments of a row, one after the other, are in the order of their places. */
static void merge_segments(job *p, ptrdiff_t rows) {
    choosing c = p->base;
    if (provide(&c, p->segments * c.k) < 0) p->failed = 1;
    for (ptrdiff_t row = 0; row < rows && !p->failed && !vekt_has_stopped(); row++) {
        c.count = 0, c.least = 0, c.above = 0;
        for (ptrdiff_t t = row * p->segments; t < (row + 1) * p->segments; t++)
            for (ptrdiff_t i = 0; i < p->counts[t]; i++)
                take(&c, p->parts[t * c.k + i].key, p->parts[t * c.k + i].place);
        settle(&c);
        write_row(p, c.found, row);
    }
    free(c.entries);
}

static int choose_element(choosing *c) {
    static const uint8_t elements[VEKT_N_TYPES] = {
        [VEKT_TYPE_I32] = VEKT_I32, [VEKT_TYPE_U32] = VEKT_I32, [VEKT_TYPE_I64] = VEKT_I64,
        [VEKT_TYPE_U64] = VEKT_I64, [VEKT_TYPE_F64] = VEKT_F64, /* all else is exact as a float */
    };
    const int type = c->type & VEKT_TYPE_MASK;
    c->element = elements[type];
    c->item = vekt_type_bytes(type);
    c->flip = type == VEKT_TYPE_U32 ? (uint64_t)1 << 31 : type == VEKT_TYPE_U64 ? (uint64_t)1 << 63 : 0;
    c->kernels = &c->target->selections[c->element];
    return c->type == VEKT_TYPE_F32 || c->type == VEKT_TYPE_F64 || c->type == VEKT_TYPE_I32 ||
           c->type == VEKT_TYPE_I64;
}

int vekt_top_k(const vekt_target *target, const vekt_top_k_call *call) {
    const ptrdiff_t rows = vekt_count(call->dims, call->n_dims);
    if (rows == 0 || call->k == 0) return 0;
    job p = {.asked = call, .base = {.target = target, .type = call->type, .k = call->k}};
    p.base.is_direct = choose_element(&p.base);
    p.segments = 1, p.segment = call->n;
    const int threads = vekt_get_num_threads();
    if (rows < threads && call->n >= 2 * SEGMENT && call->k <= SEGMENT / 8) {
        p.segments = vekt_smaller(threads, call->n / SEGMENT);
        p.segment = vekt_ceil_divide(call->n, p.segments);
        const size_t parts = (size_t)(rows * p.segments);
        p.parts = malloc(parts * ((size_t)call->k * sizeof(entry) + sizeof(ptrdiff_t)));
        if (!p.parts) return -1;
        p.counts = (ptrdiff_t *)(p.parts + parts * (size_t)call->k);
        memset(p.counts, 0, parts * sizeof *p.counts);
    }
    vekt_fpenv saved = vekt_fpenv_enter();
    if (rows * call->n >= THREADED_ELEMENTS)
        vekt_parallel_for(rows * p.segments, THREADED_ELEMENTS / 2 / call->n + 1, run, &p);
    else
        run(&p, 0, rows);
    if (p.parts && !p.failed) merge_segments(&p, rows);
    vekt_fpenv_leave(saved);
    free(p.parts);
    return p.failed ? -1 : 0;
}
