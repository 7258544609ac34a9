/* Lines of elements that become one number each: the driver below reductions and norms, for any axes of any layout.
 *
 * Lines whose elements lie next to each other are taken one by one, in blocks (line_blocks.c); lines that lie next to
 * each other are taken together, some rows of memory at a time (line_columns.c).  All else is copied to the
 * first-level cache first.  What tasks there are, and in which order their results are merged, follows from the shape
 * and the steps alone (line_plan.c), so the bits do not depend on the number of threads. */
#ifndef VEKT_LINES_H
#define VEKT_LINES_H

#include "dims.h"
#include "moments.h"

#include <stdatomic.h>

enum { VEKT_LINE_STREAMS = 3, VEKT_LINE_NUMBERS = 4, VEKT_LINE_PART_BYTES = 16384 };

/* One of the numbers that are formed of a line: a term of two operands. */
typedef struct {
    int term, first, second;
} vekt_stream;

typedef struct vekt_lines vekt_lines;

/* What is asked for. */
typedef struct {
    const vekt_target *target;
    int element, format; /* as the kernels take them (VEKT_F32 ... VEKT_I64), and as they lie in memory */
    int from;            /* their type in memory where the format is VEKT_CONVERTED */
    int n_operands, n_streams;
    vekt_stream streams[VEKT_LINE_STREAMS];
    int64_t key;         /* of integers */
    const char *data[2]; /* operands VEKT_NORM_X and VEKT_NORM_Y */
    char *out;           /* operand VEKT_NORM_OUT */
    /* The only stream is an extreme, and where it stands first is wanted, too: a second number, in the order of the
     * dimensions.  Unless there are columns it tells where the part of VEKT_LINE_PART_BYTES begins that holds it. */
    int positions;
    /* Instead of streams: their moments, 1, or those of the elements that are not NaN, 2. */
    int moments;
    /* Writes the results of lines [begin, end), which differ in their last dimension alone, once their numbers are
     * complete: `width` of each kind. */
    void (*finish)(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *sums, ptrdiff_t width);
    /* Does this result of a part decide that of the line?  NULL: none does. */
    int (*decides)(const vekt_lines *p, vekt_number part, ptrdiff_t n);
    const void *context; /* theirs */
} vekt_line_request;

/* Lines one by one. */
typedef struct {
    ptrdiff_t group; /* lines in one task */
    int chunks_last; /* the next task is that of the next lines, not of the next chunk */
    int staged;      /* lines are not dense */
    int pieced;      /* but made of long pieces that are */
} vekt_line_blocks;

/* Lines side by side. */
typedef struct {
    int transposed;
    int gathered;             /* columns of elements that do not lie next to each other */
    ptrdiff_t repeats, width; /* so many elements of each line make up a row, and as many columns; 1 for blocks */
    ptrdiff_t rows;           /* of a line */
    ptrdiff_t row_step[2];    /* from row to row */
    ptrdiff_t stretch, last;  /* for so many rows, of which the last one has fewer columns */
    ptrdiff_t run;            /* columns along the last dimension */
    ptrdiff_t segment, segments;
    ptrdiff_t at_a_time; /* rows */
} vekt_line_columns;

/* How it is done: follows from what is asked for, and from the dimensions, alone. */
typedef struct {
    const char *data[2]; /* the elements that come first, as memory is read forwards */
    char *out;
    ptrdiff_t item, memory; /* bytes of an element in the kernels, and in memory */
    const vekt_dim *outer, *inner;
    int n_outer, n_inner;
    int n_numbers;           /* of a line: of the streams, and a position, or moments */
    ptrdiff_t lines, n;      /* n elements make up a line */
    ptrdiff_t chunk, chunks; /* elements of a line, or rows, in one task */
    ptrdiff_t tasks;
    int by_columns;
    vekt_line_blocks blocks; /* where not by_columns */
    vekt_line_columns columns;
} vekt_line_plan;

/* A call under way. */
struct vekt_lines {
    const vekt_line_request *asked;
    vekt_line_plan plan;   /* does not change any more */
    vekt_number *partials; /* of chunks, then numbers, then lines or columns; NULL for a single chunk */
    atomic_int failed;     /* for want of memory */
    atomic_int decided;    /* the only line there is */
};

/* dims holds the n_outer dimensions of the lines, then the n_inner ones of a line's elements; they are lost.  There
 * is at least one element in a line.  Returns -1 where scratch memory is missing, otherwise 0. */
int vekt_reduce_lines(const vekt_line_request *asked, vekt_dim *dims, int n_outer, int n_inner);

/* m elements of a line from element i on, dense and as the kernels take them: in place or in the buffer. */
const char *vekt_dense_part(const vekt_lines *p, int k, const char *line, ptrdiff_t i, ptrdiff_t m, void *buffer);

vekt_number vekt_merge(int element, int term, vekt_number a, vekt_number b);

/* How far apart results are that are finished together. */
static inline ptrdiff_t vekt_result_step(const vekt_lines *p) {
    return p->plan.n_outer ? p->plan.outer[p->plan.n_outer - 1].step[VEKT_NORM_OUT] : 0;
}

/* Do rows of columns go through a buffer? */
static inline int vekt_is_buffered(const vekt_line_request *asked, const vekt_line_columns *columns) {
    return columns->transposed || columns->gathered || asked->format != VEKT_NATIVE;
}

static inline int vekt_is_integer(int element) { return element >= VEKT_N_DTYPES; }

/* ---- between the files of the driver */

enum {
    VEKT_LINE_CHUNK = 65536,     /* elements of a line taken at a time, at most; a quarter where they are large */
    VEKT_SEGMENT = 6144,         /* numbers of columns that a task forms at a time */
    VEKT_BUFFERED_COLUMNS = 256, /* where rows go through a buffer: so many of them */
    VEKT_BUFFERED_ROWS = 16
};

/* line_plan.c.  Makes the plan of what is asked for; dims as for vekt_reduce_lines.  Where there are no lines,
 * nothing more than that is known. */
void vekt_plan_lines(vekt_line_plan *p, const vekt_line_request *asked, vekt_dim *dims, int n_outer, int n_inner);

/* Tasks [begin, end). */
void vekt_run_lines(void *context, ptrdiff_t begin, ptrdiff_t end);
void vekt_run_columns(void *context, ptrdiff_t begin, ptrdiff_t end);

/* What stands for no elements. */
vekt_number vekt_neutral(int element, int term);

/* count vectors of size numbers, step apart, pairwise into the first. */
void vekt_fold(int element, int term, vekt_number *v, ptrdiff_t count, ptrdiff_t step, ptrdiff_t size);

/* The numbers, `width` of each kind, of a run of columns, of which there are so many repeats for each line. */
void vekt_fold_repeats(const vekt_lines *p, vekt_number *v, ptrdiff_t width);

/* n elements, step bytes apart, as the kernels take them. */
void vekt_gather_elements(const vekt_lines *p, void *dst, const char *src, ptrdiff_t step, ptrdiff_t n);

#endif
