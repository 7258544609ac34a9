/* Lines that lie side by side, some rows of memory at a time. */
#include "lines.h"
#include "linalg/matmul.h"

/* The largest element is a double. */
enum { BUFFER_BYTES = VEKT_BUFFERED_COLUMNS * VEKT_BUFFERED_ROWS * 8 };

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
        p->asked->target->rows[0][item == 4 ? VEKT_F32 : VEKT_F64].transpose(dst, step, src, across, width, rows);
    else
        p->asked->target->transpose[item - 1](dst, step, src, across, width, rows);
}

static void bring_rows(const vekt_lines *p, int k, const char *address, ptrdiff_t rows, ptrdiff_t width, char *buffer,
                       char *raw, rows_at *at) {
    const vekt_line_columns *c = &p->plan.columns;
    const int native = p->asked->format == VEKT_NATIVE;
    ptrdiff_t step = c->row_step[k], across = p->plan.outer[p->plan.n_outer - 1].step[k];
    at->x[k] = address;
    at->step[k] = step;
    if (c->transposed) {
        transpose(p, native ? buffer : raw, address, across, width, rows, p->plan.memory);
        address = raw;
        across = p->plan.memory;
        step = VEKT_BUFFERED_COLUMNS * p->plan.memory;
    }
    if (!native || c->gathered) {
        for (ptrdiff_t row = 0; row < rows; row++)
            vekt_gather_elements(p, buffer + row * VEKT_BUFFERED_COLUMNS * p->plan.item, address + row * step, across,
                                 width);
    }
    if (!vekt_is_buffered(p->asked, c)) return;
    at->x[k] = buffer;
    at->step[k] = VEKT_BUFFERED_COLUMNS * p->plan.item;
}

/* Takes rows [i, i + rows) of columns [column, column + width) of a run that begins at line. */
static void take_rows(const vekt_lines *p, ptrdiff_t line, ptrdiff_t column, ptrdiff_t i, ptrdiff_t rows,
                      ptrdiff_t width, vekt_number *sums, ptrdiff_t sums_width, char *buffer) {
    const vekt_line_request *asked = p->asked;
    const vekt_line_plan *plan = &p->plan;
    const vekt_line_columns *c = &p->plan.columns;
    rows_at at;
    for (int k = 0; k < asked->n_operands; k++) {
        const char *address = plan->data[k] + vekt_offset(plan->outer, plan->n_outer, k, line) +
                              column * plan->outer[plan->n_outer - 1].step[k] + i % c->stretch * c->row_step[k];
        if (plan->n_inner > 1) address += vekt_offset(plan->inner, plan->n_inner - 1, k, i / c->stretch);
        bring_rows(p, k, address, rows, width, buffer + k * BUFFER_BYTES, buffer + asked->n_operands * BUFFER_BYTES,
                   &at);
    }
    if (asked->positions) {
        asked->target->places[asked->element](at.x[0], at.step[0], asked->key, rows, i, i % plan->chunk == 0, sums,
                                              sums + sums_width, width);
        return;
    }
    if (asked->moments) {
        asked->target->moments[asked->moments - 1][asked->element].columns(at.x[0], at.step[0], rows, sums,
                                                                           sums_width, width);
        return;
    }
    for (int s = 0; s < asked->n_streams; s++) {
        const vekt_stream *f = &asked->streams[s];
        const void *second = vekt_is_integer(asked->element) ? (const void *)&asked->key : at.x[f->second];
        asked->target->terms[f->term][asked->element].columns(at.x[f->first], at.step[f->first], second,
                                                              at.step[f->second], rows, sums + s * sums_width, width);
    }
}

void vekt_run_columns(void *context, ptrdiff_t begin, ptrdiff_t end) {
    vekt_lines *p = context;
    const vekt_line_request *asked = p->asked;
    const vekt_line_plan *plan = &p->plan;
    const vekt_line_columns *c = &p->plan.columns;
    const int buffered = vekt_is_buffered(p->asked, c);
    const size_t buffers = buffered ? (size_t)(asked->n_operands + 1) * BUFFER_BYTES : 0;
    char *const buffer = vekt_workspace(VEKT_WORKSPACE_STAGE, buffers + VEKT_SEGMENT * sizeof(vekt_number));
    const ptrdiff_t run_lines = c->run / c->repeats;
    if (!buffer) {
        atomic_store(&p->failed, 1);
        return;
    }
    vekt_number *const local = (vekt_number *)(buffer + buffers);
    for (ptrdiff_t t = begin; t < end; t++) {
        const ptrdiff_t segment = t % c->segments, rest = t / c->segments, chunk = rest % plan->chunks;
        const ptrdiff_t line = rest / plan->chunks * run_lines, column = segment * c->segment;
        const ptrdiff_t width = vekt_smaller(c->segment, c->run - column);
        const ptrdiff_t sums_width = p->partials ? c->width : width;
        vekt_number *sums =
            p->partials ? p->partials + chunk * plan->n_numbers * c->width + line * c->repeats + column : local;
        for (int s = 0; s < asked->n_streams; s++) {
            const vekt_number none = vekt_neutral(asked->element, asked->streams[s].term);
            for (ptrdiff_t j = 0; j < width; j++) sums[s * sums_width + j] = none;
        }
        for (ptrdiff_t j = 0; j < width && asked->moments; j++)
            for (int k = 0; k < VEKT_N_MOMENTS; k++) sums[k * sums_width + j].real = 0;
        /* A short row may be all that there is of a chunk. */
        for (ptrdiff_t j = 0; j < width && asked->positions; j++) sums[sums_width + j].integer = INT64_MAX;
        const ptrdiff_t stop = vekt_smaller((chunk + 1) * plan->chunk, c->rows);
        for (ptrdiff_t i = chunk * plan->chunk, rows; i < stop; i += rows) {
            rows = vekt_smaller(vekt_smaller(c->at_a_time, stop - i), c->stretch - i % c->stretch);
            ptrdiff_t m = width;
            if (c->last < c->run && (i + rows) % c->stretch == 0) { /* a shorter row, taken alone */
                if (rows > 1)
                    rows--;
                else
                    m = vekt_smaller(width, c->last - column);
            }
            if (m > 0) take_rows(p, line, column, i, rows, m, sums, sums_width, buffer);
        }
        if (p->partials) continue;
        if (c->repeats > 1) {
            vekt_fold_repeats(p, local, width);
            asked->finish(p, line, line + run_lines, local, width);
        } else {
            asked->finish(p, line + column, line + column + width, local, width);
        }
    }
}
