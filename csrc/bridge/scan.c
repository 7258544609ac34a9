/* Running sums and products of NumPy arrays; vekt.reductions knows what they are called, and leaves the rest to
 * NumPy.
 */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "broadcast.h"
#include "engine/iterate.h"

/* Can the results be written to this array as they are formed? */
static int fits(PyArrayObject *out, PyArrayObject *x, PyArray_Descr *result) {
    return PyArray_CheckExact((PyObject *)out) && PyArray_ISWRITEABLE(out) && PyArray_SAMESHAPE(out, x) &&
           PyArray_EquivTypes(PyArray_DESCR(out), result) && !PyArray_ISBYTESWAPPED(out);
}

/* The one axis, or -1: NumPy is to see it; -2: an error. */
static int one_axis(PyObject *axis, int ndim) {
    int marks[VEKT_MAX_DIMS], found = -1;
    if (PyTuple_Check(axis) || PyBool_Check(axis)) return -1;
    if (vekt_mark_axes(axis, ndim, marks) < 0) return -2;
    for (int i = 0; i < ndim; i++) {
        if (marks[i] && found >= 0) return -1;
        if (marks[i]) found = i;
    }
    return found;
}

static PyObject *scan(const vekt_target *target, int op, PyArrayObject *x, int axis, PyArray_Descr *result,
                      vekt_scan_call *call, PyObject *given, int is_complex) {
    const int ndim = PyArray_NDIM(x);
    PyArrayObject *out = (PyArrayObject *)given;
    if (given != Py_None) {
        if (!PyArray_Check(given) || !fits(out, x, result)) Py_RETURN_NOTIMPLEMENTED;
        Py_INCREF(given);
    } else {
        ptrdiff_t step[1][VEKT_MAX_DIMS];
        for (int i = 0; i < ndim; i++) step[0][i] = PyArray_DIM(x, i) == 1 ? 0 : PyArray_STRIDE(x, i);
        out = vekt_new_in_order(result, ndim, PyArray_DIMS(x), 1, (const ptrdiff_t (*)[VEKT_MAX_DIMS])step);
        if (!out) return NULL;
    }
    vekt_dim dims[VEKT_MAX_DIMS + 1];
    int n = 0;
    for (int i = 0; i < ndim; i++) {
        if (i != axis) dims[n++] = (vekt_dim){PyArray_DIM(x, i), {PyArray_STRIDE(x, i), 0, PyArray_STRIDE(out, i)}};
    }
    if (is_complex) { /* whose parts are lines of their own */
        const npy_intp part = call->type == VEKT_TYPE_F32 ? 4 : 8;
        dims[n++] = (vekt_dim){2, {part, 0, part}};
    }
    dims[n] = (vekt_dim){PyArray_DIM(x, axis), {PyArray_STRIDE(x, axis), 0, PyArray_STRIDE(out, axis)}};
    call->op = op, call->dims = dims, call->n_outer = n;
    call->x = PyArray_BYTES(x), call->out = PyArray_BYTES(out);
    PyThreadState *released = vekt_release_gil(PyArray_SIZE(x) >= VEKT_RELEASED_ELEMENTS);
    vekt_connected->scan(target, call);
    if (vekt_take_gil(released, 0) == 0) return (PyObject *)out;
    Py_DECREF((PyObject *)out);
    return NULL;
}

PyObject *vekt_py_scan(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    if (n_args != 5) return PyErr_Format(PyExc_TypeError, "scan() takes 5 arguments (%zd given)", n_args);
    const int op = (int)PyLong_AsLong(args[0]);
    if (PyErr_Occurred()) return NULL;
    if (!PyArray_CheckExact(args[1]) || op < 0 || op >= VEKT_N_SCAN_OPS)
        return PyErr_Format(PyExc_TypeError, "scan: expected an operation and an ndarray");
    PyArrayObject *x = (PyArrayObject *)args[1], *copy = NULL;
    PyArray_Descr *asked = NULL, *result = NULL, *descr = PyArray_DESCR(x);
    if (PyArray_SIZE(x) == 0 || PyArray_NDIM(x) == 0) Py_RETURN_NOTIMPLEMENTED;
    const int axis = one_axis(args[2], PyArray_NDIM(x));
    if (axis == -2 || (args[3] != Py_None && !PyArray_DescrConverter(args[3], &asked))) return NULL;
    const int is_complex = op == VEKT_SCAN_SUM && (descr->type_num == NPY_CFLOAT || descr->type_num == NPY_CDOUBLE);
    PyObject *made = NULL;
    int theirs = 1; /* NumPy's */
    if (axis >= 0) {
        PyArray_Descr *native = PyArray_DescrNewByteorder(descr, NPY_NATIVE);
        vekt_scan_call call = {0};
        int chosen = native ? vekt_choose_sum(native, asked, 0, &result, &call.type, &call.out_type) : 0;
        if (chosen && is_complex == (native->type_num == NPY_CFLOAT || native->type_num == NPY_CDOUBLE)) {
            if (!PyArray_ISNBO(descr->byteorder)) {
                Py_INCREF((PyObject *)native);
                x = copy = (PyArrayObject *)PyArray_FromArray(x, native, NPY_ARRAY_FORCECAST);
            }
            theirs = 0;
            made = x ? scan(vekt_bound_target(self), op, x, axis, result, &call, args[4], is_complex) : NULL;
        }
        if (!native) theirs = 0;
        Py_XDECREF((PyObject *)native);
    }
    if (theirs) {
        made = Py_NotImplemented;
        Py_INCREF(made);
    }
    Py_XDECREF((PyObject *)copy);
    Py_XDECREF((PyObject *)asked);
    Py_XDECREF((PyObject *)result);
    return made;
}
