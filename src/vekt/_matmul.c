/* matmul, vecdot, matvec and vecmat without a detour through NumPy's dispatcher, where the operands are plain arrays
 * of vectors and matrices; everything else goes to the gufuncs of the same names, and so do all errors. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "_bridge.h"
#include "_product_docs.h"

#include <string.h>

/* Releasing the GIL costs more than it gives below this many products of elements. */
enum { RELEASED_PRODUCTS = 65536 };

/* What the functions of a target have in common. */
typedef struct {
    const vekt_target *target;
    PyObject *gufunc[VEKT_N_GUFUNCS]; /* made when first wanted */
} products;

static PyObject *gufunc_of(products *own, int which) {
    if (!own->gufunc[which]) own->gufunc[which] = vekt_build_gufunc(own->target, which);
    return own->gufunc[which];
}

/* Which numbers of dimensions of the two operands each function takes without the gufunc. */
static int takes(int which, int a, int b) {
    switch (which) {
    case VEKT_MATMUL:
        return (a == 1 || a == 2) && (b == 1 || b == 2);
    case VEKT_VECDOT:
        return a == 1 && b == 1;
    case VEKT_MATVEC:
        return a == 2 && b == 1;
    default:
        return a == 1 && b == 2;
    }
}

static vekt_matrix matrix_of(PyArrayObject *array, int is_row) {
    const npy_intp *strides = PyArray_STRIDES(array);
    char *data = PyArray_BYTES(array);
    switch (PyArray_NDIM(array)) {
    case 2:
        return (vekt_matrix){data, strides[0], strides[1]};
    case 1:
        return is_row ? (vekt_matrix){data, 0, strides[0]} : (vekt_matrix){data, strides[0], 0};
    default:
        return (vekt_matrix){data, 0, 0};
    }
}

/* Sets the first byte of a matrix of elements, and the one after its last. */
static void extent(const vekt_matrix *x, ptrdiff_t rows, ptrdiff_t cols, ptrdiff_t size, const char *ends[2]) {
    ptrdiff_t down = (rows - 1) * x->row, along = (cols - 1) * x->col;
    ends[0] = x->data + (down < 0 ? down : 0) + (along < 0 ? along : 0);
    ends[1] = x->data + (down > 0 ? down : 0) + (along > 0 ? along : 0) + size;
}

static int overlaps(const char *const x[2], const char *const y[2]) { return x[0] < y[1] && y[0] < x[1]; }

/* Could writing c change a or b while they are read?  Some operands that lie between each other count too. */
static int may_overlap(const vekt_product *p, ptrdiff_t size) {
    if (p->m == 0 || p->n == 0 || p->k == 0) return 0;
    const char *a[2], *b[2], *c[2];
    extent(&p->a, p->m, p->k, size, a);
    extent(&p->b, p->k, p->n, size, b);
    extent(&p->c, p->m, p->n, size, c);
    return overlaps(c, a) || overlaps(c, b);
}

static int multiply(const vekt_target *target, int type, const vekt_product *p) {
    if ((double)p->m * (double)p->n * (double)p->k < RELEASED_PRODUCTS)
        return vekt_connected->matmul(target, type, p);
    int status;
    Py_BEGIN_ALLOW_THREADS status = vekt_connected->matmul(target, type, p);
    Py_END_ALLOW_THREADS return status;
}

/* The out among the arguments, NULL for none; 0 where there are others. */
static int find_out(PyObject *const *args, Py_ssize_t n_args, PyObject *names, PyObject **out) {
    Py_ssize_t n_names = names ? PyTuple_Size(names) : 0;
    if (n_args < 2 || n_args + n_names > 3) return 0;
    if (n_names && PyUnicode_CompareWithASCIIString(PyTuple_GetItem(names, 0), "out")) return 0;
    *out = n_args + n_names == 3 && args[2] != Py_None ? args[2] : NULL;
    return !*out || PyArray_CheckExact(*out);
}

/* The result for plain arrays that fit; NULL without an error where the gufunc shall decide. */
static PyObject *direct(const vekt_target *target, int which, PyObject *const *args, Py_ssize_t n_args,
                        PyObject *names) {
    PyObject *out;
    if (!find_out(args, n_args, names, &out) || !PyArray_CheckExact(args[0]) || !PyArray_CheckExact(args[1])) {
        return NULL;
    }
    PyArrayObject *a = (PyArrayObject *)args[0], *b = (PyArrayObject *)args[1], *c = (PyArrayObject *)out;
    int number = PyArray_TYPE(a), a_dims = PyArray_NDIM(a), b_dims = PyArray_NDIM(b);
    int type = vekt_product_type(number), conjugates = which == VEKT_VECDOT || which == VEKT_VECMAT;
    if (type < 0 || PyArray_TYPE(b) != number || !takes(which, a_dims, b_dims) || !PyArray_ISNOTSWAPPED(a) ||
        !PyArray_ISNOTSWAPPED(b) || (conjugates && PyArray_ISCOMPLEX(a))) {
        return NULL;
    }
    const npy_intp *a_shape = PyArray_DIMS(a), *b_shape = PyArray_DIMS(b);
    vekt_product p = {.m = a_dims == 2 ? a_shape[0] : 1,
                      .n = b_dims == 2 ? b_shape[1] : 1,
                      .k = b_shape[0],
                      .a = matrix_of(a, 1),
                      .b = matrix_of(b, 0)};
    if (a_shape[a_dims - 1] != p.k) return NULL;

    npy_intp shape[2] = {a_dims == 2 ? p.m : p.n, p.n};
    int dims = a_dims + b_dims - 2;
    if (dims == 0 && !out) {
        npy_clongdouble value; /* more room than any element takes */
        p.c.data = (char *)&value;
        if (multiply(target, type, &p) < 0) return PyErr_NoMemory();
        return PyArray_Scalar(&value, PyArray_DESCR(a), NULL);
    }
    if (!out) {
        out = PyArray_SimpleNew(dims, shape, number);
        if (!out) return NULL;
        c = (PyArrayObject *)out;
        p.c = matrix_of(c, b_dims == 2);
    } else {
        if (PyArray_TYPE(c) != number || PyArray_NDIM(c) != dims || !PyArray_ISNOTSWAPPED(c) ||
            !PyArray_ISWRITEABLE(c) || memcmp(PyArray_DIMS(c), shape, (size_t)dims * sizeof *shape)) {
            return NULL;
        }
        p.c = matrix_of(c, b_dims == 2);
        if (may_overlap(&p, PyArray_ITEMSIZE(c))) return NULL;
        Py_INCREF(out);
    }
    if (multiply(target, type, &p) == 0) return out;
    Py_DECREF(out);
    return PyErr_NoMemory();
}

/* Dask's arrays take gufuncs, but none whose dimensions may be missing. */
static int is_dask(PyObject *operand) { return !PyArray_Check(operand) && PyObject_HasAttrString(operand, "rechunk"); }

/* A new reference to what shall compute the general case. */
static PyObject *general(products *own, int which, PyObject *const *args, Py_ssize_t n_args) {
    if (which == VEKT_MATMUL && n_args >= 2 && (is_dask(args[0]) || is_dask(args[1]))) {
        PyObject *module = PyImport_ImportModule("vekt._dask");
        PyObject *function = module ? PyObject_GetAttrString(module, "matmul") : NULL;
        Py_XDECREF(module);
        return function;
    }
    PyObject *gufunc = gufunc_of(own, which);
    Py_XINCREF(gufunc);
    return gufunc;
}

/* Arguments as a tuple and a dictionary, without axes and axis where they are None, as the gufunc wants them. */
static PyObject *through_python(PyObject *function, PyObject *const *args, Py_ssize_t n_args, PyObject *names) {
    PyObject *tuple = PyTuple_New(n_args), *keywords = PyDict_New(), *result = NULL;
    if (!tuple || !keywords) goto done;
    for (Py_ssize_t i = 0; i < n_args; i++) {
        Py_INCREF(args[i]);
        PyTuple_SetItem(tuple, i, args[i]);
    }
    for (Py_ssize_t i = 0; names && i < PyTuple_Size(names); i++) {
        PyObject *name = PyTuple_GetItem(names, i), *value = args[n_args + i];
        if (value == Py_None &&
            (!PyUnicode_CompareWithASCIIString(name, "axes") || !PyUnicode_CompareWithASCIIString(name, "axis"))) {
            continue;
        }
        if (PyDict_SetItem(keywords, name, value) < 0) goto done;
    }
    result = PyObject_Call(function, tuple, keywords);
done:
    Py_XDECREF(tuple);
    Py_XDECREF(keywords);
    return result;
}

/* self is a capsule of a target's products, or the module for the selected target. */
static PyObject *call(int which, PyObject *self, PyObject *const *args, Py_ssize_t n_args, PyObject *names) {
    static products selected;
    selected.target = vekt_selected;
    products *own = PyCapsule_CheckExact(self) ? PyCapsule_GetPointer(self, NULL) : &selected;
    PyObject *result = direct(own->target, which, args, n_args, names);
    if (result || PyErr_Occurred()) return result;
    PyObject *function = general(own, which, args, n_args);
    if (!function) return NULL;
    result = through_python(function, args, n_args, names);
    Py_DECREF(function);
    return result;
}

#define FUNCTION(name, which)                                                                          \
    static PyObject *name(PyObject *self, PyObject *const *args, Py_ssize_t n_args, PyObject *names) { \
        return call(which, self, args, n_args, names);                                                 \
    }
FUNCTION(py_matmul, VEKT_MATMUL)
FUNCTION(py_vecdot, VEKT_VECDOT)
FUNCTION(py_matvec, VEKT_MATVEC)
FUNCTION(py_vecmat, VEKT_VECMAT)

#define METHOD(name, function, doc) {name, (PyCFunction)(void (*)(void))function, METH_FASTCALL | METH_KEYWORDS, doc}
static PyMethodDef methods[VEKT_N_GUFUNCS + 1] = {
    [VEKT_MATMUL] = METHOD("matmul", py_matmul, MATMUL_DOC),
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
    for (int i = 0; i < VEKT_N_GUFUNCS && status == 0; i++) {
        PyObject *function = PyCFunction_New(&methods[i], capsule);
        status = function ? PyDict_SetItemString(functions, methods[i].ml_name, function) : -1;
        Py_XDECREF(function);
    }
    Py_XDECREF(capsule);
    if (status < 0) Py_CLEAR(functions);
    return functions;
}
