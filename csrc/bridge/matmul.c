/* matmul, vecdot, matvec and vecmat without a detour through NumPy's dispatcher, where the operands are plain arrays
 * whose stack of vectors or matrices is evenly spaced; everything else goes to the gufuncs of the same names, and so
 * do all errors. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"
#include <product_docs.h> /* which the build writes from specs */

#include <stdatomic.h>
#include <string.h>

/* Releasing the GIL costs more than it gives below this many products of elements. */
enum { RELEASED_PRODUCTS = 65536 };
/* Arrays of more dimensions go to the gufunc. */
enum { MOST_DIMS = 8 };

/* What the functions of a target have in common. */
typedef struct {
    const vekt_target *_Atomic target;
    PyObject *_Atomic gufunc[VEKT_N_GUFUNCS]; /* made when first wanted */
} products;

static PyObject *gufunc_of(products *own, int which) {
    PyObject *made = own->gufunc[which], *earlier = NULL;
    if (made || !(made = vekt_build_gufunc(own->target, which))) return made;
    if (atomic_compare_exchange_strong(&own->gufunc[which], &earlier, made)) return made;
    Py_DECREF(made); /* another thread was first */
    return earlier;
}

/* A call on plain arrays: stacks of products of matrices. */
typedef struct {
    PyArrayObject *array[3]; /* both operands and, once there is one, the result */
    int stack[3];            /* how many of its dimensions count matrices; the core dimensions come after them */
    npy_intp shape[MOST_DIMS];
    int dims; /* of the result */
} operation;

/* Core dimensions of an operand with so many dimensions in all; more than that where it does not fit. */
static int core_of(int which, int operand, int dims) {
    if (which == VEKT_MATMUL) return dims < 2 ? 1 : 2;
    return which == (operand == 0 ? VEKT_MATVEC : VEKT_VECMAT) ? 2 : 1;
}

/* The matrix at the beginning of an operand's stack. */
static vekt_matrix matrix_of(const operation *o, int operand, int is_row) {
    PyArrayObject *array = o->array[operand];
    const npy_intp *strides = PyArray_STRIDES(array) + o->stack[operand];
    char *data = PyArray_BYTES(array);
    switch (PyArray_NDIM(array) - o->stack[operand]) {
    case 2:
        return (vekt_matrix){data, strides[0], strides[1]};
    case 1:
        return is_row ? (vekt_matrix){data, 0, strides[0]} : (vekt_matrix){data, strides[0], 0};
    default:
        return (vekt_matrix){data, 0, 0};
    }
}

/* Length of an operand, and its step, along dimension i of the result's stack. */
static npy_intp along(const operation *o, int operand, int i, npy_intp *step) {
    const int own = i - (o->stack[2] - o->stack[operand]);
    const npy_intp n = own < 0 ? 1 : PyArray_DIM(o->array[operand], own);
    *step = n == 1 ? 0 : PyArray_STRIDE(o->array[operand], own);
    return n;
}

/* Sets the shape of the stack; 0 where the operands' do not broadcast. */
static int broadcast(operation *o) {
    for (int i = 0; i < o->stack[2]; i++) {
        npy_intp step, a = along(o, 0, i, &step), b = along(o, 1, i, &step);
        if (a != b && a != 1 && b != 1) return 0;
        o->shape[i] = a == 1 ? b : a;
    }
    return 1;
}

/* Sets the length and the steps of the stack as one dimension; 0 where it is not one. */
static int coalesce(const operation *o, npy_intp *count, npy_intp steps[3]) {
    *count = 1;
    steps[0] = steps[1] = steps[2] = 0;
    for (int i = o->stack[2] - 1; i >= 0; i--) {
        if (o->shape[i] == 1) continue;
        for (int j = 0; j < 3; j++) {
            npy_intp step;
            along(o, j, i, &step);
            if (*count == 1) steps[j] = step;
            if (step != steps[j] * *count) return 0;
        }
        *count *= o->shape[i];
    }
    return 1;
}

/* Could writing the result change what is read?  Operands that lie between its elements count too. */
static int may_overlap(const operation *o) {
    return vekt_may_overlap(o->array[0], o->array[2]) || vekt_may_overlap(o->array[1], o->array[2]);
}

static int multiply(const vekt_target *target, int type, vekt_product *p, npy_intp count, const npy_intp steps[3]) {
    PyThreadState *released =
        vekt_release_gil((double)p->m * (double)p->n * (double)p->k * (double)count >= VEKT_RELEASED_PRODUCTS);
    return vekt_take_gil(released, vekt_multiply_stack(target, type, p, count, steps));
}

static int is_named(PyObject *name, const char *expected) {
    return PyUnicode_CompareWithASCIIString(name, expected) == 0;
}

/* Sets whether matmul was asked for the same bits in any batch; -1 with an error. */
static int find_invariant(PyObject *const *values, PyObject *names, int *invariant) {
    for (Py_ssize_t i = 0; names && i < PyTuple_Size(names); i++) {
        if (!is_named(PyTuple_GetItem(names, i), "deterministic") || values[i] == Py_None) continue;
        if (!PyUnicode_Check(values[i]) || !is_named(values[i], "batch")) {
            PyErr_Format(PyExc_ValueError, "matmul: deterministic must be None or 'batch', got %R", values[i]);
            return -1;
        }
        *invariant = 1;
    }
    return 0;
}

/* The out and the dtype among the arguments, NULL for none; 0 where there are others, but for matmul's
 * `deterministic`. */
static int find_options(int which, PyObject *const *args, Py_ssize_t n_args, PyObject *names, PyObject **out,
                        PyObject **dtype) {
    if (n_args < 2 || n_args > 3) return 0;
    *out = n_args == 3 ? args[2] : NULL;
    *dtype = NULL;
    for (Py_ssize_t i = 0; names && i < PyTuple_Size(names); i++) {
        PyObject *name = PyTuple_GetItem(names, i);
        if (n_args == 2 && is_named(name, "out"))
            *out = args[n_args + i];
        else if (is_named(name, "dtype"))
            *dtype = args[n_args + i];
        else if (which != VEKT_MATMUL || !is_named(name, "deterministic"))
            return 0;
    }
    if (*out == Py_None) *out = NULL;
    if (*dtype == Py_None) *dtype = NULL;
    return !*out || PyArray_CheckExact(*out);
}

/* Sets up the product of the arrays that fit each other, all but its result; 0 where the gufunc shall decide. */
static int prepare(operation *o, int which, PyArrayObject *a, PyArrayObject *b, vekt_product *p) {
    const int a_dims = PyArray_NDIM(a), b_dims = PyArray_NDIM(b);
    const int a_core = core_of(which, 0, a_dims), b_core = core_of(which, 1, b_dims);
    if (a_core > a_dims || b_core > b_dims || a_dims > MOST_DIMS - 2 || b_dims > MOST_DIMS - 2) return 0;
    const npy_intp *a_shape = PyArray_DIMS(a) + a_dims - a_core, *b_shape = PyArray_DIMS(b) + b_dims - b_core;
    if (a_shape[a_core - 1] != b_shape[0]) return 0;
    o->array[0] = a;
    o->array[1] = b;
    o->stack[0] = a_dims - a_core;
    o->stack[1] = b_dims - b_core;
    o->dims = o->stack[2] = o->stack[0] > o->stack[1] ? o->stack[0] : o->stack[1];
    if (!broadcast(o)) return 0;
    p->packed = NULL; /* field by field: to clear the whole of it first takes 20 ns */
    p->accumulate = 0;
    p->epilogue = NULL;
    p->m = a_core == 2 ? a_shape[0] : 1;
    p->n = b_core == 2 ? b_shape[1] : 1;
    p->k = b_shape[0];
    p->a = matrix_of(o, 0, 1);
    p->b = matrix_of(o, 1, 0);
    if (a_core == 2) o->shape[o->dims++] = p->m;
    if (b_core == 2) o->shape[o->dims++] = p->n;
    return 1;
}

/* Can the result be written to the array that was given for it? */
static int takes_result(const operation *o, int number) {
    PyArrayObject *c = o->array[2];
    if (PyArray_TYPE(c) != number || PyArray_NDIM(c) != o->dims || !PyArray_ISNOTSWAPPED(c) ||
        !PyArray_ISWRITEABLE(c)) {
        return 0;
    }
    for (int i = 0; i < o->dims; i++) {
        if (PyArray_DIM(c, i) != o->shape[i]) return 0;
    }
    return !may_overlap(o);
}

/* Would a cast of this array, in the order of its strides, have the elements of columns side by side? */
static int has_columns(PyArrayObject *x) {
    const int row = PyArray_NDIM(x) - 2;
    if (row < 0) return 0;
    const npy_intp step = vekt_magnitude(PyArray_STRIDE(x, row));
    for (int d = 0; d <= row + 1; d++) {
        const npy_intp other = vekt_magnitude(PyArray_STRIDE(x, d));
        if (d != row && PyArray_DIM(x, d) > 1 && (d > row ? other <= step : other < step)) return 0;
    }
    return 1;
}

/* The dtype of the product, as a new reference, and what it is computed in; -1 where the gufunc shall decide. */
static int find_type(PyArrayObject *const array[2], PyObject *asked, PyArray_Descr **descr) {
    if (!asked && PyArray_TYPE(array[0]) == PyArray_TYPE(array[1]) && PyArray_ISNOTSWAPPED(array[0]))
        *descr = (PyArray_Descr *)Py_NewRef((PyObject *)PyArray_DESCR(array[0]));
    else
        *descr = asked ? vekt_asked_descr(asked, array) : vekt_common_descr(array[0], array[1]);
    if (!*descr) PyErr_Clear();
    return *descr ? vekt_product_type_of(*descr) : -1;
}

/* Sets how the operands of a product of this dtype are to be converted; 0 where they cannot be. */
static int set_conversions(const operation *o, const PyArray_Descr *descr, vekt_product *p) {
    for (int i = 0; i < 2; i++) {
        const int from = vekt_conversion_of(o->array[i], descr);
        if (from < 0) return 0;
        p->from[i] = (uint8_t)from;
    }
    p->invariant |= p->from[1] && p->m == 1 && !has_columns(o->array[1]);
    return 1;
}

/* The result for plain arrays that fit; NULL without an error where the gufunc shall decide. */
static PyObject *compute(const vekt_target *target, int which, int type, operation *o, vekt_product *p,
                         PyArray_Descr *descr, PyObject *out) {
    npy_intp count = 1, steps[3] = {0, 0, 0};
    if (o->dims == 0 && !out) {
        npy_clongdouble value; /* more room than any element takes */
        p->c = (vekt_matrix){(char *)&value, 0, 0};
        if (multiply(target, type, p, count, steps) < 0) return NULL;
        return PyArray_Scalar(&value, descr, NULL);
    }
    if (!out) {
        Py_INCREF((PyObject *)descr);
        out = vekt_new_array(descr, o->dims, o->shape, NULL);
        if (!out) return NULL;
        o->array[2] = (PyArrayObject *)out;
    } else {
        o->array[2] = (PyArrayObject *)out;
        if (!takes_result(o, descr->type_num)) return NULL;
        Py_INCREF(out);
    }
    p->c = matrix_of(o, 2, core_of(which, 1, PyArray_NDIM(o->array[1])) == 2);
    if (!coalesce(o, &count, steps)) {
        Py_DECREF(out);
        return NULL;
    }
    if (multiply(target, type, p, count, steps) == 0) return out;
    Py_DECREF(out);
    return NULL;
}

/* The same; operands may have any dtypes whose common one has a kernel. */
static PyObject *direct(const vekt_target *target, int which, int invariant, PyObject *const *args, Py_ssize_t n_args,
                        PyObject *names) {
    PyObject *out, *asked, *result = NULL;
    if (!find_options(which, args, n_args, names, &out, &asked) || !PyArray_CheckExact(args[0]) ||
        !PyArray_CheckExact(args[1])) {
        return NULL;
    }
    PyArrayObject *const array[2] = {(PyArrayObject *)args[0], (PyArrayObject *)args[1]};
    const int conjugates = which == VEKT_VECDOT || which == VEKT_VECMAT;
    operation o;
    vekt_product p;
    PyArray_Descr *descr;
    const int type = find_type(array, asked, &descr);
    if (type >= 0 && prepare(&o, which, array[0], array[1], &p)) {
        const int is_complex = type == VEKT_PRODUCT_C64 || type == VEKT_PRODUCT_C128;
        p.invariant = invariant;
        p.conjugate = conjugates && is_complex ? VEKT_CONJUGATE_A : 0;
        if (set_conversions(&o, descr, &p)) result = compute(target, which, type, &o, &p, descr, out);
    }
    Py_XDECREF((PyObject *)descr);
    return result;
}

/* Dask's arrays take gufuncs, but none whose dimensions may be missing. */
static int is_dask(PyObject *operand) {
    return !PyArray_Check(operand) && PyObject_HasAttrString(operand, "rechunk");
}

static PyMethodDef methods[VEKT_N_PRODUCT_FUNCTIONS + 1];

/* A new reference to what shall compute the general case. */
static PyObject *general(products *own, int which, int invariant, PyObject *const *args, Py_ssize_t n_args) {
    if (which == VEKT_MATMUL && n_args >= 2 && (is_dask(args[0]) || is_dask(args[1]))) {
        PyObject *function = vekt_python(VEKT_PY_LAZY_MATMUL);
        Py_XINCREF(function);
        return function;
    }
    for (Py_ssize_t i = 0; i < n_args && i < 2; i++) { /* a mask is refused */
        if (!PyArray_Check(args[i]) || PyArray_CheckExact(args[i])) continue;
        PyArrayObject *checked = vekt_plain_array(args[i], methods[which].ml_name, i ? "x2" : "x1");
        if (!checked) return NULL;
        Py_DECREF((PyObject *)checked);
    }
    PyObject *gufunc = gufunc_of(own, invariant ? VEKT_MATMUL_INVARIANT : which);
    Py_XINCREF(gufunc);
    return gufunc;
}

/* Whether the keyword says nothing: None for what gufuncs have, of which not all take it. */
static int is_default(PyObject *name, PyObject *value) {
    static const char *const known[] = {"axes", "axis", "casting", "dtype", "keepdims", "order", "out", "signature"};
    for (size_t i = 0; value == Py_None && i < sizeof known / sizeof *known; i++)
        if (is_named(name, known[i])) return 1;
    return 0;
}

/* Arguments after `before`, where there is one, as a tuple and a dictionary, without keywords that say nothing, and
 * without matmul's `deterministic`, which has chosen the function. */
static PyObject *through_python(PyObject *function, const char *before, int which, PyObject *const *args,
                                Py_ssize_t n_args, PyObject *names) {
    PyObject *tuple = PyTuple_New(n_args + !!before), *keywords = PyDict_New(), *result = NULL;
    if (!tuple || !keywords) goto done;
    if (before) {
        PyObject *name = PyUnicode_FromString(before);
        if (!name) goto done;
        PyTuple_SetItem(tuple, 0, name);
    }
    for (Py_ssize_t i = 0; i < n_args; i++) PyTuple_SetItem(tuple, i + !!before, Py_NewRef(args[i]));
    for (Py_ssize_t i = 0; names && i < PyTuple_Size(names); i++) {
        PyObject *name = PyTuple_GetItem(names, i), *value = args[n_args + i];
        if (is_default(name, value) || (which == VEKT_MATMUL && is_named(name, "deterministic"))) continue;
        if (PyDict_SetItem(keywords, name, value) < 0) goto done;
    }
    result = PyObject_Call(function, tuple, keywords);
done:
    Py_XDECREF(tuple);
    Py_XDECREF(keywords);
    return result;
}

/* Libraries that name their axes have no products by position, and another kind of error than NumPy. */
static void make_type_error(PyObject *const *args, Py_ssize_t n_args) {
    PyObject *type, *value, *traceback;
    int is_theirs = 0;
    PyErr_Fetch(&type, &value, &traceback);
    for (Py_ssize_t i = 0; i < n_args; i++)
        is_theirs |= !PyArray_Check(args[i]) && PyObject_HasAttrString(args[i], "__array_ufunc__");
    if (!is_theirs) { /* an operand could not be made an array */
        PyErr_Restore(type, value, traceback);
        return;
    }
    PyErr_NormalizeException(&type, &value, &traceback);
    PyErr_Format(PyExc_TypeError, "%S", value);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

/* self is a capsule of a target's products, or the module or NULL for the selected target. */
static PyObject *call(int which, PyObject *self, PyObject *const *args, Py_ssize_t n_args, PyObject *names) {
    static products selected;
    if (selected.target != vekt_selected) selected.target = vekt_selected;
    products *own = self && PyCapsule_CheckExact(self) ? PyCapsule_GetPointer(self, NULL) : &selected;
    int invariant = 0;
    if (which == VEKT_MATMUL && find_invariant(args + n_args, names, &invariant) < 0) return NULL;
    PyObject *result = direct(own->target, which, invariant, args, n_args, names);
    if (result || PyErr_Occurred()) return result;
    PyObject *function = general(own, which, invariant, args, n_args);
    if (!function) return NULL;
    result = through_python(function, NULL, which, args, n_args, names);
    Py_DECREF(function);
    if (result) return result;
    PyObject *no_loop = vekt_python(VEKT_PY_NO_LOOP), *numpys = vekt_python(VEKT_PY_PRODUCT);
    if (no_loop && numpys && PyErr_ExceptionMatches(no_loop)) {
        PyErr_Clear();
        return through_python(numpys, methods[which].ml_name, which, args, n_args, names);
    }
    if (PyErr_ExceptionMatches(PyExc_NotImplementedError)) make_type_error(args, n_args);
    return NULL;
}

static PyObject *told(int which, PyObject *const *args, Py_ssize_t n_args, PyObject *names, PyObject *result) {
    if (!vekt_watcher || !result) return result;
    PyObject *name = PyUnicode_FromString(methods[which].ml_name);
    if (!name) Py_CLEAR(result);
    if (name) result = vekt_tell(name, args, n_args, names, result);
    Py_XDECREF(name);
    return result;
}

#define FUNCTION(name, which)                                                                          \
    static PyObject *name(PyObject *self, PyObject *const *args, Py_ssize_t n_args, PyObject *names) { \
        return told(which, args, n_args, names, call(which, self, args, n_args, names));               \
    }
PyObject *vekt_py_matmul(PyObject *self, PyObject *const *args, Py_ssize_t n_args, PyObject *names) {
    return told(VEKT_MATMUL, args, n_args, names, call(VEKT_MATMUL, self, args, n_args, names));
}
FUNCTION(py_vecdot, VEKT_VECDOT)
FUNCTION(py_matvec, VEKT_MATVEC)
FUNCTION(py_vecmat, VEKT_VECMAT)

#define METHOD(name, function, doc) {name, (PyCFunction)(void (*)(void))function, METH_FASTCALL | METH_KEYWORDS, doc}
static PyMethodDef methods[VEKT_N_PRODUCT_FUNCTIONS + 1] = {
    [VEKT_MATMUL] = METHOD("matmul", vekt_py_matmul, MATMUL_DOC),
    [VEKT_VECDOT] = METHOD("vecdot", py_vecdot, VECDOT_DOC),
    [VEKT_MATVEC] = METHOD("matvec", py_matvec, MATVEC_DOC),
    [VEKT_VECMAT] = METHOD("vecmat", py_vecmat, VECMAT_DOC),
};

int vekt_add_products(PyObject *module) { return PyModule_AddFunctions(module, methods); }

static void free_products(PyObject *capsule) {
    products *own = PyCapsule_GetPointer(capsule, NULL);
    for (int i = 0; i < VEKT_N_GUFUNCS; i++) Py_XDECREF(own->gufunc[i]);
    PyMem_Free(own);
}

PyObject *vekt_build_products(const vekt_target *target) {
    products *own = PyMem_Calloc(1, sizeof *own);
    if (!own) return PyErr_NoMemory();
    own->target = target;
    PyObject *capsule = PyCapsule_New(own, NULL, free_products), *functions = PyDict_New();
    if (!capsule) PyMem_Free(own);
    int status = capsule && functions ? 0 : -1;
    for (int i = 0; i < VEKT_N_PRODUCT_FUNCTIONS && status == 0; i++) {
        PyObject *function = PyCFunction_New(&methods[i], capsule);
        status = function ? PyDict_SetItemString(functions, methods[i].ml_name, function) : -1;
        Py_XDECREF(function);
    }
    Py_XDECREF(capsule);
    if (status < 0) Py_CLEAR(functions);
    return functions;
}
