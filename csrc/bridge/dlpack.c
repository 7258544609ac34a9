/* bfloat16 through DLPack, which NumPy neither takes nor gives: its elements go as integers of 16 bits, and a
 * capsule's type code says which of both they are.
 *
 * The layout is that of https://dmlc.github.io/dlpack/latest/c_api.html. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

typedef struct {
    void *data;
    int32_t device_type, device_id;
    int32_t ndim;
    uint8_t code, bits;
    uint16_t lanes;
    int64_t *shape, *strides;
    uint64_t byte_offset;
} dl_tensor;

typedef struct {
    dl_tensor tensor;
    void *context;
    void (*deleter)(void *);
} dl_managed;

typedef struct {
    uint32_t major, minor;
    void *context;
    void (*deleter)(void *);
    uint64_t flags;
    dl_tensor tensor;
} dl_versioned;

/* NULL with an error for what is no capsule that waits to be taken, or one of a later layout. */
static dl_tensor *tensor_in(PyObject *capsule) {
    if (PyCapsule_IsValid(capsule, "dltensor"))
        return &((dl_managed *)PyCapsule_GetPointer(capsule, "dltensor"))->tensor;
    if (PyCapsule_IsValid(capsule, "dltensor_versioned")) {
        dl_versioned *managed = PyCapsule_GetPointer(capsule, "dltensor_versioned");
        if (managed->major == 1) return &managed->tensor;
    }
    PyErr_SetString(PyExc_BufferError, "a capsule of DLPack expected");
    return NULL;
}

PyObject *vekt_py_retype_dlpack(PyObject *self, PyObject *args) {
    PyObject *capsule;
    int from, to;
    (void)self;
    if (!PyArg_ParseTuple(args, "Oii:retype_dlpack", &capsule, &from, &to)) return NULL;
    dl_tensor *tensor = tensor_in(capsule);
    if (!tensor) return NULL;
    const int is_it = tensor->code == from && tensor->bits == 16 && tensor->lanes == 1;
    if (is_it) tensor->code = (uint8_t)to;
    return PyBool_FromLong(is_it);
}
