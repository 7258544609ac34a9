/* The outer product of two vectors without a detour; vekt.linalg takes what is not for it elsewhere. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

/* A vector, or an array whose elements are one in the order of ravel; native, of this type. */
static int fits(PyObject *object, int type) {
    if (!PyArray_CheckExact(object)) return 0;
    PyArrayObject *a = (PyArrayObject *)object;
    return PyArray_TYPE(a) == type && PyArray_ISNOTSWAPPED(a) && (PyArray_NDIM(a) == 1 || PyArray_IS_C_CONTIGUOUS(a));
}

static int out_fits(PyObject *object, PyArrayObject *a, PyArrayObject *b) {
    if (!fits(object, PyArray_TYPE(a))) return 0;
    PyArrayObject *out = (PyArrayObject *)object;
    return PyArray_NDIM(out) == 2 && PyArray_IS_C_CONTIGUOUS(out) && PyArray_ISWRITEABLE(out) &&
           PyArray_DIM(out, 0) == PyArray_SIZE(a) && PyArray_DIM(out, 1) == PyArray_SIZE(b) &&
           !vekt_may_overlap(out, a) && !vekt_may_overlap(out, b);
}

PyObject *vekt_py_outer(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    if (n_args != 3) return PyErr_Format(PyExc_TypeError, "outer() takes 3 arguments (%zd given)", n_args);
    if (!PyArray_CheckExact(args[0])) Py_RETURN_NOTIMPLEMENTED;
    const int type = PyArray_TYPE((PyArrayObject *)args[0]);
    if ((type != NPY_FLOAT && type != NPY_DOUBLE) || !fits(args[0], type) || !fits(args[1], type))
        Py_RETURN_NOTIMPLEMENTED;
    PyArrayObject *a = (PyArrayObject *)args[0], *b = (PyArrayObject *)args[1];
    const npy_intp shape[2] = {PyArray_SIZE(a), PyArray_SIZE(b)}, item = PyArray_ITEMSIZE(a);
    if (shape[1] > 1 && PyArray_NDIM(b) == 1 && PyArray_STRIDE(b, 0) != item) Py_RETURN_NOTIMPLEMENTED;
    PyObject *out = args[2];
    if (out == Py_None) {
        out = vekt_new_array(PyArray_DescrFromType(type), 2, shape, NULL);
        if (!out) return NULL;
    } else {
        if (!out_fits(out, a, b)) Py_RETURN_NOTIMPLEMENTED;
        Py_INCREF(out);
    }
    const vekt_target *target = vekt_bound_target(self);
    const int dtype = vekt_dtype_of(type);
    const npy_intp step = PyArray_NDIM(a) == 1 ? PyArray_STRIDE(a, 0) : item;
    const void *x = PyArray_DATA(a), *y = PyArray_DATA(b);
    void *c = PyArray_DATA((PyArrayObject *)out);
    PyThreadState *released = vekt_release_gil(shape[0] * shape[1] >= VEKT_RELEASED_ELEMENTS);
    vekt_connected->outer(target, dtype, x, step, shape[0], y, shape[1], c);
    if (vekt_take_gil(released, 0) == 0) return out;
    Py_DECREF(out);
    return NULL;
}
