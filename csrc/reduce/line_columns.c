/* Lines that lie side by side, some rows of memory at a time. */
#include "lines.h"
#include "linalg/matmul.h"

/* The largest element is a double. */
enum { BUFFER_BYTES = VEKT_BUFFERED_COLUMNS * VEKT_BUFFERED_ROWS * 8 };

static ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/* Where rows [i, i + rows) of `width` columns lie for the kernels: in place, or in a buffer. */
typedef struct {
    const char *x[2];
    ptrdiff_t step[2];
} rows_at;

/* Rows of columns of which each is contiguous in memory, `across` bytes apart. */
static void transpose(const vekt_lines *p, char *dst, const char *src, ptrdiff_t across, ptrdiff_t width,
                      ptrdiff_t rows, ptrdiff_t item) {
    const ptrdiff_t step = VEKT_BUFFERED_COLUMNS * item;
    if (item >= 4)
        p->target->rows[0][item == 4 ? VEKT_F32 : VEKT_F64].transpose(dst, step, src, across, width, rows);
    else
        p->target->transpose[item - 1](dst, step, src, across, width, rows);
}

static void bring_rows(const vekt_lines *p, int k, const char *address, ptrdiff_t rows, ptrdiff_t width, char *buffer,
                       char *raw, rows_at *at) {
    const int native = p->format == VEKT_NATIVE;
    ptrdiff_t step = p->row_step[k], across = p->outer[p->n_outer - 1].step[k];
    at->x[k] = address;
    at->step[k] = step;
    if (p->transposed) {
        transpose(p, native ? buffer : raw, address, across, width, rows, p->memory);
        address = raw;
        across = p->memory;
        step = VEKT_BUFFERED_COLUMNS * p->memory;
    }
    if (!native || p->gathered) {
        for (ptrdiff_t row = 0; row < rows; row++)
            vekt_gather_elements(p, buffer + row * VEKT_BUFFERED_COLUMNS * p->item, address + row * step, across,
                                 width);
    }
    if (!vekt_is_buffered(p)) return;
    at->x[k] = buffer;
    at->step[k] = VEKT_BUFFERED_COLUMNS * p->item;
}

/* Takes rows [i, i + rows) of columns [column, column + width) of a run that begins at line. */
static void take_rows(const vekt_lines *p, ptrdiff_t line, ptrdiff_t column, ptrdiff_t i, ptrdiff_t rows,
                      ptrdiff_t width, vekt_number *sums, ptrdiff_t sums_width, char *buffer) {
    rows_at at;
    for (int k = 0; k < p->n_operands; k++) {
        const char *address = p->data[k] + vekt_offset(p->outer, p->n_outer, k, line) +
                              column * p->outer[p->n_outer - 1].step[k] + i % p->stretch * p->row_step[k];
        if (p->n_inner > 1) address += vekt_offset(p->inner, p->n_inner - 1, k, i / p->stretch);
        bring_rows(p, k, address, rows, width, buffer + k * BUFFER_BYTES, buffer + p->n_operands * BUFFER_BYTES, &at);
    }
    if (p->positions) {
        p->target->places[p->element](at.x[0], at.step[0], p->key, rows, i, i % p->chunk == 0, sums,
                                      sums + sums_width, width);
        return;
    }
    for (int s = 0; s < p->n_streams; s++) {
        const vekt_stream *f = &p->streams[s];
        const void *second = vekt_is_integer(p->element) ? (const void *)&p->key : at.x[f->second];
        p->target->terms[f->term][p->element].columns(at.x[f->first], at.step[f->first], second, at.step[f->second],
                                                      rows, sums + s * sums_width, width);
    }
}

void vekt_run_columns(void *context, ptrdiff_t begin, ptrdiff_t end) {
    vekt_lines *p = context;
    const int buffered = vekt_is_buffered(p);
    const size_t buffers = buffered ? (size_t)(p->n_operands + 1) * BUFFER_BYTES : 0;
    char *const buffer = vekt_workspace(VEKT_WORKSPACE_STAGE, buffers + VEKT_SEGMENT * sizeof(vekt_number));
    const ptrdiff_t run_lines = p->run / p->repeats;
    if (!buffer) {
        atomic_store(&p->failed, 1);
        return;
    }
    vekt_number *const local = (vekt_number *)(buffer + buffers);
    for (ptrdiff_t t = begin; t < end; t++) {
        const ptrdiff_t segment = t % p->segments, rest = t / p->segments, chunk = rest % p->chunks;
        const ptrdiff_t line = rest / p->chunks * run_lines, column = segment * p->segment;
        const ptrdiff_t width = smaller(p->segment, p->run - column);
        const ptrdiff_t sums_width = p->partials ? p->width : width;
        vekt_number *sums =
            p->partials ? p->partials + chunk * p->n_numbers * p->width + line * p->repeats + column : local;
        for (int s = 0; s < p->n_streams; s++) {
            const vekt_number none = vekt_neutral(p->element, p->streams[s].term);
            for (ptrdiff_t j = 0; j < width; j++) sums[s * sums_width + j] = none;
        }
        /* A short row may be all that there is of a chunk. */
        for (ptrdiff_t j = 0; j < width && p->positions; j++) sums[sums_width + j].integer = INT64_MAX;
        const ptrdiff_t stop = smaller((chunk + 1) * p->chunk, p->rows);
        for (ptrdiff_t i = chunk * p->chunk, rows; i < stop; i += rows) {
            rows = smaller(smaller(p->at_a_time, stop - i), p->stretch - i % p->stretch);
            ptrdiff_t m = width;
            if (p->last < p->run && (i + rows) % p->stretch == 0) { /* a shorter row, taken alone */
                if (rows > 1)
                    rows--;
                else
                    m = smaller(width, p->last - column);
            }
            if (m > 0) take_rows(p, line, column, i, rows, m, sums, sums_width, buffer);
        }
        if (p->partials) continue;
        if (p->repeats > 1) {
            vekt_fold_repeats(p, local, width);
            p->finish(p, line, line + run_lines, local, width);
        } else {
            p->finish(p, line + column, line + column + width, local, width);
        }
    }
}
