/* What layers keep in capsules: activations, as kernels or as programs of vekt.fuse, and packed weights. */
#ifndef VEKT_DENSE_ACTIVATION_H
#define VEKT_DENSE_ACTIVATION_H

#include "bridge.h"

#include <stdlib.h>
#include <string.h>

static const char activation_name[] = "vekt.activation", packed_name[] = "vekt.packed";

typedef struct {
    _Alignas(64) char splats[VEKT_N_DTYPES][VEKT_MAX_ARGS][VEKT_SPLAT_BYTES];
    const vekt_target *target;
    const vekt_kernel *value[VEKT_N_DTYPES], *gradient[VEKT_N_DTYPES]; /* NULL for none */
    int n_params, is_relu;
    PyObject *programs;                    /* the capsules of fused activations, or NULL */
    vekt_kernel program[VEKT_N_DTYPES][2]; /* their value and gradient */
} activation;

typedef struct {
    const vekt_target *target;
    int dtype;
    ptrdiff_t k, n;
    size_t bytes;
    void *memory;
} packed;

static void free_activation(PyObject *capsule) {
    activation *a = PyCapsule_GetPointer(capsule, activation_name);
    Py_XDECREF(a->programs);
    free(a);
}

static void free_packed(PyObject *capsule) {
    packed *p = PyCapsule_GetPointer(capsule, packed_name);
    free(p->memory);
    free(p);
}

static int set_param(activation *a, int p, PyObject *number) {
    double d = PyFloat_AsDouble(number);
    if (d == -1.0 && PyErr_Occurred()) return -1;
    float f = (float)d;
    for (int i = 0; i < VEKT_SPLAT_BYTES; i += 4) memcpy(a->splats[VEKT_F32][p] + i, &f, sizeof f);
    for (int i = 0; i < VEKT_SPLAT_BYTES; i += 8) memcpy(a->splats[VEKT_F64][p] + i, &d, sizeof d);
    return 0;
}

static void find_kernels(activation *a, const char *name) {
    const size_t length = strlen(name);
    for (int i = 0; i < a->target->n_kernels; i++) {
        const vekt_kernel *kernel = &a->target->kernels[i];
        if (strncmp(kernel->name, name, length)) continue;
        if (!strcmp(kernel->name + length, "")) a->value[kernel->dtype] = kernel;
        if (!strcmp(kernel->name + length, "_backward")) a->gradient[kernel->dtype] = kernel;
    }
}

static PyObject *new_activation(PyObject *self, PyObject *args) {
    PyObject *address, *params;
    const char *name;
    (void)self;
    if (!PyArg_ParseTuple(args, "OzO!:activation", &address, &name, &PyTuple_Type, &params)) return NULL;
    if (PyTuple_Size(params) > VEKT_MAX_ARGS - 3) return PyErr_Format(PyExc_ValueError, "too many parameters");
    activation *a = aligned_alloc(64, sizeof *a);
    if (!a) return PyErr_NoMemory();
    memset(a, 0, sizeof *a);
    a->target = vekt_target_of(address);
    a->n_params = (int)PyTuple_Size(params);
    a->is_relu = name && !strcmp(name, "relu");
    if (a->target && name) {
        find_kernels(a, name);
        if (!a->value[VEKT_F32] || a->value[VEKT_F32]->nin != 1 + a->n_params || !a->gradient[VEKT_F32])
            PyErr_Format(PyExc_KeyError, "no activation %s of %d parameters", name, a->n_params);
    }
    for (int p = 0; p < a->n_params && !PyErr_Occurred(); p++) set_param(a, p, PyTuple_GetItem(params, p));
    PyObject *capsule = PyErr_Occurred() ? NULL : PyCapsule_New(a, activation_name, free_activation);
    if (!capsule) free(a);
    return capsule;
}

/* Kernels that run programs: those of the value and of the gradient, whose addresses are the one parameter. */
static void run_value(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {
    const vekt_operation *const *programs = (const void *)args[1];
    char *const moved[] = {args[0], args[2]};
    const ptrdiff_t steps[] = {advance[0], advance[2]};
    programs[0]->run(programs[0], moved, steps, n);
}

static void run_gradient(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {
    const vekt_operation *const *programs = (const void *)args[2];
    char *const moved[] = {args[0], args[1], args[3]};
    const ptrdiff_t steps[] = {advance[0], advance[1], advance[3]};
    programs[1]->run(programs[1], moved, steps, n);
}

/* Two programs for each dtype, float32 first: x -> y, and dy, x -> dx. */
static PyObject *new_program_activation(PyObject *self, PyObject *args) {
    PyObject *address, *capsules[VEKT_N_DTYPES][2];
    (void)self;
    if (!PyArg_ParseTuple(args, "OOOOO:program_activation", &address, &capsules[VEKT_F32][0], &capsules[VEKT_F32][1],
                          &capsules[VEKT_F64][0], &capsules[VEKT_F64][1]))
        return NULL;
    activation *a = aligned_alloc(64, sizeof *a);
    if (!a) return PyErr_NoMemory();
    memset(a, 0, sizeof *a);
    a->target = vekt_target_of(address);
    a->n_params = 1;
    for (int dtype = 0; dtype < VEKT_N_DTYPES && !PyErr_Occurred(); dtype++) {
        const uint8_t type = dtype == VEKT_F32 ? VEKT_TYPE_F32 : VEKT_TYPE_F64;
        for (int which = 0; which < 2; which++) {
            const vekt_operation *o = PyCapsule_GetPointer(capsules[dtype][which], VEKT_OPERATION);
            int fits = o && o->nin == 1 + which && o->nout == 1;
            for (int k = 0; fits && k < o->nin + 1; k++) fits = o->type[k] == type;
            if (!fits) {
                if (o) PyErr_SetString(PyExc_ValueError, "program_activation: operands");
                break;
            }
            memcpy(a->splats[dtype][0] + (size_t)which * sizeof o, &o, sizeof o);
            a->program[dtype][which] = (vekt_kernel){.name = "program",
                                                     .dtype = dtype,
                                                     .nin = o->nin + 1,
                                                     .nout = 1,
                                                     .cost = o->cost,
                                                     .loop = which ? run_gradient : run_value};
        }
        a->value[dtype] = &a->program[dtype][0];
        a->gradient[dtype] = &a->program[dtype][1];
    }
    if (!PyErr_Occurred()) a->programs = PyTuple_GetSlice(args, 1, 5);
    PyObject *capsule = PyErr_Occurred() ? NULL : PyCapsule_New(a, activation_name, free_activation);
    if (!capsule) {
        Py_XDECREF(a->programs);
        free(a);
    }
    return capsule;
}

#endif
