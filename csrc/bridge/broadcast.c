/* Calls of a Dispatcher: plain arrays and numbers, whose types it has an operation for, on their way to vekt_iterate.
 */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "broadcast.h"

#include <string.h>

/* One call on its way. */
typedef struct {
    vekt_iteration it;
    const vekt_target *target;
    int nin, nout;
    PyArrayObject *input[VEKT_MAX_OPERANDS], *output[VEKT_MAX_OPERANDS]; /* NULL for a number; outputs are owned */
    PyArrayObject *copy[VEKT_MAX_OPERANDS];                              /* of inputs, owned */
    vekt_value value[VEKT_MAX_OPERANDS];
    npy_intp elements;
    int masks; /* is there a mask among the inputs? */
    vekt_masked masked;
} call;

static void release(call *c) {
    for (int j = 0; j < c->nin; j++) Py_XDECREF((PyObject *)c->copy[j]);
    for (int j = 0; j < c->nout; j++) Py_XDECREF((PyObject *)c->output[j]);
}

/* ---- inputs ---- */

/* Of an array's elements as they lie in memory. */
static uint8_t type_in_memory(PyArrayObject *a) {
    const int swapped = PyArray_ISNOTSWAPPED(a) ? 0 : VEKT_SWAPPED,
              unaligned = PyArray_ISALIGNED(a) ? 0 : VEKT_UNALIGNED;
    return (uint8_t)(vekt_memory_type_of(PyArray_DESCR(a)) | swapped | unaligned);
}

/* Type number or weak code of an input, and NumPy scalars' values; NPY_NOTYPE for what is not for us. */
static int classify(call *c, int j, PyObject *object) {
    c->input[j] = NULL;
    if (PyArray_CheckExact(object)) {
        c->input[j] = (PyArrayObject *)object;
        return PyArray_TYPE(c->input[j]);
    }
    if (PyFloat_CheckExact(object)) return VEKT_WEAK_FLOAT;
    if (PyLong_CheckExact(object)) return VEKT_WEAK_INT;
    if (PyComplex_CheckExact(object)) return VEKT_WEAK_COMPLEX;
    if (PyBool_Check(object)) {
        c->value[j].bytes[0] = object == Py_True;
        return NPY_BOOL;
    }
    return vekt_take_scalar(object, &c->value[j]);
}

static vekt_entry *look_up(const vekt_dispatcher *d, const int *signature) {
    const int n = atomic_load_explicit(&d->n_entries, memory_order_acquire);
    const vekt_table *table = atomic_load_explicit(&d->table, memory_order_acquire);
    for (int i = 0; i < n; i++) {
        vekt_entry *e = atomic_load_explicit(&table->entry[i], memory_order_acquire);
        if (memcmp(e->signature, signature, (size_t)(d->nin + 1) * sizeof *signature) == 0) return e;
    }
    return NULL;
}

/* The common shape, and the inputs' steps along it.  0 where they have none. */
static int broadcast(call *c) {
    const int nin = c->nin;
    int ndim = 0;
    for (int j = 0; j < nin; j++) {
        if (c->input[j] && PyArray_NDIM(c->input[j]) > ndim) ndim = PyArray_NDIM(c->input[j]);
    }
    if (ndim > VEKT_MAX_DIMS) return 0;
    c->it.ndim = ndim;
    for (int i = 0; i < ndim; i++) c->it.shape[i] = 1;
    for (int j = 0; j < nin; j++) {
        ptrdiff_t *step = c->it.step[j];
        const int own = c->input[j] ? PyArray_NDIM(c->input[j]) : 0, ahead = ndim - own;
        for (int i = 0; i < ahead; i++) step[i] = 0;
        if (!own) continue;
        const npy_intp *shape = PyArray_DIMS(c->input[j]), *strides = PyArray_STRIDES(c->input[j]);
        for (int i = 0; i < own; i++) {
            const npy_intp n = shape[i];
            step[ahead + i] = n == 1 ? 0 : strides[i];
            if (n == 1 || n == c->it.shape[ahead + i]) continue;
            if (c->it.shape[ahead + i] != 1) return 0;
            c->it.shape[ahead + i] = n;
        }
    }
    c->elements = 1;
    for (int i = 0; i < ndim; i++) c->elements *= c->it.shape[i];
    return 1;
}

static void point_to(call *c, int j) { c->it.data[j] = c->input[j] ? PyArray_BYTES(c->input[j]) : c->value[j].bytes; }

/* ---- outputs ---- */

/* Each element on itself? */
static int coincides(const call *c, int in, int out) {
    if (c->it.data[in] != c->it.data[out] ||
        vekt_connected->type_bytes(c->it.type[in]) != vekt_connected->type_bytes(c->it.type[out]))
        return 0;
    for (int i = 0; i < c->it.ndim; i++) {
        if (c->it.shape[i] != 1 && c->it.step[in][i] != c->it.step[out][i]) return 0;
    }
    return 1;
}

/* How results of this type come into an array, of an operation that computes in `computed`. */
enum { NEVER, DIRECTLY, BY_A_COPY };

static int way_out(const call *c, PyObject *object, PyArray_Descr *descr, int computed) {
    if (!PyArray_CheckExact(object)) return NEVER;
    PyArrayObject *out = (PyArrayObject *)object;
    if (!PyArray_ISWRITEABLE(out) || PyArray_NDIM(out) != c->it.ndim ||
        !PyArray_CompareLists(PyArray_DIMS(out), c->it.shape, c->it.ndim) || !vekt_is_injective(out))
        return NEVER;
    if (PyArray_TYPE(out) == descr->type_num) return DIRECTLY;
    if (vekt_memory_type_of(PyArray_DESCR(out)) < 0) return NEVER;
    /* Another type: rounded to the result's first, which the engine leaves out where it computes in a wider one. */
    const int rounded = vekt_memory_type_of(descr) == computed;
    if (!PyArray_CanCastTypeTo(descr, PyArray_DESCR(out), rounded ? NPY_SAME_KIND_CASTING : NPY_SAFE_CASTING))
        return NEVER;
    return rounded ? DIRECTLY : c->nout == 1 && !c->masks ? BY_A_COPY : NEVER;
}

static void put_output(call *c, int j) {
    const int k = c->nin + j;
    PyArrayObject *out = c->output[j];
    c->it.type[k] = type_in_memory(out);
    c->it.data[k] = PyArray_BYTES(out);
    for (int i = 0; i < c->it.ndim; i++) c->it.step[k][i] = PyArray_STRIDE(out, i);
}

/* Copies inputs that share memory with an output.  -1 with an error, 0 where outputs share memory. */
static int separate(call *c) {
    for (int j = 0; j < c->nout; j++) {
        for (int i = 0; i < j; i++) {
            if (vekt_may_overlap(c->output[i], c->output[j])) return 0;
        }
        for (int i = 0; i < c->nin; i++) {
            PyArrayObject *in = c->input[i];
            if (!in || c->copy[i] || !vekt_may_overlap(in, c->output[j]) || coincides(c, i, c->nin + j)) continue;
            c->copy[i] = (PyArrayObject *)PyArray_NewCopy(in, NPY_KEEPORDER);
            if (!c->copy[i]) return -1;
            c->input[i] = c->copy[i];
            c->it.type[i] = type_in_memory(c->copy[i]);
            point_to(c, i);
            const int ahead = c->it.ndim - PyArray_NDIM(c->copy[i]);
            for (int k = ahead; k < c->it.ndim; k++) {
                if (c->it.step[i][k] != 0) c->it.step[i][k] = PyArray_STRIDE(c->copy[i], k - ahead);
            }
        }
    }
    return 1;
}

/* ---- the call ---- */

static int iterate(call *c) {
    PyThreadState *released = vekt_release_gil(c->elements >= VEKT_RELEASED_ELEMENTS);
    return vekt_take_gil(released, vekt_connected->iterate(c->target, &c->it));
}

/* Of an array, or of a tuple of them. */
static PyObject *out_of(PyObject *outs, const vekt_dispatcher *d, int j) {
    if (!PyTuple_CheckExact(outs)) return d->nout == 1 ? outs : NULL;
    return PyTuple_Size(outs) == d->nout ? PyTuple_GetItem(outs, j) : NULL;
}

/* 0-d results are NumPy scalars, unless the function keeps them arrays. */
static PyObject *run_scalar(call *c, const vekt_dispatcher *d, const vekt_entry *e) {
    vekt_value results[VEKT_MAX_OPERANDS];
    PyObject *tuple = NULL;
    for (int j = 0; j < c->nout; j++) {
        c->it.type[d->nin + j] = (uint8_t)vekt_memory_type_of(e->out[j]);
        c->it.data[d->nin + j] = results[j].bytes;
    }
    if (iterate(c) < 0) return NULL;
    if (d->nout > 1 && !(tuple = PyTuple_New(d->nout))) return NULL;
    for (int j = 0; j < c->nout; j++) {
        PyObject *scalar = PyArray_Scalar(results[j].bytes, e->out[j], NULL);
        if (!tuple || !scalar) {
            if (!scalar) Py_XDECREF(tuple);
            return scalar;
        }
        PyTuple_SetItem(tuple, j, scalar);
    }
    return tuple;
}

static PyObject *results(call *c) {
    if (c->nout == 1) {
        PyObject *only = (PyObject *)c->output[0];
        c->output[0] = NULL;
        return only;
    }
    PyObject *tuple = PyTuple_New(c->nout);
    for (int j = 0; j < c->nout && tuple; j++) {
        PyTuple_SetItem(tuple, j, (PyObject *)c->output[j]);
        c->output[j] = NULL;
    }
    return tuple;
}

/* Counts the elements of a call; the last ones of those that an operation is for call what finds another one. */
static int count_elements(const call *c, vekt_entry *e) {
    if (atomic_load_explicit(&e->left, memory_order_relaxed) == 0 ||
        atomic_fetch_sub(&e->left, c->elements) > c->elements)
        return 0;
    PyObject *after = atomic_exchange(&e->after, NULL); /* of several threads one gets it */
    atomic_store(&e->left, 0);
    if (!after) return 0;
    PyObject *done = PyObject_CallNoArgs(after);
    Py_DECREF(after);
    Py_XDECREF(done);
    return done ? 1 : -1;
}

/* The mask and the former elements of out become inputs; without out, the mask has a say in the shape alone.  0 where
 * a call is not for us. */
static int add_mask(call *c, const vekt_dispatcher *d, const vekt_keywords *k) {
    PyObject *out = k->outs ? out_of(k->outs, d, 0) : NULL;
    if (d->nout != 1 || d->nin + 3 > VEKT_MAX_OPERANDS || !PyArray_CheckExact(k->where)) return 0;
    if (PyArray_TYPE((PyArrayObject *)k->where) != NPY_BOOL) return 0;
    if (k->outs && (!out || !PyArray_CheckExact(out))) return 0;
    c->input[c->nin++] = (PyArrayObject *)k->where;
    if (out) c->input[c->nin++] = (PyArrayObject *)out;
    for (int j = d->nin; j < c->nin; j++) c->copy[j] = NULL;
    return 1;
}

/* Types and addresses of the inputs; 0 where a number does not fit. */
static int put_inputs(call *c, const vekt_dispatcher *d, const vekt_entry *e, PyObject *const *args,
                      const int *signature) {
    for (int j = 0; j < c->nin; j++) {
        if (j < d->nin && signature[j] < NPY_BOOL) {
            c->it.type[j] = e->weak_type[j];
            if (!vekt_take_weak(args[j], e->weak_type[j], &c->value[j])) return 0;
        } else {
            c->it.type[j] = c->input[j] ? type_in_memory(c->input[j]) : (uint8_t)vekt_memory_type(signature[j]);
        }
        point_to(c, j);
    }
    return 1;
}

/* Integers to the power of negative ones are NumPy's error.  Exponents of other threads' making are too late for it.
 */
static int are_exponents_good(const call *c, const vekt_dispatcher *d, const vekt_entry *e, PyObject *exponent,
                              int type_num) {
    const int result = e->operation->type[d->nin];
    if (!d->refuses_negative || result < VEKT_TYPE_I8 || result > VEKT_TYPE_U64) return 1;
    if (c->input[d->nin - 1]) {
        const int type = type_in_memory(c->input[d->nin - 1]) & VEKT_TYPE_MASK, as = e->operation->type[d->nin - 1];
        const int size = (type + 1) / 2, left = (as + 1) / 2; /* in the order of types */
        /* A shorter dtype, or a signed one as long, may make a negative exponent of it. */
        if (as % 2 == VEKT_TYPE_I8 % 2 && (size > left || (size == left && type % 2 != as % 2))) return 0;
        return vekt_is_not_negative(c->input[d->nin - 1]);
    }
    int overflow = 0;
    if (PyLong_CheckExact(exponent)) return PyLong_AsLongLongAndOverflow(exponent, &overflow) >= 0 && overflow == 0;
    return vekt_is_good_exponent(d->target, &c->value[d->nin - 1], vekt_memory_type(type_num),
                                 e->operation->type[d->nin - 1]);
}

PyObject *vekt_broadcast_call(const vekt_dispatcher *d, PyObject *const *args, const vekt_keywords *keywords) {
    PyObject *outs = keywords->outs;
    call c;
    int signature[VEKT_MAX_OPERANDS + 1];
    c.target = d->target;
    c.nin = d->nin;
    for (int j = 0; j < d->nin; j++) {
        signature[j] = classify(&c, j, args[j]);
        if (signature[j] == NPY_NOTYPE) Py_RETURN_NOTIMPLEMENTED;
        c.copy[j] = NULL;
    }
    signature[d->nin] = keywords->dtype ? vekt_type_asked(keywords->dtype) : NPY_NOTYPE;
    if (keywords->dtype && signature[d->nin] == NPY_NOTYPE) Py_RETURN_NOTIMPLEMENTED;
    vekt_entry *e = look_up(d, signature);
    c.nout = d->nout; /* which the first entry has told */
    if (!e || (keywords->where && !add_mask(&c, d, keywords)) || !broadcast(&c)) Py_RETURN_NOTIMPLEMENTED;
    const int other = count_elements(&c, e);
    if (other < 0) return NULL;
    if (other)
        return vekt_broadcast_call(d, args, keywords); /* meanwhile another thread may have changed the arrays */
    if (!are_exponents_good(&c, d, e, args[d->nin - 1], signature[d->nin - 1])) Py_RETURN_NOTIMPLEMENTED;
    if (!outs) c.nin = d->nin;
    if (!put_inputs(&c, d, e, args, signature)) Py_RETURN_NOTIMPLEMENTED;
    c.it.operation = e->operation;
    c.masks = c.nin > d->nin;
    if (c.masks) {
        if (!vekt_mask_operation(&c.masked, e, c.it.type[c.nin - 1])) Py_RETURN_NOTIMPLEMENTED;
        c.it.operation = &c.masked.base;
    }
    if (!outs && c.it.ndim == 0 && !d->keeps_arrays) return run_scalar(&c, d, e);
    int given = 0;
    PyObject *copied_to = NULL;
    for (int j = 0; j < c.nout; j++) {
        PyObject *out = outs ? out_of(outs, d, j) : Py_None;
        if (!out || (out == Py_None && c.it.ndim == 0 && !d->keeps_arrays)) Py_RETURN_NOTIMPLEMENTED;
        const int way = out == Py_None ? DIRECTLY : way_out(&c, out, e->out[j], e->operation->type[d->nin + j]);
        if (way == NEVER) Py_RETURN_NOTIMPLEMENTED;
        if (way == BY_A_COPY) copied_to = out;
    }
    for (int j = 0; j < c.nout; j++) c.output[j] = NULL;
    PyObject *result = NULL;
    for (int j = 0; j < c.nout; j++) {
        PyObject *out = outs ? out_of(outs, d, j) : Py_None;
        if (out == Py_None || copied_to) {
            c.output[j] = vekt_new_in_order(e->out[j], c.it.ndim, c.it.shape, c.nin,
                                            (const ptrdiff_t (*)[VEKT_MAX_DIMS])c.it.step);
            if (!c.output[j]) goto done;
        } else {
            given = 1;
            Py_INCREF(out);
            c.output[j] = (PyArrayObject *)out;
        }
        put_output(&c, j);
    }
    const int apart = given ? separate(&c) : 1;
    if (apart == 0) result = Py_NewRef(Py_NotImplemented);
    /* An exponent that another thread has made negative since it was looked at is an error of NumPy's loop. */
    if (apart > 0 && iterate(&c) == 0 && !(d->refuses_negative && PyErr_Occurred())) {
        if (!copied_to)
            result = results(&c);
        else if (PyArray_CopyInto((PyArrayObject *)copied_to, c.output[0]) == 0)
            result = Py_NewRef(copied_to);
    }
done:
    release(&c);
    return result;
}

/* ---- the slow door ---- */

static PyArrayObject *plain_array(PyObject *object) {
    PyArrayObject *array = (PyArrayObject *)object;
    if (PyArray_Check(object) && PyArray_ISALIGNED(array) && PyArray_ISNOTSWAPPED(array) &&
        vekt_memory_type_of(PyArray_DESCR(array)) >= 0)
        return array;
    PyErr_SetString(PyExc_TypeError, "run: expected aligned arrays of numbers in native byte order");
    return NULL;
}

/* Broadcasts input j to the shape of the outputs.  0 where that is not possible. */
static int stretch_to(call *c, int j) {
    PyArrayObject *a = c->input[j];
    const int ahead = c->it.ndim - PyArray_NDIM(a);
    if (ahead < 0) return 0;
    for (int i = 0; i < c->it.ndim; i++) {
        const npy_intp n = i < ahead ? 1 : PyArray_DIM(a, i - ahead);
        if (n != 1 && n != c->it.shape[i]) return 0;
        c->it.step[j][i] = n == 1 ? 0 : PyArray_STRIDE(a, i - ahead);
    }
    return 1;
}

int vekt_broadcast_run(const vekt_dispatcher *d, const vekt_operation *operation, PyObject *const *inputs,
                       PyObject *const *outs) {
    call c;
    c.target = d->target;
    c.nin = operation->nin;
    c.nout = operation->nout;
    c.it.operation = operation;
    for (int j = 0; j < c.nout; j++) {
        c.output[j] = plain_array(outs[j]);
        if (!c.output[j]) return -1;
        if (!PyArray_ISWRITEABLE(c.output[j])) {
            PyErr_SetString(PyExc_ValueError, "output array is read-only");
            return -1;
        }
        const int same =
            PyArray_NDIM(c.output[j]) == PyArray_NDIM(c.output[0]) &&
            PyArray_CompareLists(PyArray_DIMS(c.output[j]), PyArray_DIMS(c.output[0]), PyArray_NDIM(c.output[0]));
        if (!same || !vekt_is_injective(c.output[j])) {
            PyErr_SetString(PyExc_ValueError,
                            "run: outputs of one shape expected, without elements that share memory");
            return -1;
        }
    }
    c.it.ndim = PyArray_NDIM(c.output[0]);
    c.elements = PyArray_SIZE(c.output[0]);
    for (int d = 0; d < c.it.ndim; d++) c.it.shape[d] = PyArray_DIM(c.output[0], d);
    for (int j = 0; j < c.nout; j++) put_output(&c, j);
    for (int j = 0; j < c.nin; j++) {
        c.copy[j] = NULL;
        c.input[j] = plain_array(inputs[j]);
        if (!c.input[j]) return -1;
        if (!stretch_to(&c, j)) {
            PyErr_Format(PyExc_ValueError, "run: input %d does not broadcast to the shape of the output", j);
            return -1;
        }
        c.it.type[j] = (uint8_t)vekt_memory_type_of(PyArray_DESCR(c.input[j]));
        point_to(&c, j);
    }
    int status = separate(&c);
    if (status == 0) PyErr_SetString(PyExc_ValueError, "run: outputs share memory");
    status = status > 0 ? iterate(&c) : -1;
    for (int j = 0; j < c.nin; j++) Py_XDECREF((PyObject *)c.copy[j]);
    return status;
}
