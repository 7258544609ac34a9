/* Dispatcher: what its type (dispatcher.c) and its calls (broadcast.c) share. */
#ifndef VEKT_BROADCAST_H
#define VEKT_BROADCAST_H

#include "bridge.h"

#include <stdatomic.h>

/* Signatures are NumPy's type numbers, or one of these for Python's numbers, which take any type. */
enum { VEKT_WEAK_INT = -2, VEKT_WEAK_FLOAT = -3, VEKT_WEAK_COMPLEX = -4 };

/* An operation, and for which types it is. */
typedef struct vekt_entry {
    struct vekt_entry *replaced; /* the former one of this signature: a call may be using it */
    uint8_t *weak_type;          /* vekt_type of each input that is a weak number */
    PyArray_Descr **out;         /* owned */
    PyObject *capsule;
    const vekt_operation *operation;
    vekt_loop select;        /* takes results where a mask holds; NULL for none */
    _Atomic npy_intp left;   /* elements after which `after` is called, once; 0 for never */
    PyObject *_Atomic after; /* NULL once it has been */
    int signature[];         /* of the inputs, and of what dtype= asked for: NPY_NOTYPE for nothing */
} vekt_entry;

/* Entries are found without a lock, also where there is no GIL: a table and all that was in it stays as long as the
 * dispatcher. */
typedef struct vekt_table {
    struct vekt_table *former;
    int room;
    vekt_entry *_Atomic entry[];
} vekt_table;

typedef struct {
    PyObject_HEAD vekt_vectorcall call;
    PyObject *attributes, *fallback, *weak;
    const vekt_target *target;
    int nin;
    _Atomic int nout;      /* 0 until the first operation tells */
    int positional_out;    /* may out follow the inputs? */
    char keeps_arrays;     /* are results without dimensions arrays, too? */
    char refuses_negative; /* is a negative last input an error where the result is an integer? */
    int options;           /* are where and dtype those of ufuncs? */
    vekt_table *_Atomic table;
    _Atomic int n_entries;
} vekt_dispatcher;

/* Keywords of a call; NULL for those that say nothing. */
typedef struct {
    PyObject *outs; /* an array, or a tuple of arrays and None */
    PyObject *where, *dtype;
} vekt_keywords;

/* The result, NULL with an error, or NotImplemented for what is left to the fallback. */
PyObject *vekt_broadcast_call(const vekt_dispatcher *d, PyObject *const *args, const vekt_keywords *keywords);
/* An operation on arrays: the inputs broadcast to the shape of the outputs.  -1 with an error. */
int vekt_broadcast_run(const vekt_dispatcher *d, const vekt_operation *operation, PyObject *const *inputs,
                       PyObject *const *outs);

/* numbers.c.  One number, or 0-d array: a value of 16 bytes at most. */
typedef union {
    char bytes[16];
    npy_int64 i;
    npy_uint64 u;
    double x;
} vekt_value;
/* Type number and value of a NumPy scalar; NPY_NOTYPE for what is not for us. */
int vekt_take_scalar(PyObject *object, vekt_value *v);
/* A Python number as the type that an operation wants; 0 where it does not fit. */
int vekt_take_weak(PyObject *object, int type, vekt_value *v);
/* Is a number of this type none below zero, nor once it has become one of another? */
int vekt_is_good_exponent(const vekt_target *target, const vekt_value *v, int type, int as);
/* Type number of what dtype= asks for; NPY_NOTYPE for what is not for us. */
int vekt_type_asked(PyObject *dtype);

/* order.c.  A new array in NumPy's order "K": of operands with these steps along its axes, 0 where they have one
 * element. */
PyArrayObject *vekt_new_in_order(PyArray_Descr *descr, int ndim, const npy_intp *shape, int n,
                                 const ptrdiff_t (*step)[VEKT_MAX_DIMS]);

/* masked.c.  An operation of one result, with two more inputs: a mask, and what stays where it does not hold. */
typedef struct {
    vekt_operation base;
    const vekt_operation *all; /* of all elements */
    vekt_loop select;
} vekt_masked;
/* That of an entry, for results in memory of a type; 0 where there is none. */
int vekt_mask_operation(vekt_masked *masked, const vekt_entry *e, int memory_type);

/* masked.c.  Is no element of an array of integers negative?  0 for other types. */
int vekt_is_not_negative(PyArrayObject *a);

#endif
