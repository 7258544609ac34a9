/* Squares of 16-byte vectors, transposed in registers, for elements of 1, 2, 4, 8 and 16 bytes.
 *
 * Which bytes they are does not matter, so this is included once.  A square has as many rows as a vector has elements
 * of the size, and log2 of that many steps; each interleaves row i with row i + half. */

typedef uint8_t quad_8 __attribute__((vector_size(16)));
typedef uint16_t quad_16 __attribute__((vector_size(16)));
typedef uint32_t quad_32 __attribute__((vector_size(16)));
typedef uint64_t quad_64 __attribute__((vector_size(16)));

INLINE quad_8 zip_low_8(quad_8 a, quad_8 b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
INLINE quad_8 zip_high_8(quad_8 a, quad_8 b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
INLINE quad_16 zip_low_16(quad_16 a, quad_16 b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
INLINE quad_16 zip_high_16(quad_16 a, quad_16 b) {
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
INLINE quad_32 zip_low_32(quad_32 a, quad_32 b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
INLINE quad_32 zip_high_32(quad_32 a, quad_32 b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
INLINE quad_64 zip_low_64(quad_64 a, quad_64 b) { return __builtin_shufflevector(a, b, 0, 2); }
INLINE quad_64 zip_high_64(quad_64 a, quad_64 b) { return __builtin_shufflevector(a, b, 1, 3); }

typedef void (*square_kernel)(char *dst, ptrdiff_t dst_step, const char *src, ptrdiff_t src_step);

#define SQUARE(bits, side, log)                                                                            \
    INLINE void square_##bits(char *dst, ptrdiff_t dst_step, const char *src, ptrdiff_t src_step) {        \
        quad_##bits x[side], y[side];                                                                      \
        for (int i = 0; i < side; i++) memcpy(&x[i], src + i * src_step, sizeof x[i]);                     \
        for (int step = 0; step < log; step++) {                                                           \
            for (int i = 0; i < side / 2; i++) {                                                           \
                y[2 * i] = zip_low_##bits(x[i], x[i + side / 2]);                                          \
                y[2 * i + 1] = zip_high_##bits(x[i], x[i + side / 2]);                                     \
            }                                                                                              \
            memcpy(x, y, sizeof x);                                                                        \
        }                                                                                                  \
        for (int i = 0; i < side; i++) memcpy(dst + i * dst_step, &x[i], sizeof x[i]);                     \
    }
