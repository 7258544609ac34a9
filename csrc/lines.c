#include "lines.h"

#include "fpenv.h"
#include "matmul.h"
#include "stage.h"

#include <stdlib.h>

enum { THREADED_BYTES = 8 << 20 };
enum { TASK_ELEMENTS = 8192 };
/* Elements of a line taken at a time: long stretches, but those of two operands are read three times. */
enum { CHUNK = 16384, CHUNK_OF_TWO = 2048, CHUNK_OF_POSITIONS = 4096 };
/* Columns: COLUMN_ROWS rows are summed by one task.  Of them FEW_ROWS are taken at a time, each result being loaded
 * and stored once for all of these; more where the rows are short.  A segment of so many columns is read row by row,
 * or goes through a buffer of BUFFERED of them. */
enum { COLUMN_ROWS = 128, FEW_ROWS = 8, MORE_ROWS = 32, SHORT_ROW = 256, SEGMENT = 2048 };
enum { BUFFERED = 256, BUFFERED_ROWS = 16, BUFFER_BYTES = BUFFERED * BUFFERED_ROWS * 8 };
/* Lines of up to SHORT elements, of which there are MANY, are transposed into columns first: what a block costs
 * beside its elements would be most of it. */
enum { SHORT = 48, MANY = 8 };
/* Fewer columns than this are repeated side by side up to WIDE of them, so that three of them cost no more than many;
 * as long as there are ENOUGH_ROWS. */
enum { NARROW = 256, WIDE = 512, ENOUGH_ROWS = 8 };
/* Pieces of a line that are at least so long are not copied together. */
enum { PIECE = 256, MAX_PIECES = CHUNK / PIECE + 2 };
enum { STACK_PARTIALS = 512 };

static ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

static ptrdiff_t ceil_divide(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }

static int is_integer(int element) { return element >= VEKT_N_DTYPES; }

vekt_number vekt_merge(int element, int term, vekt_number a, vekt_number b) {
    const int greater = term == VEKT_GREATEST || term == VEKT_MAX_ABSOLUTE;
    if (is_integer(element)) {
        if (greater) return a.integer > b.integer ? a : b;
        return (vekt_number){.integer = (int64_t)((uint64_t)a.integer + (uint64_t)b.integer)};
    }
    if (greater) return a.real > b.real || a.real != a.real ? a : b;
    if (term == VEKT_LEAST || term == VEKT_MIN_ABSOLUTE) return a.real < b.real || a.real != a.real ? a : b;
    return (vekt_number){.real = a.real + b.real};
}

int vekt_is_better(int element, int term, vekt_number a, vekt_number b) {
    if (is_integer(element)) return b.integer > a.integer;
    if (a.real != a.real) return 0;
    return b.real != b.real || (term == VEKT_GREATEST ? b.real > a.real : b.real < a.real);
}

/* What stands for no elements. */
static vekt_number neutral(int element, int term) {
    if (is_integer(element)) return (vekt_number){.integer = term == VEKT_GREATEST ? INT64_MIN : 0};
    if (term == VEKT_GREATEST) return (vekt_number){.real = -(double)INFINITY};
    if (term == VEKT_LEAST || term == VEKT_MIN_ABSOLUTE) return (vekt_number){.real = (double)INFINITY};
    return (vekt_number){.real = 0};
}

/* count vectors of size numbers, step apart, pairwise into the first. */
static void fold(int element, int term, vekt_number *v, ptrdiff_t count, ptrdiff_t step, ptrdiff_t size) {
    const int sums = neutral(element, term).integer == 0 && term != VEKT_MAX_ABSOLUTE;
    while (count > 1) {
        const ptrdiff_t half = count / 2;
        for (ptrdiff_t i = 0; i < half; i++) {
            vekt_number *a = v + i * step;
            const vekt_number *b = v + (i + count - half) * step;
            if (is_integer(element))
                for (ptrdiff_t j = 0; j < size; j++) a[j] = vekt_merge(element, term, a[j], b[j]);
            else if (sums)
                for (ptrdiff_t j = 0; j < size; j++) a[j].real += b[j].real;
            else if (term == VEKT_GREATEST || term == VEKT_MAX_ABSOLUTE)
                for (ptrdiff_t j = 0; j < size; j++)
                    a[j].real = (a[j].real > b[j].real) | (a[j].real != a[j].real) ? a[j].real : b[j].real;
            else
                for (ptrdiff_t j = 0; j < size; j++)
                    a[j].real = (a[j].real < b[j].real) | (a[j].real != a[j].real) ? a[j].real : b[j].real;
        }
        count -= half;
    }
}

/* ---- from memory to the kernels --------------------------------------------------------------------------- */

#define CONVERT(type)                         \
    for (ptrdiff_t i = 0; i < n; i++) {       \
        type a;                               \
        memcpy(&a, src + i * step, sizeof a); \
        ((double *)dst)[i] = (double)a;       \
    }
#define COPY(type) \
    for (ptrdiff_t i = 0; i < n; i++) memcpy((type *)dst + i, src + i * step, sizeof(type));

/* n elements, step bytes apart, to the buffer. */
static void gather(const vekt_lines *p, void *dst, const char *src, ptrdiff_t step, ptrdiff_t n) {
    if (p->format == VEKT_WIDE_SIGNED) {
        CONVERT(int64_t)
    } else if (p->format == VEKT_WIDE_UNSIGNED) {
        CONVERT(uint64_t)
    } else if (p->format != VEKT_NATIVE && step == 2) {
        (p->format == VEKT_HALF ? &p->target->half : &p->target->bfloat16)->widen(dst, src, n);
    } else if (!is_integer(p->element)) {
        vekt_gather(p->element, p->format, dst, src, step, n);
    } else if (step == p->item) {
        memcpy(dst, src, (size_t)(n * p->item));
    } else if (p->item == 1) {
        COPY(int8_t)
    } else if (p->item == 2) {
        COPY(int16_t)
    } else if (p->item == 4) {
        COPY(int32_t)
    } else {
        COPY(int64_t)
    }
}

const char *vekt_dense_part(const vekt_lines *p, int k, const char *line, ptrdiff_t i, ptrdiff_t m, void *buffer) {
    const vekt_dim *d = &p->inner[p->n_inner - 1];
    if (m == 0) return buffer;
    if (p->n_inner == 0) {
        gather(p, buffer, line, p->memory, m);
        return buffer;
    }
    if (p->format == VEKT_NATIVE && d->step[k] == p->item && i % d->size + m <= d->size)
        return line + vekt_offset(p->inner, p->n_inner, k, i);
    for (ptrdiff_t done = 0, length; done < m; done += length) {
        length = smaller(m - done, d->size - (i + done) % d->size);
        gather(p, (char *)buffer + done * p->item, line + vekt_offset(p->inner, p->n_inner, k, i + done), d->step[k],
               length);
    }
    return buffer;
}

/* ---- line by line ----------------------------------------------------------------------------------------- */

static vekt_number run_block(const vekt_lines *p, const vekt_stream *s, const char *const x[2], ptrdiff_t n) {
    const void *second = is_integer(p->element) ? (const void *)&p->key : x[s->second];
    return p->target->terms[s->term][p->element].block(x[s->first], second, n);
}

/* A chunk whose pieces are dense, to one number for each stream. */
static void run_pieces(const vekt_lines *p, const char *const line[2], ptrdiff_t i, ptrdiff_t m, vekt_number *sums) {
    vekt_number part[VEKT_LINE_STREAMS][MAX_PIECES];
    const ptrdiff_t size = p->inner[p->n_inner - 1].size;
    ptrdiff_t count = 0;
    for (ptrdiff_t stop = i + m, length; i < stop; i += length, count++) {
        const char *x[2];
        length = smaller(stop - i, size - i % size);
        for (int k = 0; k < p->n_operands; k++) x[k] = line[k] + vekt_offset(p->inner, p->n_inner, k, i);
        for (int s = 0; s < p->n_streams; s++) part[s][count] = run_block(p, &p->streams[s], x, length);
    }
    for (int s = 0; s < p->n_streams; s++) {
        fold(p->element, p->streams[s].term, part[s], count, 1, 1);
        sums[s] = part[s][0];
    }
}

/* The best of a line, and the part in which it stands first. */
static void run_parts(const vekt_lines *p, const char *x, vekt_number *best) {
    best[1].integer = 0;
    for (ptrdiff_t i = 0; i < p->n; i += VEKT_LINE_PART) {
        const char *const at[2] = {x + i * p->item, x + i * p->item};
        const vekt_number b = run_block(p, &p->streams[0], at, smaller(p->n - i, VEKT_LINE_PART));
        if (i > 0 && !vekt_is_better(p->element, p->streams[0].term, best[0], b)) continue;
        best[0] = b;
        best[1].integer = i;
    }
}

static void run_lines(void *context, ptrdiff_t begin, ptrdiff_t end) {
    vekt_lines *p = context;
    const ptrdiff_t bytes = p->chunk * p->item;
    const int buffered = p->staged && !p->pieced;
    char *const buffer = buffered ? vekt_workspace(VEKT_WORKSPACE_STAGE, (size_t)(p->n_operands * bytes)) : NULL;
    vekt_number local[VEKT_LINE_STREAMS];
    if (buffered && !buffer) {
        atomic_store(&p->failed, 1);
        return;
    }
    for (ptrdiff_t t = begin; t < end; t++) {
        const ptrdiff_t chunk = t % p->chunks, i = chunk * p->chunk, m = smaller(p->n - i, p->chunk);
        const ptrdiff_t first = t / p->chunks * p->group, last = smaller(first + p->group, p->lines);
        for (ptrdiff_t line = first; line < last; line++) {
            const char *x[2];
            const int skipped = p->decides && atomic_load_explicit(&p->decided, memory_order_relaxed);
            for (int k = 0; k < p->n_operands; k++) x[k] = p->data[k] + vekt_offset(p->outer, p->n_outer, k, line);
            if (skipped) {
                for (int s = 0; s < p->n_streams; s++) local[s] = neutral(p->element, p->streams[s].term);
            } else if (p->pieced) {
                run_pieces(p, x, i, m, local);
            } else {
                for (int k = 0; k < p->n_operands; k++) x[k] = vekt_dense_part(p, k, x[k], i, m, buffer + k * bytes);
                if (p->finish_chunks && !p->partials)
                    run_parts(p, x[0], local);
                else
                    for (int s = 0; s < p->n_streams; s++) local[s] = run_block(p, &p->streams[s], x, m);
            }
            if (!p->partials) {
                p->finish(p, line, line + 1, local, 1);
                continue;
            }
            for (int s = 0; s < p->n_streams; s++)
                p->partials[(chunk * p->n_streams + s) * p->lines + line] = local[s];
            if (p->decides && !skipped && p->lines == 1 && p->decides(p, local[0], m))
                atomic_store_explicit(&p->decided, 1, memory_order_relaxed);
        }
    }
}

/* ---- columns ---------------------------------------------------------------------------------------------- */

static int transpose_of(ptrdiff_t item) { return item == 1 ? 0 : item == 2 ? 1 : item == 4 ? 2 : 3; }

/* Adds rows [i, i + rows) of columns [column, column + width) of a run that begins at line. */
static void add_rows(const vekt_lines *p, ptrdiff_t line, ptrdiff_t column, ptrdiff_t i, ptrdiff_t rows,
                     ptrdiff_t width, vekt_number *sums, ptrdiff_t sums_width, char (*buffer)[BUFFER_BYTES]) {
    const char *x[2];
    ptrdiff_t step[2] = {0, 0};
    for (int k = 0; k < p->n_operands; k++) {
        const ptrdiff_t across = p->outer[p->n_outer - 1].step[k];
        const char *address = p->data[k] + vekt_offset(p->outer, p->n_outer, k, line) + column * across +
                              vekt_offset(p->row_dims, p->n_row_dims, k, i);
        if (p->transposed) {
            x[k] = buffer[k];
            step[k] = BUFFERED * p->item;
            if (is_integer(p->element))
                p->target->transpose[transpose_of(p->item)](buffer[k], step[k], address, across, width, rows);
            else
                p->target->rows[0][p->element].transpose(buffer[k], step[k], address, across, width, rows);
            continue;
        }
        step[k] = p->n_row_dims ? p->row_dims[p->n_row_dims - 1].step[k] : 0;
        x[k] = address;
        if (p->format == VEKT_NATIVE) continue;
        for (ptrdiff_t row = 0; row < rows; row++)
            gather(p, buffer[k] + row * BUFFERED * p->item, address + row * step[k], p->memory, width);
        x[k] = buffer[k];
        step[k] = BUFFERED * p->item;
    }
    for (int s = 0; s < p->n_streams; s++) {
        const vekt_stream *f = &p->streams[s];
        const void *second = is_integer(p->element) ? (const void *)&p->key : x[f->second];
        p->target->terms[f->term][p->element].columns(x[f->first], step[f->first], second, step[f->second], rows,
                                                      sums + s * sums_width, width);
    }
}

static void run_columns(void *context, ptrdiff_t begin, ptrdiff_t end) {
    const vekt_lines *p = context;
    _Alignas(64) char buffer[2][BUFFER_BYTES];
    vekt_number local[VEKT_LINE_STREAMS * SEGMENT];
    const ptrdiff_t run_lines = p->run / p->repeats;
    const ptrdiff_t stretch = p->n_row_dims ? p->row_dims[p->n_row_dims - 1].size : 1; /* rows with one step */
    for (ptrdiff_t t = begin; t < end; t++) {
        const ptrdiff_t segment = t % p->segments, rest = t / p->segments, chunk = rest % p->chunks;
        const ptrdiff_t line = rest / p->chunks * run_lines, column = segment * p->segment;
        const ptrdiff_t width = smaller(p->segment, p->run - column);
        const ptrdiff_t sums_width = p->partials ? p->width : width;
        vekt_number *sums =
            p->partials ? p->partials + chunk * p->n_streams * p->width + line * p->repeats + column : local;
        for (int s = 0; s < p->n_streams; s++) {
            const vekt_number none = neutral(p->element, p->streams[s].term);
            for (ptrdiff_t j = 0; j < width; j++) sums[s * sums_width + j] = none;
        }
        const ptrdiff_t stop = smaller((chunk + 1) * p->chunk, p->rows);
        for (ptrdiff_t i = chunk * p->chunk, rows; i < stop; i += rows) {
            rows = smaller(smaller(p->at_a_time, stop - i), stretch - i % stretch);
            ptrdiff_t m = width;
            if (p->last < p->run && i + rows == p->rows) { /* the last row is shorter, and taken alone */
                if (rows > 1)
                    rows--;
                else
                    m = smaller(width, p->last - column);
            }
            if (m > 0) add_rows(p, line, column, i, rows, m, sums, sums_width, buffer);
        }
        if (p->partials) continue;
        if (p->repeats > 1) {
            for (int s = 0; s < p->n_streams; s++)
                fold(p->element, p->streams[s].term, local + s * width, p->repeats, run_lines, run_lines);
            p->finish(p, line, line + run_lines, local, width);
        } else {
            p->finish(p, line + column, line + column + width, local, width);
        }
    }
}

/* ---- merging ---------------------------------------------------------------------------------------------- */

static void merge_partials(const vekt_lines *p) {
    const ptrdiff_t width = p->columns ? p->width : p->lines;
    if (p->finish_chunks) {
        p->finish_chunks(p, p->columns ? p->chunk * p->repeats : p->chunk);
        return;
    }
    for (int s = 0; s < p->n_streams; s++)
        fold(p->element, p->streams[s].term, p->partials + s * width, p->chunks, p->n_streams * width, width);
    if (p->repeats == 1) {
        p->finish(p, 0, p->lines, p->partials, width);
        return;
    }
    const ptrdiff_t run_lines = p->run / p->repeats;
    for (ptrdiff_t line = 0; line < p->lines; line += run_lines) {
        vekt_number *v = p->partials + line * p->repeats;
        for (int s = 0; s < p->n_streams; s++)
            fold(p->element, p->streams[s].term, v + s * width, p->repeats, run_lines, run_lines);
        p->finish(p, line, line + run_lines, v, width);
    }
}

/* ---- planning --------------------------------------------------------------------------------------------- */

static int is_unit(const vekt_lines *p, const vekt_dim *dims, int n) {
    if (n == 0) return 0;
    for (int k = 0; k < p->n_operands; k++) {
        if (dims[n - 1].step[k] != p->memory) return 0;
    }
    return 1;
}

/* Lines side by side, without gaps from row to row, but too few: several elements of each make up one row. */
static ptrdiff_t choose_repeats(const vekt_lines *p) {
    const ptrdiff_t columns = p->outer[p->n_outer - 1].size;
    if (p->transposed || p->n_inner != 1 || p->n < 2 || columns >= NARROW || p->format != VEKT_NATIVE) return 1;
    for (int k = 0; k < p->n_operands; k++) {
        if (p->inner[0].step[k] != columns * p->memory) return 1;
    }
    return smaller(WIDE / columns, ceil_divide(p->n, ENOUGH_ROWS));
}

/* Returns the number of tasks. */
static ptrdiff_t choose_tasks(vekt_lines *p) {
    p->repeats = 1;
    const int along = is_unit(p, p->inner, p->n_inner), across = is_unit(p, p->outer, p->n_outer);
    p->transposed = along && p->n_inner == 1 && p->format == VEKT_NATIVE && p->n <= SHORT && p->n_outer > 0 &&
                    p->outer[p->n_outer - 1].size >= MANY;
    p->columns = p->transposed || (across && !along);
    if (!p->columns) {
        const ptrdiff_t piece = p->n_inner > 0 ? p->inner[p->n_inner - 1].size : 1;
        p->staged = !(along && p->n_inner == 1 && p->format == VEKT_NATIVE);
        p->pieced = p->staged && along && p->format == VEKT_NATIVE && piece >= PIECE && !p->finish_chunks;
        p->chunk = p->n_streams > 1 ? CHUNK_OF_TWO : p->finish_chunks ? CHUNK_OF_POSITIONS : CHUNK;
        if (p->pieced && piece < p->chunk) p->chunk -= p->chunk % piece;
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
        p->last = p->run / p->repeats * p->n - (p->rows - 1) * p->run;
        p->wide.size = p->rows;
        for (int k = 0; k < p->n_operands; k++) p->wide.step[k] = p->run * p->memory;
        p->row_dims = &p->wide;
    }
    p->chunk = COLUMN_ROWS;
    p->chunks = p->rows > p->chunk ? ceil_divide(p->rows, p->chunk) : 1;
    const int buffered = p->transposed || p->format != VEKT_NATIVE;
    p->at_a_time = buffered ? BUFFERED_ROWS : p->run < SHORT_ROW || is_integer(p->element) ? MORE_ROWS : FEW_ROWS;
    p->segment = buffered ? BUFFERED : SEGMENT;
    p->segments = ceil_divide(p->run, p->segment);
    return p->width / p->run * p->segments * p->chunks;
}

int vekt_reduce_lines(vekt_lines *p, vekt_dim *dims, int n_outer, int n_inner) {
    static const ptrdiff_t items[VEKT_N_ELEMENTS] = {4, 8, 1, 2, 4, 8};
    p->item = items[p->element];
    p->memory = p->format == VEKT_HALF || p->format == VEKT_BFLOAT16 ? 2 : p->item;
    vekt_sort_dims(dims, n_outer, VEKT_NORM_X);
    if (!p->ordered) vekt_sort_dims(dims + n_outer, n_inner, VEKT_NORM_X);
    p->n_inner = vekt_join_dims(dims + n_outer, n_inner);
    p->n_outer = vekt_join_dims(dims, n_outer);
    memmove(dims + p->n_outer, dims + n_outer, (size_t)p->n_inner * sizeof *dims);
    p->outer = dims, p->inner = dims + p->n_outer;
    p->lines = vekt_count(p->outer, p->n_outer), p->n = vekt_count(p->inner, p->n_inner);
    if (p->lines == 0) return 0;
    const ptrdiff_t elements = p->lines * p->n, tasks = choose_tasks(p);
    vekt_number few[STACK_PARTIALS];
    if (p->chunks > 1) {
        const ptrdiff_t n = p->chunks * p->n_streams * (p->columns ? p->width : p->lines);
        p->partials = n > STACK_PARTIALS ? malloc((size_t)n * sizeof *few) : few;
        if (!p->partials) return -1;
    }
    const vekt_fpenv saved = vekt_fpenv_enter();
    const vekt_task task = p->columns ? run_columns : run_lines;
    if (elements * p->memory * p->n_operands >= THREADED_BYTES)
        vekt_parallel_for(tasks, tasks > 64 ? tasks / 64 : 1, task, p);
    else
        task(p, 0, tasks);
    const int failed = atomic_load(&p->failed);
    if (p->partials && !failed) merge_partials(p);
    vekt_fpenv_leave(saved);
    if (p->partials != few) free(p->partials);
    return failed ? -1 : 0;
}
