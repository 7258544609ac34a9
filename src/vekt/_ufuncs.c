/* From a target's kernel table to real NumPy ufuncs.
 *
 * Each ufunc carries its kernels in the `data` field that NumPy leaves to us, and a loop finds
 * them through its caller.  So three loops, one for each dtype, serve every ufunc. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "_bridge.h"

#include <string.h>

typedef struct {
    const vekt_target *target;
    const vekt_kernel *kernel[VEKT_N_DTYPES];
    char text[]; /* the name, then the docstring: NumPy keeps pointers to them */
} ufunc_data;

static int run(PyArrayMethod_Context *context, int dtype, int format, char *const *args, const npy_intp *n,
               const npy_intp *steps) {
    const ufunc_data *u = (const void *)((PyUFuncObject *)context->caller)->data;
    vekt_connected->elementwise(u->target, u->kernel[dtype], format, args, steps, n[0]);
    return 0;
}

static int half_loop(PyArrayMethod_Context *context, char *const *args, const npy_intp *n, const npy_intp *steps,
                     NpyAuxData *unused) {
    (void)unused;
    return run(context, VEKT_F32, VEKT_HALF, args, n, steps);
}

static int float_loop(PyArrayMethod_Context *context, char *const *args, const npy_intp *n, const npy_intp *steps,
                      NpyAuxData *unused) {
    (void)unused;
    return run(context, VEKT_F32, VEKT_NATIVE, args, n, steps);
}

static int double_loop(PyArrayMethod_Context *context, char *const *args, const npy_intp *n, const npy_intp *steps,
                       NpyAuxData *unused) {
    (void)unused;
    return run(context, VEKT_F64, VEKT_NATIVE, args, n, steps);
}

static int add_loop(PyObject *ufunc, PyArray_DTypeMeta *dtype, PyArrayMethod_StridedLoop *loop) {
    PyUFuncObject *u = (PyUFuncObject *)ufunc;
    PyArray_DTypeMeta *dtypes[VEKT_MAX_ARGS];
    for (int j = 0; j < u->nargs; j++) dtypes[j] = dtype;
    PyType_Slot slots[] = {{NPY_METH_strided_loop, (void *)loop}, {0, NULL}};
    PyArrayMethod_Spec spec = {
        .name = u->name,
        .nin = u->nin,
        .nout = u->nout,
        .casting = NPY_NO_CASTING,
        .flags = NPY_METH_NO_FLOATINGPOINT_ERRORS,
        .dtypes = dtypes,
        .slots = slots,
    };
    return PyUFunc_AddLoopFromSpec(ufunc, &spec);
}

/* Integers, bool, and Python's own numbers where no array decides. */
static int computes_as_double(const PyArray_DTypeMeta *dtype) {
    const PyArray_DTypeMeta *const all[] = {
        &PyArray_BoolDType,    &PyArray_ByteDType,     &PyArray_UByteDType,     &PyArray_ShortDType,
        &PyArray_UShortDType,  &PyArray_IntDType,      &PyArray_UIntDType,      &PyArray_LongDType,
        &PyArray_ULongDType,   &PyArray_LongLongDType, &PyArray_ULongLongDType, &PyArray_PyLongDType,
        &PyArray_PyFloatDType,
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (dtype == all[i]) return 1;
    }
    return 0;
}

/* The dtype to compute in (borrowed), or NULL without an error where there is none. */
static PyArray_DTypeMeta *common_dtype(const PyUFuncObject *u, PyArray_DTypeMeta *const operands[],
                                       PyArray_DTypeMeta *const signature[]) {
    for (int j = 0; j < u->nargs; j++) {
        if (signature[j]) return signature[j]; /* dtype= or signature= decides */
    }
    PyArray_DTypeMeta *common = PyArray_PromoteDTypeSequence(u->nin, (PyArray_DTypeMeta **)operands);
    if (!common) {
        PyErr_Clear(); /* NumPy's own "no loop" error says more */
        return NULL;
    }
    Py_DECREF((PyObject *)common); /* the classes compared with below live for ever */
    if (computes_as_double(common)) return &PyArray_DoubleDType;
    if (common == &PyArray_HalfDType) return &PyArray_HalfDType;
    if (common == &PyArray_FloatDType) return &PyArray_FloatDType;
    return common == &PyArray_DoubleDType ? &PyArray_DoubleDType : NULL;
}

/* Mixed operands take their common float dtype; integers, bool and Python numbers float64. */
static int promote(PyObject *ufunc, PyArray_DTypeMeta *const operands[], PyArray_DTypeMeta *const signature[],
                   PyArray_DTypeMeta *promoted[]) {
    const PyUFuncObject *u = (const PyUFuncObject *)ufunc;
    PyArray_DTypeMeta *dtype = common_dtype(u, operands, signature);
    if (!dtype) return -1;
    for (int j = 0; j < u->nargs; j++) {
        Py_INCREF((PyObject *)dtype);
        promoted[j] = dtype;
    }
    return 0;
}

static int add_promoter(PyObject *ufunc) {
    int n = ((PyUFuncObject *)ufunc)->nargs, status = -1;
    PyObject *any = PyTuple_New(n);
    PyObject *capsule = PyCapsule_New((void *)promote, "numpy._ufunc_promoter", NULL);
    if (any && capsule) {
        for (int j = 0; j < n; j++) {
            Py_INCREF((PyObject *)&PyArrayDescr_Type);
            PyTuple_SetItem(any, j, (PyObject *)&PyArrayDescr_Type);
        }
        status = PyUFunc_AddPromoter(ufunc, any, capsule);
    }
    Py_XDECREF(any);
    Py_XDECREF(capsule);
    return status;
}

static void free_data(PyObject *capsule) { PyMem_Free(PyCapsule_GetPointer(capsule, NULL)); }

static ufunc_data *new_data(const vekt_target *target, const vekt_kernel *kernel, const char *doc) {
    size_t name_size = strlen(kernel->name) + 1, doc_size = strlen(doc) + 1;
    ufunc_data *data = PyMem_Calloc(1, sizeof *data + name_size + doc_size);
    if (!data) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(data->text, kernel->name, name_size);
    memcpy(data->text + name_size, doc, doc_size);
    data->target = target;
    for (int i = 0; i < target->n_kernels; i++) {
        const vekt_kernel *other = &target->kernels[i];
        if (!strcmp(other->name, kernel->name)) data->kernel[other->dtype] = other;
    }
    return data;
}

static PyObject *new_ufunc(const vekt_target *target, const vekt_kernel *kernel, const char *doc) {
    ufunc_data *data = new_data(target, kernel, doc);
    if (!data) return NULL;
    PyObject *owner = PyCapsule_New(data, NULL, free_data);
    if (!owner) {
        PyMem_Free(data);
        return NULL;
    }
    const char *text = data->text + strlen(data->text) + 1;
    PyObject *ufunc = PyUFunc_FromFuncAndData(NULL, (void **)data, NULL, 0, kernel->nin, kernel->nout, PyUFunc_None,
                                              data->text, text, 0);
    if (!ufunc) {
        Py_DECREF(owner);
        return NULL;
    }
    ((PyUFuncObject *)ufunc)->obj = owner; /* released with the ufunc */
    int status = add_promoter(ufunc);
    if (status == 0 && data->kernel[VEKT_F32]) {
        status = add_loop(ufunc, &PyArray_HalfDType, half_loop);
        if (status == 0) status = add_loop(ufunc, &PyArray_FloatDType, float_loop);
    }
    if (status == 0 && data->kernel[VEKT_F64]) {
        status = add_loop(ufunc, &PyArray_DoubleDType, double_loop);
    }
    if (status < 0) Py_CLEAR(ufunc);
    return ufunc;
}

PyObject *vekt_build_ufunc(const vekt_target *target, const char *name, const char *doc) {
    for (int i = 0; i < target->n_kernels; i++) {
        if (!strcmp(target->kernels[i].name, name)) return new_ufunc(target, &target->kernels[i], doc);
    }
    return PyErr_Format(PyExc_KeyError, "no kernel %s", name);
}
