/* Memory of NumPy arrays at addresses that other libraries take over without a copy: XLA wants 64 bytes. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

static void *allocate(void *context, size_t bytes) {
    (void)context;
    return aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT); /* never of 0 bytes */
}

static void *allocate_zeros(void *context, size_t n, size_t size) {
    if (size && n > (SIZE_MAX - ALIGNMENT) / size) return NULL;
    void *memory = allocate(context, n * size);
    return memory ? memset(memory, 0, n * size) : NULL;
}

/* May move to an address that is aligned less: arrays are resized only by those who ask for it. */
static void *reallocate(void *context, void *memory, size_t bytes) {
    (void)context;
    return realloc(memory, bytes ? bytes : 1);
}

static void release(void *context, void *memory, size_t bytes) {
    (void)context, (void)bytes;
    free(memory);
}

static PyDataMem_Handler handler = {"vekt_aligned", 1, {NULL, allocate, allocate_zeros, reallocate, release}};

PyObject *vekt_py_call_aligned(PyObject *self, PyObject *const *args, Py_ssize_t n_args) {
    (void)self;
    if (n_args != 3) return PyErr_Format(PyExc_TypeError, "call_aligned() takes 3 arguments (%zd given)", n_args);
    PyObject *capsule = PyCapsule_New(&handler, "mem_handler", NULL);
    if (!capsule) return NULL;
    PyObject *former = PyDataMem_SetHandler(capsule); /* of this context: other threads keep theirs */
    Py_DECREF(capsule);
    if (!former) return NULL;
    PyObject *result = PyObject_Call(args[0], args[1], args[2]);
    PyObject *type = NULL, *value = NULL, *traceback = NULL;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *own = PyDataMem_SetHandler(former);
    Py_DECREF(former);
    PyErr_Restore(type, value, traceback);
    if (!own) Py_CLEAR(result);
    Py_XDECREF(own);
    return result;
}
