/* Copies of arrays of any layout to contiguous ones; vekt.linalg makes the array that is copied to. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

/* Releasing the GIL costs more than it gives below this many bytes. */
enum { RELEASED_BYTES = 1 << 16 };

PyObject *vekt_py_transpose_copy(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    if (n_args != 2 || !PyArray_Check(args[0]) || (args[1] != Py_None && !PyArray_Check(args[1])))
        return PyErr_Format(PyExc_TypeError, "transpose_copy: expected two arrays");
    PyArrayObject *source = (PyArrayObject *)args[0], *copy = (PyArrayObject *)args[1];
    const int n = PyArray_NDIM(source);
    if (PyDataType_REFCHK(PyArray_DESCR(source))) Py_RETURN_NOTIMPLEMENTED;
    if (args[1] != Py_None) {
        Py_INCREF(args[1]);
    } else {
        Py_INCREF((PyObject *)PyArray_DESCR(source));
        copy = (PyArrayObject *)vekt_new_array(PyArray_DESCR(source), n, PyArray_DIMS(source), NULL);
        if (!copy) return NULL;
    }
    if (n != PyArray_NDIM(copy) || !PyArray_CompareLists(PyArray_DIMS(source), PyArray_DIMS(copy), n) ||
        !PyArray_EquivTypes(PyArray_DESCR(source), PyArray_DESCR(copy)) || !PyArray_IS_C_CONTIGUOUS(copy) ||
        !PyArray_ISWRITEABLE(copy)) {
        Py_DECREF((PyObject *)copy);
        return PyErr_Format(PyExc_ValueError,
                            "transpose_copy: not a writeable contiguous array of the same shape and dtype");
    }
    vekt_dim dims[VEKT_MAX_DIMS];
    npy_intp step = PyArray_ITEMSIZE(copy);
    for (int i = n - 1; i >= 0; i--) {
        dims[i] = (vekt_dim){PyArray_DIM(source, i), {PyArray_STRIDE(source, i), step, 0}};
        step *= PyArray_DIM(source, i);
    }
    const vekt_target *target = vekt_bound_target(self);
    const npy_intp item = PyArray_ITEMSIZE(copy);
    const void *from = PyArray_DATA(source);
    void *to = PyArray_DATA(copy);
    PyThreadState *released = vekt_release_gil(step >= RELEASED_BYTES);
    vekt_connected->transpose_copy(target, item, dims, n, from, to);
    if (vekt_take_gil(released, 0) == 0) return (PyObject *)copy;
    Py_DECREF((PyObject *)copy);
    return NULL;
}
