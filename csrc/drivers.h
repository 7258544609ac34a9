/* From kernels on contiguous operands to calls on any layout; and the one table the bindings need. */
#ifndef VEKT_DRIVERS_H
#define VEKT_DRIVERS_H

#include "vekt.h"

/* How the elements of an elementwise call lie in memory.  Halves compute as float32. */
enum { VEKT_NATIVE, VEKT_HALF };

/* elementwise.c: runs a kernel over n elements of operands with any byte steps and alignment.
 * Threads and non-temporal stores are used where they pay.  The floating-point environment of the
 * caller, flags included, is as before afterwards.  Where an output overlaps an input other than
 * exactly, elements are computed in order: one by one for two inputs and one output (reduce and
 * accumulate), otherwise in blocks (for outputs that trail behind their input). */
void vekt_elementwise(const vekt_target *target, const vekt_kernel *kernel, int format, char *const *args,
                      const ptrdiff_t *steps, ptrdiff_t n);

/* dot.c: sum of x[i]*y[i], any byte steps and alignment.  Blocks of VEKT_DOT_BLOCK are added
 * pairwise in double, so the bits depend on the values alone, not on threads or strides.
 * The result is rounded to dtype once.  Returns -1 where memory for the partial sums is missing,
 * otherwise 0. */
int vekt_dot(const vekt_target *target, int dtype, const char *x, ptrdiff_t x_step, const char *y, ptrdiff_t y_step,
             ptrdiff_t n, void *result);

/* What vekt._ufuncs uses of vekt._kernels: it is handed the address of this at import. */
typedef struct {
    void (*elementwise)(const vekt_target *target, const vekt_kernel *kernel, int format, char *const *args,
                        const ptrdiff_t *steps, ptrdiff_t n);
    int (*dot)(const vekt_target *target, int dtype, const char *x, ptrdiff_t x_step, const char *y, ptrdiff_t y_step,
               ptrdiff_t n, void *result);
} vekt_api;

const vekt_api *vekt_drivers(void);

#endif
