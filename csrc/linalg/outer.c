/* Outer products on all threads. */
#include "drivers.h"
#include "runtime/fpenv.h"

enum { THREADED_BYTES = 4 << 20 };
enum { GRAIN_BYTES = 1 << 16 };

typedef struct {
    vekt_outer_kernel kernel;
    ptrdiff_t item, m, n, a_step;
    const char *a, *b;
    char *c;
    int by_columns;
} call;

static void run(void *context, ptrdiff_t begin, ptrdiff_t end) {
    const call *p = context;
    const ptrdiff_t row_step = p->n * p->item;
    if (p->by_columns)
        p->kernel(p->c + begin * p->item, row_step, p->a, p->a_step, p->b + begin * p->item, p->m, end - begin);
    else
        p->kernel(p->c + begin * row_step, row_step, p->a + begin * p->a_step, p->a_step, p->b, end - begin, p->n);
}

void vekt_outer(const vekt_target *target, int dtype, const void *a, ptrdiff_t a_step, ptrdiff_t m, const void *b,
                ptrdiff_t n, void *c) {
    const ptrdiff_t item = dtype == VEKT_F32 ? 4 : 8;
    call p = {target->outer[dtype], item, m, n, a_step, a, b, c, m < n};
    const ptrdiff_t units = p.by_columns ? n : m, unit_bytes = (p.by_columns ? m : n) * item;
    vekt_fpenv saved = vekt_fpenv_enter();
    if (m * n * item >= THREADED_BYTES)
        vekt_parallel_for(units, GRAIN_BYTES / unit_bytes + 1, run, &p);
    else
        run(&p, 0, units);
    vekt_fpenv_leave(saved);
}
