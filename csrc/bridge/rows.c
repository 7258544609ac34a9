/* The functions of rows on NumPy arrays: dtypes, axes, masks and outputs.  vekt_rows takes any layout as it is. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

#include <math.h>
#include <string.h>

const char vekt_rows_doc[] =
    "rows($module, name, x, y, axis, keepdims, where, out, dtype, /)\n"
    "--\n"
    "\n"
    "Call the function of rows of this name.  x is dy for the backward functions, y their second\n"
    "operand and None for the others; where, out and dtype may be None.";

/* What the operands of a function mean. */
enum form {
    ELEMENTS,    /* x to an array of its shape */
    REDUCTION,   /* x to one number for each row */
    FROM_OUTPUT, /* dy and y */
    FROM_INPUT   /* one dy for each row, and x */
};

typedef struct {
    const char *name;
    enum form form;
    int op, negate;
} function;

static const function functions[] = {
    {"softmax", ELEMENTS, VEKT_SOFTMAX, 0},
    {"softmin", ELEMENTS, VEKT_SOFTMAX, 1},
    {"log_softmax", ELEMENTS, VEKT_LOG_SOFTMAX, 0},
    {"logsumexp", REDUCTION, VEKT_LOGSUMEXP, 0},
    {"sparsemax", ELEMENTS, VEKT_SPARSEMAX, 0},
    {"softmax_backward", FROM_OUTPUT, VEKT_SOFTMAX_BACKWARD, 0},
    {"softmin_backward", FROM_OUTPUT, VEKT_SOFTMAX_BACKWARD, 1},
    {"log_softmax_backward", FROM_OUTPUT, VEKT_LOG_SOFTMAX_BACKWARD, 0},
    {"logsumexp_backward", FROM_INPUT, VEKT_LOGSUMEXP_BACKWARD, 0},
    {"sparsemax_backward", FROM_OUTPUT, VEKT_SPARSEMAX_BACKWARD, 0},
};

typedef struct {
    const function *f;
    const vekt_target *target;
    PyArrayObject *array[VEKT_ROWS_OPERANDS]; /* owned; VEKT_ROWS_SCALAR also for the result of a reduction */
    PyArray_Descr *descr;                     /* owned: the dtype of computation and result */
    PyObject *out;                            /* borrowed: the caller's, or NULL */
    int ndim, keepdims;
    int reduced[VEKT_MAX_DIMS];
    vekt_rows_call call;
} work;

/* ---- operands --------------------------------------------------------------------------------------------- */

/* Native descriptor in which this dtype computes (new), and its numbers for the kernels. */
static PyArray_Descr *computing_descr(work *w, PyArray_Descr *descr, const char *name) {
    const int type = descr->type_num;
    if (vekt_float_of(descr, &w->call.dtype, &w->call.format))
        return type < NPY_USERDEF ? PyArray_DescrFromType(type) : PyArray_DescrNewByteorder(descr, NPY_NATIVE);
    if (PyTypeNum_ISINTEGER(type) || type == NPY_BOOL) {
        w->call.dtype = VEKT_F64;
        return PyArray_DescrFromType(NPY_DOUBLE);
    }
    PyErr_Format(PyExc_TypeError, "%s: %s has dtype %S; expected a real dtype up to float64", w->f->name, name,
                 (PyObject *)descr);
    return NULL;
}

/* The dtype of two operands (new).  bfloat16 counts as float32 beside what it does not hold, as in the ufuncs: NumPy
 * cannot promote it with all dtypes. */
static PyArray_Descr *common_descr(PyArray_Descr *a, PyArray_Descr *b) {
    if (a == b) {
        Py_INCREF((PyObject *)a);
        return a;
    }
    const int narrow = vekt_holds_bfloat16(a);
    if (narrow == vekt_holds_bfloat16(b)) return PyArray_PromoteTypes(a, b);
    PyArray_Descr *own = narrow ? a : b, *other = narrow ? b : a;
    if (other->type_num <= NPY_UBYTE) { /* bool and 8 bits */
        Py_INCREF((PyObject *)own);
        return own;
    }
    PyArray_Descr *single = PyArray_DescrFromType(NPY_FLOAT), *common = PyArray_PromoteTypes(single, other);
    Py_DECREF((PyObject *)single);
    return common;
}

static int is_weak(PyObject *object) {
    return PyFloat_CheckExact(object) || PyLong_CheckExact(object) || PyBool_Check(object);
}

/* Sets w->descr from dtype= or from the operands. */
static int choose_dtype(work *w, PyObject *dtype, PyObject *dy) {
    PyArrayObject *x = w->array[VEKT_ROWS_X];
    PyArrayObject *other = w->array[w->f->form == FROM_INPUT ? VEKT_ROWS_SCALAR : VEKT_ROWS_Y];
    PyArray_Descr *descr = NULL, *checked = computing_descr(w, PyArray_DESCR(x), "x");
    if (!checked) return -1;
    Py_DECREF((PyObject *)checked);
    if (other) {
        checked = computing_descr(w, PyArray_DESCR(other), w->f->form == FROM_INPUT ? "dy" : "y");
        if (!checked) return -1;
        Py_DECREF((PyObject *)checked);
    }
    if (dtype != Py_None) {
        if (!PyArray_DescrConverter(dtype, &descr)) return -1;
        int real = descr->type_num == NPY_HALF || descr->type_num == NPY_FLOAT || descr->type_num == NPY_DOUBLE;
        if (!real && !vekt_holds_bfloat16(descr)) {
            PyErr_Format(PyExc_TypeError, "%s: dtype must be a float dtype up to float64, not %S", w->f->name,
                         (PyObject *)descr);
            Py_DECREF((PyObject *)descr);
            return -1;
        }
    } else if (other && dy && is_weak(dy)) {
        descr = PyArray_DESCR(w->f->form == FROM_INPUT ? x : other);
        Py_INCREF((PyObject *)descr);
    } else if (other) {
        descr = common_descr(PyArray_DESCR(x), PyArray_DESCR(other));
    } else {
        descr = PyArray_DESCR(x);
        Py_INCREF((PyObject *)descr);
    }
    if (!descr) return -1;
    w->descr = computing_descr(w, descr, "x");
    Py_DECREF((PyObject *)descr);
    return w->descr ? 0 : -1;
}

/* Replaces an operand by a copy where its dtype or byte order is another. */
static int convert(work *w, int k) {
    PyArrayObject *array = w->array[k];
    if (!array || PyArray_EquivTypes(PyArray_DESCR(array), w->descr)) return 0;
    Py_INCREF((PyObject *)w->descr);
    PyObject *converted = PyArray_FromArray(array, w->descr, NPY_ARRAY_FORCECAST);
    if (!converted) return -1;
    Py_DECREF((PyObject *)array);
    w->array[k] = (PyArrayObject *)converted;
    return 0;
}

/* ---- shapes ----------------------------------------------------------------------------------------------- */

/* The array whose shape the rows have. */
static PyArrayObject *whole(const work *w) { return w->array[w->f->form == FROM_OUTPUT ? VEKT_ROWS_Y : VEKT_ROWS_X]; }

/* The shape of one number for each row. */
static int reduced_shape(const work *w, npy_intp *shape) {
    int ndim = 0;
    for (int i = 0; i < w->ndim; i++) {
        if (!w->reduced[i])
            shape[ndim++] = PyArray_DIM(whole(w), i);
        else if (w->keepdims)
            shape[ndim++] = 1;
    }
    return ndim;
}

static int shape_error(const work *w, const char *name, PyArrayObject *array, int ndim, const npy_intp *shape,
                       const char *demand) {
    PyObject *got = PyObject_GetAttrString((PyObject *)array, "shape");
    PyObject *expected = PyArray_IntTupleFromIntp(ndim, (npy_intp *)shape);
    if (got && expected)
        PyErr_Format(PyExc_ValueError, "%s: %s of shape %S %s %S", w->f->name, name, got, demand, expected);
    Py_XDECREF(got);
    Py_XDECREF(expected);
    return -1;
}

/* Steps of an operand over the dimensions of the rows; those along which it is broadcast have step 0. */
static int set_steps(work *w, int k, const char *name) {
    PyArrayObject *array = w->array[k];
    vekt_rows_call *c = &w->call;
    npy_intp shape[VEKT_MAX_DIMS];
    int per_row = k == VEKT_ROWS_SCALAR, to_axis[VEKT_MAX_DIMS], ndim = w->ndim;
    if (!array) return 0;
    for (int i = 0; i < w->ndim; i++) shape[i] = PyArray_DIM(whole(w), i), to_axis[i] = i;
    if (per_row) {
        ndim = reduced_shape(w, shape);
        for (int i = 0, j = 0; i < w->ndim; i++) {
            if (w->keepdims || !w->reduced[i]) to_axis[j++] = i;
        }
    }
    npy_intp step[VEKT_MAX_DIMS] = {0};
    int shift = ndim - PyArray_NDIM(array);
    if (shift < 0) return shape_error(w, name, array, ndim, shape, "does not broadcast to");
    for (int i = shift; i < ndim; i++) {
        npy_intp size = PyArray_DIM(array, i - shift);
        if (size != shape[i] && size != 1) return shape_error(w, name, array, ndim, shape, "does not broadcast to");
        step[to_axis[i]] = size == 1 ? 0 : PyArray_STRIDE(array, i - shift);
    }
    for (int i = 0, outer = 0, inner = c->n_outer; i < w->ndim; i++)
        c->steps[k][w->reduced[i] ? inner++ : outer++] = step[i];
    c->data[k] = PyArray_BYTES(array);
    return 0;
}

static void set_shape(work *w) {
    vekt_rows_call *c = &w->call;
    for (int i = 0; i < w->ndim; i++) {
        if (w->reduced[i])
            c->n_inner++;
        else
            c->n_outer++;
    }
    for (int i = 0, outer = 0, inner = c->n_outer; i < w->ndim; i++)
        c->shape[w->reduced[i] ? inner++ : outer++] = PyArray_DIM(whole(w), i);
}

/* ---- the output ------------------------------------------------------------------------------------------- */

static void extent(PyArrayObject *a, const char **low, const char **high) {
    *low = *high = PyArray_BYTES(a);
    *high += PyArray_ITEMSIZE(a);
    for (int i = 0; i < PyArray_NDIM(a); i++) {
        npy_intp span = (PyArray_DIM(a, i) - 1) * PyArray_STRIDE(a, i);
        if (PyArray_DIM(a, i) == 0) span = 0;
        if (span < 0)
            *low += span;
        else
            *high += span;
    }
}

/* Could writing to out change what is still to be read of the input?  Not where each element falls on itself, of an
 * input with as many elements. */
static int disturbs(PyArrayObject *in, PyArrayObject *out, int elementwise) {
    const char *in_low, *in_high, *out_low, *out_high;
    if (!in) return 0;
    extent(in, &in_low, &in_high);
    extent(out, &out_low, &out_high);
    if (in_high <= out_low || out_high <= in_low) return 0;
    if (!elementwise || PyArray_BYTES(in) != PyArray_BYTES(out) || PyArray_NDIM(in) != PyArray_NDIM(out)) return 1;
    for (int i = 0; i < PyArray_NDIM(in); i++) {
        if (PyArray_DIM(in, i) != PyArray_DIM(out, i)) return 1;
        if (PyArray_DIM(in, i) > 1 && PyArray_STRIDE(in, i) != PyArray_STRIDE(out, i)) return 1;
    }
    return PyArray_ITEMSIZE(in) != PyArray_ITEMSIZE(out);
}

static int check_out(const work *w, PyObject *out, int ndim, const npy_intp *shape) {
    if (!PyArray_Check(out)) {
        PyErr_Format(PyExc_TypeError, "%s: out must be an array, not %R", w->f->name, (PyObject *)Py_TYPE(out));
        return -1;
    }
    PyArrayObject *array = (PyArrayObject *)out;
    if (PyArray_FailUnlessWriteable(array, "out") < 0) return -1;
    if (PyArray_NDIM(array) != ndim || !PyArray_CompareLists(PyArray_DIMS(array), shape, ndim))
        return shape_error(w, "out", array, ndim, shape, "does not fit a result of shape");
    if (!PyArray_CanCastTypeTo(w->descr, PyArray_DESCR(array), NPY_SAME_KIND_CASTING)) {
        PyErr_Format(PyExc_TypeError, "%s: a result of dtype %S cannot be cast to out's %S", w->f->name,
                     (PyObject *)w->descr, (PyObject *)PyArray_DESCR(array));
        return -1;
    }
    return 0;
}

/* The array that the kernels write to: the caller's out, or a new one. */
static int provide_out(work *w) {
    const int k = w->f->form == REDUCTION ? VEKT_ROWS_SCALAR : VEKT_ROWS_OUT;
    npy_intp shape[VEKT_MAX_DIMS];
    int ndim = w->ndim;
    if (w->f->form == REDUCTION)
        ndim = reduced_shape(w, shape);
    else
        for (int d = 0; d < ndim; d++) shape[d] = PyArray_DIM(whole(w), d);
    if (w->out) {
        PyArrayObject *out = (PyArrayObject *)w->out;
        if (check_out(w, w->out, ndim, shape) < 0) return -1;
        int direct = PyArray_EquivTypes(PyArray_DESCR(out), w->descr);
        for (int j = 0; j < VEKT_ROWS_OPERANDS && direct; j++)
            direct = !disturbs(w->array[j], out, j == VEKT_ROWS_X || j == VEKT_ROWS_Y);
        if (direct) {
            Py_INCREF(w->out);
            w->array[k] = out;
            return 0;
        }
    }
    Py_INCREF((PyObject *)w->descr);
    if (w->f->form == REDUCTION)
        w->array[k] = (PyArrayObject *)vekt_new_array(w->descr, ndim, shape, NULL);
    else
        w->array[k] = (PyArrayObject *)vekt_new_like(whole(w), w->descr);
    return w->array[k] ? 0 : -1;
}

/* ---- the call --------------------------------------------------------------------------------------------- */

static int compute(work *w) {
    PyArrayObject *array = whole(w);
    if (w->f->form == REDUCTION && PyArray_SIZE(array) == 0) {
        PyObject *lowest = PyFloat_FromDouble(-(double)INFINITY);
        const int status = lowest ? PyArray_FillWithScalar(w->array[VEKT_ROWS_SCALAR], lowest) : -1;
        Py_XDECREF(lowest);
        return status;
    }
    PyThreadState *released = vekt_release_gil(PyArray_SIZE(array) >= VEKT_RELEASED_ROWS);
    return vekt_take_gil(released, vekt_connected->rows(w->target, &w->call));
}

static PyObject *result(work *w) {
    PyArrayObject *made = w->array[w->f->form == REDUCTION ? VEKT_ROWS_SCALAR : VEKT_ROWS_OUT];
    if (!w->out) {
        Py_INCREF((PyObject *)made);
        return PyArray_Return(made);
    }
    if ((PyObject *)made != w->out && PyArray_CopyInto((PyArrayObject *)w->out, made) < 0) return NULL;
    Py_INCREF(w->out);
    return w->out;
}

/* A bool array that broadcasts; NULL without an error where nothing is masked. */
static PyArrayObject *as_mask(PyObject *where) {
    if (where == Py_None || where == Py_True) return NULL;
    return (PyArrayObject *)PyArray_FROM_OT(where, NPY_BOOL);
}

static int prepare(work *w, PyObject *const *args) {
    PyObject *x = args[1], *y = args[2], *axis = args[3], *where = args[5], *dtype = args[7];
    const int two = w->f->form == FROM_OUTPUT || w->f->form == FROM_INPUT;
    w->call.op = w->f->op;
    w->call.negate = w->f->negate;
    w->out = args[6] == Py_None ? NULL : args[6];
    if (w->out && PyTuple_Check(w->out) && PyTuple_Size(w->out) == 1) w->out = PyTuple_GetItem(w->out, 0);
    w->keepdims = vekt_keepdims(args[4]);
    if (w->keepdims < 0) return -1;
    const int first = w->f->form == FROM_INPUT ? VEKT_ROWS_SCALAR : VEKT_ROWS_X;
    const int second = w->f->form == FROM_INPUT ? VEKT_ROWS_X : VEKT_ROWS_Y;
    w->array[first] = vekt_plain_array(x, w->f->name, two ? "dy" : "x");
    if (!w->array[first]) return -1;
    if (two && !(w->array[second] = vekt_plain_array(y, w->f->name, w->f->form == FROM_INPUT ? "x" : "y"))) return -1;
    w->array[VEKT_ROWS_WHERE] = as_mask(where);
    if (PyErr_Occurred()) return -1;
    if (choose_dtype(w, dtype, two ? x : NULL) < 0) return -1;
    if (convert(w, first) < 0 || convert(w, second) < 0) return -1;
    w->ndim = PyArray_NDIM(whole(w));
    if (vekt_mark_axes(axis, w->ndim, w->reduced) < 0) return -1;
    set_shape(w);
    const char *names[VEKT_ROWS_OPERANDS] = {w->f->form == FROM_OUTPUT ? "dy" : "x", "y", "where", "dy", "out"};
    for (int k = 0; k < VEKT_ROWS_OUT; k++) {
        if (set_steps(w, k, names[k]) < 0) return -1;
    }
    if (provide_out(w) < 0) return -1;
    return set_steps(w, w->f->form == REDUCTION ? VEKT_ROWS_SCALAR : VEKT_ROWS_OUT, "out");
}

static const function *find(PyObject *name) {
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (PyUnicode_Check(name) && !PyUnicode_CompareWithASCIIString(name, functions[i].name)) return &functions[i];
    }
    PyErr_Format(PyExc_ValueError, "rows: no function %R", name);
    return NULL;
}

PyObject *vekt_py_rows(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    if (n_args != 8) return PyErr_Format(PyExc_TypeError, "rows() takes 8 arguments (%zd given)", n_args);
    work w;
    memset(&w, 0, offsetof(work, reduced));
    memset(&w.call, 0, offsetof(vekt_rows_call, steps));
    w.target = vekt_bound_target(self);
    w.f = find(args[0]);
    PyObject *made = w.f && prepare(&w, args) == 0 && compute(&w) == 0 ? result(&w) : NULL;
    for (int k = 0; k < VEKT_ROWS_OPERANDS; k++) Py_XDECREF((PyObject *)w.array[k]);
    Py_XDECREF((PyObject *)w.descr);
    return made;
}
