/* The dot product of two vectors of any layout, with the same bits for every one of them. */
#include "drivers.h"
#include "engine/convert.h"
#include "runtime/fpenv.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Both operands together: below this size the other threads come too late to help. */
enum { THREADED_BYTES = 8 << 20 };
enum { BLOCKS_AT_A_TIME = 16 }; /* long runs for each thread: with 4, two threads on 160 MB gained nothing */
enum { STACK_BLOCKS = 512 };

static const ptrdiff_t items[VEKT_N_PRODUCTS] = {
    [VEKT_PRODUCT_F32] = 4,  [VEKT_PRODUCT_F64] = 8, [VEKT_PRODUCT_HALF] = 2,  [VEKT_PRODUCT_BFLOAT16] = 2,
    [VEKT_PRODUCT_I8] = 1,   [VEKT_PRODUCT_I16] = 2, [VEKT_PRODUCT_I32] = 4,   [VEKT_PRODUCT_I64] = 8,
    [VEKT_PRODUCT_BOOL] = 1, [VEKT_PRODUCT_C64] = 8, [VEKT_PRODUCT_C128] = 16,
};

typedef struct {
    vekt_dot_block block;
    int type;
    ptrdiff_t item, n;
    const char *x, *y;
    ptrdiff_t x_step, y_step;
    const uint8_t *from; /* of both, as in vekt_product */
    const vekt_target *target;
    vekt_dot_sum *sums;
    atomic_int failed; /* for want of memory */
    int found;         /* two true values in one place: the search is over */
} call;

static inline void gather(char *buffer, const char *src, ptrdiff_t step, size_t item, ptrdiff_t n) {
#pragma GCC unroll 4
    for (ptrdiff_t i = 0; i < n; i++) memcpy(buffer + i * (ptrdiff_t)item, src + i * step, item);
}

/* Elements of the product's type, side by side. */
static const char *contiguous(const call *c, int which, char *buffer, const char *src, ptrdiff_t step, ptrdiff_t n) {
    const ptrdiff_t item = c->item;
    if (c->from[which]) {
        vekt_convert_line(c->target, vekt_product_elements[c->type], buffer, c->from[which] - 1, src, step, n);
        return buffer;
    }
    if (step == item || n == 1) return src;
    switch (item) { /* constants, for loops without a call */
    case 1:
        gather(buffer, src, step, 1, n);
        break;
    case 2:
        gather(buffer, src, step, 2, n);
        break;
    case 4:
        gather(buffer, src, step, 4, n);
        break;
    case 8:
        gather(buffer, src, step, 8, n);
        break;
    default:
        gather(buffer, src, step, 16, n);
    }
    return buffer;
}

/* Of truth values that are not contiguous, no more are brought together than it takes to find two true ones. */
static int any_both(const call *c) {
    for (ptrdiff_t i = 0; i < c->n; i++)
        if (c->x[i * c->x_step] && c->y[i * c->y_step]) return 1;
    return 0;
}

static void sum_blocks(void *context, ptrdiff_t begin, ptrdiff_t end) {
    call *c = context;
    int direct = ((c->x_step == c->item && c->y_step == c->item) || c->n == 1) && !c->from[0] && !c->from[1];
    size_t bytes = (size_t)(c->item * (c->n < VEKT_DOT_BLOCK ? c->n : VEKT_DOT_BLOCK));
    char *buffer = direct ? NULL : malloc(2 * bytes);
    if (!direct && !buffer) {
        atomic_store(&c->failed, 1);
        return;
    }
    for (ptrdiff_t i = begin; i < end && !c->found; i++) {
        ptrdiff_t first = i * VEKT_DOT_BLOCK;
        ptrdiff_t n = c->n - first < VEKT_DOT_BLOCK ? c->n - first : VEKT_DOT_BLOCK;
        const char *x = c->x + first * c->x_step, *y = c->y + first * c->y_step;
        if (!direct) {
            x = contiguous(c, 0, buffer, x, c->x_step, n);
            y = contiguous(c, 1, buffer + bytes, y, c->y_step, n);
        }
        c->sums[i] = (vekt_dot_sum){{0}};
        c->block(x, y, n, &c->sums[i]);
        if (c->type == VEKT_PRODUCT_BOOL) c->found = c->sums[i].integer != 0;
    }
    free(buffer);
}

static int is_real(int type) { return type < VEKT_PRODUCT_I8 || type > VEKT_PRODUCT_BOOL; }

/* The tree of additions depends on n alone. */
static vekt_dot_sum pairwise(int type, const vekt_dot_sum *sums, ptrdiff_t n) {
    if (n == 1) return sums[0];
    vekt_dot_sum a = pairwise(type, sums, n / 2);
    const vekt_dot_sum b = pairwise(type, sums + n / 2, n - n / 2);
    if (is_real(type)) {
        a.real[0] += b.real[0];
        a.real[1] += b.real[1];
    } else {
        a.integer += b.integer;
    }
    return a;
}

static void store(const vekt_target *target, int type, vekt_dot_sum sum, void *result) {
    const float parts[2] = {(float)sum.real[0], (float)sum.real[1]};
    const uint32_t low = (uint32_t)sum.integer;
    const uint16_t lower = (uint16_t)low;
    const uint8_t lowest = (uint8_t)low;
    switch (type) {
    case VEKT_PRODUCT_F32:
        memcpy(result, parts, 4);
        break;
    case VEKT_PRODUCT_C64:
        memcpy(result, parts, 8);
        break;
    case VEKT_PRODUCT_HALF:
        target->half.narrow(result, parts, 1);
        break;
    case VEKT_PRODUCT_BFLOAT16:
        target->bfloat16.narrow(result, parts, 1);
        break;
    case VEKT_PRODUCT_I8:
    case VEKT_PRODUCT_BOOL:
        memcpy(result, &lowest, 1);
        break;
    case VEKT_PRODUCT_I16:
        memcpy(result, &lower, 2);
        break;
    case VEKT_PRODUCT_I32:
        memcpy(result, &low, 4);
        break;
    default:
        memcpy(result, &sum, (size_t)items[type]);
    }
}

int vekt_dot(const vekt_target *target, int type, const char *x, ptrdiff_t x_step, const char *y, ptrdiff_t y_step,
             ptrdiff_t n, const uint8_t from[2], void *result) {
    vekt_dot_sum stack[STACK_BLOCKS], sum = {{0}};
    ptrdiff_t blocks = vekt_ceil_divide(n, VEKT_DOT_BLOCK);
    call c = {.block = target->dot_block[type],
              .type = type,
              .item = items[type],
              .n = n,
              .x = x,
              .y = y,
              .x_step = x_step,
              .y_step = y_step,
              .from = from,
              .target = target,
              .sums = stack};
    if (blocks > STACK_BLOCKS) c.sums = malloc((size_t)blocks * sizeof *c.sums);
    if (!c.sums) return -1;
    vekt_fpenv saved = vekt_fpenv_enter();
    if (type == VEKT_PRODUCT_BOOL && (x_step != 1 || y_step != 1))
        c.found = any_both(&c);
    else if (2 * c.item * n >= THREADED_BYTES && type != VEKT_PRODUCT_BOOL)
        vekt_parallel_for(blocks, BLOCKS_AT_A_TIME, sum_blocks, &c);
    else
        sum_blocks(&c, 0, blocks);
    int failed = atomic_load(&c.failed);
    if (type == VEKT_PRODUCT_BOOL)
        sum.integer = (uint64_t)c.found;
    else if (blocks && !failed)
        sum = pairwise(type, c.sums, blocks);
    store(target, type, sum, result);
    vekt_fpenv_leave(saved);
    if (c.sums != stack) free(c.sums);
    return failed ? -1 : 0;
}
