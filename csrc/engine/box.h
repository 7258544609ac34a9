/* Boxes of an operand's elements, copied to dense buffers in the order of the dimensions, the first one fastest, and
 * back. */
#ifndef VEKT_BOX_H
#define VEKT_BOX_H

#include "iterate.h"

/* What copies may read and write past the end of a buffer. */
enum { VEKT_BOX_SLACK = 64 };

typedef struct {
    int ndim;
    const ptrdiff_t *extent; /* elements along each dimension */
    const ptrdiff_t *step;   /* bytes in memory */
} vekt_box;

/* The elements at src come as type `to` to dst; raw is room for all of them as they lie in memory, and slack. */
void vekt_gather_box(const vekt_target *target, const vekt_box *box, int to, char *dst, int from, const char *src,
                     char *raw);
/* And from src, dense elements of type `from`, to memory at dst.  No two elements of it share memory. */
void vekt_scatter_box(const vekt_target *target, const vekt_box *box, int to, char *dst, int from, const char *src,
                      char *raw);

#endif
