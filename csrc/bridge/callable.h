/* What the types of vekt's functions have in common: Dispatcher and Function, both with an attribute dict. */
#ifndef VEKT_CALLABLE_H
#define VEKT_CALLABLE_H

#include "bridge.h"

/* Python 3.12 has this in its limited API; it is the same in 3.11. */
#if !defined(Py_TPFLAGS_HAVE_VECTORCALL)
#define Py_TPFLAGS_HAVE_VECTORCALL (1UL << 11)
#endif

/* Calls that do not come by vector: of functools.partial and the like in older versions. */
PyObject *vekt_call_tuple(vekt_vectorcall call, PyObject *self, PyObject *positional, PyObject *keywords);
/* The name, which pickle imports. */
PyObject *vekt_callable_reduce(PyObject *self, PyObject *unused);
/* Copies of a function are that function, deep ones too. */
PyObject *vekt_callable_copy(PyObject *self, PyObject *unused);
/* What is of use to callers, found in Python. */
PyObject *vekt_callable_directory(PyObject *self, PyObject *unused);
PyObject *vekt_callable_represent(PyObject *self);
/* Names are strings and stay, as those of Python's functions: pickle goes by them. */
int vekt_callable_set_attribute(PyObject *self, PyObject *name, PyObject *value);

/* The methods of a ufunc, which Python finds: method(self, name, args, kwargs). */
PyObject *vekt_method_reduce(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *vekt_method_accumulate(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *vekt_method_reduceat(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *vekt_method_outer(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *vekt_method_at(PyObject *self, PyObject *args, PyObject *keywords);

/* clang-format off */
#define VEKT_UFUNC_METHOD(name, text) \
    {#name, (PyCFunction)(void (*)(void))vekt_method_##name, METH_VARARGS | METH_KEYWORDS, text}
#define VEKT_UFUNC_METHODS \
    {"__dir__", vekt_callable_directory, METH_NOARGS, NULL}, \
    VEKT_UFUNC_METHOD(reduce, "Reduce an array along axes by a function of two inputs, as `numpy.ufunc.reduce`."), \
    VEKT_UFUNC_METHOD(accumulate, "Keep the results on the way, as `numpy.ufunc.accumulate`."), \
    VEKT_UFUNC_METHOD(reduceat, "Reduce slices along an axis, as `numpy.ufunc.reduceat`."), \
    VEKT_UFUNC_METHOD(outer, "Apply to all pairs of elements, as `numpy.ufunc.outer`."), \
    VEKT_UFUNC_METHOD(at, "Apply in place to elements of these indices, as `numpy.ufunc.at`.")
/* clang-format on */

/* What both types fill in under the same names, behind their doc and how they are made. */
/* clang-format off */
#define VEKT_CALLABLE_SLOTS \
    {Py_tp_dealloc, deallocate}, \
    {Py_tp_traverse, traverse}, \
    {Py_tp_clear, clear}, \
    {Py_tp_call, call_tuple}, \
    {Py_tp_repr, vekt_callable_represent}, \
    {Py_tp_setattro, vekt_callable_set_attribute}, \
    {Py_tp_methods, methods}, \
    {Py_tp_members, members}, \
    {Py_tp_getset, attributes}, \
    {0, NULL}
/* clang-format on */

/* Adds such a type to the module, under this name. */
int vekt_add_callable(PyObject *module, const char *name, int size, PyType_Slot *slots);

#endif
