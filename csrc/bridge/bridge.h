/* What the C files of vekt._ufuncs share. */
#ifndef VEKT_BRIDGE_H
#define VEKT_BRIDGE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL vekt_array_api
#define PY_UFUNC_UNIQUE_SYMBOL vekt_ufunc_api
#include <numpy/arrayobject.h>
#include <numpy/dtype_api.h>
#include <numpy/ufuncobject.h>

#include "drivers.h"

/* Set by connect(): the drivers in vekt._kernels, and the target chosen at import. */
extern const vekt_api *vekt_connected;
extern const vekt_target *vekt_selected;

/* module.c.  The target of this address; NULL with an error where there is none. */
const vekt_target *vekt_target_of(PyObject *address);

/* module.c.  The target to which build() bound a function, whose `self` this is; else the selected one. */
const vekt_target *vekt_bound_target(PyObject *self);

/* Releasing the GIL costs more than it gives below this many elements. */
enum {
    VEKT_RELEASED_ELEMENTS = 16384,
    VEKT_RELEASED_ROWS = 4096,     /* of functions of rows */
    VEKT_RELEASED_PRODUCTS = 65536 /* of elements, in a product of matrices */
};
/* Lets other threads run, and signals end it, during a call that takes long enough, until vekt_take_gil of what this
 * returns. */
static inline PyThreadState *vekt_release_gil(int is_long) {
    if (!is_long) return NULL;
    vekt_connected->call_begins();
    return PyEval_SaveThread();
}

/* 0, or -1 with an error where a signal has ended the call, or where its status says that memory is missing. */
static inline int vekt_take_gil(PyThreadState *released, int status) {
    int stopped = 0;
    if (released) {
        stopped = vekt_connected->call_ends();
        PyEval_RestoreThread(released);
    }
    if (status < 0 && !stopped) PyErr_NoMemory();
    return status < 0 || stopped ? -1 : 0;
}

/* One thread at a time, as by an object's lock, where there is no GIL to see to it. */
#ifdef Py_GIL_DISABLED
#define VEKT_BEGIN_ALONE(object) Py_BEGIN_CRITICAL_SECTION(object)
#define VEKT_END_ALONE() Py_END_CRITICAL_SECTION()
#else
#define VEKT_BEGIN_ALONE(object) {
#define VEKT_END_ALONE() }
#endif

/* What Python does where C does not, handed in by provide() under the names in module.c. */
typedef enum {
    VEKT_PY_AXIS_ERROR,  /* NumPy's exception for a bad axis: AxisError(axis, ndim) */
    VEKT_PY_PLAIN,       /* plain(function, name, x): x as an array, an error for another library's */
    VEKT_PY_SEVERAL,     /* several(ufunc, args, kwargs) of other libraries' operands; NotImplemented for others */
    VEKT_PY_LAZY_MATMUL, /* matmul of operands one of which is Dask's */
    VEKT_PY_AT_LEAST,    /* at_least(function, name, value, least): the value, an error for numbers below */
    VEKT_PY_METHOD,      /* method(function, name, args, kwargs): what the ufunc's method of that name does */
    VEKT_PY_DIRECTORY,   /* directory(function): what dir() lists of a function */
    VEKT_PY_ATTRIBUTE,   /* attribute(dispatcher, name): the ufunc's attribute of that name */
    VEKT_PY_DOT,         /* dot(a, b, out) of operands that are not both vectors */
    VEKT_PY_NO_LOOP,     /* NumPy's exception where a ufunc has no loop for the dtypes */
    VEKT_PY_PRODUCT,     /* product(name, *args, **kwargs): NumPy's product of that name */
    VEKT_N_PY
} vekt_py;

/* module.c.  A borrowed reference; NULL with an error where nothing has been provided. */
PyObject *vekt_python(vekt_py which);

/* shared.c.  Marks the axes of None (all), an integer or a tuple; -1 with NumPy's error for a bad one. */
int vekt_mark_axes(PyObject *axis, int ndim, int *marks);

/* shared.c.  Whether a bool or an integer is true, as NumPy takes keepdims; -1 with TypeError for all else. */
int vekt_keepdims(PyObject *value);

/* Converter "O&": picoseconds for each element, an int. */
int vekt_take_cost(PyObject *object, void *cost);
/* shared.c.  A new reference to an argument as an array; TypeError where another library has functions for it. */
PyArrayObject *vekt_plain_array(PyObject *object, const char *function, const char *name);

/* shared.c.  function(self, args, kwargs) with what a vector call was given. */
/* A capsule of this name, a constant or NULL, that takes over memory of PyMem_Malloc, also where it fails. */
PyObject *vekt_owner_of(void *memory, const char *name);
PyObject *vekt_call_with(PyObject *function, PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names);
/* The bit of a vector call's n_args that gives the callee a place before the arguments. */
#define VEKT_NAMED_OFFSET ((size_t)1 << (8 * sizeof(size_t) - 1))

typedef PyObject *(*vekt_vectorcall)(PyObject *self, PyObject *const *args, size_t n_args, PyObject *names);

/* The ufunc over the target's kernels of that name; KeyError where there are none. */
PyObject *vekt_build_ufunc(const vekt_target *target, const char *name, const char *doc, int n_params);

/* ufuncs.c.  The kernel of such a ufunc for NPY_FLOAT or NPY_DOUBLE, its target and how many of the inputs, the last
 * ones, are parameters; NULL for what has none. */
const vekt_kernel *vekt_kernel_of(PyObject *ufunc, int type, const vekt_target **target, int *n_params);
/* direct.c.  The kernel of a ufunc, applied to plain arrays of one shape and dtype and to numbers as parameters;
 * NotImplemented for all other operands, which are the ufunc's. */
PyObject *vekt_call_direct(PyObject *ufunc, PyObject *const *args);
/* call_halves(ufunc, axis, *operands, x) */
PyObject *vekt_py_call_halves(PyObject *self, PyObject *const *args, Py_ssize_t n_args);

/* dtypes.c.  One loop for operands that are all of the same dtype. */
int vekt_add_loop(PyObject *ufunc, PyArray_DTypeMeta *dtype, int n_params, PyArrayMethod_StridedLoop *loop);
/* A promoter for all dtypes without a loop of their own. */
int vekt_add_promoter(PyObject *ufunc, PyArrayMethod_PromoterFunction *promoter);
/* Is this the DType of ml_dtypes.bfloat16?  Where it is, that package has been imported. */
int vekt_is_bfloat16(PyArray_DTypeMeta *dtype);
/* The same of an array's dtype; all but a user's own are told at once. */
int vekt_holds_bfloat16(const PyArray_Descr *descr);
/* vekt_dtype of float32 or float64. */
static inline int vekt_dtype_of(int type_num) { return type_num == NPY_FLOAT ? VEKT_F32 : VEKT_F64; }
/* How a float's elements are computed with, and lie in memory: sets a vekt_dtype and a vekt_format.  0 for others. */
int vekt_float_of(const PyArray_Descr *descr, int *dtype, int *format);
/* The bfloat16 among the operands and what was asked for (borrowed), or NULL. */
PyArray_DTypeMeta *vekt_find_bfloat16(const PyUFuncObject *u, PyArray_DTypeMeta *const operands[],
                                      PyArray_DTypeMeta *const signature[]);
/* What dtype= or signature= ask for: sets *dtype (borrowed), NULL where nothing is asked for.  0 without an error
 * where they ask for several dtypes at once, of which there is no loop. */
int vekt_asked_dtype(const PyUFuncObject *u, PyArray_DTypeMeta *const signature[], PyArray_DTypeMeta **dtype);
/* The dtype that the inputs have in common (borrowed), or NULL without an error.  bfloat16, where given, stays alone,
 * and beside others counts as float32, as in NumPy's own ufuncs; NumPy cannot promote it with all dtypes. */
PyArray_DTypeMeta *vekt_common_dtype(const PyUFuncObject *u, PyArray_DTypeMeta *const operands[],
                                     PyArray_DTypeMeta *bfloat16);
/* A promoter's answer: this dtype for all operands. */
void vekt_promoted_to(const PyUFuncObject *u, PyArray_DTypeMeta *dtype, PyArray_DTypeMeta *const operands[],
                      PyArray_DTypeMeta *promoted[]);

/* The native dtype of both operands' product, a new reference; NULL with NumPy's error where there is none. */
PyArray_Descr *vekt_common_descr(PyArrayObject *a, PyArrayObject *b);
/* The one that dtype= asks for, a new reference; NULL without an error where it is none that they can be cast to. */
PyArray_Descr *vekt_asked_descr(PyObject *asked, PyArrayObject *const array[2]);
/* What vekt_product.from says of an operand of a product of this dtype; -1 where there is no conversion. */
int vekt_conversion_of(PyArrayObject *x, const PyArray_Descr *descr);
int vekt_conversion_to(PyArrayObject *x, int type_num);

/* overlap.c.  Is it certain that no two elements of an array share memory?  May two arrays? */
int vekt_is_injective(PyArrayObject *a);
int vekt_may_overlap(PyArrayObject *a, PyArrayObject *b);

/* operations.c.  Capsules of this name own a vekt_operation. */
#define VEKT_OPERATION "vekt_operation"
/* vekt_type of NumPy's type number, or of a dtype, which may be bfloat16; -1 for those that the engine has not. */
int vekt_memory_type(int type_num);
int vekt_memory_type_of(const PyArray_Descr *descr);
/* kernel_operation(target, name, dtype), and numpy_operation(ufunc, dtypes, cost): NotImplemented for those that the
 * engine has not, and where there is no loop of exactly these types. */
PyObject *vekt_py_kernel_operation(PyObject *self, PyObject *args);
PyObject *vekt_py_numpy_operation(PyObject *self, PyObject *args);
/* The loop of where(condition, x, y) for results of a vekt_type, or NULL. */
vekt_loop vekt_select_loop(const vekt_target *target, int type);
/* dispatcher.c. */
int vekt_add_dispatcher(PyObject *module);
int vekt_add_function(PyObject *module);

/* gufuncs.c and matmul.c: matrix products.  matmul has a second gufunc for deterministic="batch": loops see none of
 * a call's own keywords. */
enum {
    VEKT_MATMUL,
    VEKT_VECDOT,
    VEKT_MATVEC,
    VEKT_VECMAT,
    VEKT_N_PRODUCT_FUNCTIONS,
    VEKT_MATMUL_INVARIANT = VEKT_N_PRODUCT_FUNCTIONS,
    VEKT_N_GUFUNCS
};
/* What a product of elements of NumPy's type, or of a dtype, is computed in (matmul.h); -1 for one that has none. */
int vekt_product_type(int type_num);
int vekt_product_type_of(const PyArray_Descr *descr);
/* A stack of products, as one where that is possible: all bits of an invariant product stay the same, since those of
 * an element depend on its row and its column alone.  Writes to *p. */
int vekt_multiply_stack(const vekt_target *target, int type, vekt_product *p, ptrdiff_t count,
                        const ptrdiff_t steps[3]);
PyObject *vekt_build_gufunc(const vekt_target *target, int which);
/* Adds matmul and its kin over the selected target to the module. */
int vekt_add_products(PyObject *module);
/* The same functions over another target, in a dict by name. */
PyObject *vekt_build_products(const vekt_target *target);

/* dot(a, b, out=None); self is a capsule of the target, or the module for the selected one. */
PyObject *vekt_py_matmul(PyObject *self, PyObject *const *args, Py_ssize_t n_args, PyObject *names);
PyObject *vekt_py_dot(PyObject *self, PyObject *const *args, Py_ssize_t n_args, PyObject *names);

/* rows(name, x, y, axis, keepdims, where, out, dtype); self as for dot. */
PyObject *vekt_py_rows(PyObject *self, PyObject *const *args, Py_ssize_t n_args);
extern const char vekt_rows_doc[];
/* cross_entropy(x, targets, factors, on_label, everywhere, loss, dx, may_ignore); self as for dot. */
PyObject *vekt_py_cross_entropy(PyObject *self, PyObject *const *args, Py_ssize_t n_args);
/* prelu(target, x, alpha, out, outer, period, inner), and
 * prelu_backward(target, dy, x, alpha, dx, dalpha, outer, period, inner): drivers.h tells about the lengths. */
PyObject *vekt_py_prelu(PyObject *self, PyObject *const *args, Py_ssize_t n_args);
PyObject *vekt_py_prelu_backward(PyObject *self, PyObject *const *args, Py_ssize_t n_args);

/* retype_dlpack(capsule, from, to) */
PyObject *vekt_py_retype_dlpack(PyObject *self, PyObject *args);
/* call_aligned(function, args, kwargs) */
PyObject *vekt_py_call_aligned(PyObject *self, PyObject *const *args, Py_ssize_t n_args);

/* optim_step(kind, p, g, m, v, numbers); self as for dot. */
PyObject *vekt_py_optim_step(PyObject *self, PyObject *const *args, Py_ssize_t n_args);
/* norms(kind, x, y, axis, keepdims); self as for dot. */
PyObject *vekt_py_norms(PyObject *self, PyObject *const *args, Py_ssize_t n_args);
/* reduce.c.  The dtype of sums, or means, and both types in memory: 0 for what is NumPy's. */
int vekt_choose_sum(PyArray_Descr *native, PyArray_Descr *asked, int mean, PyArray_Descr **result, int *type,
                    int *out_type);

/* scan(op, x, axis, dtype, out); self as for dot. */
PyObject *vekt_py_scan(PyObject *self, PyObject *const *args, Py_ssize_t n_args);

/* reduce(op, x, axis, dtype, out, keepdims[, ddof]); self as for dot. */
PyObject *vekt_py_reduce(PyObject *self, PyObject *const *args, Py_ssize_t n_args);
/* Adds the functions of dense layers to the module. */
int vekt_add_dense(PyObject *module);

/* Adds the functions of programs to the module. */
int vekt_add_programs(PyObject *module);
int vekt_add_passes(PyObject *module);

/* results.c.  Large arrays that are made between these two are of memory that waits for them; the second is given
 * what the first returns. */
PyObject *vekt_begin_results(npy_intp bytes);
void vekt_end_results(PyObject *former);
/* A new array as of PyArray_NewFromDescr, which takes the reference to the dtype, and of PyArray_NewLikeArray. */
PyObject *vekt_new_array(PyArray_Descr *descr, int ndim, const npy_intp *shape, const npy_intp *strides);
PyObject *vekt_new_like(PyArrayObject *prototype, PyArray_Descr *descr);
/* keep_results(bytes) and kept_results() */
PyObject *vekt_py_keep_results(PyObject *self, PyObject *bytes);
PyObject *vekt_py_kept_results(PyObject *self, PyObject *unused);
/* top_k(x, k), take(x, indices, axis, mode, out), scatter_add(x, indices, values, axis) and mark(out, indices, one);
 * self as for dot. */
PyObject *vekt_py_top_k(PyObject *self, PyObject *const *args, Py_ssize_t n_args);
PyObject *vekt_py_take(PyObject *self, PyObject *const *args, Py_ssize_t n_args);
PyObject *vekt_py_scatter_add(PyObject *self, PyObject *const *args, Py_ssize_t n_args);
PyObject *vekt_py_mark(PyObject *self, PyObject *const *args, Py_ssize_t n_args);

/* order.c: empty(shape, dtype, arrays) */
PyObject *vekt_py_empty(PyObject *self, PyObject *args);
/* watch.c.  What vk.warn_upcasts() has set, NULL outside of it; and what becomes of a result while it is: the result,
 * or NULL with an error.  watch(watcher, ufuncs) sets it, None for nobody, for these ufuncs as well. */
extern PyObject *_Atomic vekt_watcher;
PyObject *vekt_tell(PyObject *function, PyObject *const *args, Py_ssize_t n, PyObject *names, PyObject *result);
PyObject *vekt_py_watch(PyObject *self, PyObject *args);
static inline PyObject *vekt_told(PyObject *function, PyObject *const *args, size_t n_args, PyObject *names,
                                  PyObject *result) {
    if (!vekt_watcher || !result) return result;
    return vekt_tell(function, args, (Py_ssize_t)(n_args & ~VEKT_NAMED_OFFSET), names, result);
}

/* outer(a, b, out) and transpose_copy(source, copy); self as for dot. */
PyObject *vekt_py_outer(PyObject *self, PyObject *const *args, Py_ssize_t n_args);
PyObject *vekt_py_transpose_copy(PyObject *self, PyObject *const *args, Py_ssize_t n_args);

#endif
