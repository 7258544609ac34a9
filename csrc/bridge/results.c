/* Memory of large results: blocks that wait for the next one (runtime/blocks.h), by way of NumPy's handlers (NEP 49),
 * which every array remembers.  Only arrays that vekt makes are of them, and none while somebody else's handler is
 * set. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

/* malloc has smaller ones at hand, and the handler's turn would take a tenth of the time. */
enum { LEAST_BYTES = 1 << 17 };

static void *allocate(void *context, size_t bytes) {
    (void)context;
    return vekt_connected->take_block(bytes, 0);
}

static void *allocate_zeros(void *context, size_t n, size_t size) {
    (void)context;
    return size && n > PY_SSIZE_T_MAX / size ? NULL : vekt_connected->take_block(n * size, 1);
}

static void *reallocate(void *context, void *memory, size_t bytes) {
    (void)context;
    return memory ? vekt_connected->resize_block(memory, bytes) : vekt_connected->take_block(bytes, 0);
}

static void release(void *context, void *memory, size_t bytes) {
    (void)context, (void)bytes;
    if (memory) vekt_connected->release_block(memory);
}

static PyDataMem_Handler handler = {"vekt_blocks", 1, {NULL, allocate, allocate_zeros, reallocate, release}};
static PyObject *capsule; /* NULL where every result is of new memory */

PyObject *vekt_py_keep_results(PyObject *self, PyObject *bytes) {
    (void)self;
    size_t most = PyLong_AsSize_t(bytes);
    if (most == (size_t)-1 && PyErr_Occurred()) return NULL;
#ifdef __SANITIZE_ADDRESS__
    most = 0; /* its allocator sees who reads beyond a result */
#endif
    if (most && !capsule && !(capsule = PyCapsule_New(&handler, "mem_handler", NULL))) return NULL;
    if (!most) Py_CLEAR(capsule);
    vekt_connected->keep_blocks(most);
    Py_RETURN_NONE;
}

PyObject *vekt_py_kept_results(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    return PyLong_FromSize_t(vekt_connected->kept_bytes());
}

PyObject *vekt_begin_results(npy_intp bytes) {
    if (bytes < LEAST_BYTES || !capsule || vekt_connected->memory_is_limited()) return NULL;
    PyObject *former = PyDataMem_SetHandler(capsule); /* of this context: other threads keep theirs */
    if (!former) {
        PyErr_Clear();
    } else if (former != PyDataMem_DefaultHandler) {
        vekt_end_results(former);
        former = NULL;
    }
    return former;
}

void vekt_end_results(PyObject *former) {
    PyObject *type = NULL, *value = NULL, *traceback = NULL;
    if (!former) return;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *own = PyDataMem_SetHandler(former);
    Py_DECREF(former);
    Py_XDECREF(own);
    PyErr_Restore(type, value, traceback);
}

PyObject *vekt_new_array(PyArray_Descr *descr, int ndim, const npy_intp *shape, const npy_intp *strides) {
    npy_intp bytes = PyDataType_ELSIZE(descr);
    for (int d = 0; d < ndim; d++)
        if (__builtin_mul_overflow(bytes, shape[d], &bytes)) bytes = 0; /* NumPy tells the error */
    PyObject *former = vekt_begin_results(bytes);
    PyObject *array = PyArray_NewFromDescr(&PyArray_Type, descr, ndim, shape, strides, NULL, 0, NULL);
    vekt_end_results(former);
    return array;
}

PyObject *vekt_new_like(PyArrayObject *prototype, PyArray_Descr *descr) {
    const npy_intp item = PyDataType_ELSIZE(descr ? descr : PyArray_DESCR(prototype));
    PyObject *former = vekt_begin_results(PyArray_SIZE(prototype) * item);
    PyObject *array = PyArray_NewLikeArray(prototype, NPY_KEEPORDER, descr, 0);
    vekt_end_results(former);
    return array;
}
