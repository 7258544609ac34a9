/* Cross entropy of rows of logits x with targets T: sum of T (log(sum of e^x) - x), and its gradient by x times a
 * number for each row, factor (S softmax(x) - T), S the sum of T.
 *
 * The targets are a row y; or `everywhere` for each element, and `on_label` more for that of the label.  Rows whose
 * label is negative give zeros.  With M the maximum of x, log(sum of e^x) - x = (M - x) + log(sum of e^(x - M)): no
 * term is negative, and nothing cancels.  Neither does the gradient at the label, softmax - 1, where that is the
 * maximum: -u/(1 + u), 1 + u the sum of e^(x - M). */

/* One number at any address. */
typedef REAL FN(unaligned) __attribute__((aligned(1), may_alias));

typedef struct {
    FN(log_state) log;
    FN(row_sum) sums[2]; /* of T and T (M - x) */
    VEC total[2], total_low[2];
    VEC top;          /* the maximum of x itself, while log.max is that of a copy; 0 where it is -inf */
    VEC label, logit; /* the latter where a panel's label is */
    VEC everywhere, scale, shift, at_label, factor;
    INT kept; /* 0 for the rows of a panel that give zeros, else all bits */
} FN(cross_entropy_state);

INLINE void FN(add_to)(FN(row_sum) * s, ptrdiff_t i, VEC x) { FN(sum_join)(&s->high[i], &s->low[i], x, K(0)); }

/* T (M - x), 0 where T is, also where the difference of finite numbers is beyond the largest one but T is small */
INLINE VEC FN(times_distance)(VEC target, VEC max, VEC x) {
    VEC d = v_select(v_eq(x, max), K(0), max - x), far = target * max - target * x;
    VEC near = v_select(v_eq(d, K(INFINITY)), v_select(v_lt(v_abs(target), K(1)), far, target * d), target * d);
    return v_select(v_eq(target, K(0)), K(0), near);
}

INLINE void FN(target_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    FN(cross_entropy_state) *s = state;
    for (int g = first; g < first + count; g++) {
        VEC x = FN(row_load)(r->x, r->x_step, t + g, valid, (INT){0}, 0), target = s->everywhere;
        if (r->y) target = FN(row_load)(r->y, r->y_step, t + g, valid, (INT){0}, 0);
        if (valid < LANES) {
            VEC end = K((REAL)valid);
            v_now(end); /* gcc 12 fails where it compares integers instead */
            target = v_select(v_lt(FN(v_load)(FN(IOTA)), end), target, K(0));
        }
        FN(add_to)(&s->sums[0], FN(sum_index)(r, t, g), target);
        FN(add_to)(&s->sums[1], FN(sum_index)(r, t, g), FN(times_distance)(target, s->top, x));
    }
}

/* Panels only: elsewhere the label's element has an address. */
INLINE void FN(label_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    FN(cross_entropy_state) *s = state;
    for (int g = first; g < first + count; g++) {
        VEC x = FN(row_load)(r->x, r->x_step, t + g, valid, (INT){0}, 0);
        s->logit = v_select(v_eq(s->label, K((REAL)(t + g))), x, s->logit);
    }
}

INLINE void FN(slope_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    const FN(cross_entropy_state) *s = state;
    for (int g = first; g < first + count; g++) {
        VEC e = FN(row_load)(r->out, r->out_step, t + g, valid, (INT){0}, 0), y;
        if (r->y)
            y = v_mad(e, s->scale, -FN(row_load)(r->y, r->y_step, t + g, valid, (INT){0}, 0)) * s->factor;
        else
            y = v_mad(e, s->scale, s->shift);
        if (r->panel && !r->y) y = v_select(v_eq(s->label, K((REAL)(t + g))), s->at_label, y);
        FN(row_store)(r->out, r->out_step, t + g, valid, r->panel ? v_real(v_bits(y) & s->kept) : y);
    }
}

/* One number for each row. */
INLINE VEC FN(of_row)(const void *numbers, int panel) {
    return panel ? FN(v_load)(numbers) : K(*(const REAL *)numbers);
}

INLINE void FN(store_of_row)(void *numbers, int panel, VEC x) {
    if (panel)
        FN(v_store)(numbers, x);
    else
        *(REAL *)numbers = x[0];
}

/* As sum_total, once for all sums of both modes. */
static __attribute__((noinline)) VEC FN(any_total)(FN(row_sum) * s, int sums, int panel, VEC *low) {
    const FN(rows) r = {.sums = sums, .panel = panel};
    return FN(sum_total)(&r, s, 0, low);
}

INLINE VEC FN(shared_total)(const FN(rows) * r, FN(row_sum) * s, REAL start, VEC *low) {
    (void)start; /* 0 */
    return FN(any_total)(s, r->sums, r->panel, low);
}

/* The loss of the rows, and where they have labels the gradient there. */
INLINE VEC FN(loss_of)(const vekt_row_call *c, FN(cross_entropy_state) * s, VEC max, VEC log, VEC log_low) {
    VEC loss = K(0), sum = K(1);
    const VEC u = s->log.others, total = u + K(1), inverse = K(1) / (total * s->log.unit);
    if (c->y || c->everywhere != 0) {
        VEC terms = s->total[1] + s->total_low[1];
        sum = s->total[0] + s->total_low[0];
        loss = v_select(v_eq(sum, K(0)), v_select(v_eq(log, log), terms, log), v_mad(sum, log, terms));
    }
    s->scale = inverse * (c->y ? sum : s->factor);
    if (c->y) return loss;
    VEC x = FN(centred)(s->logit, max, FN(centre_of)(max));
    FN(pair) e = FN(scaled_exp)(&s->log.scaling, x);
    VEC slope =
        v_select(v_eq(x, s->log.scaling.top), -u / total, v_mad(v_mad(e.head, e.rest, e.head), inverse, K(-1)));
    s->at_label = s->factor * (slope + K(1 - c->on_label - c->everywhere));
    s->shift = -(s->factor * s->everywhere);
    if (c->on_label == 0) return loss;
    VEC on_label = K(c->on_label);
    return FN(times_distance)(on_label, s->top, s->logit) + v_mad(on_label, log + log_low, loss);
}

INLINE void FN(cross_entropy_body)(const vekt_row_call *c, int mode) {
    FN(rows) r = FN(rows_of)(c, mode);
    FN(cross_entropy_state) s;
    REAL *result = c->scalar;
    const ptrdiff_t label = r.panel || c->y ? 0 : *(const __typeof__(((INT){0})[0]) *)c->label;
    if (label < 0) {
        memset(c->out, 0, (size_t)c->n * sizeof(REAL));
        *result = 0;
        return;
    }
    s.label = r.panel && !c->y ? __builtin_convertvector(v_bits(FN(v_load)(c->label)), VEC) : K(0);
    s.factor = FN(of_row)(c->factor, r.panel);
    s.everywhere = K(c->everywhere);
    const VEC max = FN(row_max)(&r, FN(row_walk));
    s.top = v_select(v_eq(max, K(-INFINITY)), K(0), max);
    if (c->y || c->everywhere != 0)
        FN(sum_passes)(&r, FN(row_walk), FN(target_step), &s, FN(shared_total), s.sums, 2, 0, s.total, s.total_low);
    s.logit = K(0);
    /* before x is copied, as distances of the copy can be infinite */
    if (!c->y && r.panel) FN(row_walk)(&r, FN(label_step), &s);
    if (!c->y && !r.panel) s.logit = K(((const FN(unaligned) *)r.x)[label]);
    s.log.max = FN(made_ready)(c, &r, max);
    s.log.centre = K(0);

    VEC low, log = FN(log_of_sum)(&r, &s.log, &low, FN(row_walk), FN(stored_rest_step), FN(shared_total));
    VEC loss = FN(loss_of)(c, &s, max, log, low);
    s.kept = v_bits(v_select(v_lt(s.label, K(0)), K(0), v_real(~(INT){0})));
    if (r.panel) loss = v_real(v_bits(loss) & s.kept);
    FN(store_of_row)(result, r.panel, loss);
    FN(row_walk)(&r, FN(slope_step), &s);
    if (!c->y && !r.panel) ((FN(unaligned) *)r.out)[label] = s.at_label[0];
}
