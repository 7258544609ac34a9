/* Dot products of integers and of truth values: dot_NAME(x, y, bytes), of contiguous elements. */

/* Bytes in lanes of 16 bits: the low byte of a product depends on the low bytes of its factors alone, and the sum's
 * low byte on those.  So even bytes need no mask, and odd ones one shift. */
#define LANE uint16_t
#define NAME(x) x##_i8
#define PRODUCT(x, y) ((x) * (y) + ((x) >> 8) * ((y) >> 8))
#include "dot_integer.h"

#define LANE uint16_t
#define NAME(x) x##_i16
#define PRODUCT(x, y) ((x) * (y))
#include "dot_integer.h"

#define LANE uint32_t
#define NAME(x) x##_i32
#define PRODUCT(x, y) ((x) * (y))
#include "dot_integer.h"

#define LANE uint64_t
#define NAME(x) x##_i64
#define PRODUCT(x, y) ((x) * (y))
#include "dot_integer.h"

/* Is there a place where both are true?  Looks no further than needed, by runs that the compiler vectorises. */
static uint64_t dot_bool(const void *px, const void *py, size_t bytes) {
    enum { RUN = 64 };
    const uint8_t *x = px, *y = py;
    for (; bytes >= RUN; bytes -= RUN, x += RUN, y += RUN) {
        uint8_t any = 0;
        for (int i = 0; i < RUN; i++) any |= (x[i] != 0) & (y[i] != 0);
        if (any) return 1;
    }
    for (size_t i = 0; i < bytes; i++)
        if (x[i] && y[i]) return 1;
    return 0;
}
