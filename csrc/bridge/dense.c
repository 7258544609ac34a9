/* Dense layers on plain arrays of one dtype; vekt.layers brings everything else to that form, and words the errors.
 */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

#include "dense_activation.h"

#include <stdlib.h>
#include <string.h>

/* ---- arrays as matrices ------------------------------------------------------------------------------------------
 */

/* The last axis makes the columns, all others together the rows. */
typedef struct {
    PyArrayObject *array;
    vekt_matrix at;
    ptrdiff_t rows, columns;
} operand;

/* False for what is no plain array of the type, and where the rows are not evenly spaced.  Where `from` is given,
 * other types are to be converted: it is set as in vekt_product. */
static int view_any(PyObject *object, int type, operand *o, uint8_t *from) {
    if (!PyArray_CheckExact(object)) return 0;
    PyArrayObject *array = (PyArrayObject *)object;
    const npy_intp *shape = PyArray_DIMS(array), *strides = PyArray_STRIDES(array);
    const int last = PyArray_NDIM(array) - 1;
    if (last < 0) return 0;
    if (PyArray_TYPE(array) != type || !PyArray_ISNOTSWAPPED(array)) {
        const int conversion = from ? vekt_conversion_to(array, type) : -1;
        if (conversion < 0) return 0;
        *from = (uint8_t)conversion;
    }
    *o = (operand){array, {PyArray_BYTES(array), 0, strides[last]}, 1, shape[last]};
    for (int d = last - 1; d >= 0; d--) {
        if (shape[d] == 1) continue;
        if (o->rows == 1) o->at.row = strides[d];
        if (o->rows > 1 && strides[d] != o->at.row * o->rows) return 0;
        o->rows *= shape[d];
    }
    return 1;
}

static int view(PyObject *object, int type, operand *o) { return view_any(object, type, o, NULL); }

/* NumPy's number of the type to compute in: that which was asked for, so that all others are converted, or the first
 * operand's; -1 for none that has kernels. */
static int type_of(PyObject *asked, PyObject *first) {
    int type = -1;
    if (asked != Py_None)
        type = PyArray_DescrCheck(asked) ? ((PyArray_Descr *)asked)->type_num : -1;
    else if (PyArray_CheckExact(first))
        type = PyArray_TYPE((PyArrayObject *)first);
    return type == NPY_FLOAT || type == NPY_DOUBLE ? type : -1;
}

/* Is b missing or apart from a? */
static int apart(const operand *a, const operand *b) { return !b->array || !vekt_may_overlap(a->array, b->array); }

static int same_rows(const operand *a, const operand *b) {
    const int dims = PyArray_NDIM(a->array);
    return PyArray_NDIM(b->array) == dims &&
           !memcmp(PyArray_DIMS(a->array), PyArray_DIMS(b->array), (size_t)(dims - 1) * sizeof(npy_intp));
}

/* Can results be written to this array as they come? */
static int takes(PyObject *out, int type, operand *o, const operand *like, ptrdiff_t columns) {
    return view(out, type, o) && PyArray_ISWRITEABLE(o->array) && same_rows(o, like) && o->columns == columns;
}

/* Where rows lie side by side in x, they do so in results of its shape: those of the transposed form are contiguous
 * when they are transposed back. */
static int columns_first(const operand *x) {
    return PyArray_NDIM(x->array) == 2 && x->rows > 1 && x->columns > 1 && labs(x->at.row) < labs(x->at.col);
}

/* A new array of x's shape but for the last axis. */
static PyObject *new_result(const operand *x, int type, ptrdiff_t columns, operand *o) {
    npy_intp shape[NPY_MAXDIMS];
    const int dims = PyArray_NDIM(x->array);
    memcpy(shape, PyArray_DIMS(x->array), (size_t)dims * sizeof *shape);
    shape[dims - 1] = columns;
    PyObject *former = vekt_begin_results(PyArray_MultiplyList(shape, dims) * PyArray_ITEMSIZE(x->array));
    PyObject *array = PyArray_EMPTY(dims, shape, type, columns_first(x));
    vekt_end_results(former);
    if (array) view(array, type, o);
    return array;
}

/* ---- forward ------------------------------------------------------------------------------------------------------
 */

static int run(const vekt_target *target, int type, const vekt_product *p) {
    PyThreadState *released = vekt_release_gil((double)p->m * (double)p->n * (double)p->k >= VEKT_RELEASED_PRODUCTS);
    return vekt_take_gil(released, vekt_connected->matmul(target, type, p));
}

/* w, an array or packed, as the right operand. */
static int set_weights(PyObject *object, int type, int converts, const vekt_target *target, vekt_product *p,
                       operand *w) {
    if (PyCapsule_IsValid(object, packed_name)) {
        const packed *weights = PyCapsule_GetPointer(object, packed_name);
        if (weights->dtype != vekt_dtype_of(type) || weights->target != target) return 0;
        p->packed = weights->memory;
        p->k = weights->k;
        p->n = weights->n;
        return 1;
    }
    if (!view_any(object, type, w, converts ? &p->from[1] : NULL) || PyArray_NDIM(w->array) != 2) return 0;
    p->b = w->at;
    p->k = w->rows;
    p->n = w->columns;
    return 1;
}

/* The bias, which may be the same for all rows or columns. */
static int set_bias(PyObject *object, int type, const operand *x, ptrdiff_t n, vekt_epilogue *e, operand *b) {
    if (object == Py_None) return 1;
    if (!view(object, type, b) || (b->columns != n && b->columns != 1)) return 0;
    if (PyArray_NDIM(b->array) > 1 && !same_rows(b, x) &&
        (b->rows != 1 || PyArray_NDIM(b->array) > PyArray_NDIM(x->array)))
        return 0;
    e->bias = (vekt_matrix){b->at.data, b->rows == 1 ? 0 : b->at.row, b->columns == 1 ? 0 : b->at.col};
    return 1;
}

static void set_activation(const activation *a, int dtype, vekt_epilogue *e) {
    if (!a->value[dtype]) return;
    e->activation = a->value[dtype]->loop;
    e->is_relu = a->is_relu;
    e->n_params = a->n_params;
    for (int p = 0; p < a->n_params; p++) e->params[p] = (char *)a->splats[dtype][p];
}

/* The array to write to, a new one where `given` is None: a new reference.  1 if it fits, 0 if not, -1 with an error.
 */
static int find_result(PyObject *given, int type, const operand *x, ptrdiff_t columns,
                       const operand *const apart_from[], PyObject **result, operand *o) {
    if (given == Py_None) {
        *result = new_result(x, type, columns, o);
        return *result ? 1 : -1;
    }
    if (!takes(given, type, o, x, columns)) return 0;
    for (; *apart_from; apart_from++)
        if (!apart(o, *apart_from)) return 0;
    *result = Py_NewRef(given);
    return 1;
}

static PyObject *dense(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    operand x, w = {0}, b = {0}, y, z;
    vekt_epilogue e = {0};
    vekt_product p = {.epilogue = &e};
    PyObject *result[2] = {NULL, NULL}, *returned = NULL;
    (void)self;
    if (n_args != 8 && n_args != 9)
        return PyErr_Format(PyExc_TypeError, "dense: expected 8 or 9 arguments, got %zd", n_args);
    const activation *a = PyCapsule_GetPointer(args[3], activation_name);
    if (!a) return NULL;
    const int keep = PyObject_IsTrue(args[6]);
    p.invariant = PyObject_IsTrue(args[7]);
    if (keep < 0 || p.invariant < 0) return NULL;
    PyObject *asked = n_args == 9 ? args[8] : Py_None;
    const int type = type_of(asked, args[0]), converts = asked != Py_None;
    if (type < 0 || !view_any(args[0], type, &x, converts ? &p.from[0] : NULL) ||
        !set_weights(args[1], type, converts, a->target, &p, &w) || x.columns != p.k ||
        !set_bias(args[2], type, &x, p.n, &e, &b))
        Py_RETURN_NOTIMPLEMENTED;

    const operand *const before_y[] = {&x, &w, &b, NULL}, *const before_z[] = {&x, &w, &b, &y, NULL};
    int found = find_result(args[4], type, &x, p.n, before_y, &result[0], &y);
    if (found > 0 && keep) found = find_result(args[5], type, &x, p.n, before_z, &result[1], &z);
    if (found > 0) {
        set_activation(a, vekt_dtype_of(type), &e);
        if (keep) e.preactivation = z.at;
        if (!e.activation && !e.bias.data && !keep) p.epilogue = NULL;
        p.m = x.rows;
        p.a = x.at;
        p.c = y.at;
        if (run(a->target, type == NPY_FLOAT ? VEKT_PRODUCT_F32 : VEKT_PRODUCT_F64, &p) == 0)
            returned = keep ? PyTuple_Pack(2, result[0], result[1]) : Py_NewRef(result[0]);
    }
    Py_XDECREF(result[0]);
    Py_XDECREF(result[1]);
    if (found == 0) Py_RETURN_NOTIMPLEMENTED;
    return returned;
}

/* ---- backward -----------------------------------------------------------------------------------------------------
 */

static int set_dense_call(PyObject *const *args, const activation *a, int type, int converts, operand in[4],
                          vekt_dense_call *c) {
    uint8_t from[4] = {0};
    const int dtype = vekt_dtype_of(type);
    operand *dy = &in[0], *x = &in[1], *w = &in[2], *z = &in[3];
    for (int i = 0; i < 4; i++) {
        if (i == 3 && args[i] == Py_None && !a->gradient[dtype]) continue;
        if (!view_any(args[i], type, &in[i], converts ? &from[i] : NULL)) return 0;
    }
    if (!same_rows(dy, x) || PyArray_NDIM(w->array) != 2 || w->rows != x->columns || w->columns != dy->columns)
        return 0;
    if (z->array && (!same_rows(dy, z) || z->columns != dy->columns)) return 0;
    *c = (vekt_dense_call){.m = x->rows,
                           .k = w->rows,
                           .n = w->columns,
                           .dy = dy->at,
                           .x = x->at,
                           .w = w->at,
                           .z = z->at,
                           .backward = a->gradient[dtype]};
    memcpy(c->from, from, sizeof from);
    for (int p = 0; p < a->n_params; p++) c->params[p] = (char *)a->splats[dtype][p];
    return 1;
}

/* New references to the arrays of dx, dw and db; dx None where it is not wanted.  1 if all is well, 0 where what is
 * given does not fit, -1 with an error. */
static int find_results(PyObject *const *given, int type, const operand in[4], PyObject *results[3], operand out[3]) {
    npy_intp columns = in[2].columns;
    for (int i = 0; i < 3; i++) {
        if (i == 0 && given[i] == Py_False) {
            results[i] = Py_NewRef(Py_None);
            continue;
        }
        if (given[i] != Py_None)
            results[i] = Py_NewRef(given[i]);
        else if (i < 2)
            results[i] = vekt_new_like(in[1 + i].array, PyArray_DescrFromType(type));
        else
            results[i] = PyArray_EMPTY(1, &columns, type, 0);
        if (!results[i]) return -1;
        if (i == 2 ? !view(results[i], type, &out[i]) || PyArray_NDIM(out[i].array) != 1 ||
                         out[i].columns != columns || !PyArray_ISWRITEABLE(out[i].array)
                   : !takes(results[i], type, &out[i], &in[1 + i], in[1 + i].columns))
            return 0;
        for (int j = 0; j < 4; j++)
            if (!apart(&out[i], &in[j])) return 0;
        for (int j = 0; j < i; j++)
            if (!apart(&out[i], &out[j])) return 0;
    }
    return 1;
}

static PyObject *dense_backward(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    operand in[4] = {0}, out[3] = {0};
    PyObject *results[3] = {NULL, NULL, NULL}, *tuple = NULL;
    vekt_dense_call c;
    (void)self;
    if (n_args != 8 && n_args != 9)
        return PyErr_Format(PyExc_TypeError, "dense_backward: expected 8 or 9 arguments, got %zd", n_args);
    const activation *a = PyCapsule_GetPointer(args[4], activation_name);
    if (!a) return NULL;
    PyObject *asked = n_args == 9 ? args[8] : Py_None;
    const int type = type_of(asked, args[0]);
    if (type < 0 || !set_dense_call(args, a, type, asked != Py_None, in, &c)) Py_RETURN_NOTIMPLEMENTED;
    const int found = find_results(args + 5, type, in, results, out);
    if (found > 0) {
        int status;
        c.dx = out[0].at;
        c.dw = out[1].at;
        c.db = out[2].at.data;
        c.db_step = out[2].at.col;
        PyThreadState *released = vekt_release_gil((double)c.m * (double)c.n * (double)c.k >= VEKT_RELEASED_PRODUCTS);
        status = vekt_take_gil(released, vekt_connected->dense_backward(a->target, vekt_dtype_of(type), &c));
        tuple = status < 0 ? NULL : PyTuple_Pack(3, results[0], results[1], results[2]);
    }
    for (int i = 0; i < 3; i++) Py_XDECREF(results[i]);
    if (found == 0) Py_RETURN_NOTIMPLEMENTED;
    return tuple;
}

/* ---- packed weights -----------------------------------------------------------------------------------------------
 */

static PyObject *pack(PyObject *self, PyObject *args) {
    PyObject *address, *weights;
    operand w;
    (void)self;
    if (!PyArg_ParseTuple(args, "OO!:pack", &address, &PyArray_Type, &weights)) return NULL;
    const vekt_target *target = vekt_target_of(address);
    if (!target) return NULL;
    const int type = PyArray_TYPE((PyArrayObject *)weights);
    if ((type != NPY_FLOAT && type != NPY_DOUBLE) || !view(weights, type, &w) || PyArray_NDIM(w.array) != 2)
        return PyErr_Format(PyExc_TypeError, "pack: expected a matrix of float32 or float64");
    packed *p = malloc(sizeof *p);
    if (!p) return PyErr_NoMemory();
    *p = (packed){.target = target, .dtype = vekt_dtype_of(type), .k = w.rows, .n = w.columns};
    p->bytes = vekt_connected->packed_bytes(target, p->dtype, p->k, p->n);
    p->memory = aligned_alloc(64, p->bytes / 64 * 64 + 64);
    PyObject *capsule = p->memory ? PyCapsule_New(p, packed_name, free_packed) : PyErr_NoMemory();
    if (!capsule) {
        free(p->memory);
        free(p);
        return NULL;
    }
    vekt_connected->pack(target, p->dtype, p->memory, &w.at, p->k, p->n);
    return capsule;
}

/* The packed numbers in their order, as an array that may not be written to. */
static PyObject *packed_array(PyObject *self, PyObject *capsule) {
    const packed *p = PyCapsule_GetPointer(capsule, packed_name);
    (void)self;
    if (!p) return NULL;
    const int type = p->dtype == VEKT_F32 ? NPY_FLOAT : NPY_DOUBLE;
    npy_intp count = (npy_intp)(p->bytes / (type == NPY_FLOAT ? 4 : 8));
    PyObject *array = PyArray_New(&PyArray_Type, 1, &count, type, NULL, p->memory, 0, NPY_ARRAY_CARRAY_RO, NULL);
    if (array && PyArray_SetBaseObject((PyArrayObject *)array, Py_NewRef(capsule)) < 0) Py_CLEAR(array);
    return array;
}

static PyMethodDef methods[] = {
    {"activation", new_activation, METH_VARARGS,
     "activation(target, name, params, /)\n--\n\nReturn the kernels of that name, None for none, with parameters."},
    {"program_activation", new_program_activation, METH_VARARGS,
     "program_activation(target, value32, gradient32, value64, gradient64, /)\n--\n\n"
     "Return programs of vekt.fuse as an activation."},
    {"dense", (PyCFunction)(void (*)(void))dense, METH_FASTCALL,
     "dense(x, w, b, activation, y, z, keep, invariant, dtype=None, /)\n--\n\nReturn the result, or NotImplemented "
     "for "
     "what is not plain; x and w are converted where a dtype is given."},
    {"dense_backward", (PyCFunction)(void (*)(void))dense_backward, METH_FASTCALL,
     "dense_backward(dy, x, w, z, activation, dx, dw, db, dtype=None, /)\n--\n\n"
     "Return the gradients, or NotImplemented for what is not plain."},
    {"pack", pack, METH_VARARGS, "pack(target, w, /)\n--\n\nReturn packed weights."},
    {"packed_array", packed_array, METH_O, "packed_array(packed, /)\n--\n\nReturn the numbers as they are packed."},
    {NULL, NULL, 0, NULL},
};

int vekt_add_dense(PyObject *module) { return PyModule_AddFunctions(module, methods); }
