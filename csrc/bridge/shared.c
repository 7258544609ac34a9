/* What several functions on arrays ask of their arguments. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

static int bad_axis(Py_ssize_t axis, int ndim) {
    PyObject *type = vekt_python(VEKT_PY_AXIS_ERROR);
    PyObject *error = type ? PyObject_CallFunction(type, "ni", axis, ndim) : NULL;
    if (error) PyErr_SetObject(type, error);
    Py_XDECREF(error);
    return -1;
}

static int mark_axis(PyObject *object, int ndim, int *marks) {
    Py_ssize_t axis = PyNumber_AsSsize_t(object, PyExc_OverflowError);
    if (axis == -1 && PyErr_Occurred()) return -1;
    if (axis < -ndim || axis >= ndim) return bad_axis(axis, ndim);
    int i = (int)(axis < 0 ? axis + ndim : axis);
    if (marks[i]) {
        PyErr_SetString(PyExc_ValueError, "duplicate value in 'axis'");
        return -1;
    }
    marks[i] = 1;
    return 0;
}

int vekt_mark_axes(PyObject *axis, int ndim, int *marks) {
    for (int i = 0; i < ndim; i++) marks[i] = axis == Py_None;
    if (axis == Py_None) return 0;
    if (!PyTuple_Check(axis)) return mark_axis(axis, ndim, marks);
    for (Py_ssize_t i = 0; i < PyTuple_Size(axis); i++) {
        if (mark_axis(PyTuple_GetItem(axis, i), ndim, marks) < 0) return -1;
    }
    return 0;
}

int vekt_keepdims(PyObject *value) {
    if (PyBool_Check(value)) return value == Py_True;
    if (PyArray_IsScalar(value, Bool)) return PyObject_IsTrue(value);
    PyObject *number = PyNumber_Index(value);
    const int is_true = number ? PyObject_IsTrue(number) : -1;
    Py_XDECREF(number);
    if (!number && PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, "keepdims must be a bool, not %R", value);
    return is_true;
}

int vekt_take_cost(PyObject *object, void *cost) {
    enum { MOST = 1 << 28 }; /* those of all instructions of a program may be added to it */
    const long picoseconds = PyLong_AsLong(object);
    if (picoseconds == -1 && PyErr_Occurred()) return 0;
    if (picoseconds < 0 || picoseconds > MOST)
        return PyErr_Format(PyExc_ValueError, "cost: %R is not between 0 and %d", object, MOST), 0;
    *(int *)cost = (int)picoseconds;
    return 1;
}

PyArrayObject *vekt_plain_array(PyObject *object, const char *function, const char *name) {
    if (PyArray_CheckExact(object)) {
        Py_INCREF(object);
        return (PyArrayObject *)object;
    }
    /* "_trace" is an attribute of what autograd traces. */
    if (!PyObject_HasAttrString(object, "__array_function__") && !PyObject_HasAttrString(object, "_trace"))
        return (PyArrayObject *)PyArray_FromAny(object, NULL, 0, 0, 0, NULL);
    /* An error, unless it is an array of a subclass that keeps no mask. */
    PyObject *plain = vekt_python(VEKT_PY_PLAIN);
    PyObject *given = plain ? PyObject_CallFunction(plain, "ssO", function, name, object) : NULL;
    if (!given || PyArray_Check(given)) return (PyArrayObject *)given;
    PyArrayObject *array = (PyArrayObject *)PyArray_FromAny(given, NULL, 0, 0, 0, NULL);
    Py_DECREF(given);
    return array;
}

static void free_owned(PyObject *capsule) { PyMem_Free(PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule))); }

PyObject *vekt_owner_of(void *memory, const char *name) {
    PyObject *capsule = PyCapsule_New(memory, name, free_owned);
    if (!capsule) PyMem_Free(memory);
    return capsule;
}

PyObject *vekt_call_with(PyObject *function, PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
    PyObject *positional = PyTuple_New(n), *keywords = PyDict_New(), *result = NULL;
    const Py_ssize_t n_names = names ? PyTuple_Size(names) : 0;
    int status = positional && keywords ? 0 : -1;
    for (Py_ssize_t i = 0; i < n && status == 0; i++) PyTuple_SetItem(positional, i, Py_NewRef(args[i]));
    for (Py_ssize_t i = 0; i < n_names && status == 0; i++)
        status = PyDict_SetItem(keywords, PyTuple_GetItem(names, i), args[n + i]);
    if (status == 0) result = PyObject_CallFunctionObjArgs(function, self, positional, keywords, NULL);
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    return result;
}
