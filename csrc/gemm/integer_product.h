/* A product of integers modulo 2^bits, written once and included for each kind by integer.h, which defines
 *
 *   NAME(x)       x with a suffix
 *   STORED        an element of c in memory, unsigned
 *   WORD          as many consecutive elements of k as one lane multiplies at once: one, two or four
 *   LANE          what a lane sums in, at least as wide
 *   DOT           the dot product of contiguous elements, of ops/dot_integers.h
 *
 * and where they are not the ones below ELEMENT, of a and b in memory; SPLAT, a word of a as a lane, and FACTORS,
 * lanes of a; MULTIPLY_ADD; ADD, of elements to what c held; RESULT, elements of c from sums and what c held, or 0;
 * A_FLIP and B_FLIP, bits of words of a and of elements of b to be turned; SATURATES, that a tile without zeros is
 * complete; TARGET, an attribute of functions; LARGE, that none of its products is small; BLOCKS_ALONE, that all are
 * blocked.
 *
 * The blocks are those of Goto and van de Geijn (2008).  A panel of b is as wide as INTEGER_VECTORS vectors, the last
 * ones as one; it is read in place where few rows use it, a where its rows are contiguous. */

#ifndef ELEMENT
#define ELEMENT STORED
#endif
#ifndef A_FLIP
#define A_FLIP(p) 0
#endif
#ifndef B_FLIP
#define B_FLIP(p) 0
#endif
#ifndef SPLAT
#define SPLAT(x) (x)
#endif
#ifndef ADD
#define ADD(new, old) ((STORED)((new) + (old)))
#endif
#ifndef RESULT
#define RESULT(sum, old) (__builtin_convertvector(sum, NAME(stored)) + (old))
#endif
#ifndef TARGET
#define TARGET
#endif
#ifndef FACTORS
#define FACTORS(x) (x)
#endif

enum {
    NAME(n_lanes) = VEKT_VECTOR_BYTES / sizeof(LANE),
    NAME(group) = sizeof(WORD) / sizeof(ELEMENT),
    NAME(block_k) = PANEL_BYTES / (INTEGER_VECTORS * NAME(n_lanes) * sizeof(ELEMENT)),
    NAME(block_n) = BLOCK_B_BYTES / (NAME(block_k) * sizeof(ELEMENT)),
};
typedef LANE NAME(lanes) __attribute__((vector_size(VEKT_VECTOR_BYTES)));
typedef WORD NAME(words) __attribute__((vector_size(NAME(n_lanes) * sizeof(WORD))));
typedef STORED NAME(stored) __attribute__((vector_size(NAME(n_lanes) * sizeof(STORED))));

/* One vector of sums to the first `columns` elements at c, all lanes at most.  Not inlined but where they are all
 * wanted and contiguous: that would be most of the code. */
NOINLINE TARGET void NAME(put_some)(const integer_tile *t, char *c, ptrdiff_t columns, const NAME(lanes) * sum) {
    enum { LANES = NAME(n_lanes), ITEM = sizeof(STORED) };
    NAME(stored) old = {0}, result;
    const size_t bytes = (size_t)(columns < LANES ? columns : LANES) * ITEM;
    if (t->accumulate && t->c_col == ITEM)
        v_copy_first(&old, c, bytes);
    else if (t->accumulate)
        for (size_t j = 0; j < bytes; j += ITEM) memcpy((char *)&old + j, c + (ptrdiff_t)(j / ITEM) * t->c_col, ITEM);
    result = RESULT(*sum, old);
    if (t->c_col == ITEM)
        v_copy_first(c, &result, bytes);
    else
        for (size_t j = 0; j < bytes; j += ITEM)
            memcpy(c + (ptrdiff_t)(j / ITEM) * t->c_col, (char *)&result + j, ITEM);
}

INLINE TARGET void NAME(put)(const integer_tile *t, char *c, ptrdiff_t columns, NAME(lanes) sum) {
    NAME(stored) old = {0}, result;
    if (t->c_col == sizeof(STORED) && columns >= NAME(n_lanes)) {
        if (t->accumulate) memcpy(&old, c, sizeof old);
        result = RESULT(sum, old);
        memcpy(c, &result, sizeof result);
    } else {
        NAME(put_some)(t, c, columns, &sum);
    }
}

#ifdef SATURATES
/* Are the contiguous elements of these rows all true? */
static int NAME(complete)(const integer_tile *t, int rows) {
    if (t->c_col != sizeof(STORED)) return 0;
    for (int r = 0; r < rows; r++) {
        uint8_t all = 1; /* without a branch, for the vectoriser */
        for (ptrdiff_t j = 0; j < t->columns; j++) all &= t->c[r * t->c_row + j] != 0;
        if (!all) return 0;
    }
    return 1;
}
#endif

INLINE TARGET void NAME(multiply)(const integer_tile *t, const int rows, const int vectors) {
    NAME(lanes) sum[INTEGER_ROWS][INTEGER_VECTORS] = {0};
    const char *a = t->a, *b = t->b;
#ifdef START
    for (int r = 0; r < rows && t->c_col == sizeof(STORED); r++) /* four times as much of it as of bytes */
        for (int v = 0; v < vectors; v++) __builtin_prefetch(t->c + r * t->c_row + v * VEKT_VECTOR_BYTES, 1);
    if (t->a_flip)
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) sum[r][v] = ((const NAME(lanes) *)t->start)[v];
#endif
#ifdef SATURATES
    if (t->accumulate && NAME(complete)(t, rows)) return;
#endif
    for (ptrdiff_t p = 0; p < t->words; p++, a += t->a_step, b += t->b_step) {
        NAME(lanes) y[INTEGER_VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            NAME(words) word;
            memcpy(&word, b + v * (ptrdiff_t)sizeof word, sizeof word);
            y[v] = __builtin_convertvector(word, NAME(lanes));
        }
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            WORD word;
            memcpy(&word, a + r * t->a_row, sizeof word);
            const NAME(lanes) x = (NAME(lanes)){0} + (LANE)SPLAT(word);
#ifdef MULTIPLY_ADD
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) sum[r][v] = MULTIPLY_ADD(sum[r][v], x, y[v]);
#else
            NAME(lanes) product[INTEGER_VECTORS]; /* all of them first: 10 % on Zen 4 */
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) {
                product[v] = x * y[v];
                v_now(product[v]);
            }
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) sum[r][v] += product[v];
#endif
        }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            const ptrdiff_t j = v * NAME(n_lanes);
            NAME(put)(t, t->c + r * t->c_row + j * t->c_col, t->columns - j, sum[r][v]);
        }
}

/* Not inlined: sums stay in registers only where little else is alive. */
NOINLINE TARGET void NAME(tile_wide)(const integer_tile *t) { NAME(multiply)(t, INTEGER_ROWS, INTEGER_VECTORS); }
NOINLINE TARGET void NAME(tile_narrow)(const integer_tile *t) { NAME(multiply)(t, INTEGER_ROWS, 1); }
NOINLINE TARGET void NAME(row_wide)(const integer_tile *t) { NAME(multiply)(t, 1, INTEGER_VECTORS); }
NOINLINE TARGET void NAME(row_narrow)(const integer_tile *t) { NAME(multiply)(t, 1, 1); }

#ifdef START
/* What the sums of a panel's columns begin with, where bits of a are turned. */
static TARGET void NAME(find_start)(const integer_tile *t, int vectors, NAME(lanes) * start) {
    NAME(lanes) sum[INTEGER_VECTORS] = {0}, y;
    const char *b = t->b;
    for (ptrdiff_t p = 0; p < t->words; p++, b += t->b_step)
#pragma GCC unroll 4
        for (int v = 0; v < INTEGER_VECTORS; v++) {
            if (v >= vectors) continue;
            memcpy(&y, b + v * VEKT_VECTOR_BYTES, sizeof y);
            sum[v] = START(sum[v], y);
        }
    for (int v = 0; v < vectors; v++) start[v] = -sum[v];
}
#endif

/* m rows, of which t describes the first. */
static TARGET void NAME(panel)(integer_tile t, ptrdiff_t m, int wide) {
#ifdef START
    NAME(lanes) start[INTEGER_VECTORS];
    if (t.a_flip) NAME(find_start)(&t, wide ? INTEGER_VECTORS : 1, start);
    t.start = start;
#endif
    for (; m >= INTEGER_ROWS; m -= INTEGER_ROWS, t.a += INTEGER_ROWS * t.a_row, t.c += INTEGER_ROWS * t.c_row)
        wide ? NAME(tile_wide)(&t) : NAME(tile_narrow)(&t);
    for (; m > 0; m--, t.a += t.a_row, t.c += t.c_row) wide ? NAME(row_wide)(&t) : NAME(row_narrow)(&t);
}

/* One of the elements of words that lie side by side; a constant number of them in a word, for the vectoriser. */
INLINE void NAME(pack_lanes)(ELEMENT *restrict to, const char *const from[], ptrdiff_t lanes, ELEMENT flip) {
    enum { GROUP = NAME(group) };
    for (ptrdiff_t l = 0; l < lanes; l++)
#pragma GCC unroll 4
        for (int g = 0; g < GROUP; g++) {
            ELEMENT x;
            memcpy(&x, from[g] + l * (ptrdiff_t)sizeof x, sizeof x);
            to[l * GROUP + g] = (ELEMENT)(x ^ flip);
        }
}

/* `lanes` vectors of k elements to words, `width` of them side by side; zeros in the last of each word.  Lanes lie
 * `along` bytes apart, elements `deep`.  Bits of `flip` are turned in all but these zeros. */
static TARGET void NAME(pack)(char *to, ptrdiff_t width, const char *from, ptrdiff_t along, ptrdiff_t deep,
                              ptrdiff_t lanes, ptrdiff_t k, ELEMENT flip) {
    enum { ITEM = sizeof(ELEMENT), GROUP = NAME(group) };
    const ptrdiff_t step = width * (ptrdiff_t)sizeof(WORD), words = vekt_ceil_divide(k, GROUP);
    if (k % GROUP || lanes < width) memset(to, 0, (size_t)(words * step));
    if (GROUP == 1 && along == ITEM) {
        for (ptrdiff_t p = 0; p < k; p++, from += deep, to += step)
            for (ptrdiff_t l = 0; l < lanes * ITEM; l += VEKT_VECTOR_BYTES)
                v_copy_first(to + l, from + l,
                             (size_t)(lanes * ITEM - l < VEKT_VECTOR_BYTES ? lanes * ITEM - l : VEKT_VECTOR_BYTES));
        return;
    }
    if (GROUP > 1 && deep == ITEM && !flip) {
        for (ptrdiff_t l = 0; l < lanes; l++, from += along, to += sizeof(WORD)) {
            ptrdiff_t p = 0;
            for (; p + GROUP <= k; p += GROUP) memcpy(to + p / GROUP * step, from + p * ITEM, sizeof(WORD));
            memcpy(to + p / GROUP * step, from + p * ITEM, (size_t)(k - p) * ITEM);
        }
        return;
    }
    if (GROUP > 1 && along == ITEM)
        for (; k >= GROUP; k -= GROUP, from += GROUP * deep, to += step) {
            const char *rows[GROUP];
            for (int g = 0; g < GROUP; g++) rows[g] = from + g * deep;
            NAME(pack_lanes)((ELEMENT *)to, rows, lanes, flip);
        }
    for (ptrdiff_t p = 0; p < k; p++, from += deep) {
        char *word = to + p / GROUP * step + p % GROUP * ITEM;
        for (ptrdiff_t l = 0; l < lanes; l++) {
            ELEMENT x;
            memcpy(&x, from + l * along, sizeof x);
            x = (ELEMENT)(x ^ flip);
            memcpy(word + l * (ptrdiff_t)sizeof(WORD), &x, sizeof x);
        }
    }
}

/* The columns of the panel at column j. */
INLINE ptrdiff_t NAME(columns)(ptrdiff_t j, ptrdiff_t n) {
    enum { LANES = NAME(n_lanes), WIDE = LANES * INTEGER_VECTORS };
    return n - j >= WIDE ? WIDE : n - j > LANES ? LANES : n - j;
}

INLINE int NAME(panel_in_place)(const integer_block *s, ptrdiff_t columns) {
    return s->b_in_place && columns % NAME(n_lanes) == 0;
}

static TARGET void NAME(pack_b)(const integer_block *s, ptrdiff_t words) {
    const vekt_matrix *b = &s->p->b;
    for (ptrdiff_t j = 0, columns; j < s->n; j += columns) {
        columns = NAME(columns)(j, s->n);
        if (NAME(panel_in_place)(s, columns)) continue;
        const char *from = b->data + s->q * b->row + (s->j + j) * b->col;
        const ptrdiff_t width = columns > NAME(n_lanes) ? columns : NAME(n_lanes);
        NAME(pack)(s->b + j * words * (ptrdiff_t)sizeof(WORD), width, from, b->col, b->row, columns, s->k,
                   B_FLIP(s->p));
    }
}

static TARGET void NAME(block)(const integer_block *s, integer_tile t) {
    const vekt_product *p = s->p;
    const char *a = p->a.data + s->i * p->a.row + s->q * p->a.col;
    t.a_row = p->a.row;
    t.a_step = NAME(group) * p->a.col;
    if (s->a) {
        t.a_step = sizeof(WORD);
        t.a_row = t.words * t.a_step;
        for (ptrdiff_t r = 0; r < s->m; r++)
            NAME(pack)(s->a + r * t.a_row, 1, a + r * p->a.row, 0, p->a.col, 1, s->k, 0);
        a = s->a;
    }
    for (ptrdiff_t j = 0; j < s->n; j += t.columns) {
        t.columns = NAME(columns)(j, s->n);
        t.a = a;
        t.c = p->c.data + s->i * p->c.row + (s->j + j) * p->c.col;
        if (NAME(panel_in_place)(s, t.columns)) {
            t.b = p->b.data + s->q * p->b.row + (s->j + j) * p->b.col;
            t.b_step = p->b.row;
        } else {
            t.b = s->b + j * t.words * (ptrdiff_t)sizeof(WORD);
            t.b_step = (t.columns > NAME(n_lanes) ? t.columns : NAME(n_lanes)) * (ptrdiff_t)sizeof(WORD);
        }
        NAME(panel)(t, s->m, t.columns > NAME(n_lanes));
    }
}

static TARGET int NAME(blocked)(const vekt_product *p) {
    enum { ITEM = sizeof(ELEMENT), GROUP = NAME(group), LANES = NAME(n_lanes) };
    const ptrdiff_t n_limit = p->n < NAME(block_n) ? p->n : NAME(block_n);
    const ptrdiff_t k_limit = p->k < NAME(block_k) ? (p->k / GROUP + 1) * GROUP : NAME(block_k);
    integer_block s = {.p = p, .b_in_place = GROUP == 1 && p->b.col == ITEM && p->m < PACKED_ROWS};
    s.b = vekt_workspace(VEKT_WORKSPACE_B, (size_t)((n_limit + LANES) * k_limit * ITEM));
    if (!s.b) return -1;
    if (p->k % GROUP || (p->a.col != ITEM && (GROUP > 1 || p->n > LANES))) {
        s.a = vekt_workspace(VEKT_WORKSPACE_A, (size_t)(BLOCK_ROWS * k_limit * ITEM));
        if (!s.a) return -1;
    }
    integer_tile t = {.c_row = p->c.row, .c_col = p->c.col, .a_flip = A_FLIP(p)};
    for (s.j = 0; s.j < p->n; s.j += s.n) {
        s.n = p->n - s.j < NAME(block_n) ? p->n - s.j : NAME(block_n);
        s.q = 0;
        do { /* once, for zeros, where k is 0 */
            s.k = p->k - s.q < NAME(block_k) ? p->k - s.q : NAME(block_k);
            t.words = vekt_ceil_divide(s.k, GROUP);
            t.accumulate = p->accumulate || s.q > 0;
            NAME(pack_b)(&s, t.words);
            for (s.i = 0; s.i < p->m; s.i += s.m) {
                s.m = p->m - s.i < BLOCK_ROWS ? p->m - s.i : BLOCK_ROWS;
                NAME(block)(&s, t);
            }
            s.q += s.k;
        } while (s.q < p->k);
    }
    return 0;
}

#ifndef BLOCKS_ALONE
/* The dot product of k elements in any layout; of truth values, no further than needed. */
static STORED NAME(dot_strided)(const char *a, ptrdiff_t a_step, const char *b, ptrdiff_t b_step, ptrdiff_t k) {
    STORED sum = 0;
    for (ptrdiff_t q = 0; q < k; q++) {
        ELEMENT x, y;
        memcpy(&x, a + q * a_step, sizeof x);
        memcpy(&y, b + q * b_step, sizeof y);
#ifdef SATURATES
        if (x && y) return 1;
#else
        sum = (STORED)(sum + (uint64_t)x * (uint64_t)y);
#endif
    }
    return sum;
}

/* Every element by itself: for few columns, or few rows of contiguous columns. */
static int NAME(dots)(const vekt_product *p) {
    enum { ROWS = 2 };
    const ptrdiff_t item = sizeof(ELEMENT), bytes = p->k * item;
    const char *b = p->b.data;
    ptrdiff_t b_col = p->b.col, b_row = p->b.row;
    if (b_row != item && p->m > ROWS) {
        char *copy = vekt_workspace(VEKT_WORKSPACE_B, (size_t)(p->n * bytes));
        if (!copy) return -1;
        for (ptrdiff_t q = 0; q < p->k; q++)
            for (ptrdiff_t j = 0; j < p->n; j++)
                memcpy(copy + j * bytes + q * item, b + q * b_row + j * b_col, sizeof(ELEMENT));
        b = copy;
        b_col = bytes;
        b_row = item;
    }
    const int contiguous = p->a.col == item && b_row == item;
    for (ptrdiff_t i = 0; i < p->m; i++)
        for (ptrdiff_t j = 0; j < p->n; j++) {
            const char *x = p->a.data + i * p->a.row, *y = b + j * b_col;
            STORED sum =
                       contiguous ? (STORED)DOT(x, y, (size_t)bytes) : NAME(dot_strided)(x, p->a.col, y, b_row, p->k),
                   old = 0;
            char *c = p->c.data + i * p->c.row + j * p->c.col;
            if (p->accumulate) memcpy(&old, c, sizeof old);
            sum = ADD(sum, old);
            memcpy(c, &sum, sizeof sum);
        }
    return 0;
}

#ifndef LARGE
#ifndef MULTIPLY_ADD
#define MULTIPLY_ADD(sum, x, y) ((sum) + (x) * (y))
#endif
#include "integer_stack.h"
#endif

#ifdef SATURATES
/* Where the first steps show all elements of a long product to be true: the layout does not matter then. */
static int NAME(soon_decided)(const vekt_product *p) {
    enum { FIRST = 64, LONG = 4 * FIRST };
    if (p->k < LONG) return 0;
    for (ptrdiff_t i = 0; i < p->m; i++)
        for (ptrdiff_t j = 0; j < p->n; j++) {
            const char *a = p->a.data + i * p->a.row, *b = p->b.data + j * p->b.col;
            if (!NAME(dot_strided)(a, p->a.col, b, p->b.row, FIRST)) return 0;
            p->c.data[i * p->c.row + j * p->c.col] = 1; /* whatever comes later */
        }
    return 1;
}
#endif

static int NAME(product)(const vekt_product *p) {
    enum { ITEM = sizeof(ELEMENT), C_ITEM = sizeof(STORED), FEW = 2, SOME = 16 };
    int by_dots = p->a.col == ITEM && (p->n <= FEW || (p->b.row == ITEM && p->m <= FEW));
    /* where neither rows nor columns are contiguous */
    by_dots |= (p->n <= FEW && p->a.row != ITEM) || (p->m <= FEW && p->b.row != ITEM && p->b.col != ITEM);
#ifdef SATURATES
    if (NAME(soon_decided)(p)) return 0;
    by_dots |= p->a.col == ITEM && p->b.row == ITEM && (p->m <= SOME || p->n <= SOME); /* most are decided soon */
#endif
    const int turned_by_dots = p->m == 1 && p->b.row == ITEM, c_turned = p->c.col != C_ITEM && p->c.row == C_ITEM;
#ifndef LARGE
    if (NAME(lines)(p)) return 0;
#endif
    if (by_dots) return NAME(dots)(p);
    if (turned_by_dots || p->n == 1 || c_turned) { /* c^T = b^T a^T */
        vekt_product turned = *p;
        turned.m = p->n;
        turned.n = p->m;
        turned.a = (vekt_matrix){p->b.data, p->b.col, p->b.row};
        turned.b = (vekt_matrix){p->a.data, p->a.col, p->a.row};
        turned.c = (vekt_matrix){p->c.data, p->c.col, p->c.row};
        turned.from[0] = p->from[1];
        turned.from[1] = p->from[0];
        return turned_by_dots ? NAME(dots)(&turned) : NAME(blocked)(&turned);
    }
    return NAME(blocked)(p);
}
#endif

#undef NAME
#undef STORED
#undef ELEMENT
#undef A_FLIP
#undef B_FLIP
#undef BLOCKS_ALONE
#undef START
#undef WORD
#undef LANE
#undef DOT
#undef SPLAT
#undef MULTIPLY_ADD
#undef RESULT
#undef ADD
#undef SATURATES
#undef TARGET
#undef FACTORS
#undef LARGE
