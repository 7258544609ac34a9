/* Any layout on top of kernels that want contiguous operands. */
#include "drivers.h"
#include "runtime/fpenv.h"
#include "streaming.h"

#include <string.h>

/* Threads: a call is shared out from this much work on, and never in smaller parts than this many
 * elements.  Below it, waking a sleeping core costs more than it brings. */
enum { THREADED_PICOSECONDS = 60000000, GRAIN = 4096 };

/* One operand's share of a block: a few of them stay in the first-level cache. */
enum { BLOCK_BYTES = 4096 };

enum mode { DIRECT, SPLAT, COPIED, STREAMED };

typedef struct {
    const vekt_kernel *kernel;
    void (*stream)(void *dst, const void *src, size_t bytes);
    char *const *args;
    const ptrdiff_t *steps;
    int n_args;
    const vekt_storage *storage; /* of 16 bits, or NULL */
    int first_float;             /* inputs from this one on are floats nevertheless */
    ptrdiff_t item;              /* bytes of an element in the kernel */
    ptrdiff_t memory;            /* bytes of an element in memory */
    ptrdiff_t block;             /* elements computed at a time where an operand is not used in place */
    enum mode mode[VEKT_MAX_ARGS];
    char *splat[VEKT_MAX_ARGS];
} call;

#define GATHER(type) \
    for (ptrdiff_t i = 0; i < n; i++) memcpy(dst + i * (ptrdiff_t)sizeof(type), src + i * step, sizeof(type))
#define SCATTER(type) \
    for (ptrdiff_t i = 0; i < n; i++) memcpy(dst + i * step, src + i * (ptrdiff_t)sizeof(type), sizeof(type))

static const vekt_storage *storage_of(const call *c, int j) {
    return j >= c->first_float && j < c->kernel->nin ? NULL : c->storage;
}

static void gather(const call *c, int j, char *dst, const char *src, ptrdiff_t step, ptrdiff_t n) {
    const vekt_storage *storage = storage_of(c, j);
    if (storage && step == c->memory) {
        storage->widen((float *)dst, src, n);
    } else if (storage) {
        uint16_t items[BLOCK_BYTES / sizeof(float)];
        char *into = (char *)items;
        for (ptrdiff_t i = 0; i < n; i++) memcpy(into + 2 * i, src + i * step, 2);
        storage->widen((float *)dst, into, n);
    } else if (c->item == 4) {
        GATHER(float);
    } else {
        GATHER(double);
    }
}

static void scatter(const call *c, char *dst, ptrdiff_t step, const char *src, ptrdiff_t n) {
    if (c->storage && step == c->memory) {
        c->storage->narrow(dst, (const float *)src, n);
    } else if (c->storage) {
        uint16_t items[BLOCK_BYTES / sizeof(float)];
        const char *from = (const char *)items;
        c->storage->narrow((char *)items, (const float *)src, n);
        for (ptrdiff_t i = 0; i < n; i++) memcpy(dst + i * step, from + 2 * i, 2);
    } else if (c->item == 4) {
        SCATTER(float);
    } else {
        SCATTER(double);
    }
}

/* One kernel call straight on the caller's memory. */
static void run_direct(const call *c, ptrdiff_t begin, ptrdiff_t end) {
    char *args[VEKT_MAX_ARGS];
    ptrdiff_t advance[VEKT_MAX_ARGS];
    for (int j = 0; j < c->n_args; j++) {
        int direct = c->mode[j] == DIRECT;
        args[j] = direct ? c->args[j] + begin * c->item : c->splat[j];
        advance[j] = direct ? c->item : 0;
    }
    c->kernel->loop(args, advance, end - begin);
}

/* Block after block through the first-level cache. */
static void run_blocks(const call *c, ptrdiff_t begin, ptrdiff_t end) {
    _Alignas(64) char buffers[VEKT_MAX_ARGS][BLOCK_BYTES];
    char *args[VEKT_MAX_ARGS];
    ptrdiff_t advance[VEKT_MAX_ARGS];
    const int nin = c->kernel->nin;
    for (int j = 0; j < c->n_args; j++) {
        args[j] = c->mode[j] == SPLAT ? c->splat[j] : buffers[j];
        advance[j] = c->mode[j] == SPLAT ? 0 : c->item;
    }
    for (ptrdiff_t n; begin < end; begin += n) {
        n = end - begin < c->block ? end - begin : c->block;
        for (int j = 0; j < c->n_args; j++) {
            char *memory = c->args[j] + begin * c->steps[j];
            if (c->mode[j] == DIRECT)
                args[j] = memory;
            else if (c->mode[j] == COPIED && j < nin)
                gather(c, j, args[j], memory, c->steps[j], n);
        }
        c->kernel->loop(args, advance, n);
        for (int j = nin; j < c->n_args; j++) {
            char *memory = c->args[j] + begin * c->steps[j];
            if (c->mode[j] == COPIED)
                scatter(c, memory, c->steps[j], args[j], n);
            else if (c->mode[j] == STREAMED)
                c->stream(memory, args[j], (size_t)(n * c->item));
        }
    }
}

static void run_direct_task(void *c, ptrdiff_t begin, ptrdiff_t end) { run_direct(c, begin, end); }

static void run_blocks_task(void *c, ptrdiff_t begin, ptrdiff_t end) { run_blocks(c, begin, end); }

/* The value of a stride-0 input, repeated.  Returns the end of the space used. */
static char *fill_splat(call *c, int j, char *space) {
    c->splat[j] = space;
    gather(c, j, space, c->args[j], 0, VEKT_SPLAT_BYTES / c->item);
    return space + VEKT_SPLAT_BYTES;
}

static int overlaps(const call *c, int in, int out, ptrdiff_t n) {
    const char *a = c->args[in], *b = c->args[out];
    ptrdiff_t a_step = c->steps[in], b_step = c->steps[out];
    if (a == b && a_step == b_step && b_step != 0) return 0; /* in place: element on itself */
    ptrdiff_t a_span = (n - 1) * a_step, b_span = (n - 1) * b_step;
    const char *a_low = a_span < 0 ? a + a_span : a, *b_low = b_span < 0 ? b + b_span : b;
    ptrdiff_t a_size = (a_span < 0 ? -a_span : a_span) + c->memory;
    ptrdiff_t b_size = (b_span < 0 ? -b_span : b_span) + c->memory;
    return a_low < b_low + b_size && b_low < a_low + a_size;
}

static int is_shifted(const call *c, ptrdiff_t n) {
    for (int in = 0; in < c->kernel->nin; in++) {
        for (int out = c->kernel->nin; out < c->n_args; out++) {
            if (overlaps(c, in, out, n)) return 1;
        }
    }
    return 0;
}

/* Operands that overlap other than exactly come from reduce and accumulate, where each element
 * needs the one before, and from outputs that trail behind their input, where order suffices. */
static void run_in_order(call *c, ptrdiff_t n) {
    if (c->kernel->nin == 2 && c->kernel->nout == 1) c->block = 1;
    for (int j = 0; j < c->n_args; j++) c->mode[j] = COPIED;
    run_blocks(c, 0, n);
}

static int should_stream(const call *c, int j, ptrdiff_t n) {
    for (int in = 0; in < c->kernel->nin; in++) {
        if (c->args[in] == c->args[j]) return 0; /* in place: the lines are read anyway */
    }
    return vekt_should_stream(c->args[j], n * c->item, c->kernel->cost);
}

static enum mode choose_mode(const call *c, int j, ptrdiff_t n) {
    int output = j >= c->kernel->nin;
    if (!storage_of(c, j) && (c->steps[j] == c->item || n == 1)) {
        return output && should_stream(c, j, n) ? STREAMED : DIRECT;
    }
    return c->steps[j] == 0 && !output ? SPLAT : COPIED;
}

static void run(call *c, ptrdiff_t n) {
    _Alignas(64) char splats[VEKT_MAX_ARGS * VEKT_SPLAT_BYTES];
    char *space = splats;
    int direct = 1;
    for (int j = 0; j < c->n_args; j++) {
        c->mode[j] = choose_mode(c, j, n);
        if (c->mode[j] == SPLAT)
            space = fill_splat(c, j, space);
        else if (c->mode[j] != DIRECT)
            direct = 0;
    }
    if (n > 1 && is_shifted(c, n)) {
        run_in_order(c, n);
    } else if (n > THREADED_PICOSECONDS / (c->kernel->cost + 1)) {
        vekt_parallel_for(n, GRAIN, direct ? run_direct_task : run_blocks_task, c);
    } else if (direct) {
        run_direct(c, 0, n);
    } else {
        run_blocks(c, 0, n);
    }
}

void vekt_elementwise(const vekt_target *target, const vekt_kernel *kernel, int format, int n_floats,
                      char *const *args, const ptrdiff_t *steps, ptrdiff_t n) {
    ptrdiff_t item = kernel->dtype == VEKT_F32 ? 4 : 8;
    call c = {
        .kernel = kernel,
        .stream = target->stream,
        .args = args,
        .steps = steps,
        .n_args = kernel->nin + kernel->nout,
        .storage = format == VEKT_HALF       ? &target->half
                   : format == VEKT_BFLOAT16 ? &target->bfloat16
                                             : NULL,
        .first_float = kernel->nin - n_floats,
        .item = item,
        .memory = format == VEKT_NATIVE ? item : 2,
        .block = BLOCK_BYTES / item,
    };
    if (n <= 0) return;
    vekt_fpenv saved = vekt_fpenv_enter();
    run(&c, n);
    vekt_fpenv_leave(saved);
}
