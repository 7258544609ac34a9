/* Operations that the broadcast engine can run, as capsules: kernels of a target, and the loops of NumPy's own ufuncs
 * on their types. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

#include <stdatomic.h>
#include <string.h>

int vekt_memory_type(int type_num) {
    switch (type_num) {
    case NPY_BOOL:
        return VEKT_TYPE_BOOL;
    case NPY_BYTE:
        return VEKT_TYPE_I8;
    case NPY_UBYTE:
        return VEKT_TYPE_U8;
    case NPY_SHORT:
        return VEKT_TYPE_I16;
    case NPY_USHORT:
        return VEKT_TYPE_U16;
    case NPY_INT:
        return VEKT_TYPE_I32;
    case NPY_UINT:
        return VEKT_TYPE_U32;
    case NPY_LONG:
        return sizeof(npy_long) == 8 ? VEKT_TYPE_I64 : VEKT_TYPE_I32;
    case NPY_ULONG:
        return sizeof(npy_long) == 8 ? VEKT_TYPE_U64 : VEKT_TYPE_U32;
    case NPY_LONGLONG:
        return VEKT_TYPE_I64;
    case NPY_ULONGLONG:
        return VEKT_TYPE_U64;
    case NPY_HALF:
        return VEKT_TYPE_HALF;
    case NPY_FLOAT:
        return VEKT_TYPE_F32;
    case NPY_DOUBLE:
        return VEKT_TYPE_F64;
    case NPY_CFLOAT:
        return VEKT_TYPE_C64;
    case NPY_CDOUBLE:
        return VEKT_TYPE_C128;
    default:
        return -1;
    }
}

int vekt_memory_type_of(const PyArray_Descr *descr) {
    static _Atomic int bfloat16 = NPY_NOTYPE; /* the number that NumPy has given it */
    if (descr->type_num < NPY_USERDEF) return vekt_memory_type(descr->type_num);
    if (descr->type_num == bfloat16) return VEKT_TYPE_BFLOAT16;
    if (!vekt_holds_bfloat16(descr)) return -1;
    bfloat16 = descr->type_num;
    return VEKT_TYPE_BFLOAT16;
}

/* ---- kernels ---- */

typedef struct {
    vekt_operation base;
    vekt_loop loop;
} kernel_operation;

static void run_kernel(const vekt_operation *self, char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {
    ((const kernel_operation *)self)->loop(args, advance, n);
}

static PyObject *new_kernel(int nin, int nout, int cost, const uint8_t *type, vekt_loop loop) {
    kernel_operation *o = PyMem_Malloc(sizeof *o);
    if (!o) return PyErr_NoMemory();
    *o = (kernel_operation){.base = {.run = run_kernel, .nin = nin, .nout = nout, .cost = cost}, .loop = loop};
    memcpy(o->base.type, type, (size_t)(nin + nout));
    return vekt_owner_of(&o->base, VEKT_OPERATION);
}

PyObject *vekt_py_kernel_operation(PyObject *self, PyObject *args) {
    PyObject *address;
    const char *name;
    PyArray_Descr *dtype;
    (void)self;
    if (!PyArg_ParseTuple(args, "OsO!:kernel_operation", &address, &name, &PyArrayDescr_Type, &dtype)) return NULL;
    const vekt_target *target = vekt_target_of(address);
    if (!target) return NULL;
    const int type = vekt_memory_type_of(dtype);
    for (int i = 0; i < target->n_arithmetic; i++) {
        const vekt_typed_kernel *k = &target->arithmetic[i];
        if (k->type[k->nin - 1] == type && strcmp(k->name, name) == 0)
            return new_kernel(k->nin, k->nout, k->cost, k->type, k->loop);
    }
    for (int i = 0; i < target->n_kernels; i++) {
        const vekt_kernel *k = &target->kernels[i];
        const uint8_t own = k->dtype == VEKT_F32 ? VEKT_TYPE_F32 : VEKT_TYPE_F64;
        if (own != type || strcmp(k->name, name) != 0) continue;
        uint8_t types[VEKT_MAX_ARGS];
        memset(types, own, sizeof types);
        return new_kernel(k->nin, k->nout, k->cost, types, k->loop);
    }
    return PyErr_Format(PyExc_KeyError, "no kernel %s for %S", name, dtype);
}

vekt_loop vekt_select_loop(const vekt_target *target, int type) {
    for (int i = 0; i < target->n_arithmetic; i++) {
        const vekt_typed_kernel *k = &target->arithmetic[i];
        if (k->type[k->nin - 1] == type && strcmp(k->name, "where") == 0) return k->loop;
    }
    return NULL;
}

/* ---- NumPy's loops ---- */

typedef struct {
    vekt_operation base;
    PyUFuncGenericFunction loop;
    void *data;
} numpy_operation;

/* They read single values with a step of 0, and leave their arguments as they are. */
static void run_numpy(const vekt_operation *self, char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {
    const numpy_operation *o = (const numpy_operation *)self;
    o->loop((char **)args, &n, advance, o->data);
}

/* Loops that take single values one by one: these fill a row. */
static void run_numpy_on_rows(const vekt_operation *self, char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {
    enum { ROW_BYTES = 2048 };
    _Alignas(64) char row[2][ROW_BYTES];
    if (advance[0] != 0 && advance[1] != 0) {
        run_numpy(self, args, advance, n);
        return;
    }
    const ptrdiff_t item = advance[2], most = ROW_BYTES / item, filled = (n < most ? n : most) * item;
    for (int j = 0; j < 2; j++) {
        if (advance[j] != 0) continue;
        if (item == 1) {
            memset(row[j], *args[j], (size_t)filled);
            continue;
        }
        memcpy(row[j], args[j], (size_t)item);
        for (ptrdiff_t have = item; have < filled; have *= 2)
            memcpy(row[j] + have, row[j], (size_t)(filled - have < have ? filled - have : have));
    }
    const ptrdiff_t all[3] = {item, item, item};
    for (ptrdiff_t done = 0, m; done < n; done += m) {
        char *part[3];
        m = n - done < most ? n - done : most;
        for (int j = 0; j < 3; j++) part[j] = j < 2 && advance[j] == 0 ? row[j] : args[j] + done * item;
        run_numpy(self, part, all, m);
    }
}

/* Is it one of those?  The bits are the same. */
static int is_on_rows(const vekt_operation *o, const char *name) {
    const int type = o->type[0], extreme = strcmp(name, "maximum") == 0 || strcmp(name, "minimum") == 0;
    if (o->nin != 2 || o->nout != 1 || o->type[1] != type || o->type[2] != type) return 0;
    return type == VEKT_TYPE_BOOL || (extreme && type <= VEKT_TYPE_U64);
}

PyObject *vekt_py_numpy_operation(PyObject *self, PyObject *args) {
    PyUFuncObject *u;
    PyObject *dtypes;
    int cost;
    (void)self;
    if (!PyArg_ParseTuple(args, "O!O!O&:numpy_operation", &PyUFunc_Type, &u, &PyTuple_Type, &dtypes, vekt_take_cost,
                          &cost))
        return NULL;
    if (PyTuple_Size(dtypes) != u->nargs || u->nargs > VEKT_MAX_OPERANDS || u->core_enabled)
        return PyErr_Format(PyExc_ValueError, "numpy_operation: %d dtypes expected", u->nargs);
    int nums[VEKT_MAX_OPERANDS];
    vekt_operation base = {.run = run_numpy, .nin = u->nin, .nout = u->nout, .cost = cost};
    for (int j = 0; j < u->nargs; j++) {
        PyObject *descr = PyTuple_GetItem(dtypes, j);
        if (!PyArray_DescrCheck(descr)) return PyErr_Format(PyExc_TypeError, "numpy_operation: not a dtype");
        nums[j] = ((PyArray_Descr *)descr)->type_num;
        const int type = vekt_memory_type(nums[j]);
        if (type < 0) Py_RETURN_NOTIMPLEMENTED;
        base.type[j] = (uint8_t)type;
    }
    if (is_on_rows(&base, u->name)) base.run = run_numpy_on_rows;
    for (int i = 0; i < u->ntypes; i++) {
        int same = u->functions != NULL && u->functions[i] != NULL;
        for (int j = 0; j < u->nargs && same; j++) same = u->types[i * u->nargs + j] == nums[j];
        if (!same) continue;
        numpy_operation *o = PyMem_Malloc(sizeof *o);
        if (!o) return PyErr_NoMemory();
        *o = (numpy_operation){base, u->functions[i], u->data ? u->data[i] : NULL};
        return vekt_owner_of(&o->base, VEKT_OPERATION);
    }
    Py_RETURN_NOTIMPLEMENTED;
}
