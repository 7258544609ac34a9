/* Sums, means, extremes, their positions and truth along any axes: which terms they are made of, and what becomes of
 * the results. */
#include "iterate.h"
#include "lines.h"
#include "stage.h"

enum { X = VEKT_NORM_X, OUT = VEKT_NORM_OUT };

/* How the kernels take a type: integers of one size share a kernel, as unsigned ones are signed once their highest
 * bit is turned. */
typedef struct {
    uint8_t element, format, is_unsigned, bits; /* bits of integers */
} reading;

static const reading readings[VEKT_N_TYPES] = {
    [VEKT_TYPE_BOOL] = {VEKT_I8, VEKT_NATIVE, 1, 8},        [VEKT_TYPE_I8] = {VEKT_I8, VEKT_NATIVE, 0, 8},
    [VEKT_TYPE_U8] = {VEKT_I8, VEKT_NATIVE, 1, 8},          [VEKT_TYPE_I16] = {VEKT_I16, VEKT_NATIVE, 0, 16},
    [VEKT_TYPE_U16] = {VEKT_I16, VEKT_NATIVE, 1, 16},       [VEKT_TYPE_I32] = {VEKT_I32, VEKT_NATIVE, 0, 32},
    [VEKT_TYPE_U32] = {VEKT_I32, VEKT_NATIVE, 1, 32},       [VEKT_TYPE_I64] = {VEKT_I64, VEKT_NATIVE, 0, 64},
    [VEKT_TYPE_U64] = {VEKT_I64, VEKT_NATIVE, 1, 64},       [VEKT_TYPE_HALF] = {VEKT_F32, VEKT_HALF, 0, 0},
    [VEKT_TYPE_BFLOAT16] = {VEKT_F32, VEKT_BFLOAT16, 0, 0}, [VEKT_TYPE_F32] = {VEKT_F32, VEKT_NATIVE, 0, 0},
    [VEKT_TYPE_F64] = {VEKT_F64, VEKT_NATIVE, 0, 0},
};

/* What finish() needs beside the plan. */
typedef struct {
    const vekt_reduce_call *call;
    reading how;
    int64_t bias;   /* to be added to a sum for each element, whose key took it away */
    double divisor; /* 1, or the elements of a line for a mean */
} results;

static int64_t sign_bit(int bits) { return (int64_t)((uint64_t)1 << (bits - 1)); }

static void store_integer(char *out, int type, int64_t value) {
    switch (type) {
    case VEKT_TYPE_BOOL:
    case VEKT_TYPE_I8:
    case VEKT_TYPE_U8:
        memcpy(out, &(int8_t){(int8_t)value}, 1);
        break;
    case VEKT_TYPE_I16:
    case VEKT_TYPE_U16:
        memcpy(out, &(int16_t){(int16_t)value}, 2);
        break;
    case VEKT_TYPE_I32:
    case VEKT_TYPE_U32:
        memcpy(out, &(int32_t){(int32_t)value}, 4);
        break;
    default:
        memcpy(out, &value, 8);
    }
}

static void store_real(char *out, int type, double value) {
    const float single = (float)value;
    if (type == VEKT_TYPE_F64)
        memcpy(out, &value, sizeof value);
    else if (type == VEKT_TYPE_F32)
        memcpy(out, &single, sizeof single);
    else
        vekt_scatter(VEKT_F32, type == VEKT_TYPE_HALF ? VEKT_HALF : VEKT_BFLOAT16, out, 2, &single, 1);
}

static char *out_of(const vekt_lines *p, ptrdiff_t line) {
    return p->out + vekt_offset(p->outer, p->n_outer, OUT, line);
}

/* Sums and means that lie side by side, all at once; 0 where that does not do. */
static int store_together(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *sums) {
    const results *r = p->context;
    const int type = r->call->out_type;
    if (r->how.bits || p->n_outer != 1) return 0;
    char *out = p->out + begin * p->outer[0].step[OUT];
    const ptrdiff_t n = end - begin, item = p->outer[0].step[OUT];
    if (type == VEKT_TYPE_F64 && item == sizeof(double)) {
        memcpy(out, sums, (size_t)n * sizeof *sums);
        for (ptrdiff_t i = 0; i < n && r->divisor != 1; i++) {
            const double mean = sums[i].real / r->divisor;
            memcpy(out + i * item, &mean, sizeof mean);
        }
        return 1;
    }
    if (type != VEKT_TYPE_F32 || item != sizeof(float)) return 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const float sum = (float)(r->divisor == 1 ? sums[i].real : sums[i].real / r->divisor);
        memcpy(out + i * (ptrdiff_t)sizeof sum, &sum, sizeof sum);
    }
    return 1;
}

/* Sums and means; extremes of real numbers, too, whose divisor is 1. */
static void finish_sums(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *sums,
                        ptrdiff_t width) {
    const results *r = p->context;
    const int type = r->call->out_type;
    (void)width;
    if (store_together(p, begin, end, sums)) return;
    for (ptrdiff_t line = begin; line < end; line++, sums++) {
        if (!r->how.bits) {
            store_real(out_of(p, line), type, sums->real / r->divisor);
            continue;
        }
        const int64_t sum = (int64_t)((uint64_t)sums->integer + (uint64_t)r->bias * (uint64_t)p->n);
        if (type < VEKT_TYPE_HALF)
            store_integer(out_of(p, line), type, sum);
        else
            store_real(out_of(p, line), type, (double)sum / r->divisor);
    }
}

static void finish_integer_extremes(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *best,
                                    ptrdiff_t width) {
    const results *r = p->context;
    (void)width;
    for (ptrdiff_t line = begin; line < end; line++, best++)
        store_integer(out_of(p, line), r->call->out_type, best->integer ^ p->key);
}

/* Is there one that is not zero, or are all of n? */
static int truth(const vekt_lines *p, vekt_number found, ptrdiff_t n) {
    const results *r = p->context;
    const int all = r->call->op == VEKT_REDUCE_ALL;
    if (!r->how.bits) return all ? found.real == (double)n : found.real != 0;
    /* The greatest of unsigned numbers, or the least. */
    const uint64_t mask = ~(uint64_t)0 >> (64 - r->how.bits);
    return ((uint64_t)(found.integer ^ p->key) & mask) != 0;
}

static int decides(const vekt_lines *p, vekt_number part, ptrdiff_t n) {
    const results *r = p->context;
    return truth(p, part, n) == (r->call->op == VEKT_REDUCE_ANY);
}

static void finish_truth(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *found,
                         ptrdiff_t width) {
    (void)width;
    for (ptrdiff_t line = begin; line < end; line++, found++) *out_of(p, line) = (char)truth(p, *found, p->n);
}

/* ---- positions -------------------------------------------------------------------------------------------- */

enum { SOUGHT = 512 };

/* Where a value stands in a line, of which it is known to be one of m elements from element i on. */
static ptrdiff_t locate(const vekt_lines *p, ptrdiff_t line, ptrdiff_t i, ptrdiff_t m, vekt_number value) {
    const char *x = p->data[X] + vekt_offset(p->outer, p->n_outer, X, line);
    const vekt_find find = p->target->find[p->element];
    if (p->element >= VEKT_N_DTYPES) value.integer ^= p->key;
    if (p->n_inner == 1 && p->format == VEKT_NATIVE) {
        const ptrdiff_t step = p->inner[0].step[X];
        return i + find(x + i * step, step, value, m);
    }
    double buffer[SOUGHT];
    for (const ptrdiff_t stop = i + m; i < stop; i += SOUGHT) {
        const ptrdiff_t length = stop - i < SOUGHT ? stop - i : SOUGHT;
        const ptrdiff_t at = find(vekt_dense_part(p, X, x, i, length, buffer), p->item, value, length);
        if (at < length) return i + at;
    }
    return 0;
}

static void finish_positions(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *best,
                             ptrdiff_t width) {
    (void)width;
    for (ptrdiff_t line = begin; line < end; line++, best++) {
        const ptrdiff_t i = p->columns ? 0 : best[1].integer, left = p->n - i;
        const ptrdiff_t m = p->columns || left < VEKT_LINE_PART ? left : VEKT_LINE_PART;
        store_integer(out_of(p, line), VEKT_TYPE_I64, locate(p, line, i, m, *best));
    }
}

static void finish_positions_of_chunks(const vekt_lines *p, ptrdiff_t span) {
    const ptrdiff_t width = p->columns ? p->width : p->lines;
    const ptrdiff_t run_lines = p->columns ? p->run / p->repeats : p->lines;
    for (ptrdiff_t line = 0; line < p->lines; line++) {
        const vekt_number *v = p->partials + line / run_lines * run_lines * p->repeats + line % run_lines;
        vekt_number best = v[0];
        ptrdiff_t at = 0;
        for (ptrdiff_t chunk = 0; chunk < p->chunks; chunk++) {
            for (ptrdiff_t r = 0; r < p->repeats; r++) {
                const vekt_number b = v[chunk * width + r * run_lines];
                if (!vekt_is_better(p->element, p->streams[0].term, best, b)) continue;
                best = b;
                at = chunk;
            }
        }
        const ptrdiff_t i = at * span, m = p->n - i < span ? p->n - i : span;
        store_integer(out_of(p, line), VEKT_TYPE_I64, locate(p, line, i, m, best));
    }
}

/* ---- calls ------------------------------------------------------------------------------------------------ */

/* The key that turns the order of integers into that of signed ones, and round for the least of them. */
static int64_t order_key(reading how, int least) {
    const int64_t key = how.is_unsigned ? sign_bit(how.bits) : 0;
    return least ? ~key : key;
}

int vekt_reduce(const vekt_target *target, const vekt_reduce_call *call) {
    results r = {.call = call, .how = readings[call->type], .divisor = 1};
    const int least = call->op == VEKT_REDUCE_MIN || call->op == VEKT_REDUCE_ARGMIN || call->op == VEKT_REDUCE_ALL;
    vekt_lines p = {.target = target,
                    .n_operands = 1,
                    .n_streams = 1,
                    .data = {call->x, call->x},
                    .out = call->out,
                    .context = &r};
    switch (call->op) {
    case VEKT_REDUCE_SUM:
    case VEKT_REDUCE_MEAN:
        p.streams[0].term = VEKT_SUM;
        p.finish = finish_sums;
        if (call->op == VEKT_REDUCE_MEAN) r.divisor = (double)vekt_count(call->dims + call->n_outer, call->n_inner);
        if (r.how.bits == 64 && call->out_type >= VEKT_TYPE_HALF) {
            r.how = (reading){VEKT_F64, r.how.is_unsigned ? VEKT_WIDE_UNSIGNED : VEKT_WIDE_SIGNED, 0, 0};
        } else if (r.how.is_unsigned && r.how.bits < 64) {
            p.key = r.bias = sign_bit(r.how.bits);
        }
        break;
    case VEKT_REDUCE_ANY:
    case VEKT_REDUCE_ALL:
        r.how.is_unsigned = 1;
        p.streams[0].term = r.how.bits ? VEKT_GREATEST : VEKT_COUNT_NONZERO;
        p.finish = finish_truth;
        p.decides = decides;
        break;
    default:
        p.streams[0].term = r.how.bits || !least ? VEKT_GREATEST : VEKT_LEAST;
        p.finish = r.how.bits ? finish_integer_extremes : finish_sums;
        if (call->op != VEKT_REDUCE_ARGMAX && call->op != VEKT_REDUCE_ARGMIN) break;
        p.ordered = 1;
        p.finish = finish_positions;
        p.finish_chunks = finish_positions_of_chunks;
    }
    if (p.streams[0].term == VEKT_GREATEST && r.how.bits) p.key = order_key(r.how, least);
    p.element = r.how.element, p.format = r.how.format;
    return vekt_reduce_lines(&p, call->dims, call->n_outer, call->n_inner);
}
