/* Copies of a and b in the order in which the tiles read them: for every k the `width` elements of a tile's rows or
 * columns, tile after tile.  Elements beyond the last row or column are zero. */

static void FN(gather)(REAL *out, ptrdiff_t out_row, const char *src, ptrdiff_t row, ptrdiff_t col, ptrdiff_t rows,
                       ptrdiff_t cols) {
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < cols; j++) out[i * out_row + j] = *(const FN(element) *)(src + i * row + j * col);
}

/* For each of k contiguous elements of `count` rows, `step` bytes apart, the elements of all rows together. */
static void FN(pack_columns)(REAL *out, ptrdiff_t width, const char *src, ptrdiff_t step, ptrdiff_t k,
                             ptrdiff_t count) {
    ptrdiff_t l = 0;
    for (; l + LANES <= count; l += LANES) {
        const char *from = src + l * step;
        REAL *to = out + l;
        for (ptrdiff_t p = 0; p < k; p += LANES, from += sizeof(VEC)) {
            VEC column[LANES];
            FN(load_columns)(column, from, step, LANES, k - p);
#pragma GCC unroll 16
            for (int i = 0; i < LANES; i++, to += width)
                if (i < k - p) FN(v_store)(to, column[i]);
        }
    }
    if (l == count) return;
    if (!MASKED_LOADS) {
        FN(transpose_rows)(out + l, width * (ptrdiff_t)sizeof(REAL), src + l * step, step, count - l, k);
        return;
    }
    for (ptrdiff_t p = 0; p < k; p += LANES) {
        VEC column[LANES];
        FN(load_columns)(column, src + l * step + p * (ptrdiff_t)sizeof(REAL), step, count - l, k - p);
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++)
            if (i < k - p) FN(v_store_first)(out + (p + i) * width + l, column[i], count - l);
    }
}

/* `count` elements, col bytes apart, for each of k steps of row bytes. */
static void FN(pack_sliver)(REAL *out, ptrdiff_t width, const char *src, ptrdiff_t row, ptrdiff_t col, ptrdiff_t k,
                            ptrdiff_t count) {
    const ptrdiff_t item = sizeof(REAL);
    for (ptrdiff_t p = 0; p < k && count < width; p++)
        memset(out + p * width + count, 0, (size_t)((width - count) * item));
    if (col == item) {
        for (ptrdiff_t p = 0; p < k; p++, out += width, src += row) {
            ptrdiff_t l = 0;
            for (; l + LANES <= count; l += LANES) FN(v_store)(out + l, FN(v_load)((const REAL *)src + l));
            if (l < count) v_copy_first(out + l, src + l * item, (size_t)((count - l) * item));
        }
    } else if (row == item) {
        for (ptrdiff_t p = 0, steps; p < k; p += steps, src += steps * item, out += steps * width) {
            steps = k - p < TRANSPOSE_STEPS ? k - p : TRANSPOSE_STEPS;
            if (p + steps < k) /* what comes next; these pieces are too short for the processor to see ahead */
                for (ptrdiff_t i = 0; i < count; i++)
                    for (ptrdiff_t ahead = steps * item; ahead < 2 * steps * item; ahead += 64)
                        __builtin_prefetch(src + i * col + ahead, 0, 2);
            FN(pack_columns)(out, width, src, col, steps, count);
        }
    } else {
        FN(gather)(out, width, src, row, col, k, count);
    }
}

static size_t FN(packed_bytes)(ptrdiff_t k, ptrdiff_t n) {
    return (size_t)(vekt_round_up(n, SLIVER) * k) * sizeof(REAL);
}

static void FN(pack)(void *packed, const vekt_matrix *b, ptrdiff_t k, ptrdiff_t n) {
    REAL *out = packed;
    for (ptrdiff_t j = 0; j < n; j += SLIVER, out += SLIVER * k)
        FN(pack_sliver)(out, SLIVER, b->data + j * b->col, b->row, b->col, k, n - j < SLIVER ? n - j : SLIVER);
}
