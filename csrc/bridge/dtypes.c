/* Which dtype an operation computes in, and what tells NumPy so: loops and promoters. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

int vekt_add_loop(PyObject *ufunc, PyArray_DTypeMeta *dtype, int n_params, PyArrayMethod_StridedLoop *loop) {
    PyUFuncObject *u = (PyUFuncObject *)ufunc;
    PyArray_DTypeMeta *dtypes[VEKT_MAX_ARGS];
    for (int j = 0; j < u->nargs; j++)
        dtypes[j] = j >= u->nin - n_params && j < u->nin ? &PyArray_LongDoubleDType : dtype;
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

int vekt_add_promoter(PyObject *ufunc, PyArrayMethod_PromoterFunction *promoter) {
    int n = ((PyUFuncObject *)ufunc)->nargs, status = -1;
    PyObject *any = PyTuple_New(n);
    PyObject *capsule = PyCapsule_New((void *)promoter, "numpy._ufunc_promoter", NULL);
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

int vekt_is_bfloat16(PyArray_DTypeMeta *dtype) {
    PyObject *name = PyUnicode_FromString("ml_dtypes"), *package = name ? PyImport_GetModule(name) : NULL;
    PyObject *scalar = package ? PyObject_GetAttrString(package, "bfloat16") : NULL;
    PyObject *type = scalar ? PyObject_GetAttrString((PyObject *)dtype, "type") : NULL;
    int is = type && type == scalar;
    Py_XDECREF(name);
    Py_XDECREF(package);
    Py_XDECREF(scalar);
    Py_XDECREF(type);
    PyErr_Clear();
    return is;
}

int vekt_holds_bfloat16(const PyArray_Descr *descr) {
    return descr->type_num >= NPY_USERDEF && vekt_is_bfloat16((PyArray_DTypeMeta *)Py_TYPE((PyObject *)descr));
}

int vekt_float_of(const PyArray_Descr *descr, int *dtype, int *format) {
    const int type = vekt_memory_type_of(descr);
    *dtype = type == VEKT_TYPE_F64 ? VEKT_F64 : VEKT_F32;
    *format = type == VEKT_TYPE_HALF ? VEKT_HALF : type == VEKT_TYPE_BFLOAT16 ? VEKT_BFLOAT16 : VEKT_NATIVE;
    return type >= VEKT_TYPE_HALF && type <= VEKT_TYPE_F64;
}

PyArray_DTypeMeta *vekt_find_bfloat16(const PyUFuncObject *u, PyArray_DTypeMeta *const operands[],
                                      PyArray_DTypeMeta *const signature[]) {
    for (int j = 0; j < u->nargs; j++) {
        if (signature[j] && vekt_is_bfloat16(signature[j])) return signature[j];
        if (j < u->nin && operands[j] && vekt_is_bfloat16(operands[j])) return operands[j];
    }
    return NULL;
}

int vekt_asked_dtype(const PyUFuncObject *u, PyArray_DTypeMeta *const signature[], PyArray_DTypeMeta **dtype) {
    *dtype = NULL;
    for (int j = 0; j < u->nargs; j++) {
        if (!signature[j]) continue;
        if (*dtype && signature[j] != *dtype) return 0;
        *dtype = signature[j];
    }
    return 1;
}

/* Does bfloat16 hold their numbers, as NumPy sees it? */
static int fits_bfloat16(const PyArray_DTypeMeta *dtype) {
    return dtype == &PyArray_BoolDType || dtype == &PyArray_ByteDType || dtype == &PyArray_UByteDType ||
           dtype == &PyArray_PyLongDType || dtype == &PyArray_PyFloatDType;
}

PyArray_DTypeMeta *vekt_common_dtype(const PyUFuncObject *u, PyArray_DTypeMeta *const operands[],
                                     PyArray_DTypeMeta *bfloat16) {
    PyArray_DTypeMeta *inputs[VEKT_MAX_ARGS];
    int fits = bfloat16 != NULL;
    for (int j = 0; j < u->nin; j++) {
        int same = bfloat16 && operands[j] == bfloat16;
        inputs[j] = same ? &PyArray_FloatDType : operands[j];
        fits &= same || fits_bfloat16(operands[j]);
    }
    if (fits) return bfloat16;
    PyArray_DTypeMeta *common = PyArray_PromoteDTypeSequence(u->nin, inputs);
    if (common) {
        Py_DECREF((PyObject *)common); /* the classes that have loops live for ever */
    } else {
        PyErr_Clear(); /* NumPy's own "no loop" error says more */
    }
    return common;
}

void vekt_promoted_to(const PyUFuncObject *u, PyArray_DTypeMeta *dtype, PyArray_DTypeMeta *const operands[],
                      PyArray_DTypeMeta *promoted[]) {
    for (int j = 0; j < u->nargs; j++) {
        /* NumPy wants to see a change; an output of the dtype already is one when left open. */
        promoted[j] = j >= u->nin && operands[j] == dtype ? NULL : dtype;
        Py_XINCREF((PyObject *)promoted[j]);
    }
}

/* Where NumPy has no dtype for bfloat16 and another, bfloat16 counts as float32. */
static PyArray_Descr *promoted(PyArray_Descr *a, PyArray_Descr *b) {
    PyArray_Descr *descr = PyArray_PromoteTypes(a, b);
    int first = vekt_holds_bfloat16(a), second = vekt_holds_bfloat16(b);
    if (descr || !(first || second)) return descr;
    PyErr_Clear();
    PyArray_Descr *single = PyArray_DescrFromType(NPY_FLOAT);
    descr = PyArray_PromoteTypes(first ? single : a, second ? single : b);
    Py_DECREF((PyObject *)single);
    return descr;
}

PyArray_Descr *vekt_common_descr(PyArrayObject *a, PyArrayObject *b) {
    if (PyArray_TYPE(a) != PyArray_TYPE(b)) return promoted(PyArray_DESCR(a), PyArray_DESCR(b));
    if (!PyArray_ISNOTSWAPPED(a)) return PyArray_DescrNewByteorder(PyArray_DESCR(a), NPY_NATIVE);
    Py_INCREF((PyObject *)PyArray_DESCR(a));
    return PyArray_DESCR(a);
}

PyArray_Descr *vekt_asked_descr(PyObject *asked, PyArrayObject *const array[2]) {
    PyArray_Descr *descr = NULL;
    if (!PyArray_DescrConverter(asked, &descr)) {
        PyErr_Clear();
        return NULL;
    }
    if (PyArray_ISNBO(descr->byteorder) &&
        PyArray_CanCastTypeTo(PyArray_DESCR(array[0]), descr, NPY_SAME_KIND_CASTING) &&
        PyArray_CanCastTypeTo(PyArray_DESCR(array[1]), descr, NPY_SAME_KIND_CASTING))
        return descr;
    Py_DECREF((PyObject *)descr);
    return NULL;
}

/* Integers of one size differ in their names alone. */
static int is_same(int a, int b) {
    const int integers = a >= VEKT_TYPE_I8 && a <= VEKT_TYPE_U64 && b >= VEKT_TYPE_I8 && b <= VEKT_TYPE_U64;
    return a == b || (integers && vekt_connected->type_bytes(a) == vekt_connected->type_bytes(b));
}

static int conversion(PyArrayObject *x, int to) {
    const int from = vekt_memory_type_of(PyArray_DESCR(x));
    const int swapped = PyArray_ISNOTSWAPPED(x) ? 0 : VEKT_SWAPPED;
    if (from < 0 || to < 0) return -1;
    if (!swapped && is_same(from, to)) return 0;
    return 1 + (from | swapped | (PyArray_ISALIGNED(x) ? 0 : VEKT_UNALIGNED));
}

int vekt_conversion_of(PyArrayObject *x, const PyArray_Descr *descr) {
    return conversion(x, vekt_memory_type_of(descr));
}

int vekt_conversion_to(PyArrayObject *x, int type_num) { return conversion(x, vekt_memory_type(type_num)); }
