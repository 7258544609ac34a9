/* sparsemax (Martins and Astudillo, 2016): max(d - tau, 0), d = x - x_max, where tau makes the elements add up to 1.
 *
 * Newton's iteration from tau = -1, below the root of a convex function: tau rises to it, and the set of elements
 * above tau shrinks until it stays the same.  It then is the support exactly, after fewer than ten passes on most
 * rows. d and tau have two words, so that elements just above tau are accurate too.  Where the last bit of tau
 * decides, the set might grow again, and so forth without an end: what does not shrink leaves tau as it is. */

typedef struct {
    VEC max, tau, tau_low;
    FN(row_sum) sum;
    INT count[SUM_WIDTH];
} FN(sparsemax_state);

/* d in two words.  What lies 2 or more below the maximum is not in the support: -2 stands for it, as for -inf. */
INLINE VEC FN(distance)(const FN(sparsemax_state) * s, VEC x, VEC *low) {
    VEC d = x - s->max, t = d - x;
    VEC rest = (x - (d - t)) - (s->max + t);
    *low = v_select(v_lt(K(-2), d), rest, K(0));
    return v_max(K(-2), d);
}

/* d - tau: exact but for one rounding where it is small. */
INLINE VEC FN(above_tau)(const FN(sparsemax_state) * s, VEC d, VEC d_low) {
    return (d - s->tau) + (d_low - s->tau_low);
}

INLINE void FN(support_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    FN(sparsemax_state) *s = state;
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        ptrdiff_t i = FN(sum_index)(r, t, g);
        VEC low, d = FN(distance)(s, FN(row_load)(r->x, r->x_step, t + g, valid, (INT){0}, (REAL)-INFINITY), &low);
        MASK outside = v_le(FN(above_tau)(s, d, low), K(0)); /* not of NaN, which must reach tau */
        FN(sum_join)(&s->sum.high[i], &s->sum.low[i], v_select(outside, K(0), d), v_select(outside, K(0), low));
        s->count[i] += v_bits(v_select(outside, K(0), v_real((INT){0} + 1)));
    }
}

INLINE void FN(clip_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    const FN(sparsemax_state) *s = state;
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++) {
        VEC low, d = FN(distance)(s, FN(row_load)(r->x, r->x_step, t + g, valid, (INT){0}, 0), &low);
        FN(row_store)(r->out, r->out_step, t + g, valid, v_max(K(0), FN(above_tau)(s, d, low)));
    }
}

INLINE VEC FN(choose)(INT which, VEC x, VEC y) { return v_real((which & v_bits(x)) | (~which & v_bits(y))); }

/* tau = (sum of d - 1)/count over the support, and 0 where that is empty: nothing but -inf; of the rows `which`. */
INLINE void FN(update_tau)(FN(sparsemax_state) * s, VEC sum, VEC sum_low, VEC n, VEC n_low, INT which) {
    MASK empty = v_eq(n, K(0));
    n = v_select(empty, K(1), n);
    FN(sum_join)(&sum, &sum_low, K(-1), K(0));
    VEC low, inverse = K(1) / n, tau = FN(divide)(sum, sum_low, n, n_low, inverse, &low);
    s->tau = FN(choose)(which, v_select(empty, K(0), tau), s->tau);
    s->tau_low = FN(choose)(which, v_select(empty, K(0), low), s->tau_low);
}

INLINE void FN(sparsemax_body)(const vekt_row_call *c, int mode) {
    FN(rows) r = FN(rows_of)(c, mode);
    FN(sparsemax_state) s;
    s.max = FN(ready)(c, &r);
    s.tau = K(-1), s.tau_low = K(0);
    INT fewer = (INT){0} - 1;
    VEC least = K(0), least_low = K(0);
    for (int first = 1; !FN(all_zero)(fewer, r.panel); first = 0) {
        for (ptrdiff_t i = 0; i < r.sums; i++) s.count[i] = (INT){0};
        VEC low, sum = FN(sum_pass)(&r, FN(support_step), &s, &s.sum, 0, &low);
        VEC n_low, n = FN(count_total)(&r, s.count, &n_low);
        MASK less = v_lt((n - least) + (n_low - least_low), K(0));
        if (!first) fewer = v_bits(v_select(less, v_real((INT){0} - 1), K(0)));
        least = FN(choose)(fewer, n, least), least_low = FN(choose)(fewer, n_low, least_low);
        FN(update_tau)(&s, sum, low, n, n_low, fewer);
    }
    FN(row_pass)(&r, FN(clip_step), &s);
}
