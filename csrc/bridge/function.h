/* Function: what its type (function_type.c) and its calls (function.c) share. */
#ifndef VEKT_FUNCTION_H
#define VEKT_FUNCTION_H

#include "callable.h"

enum { VEKT_MAX_PARAMS = VEKT_MAX_ARGS - 1 };

/* The keywords that all functions take. */
enum { VEKT_OUT, VEKT_WHERE, VEKT_DTYPE, VEKT_N_OPTIONS };
extern PyObject *vekt_option_name[VEKT_N_OPTIONS];
/* Tuples for a vector call, by the bits of the options given. */
extern PyObject *vekt_option_names[1 << VEKT_N_OPTIONS];

typedef struct {
    PyObject *name, *value; /* interned; the default */
    PyObject *for_none;     /* what the kernel gets for None, or NULL */
    double least;           /* numbers below are refused */
    int is_flag;
} vekt_parameter;

/* One of the ufuncs, and which calls it serves. */
typedef struct {
    PyObject *ufunc;
    signed char flag[VEKT_MAX_PARAMS]; /* 1 and 0 for what a flag must be, -1 for any */
    int n_taken, taken[VEKT_MAX_PARAMS];
    unsigned left_out; /* bits of the parameters, no flags, that have to be at their defaults */
} vekt_choice;

typedef struct {
    PyObject_HEAD vekt_vectorcall call;
    PyObject *attributes, *weak, *name, *operands; /* operands: a tuple of names */
    int nin, nout, n_params, n_choices;
    vekt_parameter param[VEKT_MAX_PARAMS];
    vekt_choice *choices;
} vekt_function;

PyObject *vekt_function_call(PyObject *self, PyObject *const *args, size_t n_args, PyObject *names);
/* The ufunc that serves a dict of parameters, the others at their defaults, and which of them it takes: a pair. */
PyObject *vekt_function_chosen(PyObject *self, PyObject *named);

#endif
