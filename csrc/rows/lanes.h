/* What the row kernels share: a walk over the vectors of a row, and sums whose bits do not depend on the walk.
 *
 * A kernel runs in one of two modes, a constant at every call of these functions.  In ROW mode a vector holds LANES
 * neighbouring elements of one row; in PANEL mode it holds one element of each of LANES rows, so that nothing goes
 * across lanes.  Element j of a row is added to sum number j mod SUM_WIDTH, and sums are joined in halves: the same
 * bits in both modes and for every width of vector.  Rows of VEKT_SHORT_ROW elements or fewer always run as panels
 * and have one sum each. */

#define SUM_WIDTH (64 / (int)sizeof(REAL))
#define ROW_SUMS (SUM_WIDTH / LANES)
/* Vectors that run side by side, as in ops/loops.h; a multiple of ROW_SUMS. */
#define SIDE (VEKT_VECTOR_BYTES == 64 ? 4 : 2 * ROW_SUMS > 4 ? 4 : 2)

INLINE VEC FN(iota)(void) {
    VEC x;
    for (int l = 0; l < LANES; l++) x[l] = (REAL)l;
    return x;
}

/* Lane l gets lane l ^ half. */
INLINE VEC FN(swap)(VEC x, int half) {
#if defined(__clang__)
    VEC y;
    for (int l = 0; l < LANES; l++) y[l] = x[l ^ half];
    return y;
#else
    INT index;
    for (int l = 0; l < LANES; l++) index[l] = l ^ half;
    return __builtin_shuffle(x, index);
#endif
}

/* Vector t of an operand, negated where flip is the sign bit; lanes from valid on are filled. */
INLINE VEC FN(row_load)(const void *p, ptrdiff_t step, ptrdiff_t t, ptrdiff_t valid, INT flip, REAL fill) {
    const REAL *q = (const REAL *)((const char *)p + t * step);
    if (valid == LANES) return v_real(v_bits(FN(v_load)(q)) ^ flip);
    VEC x = v_real(v_bits(FN(v_load_first)(q, valid)) ^ flip);
    return v_select(v_lt(FN(iota)(), K(valid)), x, K(fill));
}

INLINE void FN(row_store)(void *p, ptrdiff_t step, ptrdiff_t t, ptrdiff_t valid, VEC x) {
    REAL *q = (REAL *)((char *)p + t * step);
    if (valid == LANES)
        FN(v_store)(q, x);
    else
        FN(v_store_first)(q, x, valid);
}

/* The call and the mode, as each pass over a row has them. */
typedef struct {
    const char *x, *y;
    char *out;
    ptrdiff_t x_step, y_step, out_step, n;
    INT flip; /* of x */
    int panel;
    ptrdiff_t sums; /* less one: a mask for the index of an element */
} FN(rows);

INLINE FN(rows) FN(rows_of)(const vekt_row_call *c, int panel) {
    const ptrdiff_t contiguous = sizeof(VEC);
    return (FN(rows)){
        .x = c->x,
        .y = c->y,
        .out = c->out,
        .x_step = panel ? c->x_step : contiguous,
        .y_step = panel ? c->y_step : contiguous,
        .out_step = panel ? c->out_step : contiguous,
        .n = c->n,
        .flip = v_bits(K(c->negate ? -0.0 : 0.0)),
        .panel = panel,
        .sums = panel ? (c->n > VEKT_SHORT_ROW ? SUM_WIDTH - 1 : 0) : ROW_SUMS - 1,
    };
}

/* A pass: step does the vectors t + g for g in [first, first + count). */
typedef void (*FN(row_step))(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid);

INLINE void FN(row_pass)(const FN(rows) * r, FN(row_step) step, void *state) {
    ptrdiff_t full = r->panel ? r->n : r->n / LANES, t = 0;
    for (; t + SIDE <= full; t += SIDE) step(r, state, t, 0, SIDE, LANES);
#pragma GCC unroll 4
    for (int g = 0; g < SIDE; g++) {
        ptrdiff_t left = r->panel ? (r->n - t - g) * LANES : r->n - (t + g) * LANES;
        if (r->panel) {
            if (left > 0) step(r, state, t, g, 1, LANES);
        } else if (left >= LANES) {
            step(r, state, t, g, 1, LANES);
        } else if (left > 0) {
            step(r, state, t, g, 1, left);
        }
    }
}

/* The sum that vector t + g belongs to. */
INLINE ptrdiff_t FN(sum_index)(const FN(rows) * r, ptrdiff_t t, int g) {
    return r->panel ? (t + g) & r->sums : g % ROW_SUMS;
}

/* Sums in two words, the second of which collects the rounding errors of the first. */
typedef struct {
    VEC high[SUM_WIDTH], low[SUM_WIDTH];
} FN(row_sum);

INLINE void FN(sum_start)(const FN(rows) * r, FN(row_sum) * s, VEC start) {
    for (ptrdiff_t i = 0; i <= r->sums; i++) s->high[i] = start, s->low[i] = K(0);
}

/* Adds x + x_low.  Where start is no less than any x, three operations tell the rounding error (Dekker, 1971). */
INLINE void FN(sum_add_small)(FN(row_sum) * s, ptrdiff_t i, VEC x, VEC x_low) {
    VEC high = s->high[i], sum = high + x;
    s->low[i] += (x - (sum - high)) + x_low;
    s->high[i] = sum;
}

/* high + low + x + x_low, by Knuth's TwoSum. */
INLINE void FN(sum_join)(VEC *high, VEC *low, VEC x, VEC x_low) {
    VEC sum = *high + x, t = sum - *high;
    *low = (*low + x_low) + ((*high - (sum - t)) + (x - t));
    *high = sum;
}

/* The grand total of each row, less what the sums began with, in every lane of that row. */
INLINE VEC FN(sum_total)(const FN(rows) * r, FN(row_sum) * s, REAL start, VEC *low) {
    for (ptrdiff_t half = (r->sums + 1) / 2; half > 0; half /= 2)
        for (ptrdiff_t i = 0; i < half; i++)
            FN(sum_join)(&s->high[i], &s->low[i], s->high[i + half], s->low[i + half]);
    VEC high = s->high[0];
    *low = s->low[0];
    REAL count = (REAL)(r->sums + 1);
    if (!r->panel) {
#pragma GCC unroll 4
        for (int half = LANES / 2; half > 0; half /= 2)
            FN(sum_join)(&high, low, FN(swap)(high, half), FN(swap)(*low, half));
        count = SUM_WIDTH;
    }
    FN(sum_join)(&high, low, K(-count * start), K(0));
    VEC sum = high, rest = K(0);
    FN(sum_join)(&sum, &rest, *low, K(0)); /* low may be the larger word */
    *low = rest;
    return sum;
}

typedef struct {
    VEC max;
} FN(max_state);

INLINE void FN(max_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    FN(max_state) *s = state;
#pragma GCC unroll 4
    for (int g = first; g < first + count; g++)
        s->max = v_max(FN(row_load)(r->x, r->x_step, t + g, valid, r->flip, (REAL)-INFINITY), s->max);
}

/* The largest element of each row, NaN left out; -inf where there is none. */
INLINE VEC FN(row_max)(const FN(rows) * r) {
    FN(max_state) s = {K(-INFINITY)};
    FN(row_pass)(r, FN(max_step), &s);
    if (!r->panel)
        for (int half = LANES / 2; half > 0; half /= 2) s.max = v_max(FN(swap)(s.max, half), s.max);
    return s.max;
}

/* Is every lane finite?  In ROW mode all lanes are the same. */
INLINE int FN(all_finite)(VEC x, int panel) {
    VEC zero_or_nan = x - x;
    if (!panel) return zero_or_nan[0] == 0;
    uint64_t word[VEKT_VECTOR_BYTES / 8], any = 0;
    INT bits = v_bits(v_abs(zero_or_nan));
    memcpy(word, &bits, sizeof word);
    for (int i = 0; i < VEKT_VECTOR_BYTES / 8; i++) any |= word[i];
    return any == 0;
}

/* Rows whose maximum is infinite: where it is +inf, the elements that are +inf become 0 and the others -inf, NaN
 * apart; where it is -inf they stay.  The maximum becomes 0.  The elements go to out, which is x from then on. */
typedef struct {
    VEC max;
} FN(tame_state);

INLINE void FN(tame_step)(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid) {
    const FN(tame_state) *s = state;
    const VEC inf = K(INFINITY);
    for (int g = first; g < first + count; g++) {
        VEC x = FN(row_load)(r->x, r->x_step, t + g, valid, r->flip, 0);
        VEC tamed = v_select(v_lt(x, inf), -inf, v_select(v_eq(x, inf), K(0), x));
        FN(row_store)(r->out, r->out_step, t + g, valid, v_select(v_eq(s->max, inf), tamed, x));
    }
}

static __attribute__((noinline, cold)) VEC FN(tame)(FN(rows) * r, VEC max) {
    FN(tame_state) s = {max};
    if (r->panel) {
        for (ptrdiff_t t = 0; t < r->n; t++) FN(tame_step)(r, &s, t, 0, 1, LANES);
    } else {
        for (ptrdiff_t t = 0; t * LANES < r->n; t++) {
            ptrdiff_t left = r->n - t * LANES;
            FN(tame_step)(r, &s, t, 0, 1, left < LANES ? left : LANES);
        }
    }
    r->x = r->out;
    r->x_step = r->out_step;
    r->flip = (INT){0};
    return v_select(v_lt(v_abs(max), K(INFINITY)), max, K(0));
}
