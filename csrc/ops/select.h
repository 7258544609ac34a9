/* where(condition, x, y) for elements of 1, 2, 4, 8 and 16 bytes; which numbers they are does not matter.  The
 * condition is a byte, 0 or 1.  One loop for each way in which x and y may be single values. */
#include "ops/loose.h"

#define SELECT(bytes, TYPE)                                                                                    \
    INLINE void select_rows_##bytes(const uint8_t *c, const TYPE *x, int dx, const TYPE *y, int dy, TYPE *out, \
                                    ptrdiff_t n) {                                                             \
        for (ptrdiff_t i = 0; i < n; i++) {                                                                    \
            const TYPE a = x[dx ? i : 0], b = y[dy ? i : 0];                                                   \
            out[i] = c[i] ? a : b;                                                                             \
        }                                                                                                      \
    }                                                                                                          \
    static void select_##bytes(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {                     \
        const uint8_t *c = (const uint8_t *)args[0];                                                           \
        const TYPE *x = (const TYPE *)args[1], *y = (const TYPE *)args[2];                                     \
        TYPE *out = (TYPE *)args[3];                                                                           \
        if (advance[0] == 0) {                                                                                 \
            const int which = c[0] ? 1 : 2;                                                                    \
            const TYPE *from = (const TYPE *)args[which];                                                      \
            for (ptrdiff_t i = 0; i < n; i++) out[i] = from[advance[which] ? i : 0];                           \
        } else if (advance[1] && advance[2]) {                                                                 \
            select_rows_##bytes(c, x, 1, y, 1, out, n);                                                        \
        } else if (advance[1]) {                                                                               \
            select_rows_##bytes(c, x, 1, y, 0, out, n);                                                        \
        } else {                                                                                               \
            select_rows_##bytes(c, x, 0, y, advance[2] != 0, out, n);                                          \
        }                                                                                                      \
    }

typedef struct {
    loose_64 low, high;
} two_words;

SELECT(1, uint8_t)
SELECT(2, loose_16)
SELECT(4, loose_32)
SELECT(8, loose_64)
SELECT(16, two_words)
#undef SELECT

#define WHERE(TYPE, bytes)                                                                                    \
    {"where",       {VEKT_TYPE_BOOL, VEKT_TYPE_##TYPE, VEKT_TYPE_##TYPE, VEKT_TYPE_##TYPE}, 3, 1, 10 * bytes, \
     select_##bytes}
#define VEKT_WHERE_ROWS                                                                                     \
    WHERE(BOOL, 1), WHERE(I8, 1), WHERE(U8, 1), WHERE(I16, 2), WHERE(U16, 2), WHERE(I32, 4), WHERE(U32, 4), \
        WHERE(I64, 8), WHERE(U64, 8), WHERE(HALF, 2), WHERE(BFLOAT16, 2), WHERE(F32, 4), WHERE(F64, 8),     \
        WHERE(C64, 8), WHERE(C128, 16),
