/* Transposed copies of elements of 1, 2, 4, 8 and 16 bytes, in squares of 16-byte vectors.  Which bytes they are does
 * not matter, so this is included once. */

typedef uint8_t quad_1 __attribute__((vector_size(16)));
typedef uint16_t quad_2 __attribute__((vector_size(16)));
typedef uint32_t quad_4 __attribute__((vector_size(16)));
typedef uint64_t quad_8 __attribute__((vector_size(16)));

INLINE quad_1 zip_low_1(quad_1 a, quad_1 b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
INLINE quad_1 zip_high_1(quad_1 a, quad_1 b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
INLINE quad_2 zip_low_2(quad_2 a, quad_2 b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
INLINE quad_2 zip_high_2(quad_2 a, quad_2 b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
INLINE quad_4 zip_low_4(quad_4 a, quad_4 b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
INLINE quad_4 zip_high_4(quad_4 a, quad_4 b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
INLINE quad_8 zip_low_8(quad_8 a, quad_8 b) { return __builtin_shufflevector(a, b, 0, 2); }
INLINE quad_8 zip_high_8(quad_8 a, quad_8 b) { return __builtin_shufflevector(a, b, 1, 3); }

#define BYTES 1
#include "square.h"
#undef BYTES
#define BYTES 2
#include "square.h"
#undef BYTES
#define BYTES 4
#include "square.h"
#undef BYTES
#define BYTES 8
#include "square.h"
#undef BYTES

static void transpose_16(void *dst, ptrdiff_t dst_step, const void *src, ptrdiff_t src_step, ptrdiff_t rows,
                         ptrdiff_t n) {
    for (ptrdiff_t l = 0; l < rows; l++)
        for (ptrdiff_t j = 0; j < n; j++)
            memcpy((char *)dst + j * dst_step + l * 16, (const char *)src + l * src_step + j * 16, 16);
}
