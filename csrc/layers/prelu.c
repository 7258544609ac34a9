/* prelu and its backward pass: leaky_relu whose slope runs along some axes of x.
 *
 * Long runs with one slope (channels first) go through the kernels one by one.  Otherwise (channels last) the slopes
 * are written out, and repeated, until they fill a row that is worth a call: three channels cost no more than many.
 */
#include "drivers.h"
#include "runtime/fpenv.h"

#include <stdlib.h>
#include <string.h>

enum { LONG_RUN = 256 };          /* from here on a call for each run costs less than writing out its slope */
enum { ROW_ELEMENTS = 1024 };     /* at least: slopes and sums stay in the first cache */
enum { SEGMENT_ELEMENTS = 2048 }; /* of a longer row: one task's share */
enum { ROWS_AT_A_TIME = 64 };     /* added up one after the other; what they give is added pairwise */
enum { GRAIN = 8192 };            /* elements that are worth sharing out */
enum { THREADED_BYTES = 8 << 20 };

typedef struct {
    const vekt_target *target;
    int dtype;
    ptrdiff_t item, period, run, n;
    const char *dy, *x, *alpha;
    char *out; /* y or dx */
    double *sums;
    ptrdiff_t blocks;                /* of a run */
    ptrdiff_t width, rows, segments; /* of written-out slopes, and of a row */
} call;

static void for_all(call *c, ptrdiff_t tasks, ptrdiff_t grain, int operands, vekt_task task) {
    if (operands * c->item * c->n >= THREADED_BYTES)
        vekt_parallel_for(tasks, grain, task, c);
    else
        task(c, 0, tasks);
}

/* Every slope as often as it is needed, again and again over one row of width elements. */
static void write_out(const call *c, ptrdiff_t inner, char *wide) {
    ptrdiff_t size = c->period * inner * c->item, bytes = c->width * c->item;
    if (c->item == 4) {
        const float *alpha = (const float *)c->alpha;
        float *w = (float *)wide;
        for (ptrdiff_t p = 0; p < c->period; p++)
            for (ptrdiff_t i = 0; i < inner; i++) *w++ = alpha[p];
    } else {
        const double *alpha = (const double *)c->alpha;
        double *w = (double *)wide;
        for (ptrdiff_t p = 0; p < c->period; p++)
            for (ptrdiff_t i = 0; i < inner; i++) *w++ = alpha[p];
    }
    for (ptrdiff_t done = size; done < bytes; done += size) {
        size = vekt_smaller(done, bytes - done);
        memcpy(wide + done, wide, (size_t)size);
    }
}

/* ---- forward */

static void forward_runs(void *context, ptrdiff_t begin, ptrdiff_t end) {
    const call *c = context;
    _Alignas(64) char splat[VEKT_SPLAT_BYTES];
    const ptrdiff_t advance[] = {c->item, 0, c->item}, bytes = c->run * c->item;
    for (ptrdiff_t r = begin; r < end; r++) {
        for (ptrdiff_t k = 0; k < VEKT_SPLAT_BYTES; k += c->item)
            memcpy(splat + k, c->alpha + r % c->period * c->item, (size_t)c->item);
        char *args[] = {(char *)c->x + r * bytes, splat, c->out + r * bytes};
        c->target->prelu[c->dtype](args, advance, c->run);
    }
}

static void forward_rows(void *context, ptrdiff_t begin, ptrdiff_t end) {
    const call *c = context;
    const ptrdiff_t advance[] = {c->item, c->item, c->item};
    for (ptrdiff_t m, at = begin; at < end; at += m) {
        ptrdiff_t column = at % c->width;
        m = vekt_smaller(c->width - column, end - at);
        char *args[] = {(char *)c->x + at * c->item, (char *)c->alpha + column * c->item, c->out + at * c->item};
        c->target->prelu[c->dtype](args, advance, m);
    }
}

/* ---- backward */

static void backward_runs(void *context, ptrdiff_t begin, ptrdiff_t end) {
    const call *c = context;
    for (ptrdiff_t t = begin; t < end; t++) {
        ptrdiff_t run = t / c->blocks, block = t % c->blocks, first = block * VEKT_PRELU_BLOCK;
        ptrdiff_t at = (run * c->run + first) * c->item, p = run % c->period;
        ptrdiff_t m = vekt_smaller(c->run - first, VEKT_PRELU_BLOCK);
        c->sums[(run / c->period * c->blocks + block) * c->period + p] =
            c->target->prelu_block[c->dtype](c->dy + at, c->x + at, c->alpha + p * c->item, c->out + at, m);
    }
}

/* A task is one segment of ROWS_AT_A_TIME rows. */
static void backward_rows(void *context, ptrdiff_t begin, ptrdiff_t end) {
    const call *c = context;
    for (ptrdiff_t t = begin; t < end; t++) {
        ptrdiff_t chunk = t / c->segments, column = t % c->segments * SEGMENT_ELEMENTS;
        ptrdiff_t width = vekt_smaller(c->width - column, SEGMENT_ELEMENTS);
        ptrdiff_t last = vekt_smaller((chunk + 1) * ROWS_AT_A_TIME, c->rows);
        double *sums = c->sums + chunk * c->width + column;
        memset(sums, 0, (size_t)width * sizeof *sums);
        for (ptrdiff_t row = chunk * ROWS_AT_A_TIME; row < last; row++) {
            ptrdiff_t first = row * c->width + column, m = vekt_smaller(width, c->n - first), at = first * c->item;
            if (m > 0)
                c->target->prelu_columns[c->dtype](c->dy + at, c->x + at, c->alpha + column * c->item, c->out + at,
                                                   sums, m, c->width * c->item);
        }
    }
}

/* Pairwise sum of count vectors of size numbers, into the first. */
static void fold(double *v, ptrdiff_t count, ptrdiff_t size) {
    while (count > 1) {
        ptrdiff_t half = count / 2;
        const double *upper = v + (count - half) * size;
        for (ptrdiff_t i = 0; i < half * size; i++) v[i] += upper[i];
        count -= half;
    }
}

/* ---- entries */

static call new_call(const vekt_target *target, int dtype, const vekt_prelu_shape *s, const void *x,
                     const void *alpha, void *out) {
    call c = {.target = target, .dtype = dtype, .x = x, .alpha = alpha, .out = out};
    c.item = dtype == VEKT_F32 ? 4 : 8;
    c.period = s->period;
    c.run = s->inner;
    c.n = s->outer * s->period * s->inner;
    ptrdiff_t all = s->period * s->inner;
    c.blocks = vekt_ceil_divide(s->inner, VEKT_PRELU_BLOCK);
    c.width = all ? all * vekt_smaller(vekt_ceil_divide(ROW_ELEMENTS, all), s->outer) : 0;
    c.rows = c.width ? vekt_ceil_divide(c.n, c.width) : 0;
    c.segments = vekt_ceil_divide(c.width, SEGMENT_ELEMENTS);
    return c;
}

int vekt_prelu(const vekt_target *target, int dtype, const vekt_prelu_shape *shape, const void *x, const void *alpha,
               void *y) {
    call c = new_call(target, dtype, shape, x, alpha, y);
    if (c.n == 0) return 0;
    char *wide = NULL;
    int runs = c.run >= LONG_RUN;
    if (!runs && c.width > c.period) {
        wide = malloc((size_t)(c.width * c.item));
        if (!wide) return -1;
        write_out(&c, shape->inner, wide);
        c.alpha = wide;
    }
    vekt_fpenv saved = vekt_fpenv_enter();
    if (runs)
        for_all(&c, c.n / c.run, vekt_ceil_divide(GRAIN, c.run), 2, forward_runs);
    else
        for_all(&c, c.n, GRAIN, 2, forward_rows);
    vekt_fpenv_leave(saved);
    free(wide);
    return 0;
}

static void store(double sum, int dtype, void *sums, ptrdiff_t p) {
    if (dtype == VEKT_F32)
        ((float *)sums)[p] = (float)sum;
    else
        ((double *)sums)[p] = sum;
}

int vekt_prelu_backward(const vekt_target *target, int dtype, const vekt_prelu_shape *shape, const void *dy,
                        const void *x, const void *alpha, void *dx, int sum_dtype, void *sums) {
    call c = new_call(target, dtype, shape, x, alpha, dx);
    c.dy = dy;
    if (c.n == 0) {
        memset(sums, 0, (size_t)c.period * (sum_dtype == VEKT_F32 ? 4 : 8));
        return 0;
    }
    int runs = c.run >= LONG_RUN;
    ptrdiff_t chunks = vekt_ceil_divide(c.rows, ROWS_AT_A_TIME), inner = runs ? 1 : shape->inner;
    ptrdiff_t n_sums = runs ? shape->outer * c.blocks * c.period : chunks * c.width;
    int wide = !runs && c.width > c.period;
    c.sums = malloc((size_t)n_sums * sizeof(double) + (wide ? (size_t)(c.width * c.item) : 0));
    if (!c.sums) return -1;
    if (wide) {
        write_out(&c, shape->inner, (char *)(c.sums + n_sums));
        c.alpha = (char *)(c.sums + n_sums);
    }
    vekt_fpenv saved = vekt_fpenv_enter();
    if (runs)
        for_all(&c, c.n / c.run * c.blocks, vekt_ceil_divide(GRAIN, vekt_smaller(c.run, VEKT_PRELU_BLOCK)), 3,
                backward_runs);
    else
        for_all(&c, chunks * c.segments, 1, 3, backward_rows);
    fold(c.sums, n_sums / (c.period * inner), c.period * inner);
    for (ptrdiff_t p = 0; p < c.period; p++) {
        fold(c.sums + p * inner, inner, 1);
        store(c.sums[p * inner], sum_dtype, sums, p);
    }
    vekt_fpenv_leave(saved);
    free(c.sums);
    return 0;
}
