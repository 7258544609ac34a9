/* Elements at given places along an axis. */
#include "reduce/dims.h"

#include <string.h>

enum { THREADED_BYTES = 1 << 21, GRAIN_BYTES = 1 << 16 };
enum { AHEAD = 2, LEAST_AHEAD = 512, LINE = 64 };
enum { SRC };

typedef struct {
    vekt_take_call asked;
    const vekt_dim *inner;
    int n_inner;
    ptrdiff_t bytes; /* of an index */
} plan;

/* Elements of a constant size become one load and one store each. */
#define GATHER(size)                                                                                   \
    for (ptrdiff_t j = 0; j < n; j++) memcpy(out + j * (size), x + indices[j] * step, (size_t)(size)); \
    break

static void gather(char *out, const char *x, ptrdiff_t step, const int64_t *indices, ptrdiff_t n, ptrdiff_t bytes) {
    switch (bytes) {
    case 1:
        GATHER(1);
    case 2:
        GATHER(2);
    case 4:
        GATHER(4);
    case 8:
        GATHER(8);
    case 12:
        GATHER(12);
    case 16:
        GATHER(16);
    case 32:
        GATHER(32);
    case 64:
        GATHER(64);
    default:
        for (ptrdiff_t j = 0; j < n; j++) {
            /* The first lines of a row to come: the processor fetches what follows them. */
            if (bytes >= LEAST_AHEAD && j + AHEAD < n)
                for (int i = 0; i < 4; i++) __builtin_prefetch(x + indices[j + AHEAD] * step + i * LINE);
            memcpy(out + j * bytes, x + indices[j] * step, (size_t)bytes);
        }
    }
}

/* One index of rows whose elements are apart. */
static void copy_apart(const plan *p, char *out, const char *x) {
    const ptrdiff_t item = p->asked.item;
    const vekt_dim last = p->inner[p->n_inner - 1];
    const ptrdiff_t lines = vekt_count(p->inner, p->n_inner - 1);
    for (ptrdiff_t l = 0; l < lines; l++) {
        const char *src = x + vekt_offset(p->inner, p->n_inner - 1, SRC, l);
        if (item == 4)
            for (ptrdiff_t i = 0; i < last.size; i++, out += 4) memcpy(out, src + i * last.step[SRC], 4);
        else if (item == 8)
            for (ptrdiff_t i = 0; i < last.size; i++, out += 8) memcpy(out, src + i * last.step[SRC], 8);
        else
            for (ptrdiff_t i = 0; i < last.size; i++, out += item)
                memcpy(out, src + i * last.step[SRC], (size_t)item);
    }
}

static void run(void *context, ptrdiff_t begin, ptrdiff_t end) {
    const plan *p = context;
    const vekt_take_call *a = &p->asked;
    for (ptrdiff_t t = begin, m; t < end; t += m) {
        const ptrdiff_t o = t / a->count, j = t % a->count;
        m = vekt_smaller(a->count - j, end - t);
        const char *x = a->x + vekt_offset(a->dims, a->n_outer, SRC, o);
        char *out = a->out + t * p->bytes;
        if (!p->n_inner)
            gather(out, x, a->step, a->indices + j, m, p->bytes);
        else
            for (ptrdiff_t i = 0; i < m; i++) copy_apart(p, out + i * p->bytes, x + a->indices[j + i] * a->step);
    }
}

void vekt_take(const vekt_target *target, const vekt_take_call *call) {
    (void)target;
    plan p = {.asked = *call};
    vekt_dim *inner = call->dims + call->n_outer;
    p.bytes = vekt_count(inner, call->n_inner) * call->item;
    const ptrdiff_t n = vekt_count(call->dims, call->n_outer) * call->count;
    if (n == 0 || p.bytes == 0) return;
    p.n_inner = vekt_join_dims(inner, call->n_inner);
    p.inner = inner;
    if (p.n_inner == 1 && inner[0].step[SRC] == call->item) p.n_inner = 0;
    if (n * p.bytes >= THREADED_BYTES)
        vekt_parallel_for(n, GRAIN_BYTES / p.bytes + 1, run, &p);
    else
        run(&p, 0, n);
}
