/* Dot product of contiguous integers modulo 2^bits, written once and included by dot_integers.h for each width, which
 * defines LANE, NAME, and PRODUCT(x, y): the lanes' products of two vectors.  Four sums: the loads are the limit. */

typedef LANE NAME(dot_lanes) __attribute__((vector_size(VEKT_VECTOR_BYTES)));

INLINE NAME(dot_lanes) NAME(dot_load)(const void *p) {
    NAME(dot_lanes) x;
    memcpy(&x, p, sizeof x);
    return x;
}

static uint64_t NAME(dot)(const void *px, const void *py, size_t bytes) {
    enum { BYTES = VEKT_VECTOR_BYTES, VECTORS = 4, LANES = BYTES / sizeof(LANE) };
    const char *x = px, *y = py;
    NAME(dot_lanes) sum[VECTORS] = {0};
    for (; bytes >= VECTORS * BYTES; bytes -= VECTORS * BYTES, x += VECTORS * BYTES, y += VECTORS * BYTES)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++)
            sum[v] += PRODUCT(NAME(dot_load)(x + v * BYTES), NAME(dot_load)(y + v * BYTES));
    for (; bytes >= BYTES; bytes -= BYTES, x += BYTES, y += BYTES)
        sum[0] += PRODUCT(NAME(dot_load)(x), NAME(dot_load)(y));
    if (bytes) {
        NAME(dot_lanes) last_x = {0}, last_y = {0};
        v_copy_first(&last_x, x, bytes);
        v_copy_first(&last_y, y, bytes);
        sum[1] += PRODUCT(last_x, last_y);
    }
    LANE lane[LANES], total = 0;
    sum[0] += sum[1] + sum[2] + sum[3];
    memcpy(lane, &sum[0], sizeof lane);
    for (int i = 0; i < LANES; i++) total = (LANE)(total + lane[i]);
    return total;
}

#undef LANE
#undef NAME
#undef PRODUCT
