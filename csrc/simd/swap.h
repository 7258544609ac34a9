/* Lanes that change places. */

/* In memory, as gcc would build the vector lane by lane. */
static const __typeof__(((INT){0})[0]) FN(INDEX)[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* Lane l gets lane l ^ half. */
INLINE VEC FN(swap)(VEC x, int half) {
#if defined(__clang__) /* has no shuffle by a vector, and makes one of this loop where half is a constant */
    VEC y = x;
    for (int l = 0; l < LANES; l++) y[l] = x[l ^ half];
    return y;
#else
    INT index;
    memcpy(&index, FN(INDEX), sizeof index);
    return __builtin_shuffle(x, index ^ half);
#endif
}
