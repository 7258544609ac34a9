/* NumPy's order "K" of new arrays: as NpyIter has it, whose axes lie by the strides of all operands. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "broadcast.h"

#include <string.h>

/* Does axis a lie inside axis b, which comes after it?  1 or 0; -1 where no operand tells.  Where they disagree, the
 * order of C wins. */
static int lies_inside(int n, const ptrdiff_t (*step)[VEKT_MAX_DIMS], int a, int b) {
    int inside = -1;
    for (int k = 0; k < n; k++) {
        if (step[k][a] == 0 || step[k][b] == 0) continue;
        if (vekt_magnitude(step[k][b]) <= vekt_magnitude(step[k][a])) return 0;
        inside = 1;
    }
    return inside;
}

PyArrayObject *vekt_new_in_order(PyArray_Descr *descr, int ndim, const npy_intp *shape, int n,
                                 const ptrdiff_t (*step)[VEKT_MAX_DIMS]) {
    npy_intp strides[VEKT_MAX_DIMS], stride = PyDataType_ELSIZE(descr);
    int axis[VEKT_MAX_DIMS], in_c = 1; /* axes from the innermost to the outermost */
    for (int i = 0; i < ndim && ndim > 1; i++) {
        const int a = ndim - 1 - i;
        int place = i;
        for (int j = i - 1; j >= 0; j--) {
            const int inside = lies_inside(n, step, a, axis[j]);
            if (inside == 0) break;
            if (inside > 0) place = j;
        }
        memmove(axis + place + 1, axis + place, (size_t)(i - place) * sizeof *axis);
        axis[place] = a;
        in_c &= place == i;
    }
    for (int i = 0; i < ndim && !in_c; i++) {
        strides[axis[i]] = stride;
        stride *= shape[axis[i]] ? shape[axis[i]] : 1;
    }
    Py_INCREF((PyObject *)descr);
    return (PyArrayObject *)vekt_new_array(descr, ndim, shape, in_c ? NULL : strides);
}

PyObject *vekt_py_empty(PyObject *self, PyObject *args) {
    PyObject *shape, *dtype, *arrays, *result = NULL;
    PyArray_Dims dims = {NULL, 0};
    ptrdiff_t step[VEKT_MAX_OPERANDS][VEKT_MAX_DIMS];
    (void)self;
    if (!PyArg_ParseTuple(args, "OOO!:empty", &shape, &dtype, &PyTuple_Type, &arrays)) return NULL;
    const int n = PyTuple_Size(arrays) > VEKT_MAX_OPERANDS ? VEKT_MAX_OPERANDS : (int)PyTuple_Size(arrays);
    if (!PyArray_DescrCheck(dtype)) return PyErr_Format(PyExc_TypeError, "empty: expected a dtype");
    if (!PyArray_IntpConverter(shape, &dims)) return NULL;
    for (int k = 0; k < n; k++) {
        PyObject *object = PyTuple_GetItem(arrays, k);
        const int own = PyArray_Check(object) ? PyArray_NDIM((PyArrayObject *)object) : 0, ahead = dims.len - own;
        if (ahead < 0) {
            PyErr_SetString(PyExc_ValueError, "empty: an array of more dimensions than the shape");
            goto done;
        }
        for (int d = 0; d < dims.len; d++) {
            const int has = d >= ahead && PyArray_DIM((PyArrayObject *)object, d - ahead) != 1;
            step[k][d] = has ? PyArray_STRIDE((PyArrayObject *)object, d - ahead) : 0;
        }
    }
    result = (PyObject *)vekt_new_in_order((PyArray_Descr *)dtype, dims.len, dims.ptr, n,
                                           (const ptrdiff_t (*)[VEKT_MAX_DIMS])step);
done:
    PyDimMem_FREE(dims.ptr);
    return result;
}
