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
    uint32_t a_flip;   /* bits of a to be turned */
    const void *start; /* what sums begin with, if there are any */
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

/* Elements of 16 bits with a sign, two by two, to 32 bits: products and their sums are exact modulo 2^32. */
typedef uint32_t pairs_u32 __attribute__((vector_size(VEKT_VECTOR_BYTES)));
typedef int32_t pairs_i32 __attribute__((vector_size(VEKT_VECTOR_BYTES)));
INLINE pairs_u32 multiply_pairs(pairs_u32 x, pairs_u32 y) {
#if VEKT_VECTOR_BYTES == 64
    return (pairs_u32)_mm512_madd_epi16((__m512i)x, (__m512i)y);
#elif VEKT_VECTOR_BYTES == 32
    return (pairs_u32)_mm256_madd_epi16((__m256i)x, (__m256i)y);
#elif defined(__SSE2__)
    return (pairs_u32)_mm_madd_epi16((__m128i)x, (__m128i)y);
#else
    const pairs_i32 x_low = (pairs_i32)(x << 16) >> 16, y_low = (pairs_i32)(y << 16) >> 16;
    const pairs_i32 x_high = (pairs_i32)x >> 16, y_high = (pairs_i32)y >> 16;
    return (pairs_u32)x_low * (pairs_u32)y_low + (pairs_u32)x_high * (pairs_u32)y_high;
#endif
}

#define LANE uint32_t
#define NAME(x) x##_pairs
#define PRODUCT(x, y) multiply_pairs(x, y)
#include "ops/dot_integer.h"

#define NAME(x) x##_i16_to_i32
#define ELEMENT int16_t
#define STORED uint32_t
#define WORD uint32_t
#define LANE uint32_t
#define DOT dot_pairs
#define MULTIPLY_ADD(sum, x, y) ((sum) + multiply_pairs(x, y))
#define LARGE
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

/* The same to 32 bits.  vpdpbusd wants a without a sign and b with one: where they are otherwise, their highest bit
 * is turned, which adds 128 to a and takes it from b, and the sums are put right afterwards. */
#define NAME(x) x##_i8_to_i32
#define ELEMENT uint8_t
#define STORED uint32_t
#define WORD uint32_t
#define LANE uint32_t
#define MULTIPLY_ADD(sum, x, y) ((NAME(lanes))_mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(x), (__m512i)(y)))
#define SPLAT(x) ((x) ^ t->a_flip)
#define A_FLIP(p) ((p)->from[0] == 1 + VEKT_TYPE_I8 ? 0x80808080u : 0)
#define B_FLIP(p) ((p)->from[1] == 1 + VEKT_TYPE_U8 ? 0x80 : 0)
#define START(sum, y) MULTIPLY_ADD(sum, _mm512_set1_epi8((char)0x80), y)
#define BLOCKS_ALONE
#define TARGET __attribute__((target("avx512vnni")))
#define LARGE
#include "integer_product.h"

/* Words of four bytes must be packed, which small products do not repay. */
static int product_i8(const vekt_product *p) {
    const int large = p->m >= PACKED_ROWS && p->n >= PACKED_ROWS && p->k >= PACKED_ROWS;
    return large && __builtin_cpu_supports("avx512vnni") ? product_i8_vnni(p) : product_i8_widened(p);
}

#include "integer_bytes.h"
#else
static int product_i8(const vekt_product *p) { return product_i8_widened(p); }

static int bytes_to_i32(const vekt_product *p) {
    (void)p;
    return 0;
}
#endif
