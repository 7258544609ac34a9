/* Function: a public function with parameters, in front of the ufuncs among which these choose. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "function.h"

#include <stddef.h>
#include <structmember.h>

static const char *const option_text[VEKT_N_OPTIONS] = {"out", "where", "dtype"};
PyObject *vekt_option_name[VEKT_N_OPTIONS];
PyObject *vekt_option_names[1 << VEKT_N_OPTIONS];

/* ---- what users do to a ufunc ---- */

/* float16, float32 and float64; bfloat16 has no letter of NumPy's. */
static PyObject *get_types(PyObject *self, void *unused) {
    const vekt_function *f = (const vekt_function *)self;
    PyObject *types = PyList_New(0);
    (void)unused;
    for (const char *letter = "efd"; *letter && types; letter++) {
        char text[2 * VEKT_MAX_ARGS + 3], *to = text;
        for (int i = 0; i < f->nin; i++) *to++ = *letter;
        *to++ = '-';
        *to++ = '>';
        for (int i = 0; i < f->nout; i++) *to++ = *letter;
        PyObject *type = PyUnicode_FromStringAndSize(text, to - text);
        if (!type || PyList_Append(types, type) < 0) Py_CLEAR(types);
        Py_XDECREF(type);
    }
    return types;
}

static PyObject *get_count(PyObject *self, void *of_types) {
    const vekt_function *f = (const vekt_function *)self;
    return PyLong_FromLong(of_types ? 3 : f->nin + f->nout);
}

static PyObject *get_none(PyObject *self, void *unused) {
    (void)self;
    (void)unused;
    Py_RETURN_NONE;
}

static PyObject *call_tuple(PyObject *self, PyObject *positional, PyObject *keywords) {
    return vekt_call_tuple(vekt_function_call, self, positional, keywords);
}

static PyGetSetDef attributes[] = {
    {"types", get_types, NULL, "Types of inputs and outputs, as ufuncs tell them.", NULL},
    {"ntypes", get_count, NULL, "Number of types.", "types"},
    {"nargs", get_count, NULL, "Number of inputs and outputs.", NULL},
    {"identity", get_none, NULL, "None: no number changes nothing.", NULL},
    {"signature", get_none, NULL, "None: the function works element by element.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* ---- the type ---- */

static int fill_parameter(vekt_parameter *p, PyObject *given) {
    PyObject *name, *value, *for_none;
    if (!PyArg_ParseTuple(given, "UOpdO:Function", &name, &value, &p->is_flag, &p->least, &for_none)) return -1;
    p->name = Py_NewRef(name);
    PyUnicode_InternInPlace(&p->name);
    p->value = Py_NewRef(value);
    p->for_none = for_none == Py_None ? NULL : Py_NewRef(for_none);
    return 0;
}

/* (ufunc, flags, taken): for each parameter True, False or None; the places of those that the ufunc takes. */
static int fill_choice(vekt_function *f, vekt_choice *c, PyObject *given) {
    PyObject *flags, *taken;
    if (!PyArg_ParseTuple(given, "O!O!O!:Function", &PyUFunc_Type, &c->ufunc, &PyTuple_Type, &flags, &PyTuple_Type,
                          &taken)) {
        c->ufunc = NULL;
        return -1;
    }
    Py_INCREF(c->ufunc);
    const PyUFuncObject *u = (const PyUFuncObject *)c->ufunc;
    c->n_taken = (int)PyTuple_Size(taken);
    if (PyTuple_Size(flags) != f->n_params || u->nin != f->nin + c->n_taken || (f->nout && f->nout != u->nout)) {
        PyErr_SetString(PyExc_ValueError, "Function: a ufunc with other inputs or outputs");
        return -1;
    }
    f->nout = u->nout;
    for (int i = 0; i < f->n_params; i++) {
        PyObject *flag = PyTuple_GetItem(flags, i);
        c->flag[i] = flag == Py_True ? 1 : flag == Py_False ? 0 : -1;
        if (!f->param[i].is_flag) c->left_out |= 1U << i;
    }
    for (int k = 0; k < c->n_taken; k++) {
        const long place = PyLong_AsLong(PyTuple_GetItem(taken, k));
        if (place < 0 || place >= f->n_params) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "Function: no such parameter");
            return -1;
        }
        c->taken[k] = (int)place;
        c->left_out &= ~(1U << place);
    }
    return 0;
}

static int fill(vekt_function *f, PyObject *operands, PyObject *params, PyObject *choices) {
    const Py_ssize_t n_params = PyTuple_Size(params), n_choices = PyTuple_Size(choices);
    f->nin = (int)PyTuple_Size(operands);
    if (f->nin < 1 || f->nin + n_params >= VEKT_MAX_ARGS || n_choices < 1) {
        PyErr_Format(PyExc_ValueError, "Function: an operand, a ufunc and less than %d inputs expected",
                     VEKT_MAX_ARGS);
        return -1;
    }
    f->operands = Py_NewRef(operands);
    for (; f->n_params < n_params; f->n_params++)
        if (fill_parameter(&f->param[f->n_params], PyTuple_GetItem(params, f->n_params)) < 0) return -1;
    f->choices = PyMem_Calloc((size_t)n_choices, sizeof *f->choices);
    if (!f->choices) return PyErr_NoMemory(), -1;
    for (; f->n_choices < n_choices;) {
        vekt_choice *c = &f->choices[f->n_choices++];
        if (fill_choice(f, c, PyTuple_GetItem(choices, f->n_choices - 1)) < 0) return -1;
    }
    return 0;
}

static PyObject *create(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"name", "operands", "params", "choices", NULL};
    PyObject *name, *operands, *params, *choices;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "UO!O!O!:Function", names, &name, &PyTuple_Type, &operands,
                                     &PyTuple_Type, &params, &PyTuple_Type, &choices))
        return NULL;
    vekt_function *f = (vekt_function *)PyType_GenericAlloc(type, 0);
    if (!f) return NULL;
    f->call = vekt_function_call;
    f->name = Py_NewRef(name);
    f->attributes = PyDict_New();
    if (!f->attributes || PyDict_SetItemString(f->attributes, "__name__", name) < 0 ||
        PyDict_SetItemString(f->attributes, "__qualname__", name) < 0 || fill(f, operands, params, choices) < 0)
        Py_CLEAR(f);
    return (PyObject *)f;
}

static int traverse(PyObject *self, visitproc visit, void *arg) {
    const vekt_function *f = (const vekt_function *)self;
    Py_VISIT(f->attributes);
    Py_VISIT(f->operands);
    for (int i = 0; i < f->n_params; i++) Py_VISIT(f->param[i].value);
    for (int i = 0; i < f->n_choices; i++) Py_VISIT(f->choices[i].ufunc);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

/* Only what users hang on it can close a circle; the rest stays, since a call may be on its way. */
static int clear(PyObject *self) {
    Py_CLEAR(((vekt_function *)self)->attributes);
    return 0;
}

static void deallocate(PyObject *self) {
    vekt_function *f = (vekt_function *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (f->weak) PyObject_ClearWeakRefs(self);
    clear(self);
    for (int i = 0; i < f->n_choices; i++) Py_XDECREF(f->choices[i].ufunc);
    PyMem_Free(f->choices);
    for (int i = 0; i < f->n_params; i++) {
        Py_XDECREF(f->param[i].name);
        Py_XDECREF(f->param[i].value);
        Py_XDECREF(f->param[i].for_none);
    }
    Py_XDECREF(f->operands);
    Py_XDECREF(f->name);
    PyObject_GC_Del(self);
    Py_DECREF((PyObject *)type);
}

static PyMethodDef methods[] = {
    {"chosen", vekt_function_chosen, METH_O,
     "chosen($self, parameters, /)\n--\n\nThe ufunc that serves these parameters, and which of them it takes."},
    {"__reduce__", vekt_callable_reduce, METH_NOARGS, NULL},
    {"__copy__", vekt_callable_copy, METH_NOARGS, NULL},
    {"__deepcopy__", vekt_callable_copy, METH_O, NULL},
    VEKT_UFUNC_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(vekt_function, call), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(vekt_function, weak), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(vekt_function, attributes), READONLY, NULL},
    {"nin", T_INT, offsetof(vekt_function, nin), READONLY, "Number of inputs, without the parameters."},
    {"nout", T_INT, offsetof(vekt_function, nout), READONLY, "Number of outputs."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Function(name, operands, params, choices)\n--\n\n"
                "A function of operands and parameters: positional ones, parameters by name too, and out, where\n"
                "and dtype by name.  The first of the choices that serves the parameters is called."},
    {Py_tp_new, create},
    VEKT_CALLABLE_SLOTS,
};

static int make_names(void) {
    for (int i = 0; i < VEKT_N_OPTIONS; i++)
        if (!(vekt_option_name[i] = PyUnicode_InternFromString(option_text[i]))) return -1;
    for (unsigned given = 1; given < 1U << VEKT_N_OPTIONS; given++) {
        PyObject *list = PyList_New(0);
        int status = list ? 0 : -1;
        for (int i = 0; i < VEKT_N_OPTIONS && status == 0; i++)
            if (given >> i & 1) status = PyList_Append(list, vekt_option_name[i]);
        vekt_option_names[given] = status == 0 ? PyList_AsTuple(list) : NULL;
        Py_XDECREF(list);
        if (!vekt_option_names[given]) return -1;
    }
    return 0;
}

int vekt_add_function(PyObject *module) {
    return make_names() == 0 ? vekt_add_callable(module, "vekt._ufuncs.Function", sizeof(vekt_function), slots) : -1;
}
