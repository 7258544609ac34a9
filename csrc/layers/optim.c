/* One step of an optimiser over the elements of a tensor, shared out among threads. */
#include "drivers.h"
#include "runtime/fpenv.h"

/* As in elementwise.c; a step waits for memory, some 28 bytes of which it moves for each float. */
enum { THREADED_ELEMENTS = 100000, GRAIN = 4096 };

typedef struct {
    vekt_optim_kernel kernel;
    const vekt_optim_call *call;
    ptrdiff_t item;
} work;

static void *moved(void *p, ptrdiff_t bytes) { return p ? (char *)p + bytes : NULL; }

static void run(void *context, ptrdiff_t begin, ptrdiff_t end) {
    const work *w = context;
    vekt_optim_call part = *w->call;
    const ptrdiff_t bytes = begin * w->item;
    part.p = moved(part.p, bytes);
    part.g = (const char *)part.g + bytes;
    part.m = moved(part.m, bytes);
    part.v = moved(part.v, bytes);
    w->kernel(&part, end - begin);
}

void vekt_optim_step(const vekt_target *target, int dtype, const vekt_optim_call *call, ptrdiff_t n) {
    work w = {target->optim[dtype], call, dtype == VEKT_F32 ? 4 : 8};
    if (n <= 0) return;
    vekt_fpenv saved = vekt_fpenv_enter();
    if (n > THREADED_ELEMENTS)
        vekt_parallel_for(n, GRAIN, run, &w);
    else
        run(&w, 0, n);
    vekt_fpenv_leave(saved);
}
