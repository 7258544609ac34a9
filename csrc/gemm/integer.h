/* Products of integers, modulo 2^bits, and of truth values: integer_product.h for each of them. */

#include "ops/dot_integers.h"

/* Some rows of a times a panel of b, a part of k; steps in bytes. */
typedef struct {
    ptrdiff_t words; /* in the part of k */
    const char *a, *b;
    ptrdiff_t a_row, a_step, b_step; /* the latter two from one word to the next */
    char *c;
    ptrdiff_t c_row, c_col, columns; /* columns of c; the panel may be wider */
    int accumulate;
} integer_tile;

/* A block of c: rows i to i + m, columns j to j + n, sums over k elements from q. */
typedef struct {
    const vekt_product *p;
    ptrdiff_t i, m, j, n, q, k;
    char *a, *b;    /* memory for copies; a is NULL where it is read in place */
    int b_in_place; /* but for columns that do not fill a vector */
} integer_block;

/* Sums of integers are not bound by latency: small tiles suffice, and leave registers on AVX2 too. */
enum { INTEGER_ROWS = 4, INTEGER_VECTORS = VEKT_VECTOR_BYTES == 64 ? 4 : 2 };
/* A panel of b fits the first cache, a block of it beside one of a the second. */
enum { PANEL_BYTES = 1 << 15, BLOCK_B_BYTES = 1 << 18, BLOCK_ROWS = 128 };
/* Where fewer rows use it, copying b costs more than it saves. */
enum { PACKED_ROWS = 16 };

#define NOINLINE static __attribute__((noinline))

/* Bytes in lanes of 16 bits, as no instruction set multiplies bytes. */
#define NAME(x) x##_i8_widened
#define STORED uint8_t
#define WORD uint8_t
#define LANE uint16_t
#define DOT dot_i8
#include "integer_product.h"

#define NAME(x) x##_i16
#define STORED uint16_t
#define WORD uint16_t
#define LANE uint16_t
#define DOT dot_i16
#include "integer_product.h"

#define NAME(x) x##_i32
#define STORED uint32_t
#define WORD uint32_t
#define LANE uint32_t
#define DOT dot_i32
#include "integer_product.h"

#define NAME(x) x##_i64
#define STORED uint64_t
#define WORD uint64_t
#define LANE uint64_t
#define DOT dot_i64
#include "integer_product.h"

/* A sum is no count, or it might wrap to 0.  The masks of a let b be any byte that is not 0. */
#define NAME(x) x##_bool
#define STORED uint8_t
#define WORD uint8_t
#define LANE uint8_t
#define DOT dot_bool
#define SPLAT(x) (uint8_t)-((x) != 0)
#define FACTORS(x) ((NAME(lanes))((x) != 0))
#define MULTIPLY_ADD(sum, x, y) ((sum) | ((x) & (y)))
#define ADD(new, old) ((new) | ((old) != 0))
#define RESULT(sum, old) ((NAME(stored))(((sum) | (old)) != 0) & 1)
#define SATURATES
#include "integer_product.h"

#if VEKT_VECTOR_BYTES == 64
/* vpdpbusd adds four products of unsigned bytes by signed ones to 32 bits, without saturation; the low byte is that
 * of bytes of any sign. */
#define NAME(x) x##_i8_vnni
#define STORED uint8_t
#define WORD uint32_t
#define LANE uint32_t
#define DOT dot_i8
#define MULTIPLY_ADD(sum, x, y) ((NAME(lanes))_mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(x), (__m512i)(y)))
#define TARGET __attribute__((target("avx512vnni")))
#define LARGE
#include "integer_product.h"

/* Words of four bytes must be packed, which small products do not repay. */
static int product_i8(const vekt_product *p) {
    const int large = p->m >= PACKED_ROWS && p->n >= PACKED_ROWS && p->k >= PACKED_ROWS;
    return large && __builtin_cpu_supports("avx512vnni") ? product_i8_vnni(p) : product_i8_widened(p);
}
#else
static int product_i8(const vekt_product *p) { return product_i8_widened(p); }
#endif
