/* The conversions that no target does itself go through the widest type of their kind: int64, uint64 or double. */
#include "convert.h"
#include "half.h"
#include "stage.h"

enum { HUB_ELEMENTS = 256 };

/* Elements on their way: integers with a sign, without one, or doubles. */
enum hub { SIGNED, UNSIGNED, REAL };
typedef union {
    int64_t i[HUB_ELEMENTS];
    uint64_t u[HUB_ELEMENTS];
    double x[HUB_ELEMENTS];
} hub_values;

const uint8_t vekt_bytes_of_types[VEKT_N_TYPES] = {
    [VEKT_TYPE_BOOL] = 1, [VEKT_TYPE_I8] = 1,  [VEKT_TYPE_U8] = 1,       [VEKT_TYPE_I16] = 2, [VEKT_TYPE_U16] = 2,
    [VEKT_TYPE_I32] = 4,  [VEKT_TYPE_U32] = 4, [VEKT_TYPE_I64] = 8,      [VEKT_TYPE_U64] = 8, [VEKT_TYPE_HALF] = 2,
    [VEKT_TYPE_F32] = 4,  [VEKT_TYPE_F64] = 8, [VEKT_TYPE_BFLOAT16] = 2, [VEKT_TYPE_C64] = 8, [VEKT_TYPE_C128] = 16,
};

/* Rounds to odd, so that rounding once more, to half the digits or fewer, is as good as rounding once. */
static float narrowed(double x) {
    const float y = (float)x;
    if ((double)y == x || y != y) return y;
    const uint32_t bits = vekt_float_bits(y);
    if (bits & 1) return y;
    const int away = fabs((double)y) > fabs(x);
    return vekt_bits_float(away ? bits - 1 : bits + 1);
}

#define LOAD(field, type, value)                                               \
    for (ptrdiff_t i = 0; i < n; i++) {                                        \
        type v;                                                                \
        memcpy(&v, (const char *)src + i * (ptrdiff_t)sizeof(type), sizeof v); \
        hub->field[i] = value;                                                 \
    }                                                                          \
    break

static enum hub load(hub_values *hub, int from, const void *src, ptrdiff_t n) {
    switch (from) {
    case VEKT_TYPE_BOOL:
        LOAD(i, uint8_t, v != 0);
    case VEKT_TYPE_I8:
        LOAD(i, int8_t, v);
    case VEKT_TYPE_U8:
        LOAD(i, uint8_t, v);
    case VEKT_TYPE_I16:
        LOAD(i, int16_t, v);
    case VEKT_TYPE_U16:
        LOAD(i, uint16_t, v);
    case VEKT_TYPE_I32:
        LOAD(i, int32_t, v);
    case VEKT_TYPE_U32:
        LOAD(i, uint32_t, v);
    case VEKT_TYPE_I64:
        LOAD(i, int64_t, v);
    case VEKT_TYPE_U64:
        LOAD(u, uint64_t, v);
    case VEKT_TYPE_HALF:
        LOAD(x, uint16_t, vekt_half_to_float(v));
    case VEKT_TYPE_BFLOAT16:
        LOAD(x, uint16_t, vekt_bfloat16_to_float(v));
    case VEKT_TYPE_F32:
        LOAD(x, float, v);
    case VEKT_TYPE_F64:
        LOAD(x, double, v);
    case VEKT_TYPE_C64:
        for (ptrdiff_t i = 0; i < n; i++) hub->x[i] = ((const float *)src)[2 * i];
        break;
    default:
        for (ptrdiff_t i = 0; i < n; i++) hub->x[i] = ((const double *)src)[2 * i];
    }
    return from == VEKT_TYPE_U64 ? UNSIGNED : from < VEKT_TYPE_U64 ? SIGNED : REAL;
}

#define STORE(type, value)                                               \
    for (ptrdiff_t i = 0; i < n; i++) {                                  \
        const type v = (type)(value);                                    \
        memcpy((char *)dst + i * (ptrdiff_t)sizeof(type), &v, sizeof v); \
    }                                                                    \
    break
/* Each from what it is: an integer is rounded to float once. */
#define STORE_ANY(type, of)         \
    if (kind == SIGNED) {           \
        STORE(type, of(hub->i[i])); \
    } else if (kind == UNSIGNED) {  \
        STORE(type, of(hub->u[i])); \
    } else {                        \
        STORE(type, of(hub->x[i])); \
    }                               \
    break
#define PLAIN(v) v
#define FLOAT(v) (float)(v)

/* Doubles that are to become integers: all but those from 2^63 on by way of int64. */
static void truncate_all(hub_values *hub, int to, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        const double x = hub->x[i];
        if (to == VEKT_TYPE_BOOL)
            hub->i[i] = x != 0;
        else if (to == VEKT_TYPE_U64 && x >= 0x1p63)
            hub->u[i] = x < 0x1p64 ? (uint64_t)x : 0;
        else
            hub->i[i] = x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN;
    }
}

static void store_integers(int to, void *dst, const hub_values *hub, ptrdiff_t n) {
    switch (to) {
    case VEKT_TYPE_BOOL:
        STORE(uint8_t, hub->i[i] != 0);
    case VEKT_TYPE_I8:
    case VEKT_TYPE_U8:
        STORE(uint8_t, hub->u[i]);
    case VEKT_TYPE_I16:
    case VEKT_TYPE_U16:
        STORE(uint16_t, hub->u[i]);
    case VEKT_TYPE_I32:
    case VEKT_TYPE_U32:
        STORE(uint32_t, hub->u[i]);
    default:
        STORE(uint64_t, hub->u[i]);
    }
}

static void store_reals(int to, void *dst, enum hub kind, const hub_values *hub, ptrdiff_t n) {
    switch (to) {
    case VEKT_TYPE_HALF:
        if (kind == REAL) {
            for (ptrdiff_t i = 0; i < n; i++) ((uint16_t *)dst)[i] = vekt_float_to_half(narrowed(hub->x[i]));
            break;
        }
        for (ptrdiff_t i = 0; i < n; i++)
            ((uint16_t *)dst)[i] = vekt_float_to_half(kind == SIGNED ? (float)hub->i[i] : (float)hub->u[i]);
        break;
    case VEKT_TYPE_BFLOAT16:
        if (kind == REAL) {
            for (ptrdiff_t i = 0; i < n; i++) ((uint16_t *)dst)[i] = vekt_float_to_bfloat16(narrowed(hub->x[i]));
            break;
        }
        for (ptrdiff_t i = 0; i < n; i++)
            ((uint16_t *)dst)[i] = vekt_float_to_bfloat16(kind == SIGNED ? (float)hub->i[i] : (float)hub->u[i]);
        break;
    case VEKT_TYPE_F32:
        STORE_ANY(float, FLOAT);
    case VEKT_TYPE_F64:
        STORE_ANY(double, PLAIN);
    default:
        break;
    }
}

static void store(int to, void *dst, enum hub kind, hub_values *hub, ptrdiff_t n) {
    if (to <= VEKT_TYPE_U64) {
        if (kind == REAL) truncate_all(hub, to, n);
        store_integers(to, dst, hub, n);
    } else if (to <= VEKT_TYPE_F64) {
        store_reals(to, dst, kind, hub, n);
    } else {
        const int real = to == VEKT_TYPE_C64 ? VEKT_TYPE_F32 : VEKT_TYPE_F64, item = vekt_type_bytes(real);
        char parts[HUB_ELEMENTS * sizeof(double)];
        store_reals(real, parts, kind, hub, n);
        memset(dst, 0, (size_t)(n * 2 * item));
        for (ptrdiff_t i = 0; i < n; i++) memcpy((char *)dst + i * 2 * item, parts + i * item, (size_t)item);
    }
}

static void convert_complex(int to, void *dst, const void *src, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < 2 * n; i++) {
        if (to == VEKT_TYPE_C64)
            ((float *)dst)[i] = (float)((const double *)src)[i];
        else
            ((double *)dst)[i] = ((const float *)src)[i];
    }
}

/* True where either part is not zero. */
static void complex_truth(uint8_t *dst, int from, const void *src, ptrdiff_t n) {
    const float *narrow = src;
    const double *wide = src;
    for (ptrdiff_t i = 0; i < n; i++)
        dst[i] = from == VEKT_TYPE_C64 ? narrow[2 * i] != 0 || narrow[2 * i + 1] != 0
                                       : wide[2 * i] != 0 || wide[2 * i + 1] != 0;
}

/* Any alignment. */
static void swap_bytes(const vekt_target *target, int type, char *to, const char *from, ptrdiff_t n) {
    const int is_complex = type >= VEKT_TYPE_C64;
    target->swap(to, from, vekt_type_bytes(type) >> is_complex, n << is_complex);
}

/* By way of aligned values in native byte order. */
static void convert_foreign(const vekt_target *target, int to, char *dst, int from, const char *src, ptrdiff_t n) {
    const int plain_to = to & VEKT_TYPE_MASK, plain_from = from & VEKT_TYPE_MASK;
    const ptrdiff_t wide = vekt_type_bytes(to), narrow = vekt_type_bytes(from);
    if (plain_to == plain_from && !((to ^ from) & VEKT_SWAPPED)) {
        memcpy(dst, src, (size_t)(n * wide));
        return;
    }
    if (plain_to == plain_from) {
        swap_bytes(target, plain_to, dst, src, n);
        return;
    }
    uint64_t in[2 * HUB_ELEMENTS], out[2 * HUB_ELEMENTS];
    for (ptrdiff_t m; n > 0; n -= m, dst += m * wide, src += m * narrow) {
        m = n < HUB_ELEMENTS ? n : HUB_ELEMENTS;
        if (from & VEKT_SWAPPED)
            swap_bytes(target, plain_from, (char *)in, src, m);
        else if (from != plain_from)
            memcpy(in, src, (size_t)(m * narrow));
        vekt_convert(target, plain_to, to != plain_to ? (char *)out : dst, plain_from,
                     from != plain_from ? (const char *)in : src, m);
        if (to & VEKT_SWAPPED)
            swap_bytes(target, plain_to, dst, (const char *)out, m);
        else if (to != plain_to)
            memcpy(dst, out, (size_t)(m * wide));
    }
}

/* Between a type that float holds and one of the two 16-bit floats, of which one rounds at most once. */
static int by_float(int to, int from) {
    const int short_from = from == VEKT_TYPE_HALF || from == VEKT_TYPE_BFLOAT16;
    const int short_to = to == VEKT_TYPE_HALF || to == VEKT_TYPE_BFLOAT16;
    return (short_to && (short_from || from <= VEKT_TYPE_U16)) || (short_from && to == VEKT_TYPE_F64);
}

void vekt_convert(const vekt_target *target, int to, void *dst, int from, const void *src, ptrdiff_t n) {
    if ((to | from) & ~VEKT_TYPE_MASK) {
        convert_foreign(target, to, dst, from, src, n);
        return;
    }
    const ptrdiff_t wide = vekt_type_bytes(to), narrow = vekt_type_bytes(from);
    if (to == from) {
        memcpy(dst, src, (size_t)(n * wide));
        return;
    }
    if (target->convert[from][to]) {
        target->convert[from][to](dst, src, n);
        return;
    }
    if (by_float(to, from) && target->convert[from][VEKT_TYPE_F32] && target->convert[VEKT_TYPE_F32][to]) {
        float hub[HUB_ELEMENTS];
        for (ptrdiff_t m; n > 0; n -= m, dst = (char *)dst + m * wide, src = (const char *)src + m * narrow) {
            m = n < HUB_ELEMENTS ? n : HUB_ELEMENTS;
            target->convert[from][VEKT_TYPE_F32](hub, src, m);
            target->convert[VEKT_TYPE_F32][to](dst, hub, m);
        }
        return;
    }
    if (from >= VEKT_TYPE_C64 && to >= VEKT_TYPE_C64) {
        convert_complex(to, dst, src, n);
        return;
    }
    if (from >= VEKT_TYPE_C64 && to == VEKT_TYPE_BOOL) {
        complex_truth(dst, from, src, n);
        return;
    }
    if (wide == 1 && narrow == 1) {
        const uint8_t *bytes = src;
        for (ptrdiff_t i = 0; i < n; i++)
            ((uint8_t *)dst)[i] = to == VEKT_TYPE_BOOL || from == VEKT_TYPE_BOOL ? bytes[i] != 0 : bytes[i];
        return;
    }
    hub_values hub;
    for (ptrdiff_t m; n > 0; n -= m, dst = (char *)dst + m * wide, src = (const char *)src + m * narrow) {
        m = n < HUB_ELEMENTS ? n : HUB_ELEMENTS;
        store(to, dst, load(&hub, from, src, m), &hub, m);
    }
}

void vekt_convert_line(const vekt_target *target, int to, char *dst, int from, const char *src, ptrdiff_t step,
                       ptrdiff_t n) {
    const ptrdiff_t narrow = vekt_type_bytes(from), wide = vekt_type_bytes(to);
    uint64_t line[2 * HUB_ELEMENTS];
    if (step == narrow) {
        vekt_convert(target, to, dst, from, src, n);
        return;
    }
    for (ptrdiff_t count; n > 0; n -= count, src += count * step, dst += count * wide) {
        count = n < HUB_ELEMENTS ? n : HUB_ELEMENTS;
        for (ptrdiff_t i = 0; i < count; i++) memcpy((char *)line + i * narrow, src + i * step, (size_t)narrow);
        vekt_convert(target, to, dst, from, line, count);
    }
}
