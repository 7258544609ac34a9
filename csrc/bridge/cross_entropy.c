/* softmax_cross_entropy on arrays that vekt.losses has brought to one dtype, classes along the last axis. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

#include <string.h>

/* An operand with as many dimensions as x or one less, of x's shape there; -1 with an error for all else. */
static int set_operand(vekt_rows_call *c, int k, PyObject *object, int type, PyArrayObject *x, int ndim) {
    PyArrayObject *a = (PyArrayObject *)object;
    if (!PyArray_Check(object) || PyArray_NDIM(a) != ndim || PyArray_DESCR(a)->type_num != type ||
        !PyArray_ISNOTSWAPPED(a) || !PyArray_CompareLists(PyArray_DIMS(a), PyArray_DIMS(x), ndim)) {
        PyErr_Format(PyExc_TypeError, "cross_entropy: operand %d is of another dtype or shape than x wants", k);
        return -1;
    }
    const int is_result = k == VEKT_ROWS_SCALAR || k == VEKT_ROWS_OUT;
    if (is_result && PyArray_FailUnlessWriteable(a, "out") < 0) return -1;
    c->data[k] = PyArray_BYTES(a);
    for (int i = 0; i < ndim; i++) c->steps[k][i] = PyArray_STRIDE(a, i);
    return 0;
}

/* Labels are contiguous; -1 with an error where one is no class. */
static int check_labels(PyArrayObject *labels, npy_intp n, int may_ignore) {
    typedef npy_int64 npy_int64_anywhere __attribute__((aligned(1)));
    const npy_int64_anywhere *label = PyArray_DATA(labels);
    const npy_intp count = PyArray_SIZE(labels);
    const npy_int64 least = may_ignore ? -1 : 0;
    int wrong = 0;
    for (npy_intp i = 0; i < count; i++) wrong |= label[i] < least || label[i] >= n;
    for (npy_intp i = 0; wrong && i < count; i++) {
        if (label[i] >= least && label[i] < n) continue;
        PyErr_Format(PyExc_ValueError,
                     "softmax_cross_entropy: label %lld (number %zd) is not a class: expected 0 to %zd",
                     (long long)label[i], (Py_ssize_t)i, (Py_ssize_t)(n - 1));
        return -1;
    }
    return 0;
}

PyObject *vekt_py_cross_entropy(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    if (n_args != 8 || !PyArray_Check(args[0]) || PyArray_NDIM((PyArrayObject *)args[0]) < 1)
        return PyErr_Format(PyExc_TypeError, "cross_entropy: expected an array and seven more arguments");
    PyArrayObject *x = (PyArrayObject *)args[0];
    const int ndim = PyArray_NDIM(x), type = PyArray_DESCR(x)->type_num;
    const npy_intp n = PyArray_DIM(x, ndim - 1);
    vekt_rows_call c;
    memset(&c, 0, sizeof c);
    c.op = VEKT_CROSS_ENTROPY;
    if (!vekt_float_of(PyArray_DESCR(x), &c.dtype, &c.format))
        return PyErr_Format(PyExc_TypeError, "cross_entropy: x has dtype %S", (PyObject *)PyArray_DESCR(x));
    c.n_outer = ndim - 1;
    c.n_inner = 1;
    for (int i = 0; i < ndim; i++) c.shape[i] = PyArray_DIM(x, i);
    const int has_labels = PyArray_Check(args[1]) && PyArray_NDIM((PyArrayObject *)args[1]) == ndim - 1;
    c.on_label = PyFloat_AsDouble(args[3]);
    c.everywhere = PyFloat_AsDouble(args[4]);
    const int may_ignore = PyObject_IsTrue(args[7]);
    if (may_ignore < 0 || PyErr_Occurred()) return NULL;
    if (set_operand(&c, VEKT_ROWS_X, args[0], type, x, ndim) < 0) return NULL;
    if (has_labels) {
        if (set_operand(&c, VEKT_ROWS_LABEL, args[1], NPY_INT64, x, ndim - 1) < 0) return NULL;
        if (!PyArray_IS_C_CONTIGUOUS((PyArrayObject *)args[1]))
            return PyErr_Format(PyExc_TypeError, "cross_entropy: labels must be contiguous");
        if (check_labels((PyArrayObject *)args[1], n, may_ignore) < 0) return NULL;
    } else if (set_operand(&c, VEKT_ROWS_Y, args[1], type, x, ndim) < 0) {
        return NULL;
    }
    if (set_operand(&c, VEKT_ROWS_FACTOR, args[2], NPY_DOUBLE, x, ndim - 1) < 0) return NULL;
    if (set_operand(&c, VEKT_ROWS_SCALAR, args[5], type, x, ndim - 1) < 0) return NULL;
    if (args[6] != Py_None && set_operand(&c, VEKT_ROWS_OUT, args[6], type, x, ndim) < 0) return NULL;
    if (c.dtype == VEKT_F32 && n > INT32_MAX)
        return PyErr_Format(PyExc_ValueError, "softmax_cross_entropy: 2**31 classes and more want float64");

    const vekt_target *target = vekt_bound_target(self);
    PyThreadState *released = vekt_release_gil(PyArray_SIZE(x) >= VEKT_RELEASED_ROWS);
    if (vekt_take_gil(released, vekt_connected->rows(target, &c)) < 0) return NULL;
    Py_RETURN_NONE;
}
