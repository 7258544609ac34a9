/* dot(a, b, out=None) without a detour through Python or NumPy's dispatcher. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "_bridge.h"

#include <string.h>

const char vekt_dot_doc[] =
    "dot($module, a, b, out=None)\n"
    "--\n"
    "\n"
    "Dot product of two vectors, `sum(a[i] * b[i])`.\n"
    "\n"
    "Parameters\n"
    "----------\n"
    "a, b : array_like\n"
    "    Vectors of equal length, float32 or float64; of any stride, byte order and alignment.\n"
    "    Where the dtypes differ, both are taken as float64.\n"
    "out : ndarray, optional\n"
    "    0-d array of the result's dtype, which receives the result.\n"
    "\n"
    "Returns\n"
    "-------\n"
    "float32 or float64\n"
    "    The sum, as a NumPy scalar; or `out`.\n"
    "\n"
    "Raises\n"
    "------\n"
    "ValueError\n"
    "    If `a` or `b` is not 1-D, if their lengths differ, or if `out` does not fit.\n"
    "TypeError\n"
    "    If `a` or `b` is of another dtype, or of a type with its own array functions, such as a\n"
    "    Dask array.\n"
    "\n"
    "Notes\n"
    "-----\n"
    "Blocks of 16384 products are summed in the precision of the operands, the blocks' sums pairwise\n"
    "in double.  The order depends on the length alone, so the bits are the same for any number of\n"
    "threads and any layout in memory.\n"
    "\n"
    "Examples\n"
    "--------\n"
    ">>> import numpy as np\n"
    ">>> import vekt as vk\n"
    ">>> float(vk.dot(np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])))\n"
    "32.0\n";

/* Releasing the GIL costs more than it gives below this many elements. */
enum { RELEASED_ELEMENTS = 16384 };

/* 1-D array of a floating dtype from anything; new reference. */
static PyArrayObject *as_vector(PyObject *object, const char *name) {
    if (PyArray_Check(object)) {
        Py_INCREF(object);
    } else {
        if (PyObject_HasAttrString(object, "__array_function__")) {
            PyErr_Format(PyExc_TypeError,
                         "dot: %s is of a type with its own array functions (%R); "
                         "convert it to a numpy.ndarray first",
                         name, (PyObject *)Py_TYPE(object));
            return NULL;
        }
        object = PyArray_FromAny(object, NULL, 0, 0, 0, NULL);
        if (!object) return NULL;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    int type = PyArray_TYPE(array);
    if (type != NPY_FLOAT && type != NPY_DOUBLE) {
        PyErr_Format(PyExc_TypeError, "dot: %s must be float32 or float64, not %S", name,
                     (PyObject *)PyArray_DESCR(array));
        Py_DECREF(object);
        return NULL;
    }
    if (PyArray_NDIM(array) != 1) {
        PyObject *shape = PyObject_GetAttrString(object, "shape");
        if (shape) {
            PyErr_Format(PyExc_ValueError, "dot: %s must be 1-D, but has shape %S", name, shape);
        }
        Py_XDECREF(shape);
        Py_DECREF(object);
        return NULL;
    }
    return array;
}

/* Replaces *array by a copy where its dtype or byte order is another. */
static int convert(PyArrayObject **array, int type) {
    if (PyArray_TYPE(*array) == type && PyArray_ISNOTSWAPPED(*array)) return 0;
    PyObject *converted = PyArray_FromArray(*array, PyArray_DescrFromType(type), NPY_ARRAY_NOTSWAPPED);
    if (!converted) return -1;
    Py_DECREF((PyObject *)*array);
    *array = (PyArrayObject *)converted;
    return 0;
}

static int check_out(PyObject *out, int type) {
    if (!PyArray_Check(out)) {
        PyErr_Format(PyExc_TypeError, "dot: out must be an array, not %R", (PyObject *)Py_TYPE(out));
        return -1;
    }
    PyArrayObject *array = (PyArrayObject *)out;
    if (PyArray_NDIM(array) != 0 || PyArray_TYPE(array) != type || !PyArray_ISCARRAY_RO(array)) {
        PyErr_Format(PyExc_ValueError, "dot: out must be an aligned 0-d array of native %s",
                     type == NPY_FLOAT ? "float32" : "float64");
        return -1;
    }
    return PyArray_FailUnlessWriteable(array, "dot: out");
}

static PyObject *multiply(const vekt_target *target, PyArrayObject **a, PyArrayObject **b, PyObject *out) {
    npy_intp n = PyArray_DIM(*a, 0);
    if (n != PyArray_DIM(*b, 0)) {
        return PyErr_Format(PyExc_ValueError, "dot: shapes (%zd,) and (%zd,) not aligned: %zd (dim 0) != %zd (dim 0)",
                            n, PyArray_DIM(*b, 0), n, PyArray_DIM(*b, 0));
    }
    int single = PyArray_TYPE(*a) == NPY_FLOAT && PyArray_TYPE(*b) == NPY_FLOAT;
    int type = single ? NPY_FLOAT : NPY_DOUBLE;
    if (convert(a, type) < 0 || convert(b, type) < 0) return NULL;
    if (out && check_out(out, type) < 0) return NULL;

    int dtype = single ? VEKT_F32 : VEKT_F64, status;
    double result; /* or the float in its first bytes */
    const char *x = PyArray_BYTES(*a), *y = PyArray_BYTES(*b);
    npy_intp x_step = PyArray_STRIDE(*a, 0), y_step = PyArray_STRIDE(*b, 0);
    if (n < RELEASED_ELEMENTS) {
        status = vekt_connected->dot(target, dtype, x, x_step, y, y_step, n, &result);
    } else {
        Py_BEGIN_ALLOW_THREADS status = vekt_connected->dot(target, dtype, x, x_step, y, y_step, n, &result);
        Py_END_ALLOW_THREADS
    }
    if (status < 0) return PyErr_NoMemory();
    if (!out) return PyArray_Scalar(&result, PyArray_DESCR(*a), NULL);
    memcpy(PyArray_DATA((PyArrayObject *)out), &result, single ? 4 : 8);
    Py_INCREF(out);
    return out;
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

PyObject *vekt_py_dot(PyObject *self, PyObject *const *args, Py_ssize_t n_args, PyObject *names) {
    PyObject *values[3] = {NULL, NULL, NULL};
    if (parse(args, n_args, names, values) < 0) return NULL;
    const vekt_target *target = PyCapsule_CheckExact(self) ? PyCapsule_GetPointer(self, NULL) : vekt_selected;
    PyArrayObject *a = as_vector(values[0], "a");
    if (!a) return NULL;
    PyArrayObject *b = as_vector(values[1], "b");
    PyObject *result = b ? multiply(target, &a, &b, values[2]) : NULL;
    Py_DECREF((PyObject *)a);
    Py_XDECREF((PyObject *)b);
    return result;
}
