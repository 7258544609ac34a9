/* Sums, means, extremes, their positions and truth along any axes: which terms they are made of, and what becomes of
 * the results. */
#include "engine/convert.h"
#include "engine/iterate.h"
#include "lines.h"
#include "engine/stage.h"

#include <math.h>

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

static char *out_of(const vekt_lines *p, ptrdiff_t line) {
    return p->plan.out + vekt_offset(p->plan.outer, p->plan.n_outer, OUT, line);
}

/* A constant step lets the common case vectorise. */
#define STORE_AT(type, step)                          \
    for (ptrdiff_t i = 0; i < n; i++) {               \
        const type a = (type)(values[i].integer ^ k); \
        memcpy(out + i * (step), &a, sizeof a);       \
    }
#define STORE(type)                             \
    if (step == sizeof(type)) {                 \
        STORE_AT(type, (ptrdiff_t)sizeof(type)) \
    } else {                                    \
        STORE_AT(type, step)                    \
    }

/* Integers, turned by a key. */
static void store_integers(char *out, ptrdiff_t step, int type, const vekt_number *values, int64_t k, ptrdiff_t n) {
    switch (vekt_type_bytes(type)) {
    case 1:
        STORE(int8_t)
        break;
    case 2:
        STORE(int16_t)
        break;
    case 4:
        STORE(int32_t)
        break;
    default:
        STORE(int64_t)
    }
}

static void store_reals(char *out, ptrdiff_t step, int type, const vekt_number *values, double divisor, ptrdiff_t n) {
    if (type == VEKT_TYPE_F64 && step == sizeof(double)) {
        if (divisor == 1) memcpy(out, values, (size_t)n * sizeof *values);
        for (ptrdiff_t i = 0; i < n && divisor != 1; i++) {
            const double mean = values[i].real / divisor;
            memcpy(out + i * (ptrdiff_t)sizeof mean, &mean, sizeof mean);
        }
        return;
    }
    if (type == VEKT_TYPE_F32 && step == sizeof(float)) {
        for (ptrdiff_t i = 0; i < n; i++) {
            const float sum = (float)(divisor == 1 ? values[i].real : values[i].real / divisor);
            memcpy(out + i * (ptrdiff_t)sizeof sum, &sum, sizeof sum);
        }
        return;
    }
    for (ptrdiff_t i = 0; i < n; i++) {
        const double value = values[i].real / divisor;
        const float single = (float)value;
        if (type == VEKT_TYPE_F64)
            memcpy(out + i * step, &value, sizeof value);
        else if (type == VEKT_TYPE_F32)
            memcpy(out + i * step, &single, sizeof single);
        else
            vekt_scatter(VEKT_F32, type == VEKT_TYPE_HALF ? VEKT_HALF : VEKT_BFLOAT16, out + i * step, 2, &single, 1);
    }
}

/* Sums and means; extremes of real numbers, too, whose divisor is 1. */
static void finish_sums(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *sums,
                        ptrdiff_t width) {
    const results *r = p->asked->context;
    const int type = r->call->out_type;
    const ptrdiff_t step = vekt_result_step(p);
    char *out = out_of(p, begin);
    (void)width;
    if (!r->how.bits) {
        store_reals(out, step, type, sums, r->divisor, end - begin);
        return;
    }
    const uint64_t bias = (uint64_t)r->bias * (uint64_t)p->plan.n;
    enum { SOME = 64 };
    for (ptrdiff_t m, n = end - begin; n > 0; n -= m, sums += m, out += m * step) {
        vekt_number turned[SOME];
        m = n < SOME ? n : SOME;
        for (ptrdiff_t i = 0; i < m; i++) turned[i].integer = (int64_t)((uint64_t)sums[i].integer + bias);
        if (type < VEKT_TYPE_HALF) {
            store_integers(out, step, type, turned, 0, m);
            continue;
        }
        for (ptrdiff_t i = 0; i < m; i++) turned[i].real = (double)turned[i].integer;
        store_reals(out, step, type, turned, r->divisor, m);
    }
}

static void finish_integer_extremes(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *best,
                                    ptrdiff_t width) {
    const results *r = p->asked->context;
    (void)width;
    store_integers(out_of(p, begin), vekt_result_step(p), r->call->out_type, best, p->asked->key, end - begin);
}

/* For each number: is there an element that is not zero, or are all of n?  `step` bytes from one answer to the next.
 */
static void tell_truth(const vekt_lines *p, const vekt_number *found, ptrdiff_t count, ptrdiff_t n, char *out,
                       ptrdiff_t step) {
    const results *r = p->asked->context;
    if (r->how.bits) { /* the greatest of unsigned numbers, or the least */
        const uint64_t mask = ~(uint64_t)0 >> (64 - r->how.bits), zero = (uint64_t)p->asked->key & mask;
        for (ptrdiff_t i = 0; i < count; i++) out[i * step] = ((uint64_t)found[i].integer & mask) != zero;
    } else if (r->call->op == VEKT_REDUCE_ALL) {
        for (ptrdiff_t i = 0; i < count; i++) out[i * step] = found[i].real == (double)n;
    } else {
        for (ptrdiff_t i = 0; i < count; i++) out[i * step] = found[i].real != 0;
    }
}

static int decides(const vekt_lines *p, vekt_number part, ptrdiff_t n) {
    const results *r = p->asked->context;
    char truth;
    tell_truth(p, &part, 1, n, &truth, 1);
    return truth == (r->call->op == VEKT_REDUCE_ANY);
}

/* The byte that a truth value is: any but 0 is true. */
static int byte_of(const vekt_lines *p, vekt_number best) { return (int)((best.integer ^ p->asked->key) & 0xff); }

/* The greatest, or least, of all truth values. */
static int is_greatest(const vekt_lines *p, vekt_number part, ptrdiff_t n) {
    (void)n;
    return (byte_of(p, part) != 0) == (((results *)p->asked->context)->call->op == VEKT_REDUCE_ARGMAX);
}

static void finish_truth(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *found,
                         ptrdiff_t width) {
    (void)width;
    tell_truth(p, found, end - begin, p->plan.n, out_of(p, begin), vekt_result_step(p));
}

/* ---- positions -------------------------------------------------------------------------------------------- */

enum { SOUGHT = 512 };

/* Where a value stands in a line, of which it is known to be one of m elements from element i on. */
static ptrdiff_t locate(const vekt_lines *p, ptrdiff_t line, ptrdiff_t i, ptrdiff_t m, vekt_number value) {
    const char *x = p->plan.data[X] + vekt_offset(p->plan.outer, p->plan.n_outer, X, line);
    const vekt_find find = p->asked->target->find[p->asked->element];
    if (vekt_is_integer(p->asked->element)) value.integer ^= p->asked->key;
    if (p->plan.n_inner == 1 && p->asked->format == VEKT_NATIVE) {
        const ptrdiff_t step = p->plan.inner[0].step[X];
        return i + find(x + i * step, step, value, m);
    }
    double buffer[SOUGHT];
    for (const ptrdiff_t stop = i + m; i < stop; i += SOUGHT) {
        const ptrdiff_t length = stop - i < SOUGHT ? stop - i : SOUGHT;
        const ptrdiff_t at = find(vekt_dense_part(p, X, x, i, length, buffer), p->plan.item, value, length);
        if (at < length) return i + at;
    }
    return 0;
}

/* Where lines of truth values hold other bytes than 0 and 1, the first that is true stands first, and not the
 * greatest byte. */
static void mend_positions(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *best) {
    const int greatest = ((const results *)p->asked->context)->call->op == VEKT_REDUCE_ARGMAX;
    const ptrdiff_t step = vekt_result_step(p);
    char *out = out_of(p, begin);
    for (ptrdiff_t line = begin; line < end; line++, best++, out += step) {
        const char *x = p->plan.data[X] + vekt_offset(p->plan.outer, p->plan.n_outer, X, line);
        int64_t at = 0; /* of none that is false */
        if (byte_of(p, *best) <= greatest) continue;
        while (greatest && at < p->plan.n - 1 && !x[vekt_offset(p->plan.inner, p->plan.n_inner, X, at)]) at++;
        memcpy(out, &at, sizeof at);
    }
}

static void finish_positions(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *best,
                             ptrdiff_t width) {
    const ptrdiff_t step = vekt_result_step(p), part = VEKT_LINE_PART_BYTES / p->plan.item;
    const int truths = ((const results *)p->asked->context)->call->type == VEKT_TYPE_BOOL;
    char *out = out_of(p, begin);
    if (p->plan.by_columns) {
        store_integers(out, step, VEKT_TYPE_I64, best + width, 0, end - begin);
        if (truths) mend_positions(p, begin, end, best);
        return;
    }
    for (ptrdiff_t line = begin; line < end; line++, best++, out += step) {
        const ptrdiff_t i = best[width].integer, left = p->plan.n - i;
        memcpy(out, &(int64_t){locate(p, line, i, left < part ? left : part, *best)}, 8);
    }
    if (truths) mend_positions(p, begin, end, best - (end - begin));
}

/* ---- products and moments --------------------------------------------------------------------------------- */

enum { SOME_LINES = 64, SOME_ELEMENTS = 512 };

/* A product whose exponent has a number of its own. */
typedef struct {
    double mantissa;
    int64_t exponent;
} wide_product;

static double normal(double a, double limit, int64_t *exponent) {
    int k;
    if ((fabs(a) >= 1 / limit && fabs(a) <= limit) || a == 0 || !isfinite(a)) return a;
    a = frexp(a, &k);
    *exponent += k;
    return a;
}

static void multiply(wide_product *p, double a) {
    p->mantissa = normal(p->mantissa * normal(a, 0x1p400, &p->exponent), 0x1p500, &p->exponent);
}

/* The product of one line, no part of which leaves the range of doubles. */
static double careful_product(const vekt_lines *p, ptrdiff_t line) {
    const char *address = p->plan.data[X] + vekt_offset(p->plan.outer, p->plan.n_outer, X, line);
    wide_product products[4] = {{1, 0}, {1, 0}, {1, 0}, {1, 0}};
    double buffer[SOME_ELEMENTS];
    for (ptrdiff_t i = 0; i < p->plan.n; i += SOME_ELEMENTS) {
        const ptrdiff_t m = vekt_smaller(p->plan.n - i, SOME_ELEMENTS);
        const char *x = vekt_dense_part(p, X, address, i, m, buffer);
        for (ptrdiff_t j = 0; j < m; j++, x += p->plan.item) {
            float single;
            double a;
            if (p->asked->element == VEKT_F32) {
                memcpy(&single, x, sizeof single);
                a = (double)single;
            } else {
                memcpy(&a, x, sizeof a);
            }
            multiply(&products[j % 4], a);
        }
    }
    for (int j = 1; j < 4; j++) {
        products[0].exponent += products[j].exponent;
        multiply(&products[0], products[j].mantissa);
    }
    const int64_t exponent = products[0].exponent, far = 4000;
    return ldexp(products[0].mantissa, exponent > far ? far : exponent < -far ? -far : (int)exponent);
}

static void finish_products(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *products,
                            ptrdiff_t width) {
    const results *r = p->asked->context;
    const ptrdiff_t step = vekt_result_step(p);
    char *out = out_of(p, begin);
    (void)width;
    if (vekt_is_integer(p->asked->element)) {
        store_integers(out, step, VEKT_TYPE_I64, products, 0, end - begin);
        return;
    }
    for (ptrdiff_t m; begin < end; begin += m, products += m, out += m * step) {
        vekt_number values[SOME_LINES];
        m = vekt_smaller(end - begin, SOME_LINES);
        for (ptrdiff_t i = 0; i < m; i++) {
            const double a = products[i].real;
            values[i].real = a == a ? a : careful_product(p, begin + i);
        }
        store_reals(out, step, r->call->out_type, values, 1, m);
    }
}

static void finish_counts(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *counts,
                          ptrdiff_t width) {
    const ptrdiff_t step = vekt_result_step(p);
    char *out = out_of(p, begin);
    (void)width;
    if (vekt_is_integer(p->asked->element)) {
        store_integers(out, step, VEKT_TYPE_I64, counts, 0, end - begin);
        return;
    }
    for (; begin < end; begin++, counts++, out += step) memcpy(out, &(int64_t){(int64_t)counts->real}, 8);
}

static void finish_moments(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *moments,
                           ptrdiff_t width) {
    const vekt_reduce_call *call = ((const results *)p->asked->context)->call;
    const int op = call->op, of_numbers = op >= VEKT_REDUCE_NANSUM, type = call->out_type;
    const int means = op == VEKT_REDUCE_MOMENTS || op == VEKT_REDUCE_NANMEAN;
    const int roots = op == VEKT_REDUCE_STD || op == VEKT_REDUCE_NANSTD;
    const ptrdiff_t step = vekt_result_step(p);
    char *out = out_of(p, begin), *variances = op == VEKT_REDUCE_MOMENTS ? call->second + (out - call->out) : out;
    for (ptrdiff_t m; begin < end; begin += m, moments += m, out += m * step, variances += m * step) {
        vekt_number mean[SOME_LINES], variance[SOME_LINES];
        m = vekt_smaller(end - begin, SOME_LINES);
        for (ptrdiff_t i = 0; i < m; i++) {
            const double count = moments[VEKT_MOMENTS_COUNT * width + i].real, left = count - call->ddof;
            const double squares = moments[VEKT_MOMENTS_SQUARES * width + i].real;
            mean[i].real = moments[VEKT_MOMENTS_MEAN * width + i].real + moments[VEKT_MOMENTS_REST * width + i].real;
            if (count == 0) mean[i].real = (double)NAN;
            variance[i].real = squares / (left < 0 ? 0 : left); /* NaN is kept */
            if (of_numbers && !(left > 0)) variance[i].real = (double)NAN;
            if (roots) variance[i].real = sqrt(variance[i].real);
        }
        if (means) store_reals(out, step, type, mean, 1, m);
        if (op != VEKT_REDUCE_NANMEAN) store_reals(variances, step, type, variance, 1, m);
    }
}

/* ---- calls ------------------------------------------------------------------------------------------------ */

/* The key that turns the order of integers into that of signed ones, and round for the least of them. */
static int64_t order_key(reading how, int least) {
    const int64_t key = how.is_unsigned ? sign_bit(how.bits) : 0;
    return least ? ~key : key;
}

/* Products are formed in int64 or double, moments in double, of floats or doubles. */
static void convert_elements(vekt_line_request *asked, results *r) {
    const vekt_reduce_call *call = r->call;
    const int type = call->type, short_integers = type <= VEKT_TYPE_U8;
    if (type >= VEKT_TYPE_HALF && !(type == VEKT_TYPE_F32 && call->out_type == VEKT_TYPE_F64)) return;
    if (type == VEKT_TYPE_F64 || (type >= VEKT_TYPE_I64 && type <= VEKT_TYPE_U64 && call->out_type <= VEKT_TYPE_U64))
        return;
    r->how = (reading){.element = VEKT_F64, .format = VEKT_CONVERTED};
    if (call->op == VEKT_REDUCE_PROD && call->out_type <= VEKT_TYPE_U64) r->how.element = VEKT_I64;
    if (call->op != VEKT_REDUCE_PROD && short_integers) r->how.element = VEKT_F32;
    asked->from = type;
}

int vekt_reduce(const vekt_target *target, const vekt_reduce_call *call) {
    results r = {.call = call, .how = readings[call->type], .divisor = 1};
    const int least = call->op == VEKT_REDUCE_MIN || call->op == VEKT_REDUCE_ARGMIN || call->op == VEKT_REDUCE_ALL;
    vekt_line_request asked = {.target = target,
                               .n_operands = 1,
                               .n_streams = 1,
                               .data = {call->x, call->x},
                               .out = call->out,
                               .context = &r};
    switch (call->op) {
    case VEKT_REDUCE_SUM:
    case VEKT_REDUCE_MEAN:
        asked.streams[0].term = call->type == VEKT_TYPE_BOOL ? VEKT_COUNT_NONZERO : VEKT_SUM;
        asked.finish = finish_sums;
        if (call->op == VEKT_REDUCE_MEAN) r.divisor = (double)vekt_count(call->dims + call->n_outer, call->n_inner);
        if (r.how.bits == 64 && call->out_type >= VEKT_TYPE_HALF) {
            r.how = (reading){VEKT_F64, r.how.is_unsigned ? VEKT_WIDE_UNSIGNED : VEKT_WIDE_SIGNED, 0, 0};
        } else if (r.how.is_unsigned && r.how.bits < 64 && call->type != VEKT_TYPE_BOOL) {
            asked.key = r.bias = sign_bit(r.how.bits);
        }
        break;
    case VEKT_REDUCE_ANY:
    case VEKT_REDUCE_ALL:
        r.how.is_unsigned = 1;
        asked.streams[0].term = r.how.bits ? VEKT_GREATEST : VEKT_COUNT_NONZERO;
        asked.finish = finish_truth;
        asked.decides = decides;
        break;
    case VEKT_REDUCE_PROD:
        asked.streams[0].term = VEKT_PRODUCT;
        asked.finish = finish_products;
        convert_elements(&asked, &r);
        break;
    case VEKT_REDUCE_COUNT_NONZERO:
        asked.streams[0].term = VEKT_COUNT_NONZERO;
        asked.finish = finish_counts;
        break;
    case VEKT_REDUCE_NANSUM:
    case VEKT_REDUCE_NANMAX:
    case VEKT_REDUCE_NANMIN:
        asked.streams[0].term = call->op == VEKT_REDUCE_NANSUM   ? VEKT_SUM_NUMBERS
                                : call->op == VEKT_REDUCE_NANMAX ? VEKT_GREATEST_NUMBER
                                                                 : VEKT_LEAST_NUMBER;
        asked.finish = finish_sums;
        break;
    case VEKT_REDUCE_VAR:
    case VEKT_REDUCE_STD:
    case VEKT_REDUCE_MOMENTS:
    case VEKT_REDUCE_NANMEAN:
    case VEKT_REDUCE_NANVAR:
    case VEKT_REDUCE_NANSTD:
        asked.n_streams = 0;
        asked.moments = call->op >= VEKT_REDUCE_NANSUM ? 2 : 1;
        asked.finish = finish_moments;
        convert_elements(&asked, &r);
        break;
    default:
        asked.streams[0].term = r.how.bits || !least ? VEKT_GREATEST : VEKT_LEAST;
        asked.finish = r.how.bits ? finish_integer_extremes : finish_sums;
        if (call->op != VEKT_REDUCE_ARGMAX && call->op != VEKT_REDUCE_ARGMIN) break;
        asked.positions = 1;
        asked.key = least; /* of real numbers */
        asked.finish = finish_positions;
        if (call->type == VEKT_TYPE_BOOL) asked.decides = is_greatest;
    }
    if (asked.streams[0].term == VEKT_GREATEST && r.how.bits) asked.key = order_key(r.how, least);
    asked.element = r.how.element, asked.format = r.how.format;
    return vekt_reduce_lines(&asked, call->dims, call->n_outer, call->n_inner);
}
