/* The plan of a reduction, and how the numbers of its tasks are merged. */
#include "lines.h"

#include "runtime/fpenv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { THREADED_BYTES = 8 << 20 };
enum { TASK_ELEMENTS = 8192 };
/* Stretches of a line are long, but those of two operands are read three times. */
enum { CHUNK_OF_TWO = 2048 };
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
enum { STACK_PARTIALS = 512 };

static ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

static ptrdiff_t larger(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }

static ptrdiff_t ceil_divide(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }

static ptrdiff_t size_of(ptrdiff_t step) { return step < 0 ? -step : step; }

/* ---- merging ---------------------------------------------------------------------------------------------- */

/* NaN stays, and of two zeros 0.0 is the greater one: no order of the elements decides. */
static double greater_of(double a, double b) {
    return (a > b) | (a != a) | ((a == b) & (__builtin_signbit(b) != 0)) ? a : b;
}

static double less_of(double a, double b) {
    return (a < b) | (a != a) | ((a == b) & (__builtin_signbit(a) != 0)) ? a : b;
}

vekt_number vekt_merge(int element, int term, vekt_number a, vekt_number b) {
    const int greater = term == VEKT_GREATEST || term == VEKT_MAX_ABSOLUTE;
    if (vekt_is_integer(element)) {
        if (greater) return a.integer > b.integer ? a : b;
        return (vekt_number){.integer = (int64_t)((uint64_t)a.integer + (uint64_t)b.integer)};
    }
    if (greater) return (vekt_number){.real = greater_of(a.real, b.real)};
    if (term == VEKT_LEAST || term == VEKT_MIN_ABSOLUTE) return (vekt_number){.real = less_of(a.real, b.real)};
    return (vekt_number){.real = a.real + b.real};
}

vekt_number vekt_neutral(int element, int term) {
    if (vekt_is_integer(element)) return (vekt_number){.integer = term == VEKT_GREATEST ? INT64_MIN : 0};
    if (term == VEKT_GREATEST) return (vekt_number){.real = -(double)INFINITY};
    if (term == VEKT_LEAST || term == VEKT_MIN_ABSOLUTE) return (vekt_number){.real = (double)INFINITY};
    return (vekt_number){.real = 0};
}

void vekt_fold(int element, int term, vekt_number *v, ptrdiff_t count, ptrdiff_t step, ptrdiff_t size) {
    const int sums = vekt_neutral(element, term).integer == 0 && term != VEKT_MAX_ABSOLUTE;
    while (count > 1) {
        const ptrdiff_t half = count / 2;
        for (ptrdiff_t i = 0; i < half; i++) {
            vekt_number *a = v + i * step;
            const vekt_number *b = v + (i + count - half) * step;
            if (vekt_is_integer(element))
                for (ptrdiff_t j = 0; j < size; j++) a[j] = vekt_merge(element, term, a[j], b[j]);
            else if (sums)
                for (ptrdiff_t j = 0; j < size; j++) a[j].real += b[j].real;
            else if (term == VEKT_GREATEST || term == VEKT_MAX_ABSOLUTE)
                for (ptrdiff_t j = 0; j < size; j++) a[j].real = greater_of(a[j].real, b[j].real);
            else
                for (ptrdiff_t j = 0; j < size; j++) a[j].real = less_of(a[j].real, b[j].real);
        }
        count -= half;
    }
}

/* The same for extremes and their positions, which lie `gap` numbers behind them: of equals the first one counts.
 * Written without branches, as none of these could be foreseen. */
static void fold_positions(const vekt_lines *p, vekt_number *v, ptrdiff_t gap, ptrdiff_t count, ptrdiff_t step,
                           ptrdiff_t size) {
    const int whole = vekt_is_integer(p->element);
    const double sign = p->streams[0].term == VEKT_GREATEST ? 1 : -1;
    for (vekt_number *w = v + step; count > 1; count--, w += step) {
        for (ptrdiff_t j = 0; j < size; j++) {
            const vekt_number a = v[j], b = w[j];
            const int first = w[gap + j].integer < v[gap + j].integer;
            int takes = (b.integer > a.integer) | ((b.integer == a.integer) & first);
            if (!whole) {
                const int a_is_nan = a.real != a.real, b_is_nan = b.real != b.real;
                takes = (sign * b.real > sign * a.real) | (b_is_nan & !a_is_nan) |
                        (((b.real == a.real) | (a_is_nan & b_is_nan)) & first);
            }
            v[j] = takes ? b : a;
            v[gap + j] = takes ? w[gap + j] : v[gap + j];
        }
    }
}

void vekt_fold_repeats(const vekt_lines *p, vekt_number *v, ptrdiff_t width) {
    const ptrdiff_t lines = p->run / p->repeats;
    if (p->positions) {
        for (ptrdiff_t i = 0; i < p->run; i++) v[width + i].integer = v[width + i].integer * p->repeats + i / lines;
        fold_positions(p, v, width, p->repeats, lines, lines);
        return;
    }
    for (int s = 0; s < p->n_streams; s++)
        vekt_fold(p->element, p->streams[s].term, v + s * width, p->repeats, lines, lines);
}

static void merge_partials(const vekt_lines *p) {
    const ptrdiff_t width = p->columns ? p->width : p->lines, step = p->n_numbers * width;
    vekt_number *v = p->partials;
    if (p->positions)
        fold_positions(p, v, width, p->chunks, step, width);
    else
        for (int s = 0; s < p->n_streams; s++)
            vekt_fold(p->element, p->streams[s].term, v + s * width, p->chunks, step, width);
    const ptrdiff_t run = p->n_outer ? p->outer[p->n_outer - 1].size : 1;
    for (ptrdiff_t line = 0; line < p->lines; line += run, v += run * p->repeats) {
        if (p->repeats > 1) vekt_fold_repeats(p, v, width);
        p->finish(p, line, line + run, v, width);
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

/* Returns the number of tasks. */
static ptrdiff_t choose_blocks(vekt_lines *p, int dense) {
    const ptrdiff_t piece = p->n_inner > 0 ? p->inner[p->n_inner - 1].size : 1;
    p->staged = !dense || p->n_inner != 1;
    p->pieced = p->staged && dense && piece >= PIECE && !p->positions;
    p->chunk = p->n_streams > 1 ? CHUNK_OF_TWO : p->item < 4 ? VEKT_LINE_CHUNK / p->item : VEKT_LINE_CHUNK / 4;
    if (p->pieced && piece < p->chunk) {
        /* Where others' pieces lie between those of a line, memory is read as it lies. */
        p->chunks_last = p->n_outer > 0 && size_of(p->outer[0].step[0]) < size_of(p->inner[0].step[0]);
        p->chunk = p->chunks_last ? piece : p->chunk - p->chunk % piece;
    }
    p->chunks = p->n > p->chunk ? ceil_divide(p->n, p->chunk) : 1;
    const ptrdiff_t elements = smaller(p->n, p->chunk);
    p->group = p->chunks > 1 && !p->chunks_last ? 1
               : elements >= TASK_ELEMENTS      ? 1
                                                : TASK_ELEMENTS / (elements + 1) + 1;
    return ceil_divide(p->lines, p->group) * p->chunks;
}

/* Lines side by side, without gaps from row to row, but too few: several elements of each make up one row. */
static ptrdiff_t choose_repeats(const vekt_lines *p) {
    const ptrdiff_t columns = p->outer[p->n_outer - 1].size;
    const int n_inner = p->n_inner;
    if (p->transposed || p->gathered || n_inner == 0 || columns >= NARROW || (p->positions && n_inner > 1)) return 1;
    for (int k = 0; k < p->n_operands; k++) {
        if (p->inner[n_inner - 1].step[k] != columns * p->memory) return 1;
    }
    const ptrdiff_t n = p->inner[n_inner - 1].size;
    const ptrdiff_t wide = (p->format == VEKT_NATIVE ? WIDE : VEKT_BUFFERED_COLUMNS) / columns;
    const ptrdiff_t most = smaller(wide, ceil_divide(n, ENOUGH_ROWS));
    if (!p->positions) return larger(1, most);
    return larger(1, larger(smaller(most, POSITIONS / columns), smaller(wide, n / MANY_ROWS)));
}

/* The same. */
static ptrdiff_t choose_columns(vekt_lines *p) {
    static const vekt_dim one = {1, {0}};
    const vekt_dim *d = p->n_inner ? &p->inner[p->n_inner - 1] : &one;
    p->repeats = choose_repeats(p);
    p->width = p->lines * p->repeats;
    p->run = p->outer[p->n_outer - 1].size * p->repeats;
    p->stretch = ceil_divide(d->size, p->repeats);
    p->rows = p->n / d->size * p->stretch;
    p->last = p->run / p->repeats * d->size - (p->stretch - 1) * p->run;
    for (int k = 0; k < p->n_operands; k++) p->row_step[k] = d->step[k] * p->repeats;
    p->chunk = COLUMN_ROWS;
    p->chunks = p->rows > p->chunk ? ceil_divide(p->rows, p->chunk) : 1;
    const int buffered = vekt_is_buffered(p);
    const int more = p->run < SHORT_ROW || p->positions;
    p->at_a_time = buffered ? VEKT_BUFFERED_ROWS : more ? MORE_ROWS : FEW_ROWS;
    if (vekt_is_integer(p->element) && !p->positions && !buffered) p->at_a_time = COLUMN_ROWS;
    p->segment = buffered ? VEKT_BUFFERED_COLUMNS : smaller(SEGMENT_BYTES / p->item, VEKT_SEGMENT / p->n_numbers);
    p->segments = ceil_divide(p->run, p->segment);
    return p->width / p->run * p->segments * p->chunks;
}

/* Memory is read forwards.  Positions count from the first element of a line. */
static void turn_forwards(vekt_lines *p, vekt_dim *dims, int n_outer, int n_inner) {
    for (int i = 0; i < n_outer + (p->positions ? 0 : n_inner); i++) {
        vekt_dim *d = &dims[i];
        if (d->step[0] >= 0 || (p->n_operands > 1 && d->step[1] > 0)) continue;
        for (int k = 0; k < p->n_operands; k++) p->data[k] += (d->size - 1) * d->step[k];
        p->out += (d->size - 1) * d->step[VEKT_NORM_OUT];
        for (int k = 0; k < VEKT_DIM_OPERANDS; k++) d->step[k] = -d->step[k];
    }
}

int vekt_reduce_lines(vekt_lines *p, vekt_dim *dims, int n_outer, int n_inner) {
    static const ptrdiff_t items[VEKT_N_ELEMENTS] = {4, 8, 1, 2, 4, 8};
    p->item = items[p->element];
    p->memory = p->format == VEKT_HALF || p->format == VEKT_BFLOAT16 ? 2 : p->item;
    p->n_numbers = p->positions ? 2 : p->n_streams;
    turn_forwards(p, dims, n_outer, n_inner);
    vekt_sort_dims(dims, n_outer, VEKT_NORM_X);
    if (!p->positions) vekt_sort_dims(dims + n_outer, n_inner, VEKT_NORM_X);
    p->n_inner = vekt_join_dims(dims + n_outer, n_inner);
    p->n_outer = vekt_join_dims(dims, n_outer);
    memmove(dims + p->n_outer, dims + n_outer, (size_t)p->n_inner * sizeof *dims);
    p->outer = dims, p->inner = dims + p->n_outer;
    p->lines = vekt_count(p->outer, p->n_outer), p->n = vekt_count(p->inner, p->n_inner);
    if (p->lines == 0) return 0;
    const ptrdiff_t elements = p->lines * p->n;
    const int along = is_unit(p, p->inner, p->n_inner), across = is_unit(p, p->outer, p->n_outer);
    const int many_short =
        p->n_inner <= 1 && p->n <= SHORT && p->n_outer > 0 && p->outer[p->n_outer - 1].size >= MANY;
    p->transposed = along && many_short;
    p->gathered = !along && !across && many_short;
    p->columns = p->n > 0 && (p->transposed || p->gathered || (across && !along));
    p->repeats = 1;
    const ptrdiff_t tasks = p->columns ? choose_columns(p) : choose_blocks(p, along && p->format == VEKT_NATIVE);
    vekt_number few[STACK_PARTIALS];
    if (p->chunks > 1) {
        const ptrdiff_t n = p->chunks * p->n_numbers * (p->columns ? p->width : p->lines);
        p->partials = n > STACK_PARTIALS ? malloc((size_t)n * sizeof *few) : few;
        if (!p->partials) return -1;
    }
    const vekt_fpenv saved = vekt_fpenv_enter();
    const vekt_task task = p->columns ? vekt_run_columns : vekt_run_lines;
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
