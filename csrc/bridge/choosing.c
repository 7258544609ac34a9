/* The k greatest elements, elements at given places, and sums at given places; vekt.choosing brings the operands of
 * calls that are not plain to what these take. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

#include <string.h>

/* Dimensions first to last - 1 of an array. */
static int set_dims(vekt_dim *dims, PyArrayObject *x, int first, int last) {
    for (int i = first; i < last; i++) *dims++ = (vekt_dim){PyArray_DIM(x, i), {PyArray_STRIDE(x, i), 0, 0}};
    return last - first;
}

/* An axis of an array that has axes; -1 with NumPy's error for a bad one. */
static int axis_of(PyObject *object, PyArrayObject *x) {
    int marks[VEKT_MAX_DIMS];
    if (vekt_mark_axes(object, PyArray_NDIM(x), marks) < 0) return -1;
    for (int i = 0; i < PyArray_NDIM(x); i++)
        if (marks[i]) return i;
    PyErr_SetString(PyExc_TypeError, "axis: expected an integer");
    return -1;
}

PyObject *vekt_py_top_k(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    if (n_args != 2 || !PyArray_Check(args[0]) || PyArray_NDIM((PyArrayObject *)args[0]) < 1)
        return PyErr_Format(PyExc_TypeError, "top_k: expected an array of one dimension or more, and a number");
    PyArrayObject *x = (PyArrayObject *)args[0];
    const Py_ssize_t k = PyLong_AsSsize_t(args[1]);
    if (k == -1 && PyErr_Occurred()) return NULL;
    const int rows = PyArray_NDIM(x) - 1, type = vekt_memory_type_of(PyArray_DESCR(x));
    const npy_intp n = PyArray_DIM(x, rows);
    if (k < 0 || k > n) return PyErr_Format(PyExc_ValueError, "top_k: k is %zd, not 0 to %zd", k, (Py_ssize_t)n);
    if (type < 0 || type > VEKT_TYPE_F64 ||
        (n > 1 && PyArray_SIZE(x) > 0 && PyArray_STRIDE(x, rows) != PyArray_ITEMSIZE(x)))
        return PyErr_Format(PyExc_TypeError, "top_k: expected contiguous rows of real numbers");
    npy_intp shape[VEKT_MAX_DIMS];
    memcpy(shape, PyArray_DIMS(x), (size_t)rows * sizeof *shape);
    shape[rows] = k;
    PyArray_Descr *native = PyArray_DescrNewByteorder(PyArray_DESCR(x), NPY_NATIVE);
    if (!native) return NULL;
    PyObject *values = vekt_new_array(native, rows + 1, shape, NULL);
    PyObject *indices = vekt_new_array(PyArray_DescrFromType(NPY_INT64), rows + 1, shape, NULL);
    if (values && indices) {
        vekt_dim dims[VEKT_MAX_DIMS];
        const vekt_top_k_call call = {
            .type = type | (PyArray_ISNOTSWAPPED(x) ? 0 : VEKT_SWAPPED),
            .n = n,
            .k = k,
            .dims = dims,
            .n_dims = set_dims(dims, x, 0, rows),
            .x = PyArray_BYTES(x),
            .values = PyArray_BYTES((PyArrayObject *)values),
            .indices = PyArray_BYTES((PyArrayObject *)indices),
        };
        const vekt_target *target = vekt_bound_target(self);
        PyThreadState *released = vekt_release_gil(PyArray_SIZE(x) >= VEKT_RELEASED_ROWS);
        if (vekt_take_gil(released, vekt_connected->top_k(target, &call)) == 0)
            return Py_BuildValue("NN", values, indices);
    }
    Py_XDECREF(values);
    Py_XDECREF(indices);
    return NULL;
}

/* Does an array hold integers that int64 does not? */
static int is_wide(PyObject *indices) {
    return PyArray_Check(indices) && PyArray_ISUNSIGNED((PyArrayObject *)indices) &&
           PyArray_ITEMSIZE((PyArrayObject *)indices) == 8;
}

/* A new reference to indices as contiguous int64; NULL with TypeError for what is not of integers. */
static PyArrayObject *as_indices(PyObject *object, const char *function) {
    PyArrayObject *given =
        (PyArrayObject *)(PyArray_Check(object) ? Py_NewRef(object) : PyArray_FromAny(object, NULL, 0, 0, 0, NULL));
    if (!given) return NULL;
    const int type = PyArray_DESCR(given)->type_num;
    PyArrayObject *indices = NULL;
    if (type <= NPY_ULONGLONG || (PyArray_SIZE(given) == 0 && !PyArray_Check(object)))
        indices = (PyArrayObject *)PyArray_FromArray(given, PyArray_DescrFromType(NPY_INT64),
                                                     NPY_ARRAY_CARRAY_RO | NPY_ARRAY_FORCECAST);
    else
        PyErr_Format(PyExc_TypeError, "%s: indices must be integers, not %S", function,
                     (PyObject *)PyArray_DESCR(given));
    Py_DECREF((PyObject *)given);
    return indices;
}

enum { RAISE, WRAP, CLIP };

/* Takes the place of indices: within an axis of n elements.  -1 with an error where they are not. */
static int bring_within(PyArrayObject **indices, npy_intp n, int mode, int axis) {
    const npy_int64 *from = PyArray_DATA(*indices);
    const npy_intp count = PyArray_SIZE(*indices);
    npy_uint64 signs = 0; /* of what is negative, and of what would be beyond the axis */
    for (npy_intp i = 0; i < count; i++) signs |= (npy_uint64)from[i] | ((npy_uint64)(n - 1) - (npy_uint64)from[i]);
    if (!(signs >> 63)) return 0;
    for (npy_intp i = 0; i < count && mode == RAISE; i++) {
        if (from[i] >= -n && from[i] < n) continue;
        PyErr_Format(PyExc_IndexError, "index %lld is out of bounds for axis %d with size %zd", (long long)from[i],
                     axis, (Py_ssize_t)n);
        return -1;
    }
    if (n == 0) {
        PyErr_SetString(PyExc_IndexError, "no index is within an axis of no elements");
        return -1;
    }
    PyArrayObject *made = (PyArrayObject *)vekt_new_array(PyArray_DescrFromType(NPY_INT64), PyArray_NDIM(*indices),
                                                          PyArray_DIMS(*indices), NULL);
    if (!made) return -1;
    npy_int64 *to = PyArray_DATA(made);
    if (mode == CLIP)
        for (npy_intp i = 0; i < count; i++) to[i] = from[i] < 0 ? 0 : from[i] < n ? from[i] : n - 1;
    else if (mode == RAISE)
        for (npy_intp i = 0; i < count; i++) to[i] = from[i] + (from[i] < 0 ? n : 0);
    else
        for (npy_intp i = 0; i < count; i++) {
            const npy_int64 rest = from[i] % n;
            to[i] = rest + (rest < 0 ? n : 0);
        }
    Py_DECREF((PyObject *)*indices);
    *indices = made;
    return 0;
}

/* The array to write to: out where it is as the result, or a new one; NULL without an error where out is not. */
static PyArrayObject *result_like(PyObject *out, PyArrayObject *x, int ndim, const npy_intp *shape) {
    if (out == Py_None) {
        Py_INCREF((PyObject *)PyArray_DESCR(x));
        return (PyArrayObject *)vekt_new_array(PyArray_DESCR(x), ndim, shape, NULL);
    }
    PyArrayObject *a = (PyArrayObject *)out;
    const int fits = PyArray_CheckExact(out) && PyArray_NDIM(a) == ndim &&
                     PyArray_CompareLists(PyArray_DIMS(a), shape, ndim) && PyArray_IS_C_CONTIGUOUS(a) &&
                     PyArray_ISWRITEABLE(a) && PyArray_EquivTypes(PyArray_DESCR(a), PyArray_DESCR(x)) &&
                     !vekt_may_overlap(a, x);
    return fits ? (PyArrayObject *)Py_NewRef(out) : NULL;
}

/* An axis of x, which has axes, at given places, or of the elements of x in C order. */
static PyObject *take_along(const vekt_target *target, PyArrayObject *x, PyArrayObject *indices, int axis,
                            PyObject *out) {
    npy_intp shape[2 * VEKT_MAX_DIMS];
    const int ndim = PyArray_NDIM(x), n_indices = PyArray_NDIM(indices), made = ndim - 1 + n_indices;
    if (made > VEKT_MAX_DIMS) return PyErr_Format(PyExc_ValueError, "take: the result has %d dimensions", made);
    memcpy(shape, PyArray_DIMS(x), (size_t)axis * sizeof *shape);
    for (int i = 0; i < n_indices; i++)
        shape[axis + i] = PyArray_DIM(indices, i); /* one place has no array of them */
    memcpy(shape + axis + n_indices, PyArray_DIMS(x) + axis + 1, (size_t)(ndim - axis - 1) * sizeof *shape);
    PyArrayObject *result = result_like(out, x, made, shape);
    if (!result) return PyErr_Occurred() ? NULL : Py_NewRef(Py_NotImplemented);
    if (out != Py_None && vekt_may_overlap(result, indices)) {
        Py_DECREF((PyObject *)result);
        Py_RETURN_NOTIMPLEMENTED;
    }
    vekt_dim dims[VEKT_MAX_DIMS];
    const vekt_take_call call = {
        .item = PyArray_ITEMSIZE(x),
        .count = PyArray_SIZE(indices),
        .n_outer = set_dims(dims, x, 0, axis),
        .n_inner = set_dims(dims + axis, x, axis + 1, ndim),
        .dims = dims,
        .indices = PyArray_DATA(indices),
        .x = PyArray_BYTES(x),
        .step = PyArray_STRIDE(x, axis),
        .out = PyArray_BYTES(result),
    };
    PyThreadState *released = vekt_release_gil(PyArray_SIZE(result) >= VEKT_RELEASED_ELEMENTS);
    vekt_connected->take(target, &call);
    if (vekt_take_gil(released, 0) == 0) return out == Py_None ? PyArray_Return(result) : (PyObject *)result;
    Py_DECREF((PyObject *)result);
    return NULL;
}

/* 0 or more; -1 with an error for what is no mode. */
static int mode_of(PyObject *mode) {
    static const char *const names[] = {"raise", "wrap", "clip"};
    for (int i = 0; PyUnicode_Check(mode) && i < 3; i++)
        if (PyUnicode_CompareWithASCIIString(mode, names[i]) == 0) return i;
    PyErr_Format(PyUnicode_Check(mode) ? PyExc_ValueError : PyExc_TypeError,
                 "take: mode must be 'raise', 'wrap' or 'clip', not %R", mode);
    return -1;
}

PyObject *vekt_py_take(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    if (n_args != 5) return PyErr_Format(PyExc_TypeError, "take() takes 5 arguments (%zd given)", n_args);
    PyArrayObject *x = (PyArrayObject *)args[0];
    if (!PyArray_CheckExact(args[0]) || PyDataType_REFCHK(PyArray_DESCR(x))) Py_RETURN_NOTIMPLEMENTED;
    const int has_others = !PyArray_CheckExact(args[1]) && PyObject_HasAttrString(args[1], "__array_function__");
    if (has_others || is_wide(args[1])) Py_RETURN_NOTIMPLEMENTED;
    const int mode = mode_of(args[3]);
    if (mode < 0) return NULL;
    if (args[2] == Py_None) {
        x = (PyArrayObject *)PyArray_Ravel(x, NPY_CORDER);
    } else if (PyArray_NDIM(x) == 0) {
        npy_intp one = 1;
        PyArray_Dims shape = {&one, 1};
        x = (PyArrayObject *)PyArray_Newshape(x, &shape, NPY_CORDER);
    } else {
        Py_INCREF(args[0]);
    }
    const int axis = !x ? -1 : args[2] == Py_None ? 0 : axis_of(args[2], x);
    PyArrayObject *indices = axis < 0 ? NULL : as_indices(args[1], "take");
    PyObject *result = NULL;
    if (indices && bring_within(&indices, PyArray_DIM(x, axis), mode, axis) == 0)
        result = take_along(vekt_bound_target(self), x, indices, axis, args[4]);
    Py_XDECREF((PyObject *)indices);
    Py_XDECREF((PyObject *)x);
    return result;
}

/* Is this the shape of what is taken from x? */
static int has_shape_of_places(PyArrayObject *values, PyArrayObject *x, int axis, PyArrayObject *indices) {
    const int n = PyArray_NDIM(indices), behind = PyArray_NDIM(x) - axis - 1;
    const npy_intp *shape = PyArray_DIMS(values), *whole = PyArray_DIMS(x);
    return PyArray_NDIM(values) == axis + n + behind && PyArray_CompareLists(shape, whole, axis) &&
           PyArray_CompareLists(shape + axis, PyArray_DIMS(indices), n) &&
           PyArray_CompareLists(shape + axis + n, whole + axis + 1, behind);
}

/* Do the elements behind an axis lie side by side? */
static int is_dense_behind(PyArrayObject *x, int axis) {
    npy_intp step = PyArray_ITEMSIZE(x);
    for (int i = PyArray_NDIM(x) - 1; i > axis; step *= PyArray_DIM(x, i--))
        if (PyArray_DIM(x, i) != 1 && PyArray_STRIDE(x, i) != step) return 0;
    return 1;
}

static PyObject *add_at(const vekt_target *target, PyArrayObject *x, PyArrayObject *indices, PyArrayObject *values,
                        int axis) {
    const int type = vekt_memory_type_of(PyArray_DESCR(x)), ndim = PyArray_NDIM(x);
    if (type < 0 || !PyArray_ISNOTSWAPPED(x) || !is_dense_behind(x, axis) || !vekt_is_injective(x) ||
        !PyArray_EquivTypes(PyArray_DESCR(x), PyArray_DESCR(values)) || !PyArray_IS_C_CONTIGUOUS(values) ||
        !has_shape_of_places(values, x, axis, indices) || vekt_may_overlap(x, values) || vekt_may_overlap(x, indices))
        Py_RETURN_NOTIMPLEMENTED;
    vekt_dim dims[VEKT_MAX_DIMS];
    const vekt_scatter_call call = {
        .type = type,
        .length = PyArray_DIM(x, axis),
        .step = PyArray_STRIDE(x, axis),
        .count = PyArray_SIZE(indices),
        .inner = PyArray_MultiplyList(PyArray_DIMS(x) + axis + 1, ndim - axis - 1),
        .n_outer = set_dims(dims, x, 0, axis),
        .dims = dims,
        .indices = PyArray_DATA(indices),
        .x = PyArray_BYTES(x),
        .values = PyArray_BYTES(values),
    };
    PyThreadState *released = vekt_release_gil(PyArray_SIZE(values) >= VEKT_RELEASED_ELEMENTS);
    vekt_connected->scatter_add(target, &call);
    return vekt_take_gil(released, 0) < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *vekt_py_scatter_add(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    if (n_args != 4) return PyErr_Format(PyExc_TypeError, "scatter_add() takes 4 arguments (%zd given)", n_args);
    for (int i = 0; i < 3; i++)
        if (!PyArray_CheckExact(args[i])) Py_RETURN_NOTIMPLEMENTED;
    PyArrayObject *x = (PyArrayObject *)args[0];
    if (PyArray_NDIM(x) < 1 || !PyArray_ISWRITEABLE(x) || PyArray_ISBOOL((PyArrayObject *)args[1]) ||
        is_wide(args[1]))
        Py_RETURN_NOTIMPLEMENTED;
    const int axis = axis_of(args[3], x);
    if (axis < 0) return NULL;
    PyArrayObject *indices = as_indices(args[1], "scatter_add");
    PyObject *result = NULL;
    if (indices && bring_within(&indices, PyArray_DIM(x, axis), RAISE, axis) == 0)
        result = add_at(vekt_bound_target(self), x, indices, (PyArrayObject *)args[2], axis);
    Py_XDECREF((PyObject *)indices);
    return result;
}

PyObject *vekt_py_mark(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 3 || !PyArray_Check(args[0]) || !PyArray_Check(args[2]) ||
        PyArray_NDIM((PyArrayObject *)args[0]) < 1)
        return PyErr_Format(PyExc_TypeError, "mark: expected an array, indices and an array");
    PyArrayObject *out = (PyArrayObject *)args[0], *one = (PyArrayObject *)args[2];
    const int ndim = PyArray_NDIM(out) - 1;
    if (PyArray_FailUnlessWriteable(out, "out") < 0) return NULL;
    PyArrayObject *indices = as_indices(args[1], "one_hot");
    if (!indices) return NULL;
    if (PyArray_NDIM(indices) != ndim || !PyArray_CompareLists(PyArray_DIMS(indices), PyArray_DIMS(out), ndim) ||
        !PyArray_EquivTypes(PyArray_DESCR(out), PyArray_DESCR(one)) || PyArray_SIZE(one) != 1 ||
        PyDataType_REFCHK(PyArray_DESCR(out))) {
        Py_DECREF((PyObject *)indices);
        return PyErr_Format(PyExc_ValueError, "mark: arrays do not fit each other");
    }
    vekt_dim dims[VEKT_MAX_DIMS];
    const int n_dims = set_dims(dims, out, 0, ndim);
    PyThreadState *released = vekt_release_gil(PyArray_SIZE(indices) >= VEKT_RELEASED_ELEMENTS);
    vekt_connected->mark(PyArray_DATA(indices), dims, n_dims, PyArray_DIM(out, ndim), PyArray_STRIDE(out, ndim),
                         PyArray_ITEMSIZE(out), PyArray_BYTES(one), PyArray_BYTES(out));
    const int status = vekt_take_gil(released, 0);
    Py_DECREF((PyObject *)indices);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}
