/* The greatest of groups of elements, and the places of those that are not below a bound, NaN among them; of numbers
 * and of integers of their size. */

typedef VEC (*FN(better))(VEC best, VEC a);
typedef MASK (*FN(worse))(VEC a, VEC bound);

/* NaN takes the place of numbers; what comes later may take NaN's. */
INLINE VEC FN(better_number)(VEC best, VEC a) { return v_select(v_le(a, best), best, a); }
INLINE VEC FN(better_integer)(VEC best, VEC a) { return v_select(FN(v_above)(v_bits(a), v_bits(best)), a, best); }

INLINE MASK FN(below_number)(VEC a, VEC bound) { return v_lt(a, bound); }
INLINE MASK FN(not_above_number)(VEC a, VEC bound) { return v_le(a, bound); }
INLINE MASK FN(below_integer)(VEC a, VEC bound) { return FN(v_above)(v_bits(bound), v_bits(a)); }
INLINE MASK FN(not_above_integer)(VEC a, VEC bound) { return (MASK)~FN(v_above)(v_bits(a), v_bits(bound)); }

/* Element i is of group i % n_groups, a multiple of LANES. */
INLINE void FN(greatest_by)(FN(better) better, void *groups, ptrdiff_t n_groups, const void *px, ptrdiff_t n) {
    REAL *best = groups;
    const REAL *x = px;
    for (; n >= 4 * n_groups; n -= 4 * n_groups, x += 4 * n_groups)
        for (ptrdiff_t j = 0; j < n_groups; j += LANES) {
            const VEC a = better(FN(v_load)(x + j), FN(v_load)(x + n_groups + j));
            const VEC b = better(FN(v_load)(x + 2 * n_groups + j), FN(v_load)(x + 3 * n_groups + j));
            FN(v_store)(best + j, better(FN(v_load)(best + j), better(a, b)));
        }
    for (; n > 0; n -= n_groups, x += n_groups)
        for (ptrdiff_t j = 0; j < n_groups && j < n; j += LANES) {
            if (n - j >= LANES)
                FN(v_store)(best + j, better(FN(v_load)(best + j), FN(v_load)(x + j)));
            else
                FN(v_store_first)(best + j, better(FN(v_load)(best + j), FN(v_load_first)(x + j, n - j)), n - j);
        }
}

INLINE ptrdiff_t FN(places_by)(FN(worse) worse, int32_t *places, const void *px, ptrdiff_t n, const void *bound) {
    enum { EVERY = (1u << LANES) - 1, UNROLLED = 4 };
    const REAL *x = px;
    REAL limit[LANES]; /* its bits may be those of an integer */
    for (int j = 0; j < LANES; j++) memcpy(limit + j, bound, sizeof *limit);
    const VEC b = FN(v_load)(limit);
    ptrdiff_t found = 0, i = 0;
    for (; i + UNROLLED * LANES <= n; i += UNROLLED * LANES) {
        MASK left[UNROLLED];
#pragma GCC unroll 4
        for (int j = 0; j < UNROLLED; j++) left[j] = worse(FN(v_load)(x + i + j * LANES), b);
        const MASK all = (MASK)((left[0] & left[1]) & (left[2] & left[3]));
        if (v_all(all)) continue;
        for (int j = 0; j < UNROLLED; j++)
            for (unsigned lanes = (unsigned)v_lanes(left[j]) ^ EVERY; lanes; lanes &= lanes - 1)
                places[found++] = (int32_t)(i + j * LANES) + __builtin_ctz(lanes);
    }
    for (; i < n; i += LANES) {
        const ptrdiff_t m = vekt_smaller(n - i, LANES);
        const VEC a = m < LANES ? FN(v_load_first)(x + i, m) : FN(v_load)(x + i);
        for (unsigned lanes = ((unsigned)v_lanes(worse(a, b)) ^ EVERY) & (EVERY >> (LANES - m)); lanes;
             lanes &= lanes - 1)
            places[found++] = (int32_t)i + __builtin_ctz(lanes);
    }
    return found;
}

#define CHOICE(kind)                                                                                      \
    static void FN(greatest_##kind)(void *groups, ptrdiff_t n_groups, const void *x, ptrdiff_t n) {       \
        FN(greatest_by)(FN(better_##kind), groups, n_groups, x, n);                                       \
    }                                                                                                     \
    static ptrdiff_t FN(places_of_##kind)(int32_t *places, const void *x, ptrdiff_t n, const void *bound, \
                                          int above) {                                                    \
        return above ? FN(places_by)(FN(not_above_##kind), places, x, n, bound)                           \
                     : FN(places_by)(FN(below_##kind), places, x, n, bound);                              \
    }
CHOICE(number)
CHOICE(integer)
#undef CHOICE
