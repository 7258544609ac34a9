/* vk.warn_upcasts(): while somebody watches, calls are told to a function of Python's once they are done. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

PyObject *_Atomic vekt_watcher;
static PyObject *own_calls; /* addresses by ufunc */

PyObject *vekt_tell(PyObject *function, PyObject *const *args, Py_ssize_t n, PyObject *names, PyObject *result) {
    PyObject *watcher = vekt_watcher;
    if (!watcher) return result;
    PyObject *operands = PyTuple_New(n), *options = PyDict_New(), *answer = NULL;
    for (Py_ssize_t i = 0; operands && i < n; i++) PyTuple_SetItem(operands, i, Py_NewRef(args[i]));
    for (Py_ssize_t i = 0; options && names && i < PyTuple_Size(names); i++)
        if (PyDict_SetItem(options, PyTuple_GetItem(names, i), args[n + i]) < 0) Py_CLEAR(options);
    if (operands && options)
        answer = PyObject_CallFunctionObjArgs(watcher, function, operands, options, result, NULL);
    Py_XDECREF(operands);
    Py_XDECREF(options);
    Py_XDECREF(answer);
    if (!answer) Py_CLEAR(result);
    return result;
}

/* How a ufunc is called while nobody watches: told once, and kept, as a call may be under way in another thread. */
static vekt_vectorcall own_call(PyObject *ufunc) {
    PyObject *address = PyDict_GetItemWithError(own_calls, ufunc);
    return address ? (vekt_vectorcall)PyLong_AsVoidPtr(address) : NULL;
}

static PyObject *call_ufunc(PyObject *ufunc, PyObject *const *args, size_t n_args, PyObject *names) {
    PyObject *result = own_call(ufunc)(ufunc, args, n_args, names);
    return result ? vekt_tell(ufunc, args, (Py_ssize_t)(n_args & ~VEKT_NAMED_OFFSET), names, result) : NULL;
}

/* Lets a ufunc be called by way of call_ufunc, or no longer. */
static int watch_ufunc(PyUFuncObject *ufunc, int begins) {
    PyObject *key = (PyObject *)ufunc;
    if (begins && ufunc->vectorcall != (void *)call_ufunc) {
        PyObject *address = PyLong_FromVoidPtr((void *)ufunc->vectorcall);
        const int status = address ? PyDict_SetItem(own_calls, key, address) : -1;
        Py_XDECREF(address);
        if (status < 0) return -1;
        ufunc->vectorcall = (void *)call_ufunc;
    } else if (!begins && ufunc->vectorcall == (void *)call_ufunc) {
        ufunc->vectorcall = (void *)own_call(key);
    }
    return 0;
}

PyObject *vekt_py_watch(PyObject *self, PyObject *args) {
    PyObject *watcher, *ufuncs;
    (void)self;
    if (!PyArg_ParseTuple(args, "OO!:watch", &watcher, &PyTuple_Type, &ufuncs)) return NULL;
    if (!own_calls && !(own_calls = PyDict_New())) return NULL;
    const int begins = watcher != Py_None;
    if (begins && !vekt_watcher) Py_INCREF(watcher); /* never given back: a call may still hold it */
    for (Py_ssize_t i = 0; i < PyTuple_Size(ufuncs); i++) {
        PyObject *ufunc = PyTuple_GetItem(ufuncs, i);
        if (!PyObject_TypeCheck(ufunc, &PyUFunc_Type)) return PyErr_Format(PyExc_TypeError, "watch: ufuncs expected");
        if (watch_ufunc((PyUFuncObject *)ufunc, begins) < 0) return NULL;
    }
    vekt_watcher = begins ? watcher : NULL;
    Py_RETURN_NONE;
}
