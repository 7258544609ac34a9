#include "box.h"
#include "convert.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* The dimensions of a box as one operand sees them: joined where it walks through several as through one. */
typedef struct {
    int n;
    ptrdiff_t size[VEKT_MAX_DIMS], step[VEKT_MAX_DIMS];
} dims;

static ptrdiff_t join(dims *d, const vekt_box *box) {
    ptrdiff_t count = 1;
    d->n = 0;
    for (int i = 0; i < box->ndim; i++) {
        const ptrdiff_t size = box->extent[i], step = box->step[i];
        if (size == 1) continue;
        count *= size;
        const int last = d->n - 1;
        if (last >= 0 && step == d->step[last] * d->size[last]) {
            d->size[last] *= size;
        } else {
            d->size[d->n] = size;
            d->step[d->n++] = step;
        }
    }
    if (d->n == 0) {
        d->size[0] = 1;
        d->step[d->n++] = 0;
    }
    return count;
}

/* ---- rows of two dimensions, of a constant size of element --------------------------------------------------- */

typedef struct {
    char *dst;
    const char *src;
    ptrdiff_t size[2], to[2], from[2]; /* elements; bytes from one to the next */
} rows;

/* n elements, `from` bytes apart, to a dense line of them. */
INLINE void gather_line(char *restrict dst, const char *restrict src, ptrdiff_t n, size_t item, ptrdiff_t from) {
    for (ptrdiff_t i = 0; i < n; i++) memcpy(dst + i * (ptrdiff_t)item, src + i * from, item);
}

/* The longer dimension in the inner loop; as a constant, a step of few elements becomes shuffles of vectors. */
INLINE void copy_items(const rows *r, const size_t item) {
    const int inner = r->size[1] > r->size[0], outer = 1 - inner;
    const ptrdiff_t one = (ptrdiff_t)item, n = r->size[inner], to = r->to[inner], from = r->from[inner];
    const ptrdiff_t m = r->size[outer], to_next = r->to[outer], from_next = r->from[outer];
    char *dst = r->dst;
    const char *src = r->src;
    for (ptrdiff_t j = 0; j < m; j++, dst += to_next, src += from_next) {
        if (to != one)
            for (ptrdiff_t i = 0; i < n; i++) memcpy(dst + i * to, src + i * from, item);
        else if (from == 2 * one)
            gather_line(dst, src, n, item, 2 * one);
        else if (from == 3 * one)
            gather_line(dst, src, n, item, 3 * one);
        else if (from == -one)
            gather_line(dst, src, n, item, -one);
        else
            gather_line(dst, src, n, item, from);
    }
}

/* Each of the source's elements several times over; the dense destination has room for 16 bytes more. */
INLINE void repeat_items(const rows *r, const ptrdiff_t item) {
    const ptrdiff_t bytes = r->size[0] * item;
    for (ptrdiff_t j = 0; j < r->size[1]; j++) {
        char chunk[16], *dst = r->dst + j * bytes;
        for (ptrdiff_t i = 0; i < 16; i += item) memcpy(chunk + i, r->src + j * r->from[1], (size_t)item);
        ptrdiff_t i = 0;
        do memcpy(dst + i, chunk, 16);
        while ((i += 16) < bytes);
    }
}

/* Rows of a few bytes, in chunks of 16 that the next one partly overwrites. */
static void copy_short_rows(const rows *r, ptrdiff_t bytes) {
    const ptrdiff_t step = r->from[1], end = (r->size[1] - 1) * step + bytes;
    ptrdiff_t j = 0;
    for (; j < r->size[1] && step > 0 && j * step + 16 <= end; j++) {
        memcpy(r->dst + j * bytes, r->src + j * step, 16);
    }
    for (; j < r->size[1]; j++) memcpy(r->dst + j * bytes, r->src + j * step, (size_t)bytes);
}

static void copy_rows(const rows *r, ptrdiff_t item) {
    const ptrdiff_t bytes = r->size[0] * item;
    const int dense = r->to[0] == item && r->to[1] == bytes;
    if (r->from[0] == item && r->to[0] == item && bytes >= 16) {
        for (ptrdiff_t j = 0; j < r->size[1]; j++)
            memcpy(r->dst + j * r->to[1], r->src + j * r->from[1], (size_t)bytes);
        return;
    }
    if (dense && r->from[0] == item && r->size[1] > 1) {
        copy_short_rows(r, bytes);
        return;
    }
    const int repeats = dense && r->from[0] == 0;
    switch (item) {
#define SIZE(n)                                          \
    case n:                                              \
        repeats ? repeat_items(r, n) : copy_items(r, n); \
        break;
        SIZE(1)
        SIZE(2)
        SIZE(4)
        SIZE(8)
        SIZE(16)
#undef SIZE
    default:
        copy_items(r, (size_t)item);
    }
}

/* ---- any number of dimensions --------------------------------------------------------------------------------- */

static vekt_transpose transpose_of(const vekt_target *target, ptrdiff_t item) {
    for (int i = 0; i < VEKT_N_TRANSPOSES; i++) {
        if (item == (ptrdiff_t)1 << i) return target->transpose[i];
    }
    return NULL;
}

/* The dimension, but the first, along which elements lie side by side; 0 for none. */
static int unit_dim(const dims *d, ptrdiff_t item) {
    if (d->step[0] == item) return 0;
    for (int i = 1; i < d->n; i++) {
        if (d->step[i] == item && d->size[i] > 1) return i;
    }
    return 0;
}

/* Lines of a transposed operand are far apart, often by a multiple of some KB: no prefetcher foresees the next ones,
 * and few of them find room in a cache together.  So they are asked for a few rows ahead. */
enum { ROWS_AT_ONCE = 4, SHORT_BYTES = 64, SHORT_ROWS_AT_ONCE = 64, ROWS_AHEAD = 8, LINE_BYTES = 64 };

static void gather_turned(vekt_transpose transpose, const dims *d, ptrdiff_t item, char *dense, ptrdiff_t dense_step,
                          const char *memory, ptrdiff_t n) {
    const ptrdiff_t step = d->step[0], most = n * item <= SHORT_BYTES ? SHORT_ROWS_AT_ONCE : ROWS_AT_ONCE;
    for (ptrdiff_t begin = 0, rows; begin < d->size[0]; begin += rows) {
        rows = d->size[0] - begin < most ? d->size[0] - begin : most;
        const char *first = memory + begin * step;
        for (ptrdiff_t l = 0; l < rows; l++) {
            const char *ahead = first + (l + ROWS_AHEAD) * step;
            for (ptrdiff_t i = 0; i < n * item; i += LINE_BYTES) __builtin_prefetch(ahead + i);
        }
        transpose(dense + begin * item, dense_step, first, step, rows, n);
    }
}

/* The dense copy at one side, memory of these steps at the other: along the first dimension and one more by rows or
 * squares, along the others one after the other. */
static void copy(const vekt_target *target, const dims *d, ptrdiff_t item, char *dense, char *memory, int gathers) {
    ptrdiff_t step[VEKT_MAX_DIMS], index[VEKT_MAX_DIMS];
    step[0] = item;
    for (int i = 1; i < d->n; i++) step[i] = step[i - 1] * d->size[i - 1];
    for (int i = 0; i < d->n; i++) index[i] = 0;
    const int unit = d->step[0] != 0 ? unit_dim(d, item) : 0, second = unit ? unit : d->n > 1;
    /* Squares of 16-byte vectors, where there are whole ones. */
    const int square = unit && d->size[0] * item >= 16 && d->size[unit] * item >= 16;
    const vekt_transpose transpose = square ? transpose_of(target, item) : NULL;
    const ptrdiff_t n1 = second ? d->size[second] : 1, dense1 = second ? step[second] : 0;
    const ptrdiff_t memory1 = second ? d->step[second] : 0;
    for (;;) {
        if (transpose && gathers) {
            gather_turned(transpose, d, item, dense, dense1, memory, n1);
        } else if (transpose) {
            transpose(memory, d->step[0], dense, dense1, n1, d->size[0]);
        } else if (gathers) {
            copy_rows(&(rows){dense, memory, {d->size[0], n1}, {item, dense1}, {d->step[0], memory1}}, item);
        } else {
            copy_rows(&(rows){memory, dense, {d->size[0], n1}, {d->step[0], memory1}, {item, dense1}}, item);
        }
        int i = 1;
        for (; i < d->n; i++) {
            if (i == second) continue;
            dense += step[i], memory += d->step[i];
            if (++index[i] < d->size[i]) break;
            dense -= step[i] * d->size[i], memory -= d->step[i] * d->size[i];
            index[i] = 0;
        }
        if (i >= d->n) return;
    }
}

/* Doubles the first `have` bytes until there are `all` of them. */
static void repeat(char *dst, ptrdiff_t have, ptrdiff_t all) {
    for (ptrdiff_t more; have < all; have += more) {
        more = have < all - have ? have : all - have;
        memcpy(dst + have, dst, (size_t)more);
    }
}

/* One period of what repeats along the second dimension, many times over, for each index of the others. */
static void gather_periods(const dims *d, ptrdiff_t item, char *dst, const char *src) {
    const ptrdiff_t period = d->size[0] * item, all = period * d->size[1];
    ptrdiff_t index[VEKT_MAX_DIMS] = {0};
    for (;;) {
        copy_rows(&(rows){dst, src, {d->size[0], 1}, {item, period}, {d->step[0], 0}}, item);
        repeat(dst, period, all);
        dst += all;
        int i = 2;
        for (; i < d->n; i++) {
            src += d->step[i];
            if (++index[i] < d->size[i]) break;
            src -= d->step[i] * d->size[i];
            index[i] = 0;
        }
        if (i >= d->n) return;
    }
}

void vekt_gather_box(const vekt_target *target, const vekt_box *box, int to, char *dst, int from, const char *src,
                     char *raw) {
    const ptrdiff_t item = vekt_type_bytes(from), wide = vekt_type_bytes(to);
    dims d;
    const ptrdiff_t all = join(&d, box);
    ptrdiff_t count = all;
    while (d.n > 1 && d.step[d.n - 1] == 0) count /= d.size[--d.n]; /* the same again and again */
    if (from != to && d.n == 1 && d.step[0] == item) {
        vekt_convert(target, to, dst, from, src, count);
    } else {
        char *dense = from == to ? dst : raw;
        if (d.n > 1 && d.step[1] == 0 && d.step[0] != 0)
            gather_periods(&d, item, dense, src);
        else
            copy(target, &d, item, dense, (char *)src, 1);
        if (from != to) vekt_convert(target, to, dst, from, raw, count);
    }
    repeat(dst, count * wide, all * wide);
}

void vekt_scatter_box(const vekt_target *target, const vekt_box *box, int to, char *dst, int from, const char *src,
                      char *raw) {
    const ptrdiff_t item = vekt_type_bytes(to);
    dims d;
    const ptrdiff_t count = join(&d, box);
    if (d.n == 1 && (d.step[0] == item || count == 1)) {
        vekt_convert(target, to, dst, from, src, count);
        return;
    }
    if (from != to) {
        vekt_convert(target, to, raw, from, src, count);
        src = raw;
    }
    copy(target, &d, item, (char *)src, dst, 0);
}
