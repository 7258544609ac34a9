/* Calls of a function with parameters that its kernel takes as they are, without NumPy's machinery, which would make
 * an array of each number first.  The bits are those of the ufunc: it comes to the same kernel. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

#include <float.h>
#include <math.h>

/* Releasing the GIL costs more than it gives below this many elements. */
enum { RELEASED_ELEMENTS = 16384 };

/* Integers up to this one are exact in float32. */
enum { EXACT_INTEGER = 1 << 24 };

typedef union {
    float single;
    double twice;
} number;

/* An array that the kernel reads in place; its dtype is that of `like`, if given, and its shape too. */
static int is_plain(PyObject *object, PyArrayObject *like) {
    if (!PyArray_CheckExact(object)) return 0;
    PyArrayObject *a = (PyArrayObject *)object;
    const int type = PyArray_TYPE(a), ndim = PyArray_NDIM(a);
    if ((type != NPY_FLOAT && type != NPY_DOUBLE) || ndim == 0) return 0;
    if (!PyArray_IS_C_CONTIGUOUS(a) || !PyArray_ISALIGNED(a) || !PyArray_ISNOTSWAPPED(a)) return 0;
    if (!like || like == a) return 1;
    return type == PyArray_TYPE(like) && ndim == PyArray_NDIM(like) &&
           PyArray_CompareLists(PyArray_DIMS(a), PyArray_DIMS(like), ndim);
}

/* One of Python's numbers in the arrays' dtype; 0 where the conversion would be NumPy's business: to a warning, an
 * error or a subnormal. */
static int take_number(PyObject *object, int type, number *taken) {
    double value;
    if (PyFloat_CheckExact(object)) {
        value = PyFloat_AsDouble(object);
    } else if (PyLong_CheckExact(object)) {
        int overflow;
        const long long whole = PyLong_AsLongLongAndOverflow(object, &overflow);
        if (overflow || whole > EXACT_INTEGER || whole < -EXACT_INTEGER) return 0;
        value = (double)whole;
    } else {
        return 0;
    }
    if (type == NPY_DOUBLE) {
        taken->twice = value;
        return 1;
    }
    const double size = fabs(value);
    if (!(size <= (double)FLT_MAX ? size == 0 || size >= (double)FLT_MIN : isinf(value))) return 0;
    taken->single = (float)value;
    return 1;
}

static PyObject *new_like(PyArrayObject *a) {
    return PyArray_SimpleNew(PyArray_NDIM(a), PyArray_DIMS(a), PyArray_TYPE(a));
}

static PyObject *results_like(PyArrayObject *a, int nout) {
    if (nout == 1) return new_like(a);
    PyObject *results = PyTuple_New(nout);
    for (int j = 0; j < nout && results; j++) {
        PyObject *array = new_like(a);
        if (!array)
            Py_CLEAR(results);
        else
            PyTuple_SetItem(results, j, array);
    }
    return results;
}

PyObject *vekt_call_direct(PyObject *ufunc, PyObject *const *args) {
    if (!is_plain(args[0], NULL)) Py_RETURN_NOTIMPLEMENTED;
    PyArrayObject *first = (PyArrayObject *)args[0];
    const int type = PyArray_TYPE(first);
    const vekt_target *target;
    int n_params;
    const vekt_kernel *kernel = vekt_kernel_of(ufunc, type, &target, &n_params);
    if (!kernel) Py_RETURN_NOTIMPLEMENTED;

    number numbers[VEKT_MAX_ARGS];
    char *at[VEKT_MAX_ARGS];
    npy_intp step[VEKT_MAX_ARGS];
    const npy_intp item = PyArray_ITEMSIZE(first), n = PyArray_SIZE(first);
    for (int j = 0; j < kernel->nin; j++) {
        step[j] = item;
        if (is_plain(args[j], first)) {
            at[j] = PyArray_BYTES((PyArrayObject *)args[j]);
        } else if (j >= kernel->nin - n_params && take_number(args[j], type, &numbers[j])) {
            at[j] = (char *)&numbers[j];
            step[j] = 0;
        } else {
            Py_RETURN_NOTIMPLEMENTED;
        }
    }
    PyObject *results = results_like(first, kernel->nout);
    for (int j = 0; j < kernel->nout && results; j++) {
        PyObject *array = kernel->nout == 1 ? results : PyTuple_GetItem(results, j);
        at[kernel->nin + j] = PyArray_BYTES((PyArrayObject *)array);
        step[kernel->nin + j] = item;
    }
    if (!results || n == 0) return results;
    PyThreadState *released = vekt_release_gil(n >= RELEASED_ELEMENTS);
    vekt_connected->elementwise(target, kernel, VEKT_NATIVE, 0, at, step, n);
    if (vekt_take_gil(released, 0) == 0) return results;
    Py_DECREF(results);
    return NULL;
}
