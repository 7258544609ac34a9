/* a*b + c of integers, which wrap around: the same bits with and without a sign.  Of truth values, "or" of "and". */

#include "ops/loose.h"

enum { INTEGER_BLOCK_BYTES = 1024 };

/* The results overlap no operand. */
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

#define INTEGER_MULTIPLY_ADD(name, TYPE, value)                                                 \
    static void multiply_add_##name(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) { \
        enum { BLOCK = INTEGER_BLOCK_BYTES / sizeof(TYPE) };                                    \
        TYPE single[3][BLOCK];                                                                  \
        const TYPE *in[3];                                                                      \
        TYPE *out = (TYPE *)args[3];                                                            \
        for (int j = 0; j < 3; j++) {                                                           \
            in[j] = advance[j] ? (const TYPE *)args[j] : single[j];                             \
            for (int i = 0; i < BLOCK && advance[j] == 0; i++) single[j][i] = *(TYPE *)args[j]; \
        }                                                                                       \
        for (ptrdiff_t m; n > 0; n -= m, out += m) {                                            \
            m = n < BLOCK ? n : BLOCK;                                                          \
            const TYPE *a = in[0], *b = in[1], *c = in[2];                                      \
            INDEPENDENT for (ptrdiff_t i = 0; i < m; i++) out[i] = (TYPE)(value);               \
            for (int j = 0; j < 3; j++) in[j] += advance[j] ? m : 0;                            \
        }                                                                                       \
    }

INTEGER_MULTIPLY_ADD(bool, uint8_t, ((a[i] != 0) & (b[i] != 0)) | (c[i] != 0))
INTEGER_MULTIPLY_ADD(8, uint8_t, a[i] * b[i] + c[i])
INTEGER_MULTIPLY_ADD(16, loose_16, (uint32_t)a[i] * b[i] + c[i])
INTEGER_MULTIPLY_ADD(32, loose_32, a[i] * b[i] + c[i])
INTEGER_MULTIPLY_ADD(64, loose_64, a[i] * b[i] + c[i])
#undef INTEGER_MULTIPLY_ADD
#undef INDEPENDENT

#define INTEGER_ROW(T, name, cost) \
    {"multiply_add", {VEKT_TYPE_##T, VEKT_TYPE_##T, VEKT_TYPE_##T, VEKT_TYPE_##T}, 3, 1, cost, multiply_add_##name}
#define VEKT_INTEGER_ROWS                                                                                        \
    INTEGER_ROW(BOOL, bool, 20), INTEGER_ROW(I8, 8, 40), INTEGER_ROW(U8, 8, 40), INTEGER_ROW(I16, 16, 40),       \
        INTEGER_ROW(U16, 16, 40), INTEGER_ROW(I32, 32, 60), INTEGER_ROW(U32, 32, 60), INTEGER_ROW(I64, 64, 150), \
        INTEGER_ROW(U64, 64, 150),
