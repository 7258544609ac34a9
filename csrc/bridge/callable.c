/* What the types of vekt's functions have in common. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "callable.h"

#include <string.h>

PyObject *vekt_call_tuple(vekt_vectorcall call, PyObject *self, PyObject *positional, PyObject *keywords) {
    const Py_ssize_t n = PyTuple_Size(positional), n_names = keywords ? PyDict_Size(keywords) : 0;
    PyObject **args = PyMem_Malloc((size_t)(n + n_names + 1) * sizeof *args), *names = PyTuple_New(n_names);
    PyObject *key, *value, *result = NULL;
    if (!args || !names) {
        PyErr_NoMemory();
    } else {
        Py_ssize_t position = 0, i = 0;
        for (Py_ssize_t k = 0; k < n; k++) args[k] = PyTuple_GetItem(positional, k);
        while (n_names && PyDict_Next(keywords, &position, &key, &value)) {
            PyTuple_SetItem(names, i, Py_NewRef(key));
            args[n + i++] = value;
        }
        result = call(self, args, (size_t)n, n_names ? names : NULL);
    }
    PyMem_Free(args);
    Py_XDECREF(names);
    return result;
}

PyObject *vekt_callable_reduce(PyObject *self, PyObject *unused) {
    (void)unused;
    return PyObject_GetAttrString(self, "__qualname__");
}

PyObject *vekt_callable_copy(PyObject *self, PyObject *unused) {
    (void)unused;
    return Py_NewRef(self);
}

PyObject *vekt_callable_directory(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *list = vekt_python(VEKT_PY_DIRECTORY);
    return list ? PyObject_CallFunctionObjArgs(list, self, NULL) : NULL;
}

PyObject *vekt_callable_represent(PyObject *self) {
    PyObject *name = PyObject_GetAttrString(self, "__name__");
    PyObject *text = name ? PyUnicode_FromFormat("<vekt function %S>", name) : NULL;
    Py_XDECREF(name);
    return text;
}

int vekt_callable_set_attribute(PyObject *self, PyObject *name, PyObject *value) {
    const int names = PyUnicode_CompareWithASCIIString(name, "__name__") == 0 ||
                      PyUnicode_CompareWithASCIIString(name, "__qualname__") == 0;
    if (!names || (value && PyUnicode_Check(value))) return PyObject_GenericSetAttr(self, name, value);
    PyErr_Format(PyExc_TypeError, "%U must be set to a string object", name);
    return -1;
}

static PyObject *method(const char *name, PyObject *self, PyObject *args, PyObject *keywords) {
    PyObject *find = vekt_python(VEKT_PY_METHOD), *named = keywords ? Py_NewRef(keywords) : PyDict_New();
    PyObject *result = find && named ? PyObject_CallFunction(find, "OsOO", self, name, args, named) : NULL;
    Py_XDECREF(named);
    return result;
}

PyObject *vekt_method_reduce(PyObject *self, PyObject *args, PyObject *keywords) {
    return method("reduce", self, args, keywords);
}

PyObject *vekt_method_accumulate(PyObject *self, PyObject *args, PyObject *keywords) {
    return method("accumulate", self, args, keywords);
}

PyObject *vekt_method_reduceat(PyObject *self, PyObject *args, PyObject *keywords) {
    return method("reduceat", self, args, keywords);
}

PyObject *vekt_method_outer(PyObject *self, PyObject *args, PyObject *keywords) {
    return method("outer", self, args, keywords);
}

PyObject *vekt_method_at(PyObject *self, PyObject *args, PyObject *keywords) {
    return method("at", self, args, keywords);
}

int vekt_add_callable(PyObject *module, const char *name, int size, PyType_Slot *slots) {
    PyType_Spec spec = {
        .name = name,
        .basicsize = size,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
        .slots = slots,
    };
    PyObject *type = PyType_FromSpec(&spec);
    const int status = type ? PyModule_AddObjectRef(module, strrchr(name, '.') + 1, type) : -1;
    Py_XDECREF(type);
    return status;
}
