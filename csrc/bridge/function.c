/* Calls of a Function: operands and parameters, sorted out on the way to one of its ufuncs. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "function.h"

#include <math.h>

/* ---- arguments ---- */

static int is_operand(const vekt_function *f, PyObject *name) {
    for (int i = 0; i < f->nin; i++)
        if (PyUnicode_Compare(PyTuple_GetItem(f->operands, i), name) == 0) return 1;
    return 0;
}

static int refuse_keyword(const vekt_function *f, PyObject *name) {
    const char *what =
        is_operand(f, name) ? "as keyword the positional-only argument" : "an unexpected keyword argument";
    PyErr_Format(PyExc_TypeError, "%S() got %s '%S'", f->name, what, name);
    return -1;
}

static int refuse_count(const vekt_function *f, Py_ssize_t n, PyObject *names) {
    const int most = f->nin + f->n_params;
    if (n > most) {
        PyErr_Format(PyExc_TypeError, "%S() takes from %d to %d positional arguments but %zd were given", f->name,
                     f->nin, most, n);
        return -1;
    }
    for (Py_ssize_t i = 0; names && i < PyTuple_Size(names); i++)
        if (is_operand(f, PyTuple_GetItem(names, i))) return refuse_keyword(f, PyTuple_GetItem(names, i));
    PyErr_Format(PyExc_TypeError, "%S() missing required positional argument: '%S'", f->name,
                 PyTuple_GetItem(f->operands, n));
    return -1;
}

/* The place of a name among the parameters, then the options; -1 for none.  Nearly all names are interned. */
static int place_of(const vekt_function *f, PyObject *name) {
    for (int i = 0; i < f->n_params; i++)
        if (f->param[i].name == name) return i;
    for (int i = 0; i < VEKT_N_OPTIONS; i++)
        if (vekt_option_name[i] == name) return f->n_params + i;
    for (int i = 0; i < f->n_params; i++)
        if (PyUnicode_Compare(f->param[i].name, name) == 0) return i;
    for (int i = 0; i < VEKT_N_OPTIONS; i++)
        if (PyUnicode_Compare(vekt_option_name[i], name) == 0) return f->n_params + i;
    return -1;
}

static int take_keyword(const vekt_function *f, Py_ssize_t n, PyObject *name, PyObject *given, PyObject **values,
                        PyObject **options) {
    const int place = place_of(f, name);
    if (place < 0) return refuse_keyword(f, name);
    if (place >= f->n_params) {
        const int neutral = given == (place - f->n_params == VEKT_WHERE ? Py_True : Py_None);
        options[place - f->n_params] = neutral ? NULL : given;
        return 0;
    }
    if (place < n - f->nin) {
        PyErr_Format(PyExc_TypeError, "%S() got multiple values for argument '%S'", f->name, name);
        return -1;
    }
    values[place] = given;
    return 0;
}

/* Python's bool, or NumPy's; all else is refused, since "none" would be true. */
static int take_flag(const vekt_parameter *p, PyObject **value) {
    if (*value == Py_False || *value == Py_True) return 0;
    if (PyArray_IsScalar(*value, Bool)) {
        *value = PyObject_IsTrue(*value) ? Py_True : Py_False;
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "%U must be a bool, not %R", p->name, *value);
    return -1;
}

/* A parameter with a bound; *owned gets what has to be released after the call. */
static int take_bounded(const vekt_function *f, const vekt_parameter *p, PyObject **value, PyObject **owned) {
    if (*value == p->value || (PyFloat_CheckExact(*value) && PyFloat_AsDouble(*value) >= p->least)) return 0;
    PyObject *at_least = vekt_python(VEKT_PY_AT_LEAST);
    *owned = at_least ? PyObject_CallFunction(at_least, "OOOd", f->name, p->name, *value, p->least) : NULL;
    if (!*owned) return -1;
    *value = *owned;
    return 0;
}

/* Checks all parameters; `owned` is for release(). */
static int check(const vekt_function *f, PyObject **values, PyObject **owned) {
    int status = 0;
    for (int i = 0; i < f->n_params; i++) {
        const vekt_parameter *p = &f->param[i];
        owned[i] = NULL;
        if (status == 0 && p->is_flag) status = take_flag(p, &values[i]);
        if (status == 0 && p->least > -INFINITY) status = take_bounded(f, p, &values[i], &owned[i]);
    }
    return status;
}

static void release(const vekt_function *f, PyObject **owned) {
    for (int i = 0; i < f->n_params; i++) Py_XDECREF(owned[i]);
}

/* ---- the choice ---- */

/* A number that equals the default is it; arrays never are. */
static int is_default(const vekt_parameter *p, PyObject *value) {
    if (value == p->value) return 1;
    return (PyFloat_CheckExact(value) || PyLong_CheckExact(value)) &&
           PyObject_RichCompareBool(value, p->value, Py_EQ) == 1;
}

static int serves(const vekt_function *f, const vekt_choice *c, PyObject *const *values) {
    for (int i = 0; i < f->n_params; i++) {
        if (f->param[i].is_flag && c->flag[i] >= 0 && (values[i] == Py_True) != c->flag[i]) return 0;
        if ((c->left_out >> i & 1) && !is_default(&f->param[i], values[i])) return 0;
    }
    return 1;
}

/* The last one serves where no other does. */
static const vekt_choice *choose(const vekt_function *f, PyObject *const *values) {
    const vekt_choice *c = f->choices;
    while (c < f->choices + f->n_choices - 1 && !serves(f, c, values)) c++;
    return c;
}

static PyObject *value_for(const vekt_parameter *p, PyObject *value) {
    return value == Py_None && p->for_none ? p->for_none : value;
}

static PyObject *call_chosen(const vekt_function *f, PyObject *const *args, PyObject *const *values,
                             PyObject *const *options) {
    PyObject *stack[1 + VEKT_MAX_ARGS + VEKT_N_OPTIONS], **to = stack + 1; /* the first place is the callee's */
    const vekt_choice *c = choose(f, values);
    for (int i = 0; i < f->nin; i++) *to++ = args[i];
    for (int k = 0; k < c->n_taken; k++) *to++ = value_for(&f->param[c->taken[k]], values[c->taken[k]]);
    const size_t n = (size_t)(to - stack - 1);
    unsigned given = 0;
    for (int i = 0; i < VEKT_N_OPTIONS; i++) {
        if (!options[i]) continue;
        given |= 1U << i;
        *to++ = options[i];
    }
    if (!given) {
        PyObject *result = vekt_call_direct(c->ufunc, stack + 1);
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
    }
    vekt_vectorcall call = (vekt_vectorcall)((PyUFuncObject *)c->ufunc)->vectorcall;
    return call(c->ufunc, stack + 1, n | VEKT_NAMED_OFFSET, given ? vekt_option_names[given] : NULL);
}

static PyObject *call(PyObject *self, PyObject *const *args, size_t n_args, PyObject *names) {
    const vekt_function *f = (const vekt_function *)self;
    const Py_ssize_t n = (Py_ssize_t)(n_args & ~VEKT_NAMED_OFFSET), n_names = names ? PyTuple_Size(names) : 0;
    PyObject *values[VEKT_MAX_PARAMS], *owned[VEKT_MAX_PARAMS], *options[VEKT_N_OPTIONS] = {NULL}, *result = NULL;
    if (n < f->nin || n > f->nin + f->n_params) return refuse_count(f, n, names), NULL;
    for (int i = 0; i < f->n_params; i++) values[i] = f->nin + i < n ? args[f->nin + i] : f->param[i].value;
    for (Py_ssize_t i = 0; i < n_names; i++)
        if (take_keyword(f, n, PyTuple_GetItem(names, i), args[n + i], values, options) < 0) return NULL;
    if (check(f, values, owned) == 0) result = call_chosen(f, args, values, options);
    release(f, owned);
    return result;
}

PyObject *vekt_function_call(PyObject *self, PyObject *const *args, size_t n_args, PyObject *names) {
    return vekt_told(self, args, n_args, names, call(self, args, n_args, names));
}

PyObject *vekt_function_chosen(PyObject *self, PyObject *named) {
    const vekt_function *f = (const vekt_function *)self;
    PyObject *values[VEKT_MAX_PARAMS], *owned[VEKT_MAX_PARAMS], *key, *value, *taken = NULL;
    Py_ssize_t position = 0;
    if (!PyDict_Check(named)) return PyErr_Format(PyExc_TypeError, "chosen: a dict of parameters expected");
    for (int i = 0; i < f->n_params; i++) values[i] = f->param[i].value;
    while (PyDict_Next(named, &position, &key, &value)) {
        const int place = PyUnicode_Check(key) ? place_of(f, key) : -1;
        if (place < 0 || place >= f->n_params)
            return PyErr_Format(PyExc_TypeError, "%S has no parameter %R", f->name, key);
        values[place] = value;
    }
    const vekt_choice *c = check(f, values, owned) == 0 ? choose(f, values) : NULL;
    if (c) taken = PyTuple_New(c->n_taken);
    for (int k = 0; taken && k < c->n_taken; k++)
        PyTuple_SetItem(taken, k, Py_NewRef(value_for(&f->param[c->taken[k]], values[c->taken[k]])));
    release(f, owned);
    return taken ? Py_BuildValue("ON", c->ufunc, taken) : NULL;
}
