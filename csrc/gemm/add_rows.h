/* Adds rows of contiguous elements to sums in double, row after row. */

/* `lanes` of the columns of a vector. */
INLINE void add_lanes_f32(double *sums, const char *x, ptrdiff_t step, ptrdiff_t m, ptrdiff_t lanes) {
    vf64 low = v_load_f64(sums), high = v_load_f64(sums + LANES_F64);
    for (; m > 0; m--, x += step) {
        vf32 v = lanes == LANES_F32 ? v_load_f32((const float *)x) : v_load_first_f32((const float *)x, lanes);
        low += v_widen_low(v);
        high += v_widen_high(v);
    }
    v_store_f64(sums, low);
    v_store_f64(sums + LANES_F64, high);
}

INLINE void add_lanes_f64(double *sums, const char *x, ptrdiff_t step, ptrdiff_t m, ptrdiff_t lanes) {
    vf64 sum = v_load_f64(sums);
    for (; m > 0; m--, x += step)
        sum += lanes == LANES_F64 ? v_load_f64((const double *)x) : v_load_first_f64((const double *)x, lanes);
    v_store_f64(sums, sum);
}

#define ADD_ROWS(type, LANES)                                                                                       \
    static void add_rows_##type(double *sums, const void *rows, ptrdiff_t step, ptrdiff_t m, ptrdiff_t n) {         \
        const char *x = rows;                                                                                       \
        const ptrdiff_t item = (ptrdiff_t)sizeof(v##type) / LANES;                                                  \
        for (; n >= LANES; n -= LANES, x += LANES * item, sums += LANES) add_lanes_##type(sums, x, step, m, LANES); \
        if (n > 0) {                                                                                                \
            double last[LANES] = {0};                                                                               \
            memcpy(last, sums, (size_t)n * sizeof *sums);                                                           \
            add_lanes_##type(last, x, step, m, n);                                                                  \
            memcpy(sums, last, (size_t)n * sizeof *sums);                                                           \
        }                                                                                                           \
    }
ADD_ROWS(f32, LANES_F32)
ADD_ROWS(f64, LANES_F64)
#undef ADD_ROWS
