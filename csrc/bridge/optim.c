/* Steps of optimisers on arrays that vekt.optim has checked. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

#include <string.h>

/* The memory of an array that lies in memory as p does; NULL, with an error unless it is None. */
static void *memory_like(PyArrayObject *p, PyObject *object, int writes) {
    if (object == Py_None) return NULL;
    PyArrayObject *a = (PyArrayObject *)object;
    const int n = PyArray_Check(object) ? PyArray_NDIM(a) : -1;
    int same = n == PyArray_NDIM(p) && PyArray_CompareLists(PyArray_DIMS(a), PyArray_DIMS(p), n) &&
               PyArray_DESCR(a)->type_num == PyArray_DESCR(p)->type_num && PyArray_ISNOTSWAPPED(a) &&
               (!writes || PyArray_ISWRITEABLE(a));
    same = same && ((PyArray_IS_C_CONTIGUOUS(a) && PyArray_IS_C_CONTIGUOUS(p)) ||
                    (PyArray_IS_F_CONTIGUOUS(a) && PyArray_IS_F_CONTIGUOUS(p)));
    if (same) return PyArray_DATA(a);
    PyErr_Format(PyExc_TypeError, "optim_step: arrays must have one dtype, shape and contiguous layout");
    return NULL;
}

PyObject *vekt_py_optim_step(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    if (n_args != 6 || !PyArray_Check(args[1]) || !PyTuple_Check(args[5]) ||
        PyTuple_Size(args[5]) > VEKT_OPTIM_NUMBERS)
        return PyErr_Format(PyExc_TypeError, "optim_step: expected a kind, four arrays and a tuple");
    PyArrayObject *p = (PyArrayObject *)args[1];
    const long kind = PyLong_AsLong(args[0]);
    const int type = PyArray_DESCR(p)->type_num;
    vekt_optim_call call;
    memset(&call, 0, sizeof call);
    for (Py_ssize_t i = 0; i < PyTuple_Size(args[5]); i++)
        call.numbers[i] = PyFloat_AsDouble(PyTuple_GetItem(args[5], i));
    call.p = memory_like(p, args[1], 1);
    call.g = memory_like(p, args[2], 0);
    call.m = memory_like(p, args[3], 1);
    call.v = memory_like(p, args[4], 1);
    if (PyErr_Occurred()) return NULL;
    if (kind < 0 || kind >= VEKT_N_OPTIMS || !call.g || (type != NPY_FLOAT && type != NPY_DOUBLE))
        return PyErr_Format(PyExc_TypeError, "optim_step: no such kind, or not float32 or float64");
    call.kind = (int)kind;
    const vekt_target *target = vekt_bound_target(self);
    const int dtype = vekt_dtype_of(type);
    const npy_intp n = PyArray_SIZE(p);
    PyThreadState *released = vekt_release_gil(n >= VEKT_RELEASED_ELEMENTS);
    vekt_connected->optim_step(target, dtype, &call, n);
    if (vekt_take_gil(released, 0) < 0) return NULL;
    Py_RETURN_NONE;
}
