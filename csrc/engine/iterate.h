/* Elementwise operations on operands of any shape, layout and dtype: the contract between the broadcast engine
 * (iterate.c), what it runs (one kernel, or a program of them: program.c) and the bindings (bridge/broadcast.c). */
#ifndef VEKT_ITERATE_H
#define VEKT_ITERATE_H

#include "vekt.h"

enum { VEKT_MAX_OPERANDS = 32, VEKT_MAX_DIMS = 64 };

/* What is done to each element.  `run` works on n elements as a vekt_loop does: inputs are contiguous, or one value
 * repeated over VEKT_SPLAT_BYTES where advance is 0; outputs are contiguous and may be the very memory of an input.
 * Its bits depend on the values alone.  Several threads may run one operation at once. */
typedef struct vekt_operation {
    void (*run)(const struct vekt_operation *self, char *const *args, const ptrdiff_t *advance, ptrdiff_t n);
    int nin, nout;
    int cost;                        /* as in vekt_kernel */
    size_t scratch;                  /* bytes of the workspace VEKT_WORKSPACE_PROGRAM that `run` takes */
    uint8_t type[VEKT_MAX_OPERANDS]; /* vekt_type in which `run` takes each operand: inputs, then outputs */
} vekt_operation;

/* A call: operands that have been broadcast to one shape, and lie in memory in types of their own, to or from which
 * the engine converts.  Outputs overlap no input but exactly, element on itself. */
typedef struct {
    const vekt_operation *operation;
    int ndim;
    ptrdiff_t shape[VEKT_MAX_DIMS];
    uint8_t type[VEKT_MAX_OPERANDS]; /* in memory: may be swapped or unaligned */
    char *data[VEKT_MAX_OPERANDS];
    ptrdiff_t step[VEKT_MAX_OPERANDS][VEKT_MAX_DIMS]; /* bytes, 0 for inputs that are broadcast along a dimension */
} vekt_iteration;

/* Threads and stores past the cache are used where they pay; the caller's floating-point environment comes back
 * untouched.  Returns -1 where scratch memory is missing, otherwise 0.  The dimensions are lost. */
int vekt_iterate(const vekt_target *target, vekt_iteration *iteration);

#endif
