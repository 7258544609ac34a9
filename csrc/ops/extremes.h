/* The greatest and the least of numbers, in their own dtype: NaN where there is one.  And where they stand.
 *
 * 0.0 is greater than -0.0, whatever their order.  Where the greatest is 0, no element is above it: it is -0.0 if all
 * signs are set; and the least is -0.0 if one is. */

typedef VEC (*FN(pick))(VEC a, VEC b);

INLINE VEC FN(pick_greater)(VEC a, VEC b) { return v_max(a, b); }
INLINE VEC FN(pick_less)(VEC a, VEC b) { return v_min(a, b); }

INLINE INT FN(joined_signs)(int greatest, INT signs, VEC a) {
    return greatest ? signs & v_bits(a) : signs | v_bits(a);
}

/* A best that is 0 with the sign that the joined ones give it. */
INLINE VEC FN(signed_zero)(VEC best, INT signs) {
    return v_select(v_eq(best, K(0)), v_copysign(best, v_real(signs)), best);
}

/* What stands for an element: where NaN is skipped, the neutral one. */
INLINE VEC FN(counted)(int skips, VEC a, VEC neutral) { return skips ? v_select(v_eq(a, a), a, neutral) : a; }

INLINE double FN(extreme_block)(FN(pick) pick, int skips, double neutral, const void *px, ptrdiff_t n) {
    enum { CHAINS = 4 };
    const REAL *x = px;
    REAL few[LANES];
    VEC result[CHAINS];
    MASK valid[CHAINS / 2];
    INT signs[CHAINS / 2];
    const int greatest = neutral < 0;
    const VEC absent = FN(v_splat)((REAL)neutral);
    if (n < LANES) {
        FN(v_store)(few, skips ? FN(v_splat)((REAL)NAN) : absent);
        memcpy(few, x, (size_t)n * sizeof *few);
        x = few, n = LANES;
    }
    for (int j = 0; j < CHAINS; j++) {
        result[j] = FN(v_load)(x); /* an element may be taken twice */
        valid[j / 2] = v_eq(result[j], result[j]);
        result[j] = FN(counted)(skips, result[j], absent);
        signs[j / 2] = v_bits(result[j]);
    }
    ptrdiff_t i = 0;
    for (; i + CHAINS * LANES <= n; i += CHAINS * LANES)
#pragma GCC unroll 4
        for (int j = 0; j < CHAINS; j += 2) {
            VEC a = FN(v_load)(x + i + j * LANES), b = FN(v_load)(x + i + (j + 1) * LANES);
            v_now(a); /* or it is loaded twice, and the loads are the limit */
            v_now(b);
            if (skips)
                valid[j / 2] |= v_eq(a, a) | v_eq(b, b);
            else
                valid[j / 2] &= v_ordered(a, b);
            a = FN(counted)(skips, a, absent), b = FN(counted)(skips, b, absent);
            result[j] = pick(result[j], a), result[j + 1] = pick(result[j + 1], b);
            signs[j / 2] = FN(joined_signs)(greatest, FN(joined_signs)(greatest, signs[j / 2], a), b);
        }
    for (; i < n; i += LANES) {
        VEC a = FN(v_load)(x + (i + LANES <= n ? i : n - LANES));
        if (skips)
            valid[0] |= v_eq(a, a);
        else
            valid[0] &= v_eq(a, a);
        a = FN(counted)(skips, a, absent);
        result[0] = pick(result[0], a);
        signs[0] = FN(joined_signs)(greatest, signs[0], a);
    }
    MASK some = valid[0];
    some |= valid[1];
    if (skips ? !v_lanes(some) : !v_all(valid[0]) || !v_all(valid[1])) return (double)NAN;
    result[0] = pick(pick(result[0], result[1]), pick(result[2], result[3]));
    FN(v_store)(few, result[0]);
    REAL best = few[0];
    for (int j = 1; j < LANES; j++) best = greatest ? (few[j] > best ? few[j] : best) : few[j] < best ? few[j] : best;
    if (best != 0) return (double)best;
    signs[0] = FN(joined_signs)(greatest, signs[0], v_real(signs[1]));
    __typeof__(((INT){0})[0]) sign[LANES], joined;
    memcpy(sign, &signs[0], sizeof sign);
    joined = sign[0];
    for (int j = 1; j < LANES; j++) joined = greatest ? joined & sign[j] : joined | sign[j];
    return joined < 0 ? -0.0 : 0.0;
}

INLINE void FN(extreme_columns)(FN(pick) pick, FN(reduce_step) join, int skips, double neutral, const void *px,
                                ptrdiff_t step, ptrdiff_t rows, vekt_number *numbers, ptrdiff_t n) {
    const char *x = px;
    double *results = &numbers->real;
    for (; n > 0; n -= LANES, results += LANES, x += LANES * sizeof(REAL)) {
        const VEC absent = FN(v_splat)((REAL)neutral);
        VEC best = absent;
        MASK valid = skips ? v_lt(best, best) : v_eq(best, best);
        INT signs = v_bits(best);
        for (ptrdiff_t i = 0; i < rows; i += 2) { /* the last one twice, where they are odd */
            const REAL *p = (const REAL *)(x + i * step), *q = (const REAL *)(x + (i + 1 < rows ? i + 1 : i) * step);
            VEC a = n < LANES ? FN(v_load_first)(p, n) : FN(v_load)(p);
            VEC b = n < LANES ? FN(v_load_first)(q, n) : FN(v_load)(q);
            v_now(a);
            v_now(b);
            if (skips)
                valid |= v_eq(a, a) | v_eq(b, b);
            else
                valid &= v_ordered(a, b);
            a = FN(counted)(skips, a, absent), b = FN(counted)(skips, b, absent);
            best = pick(pick(best, a), b);
            signs = FN(joined_signs)(neutral < 0, FN(joined_signs)(neutral < 0, signs, a), b);
        }
        best = FN(signed_zero)(best, signs);
        vf64 wide[LANES / LANES_F64];
        v_widen(v_select(valid, best, FN(v_splat)((REAL)NAN)), wide);
        for (int k = 0; k < LANES / LANES_F64; k++) {
            const ptrdiff_t left = n - k * LANES_F64;
            double *to = results + k * LANES_F64;
            if (left <= 0) break;
            if (left < LANES_F64)
                v_store_first_f64(to, join(v_load_first_f64(to, left), wide[k], wide[k]), left);
            else
                v_store_f64(to, join(v_load_f64(to), wide[k], wide[k]));
        }
    }
}

/* NaN stays, of the first or of the second. */
INLINE vf64 FN(join_greater)(vf64 a, vf64 b, vf64 y) {
    const vf64 zero = (vf64)((vi64)a & (vi64)b); /* of equal numbers */
    return (void)y, v_select(v_eq(a, a), v_select(v_eq(a, b), zero, v_max(a, b)), a);
}

INLINE vf64 FN(join_less)(vf64 a, vf64 b, vf64 y) {
    const vf64 zero = (vf64)((vi64)a | (vi64)b);
    return (void)y, v_select(v_eq(a, a), v_select(v_eq(a, b), zero, v_min(a, b)), a);
}

/* The number of two where the other one is NaN. */
INLINE vf64 FN(join_greater_number)(vf64 a, vf64 b, vf64 y) {
    return v_select(v_eq(b, b), v_select(v_eq(a, a), FN(join_greater)(a, b, y), b), a);
}

INLINE vf64 FN(join_less_number)(vf64 a, vf64 b, vf64 y) {
    return v_select(v_eq(b, b), v_select(v_eq(a, a), FN(join_less)(a, b, y), b), a);
}

#define EXTREME(name, pick, join, skips, neutral)                                                                    \
    static vekt_number FN(name##_block)(const void *x, const void *y, ptrdiff_t n) {                                 \
        (void)y;                                                                                                     \
        return (vekt_number){.real = FN(extreme_block)(FN(pick), skips, neutral, x, n)};                             \
    }                                                                                                                \
    static void FN(name##_columns)(const void *x, ptrdiff_t x_step, const void *y, ptrdiff_t y_step, ptrdiff_t rows, \
                                   vekt_number *results, ptrdiff_t n) {                                              \
        (void)y, (void)y_step;                                                                                       \
        FN(extreme_columns)(FN(pick), FN(join), skips, neutral, x, x_step, rows, results, n);                        \
    }

EXTREME(greatest, pick_greater, join_greater, 0, -INFINITY)
EXTREME(least, pick_less, join_less, 0, INFINITY)
EXTREME(greatest_number, pick_greater, join_greater_number, 1, -INFINITY)
EXTREME(least_number, pick_less, join_less_number, 1, INFINITY)

/* Of the rows at hand: what each lane holds, and in which row it stood. */
INLINE void FN(merge_places)(VEC best, INT row, ptrdiff_t first, int fresh, int least, vekt_number *results,
                             vekt_number *at, ptrdiff_t n) {
    const double sign = least ? -1 : 1;
    REAL value[LANES];
    __typeof__(((INT){0})[0]) where[LANES];
    FN(v_store)(value, best);
    memcpy(where, &row, sizeof where);
    if (fresh) {
        for (ptrdiff_t j = 0; j < n; j++) results[j].real = sign * (double)value[j];
        for (ptrdiff_t j = 0; j < n; j++) at[j].integer = first + where[j];
        return;
    }
    for (ptrdiff_t j = 0; j < n; j++) {
        const double a = results[j].real, b = sign * (double)value[j];
        const int better = (a == a) & !(sign * b <= sign * a);
        results[j].real = better ? b : a;
        at[j].integer = better ? first + where[j] : at[j].integer;
    }
}

static void FN(places)(const void *px, ptrdiff_t step, int64_t key, ptrdiff_t rows, ptrdiff_t first, int fresh,
                       vekt_number *results, vekt_number *at, ptrdiff_t n) {
    const INT flip = v_bits(K(key ? -0.0 : 0.0)); /* the least of numbers is the greatest of their negatives */
    const char *x = px;
    for (; n > 0; n -= LANES, results += LANES, at += LANES, x += LANES * sizeof(REAL)) {
        VEC best = K(0);
        INT row = {0}, here = {0};
        for (ptrdiff_t i = 0; i < rows; i++, here += 1) {
            const REAL *p = (const REAL *)(x + i * step);
            VEC a = n < LANES ? FN(v_load_first)(p, n) : FN(v_load)(p);
            a = v_real(v_bits(a) ^ flip);
            v_now(a);
            __builtin_prefetch((const char *)p + 4 * VEKT_VECTOR_BYTES);
            if (i == 0) best = a;
            /* What is greater, or NaN, takes the place of what is not NaN. */
            const MASK valid = v_eq(best, best), kept = v_le(a, best);
            row = v_bits(v_select(valid, v_select(kept, v_real(row), v_real(here)), v_real(row)));
            best = v_select(valid, v_select(kept, best, a), best);
        }
        FN(merge_places)(best, row, first, fresh, key != 0, results, at, n < LANES ? n : LANES);
    }
}

/* The same for integers of this size. */
static void FN(integer_places)(const void *px, ptrdiff_t step, int64_t key, ptrdiff_t rows, ptrdiff_t first,
                               int fresh, vekt_number *results, vekt_number *at, ptrdiff_t n) {
    typedef __typeof__(((INT){0})[0]) integer;
    const INT k = (INT){0} + (integer)key;
    const char *x = px;
    for (; n > 0; n -= LANES, results += LANES, at += LANES, x += LANES * sizeof(REAL)) {
        INT best = {0}, row = {0}, here = {0};
        for (ptrdiff_t i = 0; i < rows; i++, here += 1) {
            const REAL *p = (const REAL *)(x + i * step);
            const INT a = v_bits(n < LANES ? FN(v_load_first)(p, n) : FN(v_load)(p)) ^ k;
            __builtin_prefetch((const char *)p + 4 * VEKT_VECTOR_BYTES);
            if (i == 0) best = a;
            const MASK above = FN(v_above)(a, best);
            row = v_bits(v_select(above, v_real(here), v_real(row)));
            best = v_bits(v_select(above, v_real(a), v_real(best)));
        }
        integer value[LANES], where[LANES];
        memcpy(value, &best, sizeof value);
        memcpy(where, &row, sizeof where);
        const ptrdiff_t m = n < LANES ? n : LANES;
        for (ptrdiff_t j = 0; j < m; j++) {
            const int better = fresh | (value[j] > results[j].integer);
            results[j].integer = better ? value[j] : results[j].integer;
            at[j].integer = better ? first + where[j] : at[j].integer;
        }
    }
}

/* A bit for each lane that is what is sought. */
typedef unsigned (*FN(test))(VEC a, VEC wanted);

INLINE unsigned FN(is_equal)(VEC a, VEC wanted) { return v_lanes(v_eq(a, wanted)); }
INLINE unsigned FN(is_nan)(VEC a, VEC wanted) { return (void)wanted, v_lanes(v_eq(a, a)) ^ ((1u << LANES) - 1); }
INLINE unsigned FN(has_bits)(VEC a, VEC wanted) { return v_lanes(FN(v_same)(v_bits(a), v_bits(wanted))); }

INLINE ptrdiff_t FN(find_by)(FN(test) test, const REAL *x, VEC wanted, ptrdiff_t n) {
    ptrdiff_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        unsigned found = 0;
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) found |= test(FN(v_load)(x + i + j * LANES), wanted);
        if (found) break;
    }
    for (; i < n; i += LANES) {
        const unsigned found = test(n - i < LANES ? FN(v_load_first)(x + i, n - i) : FN(v_load)(x + i), wanted);
        if (found) return i + __builtin_ctz(found) < n ? i + __builtin_ctz(found) : n;
    }
    return n;
}

static ptrdiff_t FN(find)(const void *px, ptrdiff_t step, vekt_number number, ptrdiff_t n) {
    const REAL value = (REAL)number.real;
    const int nan = value != value;
    if (step == sizeof(REAL))
        return nan ? FN(find_by)(FN(is_nan), px, K(0), n) : FN(find_by)(FN(is_equal), px, FN(v_splat)(value), n);
    for (ptrdiff_t i = 0; i < n; i++) {
        REAL a;
        memcpy(&a, (const char *)px + i * step, sizeof a);
        if (a == value || (nan && a != a)) return i;
    }
    return n;
}

/* Integers of this size. */
static ptrdiff_t FN(find_integer)(const void *px, ptrdiff_t step, vekt_number number, ptrdiff_t n) {
    const __typeof__(((INT){0})[0]) value = (__typeof__(value))number.integer;
    if (step == sizeof(REAL)) return FN(find_by)(FN(has_bits), px, v_real((INT){0} + value), n);
    for (ptrdiff_t i = 0; i < n; i++)
        if (memcmp((const char *)px + i * step, &value, sizeof value) == 0) return i;
    return n;
}

#undef EXTREME
