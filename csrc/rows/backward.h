/* Gradients from the outputs: dx from dy, which is x of the call, and y.
 * An element whose y is a constant, 0 or the logarithm of it, gets 0, and its dy counts for nothing. */

typedef struct {
    FN(row_sum) sum;
    INT count[SUM_WIDTH];
    VEC total, total_low;
    VEC factor; /* of e^y as exp_pair gives it, where total has the rest */
} FN(backward_state);

#define BACKWARD_LOADS(fill)                                          \
    VEC dy = FN(row_load)(r->x, r->x_step, t + g, valid, r->flip, 0); \
    VEC y = FN(row_load)(r->y, r->y_step, t + g, valid, (INT){0}, (REAL)(fill))

/* ---- softmax: y (dy - sum(dy y)) -------------------------------------------------------------------------- */

INLINE void FN(product_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    FN(backward_state) *s = state;
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        ptrdiff_t i = FN(sum_index)(r, t, g);
        BACKWARD_LOADS(0);
        dy = v_select(v_eq(y, K(0)), K(0), dy);
        VEC product = dy * y;
        FN(sum_join)(&s->sum.high[i], &s->sum.low[i], product, v_fma(dy, y, -product));
    }
}

INLINE void FN(softmax_gradient_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count,
                                      ptrdiff_t valid) {
    const FN(backward_state) *s = state;
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        BACKWARD_LOADS(0);
        VEC half = v_mad(dy, K(0.5), -s->total) - s->total_low; /* dy less the sum may overflow */
        VEC dx = (y + y) * half;
        FN(row_store)(r->out, r->out_step, t + g, valid, v_select(v_eq(y, K(0)), K(0), dx));
    }
}

INLINE void FN(softmax_backward_body)(const vekt_row_call *c, int mode) {
    FN(rows) r = FN(rows_of)(c, mode);
    FN(backward_state) s;
    VEC low, total = FN(sum_pass)(&r, FN(product_step), &s, &s.sum, 0, &low);
    s.total = total * K(0.5), s.total_low = low * K(0.5);
    FN(row_pass)(&r, FN(softmax_gradient_step), &s);
}

/* ---- log_softmax: dy - e^y sum(dy) ------------------------------------------------------------------------ */

INLINE void FN(term_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    FN(backward_state) *s = state;
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        ptrdiff_t i = FN(sum_index)(r, t, g);
        BACKWARD_LOADS(-INFINITY);
        FN(sum_join)(&s->sum.high[i], &s->sum.low[i], v_select(v_eq(y, K(-INFINITY)), K(0), dy), K(0));
    }
}

INLINE void FN(log_gradient_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count,
                                  ptrdiff_t valid) {
    const FN(backward_state) *s = state;
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        BACKWARD_LOADS(0);
        /* outputs lie between -inf and 0; NaN stays */
        FN(pair) e = FN(exp_pair)(v_max(K(-FN(EXP_LIMIT)), v_min(K(0), y)), NULL, HALF_RANGE);
        VEC p = v_mad(e.head, e.rest, e.head) * s->factor;
        VEC dx = v_select(v_lt(y, K(-FN(EXP_LIMIT))), dy, v_mad(-p, s->total, dy)); /* beyond, e^y is 0 */
        FN(row_store)(r->out, r->out_step, t + g, valid, v_select(v_eq(y, K(-INFINITY)), K(0), dx));
    }
}

INLINE void FN(log_softmax_backward_body)(const vekt_row_call *c, int mode) {
    FN(rows) r = FN(rows_of)(c, mode);
    FN(backward_state) s;
    VEC low, total = FN(sum_pass)(&r, FN(term_step), &s, &s.sum, 0, &low);
    MASK large = v_le(K(1), v_abs(total)); /* then a subnormal e^y counts with all its digits */
    s.factor = v_select(large, K(1), K(TINY_SCALE));
    s.total = v_select(large, total * K(TINY_SCALE), total);
    FN(row_pass)(&r, FN(log_gradient_step), &s);
}

/* ---- sparsemax: dy less its mean, over the support -------------------------------------------------------- */

INLINE void FN(support_term_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count,
                                  ptrdiff_t valid) {
    FN(backward_state) *s = state;
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        ptrdiff_t i = FN(sum_index)(r, t, g);
        BACKWARD_LOADS(0);
        MASK outside = v_eq(y, K(0));
        FN(sum_join)(&s->sum.high[i], &s->sum.low[i], v_select(outside, K(0), dy), K(0));
        s->count[i] += v_bits(v_select(outside, K(0), v_real((INT){0} + 1)));
    }
}

/* NaN in y: the row's support is not known. */
INLINE void FN(mean_gradient_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count,
                                   ptrdiff_t valid) {
    const FN(backward_state) *s = state;
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        BACKWARD_LOADS(0);
        VEC dx = (dy - s->total) - s->total_low;
        VEC on_support = v_select(v_eq(y, y), dx, y);
        FN(row_store)(r->out, r->out_step, t + g, valid, v_select(v_eq(y, K(0)), K(0), on_support));
    }
}

INLINE void FN(sparsemax_backward_body)(const vekt_row_call *c, int mode) {
    FN(rows) r = FN(rows_of)(c, mode);
    FN(backward_state) s;
    for (ptrdiff_t i = 0; i < r.sums; i++) s.count[i] = (INT){0};
    VEC low, sum = FN(sum_pass)(&r, FN(support_term_step), &s, &s.sum, 0, &low);
    VEC n_low, n = v_max(K(1), FN(count_total)(&r, s.count, &n_low)); /* an empty support has no use for the mean */
    s.total = FN(divide)(sum, low, n, n_low, K(1) / n, &s.total_low);
    s.total_low = v_select(v_lt(v_abs(s.total), K(INFINITY)), s.total_low, K(0));
    FN(row_pass)(&r, FN(mean_gradient_step), &s);
}

#undef BACKWARD_LOADS
