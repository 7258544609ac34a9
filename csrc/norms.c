/* Norms and cosines along any axes of any layout.
 *
 * A line is what becomes one number.  Lines whose elements lie next to each other are taken one by one, in blocks;
 * lines that lie next to each other are taken together, some rows of memory at a time (columns).  All else is copied
 * to the first-level cache first.  What tasks there are, and in which order their results are merged, follows from
 * the shape and the steps alone, so the bits do not depend on the number of threads. */
#include "dims.h"
#include "fpenv.h"
#include "stage.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { THREADED_BYTES = 8 << 20 };
enum { TASK_ELEMENTS = 8192 };
/* Elements of a line taken at a time: long stretches, but those of a cosine are read three times. */
enum { NORM_CHUNK = 16384, COSINE_CHUNK = 2048, SCALED_BLOCK = 1024 };
/* Columns: each result is a chain of COLUMN_ROWS additions, loaded and stored once for ROWS_AT_A_TIME of them. */
enum { COLUMN_ROWS = 128, ROWS_AT_A_TIME = 8, SEGMENT = 512 };
/* Lines of up to SHORT elements, of which there are MANY, are transposed into columns first: what a block costs
 * beside its elements would be most of it. */
enum { SHORT = 48, MANY = 8 };
/* Fewer columns than this are repeated side by side, so that three of them cost no more than many. */
enum { NARROW = 256 };
enum { MAX_TERMS = 3, STACK_PARTIALS = 512 };
enum { X = VEKT_NORM_X, Y = VEKT_NORM_Y, OUT = VEKT_NORM_OUT };

typedef struct {
    int term, first, second; /* operands */
} stream;

static const stream cosine_streams[MAX_TERMS] = {
    {VEKT_SUM_SQUARES, X, X}, {VEKT_SUM_SQUARES, Y, Y}, {VEKT_SUM_PRODUCTS, X, Y}};

typedef struct {
    const vekt_target *target;
    int kind, dtype, format, n_operands;
    int n_streams;
    stream streams[MAX_TERMS];
    ptrdiff_t item, memory;
    const char *data[2];
    char *out;
    const vekt_dim *outer, *inner;
    int n_outer, n_inner;
    ptrdiff_t lines, n;      /* n elements make up a line */
    ptrdiff_t chunk, chunks; /* elements of a line, or rows, in one task */
    ptrdiff_t group;         /* lines in one task */
    int staged;              /* lines are not dense */
    atomic_int failed;       /* for want of memory */
    double *partials;        /* of chunks, then streams, then lines or columns */
    int columns, transposed;
    ptrdiff_t repeats, width; /* so many elements of each line make up a row, and as many columns */
    ptrdiff_t rows, last;     /* and the columns of the last row */
    ptrdiff_t run, segments;  /* columns along the last dimension, and segments of them */
    const vekt_dim *row_dims; /* of rows */
    int n_row_dims;
    vekt_dim wide; /* the one of rows that hold more than one element of each line */
} plan;

static ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

static ptrdiff_t ceil_divide(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }

static double merge(int term, double a, double b) {
    if (term == VEKT_MAX_ABSOLUTE) return a > b || a != a ? a : b;
    if (term == VEKT_MIN_ABSOLUTE) return a < b || a != a ? a : b;
    return a + b;
}

/* ---- from sums to results --------------------------------------------------------------------------------- */

/* m elements of a line from element i on, dense and in the kernels' dtype: in place or in the buffer. */
static const char *dense(const plan *p, int k, const char *line, ptrdiff_t i, ptrdiff_t m, void *buffer) {
    const vekt_dim *d = &p->inner[p->n_inner - 1];
    if (m == 0) return buffer;
    if (p->n_inner == 0) {
        vekt_gather(p->dtype, p->format, buffer, line, p->memory, m);
        return buffer;
    }
    if (p->format == VEKT_NATIVE && d->step[k] == p->item && i % d->size + m <= d->size)
        return line + vekt_offset(p->inner, p->n_inner, k, i);
    for (ptrdiff_t done = 0, length; done < m; done += length) {
        length = smaller(m - done, d->size - (i + done) % d->size);
        vekt_gather(p->dtype, p->format, (char *)buffer + done * p->item,
                    line + vekt_offset(p->inner, p->n_inner, k, i + done), d->step[k], length);
    }
    return buffer;
}

/* The same number of one line of doubles, once its greatest absolute value is brought to 1/2 or more, but below 1. */
static void scaled_sums(const plan *p, ptrdiff_t line, double sums[MAX_TERMS], int exponents[2]) {
    double buffer[2][SCALED_BLOCK], scale[2];
    for (int k = 0; k < p->n_operands; k++) {
        const char *address = p->data[k] + vekt_offset(p->outer, p->n_outer, k, line);
        double greatest = 0;
        for (ptrdiff_t i = 0; i < p->n; i += SCALED_BLOCK) {
            const ptrdiff_t m = smaller(p->n - i, SCALED_BLOCK);
            const char *x = dense(p, k, address, i, m, buffer[k]);
            greatest =
                merge(VEKT_MAX_ABSOLUTE, greatest, p->target->norm_terms[VEKT_MAX_ABSOLUTE][VEKT_F64].block(x, x, m));
        }
        exponents[k] = 0;
        if (isfinite(greatest)) frexp(greatest, &exponents[k]);
        /* The ends of the range suffice: their squares are far from its limits. */
        if (exponents[k] < -1000) exponents[k] = -1000;
        if (exponents[k] > 1000) exponents[k] = 1000;
        scale[k] = ldexp(1, -exponents[k]);
    }
    memset(sums, 0, MAX_TERMS * sizeof *sums);
    for (ptrdiff_t i = 0; i < p->n; i += SCALED_BLOCK) {
        const ptrdiff_t m = smaller(p->n - i, SCALED_BLOCK);
        for (int k = 0; k < p->n_operands; k++) {
            const char *address = p->data[k] + vekt_offset(p->outer, p->n_outer, k, line);
            const char *x = dense(p, k, address, i, m, buffer[k]);
            if (x != (const char *)buffer[k]) memcpy(buffer[k], x, (size_t)m * sizeof(double));
            for (ptrdiff_t j = 0; j < m; j++) buffer[k][j] *= scale[k];
        }
        for (int s = 0; s < p->n_streams; s++) {
            const stream *t = &p->streams[s];
            sums[s] += p->target->norm_terms[t->term][VEKT_F64].block(buffer[t->first], buffer[t->second], m);
        }
    }
}

/* Did squares of doubles overflow, or lose bits at the lower end of the range?  Not that floats could. */
static int left_range(const plan *p, double squares, double limit) {
    return p->dtype == VEKT_F64 && !(squares >= 1 / limit && squares <= limit) && squares == squares;
}

static double two_norm(const plan *p, ptrdiff_t line, double squares) {
    if (!left_range(p, squares, VEKT_SAFE_SQUARES)) return sqrt(squares);
    double sums[MAX_TERMS];
    int exponents[2];
    scaled_sums(p, line, sums, exponents);
    return ldexp(sqrt(sums[0]), exponents[0]);
}

static double cosine(const plan *p, ptrdiff_t line, double sums[MAX_TERMS]) {
    int exponents[2];
    if (left_range(p, sums[0], 0x1p480) || left_range(p, sums[1], 0x1p480)) scaled_sums(p, line, sums, exponents);
    /* The root of a product of equals is exact: a vector's cosine with itself is 1. */
    const double value = sums[2] / sqrt(sums[0] * sums[1]);
    if (sums[2] == 0 && (sums[0] == 0 || sums[1] == 0)) return 0;
    return value > 1 ? 1 : value < -1 ? -1 : value;
}

static void store(const plan *p, ptrdiff_t line, double value) {
    char *out = p->out + vekt_offset(p->outer, p->n_outer, OUT, line);
    if (p->dtype == VEKT_F64) {
        memcpy(out, &value, sizeof value);
    } else {
        const float rounded = (float)value;
        vekt_scatter(VEKT_F32, p->format, out, p->memory, &rounded, 1);
    }
}

/* Results that lie side by side in the kernels' dtype, all at once; 0 where that does not do. */
static int finish_together(const plan *p, ptrdiff_t begin, ptrdiff_t end, const double *sums) {
    if (p->n_outer != 1 || p->outer[0].step[OUT] != p->item || p->format != VEKT_NATIVE || p->kind == VEKT_COSINE)
        return 0;
    void *out = p->out + begin * p->item;
    const ptrdiff_t n = end - begin;
    if (p->kind == VEKT_SUM_SQUARES) return p->target->square_roots[p->dtype](out, sums, n);
    if (p->dtype == VEKT_F64)
        memcpy(out, sums, (size_t)n * sizeof *sums);
    else
        for (ptrdiff_t i = 0; i < n; i++) ((float *)out)[i] = (float)sums[i];
    return 1;
}

/* The results of lines [begin, end); sums holds `width` numbers for each stream. */
static void finish(const plan *p, ptrdiff_t begin, ptrdiff_t end, const double *sums, ptrdiff_t width) {
    if (finish_together(p, begin, end, sums)) return;
    for (ptrdiff_t line = begin; line < end; line++) {
        double s[MAX_TERMS], value;
        for (int k = 0; k < p->n_streams; k++) s[k] = sums[k * width + line - begin];
        value = s[0];
        if (p->kind == VEKT_COSINE)
            value = cosine(p, line, s);
        else if (p->kind == VEKT_SUM_SQUARES)
            value = two_norm(p, line, s[0]);
        store(p, line, value);
    }
}

/* ---- line by line ----------------------------------------------------------------------------------------- */

static void run_lines(void *context, ptrdiff_t begin, ptrdiff_t end) {
    plan *p = context;
    const ptrdiff_t bytes = p->chunk * p->item;
    char *const buffer = p->staged ? vekt_workspace(VEKT_WORKSPACE_STAGE, (size_t)(p->n_operands * bytes)) : NULL;
    double local[MAX_TERMS];
    if (p->staged && !buffer) {
        atomic_store(&p->failed, 1);
        return;
    }
    for (ptrdiff_t t = begin; t < end; t++) {
        const ptrdiff_t chunk = t % p->chunks, i = chunk * p->chunk, m = smaller(p->n - i, p->chunk);
        const ptrdiff_t first = t / p->chunks * p->group, last = smaller(first + p->group, p->lines);
        for (ptrdiff_t line = first; line < last; line++) {
            const char *x[2];
            for (int k = 0; k < p->n_operands; k++)
                x[k] = dense(p, k, p->data[k] + vekt_offset(p->outer, p->n_outer, k, line), i, m, buffer + k * bytes);
            for (int s = 0; s < p->n_streams; s++) {
                const stream *f = &p->streams[s];
                const double sum = p->target->norm_terms[f->term][p->dtype].block(x[f->first], x[f->second], m);
                if (p->partials)
                    p->partials[(chunk * p->n_streams + s) * p->lines + line] = sum;
                else
                    local[s] = sum;
            }
            if (!p->partials) finish(p, line, line + 1, local, 1);
        }
    }
}

/* ---- columns ---------------------------------------------------------------------------------------------- */

/* Adds rows [i, i + rows) of columns [column, column + width) of a run that begins at line. */
static void add_rows(const plan *p, ptrdiff_t line, ptrdiff_t column, ptrdiff_t i, ptrdiff_t rows, ptrdiff_t width,
                     double *sums, ptrdiff_t sums_width, double (*buffer)[ROWS_AT_A_TIME * SEGMENT]) {
    const char *x[2];
    ptrdiff_t step[2] = {0, 0};
    for (int k = 0; k < p->n_operands; k++) {
        const ptrdiff_t across = p->outer[p->n_outer - 1].step[k];
        const char *address = p->data[k] + vekt_offset(p->outer, p->n_outer, k, line) + column * across +
                              vekt_offset(p->row_dims, p->n_row_dims, k, i);
        if (p->transposed) {
            x[k] = (const char *)buffer[k];
            step[k] = SEGMENT * p->item;
            p->target->rows[0][p->dtype].transpose(buffer[k], step[k], address, across, width, rows);
            continue;
        }
        step[k] = p->n_row_dims ? p->row_dims[p->n_row_dims - 1].step[k] : 0;
        x[k] = address;
        if (p->format == VEKT_NATIVE) continue;
        for (ptrdiff_t row = 0; row < rows; row++)
            vekt_gather(p->dtype, p->format, (float *)buffer[k] + row * SEGMENT, address + row * step[k], p->memory,
                        width);
        x[k] = (const char *)buffer[k];
        step[k] = SEGMENT * sizeof(float);
    }
    for (int s = 0; s < p->n_streams; s++) {
        const stream *f = &p->streams[s];
        p->target->norm_terms[f->term][p->dtype].columns(x[f->first], step[f->first], x[f->second], step[f->second],
                                                         rows, sums + s * sums_width, width);
    }
}

static void run_columns(void *context, ptrdiff_t begin, ptrdiff_t end) {
    const plan *p = context;
    double buffer[2][ROWS_AT_A_TIME * SEGMENT];
    double local[MAX_TERMS * SEGMENT];
    const ptrdiff_t run_lines = p->run / p->repeats;
    const ptrdiff_t stretch = p->n_row_dims ? p->row_dims[p->n_row_dims - 1].size : 1; /* rows with one step */
    for (ptrdiff_t t = begin; t < end; t++) {
        const ptrdiff_t segment = t % p->segments, rest = t / p->segments, chunk = rest % p->chunks;
        const ptrdiff_t line = rest / p->chunks * run_lines, column = segment * SEGMENT;
        const ptrdiff_t width = smaller(SEGMENT, p->run - column);
        const ptrdiff_t sums_width = p->partials ? p->width : width;
        double *sums =
            p->partials ? p->partials + chunk * p->n_streams * p->width + line * p->repeats + column : local;
        for (int s = 0; s < p->n_streams; s++)
            for (ptrdiff_t j = 0; j < width; j++)
                sums[s * sums_width + j] = p->streams[s].term == VEKT_MIN_ABSOLUTE ? (double)INFINITY : 0;
        const ptrdiff_t stop = smaller((chunk + 1) * p->chunk, p->rows);
        for (ptrdiff_t i = chunk * p->chunk, rows; i < stop; i += rows) {
            rows = smaller(smaller(ROWS_AT_A_TIME, stop - i), stretch - i % stretch);
            ptrdiff_t m = width;
            if (p->last < p->run && i + rows == p->rows) { /* the last row is shorter, and taken alone */
                if (rows > 1)
                    rows--;
                else
                    m = smaller(width, p->last - column);
            }
            if (m > 0) add_rows(p, line, column, i, rows, m, sums, sums_width, buffer);
        }
        if (!p->partials) finish(p, line + column, line + column + width, local, width);
    }
}

/* ---- merging ---------------------------------------------------------------------------------------------- */

/* count vectors of size numbers, step apart, pairwise into the first. */
static void fold(int term, double *v, ptrdiff_t count, ptrdiff_t step, ptrdiff_t size) {
    while (count > 1) {
        const ptrdiff_t half = count / 2;
        for (ptrdiff_t i = 0; i < half; i++) {
            double *a = v + i * step;
            const double *b = v + (i + count - half) * step;
            if (term == VEKT_MAX_ABSOLUTE || term == VEKT_MIN_ABSOLUTE)
                for (ptrdiff_t j = 0; j < size; j++) a[j] = merge(term, a[j], b[j]);
            else
                for (ptrdiff_t j = 0; j < size; j++) a[j] += b[j];
        }
        count -= half;
    }
}

static void merge_partials(const plan *p) {
    const ptrdiff_t width = p->columns ? p->width : p->lines;
    for (int s = 0; s < p->n_streams; s++) {
        double *v = p->partials + s * width;
        fold(p->streams[s].term, v, p->chunks, p->n_streams * width, width);
        if (p->repeats > 1) fold(p->streams[s].term, v, p->repeats, p->lines, p->lines);
    }
    finish(p, 0, p->lines, p->partials, width);
}

/* ---- planning --------------------------------------------------------------------------------------------- */

static int is_unit(const plan *p, const vekt_dim *dims, int n) {
    if (n == 0) return 0;
    for (int k = 0; k < p->n_operands; k++) {
        if (dims[n - 1].step[k] != p->memory) return 0;
    }
    return 1;
}

/* Lines side by side that fill all memory, but are too few: several elements of each make up one row. */
static ptrdiff_t choose_repeats(const plan *p) {
    if (p->transposed || p->n_outer != 1 || p->n_inner != 1 || p->n < 2 || p->lines >= NARROW ||
        p->format != VEKT_NATIVE)
        return 1;
    for (int k = 0; k < p->n_operands; k++) {
        if (p->inner[0].step[k] != p->lines * p->memory) return 1;
    }
    return smaller(ceil_divide(SEGMENT, p->lines), p->n);
}

/* Returns the number of tasks. */
static ptrdiff_t choose_tasks(plan *p) {
    p->repeats = 1;
    const int along = is_unit(p, p->inner, p->n_inner), across = is_unit(p, p->outer, p->n_outer);
    p->transposed = along && p->n_inner == 1 && p->format == VEKT_NATIVE && p->n <= SHORT && p->n_outer > 0 &&
                    p->outer[p->n_outer - 1].size >= MANY;
    p->columns = p->transposed || (across && !along);
    if (!p->columns) {
        p->staged = !(along && p->n_inner == 1 && p->format == VEKT_NATIVE);
        p->chunk = p->n_streams > 1 ? COSINE_CHUNK : NORM_CHUNK;
        p->chunks = p->n > p->chunk ? ceil_divide(p->n, p->chunk) : 1;
        p->group = p->n >= TASK_ELEMENTS ? 1 : TASK_ELEMENTS / (p->n + 1) + 1;
        if (p->chunks > 1) p->group = 1;
        return ceil_divide(p->lines, p->group) * p->chunks;
    }
    p->repeats = choose_repeats(p);
    p->width = p->lines * p->repeats;
    p->run = p->last = p->outer[p->n_outer - 1].size * p->repeats;
    p->rows = ceil_divide(p->n, p->repeats);
    p->row_dims = p->inner, p->n_row_dims = p->n_inner;
    if (p->repeats > 1) {
        p->last = p->lines * p->n - (p->rows - 1) * p->width;
        p->wide.size = p->rows;
        for (int k = 0; k < p->n_operands; k++) p->wide.step[k] = p->width * p->memory;
        p->row_dims = &p->wide;
    }
    p->chunk = COLUMN_ROWS;
    p->chunks = p->rows > p->chunk ? ceil_divide(p->rows, p->chunk) : 1;
    p->segments = ceil_divide(p->run, SEGMENT);
    return p->width / p->run * p->segments * p->chunks;
}

int vekt_norms(const vekt_target *target, const vekt_norms_call *call) {
    plan p = {.target = target, .kind = call->kind, .dtype = call->dtype, .format = call->format};
    vekt_dim *dims = call->dims;
    p.n_operands = call->kind == VEKT_COSINE ? 2 : 1;
    p.n_streams = call->kind == VEKT_COSINE ? MAX_TERMS : 1;
    if (call->kind == VEKT_COSINE)
        memcpy(p.streams, cosine_streams, sizeof p.streams);
    else
        p.streams[0] = (stream){call->kind, X, X};
    p.item = call->dtype == VEKT_F32 ? 4 : 8;
    p.memory = call->format == VEKT_NATIVE ? p.item : 2;
    p.data[X] = call->x, p.data[Y] = call->y, p.out = call->out;
    vekt_sort_dims(dims, call->n_outer, X);
    vekt_sort_dims(dims + call->n_outer, call->n_inner, X);
    p.n_inner = vekt_join_dims(dims + call->n_outer, call->n_inner);
    p.n_outer = vekt_join_dims(dims, call->n_outer);
    memmove(dims + p.n_outer, dims + call->n_outer, (size_t)p.n_inner * sizeof *dims);
    p.outer = dims, p.inner = dims + p.n_outer;
    p.lines = vekt_count(p.outer, p.n_outer), p.n = vekt_count(p.inner, p.n_inner);
    if (p.lines == 0) return 0;
    const ptrdiff_t elements = p.lines * p.n, tasks = choose_tasks(&p);
    double few[STACK_PARTIALS];
    if (p.chunks > 1 || p.repeats > 1) {
        const ptrdiff_t n = p.chunks * p.n_streams * (p.columns ? p.width : p.lines);
        p.partials = n > STACK_PARTIALS ? malloc((size_t)n * sizeof(double)) : few;
        if (!p.partials) return -1;
    }
    vekt_fpenv saved = vekt_fpenv_enter();
    vekt_task task = p.columns ? run_columns : run_lines;
    if (elements * p.memory * p.n_operands >= THREADED_BYTES)
        vekt_parallel_for(tasks, tasks > 64 ? tasks / 64 : 1, task, &p);
    else
        task(&p, 0, tasks);
    const int failed = atomic_load(&p.failed);
    if (p.partials && !failed) merge_partials(&p);
    vekt_fpenv_leave(saved);
    if (p.partials != few) free(p.partials);
    return failed ? -1 : 0;
}
