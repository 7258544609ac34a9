/* Elementwise operations whose results are reduced in the same pass: what @vk.fuse needs for sums, means, maxima and
 * minima at the end of an expression, and for gradients that are summed to the shapes of their operands. */
#ifndef VEKT_REDUCE_OPERATION_H
#define VEKT_REDUCE_OPERATION_H

#include "engine/iterate.h"

/* What becomes of an output. */
enum { VEKT_STORED, VEKT_REDUCED_SUM, VEKT_REDUCED_MAX, VEKT_REDUCED_MIN };

/* `iteration` is a call as in iterate.h: its shape is that of all operands broadcast together, over which the
 * operation runs once, block by block.  reduce[k], for operand k (inputs first, as in `type`; theirs are not read),
 * says what becomes of output k:
 *
 *   VEKT_STORED   its elements are written to memory.  No step along a dimension of more than one element may be 0.
 *   otherwise     elements that have the same place in memory become one number there: the step is 0 along each
 *                 dimension that is reduced.  Which dimensions these are may differ from output to output.  What was
 *                 in memory before is overwritten, not added to.
 *
 * The operation's own type of an output that is reduced is VEKT_TYPE_F32 or VEKT_TYPE_F64; its type in memory is one
 * of HALF, BFLOAT16, F32 and F64.  Sums are formed in double whatever the type, divided by divisor[k] (for a mean;
 * 0 counts as 1) and rounded to the type in memory once; their errors are those of vk.sum.  Maxima and minima are NaN
 * where an element is.  Over no elements a sum is 0 (divided), a maximum -infinity and a minimum +infinity: errors
 * are the caller's.  A 0-d result is an output all of whose steps are 0.
 *
 * Which elements are added in which order follows from the shape, the steps and the types alone: the bits do not
 * depend on the number of threads.  Outputs overlap no input, and one another neither, but a stored output may lie
 * exactly on an input.  The caller's floating-point environment comes back untouched.  Returns -1 where scratch
 * memory is missing, otherwise 0.  The dimensions are lost. */
typedef struct {
    vekt_iteration iteration;
    uint8_t reduce[VEKT_MAX_OPERANDS];
    double divisor[VEKT_MAX_OPERANDS];
} vekt_reduction;

int vekt_reduce_operation(const vekt_target *target, vekt_reduction *reduction);

#endif
