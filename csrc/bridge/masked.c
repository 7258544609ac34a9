/* where=: an operation whose results are taken where a mask holds; and exponents, which some powers refuse. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "broadcast.h"

enum { PART = 512 }; /* elements whose results wait for the mask at a time */

static void run_masked(const vekt_operation *self, char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {
    const vekt_masked *o = (const vekt_masked *)self;
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

int vekt_mask_operation(vekt_masked *masked, const vekt_target *target, vekt_entry *e, int memory_type) {
    const vekt_operation *all = e->operation;
    const int nin = all->nin, type = all->type[nin], in_memory = memory_type & VEKT_TYPE_MASK;
    /* Elements that stay must come through the operation's type as they were. */
    const int widened = type == VEKT_TYPE_F32 && (in_memory == VEKT_TYPE_HALF || in_memory == VEKT_TYPE_BFLOAT16);
    if (in_memory != type && !widened) return 0;
    if (!e->select && !(e->select = vekt_select_loop(target, type))) return 0;
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
