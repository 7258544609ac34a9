/* Lines of elements that become one number each: the driver below reductions and norms, for any axes of any layout.
 *
 * Lines whose elements lie next to each other are taken one by one, in blocks; lines that lie next to each other are
 * taken together, some rows of memory at a time (columns).  All else is copied to the first-level cache first.  What
 * tasks there are, and in which order their results are merged, follows from the shape and the steps alone, so the
 * bits do not depend on the number of threads. */
#ifndef VEKT_LINES_H
#define VEKT_LINES_H

#include "dims.h"

#include <stdatomic.h>

enum { VEKT_LINE_STREAMS = 3, VEKT_LINE_PART = 512 };

/* One of the numbers that are formed of a line: a term of two operands. */
typedef struct {
    int term, first, second;
} vekt_stream;

typedef struct vekt_lines vekt_lines;
struct vekt_lines {
    /* ---- what is wanted: set by the caller */
    const vekt_target *target;
    int element, format; /* as the kernels take them (VEKT_F32 ... VEKT_I64), and as they lie in memory */
    int n_operands, n_streams;
    vekt_stream streams[VEKT_LINE_STREAMS];
    int64_t key;         /* of integers */
    const char *data[2]; /* operands VEKT_NORM_X and VEKT_NORM_Y */
    char *out;           /* operand VEKT_NORM_OUT */
    int ordered;         /* elements of a line keep their order, that of the dimensions */
    /* Writes the results of lines [begin, end) once their streams are complete: `width` numbers for each stream. */
    void (*finish)(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *sums, ptrdiff_t width);
    /* Positions: finish() finds the beginning of the part of VEKT_LINE_PART elements in sums[1] unless there are
     * columns. Writes all of them from what the chunks left, element by element of `span` in a chunk; NULL: these are
     * merged.
     */
    void (*finish_chunks)(const vekt_lines *p, ptrdiff_t span);
    /* Does this result of a part decide that of the line?  NULL: none does. */
    int (*decides)(const vekt_lines *p, vekt_number part, ptrdiff_t n);
    const void *context; /* theirs */

    /* ---- how it is done */
    ptrdiff_t item, memory; /* bytes of an element in the kernels, and in memory */
    const vekt_dim *outer, *inner;
    int n_outer, n_inner;
    ptrdiff_t lines, n;      /* n elements make up a line */
    ptrdiff_t chunk, chunks; /* elements of a line, or rows, in one task */
    ptrdiff_t group;         /* lines in one task */
    int staged;              /* lines are not dense */
    int pieced;              /* but made of long pieces that are */
    atomic_int failed;       /* for want of memory */
    atomic_int decided;      /* the only line there is */
    vekt_number *partials;   /* of chunks, then streams, then lines or columns */
    int columns, transposed;
    ptrdiff_t repeats, width; /* so many elements of each line make up a row, and as many columns */
    ptrdiff_t rows, last;     /* and the columns of the last row */
    ptrdiff_t run;            /* columns along the last dimension */
    ptrdiff_t segment, segments;
    ptrdiff_t at_a_time;      /* rows */
    const vekt_dim *row_dims; /* of rows */
    int n_row_dims;
    vekt_dim wide; /* the one of rows that hold more than one element of each line */
};

/* dims holds the n_outer dimensions of the lines, then the n_inner ones of a line's elements; they are lost.  There
 * is at least one element in a line.  Returns -1 where scratch memory is missing, otherwise 0. */
int vekt_reduce_lines(vekt_lines *p, vekt_dim *dims, int n_outer, int n_inner);

/* m elements of a line from element i on, dense and as the kernels take them: in place or in the buffer. */
const char *vekt_dense_part(const vekt_lines *p, int k, const char *line, ptrdiff_t i, ptrdiff_t m, void *buffer);

/* Is b a better extreme than a, which stands before it? */
int vekt_is_better(int element, int term, vekt_number a, vekt_number b);

vekt_number vekt_merge(int element, int term, vekt_number a, vekt_number b);

#endif
