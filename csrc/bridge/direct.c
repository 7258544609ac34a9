/* Calls of functions whose kernel takes the operands as they are, without NumPy's machinery, which would make an
 * array of each number first, or of each half.  The bits are those of the ufunc: it comes to the same kernel. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "broadcast.h"

#include <float.h>
#include <math.h>

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
    return vekt_new_array(PyArray_DescrFromType(PyArray_TYPE(a)), PyArray_NDIM(a), PyArray_DIMS(a), NULL);
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
    PyThreadState *released = vekt_release_gil(n >= VEKT_RELEASED_ELEMENTS);
    vekt_connected->elementwise(target, kernel, VEKT_NATIVE, 0, at, step, n);
    if (vekt_take_gil(released, 0) == 0) return results;
    Py_DECREF(results);
    return NULL;
}

/* ---- halves ---- */

/* Along an axis of a plain array: so many stretches of elements, one after another, make up the halves by turns. */
typedef struct {
    npy_intp outer, run;
    npy_intp shape[VEKT_MAX_DIMS]; /* of a half */
} split;

static int split_along(PyArrayObject *x, long axis, split *s) {
    const int ndim = PyArray_NDIM(x);
    if (axis < 0) axis += ndim;
    if (axis < 0 || axis >= ndim || ndim > VEKT_MAX_DIMS || PyArray_DIM(x, (int)axis) % 2) return 0;
    s->outer = s->run = 1;
    for (int d = 0; d < ndim; d++) {
        s->shape[d] = PyArray_DIM(x, d) / (d == axis ? 2 : 1);
        *(d < axis ? &s->outer : &s->run) *= s->shape[d];
    }
    return 1;
}

/* The results of a kernel, where there are two as the halves of one array, for operands in the shape of a half and
 * the halves of x.  Rows of many elements go to threads, as one; many rows do not, and are left to the ufunc. */
PyObject *vekt_py_call_halves(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    const vekt_target *target;
    int n_params;
    split s;
    char *at[VEKT_MAX_ARGS];
    npy_intp step[VEKT_MAX_ARGS];
    const Py_ssize_t others = n_args - 3;
    (void)self;
    if (others < 0) return PyErr_Format(PyExc_TypeError, "call_halves: a ufunc, an axis and operands expected");
    if (!is_plain(args[n_args - 1], NULL) || !PyLong_CheckExact(args[1])) Py_RETURN_NOTIMPLEMENTED;
    PyArrayObject *x = (PyArrayObject *)args[n_args - 1];
    const long axis = PyLong_AsLong(args[1]);
    if (axis == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    const vekt_kernel *kernel = vekt_kernel_of(args[0], PyArray_TYPE(x), &target, &n_params);
    if (!kernel || kernel->nin != others + 2 || kernel->nout > 2 || !split_along(x, axis, &s))
        Py_RETURN_NOTIMPLEMENTED;
    const npy_intp item = PyArray_ITEMSIZE(x), row = s.run * item;
    if (s.outer > 1 && s.outer * s.run >= VEKT_RELEASED_ELEMENTS) Py_RETURN_NOTIMPLEMENTED;
    for (Py_ssize_t j = 0; j < others; j++) {
        PyArrayObject *a = (PyArrayObject *)args[2 + j];
        if (!is_plain(args[2 + j], NULL) || PyArray_TYPE(a) != PyArray_TYPE(x) ||
            PyArray_NDIM(a) != PyArray_NDIM(x) || !PyArray_CompareLists(PyArray_DIMS(a), s.shape, PyArray_NDIM(x)))
            Py_RETURN_NOTIMPLEMENTED;
        at[j] = PyArray_BYTES(a);
        step[j] = row;
    }
    const int whole = kernel->nout == 2, first = kernel->nin;
    PyObject *result =
        whole ? new_like(x) : vekt_new_array(PyArray_DescrFromType(PyArray_TYPE(x)), PyArray_NDIM(x), s.shape, NULL);
    if (!result || s.outer * s.run == 0) return result;
    at[others] = PyArray_BYTES(x), at[others + 1] = at[others] + row;
    step[others] = step[others + 1] = 2 * row;
    for (int j = 0; j < kernel->nout; j++) {
        at[first + j] = PyArray_BYTES((PyArrayObject *)result) + j * row;
        step[first + j] = (1 + whole) * row;
    }
    npy_intp steps[VEKT_MAX_ARGS];
    for (int j = 0; j < first + kernel->nout; j++) steps[j] = item;
    PyThreadState *released = vekt_release_gil(s.run >= VEKT_RELEASED_ELEMENTS);
    for (npy_intp i = 0; i < s.outer; i++) {
        vekt_connected->elementwise(target, kernel, VEKT_NATIVE, 0, at, steps, s.run);
        for (int j = 0; j < first + kernel->nout; j++) at[j] += step[j];
    }
    if (vekt_take_gil(released, 0) == 0) return result;
    Py_DECREF(result);
    return NULL;
}
