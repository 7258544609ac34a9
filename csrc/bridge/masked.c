/* where=: an operation whose results are taken where a mask holds; and exponents, which some powers refuse. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "broadcast.h"

#include <string.h>

enum { PART = 512 }; /* elements whose results wait for the mask at a time */

/* Operations that take so many picoseconds for an element, as NumPy's on complex numbers, are done for those alone
 * that the mask takes: to move these together and back costs about two thousand. */
enum { COSTLY = 10000, COSTLY_INPUTS = 2, FEW = 256 };

static void run_all(const vekt_masked *o, char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {
    const int nin = o->all->nin;
    _Alignas(64) char fresh[16 * PART];
    char *operand[VEKT_MAX_OPERANDS];
    ptrdiff_t own_advance[VEKT_MAX_OPERANDS];
    const ptrdiff_t item = advance[nin + 2];
    for (int j = 0; j < nin; j++) own_advance[j] = advance[j];
    own_advance[nin] = item;
    operand[nin] = fresh;
    const ptrdiff_t select_advance[4] = {advance[nin], item, advance[nin + 1], item};
    for (ptrdiff_t done = 0, m; done < n; done += m) {
        m = n - done < PART ? n - done : PART;
        for (int j = 0; j < nin; j++) operand[j] = args[j] + done * advance[j];
        o->all->run(o->all, operand, own_advance, m);
        char *choice[4] = {args[nin] + done * advance[nin], fresh, args[nin + 1] + done * advance[nin + 1],
                           args[nin + 2] + done * item};
        o->select(choice, select_advance, m);
    }
}

/* Elements that lie at these places, to where they lie one after another. */
static void gather(char *dst, const char *src, const uint8_t *places, ptrdiff_t count, size_t item) {
    for (ptrdiff_t i = 0; i < count; i++) memcpy(dst + (size_t)i * item, src + places[i] * item, item);
}

/* FEW elements at most, of which the mask takes `count`. */
static void run_few(const vekt_masked *o, char *const *args, const ptrdiff_t *advance, ptrdiff_t n,
                    const uint8_t *places, ptrdiff_t count) {
    const int nin = o->all->nin;
    _Alignas(64) char taken[COSTLY_INPUTS][16 * FEW], fresh[16 * FEW];
    char *operand[COSTLY_INPUTS + 1];
    ptrdiff_t own_advance[COSTLY_INPUTS + 1];
    const size_t item = (size_t)advance[nin + 2];
    char *const out = args[nin + 2];
    const char *const former = args[nin + 1];
    for (int j = 0; j < nin; j++) {
        operand[j] = advance[j] ? taken[j] : args[j];
        own_advance[j] = advance[j];
        if (advance[j]) gather(taken[j], args[j], places, count, (size_t)advance[j]);
    }
    operand[nin] = fresh;
    own_advance[nin] = (ptrdiff_t)item;
    if (count) o->all->run(o->all, operand, own_advance, count);
    for (ptrdiff_t i = 0; i < n && !advance[nin + 1]; i++) memcpy(out + (size_t)i * item, former, item);
    if (advance[nin + 1] && former != out) memcpy(out, former, (size_t)n * item);
    for (ptrdiff_t i = 0; i < count; i++) memcpy(out + places[i] * item, fresh + (size_t)i * item, item);
}

static void run_masked(const vekt_operation *self, char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {
    const vekt_masked *o = (const vekt_masked *)self;
    const int nin = o->all->nin;
    if (o->all->cost < COSTLY || nin > COSTLY_INPUTS || advance[nin] == 0) {
        run_all(o, args, advance, n);
        return;
    }
    for (ptrdiff_t done = 0, m; done < n; done += m) {
        char *part[COSTLY_INPUTS + 3];
        uint8_t places[FEW];
        ptrdiff_t count = 0;
        m = n - done < FEW ? n - done : FEW;
        for (int j = 0; j < nin + 3; j++) part[j] = args[j] + done * advance[j];
        for (ptrdiff_t i = 0; i < m; i++) {
            places[count < FEW ? count : 0] = (uint8_t)i;
            count += part[nin][i] != 0;
        }
        if (count < m)
            run_few(o, part, advance, m, places, count);
        else
            run_all(o, part, advance, m);
    }
}

int vekt_mask_operation(vekt_masked *masked, const vekt_entry *e, int memory_type) {
    const vekt_operation *all = e->operation;
    const int nin = all->nin, type = all->type[nin], in_memory = memory_type & VEKT_TYPE_MASK;
    /* Elements that stay must come through the operation's type as they were. */
    const int widened = type == VEKT_TYPE_F32 && (in_memory == VEKT_TYPE_HALF || in_memory == VEKT_TYPE_BFLOAT16);
    if (in_memory != type && !widened) return 0;
    if (!e->select) return 0;
    masked->base = *all;
    masked->base.run = run_masked;
    masked->base.nin = nin + 2;
    masked->base.type[nin] = VEKT_TYPE_BOOL;
    masked->base.type[nin + 1] = masked->base.type[nin + 2] = (uint8_t)type;
    masked->all = all;
    masked->select = e->select;
    return 1;
}

/* All elements' bytes that hold the sign, together. */
static int signs_of(PyArrayObject *a) {
    const int ndim = PyArray_NDIM(a), little = NPY_BYTE_ORDER == NPY_LITTLE_ENDIAN;
    const char *at = PyArray_BYTES(a) + (PyArray_ISNOTSWAPPED(a) == little ? PyArray_ITEMSIZE(a) - 1 : 0);
    const npy_intp row = ndim ? PyArray_DIM(a, ndim - 1) : 1, step = ndim ? PyArray_STRIDE(a, ndim - 1) : 0;
    npy_intp index[VEKT_MAX_DIMS] = {0};
    int signs = 0, d = 0;
    while (d >= 0) {
        for (npy_intp i = 0; i < row; i++) signs |= at[i * step];
        for (d = ndim - 2; d >= 0; d--) {
            at += PyArray_STRIDE(a, d);
            if (++index[d] < PyArray_DIM(a, d)) break;
            at -= index[d] * PyArray_STRIDE(a, d);
            index[d] = 0;
        }
    }
    return signs;
}

#define LEAST(type)                                   \
    {                                                 \
        const type *x = data;                         \
        type all = 0;                                 \
        for (npy_intp i = 0; i < n; i++) all |= x[i]; \
        return all >= 0;                              \
    }

int vekt_is_not_negative(PyArrayObject *a) {
    const void *data = PyArray_DATA(a);
    const npy_intp n = PyArray_SIZE(a);
    const int contiguous = PyArray_IS_C_CONTIGUOUS(a) || PyArray_IS_F_CONTIGUOUS(a);
    const int type = vekt_memory_type_of(PyArray_DESCR(a));
    if (n == 0) return type >= 0 && type <= VEKT_TYPE_U64;
    if (PyTypeNum_ISSIGNED(PyArray_TYPE(a)) && type <= VEKT_TYPE_U64 &&
        (!PyArray_ISALIGNED(a) || !PyArray_ISNOTSWAPPED(a) || !contiguous))
        return (signs_of(a) & 0x80) == 0;
    switch (type) {
    case VEKT_TYPE_I8:
        LEAST(int8_t)
    case VEKT_TYPE_I16:
        LEAST(int16_t)
    case VEKT_TYPE_I32:
        LEAST(int32_t)
    case VEKT_TYPE_I64:
        LEAST(int64_t)
    case VEKT_TYPE_BOOL:
    case VEKT_TYPE_U8:
    case VEKT_TYPE_U16:
    case VEKT_TYPE_U32:
    case VEKT_TYPE_U64:
        return 1;
    default:
        return 0;
    }
}
