/* Sums, means, extremes, positions and truth of NumPy arrays; vekt.reductions knows what they are called, and leaves
 * the rest to NumPy. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "broadcast.h"
#include "engine/iterate.h"

typedef struct {
    PyArrayObject *x;      /* owned */
    PyArray_Descr *result; /* owned */
    int is_complex, keepdims;
    int marks[VEKT_MAX_DIMS]; /* axes that are reduced */
    int ndim;                 /* of the result */
    npy_intp shape[VEKT_MAX_DIMS];
    vekt_dim dims[VEKT_MAX_DIMS + 1];
    vekt_reduce_call call;
} work;

/* The type of real numbers in memory, or -1. */
static int type_of(const PyArray_Descr *descr) {
    const int type = vekt_memory_type_of(descr);
    return type < VEKT_TYPE_C64 ? type : -1;
}

/* Does a float of this type hold those of the other? */
static int holds(int type, int other) {
    if (other == VEKT_TYPE_HALF || other == VEKT_TYPE_BFLOAT16)
        return type == other || type == VEKT_TYPE_F32 || type == VEKT_TYPE_F64;
    return type == VEKT_TYPE_F64 || (type == VEKT_TYPE_F32 && other == VEKT_TYPE_F32);
}

/* Is this a complex type of two floats or doubles? */
static int is_complex_type(const PyArray_Descr *descr) {
    return descr->type_num == NPY_CFLOAT || descr->type_num == NPY_CDOUBLE;
}

/* NumPy's result types, or the dtype asked for where it holds the numbers. */
int vekt_choose_sum(PyArray_Descr *native, PyArray_Descr *asked, int mean, PyArray_Descr **result, int *type,
                    int *out_type) {
    const int is_complex = is_complex_type(native);
    *type = type_of(native);
    if (is_complex) *type = native->type_num == NPY_CFLOAT ? VEKT_TYPE_F32 : VEKT_TYPE_F64;
    if (*type < 0 || (asked && is_complex)) return 0;
    const int is_float = *type >= VEKT_TYPE_HALF;
    if (!asked && is_float) {
        *result = native;
        Py_INCREF((PyObject *)native);
        *out_type = *type;
        return 1;
    }
    const int is_unsigned =
        *type == VEKT_TYPE_U8 || *type == VEKT_TYPE_U16 || *type == VEKT_TYPE_U32 || *type == VEKT_TYPE_U64;
    *result = asked;
    Py_XINCREF((PyObject *)asked);
    if (!asked) *result = PyArray_DescrFromType(mean ? NPY_DOUBLE : is_unsigned ? NPY_UINT64 : NPY_INT64);
    *out_type = type_of(*result);
    if (*out_type < 0 || !PyArray_ISNBO((*result)->byteorder)) return 0;
    if (is_float) return holds(*out_type, *type);
    return *out_type == VEKT_TYPE_F64 || (!mean && (*out_type == VEKT_TYPE_I64 || *out_type == VEKT_TYPE_U64));
}

static int choose_sum(work *w, PyArray_Descr *native, PyArray_Descr *asked) {
    return vekt_choose_sum(native, asked, w->call.op == VEKT_REDUCE_MEAN, &w->result, &w->call.type,
                           &w->call.out_type);
}

/* Of these, integers have the plain kind. */
static int plain_kind(int op) {
    static const uint8_t plain[] = {
        [VEKT_REDUCE_NANSUM] = VEKT_REDUCE_SUM, [VEKT_REDUCE_NANMEAN] = VEKT_REDUCE_MEAN,
        [VEKT_REDUCE_NANMAX] = VEKT_REDUCE_MAX, [VEKT_REDUCE_NANMIN] = VEKT_REDUCE_MIN,
        [VEKT_REDUCE_NANVAR] = VEKT_REDUCE_VAR, [VEKT_REDUCE_NANSTD] = VEKT_REDUCE_STD,
    };
    return op >= VEKT_REDUCE_NANSUM ? plain[op] : op;
}

/* Variances, and means with them, are floats: as choose_sum(). */
static int choose_moments(work *w, PyArray_Descr *native, PyArray_Descr *asked) {
    vekt_reduce_call *c = &w->call;
    const int is_float = c->type >= VEKT_TYPE_HALF;
    if (asked && w->is_complex) return 0;
    w->result = asked ? asked : is_float ? native : PyArray_DescrFromType(NPY_DOUBLE);
    if (asked || is_float) Py_INCREF((PyObject *)w->result);
    c->out_type = w->is_complex ? c->type : type_of(w->result);
    if (c->out_type < VEKT_TYPE_HALF || !PyArray_ISNBO(w->result->byteorder)) return 0;
    return is_float ? holds(c->out_type, c->type) : c->out_type == VEKT_TYPE_F64;
}

/* Chooses what to compute and the dtype of the result; 0 where NumPy is to do it. */
static int choose(work *w, PyArray_Descr *native, PyArray_Descr *asked) {
    vekt_reduce_call *c = &w->call;
    c->type = type_of(native);
    w->is_complex = is_complex_type(native);
    if (w->is_complex) c->type = native->type_num == NPY_CFLOAT ? VEKT_TYPE_F32 : VEKT_TYPE_F64;
    if (c->type < 0) return 0;
    const int is_float = c->type >= VEKT_TYPE_HALF;
    if (!is_float) c->op = plain_kind(c->op);
    switch (c->op) {
    case VEKT_REDUCE_NANSUM:
    case VEKT_REDUCE_PROD:
        if (w->is_complex) return 0;
        __attribute__((fallthrough));
    case VEKT_REDUCE_SUM:
    case VEKT_REDUCE_MEAN:
        return choose_sum(w, native, asked);
    case VEKT_REDUCE_NANMEAN:
    case VEKT_REDUCE_NANVAR:
    case VEKT_REDUCE_NANSTD:
        if (w->is_complex) return 0;
        __attribute__((fallthrough));
    case VEKT_REDUCE_VAR:
    case VEKT_REDUCE_STD:
    case VEKT_REDUCE_MOMENTS:
        return choose_moments(w, native, asked);
    case VEKT_REDUCE_NANMAX:
    case VEKT_REDUCE_NANMIN:
        w->result = native;
        Py_INCREF((PyObject *)native);
        c->out_type = c->type;
        return !w->is_complex && !asked;
    case VEKT_REDUCE_COUNT_NONZERO:
        w->result = PyArray_DescrFromType(NPY_INTP);
        c->out_type = VEKT_TYPE_I64;
        return !w->is_complex && !asked && sizeof(npy_intp) == 8;
    case VEKT_REDUCE_MAX:
    case VEKT_REDUCE_MIN:
        if (c->type == VEKT_TYPE_BOOL) c->op = c->op == VEKT_REDUCE_MAX ? VEKT_REDUCE_ANY : VEKT_REDUCE_ALL;
        w->result = native;
        Py_INCREF((PyObject *)native);
        c->out_type = c->type;
        return !w->is_complex && !asked;
    case VEKT_REDUCE_ANY:
    case VEKT_REDUCE_ALL:
        w->result = PyArray_DescrFromType(NPY_BOOL);
        c->out_type = VEKT_TYPE_BOOL;
        return !asked && !(w->is_complex && c->op == VEKT_REDUCE_ALL);
    default:
        w->result = PyArray_DescrFromType(NPY_INTP);
        c->out_type = VEKT_TYPE_I64;
        return !w->is_complex && !asked && sizeof(npy_intp) == 8;
    }
}

/* Dimensions of the call, with the steps of `out` or of a contiguous result.  Returns how many elements there are. */
static npy_intp set_dims(work *w, PyArrayObject *out) {
    vekt_reduce_call *c = &w->call;
    const int ndim = PyArray_NDIM(w->x);
    npy_intp out_step = PyDataType_ELSIZE(w->result);
    int kept = 0, reduced;
    c->n_outer = 0;
    for (int i = 0; i < ndim; i++) kept += !w->marks[i];
    /* Parts of complex numbers are lines of their own where they are summed, and elements where truth is asked. */
    const int parts_kept = w->is_complex && c->op != VEKT_REDUCE_ANY;
    c->n_outer = reduced = kept + parts_kept;
    int k = w->ndim;
    for (int i = ndim - 1; i >= 0; i--) {
        const npy_intp size = PyArray_DIM(w->x, i), step = size == 1 ? 0 : PyArray_STRIDE(w->x, i);
        if (w->marks[i]) {
            k -= w->keepdims;
            continue;
        }
        k--;
        w->dims[--kept] = (vekt_dim){size, {step, 0, out ? PyArray_STRIDE(out, k) : out_step}};
        out_step *= size;
    }
    for (int i = 0; i < ndim; i++) {
        const npy_intp size = PyArray_DIM(w->x, i);
        if (w->marks[i]) w->dims[reduced++] = (vekt_dim){size, {size == 1 ? 0 : PyArray_STRIDE(w->x, i), 0, 0}};
    }
    if (w->is_complex) {
        const npy_intp item = c->type == VEKT_TYPE_F32 ? 4 : 8;
        w->dims[parts_kept ? c->n_outer - 1 : reduced++] = (vekt_dim){2, {item, 0, parts_kept ? item : 0}};
    }
    c->n_inner = reduced - c->n_outer;
    c->dims = w->dims;
    c->x = PyArray_BYTES(w->x);
    return PyArray_SIZE(w->x);
}

static int run(const vekt_target *target, const work *w, npy_intp elements) {
    PyThreadState *released = vekt_release_gil(elements >= VEKT_RELEASED_ELEMENTS);
    return vekt_take_gil(released, vekt_connected->reduce(target, &w->call));
}

/* Is this an array to which the result can be written as it is formed? */
static int fits(const work *w, PyArrayObject *out) {
    if (!PyArray_CheckExact((PyObject *)out) || !PyArray_ISWRITEABLE(out) || PyArray_NDIM(out) != w->ndim) return 0;
    if (!PyArray_EquivTypes(PyArray_DESCR(out), w->result)) return 0;
    for (int i = 0; i < w->ndim; i++) {
        if (PyArray_DIM(out, i) != w->shape[i]) return 0;
    }
    return PyArray_EquivArrTypes(out, out) && !PyArray_ISBYTESWAPPED(out);
}

static int is_position(const work *w) { return w->call.op == VEKT_REDUCE_ARGMAX || w->call.op == VEKT_REDUCE_ARGMIN; }

/* In the order of the axes that are left, as NumPy's; positions are in that of C. */
static PyArrayObject *new_result(const work *w) {
    ptrdiff_t step[1][VEKT_MAX_DIMS];
    for (int i = 0, k = 0; i < PyArray_NDIM(w->x); i++) {
        if (w->marks[i] && !w->keepdims) continue;
        step[0][k++] = w->marks[i] || PyArray_DIM(w->x, i) == 1 ? 0 : PyArray_STRIDE(w->x, i);
    }
    return vekt_new_in_order(w->result, w->ndim, w->shape, !is_position(w), (const ptrdiff_t (*)[VEKT_MAX_DIMS])step);
}

/* Means and variances: a tuple of both. */
static PyObject *compute_both(const vekt_target *target, work *w) {
    PyArrayObject *mean = new_result(w), *variance = mean ? new_result(w) : NULL;
    if (variance) {
        w->call.out = PyArray_BYTES(mean), w->call.second = PyArray_BYTES(variance);
        if (run(target, w, set_dims(w, mean)) == 0) /* which takes both over, and makes 0-d ones scalars */
            return Py_BuildValue("(NN)", PyArray_Return(mean), PyArray_Return(variance));
    }
    Py_XDECREF((PyObject *)mean);
    Py_XDECREF((PyObject *)variance);
    return NULL;
}

static PyObject *compute(const vekt_target *target, work *w, PyObject *given) {
    for (int i = 0; i < PyArray_NDIM(w->x); i++) {
        if (!w->marks[i] || w->keepdims) w->shape[w->ndim++] = w->marks[i] ? 1 : PyArray_DIM(w->x, i);
    }
    if (w->call.op == VEKT_REDUCE_MOMENTS) return compute_both(target, w);
    if (given != Py_None) {
        PyArrayObject *out = (PyArrayObject *)given;
        if (!PyArray_Check(given) || !fits(w, out)) Py_RETURN_NOTIMPLEMENTED;
        w->call.out = PyArray_BYTES(out);
        if (run(target, w, set_dims(w, out)) < 0) return NULL;
        Py_INCREF(given);
        return given;
    }
    if (w->ndim == 0) { /* PyArray_Return of a 0-d array takes twice as long */
        double number[2];
        w->call.out = (char *)number;
        return run(target, w, set_dims(w, NULL)) < 0 ? NULL : PyArray_Scalar(number, w->result, NULL);
    }
    PyArrayObject *made = new_result(w);
    if (!made) return NULL;
    w->call.out = PyArray_BYTES(made);
    if (run(target, w, set_dims(w, made)) == 0) return (PyObject *)made;
    Py_DECREF((PyObject *)made);
    return NULL;
}

/* Axes as NumPy takes them, where this function does: 1.  0: NumPy is to see them; -1: an error. */
static int choose_axes(work *w, PyObject *axis) {
    if (PyTuple_Check(axis) && (is_position(w) || PyTuple_Size(axis) == 0)) return 0;
    if (PyBool_Check(axis)) return 0; /* NumPy's error */
    return vekt_mark_axes(axis, PyArray_NDIM(w->x), w->marks) < 0 ? -1 : 1;
}

/* Are there no more elements in a line than ddof?  NumPy warns of that. */
static int lacks_freedom(const work *w) {
    npy_intp n = 1;
    for (int i = 0; i < PyArray_NDIM(w->x); i++) n *= w->marks[i] ? PyArray_DIM(w->x, i) : 1;
    return (double)n <= w->call.ddof && w->call.op < VEKT_REDUCE_NANSUM;
}

/* Do complex numbers lie next to each other, as the parts of one do?  `reduced`: those that are reduced to one. */
static int has_rows(const work *w, int reduced) {
    const npy_intp item = PyArray_ITEMSIZE(w->x);
    for (int i = 0; i < PyArray_NDIM(w->x); i++) {
        const npy_intp step = PyArray_DIM(w->x, i) > 1 ? PyArray_STRIDE(w->x, i) : 0;
        if (w->marks[i] ? step == item || step == -item : step == item && !reduced) return 1;
        if (step == 0 && PyArray_DIM(w->x, i) > 1) return !reduced; /* stretched: not to be copied */
    }
    return 0;
}

/* Complex numbers are reduced as rows of their parts: others are copied to rows, or left to NumPy: 0. */
static int bring_parts_together(work *w) {
    const int truth = w->call.op == VEKT_REDUCE_ANY;
    if (!w->is_complex || has_rows(w, truth)) return 1;
    if (truth) return 0;
    PyArrayObject *copy = (PyArrayObject *)PyArray_NewCopy(w->x, NPY_KEEPORDER);
    Py_DECREF((PyObject *)w->x);
    w->x = copy;
    return copy ? 1 : -1;
}

/* `asked` is NULL, or the dtype of the result. */
static PyObject *reduce(const vekt_target *target, work *w, PyObject *x, PyObject *axis, PyArray_Descr *asked,
                        PyObject *out) {
    PyArray_Descr *native = PyArray_DESCR((PyArrayObject *)x);
    if (PyArray_SIZE((PyArrayObject *)x) == 0 || PyArray_NDIM((PyArrayObject *)x) == 0) Py_RETURN_NOTIMPLEMENTED;
    if (PyArray_ISNBO(native->byteorder))
        Py_INCREF((PyObject *)native);
    else
        native = PyArray_DescrNewByteorder(native, NPY_NATIVE);
    if (!native) return NULL;
    PyObject *made = NULL;
    if (!choose(w, native, asked)) {
        made = Py_NotImplemented;
        Py_INCREF(made);
    } else if (native == PyArray_DESCR((PyArrayObject *)x)) {
        w->x = (PyArrayObject *)x;
        Py_INCREF(x);
    } else {
        Py_INCREF((PyObject *)native);
        w->x = (PyArrayObject *)PyArray_FromArray((PyArrayObject *)x, native, NPY_ARRAY_FORCECAST);
    }
    Py_DECREF((PyObject *)native);
    if (!w->x) return made;
    int axes = choose_axes(w, axis);
    if (axes > 0 && w->call.ddof > 0 && lacks_freedom(w)) axes = 0;
    const int brought = axes > 0 ? bring_parts_together(w) : axes;
    if (brought > 0) return compute(target, w, out);
    if (brought < 0) return NULL;
    Py_RETURN_NOTIMPLEMENTED;
}

PyObject *vekt_py_reduce(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    if (n_args != 6 && n_args != 7)
        return PyErr_Format(PyExc_TypeError, "reduce() takes 6 or 7 arguments (%zd given)", n_args);
    work w;
    w.x = NULL, w.result = NULL, w.ndim = 0;
    w.call = (vekt_reduce_call){.op = (int)PyLong_AsLong(args[0])};
    if (n_args == 7) w.call.ddof = PyFloat_AsDouble(args[6]);
    w.keepdims = vekt_keepdims(args[5]);
    if (PyErr_Occurred()) return NULL;
    if (!PyArray_CheckExact(args[1]) || w.call.op < 0 || w.call.op >= VEKT_N_REDUCE_OPS)
        return PyErr_Format(PyExc_TypeError, "reduce: expected an operation and an ndarray");
    PyArray_Descr *asked = NULL;
    if (args[3] != Py_None && !PyArray_DescrConverter(args[3], &asked)) return NULL;
    const vekt_target *target = vekt_bound_target(self);
    PyObject *made = reduce(target, &w, args[1], args[2], asked, args[4]);
    Py_XDECREF((PyObject *)asked);
    Py_XDECREF((PyObject *)w.x);
    Py_XDECREF((PyObject *)w.result);
    return made;
}
