/* How a call of the broadcast engine is cut into boxes and runs: between plan.c, which decides, and iterate.c, which
 * does it.
 *
 *   plan  dimensions of one element dropped, the first output's made positive, the shortest of its steps first;
 *         neighbours joined that every operand walks through as through one
 *   box   a part of the elements, as much along each dimension as the caches hold.  Over a box an operand is used in
 *         place, or comes as a dense copy: converted, transposed, or a short period many times over.  A copy stays
 *         for the next box where that is the same
 *   run   the longest part of a box along which what is used in place is contiguous or one value
 *
 * Boxes are the same for any number of threads, which share them out. */
#ifndef VEKT_PLAN_H
#define VEKT_PLAN_H

#include "iterate.h"

/* How an operand is used. */
enum {
    VEKT_DIRECT,  /* in place, contiguous along a run */
    VEKT_SPLAT,   /* one value along a run */
    VEKT_COPIED,  /* by way of a dense buffer */
    VEKT_STREAMED /* direct outputs, with stores that bypass the cache */
};

typedef struct {
    const vekt_target *target;
    const vekt_operation *operation;
    const vekt_iteration *it; /* with dimension 0 fastest */
    int n_args, ndim;
    uint8_t mode[VEKT_MAX_OPERANDS];
    uint8_t memory[VEKT_MAX_OPERANDS], item[VEKT_MAX_OPERANDS]; /* bytes in memory, and in the operation */
    int order[VEKT_MAX_DIMS];                                   /* of the dimensions, for going from box to box */
    ptrdiff_t extent[VEKT_MAX_DIMS];                            /* of a whole box */
    ptrdiff_t box, boxes;                                       /* elements of a whole box; how many boxes */
    size_t buffer[VEKT_MAX_OPERANDS], raw, scratch;             /* offsets and size of the scratch memory */
    _Atomic int *failed;                                        /* set where that is missing */
} vekt_plan;

/* Plans a call of which target, operation, it, n_args, memory and item are set.  Returns 0 where there are no
 * elements. */
int vekt_plan_call(vekt_plan *p, vekt_iteration *it);

#endif
