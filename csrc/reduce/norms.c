/* Norms and cosines along any axes of any layout: which terms they are made of, and what becomes of the sums. */
#include "lines.h"
#include "engine/stage.h"

#include <math.h>
#include <string.h>

enum { SCALED_BLOCK = 1024 };
enum { X = VEKT_NORM_X, Y = VEKT_NORM_Y, OUT = VEKT_NORM_OUT };

static const vekt_stream cosine_streams[VEKT_LINE_STREAMS] = {
    {VEKT_SUM_SQUARES, X, X}, {VEKT_SUM_SQUARES, Y, Y}, {VEKT_SUM_PRODUCTS, X, Y}};

static int kind_of(const vekt_lines *p) { return *(const int *)p->asked->context; }

/* The same number of one line of doubles, once its greatest absolute value is brought to 1/2 or more, but below 1. */
static void scaled_sums(const vekt_lines *p, ptrdiff_t line, double sums[VEKT_LINE_STREAMS], int exponents[2]) {
    double buffer[2][SCALED_BLOCK], scale[2];
    for (int k = 0; k < p->asked->n_operands; k++) {
        const char *address = p->plan.data[k] + vekt_offset(p->plan.outer, p->plan.n_outer, k, line);
        double greatest = 0;
        for (ptrdiff_t i = 0; i < p->plan.n; i += SCALED_BLOCK) {
            const ptrdiff_t m = vekt_smaller(p->plan.n - i, SCALED_BLOCK);
            const char *x = vekt_dense_part(p, k, address, i, m, buffer[k]);
            const double part = p->asked->target->terms[VEKT_MAX_ABSOLUTE][VEKT_F64].block(x, x, m).real;
            greatest = greatest > part || greatest != greatest ? greatest : part;
        }
        exponents[k] = 0;
        if (isfinite(greatest)) frexp(greatest, &exponents[k]);
        /* The ends of the range suffice: their squares are far from its limits. */
        if (exponents[k] < -1000) exponents[k] = -1000;
        if (exponents[k] > 1000) exponents[k] = 1000;
        scale[k] = ldexp(1, -exponents[k]);
    }
    memset(sums, 0, VEKT_LINE_STREAMS * sizeof *sums);
    for (ptrdiff_t i = 0; i < p->plan.n; i += SCALED_BLOCK) {
        const ptrdiff_t m = vekt_smaller(p->plan.n - i, SCALED_BLOCK);
        for (int k = 0; k < p->asked->n_operands; k++) {
            const char *address = p->plan.data[k] + vekt_offset(p->plan.outer, p->plan.n_outer, k, line);
            const char *x = vekt_dense_part(p, k, address, i, m, buffer[k]);
            if (x != (const char *)buffer[k]) memcpy(buffer[k], x, (size_t)m * sizeof(double));
            for (ptrdiff_t j = 0; j < m; j++) buffer[k][j] *= scale[k];
        }
        for (int s = 0; s < p->asked->n_streams; s++) {
            const vekt_stream *t = &p->asked->streams[s];
            sums[s] += p->asked->target->terms[t->term][VEKT_F64].block(buffer[t->first], buffer[t->second], m).real;
        }
    }
}

/* Did squares of doubles overflow, or lose bits at the lower end of the range?  Not that floats could. */
static int left_range(const vekt_lines *p, double squares, double limit) {
    return p->asked->element == VEKT_F64 && !(squares >= 1 / limit && squares <= limit) && squares == squares;
}

static double two_norm(const vekt_lines *p, ptrdiff_t line, double squares) {
    if (!left_range(p, squares, VEKT_SAFE_SQUARES)) return sqrt(squares);
    double sums[VEKT_LINE_STREAMS];
    int exponents[2];
    scaled_sums(p, line, sums, exponents);
    return ldexp(sqrt(sums[0]), exponents[0]);
}

static double cosine(const vekt_lines *p, ptrdiff_t line, double sums[VEKT_LINE_STREAMS]) {
    int exponents[2];
    if (left_range(p, sums[0], 0x1p480) || left_range(p, sums[1], 0x1p480)) scaled_sums(p, line, sums, exponents);
    /* The root of a product of equals is exact: a vector's cosine with itself is 1. */
    const double value = sums[2] / sqrt(sums[0] * sums[1]);
    if (sums[2] == 0 && (sums[0] == 0 || sums[1] == 0)) return 0;
    return value > 1 ? 1 : value < -1 ? -1 : value;
}

static void store(const vekt_lines *p, ptrdiff_t line, double value) {
    char *out = p->plan.out + vekt_offset(p->plan.outer, p->plan.n_outer, OUT, line);
    if (p->asked->element == VEKT_F64) {
        memcpy(out, &value, sizeof value);
    } else {
        const float rounded = (float)value;
        vekt_scatter(VEKT_F32, p->asked->format, out, p->plan.memory, &rounded, 1);
    }
}

/* The same where the parts of complex numbers are lines of their own, a real one and an imaginary one in turns. */
static void finish_parts(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *sums,
                         ptrdiff_t width) {
    (void)width;
    for (ptrdiff_t line = begin; line < end; line += 2, sums += 2) {
        const double squares = sums[0].real + sums[1].real;
        if (left_range(p, squares, VEKT_SAFE_SQUARES))
            store(p, line, hypot(two_norm(p, line, sums[0].real), two_norm(p, line + 1, sums[1].real)));
        else
            store(p, line, sqrt(squares));
    }
}

/* Results that lie side by side in the kernels' dtype, all at once; 0 where that does not do. */
static int finish_together(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *sums) {
    if (p->plan.n_outer != 1 || p->plan.outer[0].step[OUT] != p->plan.item || p->asked->format != VEKT_NATIVE ||
        kind_of(p) == VEKT_COSINE)
        return 0;
    void *out = p->plan.out + begin * p->plan.item;
    const ptrdiff_t n = end - begin;
    if (kind_of(p) == VEKT_SUM_SQUARES) return p->asked->target->square_roots[p->asked->element](out, &sums->real, n);
    if (p->asked->element == VEKT_F64)
        memcpy(out, sums, (size_t)n * sizeof *sums);
    else
        for (ptrdiff_t i = 0; i < n; i++) ((float *)out)[i] = (float)sums[i].real;
    return 1;
}

/* The results of lines [begin, end); sums holds `width` numbers for each stream. */
static void finish(const vekt_lines *p, ptrdiff_t begin, ptrdiff_t end, const vekt_number *sums, ptrdiff_t width) {
    if (finish_together(p, begin, end, sums)) return;
    for (ptrdiff_t line = begin; line < end; line++) {
        double s[VEKT_LINE_STREAMS], value;
        for (int k = 0; k < p->asked->n_streams; k++) s[k] = sums[k * width + line - begin].real;
        value = s[0];
        if (kind_of(p) == VEKT_COSINE)
            value = cosine(p, line, s);
        else if (kind_of(p) == VEKT_SUM_SQUARES)
            value = two_norm(p, line, s[0]);
        store(p, line, value);
    }
}

/* The squares of a complex number are those of two real ones, which are elements of its line: of two lines where
 * numbers next to each other are of different ones.  Returns whether they are. */
static int place_parts(vekt_norms_call *c) {
    const ptrdiff_t part = c->dtype == VEKT_F32 ? 4 : 8;
    int next_to = 0, others = vekt_count(c->dims + c->n_outer, c->n_inner) == 0;
    for (int i = 0; i < c->n_outer; i++) {
        next_to |= c->dims[i].size > 1 && c->dims[i].step[X] == 2 * part;
        others |= c->dims[i].size > 1 && c->dims[i].step[X] == 0;
    }
    for (int i = c->n_outer; i < c->n_outer + c->n_inner; i++) others |= c->dims[i].step[X] == part;
    const int lines = next_to && !others, at = lines ? c->n_outer : c->n_outer + c->n_inner;
    memmove(c->dims + at + 1, c->dims + at, (size_t)(c->n_outer + c->n_inner - at) * sizeof *c->dims);
    c->dims[at] = (vekt_dim){2, {part, 0, lines ? part / 2 : 0}}; /* two lines for one result */
    c->n_outer += lines;
    c->n_inner += !lines;
    return lines;
}

int vekt_norms(const vekt_target *target, const vekt_norms_call *call) {
    const int two = call->kind == VEKT_COSINE;
    vekt_norms_call c = *call;
    const int parts = c.is_complex && place_parts(&c);
    vekt_line_request asked = {
        .target = target,
        .element = call->dtype,
        .format = call->format,
        .n_operands = two ? 2 : 1,
        .n_streams = two ? VEKT_LINE_STREAMS : 1,
        .streams = {{call->kind, X, X}},
        .data = {call->x, call->y},
        .out = call->out,
        .finish = parts ? finish_parts : finish,
        .context = &call->kind,
    };
    if (two) memcpy(asked.streams, cosine_streams, sizeof asked.streams);
    return vekt_reduce_lines(&asked, c.dims, c.n_outer, c.n_inner);
}
