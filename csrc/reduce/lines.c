/* Reductions of lines: how the numbers of tasks are merged, and the call. */
#include "lines.h"

#include "runtime/fpenv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { THREADED_BYTES = 8 << 20 };
enum { STACK_PARTIALS = 512 };

/* ---- merging ---------------------------------------------------------------------------------------------- */

/* NaN stays, and of two zeros 0.0 is the greater one: no order of the elements decides. */
static double greater_of(double a, double b) {
    return (a > b) | (a != a) | ((a == b) & (__builtin_signbit(b) != 0)) ? a : b;
}

static double less_of(double a, double b) {
    return (a < b) | (a != a) | ((a == b) & (__builtin_signbit(a) != 0)) ? a : b;
}

typedef double two_reals __attribute__((vector_size(16)));
typedef int64_t two_bits __attribute__((vector_size(16)));

/* The same for many, two at a time: of numbers that could not be foreseen, branches would take half of the time. */
static inline void keep_extremes(vekt_number *a, const vekt_number *b, ptrdiff_t n, int greatest) {
    ptrdiff_t j = 0;
    for (; j + 2 <= n; j += 2) {
        two_reals x, y;
        memcpy(&x, a + j, sizeof x);
        memcpy(&y, b + j, sizeof y);
        const two_bits keep = (greatest ? x > y : x < y) | (x != x), equal = x == y;
        two_bits best = ((two_bits)x & keep) | ((two_bits)y & ~keep);
        /* Equals differ in the sign of zero alone. */
        best = greatest ? best & (~equal | (two_bits)x) : best | (equal & (two_bits)x);
        memcpy(a + j, &best, sizeof best);
    }
    for (; j < n; j++) a[j].real = greatest ? greater_of(a[j].real, b[j].real) : less_of(a[j].real, b[j].real);
}

static double number_of(double a, double b, int greatest) {
    return a != a ? b : b != b ? a : greatest ? greater_of(a, b) : less_of(a, b);
}

static double product_of(double a, double b) {
    const double size = fabs(a * b);
    return size <= VEKT_SAFE_PRODUCTS && size >= 1 / VEKT_SAFE_PRODUCTS ? a * b : (double)NAN;
}

vekt_number vekt_merge(int element, int term, vekt_number a, vekt_number b) {
    const int greater = term == VEKT_GREATEST || term == VEKT_MAX_ABSOLUTE;
    if (vekt_is_integer(element)) {
        if (greater) return a.integer > b.integer ? a : b;
        if (term == VEKT_PRODUCT)
            return (vekt_number){.integer = (int64_t)((uint64_t)a.integer * (uint64_t)b.integer)};
        return (vekt_number){.integer = (int64_t)((uint64_t)a.integer + (uint64_t)b.integer)};
    }
    if (term == VEKT_PRODUCT) return (vekt_number){.real = product_of(a.real, b.real)};
    if (term == VEKT_GREATEST_NUMBER || term == VEKT_LEAST_NUMBER)
        return (vekt_number){.real = number_of(a.real, b.real, term == VEKT_GREATEST_NUMBER)};
    if (greater) return (vekt_number){.real = greater_of(a.real, b.real)};
    if (term == VEKT_LEAST || term == VEKT_MIN_ABSOLUTE) return (vekt_number){.real = less_of(a.real, b.real)};
    return (vekt_number){.real = a.real + b.real};
}

vekt_number vekt_neutral(int element, int term) {
    if (vekt_is_integer(element))
        return (vekt_number){.integer = term == VEKT_GREATEST ? INT64_MIN : term == VEKT_PRODUCT};
    if (term == VEKT_PRODUCT) return (vekt_number){.real = 1};
    if (term == VEKT_GREATEST_NUMBER || term == VEKT_LEAST_NUMBER) return (vekt_number){.real = (double)NAN};
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
            if (vekt_is_integer(element) || term >= VEKT_PRODUCT)
                for (ptrdiff_t j = 0; j < size; j++) a[j] = vekt_merge(element, term, a[j], b[j]);
            else if (sums)
                for (ptrdiff_t j = 0; j < size; j++) a[j].real += b[j].real;
            else if (term == VEKT_GREATEST || term == VEKT_MAX_ABSOLUTE)
                keep_extremes(a, b, size, 1);
            else
                keep_extremes(a, b, size, 0);
        }
        count -= half;
    }
}

/* The same for moments, of which the numbers of a kind lie `gap` behind those of the one before. */
static void fold_moments(vekt_number *v, ptrdiff_t gap, ptrdiff_t count, ptrdiff_t step, ptrdiff_t size) {
    while (count > 1) {
        const ptrdiff_t half = count / 2;
        for (ptrdiff_t i = 0; i < half; i++) {
            double *a = &v[i * step].real;
            const double *b = &v[(i + count - half) * step].real;
            for (ptrdiff_t j = 0; j < size; j++)
                vekt_merge_moments(&a[j], &a[gap + j], &a[2 * gap + j], &a[3 * gap + j], b[j], b[gap + j],
                                   b[2 * gap + j], b[3 * gap + j]);
        }
        count -= half;
    }
}

/* The same for extremes and their positions, which lie `gap` numbers behind them: of equals the first one counts.
 * Written without branches, as none of these could be foreseen. */
static void fold_positions(const vekt_lines *p, vekt_number *v, ptrdiff_t gap, ptrdiff_t count, ptrdiff_t step,
                           ptrdiff_t size) {
    const int whole = vekt_is_integer(p->asked->element);
    const double sign = p->asked->streams[0].term == VEKT_GREATEST ? 1 : -1;
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
    const vekt_line_columns *c = &p->plan.columns;
    const ptrdiff_t lines = c->run / c->repeats;
    if (p->asked->positions) {
        for (ptrdiff_t i = 0; i < c->run; i++) v[width + i].integer = v[width + i].integer * c->repeats + i / lines;
        fold_positions(p, v, width, c->repeats, lines, lines);
        return;
    }
    if (p->asked->moments) fold_moments(v, width, c->repeats, lines, lines);
    for (int s = 0; s < p->asked->n_streams; s++)
        vekt_fold(p->asked->element, p->asked->streams[s].term, v + s * width, c->repeats, lines, lines);
}

/* Numbers of each kind that a chunk has. */
static ptrdiff_t width_of(const vekt_line_plan *plan) { return plan->by_columns ? plan->columns.width : plan->lines; }

static void merge_partials(const vekt_lines *p) {
    const vekt_line_request *asked = p->asked;
    const vekt_line_plan *plan = &p->plan;
    const ptrdiff_t width = width_of(plan), step = plan->n_numbers * width;
    vekt_number *v = p->partials;
    if (asked->positions)
        fold_positions(p, v, width, plan->chunks, step, width);
    else if (asked->moments)
        fold_moments(v, width, plan->chunks, step, width);
    else
        for (int s = 0; s < asked->n_streams; s++)
            vekt_fold(asked->element, asked->streams[s].term, v + s * width, plan->chunks, step, width);
    const ptrdiff_t run = plan->n_outer ? plan->outer[plan->n_outer - 1].size : 1;
    for (ptrdiff_t line = 0; line < plan->lines; line += run, v += run * plan->columns.repeats) {
        if (plan->columns.repeats > 1) vekt_fold_repeats(p, v, width);
        asked->finish(p, line, line + run, v, width);
    }
}

/* ---- the call --------------------------------------------------------------------------------------------- */

int vekt_reduce_lines(const vekt_line_request *asked, vekt_dim *dims, int n_outer, int n_inner) {
    vekt_lines p; /* whose plan is not cleared first: that would take as long as a short line */
    const vekt_line_plan *plan = &p.plan;
    p.asked = asked;
    p.partials = NULL;
    atomic_init(&p.failed, 0);
    atomic_init(&p.decided, 0);
    vekt_plan_lines(&p.plan, asked, dims, n_outer, n_inner);
    if (plan->lines == 0) return 0;
    vekt_number few[STACK_PARTIALS];
    if (plan->chunks > 1) {
        const ptrdiff_t n = plan->chunks * plan->n_numbers * width_of(plan);
        p.partials = n > STACK_PARTIALS ? malloc((size_t)n * sizeof *few) : few;
        if (!p.partials) return -1;
    }
    const vekt_fpenv saved = vekt_fpenv_enter();
    const vekt_task task = plan->by_columns ? vekt_run_columns : vekt_run_lines;
    if (plan->lines * plan->n * plan->memory * asked->n_operands >= THREADED_BYTES)
        vekt_parallel_for(plan->tasks, plan->tasks > 64 ? plan->tasks / 64 : 1, task, &p);
    else
        task(&p, 0, plan->tasks);
    const int failed = atomic_load(&p.failed);
    if (p.partials && !failed) merge_partials(&p);
    vekt_fpenv_leave(saved);
    if (p.partials != few) free(p.partials);
    return failed ? -1 : 0;
}
