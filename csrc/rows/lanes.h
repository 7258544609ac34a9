/* What the row kernels share: a walk over the vectors of a row, and sums whose bits do not depend on the walk.
 *
 * A kernel runs in one of three modes, a constant at every call of these functions.  In ROW mode a vector holds LANES
 * neighbouring elements of one row; in PANEL mode it holds one element of each of LANES rows, so that nothing goes
 * across lanes.  Element j of a row is added to sum number j mod SUM_WIDTH, and sums are joined in halves: the same
 * bits in both modes and for every width of vector.  Rows of VEKT_SHORT_ROW elements or fewer always run as panels,
 * and have one sum each, in registers: SHORT mode.  Longer rows are summed in parts of PART_OF_ROW elements: the
 * second word of a sum would lose the errors of too many additions. */

#ifndef VEKT_LANES_H
#define VEKT_LANES_H
enum { ROW, PANEL, SHORT };
enum { PART_OF_ROW = 4096 };
#endif

#define SUM_WIDTH (64 / (int)sizeof(REAL))
#define ROW_SUMS (SUM_WIDTH / LANES)
/* Vectors that run side by side, as in ops/loops.h; a multiple of ROW_SUMS. */
#define SIDE (VEKT_VECTOR_BYTES == 64 ? 4 : 2 * ROW_SUMS > 4 ? 4 : 2)

/* In memory, as gcc would build the vector lane by lane. */
static const REAL FN(IOTA)[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* Vector t of an operand, negated where flip is the sign bit; lanes from valid on are filled. */
INLINE VEC FN(row_load)(const void *p, ptrdiff_t step, ptrdiff_t t, ptrdiff_t valid, INT flip, REAL fill) {
    const REAL *q = (const REAL *)((const char *)p + t * step);
    if (valid == LANES) return v_real(v_bits(FN(v_load)(q)) ^ flip);
    VEC x = v_real(v_bits(FN(v_load_first)(q, valid)) ^ flip);
    return v_select(v_lt(FN(v_load)(FN(IOTA)), K((REAL)valid)), x, K(fill));
}

INLINE void FN(row_store)(void *p, ptrdiff_t step, ptrdiff_t t, ptrdiff_t valid, VEC x) {
    REAL *q = (REAL *)((char *)p + t * step);
    if (valid == LANES)
        FN(v_store)(q, x);
    else
        FN(v_store_first)(q, x, valid);
}

/* The call and the mode, as each pass over a row has them.  No function that is not inlined may see its address, or
 * the mode would not be a constant. */
typedef struct {
    const char *x, *y;
    char *out;
    ptrdiff_t x_step, y_step, out_step, n;
    INT flip; /* of x, where the kernel does not take it from a copy */
    int panel, sums;
} FN(rows);

INLINE FN(rows) FN(rows_of)(const vekt_row_call *c, int mode) {
    const ptrdiff_t contiguous = sizeof(VEC);
    return (FN(rows)){
        .x = c->x,
        .y = c->y,
        .out = c->out,
        .x_step = mode == ROW ? contiguous : c->x_step,
        .y_step = mode == ROW ? contiguous : c->y_step,
        .out_step = mode == ROW ? contiguous : c->out_step,
        .n = c->n,
        .flip = v_bits(K(c->negate ? -0.0 : 0.0)),
        .panel = mode != ROW,
        .sums = mode == ROW     ? ROW_SUMS
                : mode == PANEL ? SUM_WIDTH
                                : 1,
    };
}

/* A pass: step does the vectors t + g for g in [first, first + count). */
typedef void (*FN(row_step))(const FN(rows) * r, void *state, ptrdiff_t t, int first, int count, ptrdiff_t valid);

typedef void (*FN(pass))(const FN(rows) * r, FN(row_step) step, void *state);

INLINE void FN(row_pass)(const FN(rows) * r, FN(row_step) step, void *state) {
    ptrdiff_t full = r->panel ? r->n : r->n / LANES, t = 0;
    for (; t + SIDE <= full; t += SIDE) step(r, state, t, 0, SIDE, LANES);
    if (r->panel || ROW_SUMS == 1) {
        for (; t < full; t++) step(r, state, t, 0, 1, LANES);
        if (!r->panel && r->n % LANES) step(r, state, t, 0, 1, r->n % LANES);
        return;
    }
    /* unrolled, so that each sum stays in its register */
#pragma GCC unroll 4
    for (int g = 0; g < SIDE; g++) {
        ptrdiff_t left = r->n - (t + g) * LANES;
        if (left > 0) step(r, state, t, g, 1, left < LANES ? left : LANES);
    }
}

/* The sum that vector t + g belongs to. */
INLINE ptrdiff_t FN(sum_index)(const FN(rows) * r, ptrdiff_t t, int g) {
    return r->sums == SUM_WIDTH ? (t + g) % SUM_WIDTH : g % r->sums;
}

/* The same, not unrolled: where the kernel is long, or waits for memory. */
INLINE void FN(row_walk)(const FN(rows) * r, FN(row_step) step, void *state) {
    const ptrdiff_t full = r->panel ? r->n * LANES : r->n;
    for (ptrdiff_t t = 0; t * LANES < full; t++) {
        const ptrdiff_t left = full - t * LANES;
        const int g = (int)(t % r->sums);
        step(r, state, t - g, g, 1, left < LANES ? left : LANES);
    }
}

/* Sums in two words, the second of which collects the rounding errors of the first. */
typedef struct {
    VEC high[SUM_WIDTH], low[SUM_WIDTH];
} FN(row_sum);

INLINE void FN(sum_start)(const FN(rows) * r, FN(row_sum) * s, VEC start) {
    for (ptrdiff_t i = 0; i < r->sums; i++) s->high[i] = start, s->low[i] = K(0);
}

/* Adds x (1 + rest).  Where start is no less than any x, three operations tell the rounding error (Dekker, 1971). */
INLINE void FN(sum_add_small)(FN(row_sum) * s, ptrdiff_t i, VEC x, VEC rest) {
    VEC high = s->high[i], sum = high + x;
    s->low[i] = v_mad(x, rest, s->low[i] + (x - (sum - high)));
    s->high[i] = sum;
}

/* high + low + x + x_low, by Knuth's TwoSum. */
INLINE void FN(sum_join)(VEC *high, VEC *low, VEC x, VEC x_low) {
    VEC sum = *high + x, t = sum - *high;
    *low = (*low + x_low) + ((*high - (sum - t)) + (x - t));
    *high = sum;
}

/* gcc does not see that these are the sums which sum_start began. */
#ifndef __clang__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
/* The grand total of each row, less what the sums began with, in every lane of that row. */
INLINE VEC FN(sum_total)(const FN(rows) * r, FN(row_sum) * s, REAL start, VEC *low) {
    for (ptrdiff_t half = r->sums / 2; half > 0; half /= 2)
        for (ptrdiff_t i = 0; i < half; i++)
            FN(sum_join)(&s->high[i], &s->low[i], s->high[i + half], s->low[i + half]);
    VEC high = s->high[0];
    *low = s->low[0];
    REAL count = (REAL)r->sums;
    if (!r->panel) {
#pragma GCC unroll 4
        for (int half = LANES / 2; half > 0; half /= 2)
            FN(sum_join)(&high, low, FN(swap)(high, half), FN(swap)(*low, half));
        count = SUM_WIDTH;
    }
    FN(sum_join)(&high, low, K(-count * start), K(0));
    VEC sum = high, rest = K(0);
    /* low may be the larger word; where high is infinite it is NaN, and says nothing */
    MASK infinite = v_eq(v_abs(high), K(INFINITY));
    FN(sum_join)(&sum, &rest, v_select(infinite, K(0), *low), K(0));
    *low = v_select(infinite, K(0), rest);
    return sum;
}
#ifndef __clang__
#pragma GCC diagnostic pop
#endif

/* Adds to a sum of two words, whose second stays below half a unit of the first. */
INLINE void FN(add_part)(VEC *high, VEC *low, VEC x, VEC x_low) {
    VEC rest = *low;
    FN(sum_join)(high, &rest, x, x_low);
    rest = v_select(v_eq(v_abs(*high), K(INFINITY)), K(0), rest);
    VEC sum = *high + rest;
    *low = v_select(v_eq(v_abs(sum), K(INFINITY)), K(0), rest - (sum - *high));
    *high = sum;
}

typedef VEC (*FN(total))(const FN(rows) * r, FN(row_sum) * s, REAL start, VEC *low);

/* A pass whose step adds to `count` sums, which begin with start: what each of them comes to in two words. */
INLINE void FN(part_passes)(const FN(rows) * r, FN(pass) pass, FN(row_step) step, void *state, FN(total) total,
                            FN(row_sum) * sums, int count, REAL start, VEC *high, VEC *low) {
#pragma GCC unroll 2
    for (int k = 0; k < count; k++) FN(sum_start)(r, &sums[k], K(start));
    pass(r, step, state);
#pragma GCC unroll 2
    for (int k = 0; k < count; k++) high[k] = total(r, &sums[k], start, &low[k]);
}

/* Part by part.  Whole rows have code of their own: in the loop their sums would not stay in registers. */
INLINE void FN(sum_passes)(const FN(rows) * r, FN(pass) pass, FN(row_step) step, void *state, FN(total) total,
                           FN(row_sum) * sums, int count, REAL start, VEC *high, VEC *low) {
    const int is_short = r->panel && r->sums == 1;
    if (is_short || r->n <= PART_OF_ROW) {
        FN(part_passes)(r, pass, step, state, total, sums, count, start, high, low);
        return;
    }
    FN(rows) part = *r;
    const ptrdiff_t vectors = r->panel ? PART_OF_ROW : PART_OF_ROW / LANES;
    for (int k = 0; k < count; k++) high[k] = low[k] = K(0);
    for (ptrdiff_t left = r->n; left > 0; left -= PART_OF_ROW) {
        VEC x[2], x_low[2];
        part.n = left < PART_OF_ROW ? left : PART_OF_ROW;
        FN(part_passes)(&part, pass, step, state, total, sums, count, start, x, x_low);
#pragma GCC unroll 2
        for (int k = 0; k < count; k++) FN(add_part)(&high[k], &low[k], x[k], x_low[k]);
        part.x += vectors * r->x_step, part.y += r->y ? vectors * r->y_step : 0,
            part.out += r->out ? vectors * r->out_step : 0;
    }
}

INLINE VEC FN(sum_pass)(const FN(rows) * r, FN(row_step) step, void *state, FN(row_sum) * sum, REAL start, VEC *low) {
    VEC high;
    FN(sum_passes)(r, FN(row_pass), step, state, FN(sum_total), sum, 1, start, &high, low);
    return high;
}

/* In all lanes of a row what they hold together. */
INLINE INT FN(count_lanes)(const FN(rows) * r, INT count) {
    if (!r->panel)
        for (int half = LANES / 2; half > 0; half /= 2) count += v_bits(FN(swap)(v_real(count), half));
    return count;
}

INLINE INT FN(count_all)(const FN(rows) * r, const INT *count) {
    INT all = count[0];
    for (int i = 1; i < r->sums; i++) all += count[i];
    return FN(count_lanes)(r, all);
}

/* What each row's counters add up to, in two words: floats are whole numbers up to 2^24 alone. */
INLINE VEC FN(count_total)(const FN(rows) * r, const INT *count, VEC *low) {
    *low = K(0);
    if (sizeof(REAL) == 8 || r->n <= 1 << 24) return __builtin_convertvector(FN(count_all)(r, count), VEC);
    INT many = (INT){0}, few = (INT){0};
    for (int i = 0; i < r->sums; i++) many += count[i] >> 12, few += count[i] & 4095;
    VEC high = __builtin_convertvector(FN(count_lanes)(r, many), VEC) * K(4096);
    FN(add_part)(&high, low, __builtin_convertvector(FN(count_lanes)(r, few), VEC), K(0));
    return high;
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
INLINE VEC FN(row_max)(const FN(rows) * r, FN(pass) pass) {
    FN(max_state) s = {K(-INFINITY)};
    pass(r, FN(max_step), &s);
    if (!r->panel)
        for (int half = LANES / 2; half > 0; half /= 2) s.max = v_max(FN(swap)(s.max, half), s.max);
    return s.max;
}

/* In ROW mode all lanes are the same. */
INLINE int FN(all_zero)(INT bits, int panel) {
    if (!panel) return bits[0] == 0;
    uint64_t word[VEKT_VECTOR_BYTES / 8], any = 0;
    memcpy(word, &bits, sizeof word);
    for (int i = 0; i < VEKT_VECTOR_BYTES / 8; i++) any |= word[i];
    return any == 0;
}

/* Maxima in this range leave x where exp_pair reduces it exactly, down to EXP_LIMIT below the maximum; for float that
 * is 177 either way, as not every target has fma. */
#define LOWEST_TOP (sizeof(REAL) == 4 ? -64 : -FN(EXP_LIMIT))
#define HIGHEST_TOP (sizeof(REAL) == 4 ? 174 : 2 * FN(EXP_LIMIT))

/* What to subtract from the elements of a row with this maximum, exactly for all that count: the maximum itself,
 * where they are no less than half of it or no more than twice (Sterbenz), or 128 of elements beyond 64. */
INLINE VEC FN(centre_of)(VEC max) {
    VEC positive = v_select(v_lt(K(HIGHEST_TOP), max), K(128), K(0));
    VEC negative = v_select(v_lt(max, K(LOWEST_TOP)), K(-128), positive);
    VEC high = v_select(v_lt(K(2 * FN(EXP_LIMIT)), max), max, negative);
    VEC centre = v_select(v_lt(max, K(-FN(EXP_LIMIT))), max, high);
    return v_select(v_lt(v_abs(max), K(INFINITY)), centre, K(0));
}

/* x less the centre of its row.  Where the maximum is +inf, the elements that are become 0 and the others -inf, NaN
 * apart; where it is -inf they stay. */
INLINE VEC FN(centred)(VEC x, VEC max, VEC centre) {
    const VEC inf = K(INFINITY);
    VEC infinite = v_select(v_lt(x, inf), -inf, v_select(v_eq(x, inf), K(0), x));
    return v_select(v_eq(max, inf), infinite, x - centre);
}

/* What a kernel takes a copy of x for, in out: elements that are negated or moved, or rows whose maximum is infinite.
 * Returns the maximum of the copy. */
static __attribute__((noinline)) VEC FN(tame)(const vekt_row_call *c, int panel, VEC max) {
    const VEC centre = FN(centre_of)(max);
    const INT flip = v_bits(K(c->negate ? -0.0 : 0.0));
    const ptrdiff_t contiguous = sizeof(VEC), x_step = panel ? c->x_step : contiguous;
    const ptrdiff_t out_step = panel ? c->out_step : contiguous;
    for (ptrdiff_t t = 0, left = panel ? c->n * LANES : c->n; left > 0; t++, left -= LANES) {
        const ptrdiff_t valid = left < LANES ? left : LANES;
        VEC x = FN(row_load)(c->x, x_step, t, valid, flip, 0);
        FN(row_store)(c->out, out_step, t, valid, FN(centred)(x, max, centre));
    }
    return v_select(v_lt(v_abs(max), K(INFINITY)), max - centre, K(0));
}

/* Does no lane want a copy?  In ROW mode all lanes are the same. */
INLINE int FN(all_moderate)(VEC max, int panel) {
    VEC low = v_select(v_le(K(LOWEST_TOP), max), K(0), K(1));
    return FN(all_zero)(v_bits(v_select(v_le(max, K(HIGHEST_TOP)), low, K(1))), panel);
}

/* Makes x, whose maximum is given, what the kernel takes, and returns the maximum of that. */
INLINE VEC FN(made_ready)(const vekt_row_call *c, FN(rows) * r, VEC max) {
    if (__builtin_expect(c->negate || !FN(all_moderate)(max, r->panel), 0)) {
        max = FN(tame)(c, r->panel, max);
        r->x = r->out;
        r->x_step = r->out_step;
    }
    r->flip = (INT){0};
    return max;
}

INLINE VEC FN(ready)(const vekt_row_call *c, FN(rows) * r) {
    return FN(made_ready)(c, r, FN(row_max)(r, FN(row_pass)));
}

#undef LOWEST_TOP
#undef HIGHEST_TOP
