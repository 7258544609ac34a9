/* dot(a, b, out=None) without a detour through Python or NumPy's dispatcher. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

#include <string.h>

static int check_out(PyObject *out, PyArray_Descr *descr) {
    if (!PyArray_Check(out)) {
        PyErr_Format(PyExc_TypeError, "dot: out must be an array, not %R", (PyObject *)Py_TYPE(out));
        return -1;
    }
    PyArrayObject *array = (PyArrayObject *)out;
    if (PyArray_NDIM(array) != 0 || PyArray_TYPE(array) != descr->type_num || !PyArray_ISCARRAY_RO(array)) {
        PyErr_Format(PyExc_ValueError, "dot: out must be an aligned 0-d array of native %S", (PyObject *)descr);
        return -1;
    }
    return PyArray_FailUnlessWriteable(array, "dot: out");
}

static PyObject *multiply(const vekt_target *target, PyArrayObject *a, PyArrayObject *b, PyArray_Descr *descr,
                          PyObject *out) {
    const uint8_t from[2] = {(uint8_t)vekt_conversion_of(a, descr), (uint8_t)vekt_conversion_of(b, descr)};
    if (out && check_out(out, descr) < 0) return NULL;
    npy_intp n = PyArray_DIM(a, 0);
    int type = vekt_product_type_of(descr), status;
    double result[2]; /* or another type in the first bytes */
    const char *x = PyArray_BYTES(a), *y = PyArray_BYTES(b);
    npy_intp x_step = PyArray_STRIDE(a, 0), y_step = PyArray_STRIDE(b, 0);
    PyThreadState *released = vekt_release_gil(n >= VEKT_RELEASED_ELEMENTS);
    status = vekt_connected->dot(target, type, x, x_step, y, y_step, n, from, result);
    if (vekt_take_gil(released, status) < 0) return NULL;
    if (!out) return PyArray_Scalar(result, descr, NULL);
    memcpy(PyArray_DATA((PyArrayObject *)out), result, (size_t)PyArray_ITEMSIZE((PyArrayObject *)out));
    Py_INCREF(out);
    return out;
}

static PyObject *multiply_vectors(const vekt_target *target, PyArrayObject *a, PyArrayObject *b, PyObject *out) {
    npy_intp n = PyArray_DIM(a, 0), other = PyArray_DIM(b, 0);
    if (n != other) {
        return PyErr_Format(PyExc_ValueError, "dot: shapes (%zd,) and (%zd,) not aligned: %zd (dim 0) != %zd (dim 0)",
                            n, other, n, other);
    }
    PyArray_Descr *descr = vekt_common_descr(a, b);
    if (!descr) return NULL;
    PyObject *result = multiply(target, a, b, descr, out);
    Py_DECREF((PyObject *)descr);
    return result;
}

static PyObject *multiply_others(PyArrayObject *a, PyArrayObject *b, PyObject *out) {
    const int left = PyArray_NDIM(a), right = PyArray_NDIM(b);
    if (!out && left && right && (left == 1 || right <= 2)) { /* the same in both, at once */
        PyObject *operands[] = {(PyObject *)a, (PyObject *)b};
        return vekt_py_matmul(NULL, operands, 2, NULL);
    }
    PyObject *general = vekt_python(VEKT_PY_DOT);
    return general ? PyObject_CallFunctionObjArgs(general, (PyObject *)a, (PyObject *)b, out ? out : Py_None, NULL)
                   : NULL;
}

/* Sets values[0..2] to a, b, out from positional and keyword arguments. */
static int parse(PyObject *const *args, Py_ssize_t n_args, PyObject *names, PyObject *values[3]) {
    static const char *const keywords[] = {"a", "b", "out"};
    Py_ssize_t n_names = names ? PyTuple_Size(names) : 0;
    if (n_args > 3) {
        PyErr_Format(PyExc_TypeError, "dot() takes at most 3 arguments (%zd given)", n_args);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n_args; i++) values[i] = args[i];
    for (Py_ssize_t i = 0; i < n_names; i++) {
        PyObject *name = PyTuple_GetItem(names, i);
        int k = 0;
        while (k < 3 && PyUnicode_CompareWithASCIIString(name, keywords[k])) k++;
        if (k == 3) {
            PyErr_Format(PyExc_TypeError, "dot() got an unexpected keyword argument %R", name);
            return -1;
        }
        if (values[k]) {
            PyErr_Format(PyExc_TypeError, "dot() got multiple values for argument %R", name);
            return -1;
        }
        values[k] = args[n_args + i];
    }
    if (!values[0] || !values[1]) {
        PyErr_Format(PyExc_TypeError, "dot() missing required argument '%s'", keywords[values[0] ? 1 : 0]);
        return -1;
    }
    if (values[2] == Py_None) values[2] = NULL;
    return 0;
}

static int has_kernel(PyArrayObject *array) { return vekt_product_type_of(PyArray_DESCR(array)) >= 0; }

static PyObject *compute(PyObject *self, PyObject *const *args, Py_ssize_t n_args, PyObject *names) {
    PyObject *values[3] = {NULL, NULL, NULL};
    if (parse(args, n_args, names, values) < 0) return NULL;
    const vekt_target *target = vekt_bound_target(self);
    PyArrayObject *a = vekt_plain_array(values[0], "dot", "a");
    PyArrayObject *b = a ? vekt_plain_array(values[1], "dot", "b") : NULL;
    PyObject *result = NULL;
    if (b && !(has_kernel(a) && has_kernel(b))) {
        PyObject *numpys = vekt_python(VEKT_PY_PRODUCT);
        if (numpys) result = PyObject_CallFunction(numpys, "sOOO", "dot", a, b, values[2] ? values[2] : Py_None);
    } else if (b) {
        int vectors = PyArray_NDIM(a) == 1 && PyArray_NDIM(b) == 1;
        result = vectors ? multiply_vectors(target, a, b, values[2]) : multiply_others(a, b, values[2]);
    }
    Py_XDECREF((PyObject *)a);
    Py_XDECREF((PyObject *)b);
    return result;
}

PyObject *vekt_py_dot(PyObject *self, PyObject *const *args, Py_ssize_t n_args, PyObject *names) {
    PyObject *result = compute(self, args, n_args, names);
    if (!vekt_watcher || !result) return result;
    PyObject *name = PyUnicode_FromString("dot");
    if (!name) Py_CLEAR(result);
    if (name) result = vekt_tell(name, args, n_args, names, result);
    Py_XDECREF(name);
    return result;
}
