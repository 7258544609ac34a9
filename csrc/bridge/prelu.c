/* prelu and prelu_backward on contiguous arrays; vekt.gates._prelu brings all others to that form. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

typedef struct {
    const vekt_target *target;
    vekt_prelu_shape shape;
    npy_intp n;
    int type; /* NPY_FLOAT or NPY_DOUBLE, of every array but the sums */
} call;

/* The target's address first, the three lengths last, n_arrays between them. */
static int parse(PyObject *const *args, Py_ssize_t n_args, int n_arrays, call *c) {
    if (n_args != n_arrays + 4) {
        PyErr_Format(PyExc_TypeError, "prelu: expected %d arguments, got %zd", n_arrays + 4, n_args);
        return -1;
    }
    c->target = vekt_target_of(args[0]);
    c->shape.outer = PyLong_AsSsize_t(args[n_arrays + 1]);
    c->shape.period = PyLong_AsSsize_t(args[n_arrays + 2]);
    c->shape.inner = PyLong_AsSsize_t(args[n_arrays + 3]);
    if (PyErr_Occurred()) return -1;
    c->n = c->shape.outer * c->shape.period * c->shape.inner;
    c->type = -1;
    return 0;
}

/* The memory of an array as the drivers want it: of that many elements, contiguous, aligned, native, of *type, which
 * is set where it is -1.  NULL with an error for everything else. */
static void *memory_of(PyObject *object, const char *name, int *type, npy_intp size, int written) {
    if (!PyArray_Check(object)) {
        PyErr_Format(PyExc_TypeError, "prelu: %s must be an array, not %R", name, (PyObject *)Py_TYPE(object));
        return NULL;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    if (*type < 0) *type = PyArray_TYPE(array);
    if (PyArray_TYPE(array) != *type || (*type != NPY_FLOAT && *type != NPY_DOUBLE)) {
        PyErr_Format(PyExc_TypeError, "prelu: %s is of another dtype, %S", name, (PyObject *)PyArray_DESCR(array));
        return NULL;
    }
    if (!PyArray_ISCARRAY_RO(array) || PyArray_SIZE(array) != size) {
        PyErr_Format(PyExc_ValueError, "prelu: %s is not a contiguous array of %zd elements", name, size);
        return NULL;
    }
    if (written && PyArray_FailUnlessWriteable(array, name) < 0) return NULL;
    return PyArray_DATA(array);
}

static PyObject *finish(PyThreadState *released, int status) {
    if (vekt_take_gil(released, status) < 0) return NULL;
    Py_RETURN_NONE;
}

PyObject *vekt_py_prelu(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    call c;
    (void)self;
    if (parse(args, n_args, 3, &c) < 0) return NULL;
    const void *x = memory_of(args[1], "x", &c.type, c.n, 0);
    const void *alpha = x ? memory_of(args[2], "alpha", &c.type, c.shape.period, 0) : NULL;
    void *y = alpha ? memory_of(args[3], "out", &c.type, c.n, 1) : NULL;
    if (!y) return NULL;
    PyThreadState *released = vekt_release_gil(c.n >= VEKT_RELEASED_ELEMENTS);
    int status = vekt_connected->prelu(c.target, vekt_dtype_of(c.type), &c.shape, x, alpha, y);
    return finish(released, status);
}

PyObject *vekt_py_prelu_backward(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    call c;
    int sums_type = -1;
    (void)self;
    if (parse(args, n_args, 5, &c) < 0) return NULL;
    const void *dy = memory_of(args[1], "dy", &c.type, c.n, 0);
    const void *x = dy ? memory_of(args[2], "x", &c.type, c.n, 0) : NULL;
    const void *alpha = x ? memory_of(args[3], "alpha", &c.type, c.shape.period, 0) : NULL;
    void *dx = alpha ? memory_of(args[4], "dx", &c.type, c.n, 1) : NULL;
    void *sums = dx ? memory_of(args[5], "dalpha", &sums_type, c.shape.period, 1) : NULL;
    if (!sums) return NULL;
    PyThreadState *released = vekt_release_gil(c.n >= VEKT_RELEASED_ELEMENTS);
    int status = vekt_connected->prelu_backward(c.target, vekt_dtype_of(c.type), &c.shape, dy, x, alpha, dx,
                                                vekt_dtype_of(sums_type), sums);
    return finish(released, status);
}
