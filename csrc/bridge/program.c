/* From tuples to programs (program.h), with every index and dtype checked. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"

#include "engine/program.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    vekt_program program;
    PyArray_Descr *dtype[VEKT_MAX_VALUES]; /* borrowed from the tuple that the capsule keeps */
    char written[VEKT_MAX_VALUES];
} builder;

static int fail(const char *message) {
    PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

/* ---- dtypes ------------------------------------------------------------------------------------------------------
 */

static int set_dtypes(builder *b, PyObject *dtypes) {
    vekt_program *p = &b->program;
    const Py_ssize_t n = PyTuple_Size(dtypes);
    ptrdiff_t bytes = 0;
    if (n > VEKT_MAX_VALUES) return fail("program: too many values");
    p->n_values = (int)n;
    for (int v = 0; v < n; v++) {
        PyObject *d = PyTuple_GetItem(dtypes, v);
        if (!PyArray_DescrCheck(d)) return fail("program: expected dtypes");
        b->dtype[v] = (PyArray_Descr *)d;
        const npy_intp size = PyDataType_ELSIZE(b->dtype[v]);
        const int number = PyTypeNum_ISNUMBER(b->dtype[v]->type_num) || PyTypeNum_ISBOOL(b->dtype[v]->type_num) ||
                           PyTypeNum_ISUSERDEF(b->dtype[v]->type_num);
        if (!number || size < 1 || size > 16 || (size & (size - 1)) || PyDataType_REFCHK(b->dtype[v]) ||
            !PyArray_ISNBO(b->dtype[v]->byteorder))
            return fail("program: a dtype that has no block");
        p->item[v] = (uint8_t)size;
        bytes += size;
    }
    return bytes * 16 > VEKT_PROGRAM_BYTES ? fail("program: too many values") : 0;
}

/* ---- instructions ------------------------------------------------------------------------------------------------
 */

static int same_type(const PyArray_Descr *d, int type_num) { return d->type_num == type_num; }

/* The inner loop of a ufunc for the dtypes of these values. */
static int find_ufunc_loop(const builder *b, PyUFuncObject *u, vekt_instruction *i) {
    if (u->nargs > VEKT_MAX_ARGS || u->core_enabled) return fail("program: a ufunc of too many operands");
    i->nin = (uint8_t)u->nin;
    i->nout = (uint8_t)u->nout;
    for (int t = 0; t < u->ntypes; t++) {
        int fits = 1;
        for (int k = 0; k < u->nargs; k++) fits &= same_type(b->dtype[i->value[k]], u->types[t * u->nargs + k]);
        if (!fits) continue;
        i->ufunc = u->functions[t];
        i->context = u->data ? ((void *const *)u->data)[t] : NULL;
        return 0;
    }
    /* a user's own dtypes, such as ml_dtypes.bfloat16: lists of loops by the first such dtype */
    for (int k = 0; k < u->nargs && u->userloops; k++) {
        if (!PyTypeNum_ISUSERDEF(b->dtype[i->value[k]]->type_num)) continue;
        PyObject *key = PyLong_FromLong(b->dtype[i->value[k]]->type_num);
        PyObject *capsule = key ? PyDict_GetItemWithError(u->userloops, key) : NULL;
        Py_XDECREF(key);
        PyUFunc_Loop1d *loop = capsule ? PyCapsule_GetPointer(capsule, NULL) : NULL;
        for (; loop; loop = loop->next) {
            int fits = 1;
            for (int j = 0; j < u->nargs; j++) fits &= same_type(b->dtype[i->value[j]], loop->arg_types[j]);
            if (!fits) continue;
            i->ufunc = loop->func;
            i->context = loop->data;
            return 0;
        }
    }
    return PyErr_Occurred() ? -1 : fail("program: the ufunc has no such loop");
}

static int find_conversion(const builder *b, vekt_instruction *i) {
    const int from = vekt_memory_type_of(b->dtype[i->value[0]]), to = vekt_memory_type_of(b->dtype[i->value[1]]);
    if (from < 0 || to < 0) return fail("program: no conversion between these dtypes");
    i->nin = i->nout = 1;
    i->from = (uint8_t)from;
    i->to = (uint8_t)to;
    i->convert = vekt_connected->convert;
    return 0;
}

/* What is neither a kernel of the table nor a ufunc.  Returns 1 where the name is none of these. */
static int find_special(const builder *b, const char *name, vekt_instruction *i) {
    const uint8_t *v = i->value;
    const uint8_t *item = b->program.item;
    i->nout = 1;
    if (!strcmp(name, "copy")) {
        i->nin = 1;
        if (!same_type(b->dtype[v[0]], b->dtype[v[1]]->type_num)) return fail("program: dtypes of copy");
        i->kernel = vekt_copy_loop(item[v[0]]);
    } else if (!strcmp(name, "real") || !strcmp(name, "imag")) {
        i->nin = 1;
        if (!PyTypeNum_ISCOMPLEX(b->dtype[v[0]]->type_num) || item[v[0]] != 2 * item[v[1]])
            return fail("program: dtypes of a part");
        i->kernel = vekt_part_loop(item[v[1]], *name == 'i');
    } else if (!strcmp(name, "complex")) {
        i->nin = 2;
        if (!PyTypeNum_ISCOMPLEX(b->dtype[v[2]]->type_num) || item[v[2]] != 2 * item[v[0]] ||
            item[v[0]] != item[v[1]])
            return fail("program: dtypes of complex");
        i->kernel = vekt_complex_loop(item[v[0]]);
    } else {
        return 1;
    }
    return i->kernel ? 0 : fail("program: items of this size");
}

static int take_kernel(builder *b, vekt_instruction *i, int nin, int nout, int cost, vekt_loop loop) {
    i->kernel = loop;
    i->nin = (uint8_t)nin;
    i->nout = (uint8_t)nout;
    b->program.operation.cost += cost;
    return 0;
}

static int find_kernel(builder *b, const char *name, Py_ssize_t n_values, vekt_instruction *i) {
    const vekt_target *target = b->program.target;
    int type[VEKT_MAX_ARGS], same = 1;
    if (n_values > VEKT_MAX_ARGS) return fail("program: no such kernel");
    for (int j = 0; j < n_values; j++) {
        type[j] = vekt_memory_type_of(b->dtype[i->value[j]]);
        same &= type[j] == type[0];
    }
    for (int k = 0; k < target->n_arithmetic; k++) {
        const vekt_typed_kernel *kernel = &target->arithmetic[k];
        int fits = kernel->nin + kernel->nout == n_values && !strcmp(kernel->name, name);
        for (int j = 0; fits && j < n_values; j++) fits = type[j] == kernel->type[j];
        if (fits) return take_kernel(b, i, kernel->nin, kernel->nout, kernel->cost, kernel->loop);
    }
    for (int k = 0; same && k < target->n_kernels; k++) {
        const vekt_kernel *kernel = &target->kernels[k];
        if (kernel->nin + kernel->nout == n_values && !strcmp(kernel->name, name) &&
            type[0] == (kernel->dtype == VEKT_F32 ? VEKT_TYPE_F32 : VEKT_TYPE_F64))
            return take_kernel(b, i, kernel->nin, kernel->nout, kernel->cost, kernel->loop);
    }
    return fail("program: no such kernel");
}

/* What has been compiled: an object with the address of a loop, and how many of its values are inputs. */
static int find_compiled(PyObject *what, Py_ssize_t n_values, vekt_instruction *i) {
    PyObject *address = PyObject_GetAttrString(what, "address");
    PyObject *nin = address ? PyObject_GetAttrString(what, "nin") : NULL;
    const long inputs = nin ? PyLong_AsLong(nin) : -1;
    i->kernel = inputs < 0 ? NULL : (vekt_loop)(uintptr_t)PyLong_AsVoidPtr(address);
    i->nin = (uint8_t)inputs;
    i->nout = (uint8_t)(n_values - inputs);
    Py_XDECREF(address);
    Py_XDECREF(nin);
    if (PyErr_Occurred()) return -1;
    return i->kernel && inputs < n_values ? 0 : fail("program: operands of a loop");
}

static int find_loop(builder *b, PyObject *what, Py_ssize_t n_values, vekt_instruction *i) {
    if (PyObject_HasAttrString(what, "address")) return find_compiled(what, n_values, i);
    if (PyObject_TypeCheck(what, &PyUFunc_Type)) {
        if (n_values != ((PyUFuncObject *)what)->nargs) return fail("program: operands of a ufunc");
        return find_ufunc_loop(b, (PyUFuncObject *)what, i);
    }
    const char *name = PyUnicode_AsUTF8AndSize(what, NULL);
    if (!name) return -1;
    if (!strcmp(name, "cast")) {
        return n_values == 2 ? find_conversion(b, i) : fail("program: operands of a conversion");
    }
    const int special = find_special(b, name, i);
    if (special <= 0) return special < 0 || i->nin + i->nout == n_values ? special : fail("program: operands");
    return find_kernel(b, name, n_values, i);
}

/* A tuple of what is done and the numbers of its values, inputs first. */
static int set_instruction(builder *b, PyObject *tuple, vekt_instruction *i) {
    const vekt_program *p = &b->program;
    const Py_ssize_t n = PyTuple_Check(tuple) ? PyTuple_Size(tuple) - 1 : 0;
    if (n < 2 || n > VEKT_MAX_OPERANDS) return fail("program: expected instructions of 2 to 32 values");
    for (Py_ssize_t k = 0; k < n; k++) {
        const long v = PyLong_AsLong(PyTuple_GetItem(tuple, k + 1));
        if (v == -1 && PyErr_Occurred()) return -1;
        if (v < 0 || v >= p->n_values) return fail("program: no such value");
        i->value[k] = (uint8_t)v;
    }
    for (Py_ssize_t k = n; k < 4; k++) i->value[k] = i->value[0];
    if (find_loop(b, PyTuple_GetItem(tuple, 0), n, i) < 0) return -1;
    for (int k = 0; k < i->nin; k++)
        if (!b->written[i->value[k]]) return fail("program: a value is read before it is written");
    for (int k = i->nin; k < n; k++) {
        const int v = i->value[k];
        if (v < p->operation.nin || (v >= p->first_constant && v < p->first_register))
            return fail("program: inputs and constants are read only");
        for (int j = 0; j < k; j++)
            if (i->value[j] == v && (j >= i->nin || !i->kernel)) return fail("program: in place");
        b->written[v] = 1;
    }
    return 0;
}

static int set_constants(builder *b, PyObject *constants) {
    vekt_program *p = &b->program;
    for (int c = 0; c < p->first_register - p->first_constant; c++) {
        PyObject *array = PyTuple_GetItem(constants, c);
        const int v = p->first_constant + c, item = p->item[v];
        if (!PyArray_Check(array) || PyArray_SIZE((PyArrayObject *)array) != 1 ||
            PyArray_TYPE((PyArrayObject *)array) != b->dtype[v]->type_num)
            return fail("program: expected constants of their dtypes");
        for (int k = 0; k < VEKT_SPLAT_BYTES; k += item)
            memcpy(p->constants + c * VEKT_SPLAT_BYTES + k, PyArray_BYTES((PyArrayObject *)array), (size_t)item);
        b->written[v] = 1;
    }
    return 0;
}

/* ---- the capsule -------------------------------------------------------------------------------------------------
 */

static void release(vekt_program *p) {
    free(p->instructions);
    free(p->constants);
    free(p);
}

static void free_program(PyObject *capsule) {
    release(PyCapsule_GetPointer(capsule, VEKT_OPERATION));
    Py_XDECREF((PyObject *)PyCapsule_GetContext(capsule));
}

static int build(builder *b, PyObject *dtypes, int nin, int nout, PyObject *constants, PyObject *instructions) {
    vekt_program *p = &b->program;
    const Py_ssize_t n_constants = PyTuple_Size(constants), n = PyTuple_Size(instructions);
    if (set_dtypes(b, dtypes) < 0) return -1;
    if (nin < 0 || nout < 1 || nin > VEKT_MAX_OPERANDS || nout > VEKT_MAX_OPERANDS - nin ||
        n_constants > p->n_values - nin - nout)
        return fail("program: too many operands");
    if (n > VEKT_MAX_INSTRUCTIONS) return fail("program: too many instructions");
    p->operation.nin = nin;
    p->operation.nout = nout;
    p->first_constant = nin + nout;
    p->first_register = nin + nout + (int)n_constants;
    p->n_instructions = (int)n;
    p->instructions = calloc((size_t)n + 1, sizeof *p->instructions);
    p->constants = aligned_alloc(VEKT_SPLAT_BYTES, (size_t)(n_constants + 1) * VEKT_SPLAT_BYTES);
    if (!p->instructions || !p->constants) {
        PyErr_NoMemory();
        return -1;
    }
    for (int v = 0; v < nin + nout; v++) {
        const int type = vekt_memory_type_of(b->dtype[v]);
        if (type < 0) return fail("program: an operand's dtype");
        p->operation.type[v] = (uint8_t)type;
        b->written[v] = v < nin;
    }
    if (set_constants(b, constants) < 0) return -1;
    for (int i = 0, places = 0; i < n; i++) {
        if (set_instruction(b, PyTuple_GetItem(instructions, i), &p->instructions[i]) < 0) return -1;
        places += p->instructions[i].nin + p->instructions[i].nout;
        if (places > VEKT_MAX_PLACES) return fail("program: too many values in its instructions");
    }
    for (int v = nin; v < nin + nout; v++)
        if (!b->written[v]) return fail("program: an output is never written");
    vekt_program_finish(p);
    return 0;
}

static PyObject *new_program(PyObject *self, PyObject *args) {
    PyObject *address, *dtypes, *constants, *instructions, *capsule = NULL, *owned = NULL;
    int nin, nout;
    builder b = {0};
    (void)self;
    if (!PyArg_ParseTuple(args, "OO!iiO!O!O&:program", &address, &PyTuple_Type, &dtypes, &nin, &nout, &PyTuple_Type,
                          &constants, &PyTuple_Type, &instructions, vekt_take_cost, &b.program.operation.cost))
        return NULL;
    b.program.target = vekt_target_of(address);
    if (!b.program.target) return NULL;
    b.program.workspace = vekt_connected->workspace;
    vekt_program *p = malloc(sizeof *p);
    if (!p) return PyErr_NoMemory();
    if (build(&b, dtypes, nin, nout, constants, instructions) == 0) {
        owned = PyTuple_Pack(2, dtypes, instructions); /* ufuncs own the loops */
        capsule = owned ? PyCapsule_New(p, VEKT_OPERATION, free_program) : NULL;
    }
    *p = b.program;
    if (capsule) {
        PyCapsule_SetContext(capsule, owned);
    } else {
        release(p);
        Py_XDECREF(owned);
    }
    return capsule;
}

static PyObject *program_block(PyObject *self, PyObject *capsule) {
    const vekt_program *p = PyCapsule_GetPointer(capsule, VEKT_OPERATION);
    (void)self;
    return p ? PyLong_FromSsize_t(p->block) : NULL;
}

static PyMethodDef methods[] = {
    {"program", new_program, METH_VARARGS,
     "program(target, dtypes, nin, nout, constants, instructions, cost, /)\n--\n\nReturn an operation in a capsule; "
     "cost is that of what is no kernel."},
    {"program_block", program_block, METH_O, "program_block(capsule, /)\n--\n\nElements computed at a time."},
    {NULL, NULL, 0, NULL},
};

int vekt_add_programs(PyObject *module) { return PyModule_AddFunctions(module, methods); }
