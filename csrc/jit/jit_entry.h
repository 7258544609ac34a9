/* Entries for code compiled by Numba, which passes addresses and numbers, and arrays of them, but no structures.
 * They work on the calling thread alone: such code has parallel loops of its own.  -1 where memory is missing. */
#ifndef VEKT_JIT_ENTRY_H
#define VEKT_JIT_ENTRY_H

#include "drivers.h"

/* How the types of operands that are to be converted, as vekt_product has them, join that of a product or a layer:
 * they are bytes above it, the first one lowest. */
enum { VEKT_JIT_TYPE = 255, VEKT_JIT_FIRST = 8, VEKT_JIT_SECOND = 16 };

/* c = a b over stacks: `shape` is that of c with ndim >= 2 axes, and each operand has ndim steps in bytes, 0 where it
 * is broadcast. */
int vekt_jit_matmul(const vekt_target *target, int type, ptrdiff_t ndim, const ptrdiff_t *shape, ptrdiff_t k, char *a,
                    const ptrdiff_t *a_steps, char *b, const ptrdiff_t *b_steps, char *c, const ptrdiff_t *c_steps);

/* y = activation(x w + bias), and x w + bias to z unless that is NULL.  shape holds m, n, k.  The activation is a
 * kernel x, params -> y of the dtype, or NULL; its parameters follow each other as doubles. */
int vekt_jit_dense(const vekt_target *target, int dtype, const vekt_kernel *activation, const double *params,
                   const ptrdiff_t *shape, char *x, const ptrdiff_t *x_steps, char *w, const ptrdiff_t *w_steps,
                   char *bias, const ptrdiff_t *bias_steps, char *z, const ptrdiff_t *z_steps, char *y,
                   const ptrdiff_t *y_steps);

/* The gradients of that layer, as vekt_dense_backward.  `backward` is a kernel dy, z, params -> dz, or NULL; z and dx
 * may be NULL as there. */
int vekt_jit_dense_backward(const vekt_target *target, int dtype, const vekt_kernel *backward, const double *params,
                            const ptrdiff_t *shape, char *dy, const ptrdiff_t *dy_steps, char *x,
                            const ptrdiff_t *x_steps, char *w, const ptrdiff_t *w_steps, char *z,
                            const ptrdiff_t *z_steps, char *dx, const ptrdiff_t *dx_steps, char *dw,
                            const ptrdiff_t *dw_steps, char *db, ptrdiff_t db_step);

/* One reduction, as vekt_reduce, of an array of ndim axes along those whose bits are set in `reduced`; there is an
 * element.  `types` is the type in memory of x, or a complex one of sums and means, with that of the results above
 * it, in the place of a first operand.  out_steps are the bytes between results along each axis that is left.
 * `second` takes the variances of VEKT_REDUCE_MOMENTS. */
int vekt_jit_reduce(const vekt_target *target, int op, int types, ptrdiff_t ndim, const ptrdiff_t *shape, char *x,
                    const ptrdiff_t *x_steps, ptrdiff_t reduced, const double *ddof, char *out,
                    const ptrdiff_t *out_steps, char *second);

/* Running sums or products along an axis, as vekt_scan_along; types as for a reduction. */
int vekt_jit_scan(const vekt_target *target, int op, int types, ptrdiff_t ndim, const ptrdiff_t *shape,
                  ptrdiff_t axis, char *x, const ptrdiff_t *x_steps, char *out, const ptrdiff_t *out_steps);

#endif
