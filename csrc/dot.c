/* The dot product of two vectors of any layout, with the same bits for every one of them. */
#include "drivers.h"
#include "fpenv.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Both operands together: below this size the other threads come too late to help. */
enum { THREADED_BYTES = 8 << 20 };
enum { BLOCKS_AT_A_TIME = 16 }; /* long runs for each thread: with 4, two threads on 160 MB gained nothing */
enum { STACK_BLOCKS = 512 };

typedef struct {
    vekt_dot_block block;
    ptrdiff_t item, n;
    const char *x, *y;
    ptrdiff_t x_step, y_step;
    double *sums;
    atomic_int failed; /* for want of memory */
} call;

static const char *contiguous(char *buffer, const char *src, ptrdiff_t step, ptrdiff_t item, ptrdiff_t n) {
    if (step == item || n == 1) return src;
    if (item == 4) {
        for (ptrdiff_t i = 0; i < n; i++) memcpy(buffer + i * 4, src + i * step, 4);
    } else {
        for (ptrdiff_t i = 0; i < n; i++) memcpy(buffer + i * 8, src + i * step, 8);
    }
    return buffer;
}

static void sum_blocks(void *context, ptrdiff_t begin, ptrdiff_t end) {
    call *c = context;
    int direct = (c->x_step == c->item && c->y_step == c->item) || c->n == 1;
    size_t bytes = (size_t)c->item * VEKT_DOT_BLOCK;
    char *buffer = direct ? NULL : malloc(2 * bytes);
    if (!direct && !buffer) {
        atomic_store(&c->failed, 1);
        return;
    }
    for (ptrdiff_t i = begin; i < end; i++) {
        ptrdiff_t first = i * VEKT_DOT_BLOCK;
        ptrdiff_t n = c->n - first < VEKT_DOT_BLOCK ? c->n - first : VEKT_DOT_BLOCK;
        const char *x = c->x + first * c->x_step, *y = c->y + first * c->y_step;
        if (!direct) {
            x = contiguous(buffer, x, c->x_step, c->item, n);
            y = contiguous(buffer + bytes, y, c->y_step, c->item, n);
        }
        c->sums[i] = c->block(x, y, n);
    }
    free(buffer);
}

/* The tree of additions depends on n alone. */
static double pairwise(const double *sums, ptrdiff_t n) {
    if (n == 1) return sums[0];
    return pairwise(sums, n / 2) + pairwise(sums + n / 2, n - n / 2);
}

int vekt_dot(const vekt_target *target, int dtype, const char *x, ptrdiff_t x_step, const char *y, ptrdiff_t y_step,
             ptrdiff_t n, void *result) {
    double stack[STACK_BLOCKS], sum = 0;
    ptrdiff_t blocks = (n + VEKT_DOT_BLOCK - 1) / VEKT_DOT_BLOCK;
    ptrdiff_t item = dtype == VEKT_F32 ? 4 : 8;
    call c = {target->dot_block[dtype], item, n, x, y, x_step, y_step, stack, 0};
    if (blocks > STACK_BLOCKS) c.sums = malloc((size_t)blocks * sizeof(double));
    if (!c.sums) return -1;
    vekt_fpenv saved = vekt_fpenv_enter();
    if (2 * item * n >= THREADED_BYTES)
        vekt_parallel_for(blocks, BLOCKS_AT_A_TIME, sum_blocks, &c);
    else
        sum_blocks(&c, 0, blocks);
    int failed = atomic_load(&c.failed);
    if (blocks && !failed) sum = pairwise(c.sums, blocks);
    if (dtype == VEKT_F32)
        *(float *)result = (float)sum;
    else
        *(double *)result = sum;
    vekt_fpenv_leave(saved);
    if (c.sums != stack) free(c.sums);
    return failed ? -1 : 0;
}
