/* Products of bytes, each with a sign or without, whose sums are exact modulo 2^32, by vpdpbusd. */

#define VNNI __attribute__((target("avx512vnni")))

/* The sum of n products of contiguous bytes.  With x' = x + x_more and y' = y - y_less, as their bits are turned, it
 * is that of x' y' + y_less x' - x_more y' - x_more y_less. */
static VNNI uint32_t dot_bytes(const char *x, const char *y, ptrdiff_t n, int x_signed, int y_signed) {
    const __m512i x_flip = _mm512_set1_epi8(x_signed ? (char)0x80 : 0), ones = _mm512_set1_epi8(1);
    const __m512i y_flip = _mm512_set1_epi8(y_signed ? 0 : (char)0x80);
    const uint32_t x_more = x_signed ? 128 : 0, y_less = y_signed ? 0 : 128;
    __m512i sum = _mm512_setzero_si512(), x_sum = sum, y_sum = sum;
    const uint32_t count = (uint32_t)vekt_round_up(n, 64);
    for (; n > 0; n -= 64, x += 64, y += 64) { /* zeros beyond the end add nothing */
        const __mmask64 mask = n < 64 ? ((__mmask64)1 << n) - 1 : ~(__mmask64)0;
        const __m512i u = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, x), x_flip);
        const __m512i v = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, y), y_flip);
        sum = _mm512_dpbusd_epi32(sum, u, v);
        if (!y_signed) x_sum = _mm512_dpbusd_epi32(x_sum, u, ones);
        if (x_signed) y_sum = _mm512_dpbusd_epi32(y_sum, ones, v);
    }
    return (uint32_t)_mm512_reduce_add_epi32(sum) + y_less * (uint32_t)_mm512_reduce_add_epi32(x_sum) -
           x_more * (uint32_t)_mm512_reduce_add_epi32(y_sum) - x_more * y_less * count;
}

/* Every element by itself: contiguous rows of a, and columns of b, of which one are few. */
static VNNI void dots_to_i32(const vekt_product *p, int a_signed, int b_signed) {
    for (ptrdiff_t i = 0; i < p->m; i++)
        for (ptrdiff_t j = 0; j < p->n; j++) {
            const uint32_t sum =
                dot_bytes(p->a.data + i * p->a.row, p->b.data + j * p->b.col, p->k, a_signed, b_signed);
            memcpy(p->c.data + i * p->c.row + j * p->c.col, &sum, sizeof sum);
        }
}

/* The sum of n bytes, step bytes apart. */
INLINE uint32_t sum_bytes(const char *x, ptrdiff_t step, ptrdiff_t n, int is_signed) {
    const uint8_t highest = is_signed ? 0x80 : 0; /* turned, it adds 128 */
    uint32_t sum = 0;
    for (ptrdiff_t q = 0; q < n; q++) sum += (uint8_t)x[q * step] ^ highest;
    return sum - (is_signed ? 128 * (uint32_t)n : 0);
}

INLINE void add_to_row(char *c, ptrdiff_t step, ptrdiff_t n, uint32_t more) {
    typedef uint32_t anywhere __attribute__((aligned(1)));
    for (ptrdiff_t j = 0; j < n; j++) *(anywhere *)(c + j * step) += more;
}

/* What c lacks where 128 was taken from b: 128 times the sum of a's row. */
static void add_rows_of_a(const vekt_product *p, int a_signed) {
    for (ptrdiff_t i = 0; i < p->m; i++) {
        const char *a = p->a.data + i * p->a.row;
        char *c = p->c.data + i * p->c.row;
        const int dense = p->a.col == 1, c_dense = p->c.col == sizeof(uint32_t);
        const uint32_t more =
            128 * (dense ? sum_bytes(a, 1, p->k, a_signed) : sum_bytes(a, p->a.col, p->k, a_signed));
        c_dense ? add_to_row(c, sizeof(uint32_t), p->n, more) : add_to_row(c, p->c.col, p->n, more);
    }
}

/* c of int32; 1, 0 where another way is as quick or the processor has none, -1 where memory is missing. */
static int bytes_to_i32(const vekt_product *p) {
    enum { LEAST = 16, FEW = 3 };
    const int a_signed = p->from[0] == 1 + VEKT_TYPE_I8, b_signed = p->from[1] == 1 + VEKT_TYPE_I8;
    if (p->k < LEAST || !__builtin_cpu_supports("avx512vnni")) return 0;
    if (p->a.col == 1 && p->b.row == 1 && (p->m <= FEW || p->n <= FEW)) {
        dots_to_i32(p, a_signed, b_signed);
        return 1;
    }
    if (p->n < LEAST && p->m >= LEAST) { /* c^T = b^T a^T */
        vekt_product turned = *p;
        turned.m = p->n;
        turned.n = p->m;
        turned.a = (vekt_matrix){p->b.data, p->b.col, p->b.row};
        turned.b = (vekt_matrix){p->a.data, p->a.col, p->a.row};
        turned.c = (vekt_matrix){p->c.data, p->c.col, p->c.row};
        turned.from[0] = p->from[1];
        turned.from[1] = p->from[0];
        return bytes_to_i32(&turned);
    }
    if (p->n < LEAST) return 0;
    if (blocked_i8_to_i32(p) < 0) return -1;
    if (!b_signed) add_rows_of_a(p, a_signed);
    return 1;
}
#undef VNNI
