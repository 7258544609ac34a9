/* How an operation whose outputs are reduced is cut into chunks and boxes: between reduce_plan.c, which decides, and
 * reduce_operation.c, which does it.
 *
 *   chunk  a part along one dimension, for one thread.  An output that is reduced along it has totals for each chunk,
 *          which are merged in their order; all others are complete when the chunk is
 *   box    a part of a chunk that stays in the caches: vekt_iterate runs the operation over it, with dense buffers in
 *          place of the outputs that are reduced, and vekt_reduce_lines adds these to the totals
 *
 * Chunks and boxes follow from the shape and the steps.  Sums carry the roundings of their additions along (Knuth's
 * exact sum), so that the number of boxes does not tell. */
#ifndef VEKT_REDUCE_PLAN_H
#define VEKT_REDUCE_PLAN_H

#include "engine/plan.h"
#include "reduce_operation.h"

typedef struct {
    double value, error; /* of a sum, whose true value is close to value + error */
} vekt_total;

/* An output that is reduced. */
typedef struct {
    int k, term, element;
    int merged;                      /* along the dimension of the chunks, too */
    ptrdiff_t kept;                  /* totals of a chunk */
    ptrdiff_t stride[VEKT_MAX_DIMS]; /* of them: 0 along what is reduced */
    size_t buffer, place;            /* in the scratch memory, or in the partial totals */
} vekt_reduced;

typedef struct {
    const vekt_target *target;
    const vekt_reduction *r;
    const vekt_operation *operation;
    int n_args, ndim, n_reduced;
    ptrdiff_t shape[VEKT_MAX_DIMS]; /* the last dimension is the fastest */
    ptrdiff_t step[VEKT_MAX_OPERANDS][VEKT_MAX_DIMS];
    ptrdiff_t extent[VEKT_MAX_DIMS]; /* of a whole box */
    int split;                       /* dimension of the chunks */
    ptrdiff_t chunk, chunks;
    size_t scratch;
    vekt_total *partials;
    vekt_reduced outputs[VEKT_MAX_OPERANDS];
    _Atomic int failed;
} vekt_reduce_plan;

/* Dimensions without those of one element, chunks and boxes.  Returns how many elements there are. */
ptrdiff_t vekt_plan_reduction(vekt_reduce_plan *p);

/* Memory for the buffers and the totals of a box; returns how many totals are to be merged. */
size_t vekt_lay_out_totals(vekt_reduce_plan *p);

#endif
