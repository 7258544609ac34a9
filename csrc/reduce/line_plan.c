/* How lines are reduced: which tasks there are follows from what is asked for, the shape and the steps alone. */
#include "engine/convert.h"
#include "lines.h"

#include <string.h>

enum { TASK_ELEMENTS = 8192 };
/* Stretches of a line are long, but those of two operands are read three times. */
enum { CHUNK_OF_TWO = 2048, CHUNK_OF_MOMENTS = 4096 };
/* Columns: COLUMN_ROWS rows are summed by one task.  Of them FEW_ROWS are taken at a time, each result being loaded
 * and stored once for all of these; more where the rows are short.  A segment of so many columns is read row by row,
 * or goes through a buffer. */
enum { COLUMN_ROWS = 128, FEW_ROWS = 16, MORE_ROWS = 32, SHORT_ROW = 256, SEGMENT_BYTES = 16384 };
/* Lines of up to SHORT elements, of which there are MANY, are transposed, or gathered, into columns first: what a
 * block costs beside its elements would be most of it. */
enum { SHORT = 48, MANY = 8 };
/* Fewer columns than this are repeated side by side up to WIDE of them, so that three of them cost no more than many;
 * as long as there are ENOUGH_ROWS.  Positions are merged one by one: up to POSITIONS of them, or MANY_ROWS. */
enum { NARROW = 256, WIDE = 512, POSITIONS = 16, ENOUGH_ROWS = 8, MANY_ROWS = 128 };
/* Pieces of a line that are at least so long are not copied together. */
enum { PIECE = 256 };

static int is_unit(const vekt_line_plan *p, const vekt_line_request *asked, const vekt_dim *dims, int n) {
    if (n == 0) return 0;
    for (int k = 0; k < asked->n_operands; k++) {
        if (dims[n - 1].step[k] != p->memory) return 0;
    }
    return 1;
}

/* ---- lines one by one ------------------------------------------------------------------------------------- */

static void choose_blocks(vekt_line_plan *p, const vekt_line_request *asked, int dense) {
    vekt_line_blocks *b = &p->blocks;
    const ptrdiff_t piece = p->n_inner > 0 ? p->inner[p->n_inner - 1].size : 1;
    b->chunks_last = 0;
    b->staged = !dense || p->n_inner != 1;
    b->pieced = b->staged && dense && piece >= PIECE && !asked->positions && !asked->moments;
    p->chunk = asked->moments         ? CHUNK_OF_MOMENTS
               : asked->n_streams > 1 ? CHUNK_OF_TWO
               : p->item < 4          ? VEKT_LINE_CHUNK / p->item
                                      : VEKT_LINE_CHUNK / 4;
    if (b->pieced && piece < p->chunk) {
        /* Where others' pieces lie between those of a line, memory is read as it lies. */
        b->chunks_last = p->n_outer > 0 && vekt_magnitude(p->outer[0].step[0]) < vekt_magnitude(p->inner[0].step[0]);
        p->chunk = b->chunks_last ? piece : p->chunk - p->chunk % piece;
    }
    p->chunks = p->n > p->chunk ? vekt_ceil_divide(p->n, p->chunk) : 1;
    const ptrdiff_t elements = vekt_smaller(p->n, p->chunk);
    b->group = p->chunks > 1 && !b->chunks_last ? 1
               : elements >= TASK_ELEMENTS      ? 1
                                                : TASK_ELEMENTS / (elements + 1) + 1;
    p->tasks = vekt_ceil_divide(p->lines, b->group) * p->chunks;
}

/* ---- lines side by side ----------------------------------------------------------------------------------- */

/* Lines without gaps from row to row, but too few: several elements of each make up one row. */
static ptrdiff_t choose_repeats(const vekt_line_plan *p, const vekt_line_request *asked) {
    const ptrdiff_t columns = p->outer[p->n_outer - 1].size;
    const int n_inner = p->n_inner, positions = asked->positions;
    if (p->columns.transposed || p->columns.gathered || n_inner == 0) return 1;
    if (columns >= NARROW || (positions && n_inner > 1)) return 1;
    for (int k = 0; k < asked->n_operands; k++) {
        if (p->inner[n_inner - 1].step[k] != columns * p->memory) return 1;
    }
    const ptrdiff_t n = p->inner[n_inner - 1].size;
    const ptrdiff_t wide = (asked->format == VEKT_NATIVE ? WIDE : VEKT_BUFFERED_COLUMNS) / columns;
    const ptrdiff_t most = vekt_smaller(wide, vekt_ceil_divide(n, ENOUGH_ROWS));
    if (!positions) return vekt_larger(1, most);
    return vekt_larger(1, vekt_larger(vekt_smaller(most, POSITIONS / columns), vekt_smaller(wide, n / MANY_ROWS)));
}

static void choose_columns(vekt_line_plan *p, const vekt_line_request *asked) {
    static const vekt_dim one = {1, {0}};
    const vekt_dim *d = p->n_inner ? &p->inner[p->n_inner - 1] : &one;
    vekt_line_columns *c = &p->columns;
    c->repeats = choose_repeats(p, asked);
    c->width = p->lines * c->repeats;
    c->run = p->outer[p->n_outer - 1].size * c->repeats;
    c->stretch = vekt_ceil_divide(d->size, c->repeats);
    c->rows = p->n / d->size * c->stretch;
    c->last = c->run / c->repeats * d->size - (c->stretch - 1) * c->run;
    for (int k = 0; k < asked->n_operands; k++) c->row_step[k] = d->step[k] * c->repeats;
    p->chunk = COLUMN_ROWS;
    p->chunks = c->rows > p->chunk ? vekt_ceil_divide(c->rows, p->chunk) : 1;
    const int buffered = vekt_is_buffered(asked, c), positions = asked->positions;
    const int more = c->run < SHORT_ROW || positions;
    c->at_a_time = buffered ? VEKT_BUFFERED_ROWS : more ? MORE_ROWS : FEW_ROWS;
    if (vekt_is_integer(asked->element) && !positions && !buffered) c->at_a_time = COLUMN_ROWS;
    c->segment =
        buffered ? VEKT_BUFFERED_COLUMNS : vekt_smaller(SEGMENT_BYTES / p->item, VEKT_SEGMENT / p->n_numbers);
    c->segments = vekt_ceil_divide(c->run, c->segment);
    p->tasks = c->width / c->run * c->segments * p->chunks;
}

/* ---- the plan --------------------------------------------------------------------------------------------- */

/* Memory is read forwards.  Positions count from the first element of a line. */
static void turn_forwards(vekt_line_plan *p, const vekt_line_request *asked, vekt_dim *dims, int n_outer,
                          int n_inner) {
    for (int i = 0; i < n_outer + (asked->positions ? 0 : n_inner); i++) {
        vekt_dim *d = &dims[i];
        if (d->step[0] >= 0 || (asked->n_operands > 1 && d->step[1] > 0)) continue;
        for (int k = 0; k < asked->n_operands; k++) p->data[k] += (d->size - 1) * d->step[k];
        p->out += (d->size - 1) * d->step[VEKT_NORM_OUT];
        for (int k = 0; k < VEKT_DIM_OPERANDS; k++) d->step[k] = -d->step[k];
    }
}

/* The dimensions of the lines, and those of a line, with the longest steps first and as few as possible. */
static void set_dims(vekt_line_plan *p, const vekt_line_request *asked, vekt_dim *dims, int n_outer, int n_inner) {
    turn_forwards(p, asked, dims, n_outer, n_inner);
    vekt_sort_dims(dims, n_outer, VEKT_NORM_X);
    if (!asked->positions) vekt_sort_dims(dims + n_outer, n_inner, VEKT_NORM_X);
    p->n_inner = vekt_join_dims(dims + n_outer, n_inner);
    p->n_outer = vekt_join_dims(dims, n_outer);
    memmove(dims + p->n_outer, dims + n_outer, (size_t)p->n_inner * sizeof *dims);
    p->outer = dims, p->inner = dims + p->n_outer;
    p->lines = vekt_count(p->outer, p->n_outer), p->n = vekt_count(p->inner, p->n_inner);
}

void vekt_plan_lines(vekt_line_plan *p, const vekt_line_request *asked, vekt_dim *dims, int n_outer, int n_inner) {
    static const ptrdiff_t items[VEKT_N_ELEMENTS] = {4, 8, 1, 2, 4, 8};
    p->data[0] = asked->data[0], p->data[1] = asked->data[1], p->out = asked->out;
    p->item = items[asked->element];
    p->memory = asked->format == VEKT_CONVERTED                                ? vekt_type_bytes(asked->from)
                : asked->format == VEKT_HALF || asked->format == VEKT_BFLOAT16 ? 2
                                                                               : p->item;
    p->n_numbers = asked->positions ? 2 : asked->moments ? VEKT_N_MOMENTS : asked->n_streams;
    set_dims(p, asked, dims, n_outer, n_inner);
    if (p->lines == 0) return;
    const int along = is_unit(p, asked, p->inner, p->n_inner), across = is_unit(p, asked, p->outer, p->n_outer);
    const int many_short =
        p->n_inner <= 1 && p->n <= SHORT && p->n_outer > 0 && p->outer[p->n_outer - 1].size >= MANY;
    p->columns.transposed = along && many_short;
    p->columns.gathered = !along && !across && many_short;
    p->by_columns = p->n > 0 && (p->columns.transposed || p->columns.gathered || (across && !along));
    p->columns.repeats = 1;
    if (p->by_columns)
        choose_columns(p, asked);
    else
        choose_blocks(p, asked, along && asked->format == VEKT_NATIVE);
}
