/* The gradients of a dense layer y = activation(x w + b). */
#ifndef VEKT_DENSE_H
#define VEKT_DENSE_H

#include "matmul.h"

/* With dz = dy * activation'(z): dx = dz w^T, dw = x^T dz, db = sum of the rows of dz. */
typedef struct {
    ptrdiff_t m, k, n;           /* rows of the batch, inputs and outputs of the layer */
    vekt_matrix dy, x, w, z;     /* (m, n), (m, k), (k, n), (m, n); z.data may be NULL without an activation */
    const vekt_kernel *backward; /* dy, z, params -> dz; NULL for none: dz is dy */
    char *params[VEKT_MAX_ARGS]; /* splats, as those of vekt_epilogue */
    vekt_matrix dx, dw;          /* dx.data is NULL where it is not wanted */
    char *db;                    /* n elements, db_step bytes apart */
    ptrdiff_t db_step;
    uint8_t from[4]; /* elements of dy, x, w and z that are to be converted, as in vekt_product */
} vekt_dense_call;

/* dense.c.  Outputs overlap neither the inputs nor each other.  dw and dx have the bits of the two products of dz, db
 * is summed in double, by runs of VEKT_PRODUCT_RUN rows: nothing depends on the number of threads.  Returns -1 where
 * memory is missing, otherwise 0; the caller's floating-point environment comes back untouched. */
int vekt_dense_backward(const vekt_target *target, int dtype, const vekt_dense_call *call);

#endif
