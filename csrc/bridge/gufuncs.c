/* Products as private gufuncs: NumPy's broadcasting of stacks, casting, axes, overlap and errors, over our drivers.
 * Python's own functions in matmul.c come before them, and take the way through NumPy only where they must. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

#include <string.h>

typedef struct {
    const vekt_target *target;
    int which;
    PyObject *bfloat16; /* the DType that has a loop, or NULL */
} gufunc_data;

/* Of elements of a vekt_type. */
static int product_type(int type) {
    static const signed char types[VEKT_N_TYPES] = {
        [VEKT_TYPE_BOOL] = VEKT_PRODUCT_BOOL, [VEKT_TYPE_I8] = VEKT_PRODUCT_I8,
        [VEKT_TYPE_U8] = VEKT_PRODUCT_I8,     [VEKT_TYPE_I16] = VEKT_PRODUCT_I16,
        [VEKT_TYPE_U16] = VEKT_PRODUCT_I16,   [VEKT_TYPE_I32] = VEKT_PRODUCT_I32,
        [VEKT_TYPE_U32] = VEKT_PRODUCT_I32,   [VEKT_TYPE_I64] = VEKT_PRODUCT_I64,
        [VEKT_TYPE_U64] = VEKT_PRODUCT_I64,   [VEKT_TYPE_HALF] = VEKT_PRODUCT_HALF,
        [VEKT_TYPE_F32] = VEKT_PRODUCT_F32,   [VEKT_TYPE_BFLOAT16] = VEKT_PRODUCT_BFLOAT16,
        [VEKT_TYPE_F64] = VEKT_PRODUCT_F64,   [VEKT_TYPE_C64] = VEKT_PRODUCT_C64,
        [VEKT_TYPE_C128] = VEKT_PRODUCT_C128,
    };
    return type < 0 ? -1 : types[type];
}

int vekt_product_type(int type_num) { return product_type(vekt_memory_type(type_num)); }

int vekt_product_type_of(const PyArray_Descr *descr) { return product_type(vekt_memory_type_of(descr)); }

int vekt_multiply_stack(const vekt_target *target, int type, vekt_product *p, ptrdiff_t count,
                        const ptrdiff_t steps[3]) {
    if (p->m == 0 || p->n == 0 || count == 0) return 0; /* however many rows of nothing there are */
    ptrdiff_t own[3] = {steps[0], steps[1], steps[2]};
    if (p->m == 1 && p->n == 1 && own[0] == 0) { /* many vectors times one are a matrix times that one */
        vekt_matrix a = p->a;
        p->a = (vekt_matrix){p->b.data, p->b.col, p->b.row};
        p->b = (vekt_matrix){a.data, a.col, a.row};
        const uint8_t from = p->from[0];
        p->from[0] = p->from[1];
        p->from[1] = from;
        if (p->conjugate) p->conjugate = VEKT_CONJUGATE_B;
        own[0] = own[1];
        own[1] = 0;
    }
    if (own[1] == 0 && p->m == 1) {
        p->a.row = own[0];
        p->c.row = own[2];
    }
    if (own[1] == 0 && own[0] == p->m * p->a.row && own[2] == p->m * p->c.row) {
        p->m *= count;
        count = 1;
    }
    if (count == 1) return vekt_connected->matmul(target, type, p);
    return vekt_connected->matmul_stack(target, type, p, count, own);
}

static int run(const PyArrayMethod_Context *context, vekt_product *p, int conjugates, ptrdiff_t count,
               const npy_intp *steps) {
    const gufunc_data *data = (const void *)((PyUFuncObject *)context->caller)->data;
    int number = context->descriptors[0]->type_num;
    p->invariant = data->which == VEKT_MATMUL_INVARIANT;
    int type = number < NPY_USERDEF ? vekt_product_type(number) : VEKT_PRODUCT_BFLOAT16;
    const int is_complex = type == VEKT_PRODUCT_C64 || type == VEKT_PRODUCT_C128;
    p->conjugate = conjugates && is_complex ? VEKT_CONJUGATE_A : 0;
    vekt_connected->call_begins();
    const int status = vekt_multiply_stack(data->target, type, p, count, steps);
    if (vekt_connected->call_ends()) return -1;
    if (status < 0) {
        PyGILState_STATE state = PyGILState_Ensure();
        PyErr_NoMemory();
        PyGILState_Release(state);
    }
    return status;
}

/* NumPy hands a loop the numbers of the stack and of each core dimension, and the steps of the three operands along
 * the stack and then along their core dimensions.  Those of a missing dimension are 1 and 0. */
static int matmul_loop(PyArrayMethod_Context *context, char *const *args, const npy_intp *n, const npy_intp *steps,
                       NpyAuxData *unused) {
    (void)unused;
    vekt_product p = {.m = n[1],
                      .k = n[2],
                      .n = n[3],
                      .a = {args[0], steps[3], steps[4]},
                      .b = {args[1], steps[5], steps[6]},
                      .c = {args[2], steps[7], steps[8]}};
    return run(context, &p, 0, n[0], steps);
}

static int vecdot_loop(PyArrayMethod_Context *context, char *const *args, const npy_intp *n, const npy_intp *steps,
                       NpyAuxData *unused) {
    (void)unused;
    vekt_product p = {
        .m = 1, .k = n[1], .n = 1, .a = {args[0], 0, steps[3]}, .b = {args[1], steps[4], 0}, .c = {args[2], 0, 0}};
    return run(context, &p, 1, n[0], steps);
}

static int matvec_loop(PyArrayMethod_Context *context, char *const *args, const npy_intp *n, const npy_intp *steps,
                       NpyAuxData *unused) {
    (void)unused;
    vekt_product p = {.m = n[1],
                      .k = n[2],
                      .n = 1,
                      .a = {args[0], steps[3], steps[4]},
                      .b = {args[1], steps[5], 0},
                      .c = {args[2], steps[6], 0}};
    return run(context, &p, 0, n[0], steps);
}

static int vecmat_loop(PyArrayMethod_Context *context, char *const *args, const npy_intp *n, const npy_intp *steps,
                       NpyAuxData *unused) {
    (void)unused;
    vekt_product p = {.m = 1,
                      .k = n[1],
                      .n = n[2],
                      .a = {args[0], 0, steps[3]},
                      .b = {args[1], steps[4], steps[5]},
                      .c = {args[2], 0, steps[6]}};
    return run(context, &p, 1, n[0], steps);
}

static const struct {
    const char *name, *signature;
    PyArrayMethod_StridedLoop *loop;
} gufuncs[VEKT_N_GUFUNCS] = {
    [VEKT_MATMUL] = {"matmul", "(n?,k),(k,m?)->(n?,m?)", matmul_loop},
    [VEKT_VECDOT] = {"vecdot", "(n),(n)->()", vecdot_loop},
    [VEKT_MATVEC] = {"matvec", "(m,n),(n)->(m)", matvec_loop},
    [VEKT_VECMAT] = {"vecmat", "(n),(n,m)->(m)", vecmat_loop},
    [VEKT_MATMUL_INVARIANT] = {"matmul", "(n?,k),(k,m?)->(n?,m?)", matmul_loop},
};

enum { N_DTYPES = 16 };
static void list_dtypes(PyArray_DTypeMeta *list[N_DTYPES]) {
    PyArray_DTypeMeta *const all[N_DTYPES] = {
        &PyArray_BoolDType,   &PyArray_ByteDType,     &PyArray_UByteDType,     &PyArray_ShortDType,
        &PyArray_UShortDType, &PyArray_IntDType,      &PyArray_UIntDType,      &PyArray_LongDType,
        &PyArray_ULongDType,  &PyArray_LongLongDType, &PyArray_ULongLongDType, &PyArray_HalfDType,
        &PyArray_FloatDType,  &PyArray_DoubleDType,   &PyArray_CFloatDType,    &PyArray_CDoubleDType,
    };
    memcpy(list, all, sizeof all);
}

/* The dtype to compute in (borrowed), or NULL without an error where there is none. */
static PyArray_DTypeMeta *computing_dtype(const PyUFuncObject *u, PyArray_DTypeMeta *const operands[],
                                          PyArray_DTypeMeta *const signature[], PyArray_DTypeMeta *bfloat16) {
    PyArray_DTypeMeta *dtype, *list[N_DTYPES];
    if (!vekt_asked_dtype(u, signature, &dtype)) return NULL;
    if (!dtype) dtype = vekt_common_dtype(u, operands, bfloat16);
    if (dtype == bfloat16) return bfloat16;
    if (dtype == &PyArray_PyLongDType) return &PyArray_LongDType;
    if (dtype == &PyArray_PyFloatDType) return &PyArray_DoubleDType;
    if (dtype == &PyArray_PyComplexDType) return &PyArray_CDoubleDType;
    list_dtypes(list);
    for (int i = 0; i < N_DTYPES; i++) {
        if (dtype == list[i]) return dtype;
    }
    return NULL;
}

/* bfloat16's loop is added when the first one comes: `import vekt` shall not import ml_dtypes. */
static int add_bfloat16_loop(PyObject *gufunc, PyArray_DTypeMeta *bfloat16) {
    gufunc_data *data = (void *)((PyUFuncObject *)gufunc)->data;
    if (data->bfloat16 == (PyObject *)bfloat16) return 0;
    if (vekt_add_loop(gufunc, bfloat16, 0, gufuncs[data->which].loop) < 0) return -1;
    data->bfloat16 = (PyObject *)bfloat16; /* the loop keeps it alive */
    return 0;
}

/* Operands of different dtypes take NumPy's common one. */
static int promote(PyObject *gufunc, PyArray_DTypeMeta *const operands[], PyArray_DTypeMeta *const signature[],
                   PyArray_DTypeMeta *promoted[]) {
    const PyUFuncObject *u = (const PyUFuncObject *)gufunc;
    PyArray_DTypeMeta *bfloat16 = vekt_find_bfloat16(u, operands, signature);
    PyArray_DTypeMeta *dtype = computing_dtype(u, operands, signature, bfloat16);
    if (!dtype || (dtype == bfloat16 && add_bfloat16_loop(gufunc, bfloat16) < 0)) return -1;
    vekt_promoted_to(u, dtype, operands, promoted);
    return 0;
}

PyObject *vekt_build_gufunc(const vekt_target *target, int which) {
    gufunc_data *data = PyMem_Calloc(1, sizeof *data);
    if (!data) return PyErr_NoMemory();
    data->target = target;
    data->which = which;
    PyObject *owner = vekt_owner_of(data, NULL);
    if (!owner) return NULL;
    PyObject *gufunc =
        PyUFunc_FromFuncAndDataAndSignature(NULL, (void **)data, NULL, 0, 2, 1, PyUFunc_None, gufuncs[which].name,
                                            "A product over vekt's kernels.", 0, gufuncs[which].signature);
    if (!gufunc) {
        Py_DECREF(owner);
        return NULL;
    }
    ((PyUFuncObject *)gufunc)->obj = owner; /* released with the gufunc */
    /* NumPy's default takes it that an output which is the very memory of an input does no harm. */
    ((PyUFuncObject *)gufunc)->op_flags[2] = NPY_ITER_WRITEONLY | NPY_ITER_UPDATEIFCOPY | NPY_ITER_ALIGNED |
                                             NPY_ITER_ALLOCATE | NPY_ITER_NO_BROADCAST | NPY_ITER_NO_SUBTYPE;
    int status = vekt_add_promoter(gufunc, promote);
    PyArray_DTypeMeta *list[N_DTYPES];
    list_dtypes(list);
    for (int i = 0; i < N_DTYPES && status == 0; i++) status = vekt_add_loop(gufunc, list[i], 0, gufuncs[which].loop);
    if (status < 0) Py_CLEAR(gufunc);
    return gufunc;
}
