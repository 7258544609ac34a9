/* vk.warn_upcasts(): while somebody watches, calls are told to a function of Python's once they are done. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

#include <string.h>

PyObject *_Atomic vekt_watcher;
static vekt_vectorcall ufuncs_own; /* how all ufuncs are called */

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

static PyObject *call_ufunc(PyObject *ufunc, PyObject *const *args, size_t n_args, PyObject *names) {
    PyObject *result = ufuncs_own(ufunc, args, n_args, names);
    return result ? vekt_tell(ufunc, args, (Py_ssize_t)(n_args & ~VEKT_NAMED_OFFSET), names, result) : NULL;
}

PyObject *vekt_py_watch(PyObject *self, PyObject *args) {
    PyObject *watcher, *ufuncs;
    (void)self;
    if (!PyArg_ParseTuple(args, "OO!:watch", &watcher, &PyTuple_Type, &ufuncs)) return NULL;
    /* It is never given back, so that a call in another thread may still hold it. */
    if (watcher != Py_None && !vekt_watcher) Py_INCREF(watcher);
    for (Py_ssize_t i = 0; i < PyTuple_Size(ufuncs); i++) {
        PyObject *ufunc = PyTuple_GetItem(ufuncs, i);
        if (!PyObject_TypeCheck(ufunc, &PyUFunc_Type)) return PyErr_Format(PyExc_TypeError, "watch: ufuncs expected");
        vekt_vectorcall own = (vekt_vectorcall)((PyUFuncObject *)ufunc)->vectorcall;
        if (!ufuncs_own && own != call_ufunc) ufuncs_own = own;
        if (watcher == Py_None ? own == call_ufunc : own == ufuncs_own)
            ((PyUFuncObject *)ufunc)->vectorcall = (void *)(watcher == Py_None ? ufuncs_own : call_ufunc);
    }
    vekt_watcher = watcher == Py_None ? NULL : watcher;
    Py_RETURN_NONE;
}
