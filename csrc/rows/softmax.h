/* softmax, log_softmax, logsumexp.
 *
 * e^x is divided by a power of two, 2^k with k = x_max/ln 2 rounded, and not by e^x_max: then nothing is subtracted
 * from x, and nothing lost.  Where the maximum is so large that k ln 2 would be inexact, x - x_max takes the place of
 * x; it is exact there (Sterbenz) for all elements that count. */

typedef struct {
    VEC top;    /* the maximum */
    VEC limit;  /* below it e^x counts as 0 */
    INT offset; /* k, as a number to subtract from exponents */
} FN(scaling);

INLINE FN(scaling) FN(scaling_of)(VEC top) {
    VEC shifted = v_fma(top, K(0x1.71547652b82fep+0), K(FN(ROUNDER)));
    return (FN(scaling)){top, top - K(FN(EXP_LIMIT)), v_bits(shifted) << MANTISSA_BITS};
}

/* e^x / 2^k = head (1 + rest) / 2^HALF_RANGE; 0 below the limit.  exp_pair takes positive x too, as the excess of its
 * exponent is taken back here. */
#if VEKT_HAS_FMA
INLINE
#else
static __attribute__((noinline)) /* an emulated fma fills pages */
#endif
FN(pair) FN(scaled_exp)(const FN(scaling) * s, VEC x) {
    FN(pair) e = FN(exp_pair)(v_max(s->limit, x), NULL, HALF_RANGE);
    e.head = v_select(v_lt(x, s->limit), K(0), v_real(v_wrap_sub(v_bits(e.head), s->offset)));
    return e;
}

#define ONE (1 / (REAL)TINY_SCALE) /* 2^HALF_RANGE */

/* ---- softmax ---------------------------------------------------------------------------------------------- */

typedef struct {
    FN(scaling) scaling;
    FN(row_sum) sum;
    VEC inverse, inverse_low;
    VEC top, quotient_of_top;
    VEC factor;
} FN(softmax_state);

INLINE void FN(exp_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    FN(softmax_state) *s = state;
    FN(pair) e[SIDE];
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++)
        e[g] = FN(scaled_exp)(&s->scaling, FN(row_load)(r->x, r->x_step, t + g, valid, (INT){0}, (REAL)-INFINITY));
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        FN(row_store)(r->out, r->out_step, t + g, valid, v_mad(e[g].head, e[g].rest, e[g].head));
        FN(sum_add_small)(&s->sum, FN(sum_index)(r, t, g), e[g].head, e[g].rest);
    }
}

/* e / sum: the second word of 1/sum takes its error away.  e is scaled, and only the last operation takes that back,
 * so that a subnormal result is rounded once.  The maximum's own rounding error is known: where nothing else counts,
 * its quotient is 1. */
INLINE VEC FN(quotient)(const FN(softmax_state) * s, VEC e) {
    VEC y = v_fma(e, s->inverse, e * s->inverse_low);
    return v_select(v_eq(e, s->top), s->quotient_of_top, y);
}

INLINE void FN(prepare_quotients)(FN(softmax_state) * s, VEC sum, VEC low) {
    sum = v_select(v_eq(sum, K(0)), K(ONE), sum); /* nothing but -inf: zeros */
    sum *= K(TINY_SCALE), low *= K(TINY_SCALE);
    VEC inverse = K(1) / sum;
    s->inverse = inverse * K(TINY_SCALE);
    s->inverse_low = s->inverse * (v_fma(-inverse, sum, K(1)) - inverse * low);
    FN(pair) e = FN(scaled_exp)(&s->scaling, s->scaling.top);
    s->top = v_mad(e.head, e.rest, e.head);
    VEC top_low = v_fma(e.head, e.rest, e.head - s->top);
    s->quotient_of_top = v_fma(s->top, s->inverse, v_mad(top_low, s->inverse, s->top * s->inverse_low));
}

INLINE void FN(divide_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    const FN(softmax_state) *s = state;
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        VEC e = FN(row_load)(r->out, r->out_step, t + g, valid, (INT){0}, 0);
        FN(row_store)(r->out, r->out_step, t + g, valid, FN(quotient)(s, e));
    }
}

INLINE void FN(divide_times_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count,
                                  ptrdiff_t valid) {
    const FN(softmax_state) *s = state;
    for (int g = first; g < first + count; g++) {
        VEC e = FN(row_load)(r->out, r->out_step, t + g, valid, (INT){0}, 0);
        FN(row_store)(r->out, r->out_step, t + g, valid, FN(quotient)(s, e) * s->factor);
    }
}

/* With a number for each row it is the gradient of logsumexp: softmax(x) times that. */
INLINE void FN(softmax_body)(const vekt_row_call *c, int mode) {
    FN(rows) r = FN(rows_of)(c, mode);
    FN(softmax_state) s;
    s.scaling = FN(scaling_of)(FN(ready)(c, &r));
    VEC low, sum = FN(sum_pass)(&r, FN(exp_step), &s, &s.sum, 2 * ONE, &low); /* e^x / 2^k < 1.5 */
    FN(prepare_quotients)(&s, sum, low);
    if (c->scalar) {
        const REAL *factor = c->scalar;
        s.factor = r.panel ? FN(v_load)(factor) : K(*factor);
        /* Subnormal quotients times a large factor: the factor takes the scale back instead. */
        VEC scale = v_select(v_le(K(1), v_abs(s.factor)), K(TINY_SCALE), K(1)), inverse = K(1) / scale;
        s.factor *= scale;
        s.inverse *= inverse, s.inverse_low *= inverse, s.quotient_of_top *= inverse;
        FN(row_pass)(&r, FN(divide_times_step), &s);
    } else {
        FN(row_pass)(&r, FN(divide_step), &s);
    }
}

/* ---- log_softmax, logsumexp ------------------------------------------------------------------------------- */

/* atanh(s) = s + s^3 (1/3 + s^2/5 + ...), |s| <= 0.2: to 2^-27 of s for float, 2^-58 for double */
#define ATANH_TERMS (sizeof(REAL) == 4 ? 5 : 12)

/* log(1 + u + u_low), u >= 0, in two words: relative error 0.05 ULP, also where u is tiny.  Once for all kernels: it
 * is long, and needed once in a row. */
static __attribute__((noinline)) VEC FN(row_log)(VEC u, VEC u_low, VEC *low) {
    INT unit = (INT){0} + 1;
    VEC s = K(1), s_low = u_low;
    FN(sum_join)(&s, &s_low, u, K(0));
    INT exponent = v_wrap_sub(v_bits(s), v_bits(K(2.0 / 3))) >> MANTISSA_BITS; /* s = 2^exponent f, 2/3 <= f < 4/3 */
    VEC f = v_real(v_wrap_sub(v_bits(s), exponent << MANTISSA_BITS));
    VEC f_low = s_low * v_real((unit * EXPONENT_BIAS - exponent) << MANTISSA_BITS);
    VEC z = f - K(1), z_low = K(0);
    FN(sum_join)(&z, &z_low, f_low, K(0));
    MASK near = v_lt(s, K(4.0 / 3)); /* exponent 0 */
    z = v_select(near, u, z);
    z_low = v_select(near, u_low, z_low);
    VEC d = K(2), d_low = z_low;
    FN(sum_join)(&d, &d_low, z, K(0));
    VEC q_low, q = FN(divide)(z, z_low, d, d_low, K(1) / d, &q_low);
    VEC square = q * q, p = K(1.0 / (2 * ATANH_TERMS + 1));
#pragma GCC unroll 16
    for (int i = ATANH_TERMS - 1; i > 0; i--) p = v_mad(p, square, K(1.0 / (2 * i + 1)));
    VEC e = __builtin_convertvector(exponent, VEC);
    VEC high = e * K(FN(LN2)[0]), rest = v_mad(e, K(FN(LN2)[1]), K(2) * v_mad(q * square, p, q_low)), sum = K(0);
    FN(sum_join)(&high, &sum, K(2) * q, rest);
    VEC y = high + sum;
    *low = sum - (y - high);
    return y + (s - s); /* NaN */
}

typedef struct {
    FN(scaling) scaling;
    FN(row_sum) sum;
    INT count[SUM_WIDTH];
    VEC max, log;
    VEC centre;       /* what is subtracted from x where it cannot be from a copy */
    VEC unit, others; /* e^max, scaled; the sum in this unit, less 1 */
} FN(log_state);

/* The sum leaves out the elements that are the maximum, and counts them.  It starts from 0, so that its first word
 * holds the largest terms however small they are. */
INLINE void FN(add_rest)(const FN(rows) * r, FN(log_state) * s, ptrdiff_t t, int first, int count, ptrdiff_t valid,
                         int store) {
    FN(pair) e[SIDE];
    INT is_max[SIDE];
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        VEC x = FN(row_load)(r->x, r->x_step, t + g, valid, (INT){0}, (REAL)-INFINITY) - s->centre;
        MASK maximal = v_eq(x, s->scaling.top);
        e[g] = FN(scaled_exp)(&s->scaling, x);
        if (store) FN(row_store)(r->out, r->out_step, t + g, valid, v_mad(e[g].head, e[g].rest, e[g].head));
        e[g].head = v_select(maximal, K(0), e[g].head);
        is_max[g] = v_bits(v_select(maximal, v_real((INT){0} + 1), K(0)));
    }
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        ptrdiff_t i = FN(sum_index)(r, t, g);
        VEC high = s->sum.high[i], sum = high + e[g].head, back = sum - high;
        VEC error = (high - (sum - back)) + (e[g].head - back);
        s->sum.low[i] = v_mad(e[g].head, e[g].rest, s->sum.low[i] + error);
        s->sum.high[i] = sum;
        s->count[i] += is_max[g];
    }
}

INLINE void FN(rest_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    FN(add_rest)(r, state, t, first, count, valid, 0);
}

/* The same, and what is added stands in out. */
INLINE void FN(stored_rest_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count,
                                 ptrdiff_t valid) {
    FN(add_rest)(r, state, t, first, count, valid, 1);
}

INLINE void FN(subtract_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    const FN(log_state) *s = state;
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        VEC x = FN(row_load)(r->x, r->x_step, t + g, valid, (INT){0}, 0);
        FN(row_store)(r->out, r->out_step, t + g, valid, (x - s->max) - s->log);
    }
}

/* log(sum of e^(x - max)) of each row, in two words. */
INLINE VEC FN(log_of_sum)(const FN(rows) * r, FN(log_state) * s, VEC *low, FN(pass) pass, FN(row_step) step,
                          FN(total) total) {
    s->scaling = FN(scaling_of)(s->max - s->centre);
    for (int i = 0; i < r->sums; i++) s->count[i] = (INT){0};
    VEC rest, rest_low, sum_low, sum;
    FN(sum_passes)(r, pass, step, s, total, &s->sum, 1, 0, &rest, &rest_low);
    FN(pair) e = FN(scaled_exp)(&s->scaling, s->scaling.top);
    VEC max = v_fma(e.head, e.rest, e.head), max_low = v_fma(e.head, e.rest, e.head - max);
    VEC ratio_low, ratio = FN(divide)(rest, rest_low, max, max_low, K(1) / max, &ratio_low);
    /* the sum less 1; nothing but -inf counts as one maximum */
    sum = FN(count_total)(r, s->count, &sum_low);
    FN(sum_join)(&sum, &sum_low, K(-1), K(0));
    sum = v_max(K(0), sum);
    FN(sum_join)(&sum, &sum_low, ratio, ratio_low);
    VEC u = sum + sum_low, u_low = sum_low - (u - sum);
    s->unit = max, s->others = u;
    return FN(row_log)(u, u_low, low);
}

/* 0 for rows without NaN, and NaN. */
static __attribute__((noinline)) VEC FN(row_nan)(const vekt_row_call *c, int panel) {
    VEC nan = K(0);
    for (ptrdiff_t t = 0, left = panel ? c->n * LANES : c->n; left > 0; t++, left -= LANES) {
        const ptrdiff_t valid = left < LANES ? left : LANES;
        VEC x = FN(row_load)(c->x, panel ? c->x_step : (ptrdiff_t)sizeof(VEC), t, valid, (INT){0}, 0);
        nan += v_select(v_eq(x, x), K(0), x);
    }
    if (!panel)
        for (int half = LANES / 2; half > 0; half /= 2) nan += FN(swap)(nan, half);
    return nan;
}

/* logsumexp: the maximum plus the logarithm.  Where the maximum is infinite it is the result, unless there is a NaN.
 */
INLINE void FN(store_logsumexp)(const vekt_row_call *c, int panel, VEC max, VEC log, VEC log_low) {
    VEC y = max, infinite = v_select(v_lt(v_abs(max), K(INFINITY)), K(0), K(1));
    FN(sum_join)(&y, &log_low, log, K(0));
    y += log_low;
    if (__builtin_expect(!FN(all_zero)(v_bits(infinite), panel), 0))
        y = v_select(v_eq(infinite, K(1)), max + FN(row_nan)(c, panel), y);
    REAL *result = c->scalar;
    if (panel)
        FN(v_store)(result, y);
    else
        *result = y[0];
}

/* Without out it is logsumexp, which has nowhere to put a copy of x. */
INLINE void FN(log_softmax_body)(const vekt_row_call *c, int mode) {
    FN(rows) r = FN(rows_of)(c, mode);
    FN(log_state) s;
    VEC low, max;
    if (c->out) {
        s.max = max = FN(ready)(c, &r);
        s.centre = K(0);
    } else {
        max = FN(row_max)(&r, FN(row_pass));
        s.max = v_select(v_lt(v_abs(max), K(INFINITY)), max, K(0));
        s.centre = FN(centre_of)(max);
    }
    s.log = FN(log_of_sum)(&r, &s, &low, FN(row_pass), FN(rest_step), FN(sum_total));
    if (c->out)
        FN(row_pass)(&r, FN(subtract_step), &s);
    else
        FN(store_logsumexp)(c, r.panel, max, s.log, low);
}
