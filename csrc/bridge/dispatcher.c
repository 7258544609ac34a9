/* Dispatcher: the callable in front of the broadcast engine.  Calls that it has an operation for go straight there,
 * all others to a Python function. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "broadcast.h"
#include "callable.h"

#include <stddef.h>
#include <string.h>
#include <structmember.h>

static PyObject *call_fallback(const vekt_dispatcher *d, PyObject *const *args, Py_ssize_t n, PyObject *names) {
    if (d->fallback) return vekt_call_with(d->fallback, (PyObject *)d, args, n, names);
    PyErr_SetString(PyExc_RuntimeError, "this function has nothing to call: it has no fallback, or was collected");
    return NULL;
}

/* 0 for those that are left to the fallback. */
static int take_keyword(const vekt_dispatcher *d, Py_ssize_t n, PyObject *name, PyObject *value,
                        vekt_keywords *keywords) {
    if (PyUnicode_CompareWithASCIIString(name, "out") == 0) {
        keywords->outs = value == Py_None ? NULL : value;
        return n == d->nin;
    }
    if (!d->options) return 0;
    if (PyUnicode_CompareWithASCIIString(name, "where") == 0) {
        keywords->where = value == Py_True ? NULL : value;
        return 1;
    }
    keywords->dtype = value == Py_None ? NULL : value;
    return PyUnicode_CompareWithASCIIString(name, "dtype") == 0;
}

static PyObject *call(PyObject *self, PyObject *const *args, size_t n_args, PyObject *names) {
    const vekt_dispatcher *d = (const vekt_dispatcher *)self;
    const Py_ssize_t n = (Py_ssize_t)(n_args & ~VEKT_NAMED_OFFSET), n_names = names ? PyTuple_Size(names) : 0;
    vekt_keywords keywords = {NULL, NULL, NULL};
    int fast = n == d->nin;
    if (n == d->nin + 1 && d->positional_out) {
        keywords.outs = args[d->nin] == Py_None ? NULL : args[d->nin];
        fast = 1;
    }
    for (Py_ssize_t i = 0; i < n_names && fast; i++)
        fast = take_keyword(d, n, PyTuple_GetItem(names, i), args[n + i], &keywords);
    if (fast) {
        PyObject *result = vekt_broadcast_call(d, args, &keywords);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
    }
    return call_fallback(d, args, n, names);
}

static PyObject *call_vector(PyObject *self, PyObject *const *args, size_t n_args, PyObject *names) {
    return vekt_told(self, args, n_args, names, call(self, args, n_args, names));
}

static PyObject *call_tuple(PyObject *self, PyObject *positional, PyObject *keywords) {
    return vekt_call_tuple(call_vector, self, positional, keywords);
}

/* ---- what it can do ---- */

static const vekt_operation *operation_in(PyObject *capsule) { return PyCapsule_GetPointer(capsule, VEKT_OPERATION); }

/* NumPy's type number of a dtype, or the code of a type of Python's numbers. */
static int code_of(PyObject *object, int *code) {
    if (object == (PyObject *)&PyLong_Type) {
        *code = VEKT_WEAK_INT;
    } else if (object == (PyObject *)&PyFloat_Type) {
        *code = VEKT_WEAK_FLOAT;
    } else if (object == (PyObject *)&PyComplex_Type) {
        *code = VEKT_WEAK_COMPLEX;
    } else if (object == (PyObject *)&PyBool_Type) {
        *code = NPY_BOOL;
    } else if (PyArray_DescrCheck(object) && vekt_memory_type_of((PyArray_Descr *)object) >= 0) {
        *code = ((PyArray_Descr *)object)->type_num;
    } else {
        PyErr_Format(PyExc_TypeError, "add: %R is no dtype of the engine, nor bool, int, float or complex", object);
        return -1;
    }
    return 0;
}

static void free_entry(vekt_entry *e, int nout) {
    for (int j = 0; e->out && j < nout; j++) Py_XDECREF((PyObject *)e->out[j]);
    PyMem_Free(e->weak_type);
    PyMem_Free(e->out);
    Py_XDECREF(e->capsule);
    Py_XDECREF(e->after);
    PyMem_Free(e);
}

static vekt_entry *new_entry(const vekt_dispatcher *d, PyObject *capsule, const vekt_operation *operation) {
    vekt_entry *e = PyMem_Calloc(1, sizeof *e + ((size_t)d->nin + 1) * sizeof *e->signature);
    if (!e) return NULL;
    e->weak_type = PyMem_Calloc((size_t)d->nin, sizeof *e->weak_type);
    e->out = PyMem_Calloc((size_t)d->nout, sizeof(PyArray_Descr *));
    e->capsule = Py_NewRef(capsule);
    e->operation = operation;
    if (operation->nout == 1) e->select = vekt_select_loop(d->target, operation->type[operation->nin]);
    if (e->weak_type && e->out) return e;
    free_entry(e, d->nout);
    return NULL;
}

static int fill_entry(vekt_entry *e, const vekt_dispatcher *d, PyObject *signature, PyObject *outs, PyObject *weak,
                      PyObject *dtype) {
    int weak_type = -1;
    e->signature[d->nin] = NPY_NOTYPE;
    if (dtype && dtype != Py_None && code_of(dtype, &e->signature[d->nin]) < 0) return -1;
    if (weak && weak != Py_None) {
        if (!PyArray_DescrCheck(weak) || (weak_type = vekt_memory_type_of((PyArray_Descr *)weak)) < 0) {
            PyErr_SetString(PyExc_TypeError, "add: weak is not a dtype of the engine");
            return -1;
        }
    }
    for (int j = 0; j < d->nin; j++) {
        if (code_of(PyTuple_GetItem(signature, j), &e->signature[j]) < 0) return -1;
        const uint8_t own = e->operation->type[j]; /* truth is asked of any number */
        e->weak_type[j] = weak_type < 0 || own == VEKT_TYPE_BOOL ? own : (uint8_t)weak_type;
    }
    for (int j = 0; j < d->nout; j++) {
        PyObject *descr = PyTuple_GetItem(outs, j);
        if (!PyArray_DescrCheck(descr) || vekt_memory_type_of((PyArray_Descr *)descr) < 0) {
            PyErr_SetString(PyExc_TypeError, "add: a result is not of a dtype of the engine");
            return -1;
        }
        e->out[j] = (PyArray_Descr *)Py_NewRef(descr);
    }
    return 0;
}

/* A pair of a number of elements and a function, which is called when so many have gone through the operation. */
static int set_after(vekt_entry *e, PyObject *after) {
    if (!after) return 0;
    Py_ssize_t left;
    PyObject *function;
    if (!PyArg_ParseTuple(after, "nO:after", &left, &function)) return -1;
    e->left = left;
    e->after = Py_NewRef(function);
    if (left > 0) return 0;
    PyErr_SetString(PyExc_ValueError, "add: after how many elements?");
    return -1;
}

/* In the place of one of the same signature, or as the last one.  By one thread at a time; -1 without memory. */
static int put(vekt_dispatcher *d, vekt_entry *e) {
    vekt_table *table = d->table;
    const int n = d->n_entries;
    for (int i = 0; i < n; i++) {
        if (memcmp(table->entry[i]->signature, e->signature, (size_t)(d->nin + 1) * sizeof *e->signature) != 0)
            continue;
        e->replaced = table->entry[i];
        table->entry[i] = e;
        return 0;
    }
    if (!table || table->room == n) {
        const int room = n ? 2 * n : 8;
        vekt_table *larger = PyMem_Malloc(sizeof *larger + (size_t)room * sizeof *larger->entry);
        if (!larger) return -1;
        larger->former = table;
        larger->room = room;
        for (int i = 0; i < n; i++) atomic_init(&larger->entry[i], table->entry[i]);
        d->table = table = larger;
    }
    table->entry[n] = e;
    d->n_entries = n + 1;
    return 0;
}

static PyObject *add(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"signature", "operation", "out_dtypes", "weak", "dtype", "after", NULL};
    vekt_dispatcher *d = (vekt_dispatcher *)self;
    PyObject *signature, *capsule, *outs, *weak = NULL, *dtype = NULL, *after = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!OO!|OOO!:add", names, &PyTuple_Type, &signature, &capsule,
                                     &PyTuple_Type, &outs, &weak, &dtype, &PyTuple_Type, &after))
        return NULL;
    const vekt_operation *operation = operation_in(capsule);
    if (!operation) return NULL;
    const int nout = d->nout ? d->nout : operation->nout;
    if (PyTuple_Size(signature) != d->nin || operation->nin != d->nin || operation->nout != nout ||
        PyTuple_Size(outs) != nout)
        return PyErr_Format(PyExc_ValueError, "add: %d inputs and %d outputs expected", d->nin, nout);
    d->nout = nout;
    vekt_entry *e = new_entry(d, capsule, operation);
    if (!e) return PyErr_NoMemory();
    if (fill_entry(e, d, signature, outs, weak, dtype) < 0 || set_after(e, after) < 0) {
        free_entry(e, d->nout);
        return NULL;
    }
    int status;
    VEKT_BEGIN_ALONE(self);
    status = put(d, e);
    VEKT_END_ALONE();
    if (status == 0) Py_RETURN_NONE;
    free_entry(e, d->nout);
    return PyErr_NoMemory();
}

static PyObject *run(PyObject *self, PyObject *args) {
    const vekt_dispatcher *d = (const vekt_dispatcher *)self;
    PyObject *capsule, *inputs, *outs, *from[VEKT_MAX_OPERANDS], *to[VEKT_MAX_OPERANDS];
    if (!PyArg_ParseTuple(args, "OO!O!:run", &capsule, &PyTuple_Type, &inputs, &PyTuple_Type, &outs)) return NULL;
    const vekt_operation *operation = operation_in(capsule);
    if (!operation) return NULL;
    if (PyTuple_Size(inputs) != operation->nin || PyTuple_Size(outs) != operation->nout)
        return PyErr_Format(PyExc_ValueError, "run: %d inputs and %d outputs expected", operation->nin,
                            operation->nout);
    for (int j = 0; j < operation->nin; j++) from[j] = PyTuple_GetItem(inputs, j);
    for (int j = 0; j < operation->nout; j++) to[j] = PyTuple_GetItem(outs, j);
    if (vekt_broadcast_run(d, operation, from, to) < 0) return NULL;
    Py_RETURN_NONE;
}

/* By its name, as functions are pickled, unless what stands behind it knows better. */
static PyObject *reduce(PyObject *self, PyObject *unused) {
    PyObject *fallback = ((vekt_dispatcher *)self)->fallback;
    (void)unused;
    if (fallback && PyObject_HasAttrString(fallback, "reduced"))
        return PyObject_CallMethod(fallback, "reduced", "O", self);
    return vekt_callable_reduce(self, NULL);
}

/* ---- what users do to a ufunc ---- */

static PyObject *of_ufunc(PyObject *self, void *name) {
    PyObject *describe = vekt_python(VEKT_PY_ATTRIBUTE);
    return describe ? PyObject_CallFunction(describe, "Os", self, name) : NULL;
}

static PyGetSetDef attributes[] = {
    {"types", of_ufunc, NULL, "Types of inputs and outputs, as ufuncs tell them.", "types"},
    {"ntypes", of_ufunc, NULL, "Number of types.", "ntypes"},
    {"nargs", of_ufunc, NULL, "Number of inputs and outputs.", "nargs"},
    {"identity", of_ufunc, NULL, "The number that changes nothing, or None.", "identity"},
    {"signature", of_ufunc, NULL, "None: the function works element by element.", "signature"},
    {"resolve_dtypes", of_ufunc, NULL, "The method of NumPy's ufunc that tells dtypes of results.", "resolve_dtypes"},
    {NULL, NULL, NULL, NULL, NULL},
};

/* ---- the type ---- */

static PyObject *create(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"name", "nin", "nout", "fallback", "doc", "target", "options", NULL};
    PyObject *name, *fallback, *doc, *address = NULL;
    int nin, nout, options = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "UiiOO|Op:Dispatcher", names, &name, &nin, &nout, &fallback,
                                     &doc, &address, &options))
        return NULL;
    if (nin < 1 || nout < 0 || nin > VEKT_MAX_OPERANDS || nout > VEKT_MAX_OPERANDS - nin)
        return PyErr_Format(PyExc_ValueError, "Dispatcher: %d operands at most, an input at least",
                            VEKT_MAX_OPERANDS);
    const vekt_target *target = address ? vekt_target_of(address) : vekt_selected;
    if (!target) return NULL;
    vekt_dispatcher *d = (vekt_dispatcher *)PyType_GenericAlloc(type, 0);
    if (!d) return NULL;
    d->call = call_vector;
    d->attributes = PyDict_New();
    d->fallback = fallback == Py_None ? NULL : Py_NewRef(fallback);
    d->target = target;
    d->nin = nin;
    d->nout = nout;
    d->positional_out = nout == 1;
    d->options = options;
    if (!d->attributes || PyDict_SetItemString(d->attributes, "__name__", name) < 0 ||
        PyDict_SetItemString(d->attributes, "__qualname__", name) < 0 ||
        PyDict_SetItemString(d->attributes, "__doc__", doc) < 0)
        Py_CLEAR(d);
    return (PyObject *)d;
}

static int traverse(PyObject *self, visitproc visit, void *arg) {
    const vekt_dispatcher *d = (const vekt_dispatcher *)self;
    Py_VISIT(d->attributes);
    Py_VISIT(d->fallback);
    for (int i = 0; i < d->n_entries; i++)
        for (const vekt_entry *e = d->table->entry[i]; e; e = e->replaced) Py_VISIT(e->after);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int clear(PyObject *self) {
    vekt_dispatcher *d = (vekt_dispatcher *)self;
    Py_CLEAR(d->attributes);
    Py_CLEAR(d->fallback);
    for (int i = 0; i < d->n_entries; i++) {
        for (vekt_entry *e = d->table->entry[i]; e; e = e->replaced) {
            e->left = 0;
            Py_XDECREF(atomic_exchange(&e->after, NULL));
        }
    }
    return 0;
}

static void deallocate(PyObject *self) {
    vekt_dispatcher *d = (vekt_dispatcher *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (d->weak) PyObject_ClearWeakRefs(self);
    clear(self);
    for (int i = 0; i < d->n_entries; i++) {
        for (vekt_entry *e = d->table->entry[i], *replaced; e; e = replaced) {
            replaced = e->replaced;
            free_entry(e, d->nout);
        }
    }
    for (vekt_table *table = d->table, *former; table; table = former) {
        former = table->former;
        PyMem_Free(table);
    }
    PyObject_GC_Del(self);
    Py_DECREF((PyObject *)type);
}

static PyMethodDef methods[] = {
    {"add", (PyCFunction)(void (*)(void))add, METH_VARARGS | METH_KEYWORDS,
     "add($self, /, signature, operation, out_dtypes, weak=None, dtype=None, after=...)\n--\n\n"
     "Run this operation on inputs of a signature: dtypes, or bool, int, float or complex for Python's numbers.  "
     "Those "
     "become\n"
     "`weak` first, by default what the operation takes.  With `dtype`, for calls that ask for it.  `after` is a "
     "number of elements and a function, which is\n"
     "called, once, when calls have come to so many: it may add another operation."},
    {"run", run, METH_VARARGS, "run($self, operation, inputs, outs, /)\n--\n\nRun an operation on tuples of arrays."},
    {"__reduce__", reduce, METH_NOARGS, NULL},
    {"__copy__", vekt_callable_copy, METH_NOARGS, NULL},
    {"__deepcopy__", vekt_callable_copy, METH_O, NULL},
    VEKT_UFUNC_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(vekt_dispatcher, call), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(vekt_dispatcher, weak), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(vekt_dispatcher, attributes), READONLY, NULL},
    {"nin", T_INT, offsetof(vekt_dispatcher, nin), READONLY, "Number of inputs."},
    {"nout", T_INT, offsetof(vekt_dispatcher, nout), READONLY, "Number of outputs."},
    {"refuses_negative", T_BOOL, offsetof(vekt_dispatcher, refuses_negative), 0,
     "Is a negative last input an error where the result is an integer?"},
    {"keeps_arrays", T_BOOL, offsetof(vekt_dispatcher, keeps_arrays), 0,
     "Whether results without dimensions are arrays, not scalars."},
    {"fallback", T_OBJECT, offsetof(vekt_dispatcher, fallback), READONLY, "What other calls go to."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Dispatcher(name, nin, nout, fallback, doc, target=..., options=False)\n--\n\n"
                "A function on arrays, broadcast to one shape.  Calls for which it has no operation go to\n"
                "fallback(self, args, kwargs).  The first operation tells nout where that is 0; out is then "
                "given by name alone.  With options, where= and dtype= are those of ufuncs."},
    {Py_tp_new, create},
    VEKT_CALLABLE_SLOTS,
};

int vekt_add_dispatcher(PyObject *module) {
    return vekt_add_callable(module, "vekt._ufuncs.Dispatcher", sizeof(vekt_dispatcher), slots);
}
