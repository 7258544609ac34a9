/* The module vekt._ufuncs: NumPy's face of the kernels that vekt._kernels holds. */
#include "bridge.h"
#include <product_docs.h> /* which the build writes from specs */
#include <string.h>

const vekt_api *vekt_connected;
const vekt_target *vekt_selected;

static PyObject *connect(PyObject *self, PyObject *args) {
    PyObject *drivers, *target;
    (void)self;
    if (!PyArg_ParseTuple(args, "OO:connect", &drivers, &target)) return NULL;
    void *drivers_address = PyLong_AsVoidPtr(drivers);
    if (!drivers_address && PyErr_Occurred()) return NULL;
    void *target_address = PyLong_AsVoidPtr(target);
    if (!target_address && PyErr_Occurred()) return NULL;
    vekt_connected = drivers_address;
    vekt_selected = target_address;
    Py_RETURN_NONE;
}

static int look_after_signals(void) {
    const PyGILState_STATE state = PyGILState_Ensure();
    const int status = PyErr_CheckSignals();
    PyGILState_Release(state);
    return status;
}

static PyObject *watch_signals(PyObject *self, PyObject *seconds) {
    (void)self;
    const double period = PyFloat_AsDouble(seconds);
    if (period == -1 && PyErr_Occurred()) return NULL;
    vekt_connected->set_poll(look_after_signals, (int64_t)(period * 1e9));
    Py_RETURN_NONE;
}

static const char *const provided_names[VEKT_N_PY] = {"AxisError", "plain",       "several",   "lazy_matmul",
                                                      "at_least",  "method",      "directory", "attribute",
                                                      "dot",       "NoLoopError", "product"};
static PyObject *provided[VEKT_N_PY];

static PyObject *provide(PyObject *self, PyObject *args) {
    const char *name;
    PyObject *object;
    (void)self;
    if (!PyArg_ParseTuple(args, "sO:provide", &name, &object)) return NULL;
    for (int i = 0; i < VEKT_N_PY; i++) {
        if (strcmp(provided_names[i], name)) continue;
        Py_XDECREF(provided[i]);
        provided[i] = Py_NewRef(object);
        Py_RETURN_NONE;
    }
    return PyErr_Format(PyExc_KeyError, "nothing named '%s' is asked for", name);
}

PyObject *vekt_python(vekt_py which) {
    if (provided[which]) return provided[which];
    return PyErr_Format(PyExc_RuntimeError, "'%s' has not been provided: import vekt first", provided_names[which]);
}

const vekt_target *vekt_target_of(PyObject *address) {
    const void *target = PyLong_AsVoidPtr(address);
    if (!target && PyErr_Occurred()) return NULL;
    for (int i = 0; vekt_connected && i < vekt_connected->n_targets(); i++) {
        if (vekt_connected->target_at(i) == target) return target;
    }
    return (const vekt_target *)PyErr_Format(PyExc_ValueError, "%R is not the address of a target", address);
}

static PyObject *build_ufunc(PyObject *self, PyObject *args) {
    PyObject *address;
    const char *name, *doc;
    int n_params;
    (void)self;
    if (!PyArg_ParseTuple(args, "Ossi:build_ufunc", &address, &name, &doc, &n_params)) return NULL;
    const vekt_target *target = vekt_target_of(address);
    if (!target) return NULL;
    return vekt_build_ufunc(target, name, doc, n_params);
}

/* Functions over the kernels of a target: of the module's, of the selected one; build() binds them to others. */
static PyMethodDef bindable[] = {
    {"dot", (PyCFunction)(void (*)(void))vekt_py_dot, METH_FASTCALL | METH_KEYWORDS, DOT_DOC},
    {"rows", (PyCFunction)(void (*)(void))vekt_py_rows, METH_FASTCALL, vekt_rows_doc},
    {"cross_entropy", (PyCFunction)(void (*)(void))vekt_py_cross_entropy, METH_FASTCALL,
     "cross_entropy(x, targets, factors, on_label, everywhere, loss, dx, may_ignore, /)\n--\n\n"
     "Write the loss of each row of logits, and its gradient where dx is an array."},
    {"optim_step", (PyCFunction)(void (*)(void))vekt_py_optim_step, METH_FASTCALL,
     "optim_step(kind, p, g, m, v, numbers, /)\n--\n\n"
     "Take a step of an optimiser in place; m and v may be None."},
    {"norms", (PyCFunction)(void (*)(void))vekt_py_norms, METH_FASTCALL,
     "norms(kind, x, y, axis, keepdims, /)\n--\n\n"
     "Return norms of an array, or cosines of two, along axes; NotImplemented for other dtypes."},
    {"scan", (PyCFunction)(void (*)(void))vekt_py_scan, METH_FASTCALL,
     "scan(op, x, axis, dtype, out, /)\n--\n\n"
     "Return running sums or products of an ndarray; NotImplemented for what is NumPy's."},
    {"reduce", (PyCFunction)(void (*)(void))vekt_py_reduce, METH_FASTCALL,
     "reduce(op, x, axis, dtype, out, keepdims, ddof=0, /)\n--\n\n"
     "Return a reduction of an ndarray along axes; NotImplemented for what is NumPy's."},
    {"outer", (PyCFunction)(void (*)(void))vekt_py_outer, METH_FASTCALL,
     "outer(a, b, out, /)\n--\n\n"
     "Return the outer product of two vectors of one dtype, float32 or float64, in out or a new array;\n"
     "NotImplemented for all else."},
    {"transpose_copy", (PyCFunction)(void (*)(void))vekt_py_transpose_copy, METH_FASTCALL,
     "transpose_copy(source, copy, /)\n--\n\n"
     "Copy an array to a contiguous one of its shape and dtype that does not overlap it, or a new one for None;\n"
     "NotImplemented for objects."},
    {"top_k", (PyCFunction)(void (*)(void))vekt_py_top_k, METH_FASTCALL,
     "top_k(x, k, /)\n--\n\nReturn the k greatest elements of contiguous rows, and their places."},
    {"take", (PyCFunction)(void (*)(void))vekt_py_take, METH_FASTCALL,
     "take(x, indices, axis, mode, out, /)\n--\n\n"
     "Return elements at places along an axis; NotImplemented for what is not plain."},
    {"scatter_add", (PyCFunction)(void (*)(void))vekt_py_scatter_add, METH_FASTCALL,
     "scatter_add(x, indices, values, axis, /)\n--\n\n"
     "Add values to x at places along an axis; NotImplemented for what is not plain, or cannot be added."},
    {NULL, NULL, 0, NULL},
};

const vekt_target *vekt_bound_target(PyObject *self) {
    return PyCapsule_CheckExact(self) ? PyCapsule_GetPointer(self, NULL) : vekt_selected;
}

static PyObject *build(PyObject *self, PyObject *args) {
    PyObject *address;
    const char *name;
    (void)self;
    if (!PyArg_ParseTuple(args, "Os:build", &address, &name)) return NULL;
    const vekt_target *target = vekt_target_of(address);
    if (!target) return NULL;
    PyMethodDef *definition = bindable;
    while (definition->ml_name && strcmp(definition->ml_name, name)) definition++;
    if (!definition->ml_name) return PyErr_Format(PyExc_KeyError, "no function '%s' to be bound", name);
    PyObject *capsule = PyCapsule_New((void *)target, NULL, NULL);
    if (!capsule) return NULL;
    PyObject *function = PyCFunction_New(definition, capsule);
    Py_DECREF(capsule);
    return function;
}

static PyObject *build_products(PyObject *self, PyObject *address) {
    (void)self;
    const vekt_target *target = vekt_target_of(address);
    return target ? vekt_build_products(target) : NULL;
}

static PyMethodDef methods[] = {
    {"connect", connect, METH_VARARGS,
     "connect(drivers, target, /)\n--\n\nTake the addresses of the drivers and of the target."},
    {"provide", provide, METH_VARARGS,
     "provide(name, object, /)\n--\n\nTake what Python does where C does not; vekt_py in bridge.h has the list."},
    {"watch", vekt_py_watch, METH_VARARGS,
     "watch(watcher, ufuncs, /)\n--\n\n"
     "Call watcher(function, args, kwargs, result) after each call, also of these ufuncs; None ends that."},
    {"watch_signals", watch_signals, METH_O,
     "watch_signals(seconds, /)\n--\n\n"
     "Let signals end long calls of this thread, which looks after them about as often."},
    {"build_ufunc", build_ufunc, METH_VARARGS,
     "build_ufunc(target, name, doc, n_params, /)\n--\n\nReturn the ufunc over a target's kernels of that name."},
    {"build", build, METH_VARARGS,
     "build(target, name, /)\n--\n\nReturn the module's function of this name over another target's kernels."},
    {"build_products", build_products, METH_O,
     "build_products(target, /)\n--\n\nReturn matmul and its kin over a target's kernels, by name."},
    {"kernel_operation", vekt_py_kernel_operation, METH_VARARGS,
     "kernel_operation(target, name, dtype, /)\n--\n\nReturn a target's kernel as an operation of the engine."},
    {"numpy_operation", vekt_py_numpy_operation, METH_VARARGS,
     "numpy_operation(ufunc, dtypes, cost, /)\n--\n\n"
     "Return the loop of NumPy's ufunc for exactly these dtypes as an operation; NotImplemented where there is "
     "none."},
    {"empty", vekt_py_empty, METH_VARARGS,
     "empty(shape, dtype, arrays, /)\n--\n\nA new array in NumPy's order \"K\" of arrays that broadcast to a shape."},
    {"keep_results", vekt_py_keep_results, METH_O,
     "keep_results(bytes, /)\n--\n\n"
     "Let at most so many bytes of large results wait for the next ones; 0 lets none."},
    {"kept_results", vekt_py_kept_results, METH_NOARGS, "kept_results()\n--\n\nHow many bytes wait."},
    {"call_aligned", (PyCFunction)(void (*)(void))vekt_py_call_aligned, METH_FASTCALL,
     "call_aligned(function, args, kwargs, /)\n--\n\n"
     "Call a function whose new arrays begin at multiples of 64 bytes."},
    {"call_halves", (PyCFunction)(void (*)(void))vekt_py_call_halves, METH_FASTCALL,
     "call_halves(ufunc, axis, /, *operands)\n--\n\n"
     "Call a kernel on operands and on the halves of the last; NotImplemented for what is not plain."},
    {"mark", (PyCFunction)(void (*)(void))vekt_py_mark, METH_FASTCALL,
     "mark(out, indices, one, /)\n--\n\nWrite one to places along the last axis, where there are such places."},
    {"retype_dlpack", vekt_py_retype_dlpack, METH_VARARGS,
     "retype_dlpack(capsule, from, to, /)\n--\n\n"
     "Change the type code of elements of 16 bits, where it is the one; tell whether it was."},
    {"prelu", (PyCFunction)(void (*)(void))vekt_py_prelu, METH_FASTCALL,
     "prelu(target, x, alpha, out, outer, period, inner, /)\n--\n\nRun the forward driver on contiguous arrays."},
    {"prelu_backward", (PyCFunction)(void (*)(void))vekt_py_prelu_backward, METH_FASTCALL,
     "prelu_backward(target, dy, x, alpha, dx, dalpha, outer, period, inner, /)\n--\n\n"
     "Run the backward driver on contiguous arrays."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "vekt._ufuncs", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC PyInit__ufuncs(void) {
    import_array();
    import_umath();
    PyObject *module = PyModule_Create(&definition);
    if (module && (PyModule_AddFunctions(module, bindable) < 0 || vekt_add_products(module) < 0 ||
                   vekt_add_dense(module) < 0 || vekt_add_dispatcher(module) < 0 || vekt_add_function(module) < 0 ||
                   vekt_add_programs(module) < 0 || vekt_add_passes(module) < 0))
        Py_CLEAR(module);
#ifdef Py_GIL_DISABLED
    if (module) PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
#endif
    return module;
}
