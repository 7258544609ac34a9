/* Runs programs: see program.h. */
#include "program.h"
#include "linalg/matmul.h"

#include <string.h>

/* Runs of no more blocks than this come from the engine's own boxes, which lie in the cache already. */
enum { NEAR_BLOCKS = 6 };
/* Results that are the same for all elements are kept where there is room for this many. */
enum { MAX_SPLATS = 512 };

/* One instruction of a run: its operands, and how far each moves from block to block. */
typedef struct {
    const vekt_instruction *what;
    char **at;
    ptrdiff_t *advance, *move;
} bound;

/* Where those are. */
typedef struct {
    char *at[VEKT_MAX_PLACES];
    ptrdiff_t advance[VEKT_MAX_PLACES], move[VEKT_MAX_PLACES];
} places;

typedef struct {
    char *at, *own;    /* `own` is the register's memory, which splats may stand for */
    ptrdiff_t advance; /* bytes from element to element: 0 for one value in VEKT_SPLAT_BYTES */
    ptrdiff_t move;    /* bytes from block to block: 0 for registers */
} value;

static void execute(const vekt_program *p, const vekt_instruction *i, char *const *args, const ptrdiff_t *advance,
                    ptrdiff_t n) {
    if (i->kernel) {
        i->kernel(args, advance, n);
    } else if (i->ufunc) {
        char *own[VEKT_MAX_ARGS];
        memcpy(own, args, (size_t)(i->nin + i->nout) * sizeof *own);
        i->ufunc(own, &n, advance, i->context);
    } else {
        i->convert(p->target, i->to, args[1], i->from, args[0], n);
    }
}

/* The first element of `to`, repeated up to `bytes`. */
static void repeat(char *to, ptrdiff_t item, ptrdiff_t bytes) {
    for (ptrdiff_t filled = item; filled < bytes;) {
        ptrdiff_t more = filled < bytes - filled ? filled : bytes - filled;
        memcpy(to + filled, to, (size_t)more);
        filled += more;
    }
}

static int is_aligned(const char *p, ptrdiff_t item) {
    ptrdiff_t alignment = item < 8 ? item : 8;
    return ((uintptr_t)p & (uintptr_t)(alignment - 1)) == 0;
}

/* Blocks go through scratch memory where an output is also an input, which later instructions may want to read, and
 * where an operand is less aligned than the loops of other libraries may expect. */
static int is_plain(const vekt_program *p, char *const *args) {
    const int nin = p->operation.nin, n = nin + p->operation.nout;
    for (int k = 0; k < n; k++)
        if (!is_aligned(args[k], p->item[k])) return 0;
    for (int out = nin; out < n; out++)
        for (int in = 0; in < nin; in++)
            if (args[out] == args[in]) return 0;
    return 1;
}

/* Finds the operands of all instructions.  What depends on numbers alone that are the same for all elements is
 * computed here, once; such results lie in `splats`.  Returns how many instructions are left for each block. */
static int bind(const vekt_program *p, value *values, bound *todo, places *space, char (*splats)[VEKT_SPLAT_BYTES]) {
    const int first_output = p->operation.nin, past_outputs = first_output + p->operation.nout;
    int left = 0, used = 0, made = 0;
    for (int i = 0; i < p->n_instructions; i++) {
        const vekt_instruction *what = &p->instructions[i];
        bound *b = &todo[left];
        int uniform = made + what->nout <= MAX_SPLATS;
        *b = (bound){what, space->at + used, space->advance + used, space->move + used};
        used += what->nin + what->nout;
        for (int k = 0; k < what->nin; k++) uniform &= values[what->value[k]].advance == 0;
        for (int k = what->nin; k < what->nin + what->nout; k++) {
            int v = what->value[k];
            uniform &= v < first_output || v >= past_outputs;
        }
        for (int k = 0; k < what->nin + what->nout; k++) {
            value *v = &values[what->value[k]];
            if (k >= what->nin && uniform)
                *v = (value){splats[made++], v->own, 0, 0};
            else if (k >= what->nin && what->value[k] >= p->first_register)
                *v = (value){v->own, v->own, p->item[what->value[k]], 0};
            b->at[k] = v->at;
            b->advance[k] = v->advance;
            b->move[k] = v->move;
        }
        if (!uniform) {
            left++;
            continue;
        }
        execute(p, what, b->at, b->advance, 1);
        for (int k = what->nin; k < what->nin + what->nout; k++)
            repeat(b->at[k], p->item[what->value[k]], VEKT_SPLAT_BYTES);
    }
    return left;
}

/* A conversion takes contiguous elements: one number for all is converted once and repeated. */
static void run_bound(const vekt_program *p, bound *b, ptrdiff_t n) {
    const vekt_instruction *what = b->what;
    if (what->convert && b->advance[0] == 0) {
        const ptrdiff_t item = p->item[what->value[1]];
        execute(p, what, b->at, b->advance, 1);
        repeat(b->at[1], item, n * item);
    } else {
        execute(p, what, b->at, b->advance, n);
    }
}

/* Part `i` of `count` of the next block of each operand in memory: the processor's own prefetcher sees short
 * stretches of one array after another, and stops at each page. */
static void prefetch(const vekt_program *p, const value *values, ptrdiff_t begin, int i, int count) {
    const int nin = p->operation.nin, n = nin + p->operation.nout;
    for (int k = 0; k < n; k++) {
        const char *at = values[k].at + begin * values[k].advance;
        const ptrdiff_t end = values[k].move * (i + 1) / count;
        for (ptrdiff_t byte = values[k].move * i / count; byte < end; byte += 64) {
            if (k < nin)
                __builtin_prefetch(at + byte, 0, 2);
            else
                __builtin_prefetch(at + byte, 1, 2);
        }
    }
}

/* What a run works on: too much for the stack, whose callers may be threads with a small one. */
typedef struct {
    _Alignas(64) char splats[MAX_SPLATS][VEKT_SPLAT_BYTES];
    _Alignas(64) char scratch[VEKT_PROGRAM_BYTES];
    bound todo[VEKT_MAX_INSTRUCTIONS];
    places places;
    value values[VEKT_MAX_VALUES], block[VEKT_MAX_VALUES];
} work;

static void run_blocks(const vekt_program *p, work *w, value *values, ptrdiff_t n) {
    bound *todo = w->todo;
    const int count = bind(p, values, todo, &w->places, w->splats);
    const int far = n > NEAR_BLOCKS * p->block;
    for (ptrdiff_t left = n; left > 0; left -= p->block) {
        const ptrdiff_t m = left < p->block ? left : p->block;
        for (int i = 0; i < count; i++) {
            bound *b = &todo[i];
            if (far && left > m) prefetch(p, values, n - left + m, i, count);
            run_bound(p, b, m);
            for (int k = 0; k < b->what->nin + b->what->nout; k++) b->at[k] += b->move[k];
        }
    }
}

static void run_in(work *w, const vekt_program *p, char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {
    value *values = w->values;
    const int nin = p->operation.nin, n_operands = nin + p->operation.nout, plain = is_plain(p, args);
    char *space = w->scratch;
    for (int v = 0; v < p->n_values; v++) {
        if (v < n_operands && (plain || advance[v] == 0)) {
            values[v] = (value){args[v], NULL, advance[v], advance[v] * p->block};
        } else if (v >= p->first_constant && v < p->first_register) {
            values[v] = (value){p->constants + (v - p->first_constant) * VEKT_SPLAT_BYTES, NULL, 0, 0};
        } else {
            values[v] = (value){space, space, p->item[v], 0};
            space += p->block * p->item[v];
        }
    }
    if (plain) {
        run_blocks(p, w, values, n);
        return;
    }
    for (ptrdiff_t begin = 0, m; begin < n; begin += m) {
        memcpy(w->block, values, (size_t)p->n_values * sizeof *values);
        m = n - begin < p->block ? n - begin : p->block;
        for (int k = 0; k < nin; k++)
            if (advance[k]) memcpy(values[k].at, args[k] + begin * advance[k], (size_t)(m * advance[k]));
        run_blocks(p, w, w->block, m);
        for (int k = nin; k < n_operands; k++)
            memcpy(args[k] + begin * advance[k], values[k].at, (size_t)(m * advance[k]));
    }
}

/* Layers, who run programs as kernels of activations, have no way to hear of missing memory. */
static __attribute__((noinline)) void run_on_stack(const vekt_program *p, char *const *args, const ptrdiff_t *advance,
                                                   ptrdiff_t n) {
    work w;
    run_in(&w, p, args, advance, n);
}

static void run(const vekt_operation *self, char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {
    const vekt_program *p = (const void *)self;
    work *w = p->workspace(VEKT_WORKSPACE_PROGRAM, sizeof *w);
    if (w)
        run_in(w, p, args, advance, n);
    else
        run_on_stack(p, args, advance, n);
}

/* A program of one kernel on its own operands, which it takes as they are. */
static void run_kernel(const vekt_operation *self, char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {
    ((const vekt_program *)(const void *)self)->instructions->kernel(args, advance, n);
}

static int is_kernel(const vekt_program *p) {
    const vekt_instruction *only = p->instructions;
    const int n = p->operation.nin + p->operation.nout;
    if (p->n_instructions != 1 || !only->kernel || only->nin + only->nout != n) return 0;
    for (int k = 0; k < n; k++)
        if (only->value[k] != k) return 0;
    return 1;
}

void vekt_program_finish(vekt_program *p) {
    ptrdiff_t bytes = 0;
    for (int v = 0; v < p->n_values; v++)
        if (v < p->first_constant || v >= p->first_register) bytes += p->item[v];
    p->block = VEKT_PROGRAM_BYTES / (bytes ? bytes : 1) / 16 * 16;
    if (p->block > 4096) p->block = 4096;
    if (p->block > 256) p->block = p->block / 64 * 64; /* whole steps of what has been compiled */
    p->operation.run = is_kernel(p) ? run_kernel : run;
    p->operation.scratch = is_kernel(p) ? 0 : sizeof(work);
}

/* ---- what is no ufunc --------------------------------------------------------------------------------------------
 */

#define LOOPS(type)                                                                     \
    static void copy_##type(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) { \
        const ptrdiff_t step = advance[0] != 0;                                         \
        const type *x = (const void *)args[0];                                          \
        type *out = (void *)args[1];                                                    \
        for (ptrdiff_t i = 0; i < n; i++) out[i] = x[i * step];                         \
    }
#define PARTS(type)                                                                          \
    static void real_##type(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {      \
        const type *x = (const void *)args[0];                                               \
        type *out = (void *)args[1];                                                         \
        const ptrdiff_t step = advance[0] ? 2 : 0;                                           \
        for (ptrdiff_t i = 0; i < n; i++) out[i] = x[i * step];                              \
    }                                                                                        \
    static void imaginary_##type(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) { \
        char *const moved[] = {args[0] + sizeof(type), args[1]};                             \
        real_##type(moved, advance, n);                                                      \
    }                                                                                        \
    static void complex_##type(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {   \
        const type *x = (const void *)args[0], *y = (const void *)args[1];                   \
        type *out = (void *)args[2];                                                         \
        const ptrdiff_t x_step = advance[0] != 0, y_step = advance[1] != 0;                  \
        for (ptrdiff_t i = 0; i < n; i++) {                                                  \
            out[2 * i] = x[i * x_step];                                                      \
            out[2 * i + 1] = y[i * y_step];                                                  \
        }                                                                                    \
    }

typedef struct {
    uint64_t half[2];
} uint128;
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
LOOPS(u8)
LOOPS(u16)
LOOPS(u32)
LOOPS(u64)
LOOPS(uint128)
PARTS(u32)
PARTS(u64)

#define BY_ITEM(item, name)          \
    ((item) == 1    ? name##_u8      \
     : (item) == 2  ? name##_u16     \
     : (item) == 4  ? name##_u32     \
     : (item) == 8  ? name##_u64     \
     : (item) == 16 ? name##_uint128 \
                    : (vekt_loop)NULL)

vekt_loop vekt_copy_loop(int item) { return BY_ITEM(item, copy); }

vekt_loop vekt_part_loop(int item, int imaginary) {
    if (item != 4 && item != 8) return NULL;
    if (imaginary) return item == 4 ? imaginary_u32 : imaginary_u64;
    return item == 4 ? real_u32 : real_u64;
}

vekt_loop vekt_complex_loop(int item) { return item == 4 ? complex_u32 : item == 8 ? complex_u64 : NULL; }
