/* Passes over arrays: programs whose results are stored or reduced (reduce_operation.h). */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "broadcast.h"

/* Releasing the GIL costs more than it gives below this much work. */
enum { RELEASED_PICOSECONDS = 5000000 };

static int fail(const char *message) {
    PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

/* Operand k of a call: an array whose shape broadcasts to that of the iteration. */
static int set_operand(vekt_reduction *r, int k, PyObject *object) {
    vekt_iteration *it = &r->iteration;
    const int is_output = k >= it->operation->nin;
    PyArrayObject *array = (PyArrayObject *)object;
    if (!PyArray_Check(object) || !PyArray_ISALIGNED(array) || !PyArray_ISNOTSWAPPED(array) ||
        (is_output && !PyArray_ISWRITEABLE(array)))
        return fail("pass: expected plain arrays");
    const int type = vekt_memory_type_of(PyArray_DESCR(array)), ahead = it->ndim - PyArray_NDIM(array);
    if (type < 0 || ahead < 0) return fail("pass: dtype or dimensions of an operand");
    const int computed = it->operation->type[k], reduced = is_output && r->reduce[k] != VEKT_STORED;
    if (reduced &&
        ((computed != VEKT_TYPE_F32 && computed != VEKT_TYPE_F64) || type < VEKT_TYPE_HALF || type > VEKT_TYPE_F64))
        return fail("pass: dtype of a reduced result");
    it->type[k] = (uint8_t)type;
    it->data[k] = PyArray_BYTES(array);
    for (int d = 0; d < it->ndim; d++) {
        const npy_intp size = d < ahead ? 1 : PyArray_DIM(array, d - ahead);
        if (size != it->shape[d] && (size != 1 || (is_output && !reduced)))
            return fail("pass: an operand does not broadcast to the shape");
        /* Strides of arrays without elements may be 0, which would mean a reduced dimension. */
        const npy_intp stride = size && d >= ahead ? PyArray_STRIDE(array, d - ahead) : PyArray_ITEMSIZE(array);
        it->step[k][d] = size == 1 ? 0 : stride;
    }
    return 0;
}

/* A tuple of numbers, or -1. */
static int take_shape(PyObject *tuple, npy_intp *shape) {
    const Py_ssize_t ndim = PyTuple_Check(tuple) ? PyTuple_Size(tuple) : -1;
    if (ndim < 0 || ndim > VEKT_MAX_DIMS) return fail("pass: a shape of 64 dimensions at most");
    for (Py_ssize_t d = 0; d < ndim; d++) shape[d] = PyLong_AsSsize_t(PyTuple_GetItem(tuple, d));
    return PyErr_Occurred() ? -1 : (int)ndim;
}

/* (shape, kinds, divisors): what is iterated over, and what becomes of each result. */
static int set_layout(vekt_reduction *r, const vekt_operation *o, PyObject *shape, PyObject *kinds,
                      PyObject *divisors) {
    r->iteration.operation = o;
    r->iteration.ndim = take_shape(shape, r->iteration.shape);
    if (r->iteration.ndim < 0) return -1;
    if (PyTuple_Size(kinds) != o->nout || PyTuple_Size(divisors) != o->nout) return fail("pass: numbers of results");
    for (int k = 0; k < o->nout; k++) {
        const long kind = PyLong_AsLong(PyTuple_GetItem(kinds, k));
        if (kind < VEKT_STORED || kind > VEKT_REDUCED_MIN) return fail("pass: kinds");
        r->reduce[o->nin + k] = (uint8_t)kind;
        r->divisor[o->nin + k] = PyFloat_AsDouble(PyTuple_GetItem(divisors, k));
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int run(const vekt_target *target, vekt_reduction *r) {
    npy_intp elements = 1;
    for (int d = 0; d < r->iteration.ndim; d++) elements *= r->iteration.shape[d];
    const double picoseconds = (double)elements * (r->iteration.operation->cost + 100);
    PyThreadState *released = vekt_release_gil(picoseconds >= RELEASED_PICOSECONDS);
    return vekt_take_gil(released, vekt_connected->reduce_operation(target, r));
}

static PyObject *reduce_program(PyObject *self, PyObject *args) {
    PyObject *address, *capsule, *shape, *arrays, *kinds, *divisors;
    vekt_reduction r;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOO!O!O!O!:reduce_program", &address, &capsule, &PyTuple_Type, &shape, &PyTuple_Type,
                          &arrays, &PyTuple_Type, &kinds, &PyTuple_Type, &divisors))
        return NULL;
    const vekt_target *target = vekt_target_of(address);
    const vekt_operation *o = target ? PyCapsule_GetPointer(capsule, VEKT_OPERATION) : NULL;
    if (!o || set_layout(&r, o, shape, kinds, divisors) < 0) return NULL;
    if (PyTuple_Size(arrays) != o->nin + o->nout) return fail("pass: number of operands"), NULL;
    for (int k = 0; k < o->nin + o->nout; k++)
        if (set_operand(&r, k, PyTuple_GetItem(arrays, k)) < 0) return NULL;
    if (run(target, &r) < 0) return NULL;
    Py_RETURN_NONE;
}

/* A new array for result k, in the order of all inputs or of one. */
static PyArrayObject *new_result(const vekt_reduction *r, PyObject *shape, PyObject *dtype, long like) {
    const vekt_iteration *it = &r->iteration;
    npy_intp full[VEKT_MAX_DIMS];
    if (!PyArray_DescrCheck(dtype) || take_shape(shape, full) != it->ndim || like >= it->operation->nin) {
        if (!PyErr_Occurred()) fail("pass: layout of a result");
        return NULL;
    }
    if (like < 0) return vekt_new_in_order((PyArray_Descr *)dtype, it->ndim, full, it->operation->nin, it->step);
    return vekt_new_in_order((PyArray_Descr *)dtype, it->ndim, full, 1, it->step + like);
}

static PyObject *in_shape(PyObject *array, PyObject *shape) {
    PyArray_Dims dims = {NULL, 0};
    if (shape == Py_None) return Py_NewRef(array);
    if (!PyArray_IntpConverter(shape, &dims)) return NULL;
    PyObject *result = PyArray_Newshape((PyArrayObject *)array, &dims, NPY_CORDER);
    PyDimMem_FREE(dims.ptr);
    return result;
}

static PyObject *run_pass(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    PyObject *shape, *wanted, *kinds, *divisors, *full, *final, *dtype, *made = NULL, *results = NULL;
    long like;
    vekt_reduction r;
    (void)self;
    if (n_args != 4 || !PyTuple_Check(args[2]) || !PyList_Check(args[3]))
        return PyErr_Format(PyExc_TypeError, "run_pass: target, program, layout and a list of arrays expected");
    const vekt_target *target = vekt_target_of(args[0]);
    const vekt_operation *o = target ? PyCapsule_GetPointer(args[1], VEKT_OPERATION) : NULL;
    if (!o || !PyArg_ParseTuple(args[2], "OO!O!O!:layout", &shape, &PyTuple_Type, &wanted, &PyTuple_Type, &kinds,
                                &PyTuple_Type, &divisors))
        return NULL;
    if (set_layout(&r, o, shape, kinds, divisors) < 0) return NULL;
    if (PyList_Size(args[3]) != o->nin || PyTuple_Size(wanted) != o->nout) return fail("pass: operands"), NULL;
    for (int k = 0; k < o->nin; k++)
        if (set_operand(&r, k, PyList_GetItem(args[3], k)) < 0) return NULL;
    made = PyList_New(o->nout);
    results = PyList_New(o->nout);
    for (int k = 0; k < o->nout && made && results; k++) {
        PyArrayObject *array = NULL;
        if (PyArg_ParseTuple(PyTuple_GetItem(wanted, k), "OOOl:result", &full, &final, &dtype, &like))
            array = new_result(&r, full, dtype, like);
        if (!array) goto failed;
        PyList_SetItem(made, k, (PyObject *)array);
        if (set_operand(&r, o->nin + k, (PyObject *)array) < 0) goto failed;
        PyObject *result = in_shape((PyObject *)array, final);
        if (!result) goto failed;
        PyList_SetItem(results, k, result);
    }
    if (!made || !results || run(target, &r) < 0) goto failed;
    Py_DECREF(made);
    return results;
failed:
    Py_XDECREF(made);
    Py_XDECREF(results);
    return NULL;
}

static PyMethodDef methods[] = {
    {"reduce_program", reduce_program, METH_VARARGS,
     "reduce_program(target, capsule, shape, arrays, kinds, divisors, /)\n--\n\n"
     "Run on arrays that broadcast to a shape; results that do, too, are reduced: reduce_operation.h has the kinds."},
    {"run_pass", (PyCFunction)(void (*)(void))run_pass, METH_FASTCALL,
     "run_pass(target, capsule, layout, arrays, /)\n--\n\n"
     "Run on a list of arrays that broadcast to a shape, and return a list of new ones.  The layout is a tuple of "
     "the "
     "shape, the\nresults (shape with all dimensions, other shape or None, dtype, input whose order it has or -1), "
     "their kinds and divisors."},
    {NULL, NULL, 0, NULL},
};

int vekt_add_passes(PyObject *module) { return PyModule_AddFunctions(module, methods); }
