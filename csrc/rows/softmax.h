/* softmax, log_softmax, logsumexp.
 *
 * e^x is divided by a power of two, 2^k with k = x_max/ln 2 rounded, and not by e^x_max: then nothing is subtracted
 * from x, and nothing lost.  Where the maximum is so large that k ln 2 would be inexact, x - x_max is taken instead;
 * it is exact there (Sterbenz) for all elements that count. */

typedef struct {
    VEC centre; /* what is subtracted from x: 0, or the maximum where that is large */
    VEC top;    /* the maximum, less centre */
    VEC limit;  /* below it e^x counts as 0 */
    INT offset; /* k, as a number to subtract from exponents */
} FN(scaling);

INLINE FN(scaling) FN(scaling_of)(VEC max) {
    VEC size = v_abs(max);
    VEC large = v_select(v_lt(K(2 * FN(EXP_LIMIT)), size), max, K(0));
    VEC centre = v_select(v_lt(size, K(INFINITY)), large, K(0)), top = max - centre;
    VEC shifted = v_fma(top, K(0x1.71547652b82fep+0), K(FN(ROUNDER)));
    return (FN(scaling)){centre, top, top - K(FN(EXP_LIMIT)), v_bits(shifted) << MANTISSA_BITS};
}

/* e^x / 2^k = (head + tail) * scale / 2^HALF_RANGE, x less centre already.  exp_parts takes positive x too, as the
 * excess of its exponent is taken back here. */
typedef struct {
    VEC head, tail, scale;
} FN(scaled);

INLINE FN(scaled) FN(scaled_exp)(const FN(scaling) * s, VEC x) {
    FN(exp_scaled) e = FN(exp_parts)(x, K(0));
    return (FN(scaled)){e.head, e.tail, v_real(v_bits(e.scale) - s->offset)};
}

#define ONE (1 / (REAL)TINY_SCALE) /* 2^HALF_RANGE */

/* ---- softmax ---------------------------------------------------------------------------------------------- */

typedef struct {
    FN(scaling) scaling;
    FN(row_sum) sum;
    VEC inverse, inverse_low, factor;
} FN(softmax_state);

INLINE void FN(exp_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    FN(softmax_state) *s = state;
    VEC high[SIDE], low[SIDE];
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        VEC x = FN(row_load)(r->x, r->x_step, t + g, valid, r->flip, (REAL)-INFINITY) - s->scaling.centre;
        FN(scaled) e = FN(scaled_exp)(&s->scaling, x);
        MASK none = v_lt(x, s->scaling.limit);
        high[g] = v_select(none, K(0), e.head * e.scale);
        low[g] = v_select(none, K(0), e.tail * e.scale);
    }
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        FN(row_store)(r->out, r->out_step, t + g, valid, high[g] + low[g]);
        FN(sum_add_small)(&s->sum, FN(sum_index)(r, t, g), high[g], low[g]);
    }
}

/* e / sum: the second word of 1/sum takes its error away.  e is scaled, so only the last product may be subnormal. */
INLINE VEC FN(quotient)(const FN(softmax_state) * s, VEC e) {
    return v_fma(e, s->inverse, e * s->inverse_low) * K(TINY_SCALE);
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

/* Also the gradient of logsumexp: softmax(x) times one number per row. */
INLINE void FN(softmax_body)(const vekt_row_call *c, int panel, int times) {
    FN(rows) r = FN(rows_of)(c, panel);
    FN(softmax_state) s;
    VEC max = FN(row_max)(&r);
    if (__builtin_expect(!FN(all_finite)(max, panel), 0)) max = FN(tame)(&r, max);
    s.scaling = FN(scaling_of)(max);
    FN(sum_start)(&r, &s.sum, K(2 * ONE)); /* e^x / 2^k < 1.42 */
    FN(row_pass)(&r, FN(exp_step), &s);
    VEC low, sum = FN(sum_total)(&r, &s.sum, 2 * ONE, &low);
    sum = v_select(v_eq(sum, K(0)), K(ONE), sum); /* nothing but -inf: zeros */
    sum *= K(TINY_SCALE), low *= K(TINY_SCALE);
    s.inverse = K(1) / sum;
    s.inverse_low = s.inverse * (v_fma(-s.inverse, sum, K(1)) - s.inverse * low);
    if (times) {
        const REAL *factor = c->scalar;
        s.factor = panel ? FN(v_load)(factor) : K(*factor);
        FN(row_pass)(&r, FN(divide_times_step), &s);
    } else {
        FN(row_pass)(&r, FN(divide_step), &s);
    }
}

/* ---- log_softmax, logsumexp ------------------------------------------------------------------------------- */

/* atanh(s) = s + s^3 (1/3 + s^2/5 + ...), |s| <= 0.2: to 2^-27 of s for float, 2^-58 for double */
#define ATANH_TERMS (sizeof(REAL) == 4 ? 5 : 12)

/* log(1 + u + u_low), u >= 0, in two words: relative error 0.05 ULP, also where u is tiny. */
INLINE VEC FN(row_log)(VEC u, VEC u_low, VEC *low) {
    INT unit = (INT){0} + 1;
    VEC s = K(1), s_low = u_low;
    FN(sum_join)(&s, &s_low, u, K(0));
    INT exponent = (v_bits(s) - v_bits(K(2.0 / 3))) >> MANTISSA_BITS; /* s = 2^exponent f, 2/3 <= f < 4/3 */
    VEC f = v_real(v_bits(s) - (exponent << MANTISSA_BITS));
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
    VEC nan; /* 0 without one */
} FN(log_state);

/* The sum leaves out the elements that are the maximum, and counts them. */
INLINE void FN(rest_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    FN(log_state) *s = state;
    VEC high[SIDE], low[SIDE];
    INT is_max[SIDE];
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        VEC x = FN(row_load)(r->x, r->x_step, t + g, valid, r->flip, (REAL)-INFINITY) - s->scaling.centre;
        MASK maximal = v_eq(x, s->scaling.top);
        FN(scaled) e = FN(scaled_exp)(&s->scaling, x);
        MASK none = v_lt(x, s->scaling.limit);
        high[g] = v_select(maximal, K(0), v_select(none, K(0), e.head * e.scale));
        low[g] = v_select(maximal, K(0), v_select(none, K(0), e.tail * e.scale));
        is_max[g] = v_bits(v_select(maximal, v_real((INT){0} + 1), K(0)));
    }
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        ptrdiff_t i = FN(sum_index)(r, t, g);
        FN(sum_join)(&s->sum.high[i], &s->sum.low[i], high[g], low[g]); /* keeps tiny sums exact */
        s->count[i] += is_max[g];
    }
}

INLINE void FN(subtract_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    const FN(log_state) *s = state;
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        VEC x = FN(row_load)(r->x, r->x_step, t + g, valid, r->flip, 0);
        FN(row_store)(r->out, r->out_step, t + g, valid, (x - s->max) - s->log);
    }
}

/* log(sum of e^(x - max)) of each row, in two words. */
INLINE VEC FN(log_of_sum)(const FN(rows) * r, FN(log_state) * s, VEC *low) {
    s->scaling = FN(scaling_of)(s->max);
    FN(sum_start)(r, &s->sum, K(0));
    for (ptrdiff_t i = 0; i <= r->sums; i++) s->count[i] = (INT){0};
    FN(row_pass)(r, FN(rest_step), s);

    INT count = s->count[0];
    for (ptrdiff_t i = 1; i <= r->sums; i++) count += s->count[i];
    if (!r->panel)
        for (int half = LANES / 2; half > 0; half /= 2) count += v_bits(FN(swap)(v_real(count), half));

    VEC rest_low, rest = FN(sum_total)(r, &s->sum, 0, &rest_low);
    s->nan = rest - rest;
    FN(scaled) e = FN(scaled_exp)(&s->scaling, s->scaling.top);
    VEC scale = e.scale * K(TINY_SCALE), head = e.head * scale, tail = e.tail * scale;
    VEC max = head + tail, max_low = tail - (max - head);
    VEC ratio_low, inverse = K(1) / max;
    VEC ratio = FN(divide)(rest * K(TINY_SCALE), rest_low * K(TINY_SCALE), max, max_low, inverse, &ratio_low);
    /* the sum less 1; nothing but -inf counts as one maximum */
    VEC sum = v_max(K(0), __builtin_convertvector(count, VEC) - K(1)), sum_low = K(0);
    FN(sum_join)(&sum, &sum_low, ratio, ratio_low);
    VEC u = sum + sum_low, u_low = sum_low - (u - sum);
    return FN(row_log)(u, u_low, low);
}

INLINE void FN(log_softmax_body)(const vekt_row_call *c, int panel) {
    FN(rows) r = FN(rows_of)(c, panel);
    FN(log_state) s;
    s.max = FN(row_max)(&r);
    if (__builtin_expect(!FN(all_finite)(s.max, panel), 0)) s.max = FN(tame)(&r, s.max);
    VEC low;
    s.log = FN(log_of_sum)(&r, &s, &low);
    FN(row_pass)(&r, FN(subtract_step), &s);
}

/* An infinite maximum is the result, unless there is a NaN. */
INLINE void FN(logsumexp_body)(const vekt_row_call *c, int panel) {
    FN(rows) r = FN(rows_of)(c, panel);
    FN(log_state) s;
    s.max = FN(row_max)(&r);
    VEC low, log = FN(log_of_sum)(&r, &s, &low), y = s.max;
    FN(sum_join)(&y, &low, log, K(0));
    y = v_select(v_lt(v_abs(s.max), K(INFINITY)), y + low, s.max + s.nan);
    REAL *result = c->scalar;
    if (panel)
        FN(v_store)(result, y);
    else
        *result = y[0];
}
