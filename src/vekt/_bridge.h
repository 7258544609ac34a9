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

/* Adds the functions of dense layers to the module. */
int vekt_add_dense(PyObject *module);

#endif
