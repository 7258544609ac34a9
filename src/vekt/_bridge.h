/* What the C files of vekt._ufuncs share. */
#ifndef VEKT_BRIDGE_H
#define VEKT_BRIDGE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL vekt_array_api
#define PY_UFUNC_UNIQUE_SYMBOL vekt_ufunc_api
#include <numpy/arrayobject.h>
#include <numpy/dtype_api.h>
#include <numpy/ufuncobject.h>

#include "drivers.h"

/* Set by connect(): the drivers in vekt._kernels, and the target chosen at import. */
extern const vekt_api *vekt_connected;
extern const vekt_target *vekt_selected;

/* _shared.c: is this the dtype of ml_dtypes? */
int vekt_is_bfloat16(const PyArray_Descr *descr);
/* Marks the axes of None (all), an integer or a tuple; -1 with NumPy's error for a bad one. */
int vekt_mark_axes(PyObject *axis, int ndim, int *marks);

/* The ufunc over the target's kernels of that name; KeyError where there are none. */
PyObject *vekt_build_ufunc(const vekt_target *target, const char *name, const char *doc);

/* dot(a, b, out=None); self is a capsule of the target, or the module for the selected one. */
PyObject *vekt_py_dot(PyObject *self, PyObject *const *args, Py_ssize_t n_args, PyObject *names);
extern const char vekt_dot_doc[];

/* rows(name, x, y, axis, keepdims, where, out, dtype); self as for dot. */
PyObject *vekt_py_rows(PyObject *self, PyObject *const *args, Py_ssize_t n_args);
extern const char vekt_rows_doc[];
/* prelu(target, x, alpha, out, outer, period, inner), and
 * prelu_backward(target, dy, x, alpha, dx, dalpha, outer, period, inner): drivers.h tells about the lengths. */
PyObject *vekt_py_prelu(PyObject *self, PyObject *const *args, Py_ssize_t n_args);
PyObject *vekt_py_prelu_backward(PyObject *self, PyObject *const *args, Py_ssize_t n_args);

/* norms(kind, x, y, axis, keepdims); self as for dot. */
PyObject *vekt_py_norms(PyObject *self, PyObject *const *args, Py_ssize_t n_args);

/* outer(a, b, out) and transpose_copy(source, copy); self as for dot. */
PyObject *vekt_py_outer(PyObject *self, PyObject *const *args, Py_ssize_t n_args);
PyObject *vekt_py_transpose_copy(PyObject *self, PyObject *const *args, Py_ssize_t n_args);

#endif
