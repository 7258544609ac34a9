/* Lines one by one, and what goes from memory to the kernels. */
#include "engine/convert.h"
#include "lines.h"
#include "linalg/matmul.h"
#include "engine/stage.h"

#include <string.h>

/* Pieces of a line are at least 256 elements long. */
enum { MAX_PIECES = VEKT_LINE_CHUNK / 256 + 2 };
/* Lines whose results are finished together. */
enum { TOGETHER = 64 };
/* Elements that are looked at first where they may decide; then twice as many, and so on. */
enum { FIRST_PART = 64 };

/* ---- from memory to the kernels --------------------------------------------------------------------------- */

#define COPY(type)                                              \
    _Pragma("GCC unroll 8") for (ptrdiff_t i = 0; i < n; i++) { \
        memcpy((type *)dst + i, src, sizeof(type));             \
        src += step;                                            \
    }

static void copy_elements(ptrdiff_t item, void *dst, const char *src, ptrdiff_t step, ptrdiff_t n) {
    if (step == item) {
        memcpy(dst, src, (size_t)(n * item));
    } else if (item == 1) {
        COPY(int8_t)
    } else if (item == 2) {
        COPY(int16_t)
    } else if (item == 4) {
        COPY(int32_t)
    } else {
        COPY(int64_t)
    }
}

/* Of any type. */
static void gather_converted(const vekt_lines *p, char *dst, const char *src, ptrdiff_t step, ptrdiff_t n) {
    enum { SOME = 256 };
    static const uint8_t types[VEKT_N_ELEMENTS] = {
        [VEKT_F32] = VEKT_TYPE_F32, [VEKT_F64] = VEKT_TYPE_F64, [VEKT_I64] = VEKT_TYPE_I64};
    const int to = types[p->asked->element], from = p->asked->from;
    if (step == p->plan.memory) {
        vekt_convert(p->asked->target, to, dst, from, src, n);
        return;
    }
    char raw[SOME * sizeof(double)];
    for (ptrdiff_t m; n > 0; n -= m, src += m * step, dst += m * p->plan.item) {
        m = vekt_smaller(n, SOME);
        copy_elements(p->plan.memory, raw, src, step, m);
        vekt_convert(p->asked->target, to, dst, from, raw, m);
    }
}

void vekt_gather_elements(const vekt_lines *p, void *dst, const char *src, ptrdiff_t step, ptrdiff_t n) {
    static const uint8_t types[] = {[VEKT_HALF] = VEKT_TYPE_HALF,
                                    [VEKT_BFLOAT16] = VEKT_TYPE_BFLOAT16,
                                    [VEKT_WIDE_SIGNED] = VEKT_TYPE_I64,
                                    [VEKT_WIDE_UNSIGNED] = VEKT_TYPE_U64};
    if (p->asked->format == VEKT_NATIVE) {
        copy_elements(p->plan.item, dst, src, step, n);
    } else if (p->asked->format == VEKT_CONVERTED) {
        gather_converted(p, dst, src, step, n);
    } else if (step == p->plan.memory) {
        vekt_convert(p->asked->target, p->asked->element == VEKT_F32 ? VEKT_TYPE_F32 : VEKT_TYPE_F64, dst,
                     types[p->asked->format], src, n);
    } else if (p->plan.memory == 2) {
        vekt_gather(p->asked->element, p->asked->format, dst, src, step, n);
    } else {
        double *to = dst;
        for (ptrdiff_t i = 0; i < n; i++) {
            uint64_t a;
            memcpy(&a, src + i * step, sizeof a);
            to[i] = p->asked->format == VEKT_WIDE_SIGNED ? (double)(int64_t)a : (double)a;
        }
    }
}

const char *vekt_dense_part(const vekt_lines *p, int k, const char *line, ptrdiff_t i, ptrdiff_t m, void *buffer) {
    const vekt_dim *d = &p->plan.inner[p->plan.n_inner - 1];
    if (m == 0) return buffer;
    if (p->plan.n_inner == 0) {
        vekt_gather_elements(p, buffer, line, p->plan.memory, m);
        return buffer;
    }
    if (p->asked->format == VEKT_NATIVE && d->step[k] == p->plan.item && i % d->size + m <= d->size)
        return line + vekt_offset(p->plan.inner, p->plan.n_inner, k, i);
    for (ptrdiff_t done = 0, length; done < m; done += length) {
        length = vekt_smaller(m - done, d->size - (i + done) % d->size);
        vekt_gather_elements(p, (char *)buffer + done * p->plan.item,
                             line + vekt_offset(p->plan.inner, p->plan.n_inner, k, i + done), d->step[k], length);
    }
    return buffer;
}

/* ---- line by line ----------------------------------------------------------------------------------------- */

static vekt_number run_block(const vekt_lines *p, const vekt_stream *s, const char *const x[2], ptrdiff_t n) {
    const void *second = vekt_is_integer(p->asked->element) ? (const void *)&p->asked->key : x[s->second];
    return p->asked->target->terms[s->term][p->asked->element].block(x[s->first], second, n);
}

/* A chunk whose pieces are dense, to one number for each stream. */
static void run_pieces(const vekt_lines *p, const char *const line[2], ptrdiff_t i, ptrdiff_t m, vekt_number *sums,
                       ptrdiff_t width) {
    const vekt_line_request *asked = p->asked;
    vekt_number part[VEKT_LINE_STREAMS][MAX_PIECES];
    const ptrdiff_t size = p->plan.inner[p->plan.n_inner - 1].size;
    ptrdiff_t count = 0;
    for (ptrdiff_t stop = i + m, length; i < stop; i += length, count++) {
        const char *x[2];
        length = vekt_smaller(stop - i, size - i % size);
        for (int k = 0; k < asked->n_operands; k++)
            x[k] = line[k] + vekt_offset(p->plan.inner, p->plan.n_inner, k, i);
        for (int s = 0; s < asked->n_streams; s++) part[s][count] = run_block(p, &asked->streams[s], x, length);
    }
    for (int s = 0; s < asked->n_streams; s++) {
        vekt_fold(asked->element, asked->streams[s].term, part[s], count, 1, 1);
        sums[s * width] = part[s][0];
    }
}

static int is_better(const vekt_lines *p, vekt_number a, vekt_number b) {
    if (vekt_is_integer(p->asked->element)) return b.integer > a.integer;
    if (a.real != a.real) return 0;
    return b.real != b.real || (p->asked->streams[0].term == VEKT_GREATEST ? b.real > a.real : b.real < a.real);
}

/* Elements [i, i + m) of a line, part by part: the first ones may decide.  Of an extreme whose position is wanted,
 * the part where it stands first is found, too. */
static void run_parts(const vekt_lines *p, const char *line, ptrdiff_t i, ptrdiff_t m, char *buffer,
                      vekt_number *result, ptrdiff_t width) {
    const vekt_line_request *asked = p->asked;
    const ptrdiff_t most = VEKT_LINE_PART_BYTES / p->plan.item, stop = i + m;
    const ptrdiff_t piece = p->plan.blocks.pieced ? p->plan.inner[p->plan.n_inner - 1].size : stop;
    ptrdiff_t part = asked->decides ? FIRST_PART : most;
    for (ptrdiff_t j = i, length; j < stop; j += length, part = vekt_smaller(2 * part, most)) {
        length = vekt_smaller(vekt_smaller(part, stop - j), piece - j % piece);
        const char *x =
            p->plan.blocks.staged ? vekt_dense_part(p, 0, line, j, length, buffer) : line + j * p->plan.item;
        const vekt_number b = run_block(p, &asked->streams[0], (const char *const[2]){x, x}, length);
        if (!asked->positions) {
            result[0] = j == i ? b : vekt_merge(asked->element, asked->streams[0].term, result[0], b);
        } else if (j == i || is_better(p, result[0], b)) {
            result[0] = b;
            result[width].integer = j;
        }
        if (asked->decides && asked->decides(p, b, length)) return;
    }
}

/* Elements [i, i + m) of a line. */
static void run_line(const vekt_lines *p, const char *const line[2], ptrdiff_t i, ptrdiff_t m, char *buffer,
                     vekt_number *sums, ptrdiff_t width) {
    const vekt_line_request *asked = p->asked;
    const vekt_line_blocks *b = &p->plan.blocks;
    if (asked->moments) {
        double moments[VEKT_N_MOMENTS];
        const char *x = vekt_dense_part(p, 0, line[0], i, m, buffer);
        asked->target->moments[asked->moments - 1][asked->element].block(x, m, moments);
        for (int k = 0; k < VEKT_N_MOMENTS; k++) sums[k * width].real = moments[k];
        return;
    }
    if (m == 0) {
        for (int s = 0; s < asked->n_streams; s++)
            sums[s * width] = vekt_neutral(asked->element, asked->streams[s].term);
        return;
    }
    if (asked->positions || asked->decides) {
        run_parts(p, line[0], i, m, buffer, sums, width);
        return;
    }
    if (b->pieced) {
        run_pieces(p, line, i, m, sums, width);
        return;
    }
    const char *x[2] = {line[0] + i * p->plan.item, line[1]};
    if (b->staged || asked->n_operands > 1)
        for (int k = 0; k < asked->n_operands; k++)
            x[k] = vekt_dense_part(p, k, line[k], i, m, buffer + k * p->plan.chunk * p->plan.item);
    for (int s = 0; s < asked->n_streams; s++) sums[s * width] = run_block(p, &asked->streams[s], x, m);
}

static int is_decided(const vekt_lines *p) {
    return p->asked->decides && atomic_load_explicit(&p->decided, memory_order_relaxed);
}

void vekt_run_lines(void *context, ptrdiff_t begin, ptrdiff_t end) {
    vekt_lines *p = context;
    const vekt_line_request *asked = p->asked;
    const vekt_line_plan *plan = &p->plan;
    const vekt_line_blocks *b = &p->plan.blocks;
    const int buffered = b->staged && !b->pieced;
    char *const buffer =
        buffered ? vekt_workspace(VEKT_WORKSPACE_STAGE, (size_t)(asked->n_operands * plan->chunk * plan->item))
                 : NULL;
    const vekt_dim *last = plan->n_outer ? &plan->outer[plan->n_outer - 1] : NULL;
    const ptrdiff_t run = last ? last->size : 1, groups = vekt_ceil_divide(plan->lines, b->group);
    /* Positions are sought while the lines are in the cache. */
    const ptrdiff_t fit = plan->n ? VEKT_LINE_PART_BYTES / (plan->n * plan->item) + 1 : 1,
                    together = asked->positions ? vekt_smaller(fit, TOGETHER) : TOGETHER;
    vekt_number local[VEKT_LINE_NUMBERS * TOGETHER];
    if (buffered && !buffer) {
        atomic_store(&p->failed, 1);
        return;
    }
    for (ptrdiff_t t = begin; t < end; t++) {
        const ptrdiff_t chunk = b->chunks_last ? t / groups : t % plan->chunks;
        const ptrdiff_t i = chunk * plan->chunk, m = vekt_smaller(plan->n - i, plan->chunk);
        ptrdiff_t line = (b->chunks_last ? t % groups : t / plan->chunks) * b->group;
        const ptrdiff_t lines_end = vekt_smaller(line + b->group, plan->lines);
        for (ptrdiff_t stop; line < lines_end; line = stop) {
            stop = vekt_smaller(vekt_smaller(lines_end, line + together), line - line % run + run);
            const char *x[2] = {NULL, NULL};
            const ptrdiff_t width = p->partials ? plan->lines : TOGETHER;
            vekt_number *sums = p->partials ? p->partials + chunk * plan->n_numbers * width + line : local;
            for (int k = 0; k < asked->n_operands; k++)
                x[k] = plan->data[k] + vekt_offset(plan->outer, plan->n_outer, k, line);
            for (ptrdiff_t l = line; l < stop; l++, sums++) {
                if (is_decided(p))
                    for (int s = 0; s < asked->n_streams; s++)
                        sums[s * width] = vekt_neutral(asked->element, asked->streams[s].term);
                else
                    run_line(p, x, i, m, buffer, sums, width);
                for (int k = 0; k < asked->n_operands && last; k++) x[k] += last->step[k];
                if (asked->decides && plan->lines == 1 && !asked->positions && asked->decides(p, *sums, m))
                    atomic_store_explicit(&p->decided, 1, memory_order_relaxed);
            }
            if (!p->partials) asked->finish(p, line, stop, local, TOGETHER);
        }
    }
}
