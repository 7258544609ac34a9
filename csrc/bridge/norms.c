/* Norms and cosines of NumPy arrays; vekt.linalg knows what they are called.  vekt_norms takes any layout as it is.
 */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

typedef struct {
    PyArrayObject *array[2]; /* owned: x, and y or NULL */
    PyArray_Descr *descr;    /* owned: of the inputs as they are read */
    int ndim, is_complex;
    npy_intp shape[VEKT_MAX_DIMS];
    int marks[VEKT_MAX_DIMS]; /* axes that are reduced */
    vekt_dim dims[VEKT_MAX_DIMS + 1];
    vekt_norms_call call;
} work;

/* Sets descr to the native dtype in which an operand of this one is read: 0 where there is none. */
static int choose_dtype(work *w, PyArray_Descr *descr) {
    int type = descr->type_num;
    w->is_complex = type == NPY_CFLOAT || type == NPY_CDOUBLE;
    if (w->is_complex && w->call.kind != VEKT_SUM_SQUARES) return 0;
    if (!vekt_float_of(descr, &w->call.dtype, &w->call.format)) {
        const int whole = PyTypeNum_ISINTEGER(type) || type == NPY_BOOL;
        if (!whole && !w->is_complex) return 0;
        if (whole) type = NPY_DOUBLE;
        w->call.dtype = type == NPY_CFLOAT ? VEKT_F32 : VEKT_F64;
    }
    w->descr = type < NPY_USERDEF ? PyArray_DescrFromType(type) : PyArray_DescrNewByteorder(descr, NPY_NATIVE);
    return 1;
}

/* Makes the operands what descr says; those that are so are read where they lie. */
static int convert(work *w) {
    for (int k = 0; k < 2; k++) {
        PyArrayObject *array = w->array[k];
        if (!array || PyArray_EquivTypes(PyArray_DESCR(array), w->descr)) continue;
        Py_INCREF((PyObject *)w->descr);
        w->array[k] = (PyArrayObject *)PyArray_FromArray(array, w->descr, NPY_ARRAY_FORCECAST);
        Py_DECREF((PyObject *)array);
        if (!w->array[k]) return -1;
    }
    return 0;
}

/* The shape to which the operands broadcast. */
static int broadcast(work *w) {
    w->ndim = 0;
    for (int k = 0; k < 2; k++) {
        if (w->array[k] && PyArray_NDIM(w->array[k]) > w->ndim) w->ndim = PyArray_NDIM(w->array[k]);
    }
    for (int i = 0; i < w->ndim; i++) w->shape[i] = 1;
    for (int k = 0; k < 2 && w->array[k]; k++) {
        const int shift = w->ndim - PyArray_NDIM(w->array[k]);
        for (int i = shift; i < w->ndim; i++) {
            const npy_intp size = PyArray_DIM(w->array[k], i - shift);
            if (size == 1 || size == w->shape[i]) continue;
            if (w->shape[i] == 1) {
                w->shape[i] = size;
                continue;
            }
            PyObject *a = PyObject_GetAttrString((PyObject *)w->array[0], "shape");
            PyObject *b = PyObject_GetAttrString((PyObject *)w->array[1], "shape");
            if (a && b)
                PyErr_Format(PyExc_ValueError, "cosine_similarity: shapes a %S and b %S do not broadcast", a, b);
            Py_XDECREF(a);
            Py_XDECREF(b);
            return -1;
        }
    }
    return 0;
}

static npy_intp step_of(const work *w, int k, int axis) {
    PyArrayObject *array = w->array[k];
    if (!array) return 0;
    const int i = axis - (w->ndim - PyArray_NDIM(array));
    return i < 0 || PyArray_DIM(array, i) == 1 ? 0 : PyArray_STRIDE(array, i);
}

/* Dimensions of the call; out is contiguous and of this item size.  Returns how many elements there are. */
static npy_intp set_dims(work *w, npy_intp out_item) {
    vekt_norms_call *c = &w->call;
    npy_intp elements = 1;
    for (int i = 0; i < w->ndim; i++) {
        c->n_outer += !w->marks[i];
        elements *= w->shape[i];
    }
    int outer = c->n_outer, inner = c->n_outer;
    npy_intp out_step = out_item;
    for (int i = 0; i < w->ndim; i++) {
        if (w->marks[i]) w->dims[inner++] = (vekt_dim){w->shape[i], {step_of(w, 0, i), step_of(w, 1, i), 0}};
    }
    for (int i = w->ndim - 1; i >= 0; i--) {
        if (w->marks[i]) continue;
        w->dims[--outer] = (vekt_dim){w->shape[i], {step_of(w, 0, i), step_of(w, 1, i), out_step}};
        out_step *= w->shape[i];
    }
    c->is_complex = w->is_complex;
    c->n_inner = inner - c->n_outer;
    c->dims = w->dims;
    c->x = PyArray_BYTES(w->array[0]);
    c->y = w->array[1] ? PyArray_BYTES(w->array[1]) : NULL;
    return elements;
}

static int run(const vekt_target *target, work *w, npy_intp elements) {
    PyThreadState *released = vekt_release_gil(elements >= VEKT_RELEASED_ELEMENTS);
    return vekt_take_gil(released, vekt_connected->norms(target, &w->call));
}

static PyObject *compute(const vekt_target *target, work *w, int keepdims) {
    PyArray_Descr *descr = w->descr;
    Py_INCREF((PyObject *)descr);
    if (w->is_complex) {
        Py_DECREF((PyObject *)descr);
        descr = PyArray_DescrFromType(w->call.dtype == VEKT_F32 ? NPY_FLOAT : NPY_DOUBLE);
    }
    const npy_intp elements = set_dims(w, PyDataType_ELSIZE(descr));
    PyObject *made = NULL;
    if (w->call.n_outer == 0 && !keepdims) { /* PyArray_Return of a 0-d array takes twice as long */
        double number;
        w->call.out = (char *)&number;
        if (run(target, w, elements) == 0) made = PyArray_Scalar(&number, descr, NULL);
        Py_DECREF((PyObject *)descr);
        return made;
    }
    npy_intp shape[VEKT_MAX_DIMS];
    int ndim = 0;
    for (int i = 0; i < w->ndim; i++) {
        if (!w->marks[i] || keepdims) shape[ndim++] = w->marks[i] ? 1 : w->shape[i];
    }
    made = vekt_new_array(descr, ndim, shape, NULL);
    if (!made) return NULL;
    w->call.out = PyArray_BYTES((PyArrayObject *)made);
    if (run(target, w, elements) == 0) return made;
    Py_DECREF(made);
    return NULL;
}

PyObject *vekt_py_norms(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    if (n_args != 5) return PyErr_Format(PyExc_TypeError, "norms() takes 5 arguments (%zd given)", n_args);
    work w;
    w.call = (vekt_norms_call){.kind = (int)PyLong_AsLong(args[0])};
    const int keepdims = vekt_keepdims(args[4]);
    if (PyErr_Occurred()) return NULL;
    if (!PyArray_Check(args[1]) || (args[2] != Py_None && !PyArray_Check(args[2])))
        return PyErr_Format(PyExc_TypeError, "norms: x and y must be arrays");
    PyArray_Descr *common = PyArray_DESCR((PyArrayObject *)args[1]);
    if (args[2] == Py_None)
        Py_INCREF((PyObject *)common);
    else
        common = PyArray_PromoteTypes(common, PyArray_DESCR((PyArrayObject *)args[2]));
    if (!common) return NULL;
    const int known = choose_dtype(&w, common);
    Py_DECREF((PyObject *)common);
    if (!known) Py_RETURN_NOTIMPLEMENTED;
    for (int k = 0; k < 2; k++) {
        w.array[k] = args[1 + k] == Py_None ? NULL : (PyArrayObject *)args[1 + k];
        Py_XINCREF((PyObject *)w.array[k]);
    }
    const vekt_target *target = vekt_bound_target(self);
    PyObject *made = NULL;
    if (w.descr && convert(&w) == 0 && broadcast(&w) == 0 && vekt_mark_axes(args[3], w.ndim, w.marks) == 0)
        made = compute(target, &w, keepdims);
    for (int k = 0; k < 2; k++) Py_XDECREF((PyObject *)w.array[k]);
    Py_XDECREF((PyObject *)w.descr);
    return made;
}
