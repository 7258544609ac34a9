/* Programs: expressions as a few kernels that run one after another on blocks which stay in the first-level cache.
 * A program is an operation of the broadcast engine (iterate.h).  A kernel may have been compiled for it. */
#ifndef VEKT_PROGRAM_H
#define VEKT_PROGRAM_H

#include "iterate.h"

/* Values are numbered: the operation's inputs and outputs, then constants, then registers. */
enum { VEKT_MAX_VALUES = 160, VEKT_MAX_INSTRUCTIONS = 256, VEKT_MAX_PLACES = 1024 };
/* All values of a block together.  With the blocks that are being fetched they fit a first-level cache of 32 KB:
 * twice as much made operands from memory a third slower, half as much calls of loops cost more. */
enum { VEKT_PROGRAM_BYTES = 12288 };

/* What an instruction runs: one of our kernels, the inner loop of another library's ufunc, or a conversion. */
typedef void (*vekt_ufunc_loop)(char **args, const ptrdiff_t *n, const ptrdiff_t *steps, void *context);
typedef void (*vekt_convert_function)(const vekt_target *target, int to, void *dst, int from, const void *src,
                                      ptrdiff_t n);
typedef struct {
    vekt_loop kernel; /* one of the three is not NULL */
    vekt_ufunc_loop ufunc;
    vekt_convert_function convert;
    void *context;                    /* of the ufunc's loop */
    uint8_t from, to;                 /* vekt_type of a conversion */
    uint8_t nin, nout;                /* at most VEKT_MAX_PLACES in all instructions; VEKT_MAX_ARGS of a ufunc */
    uint8_t value[VEKT_MAX_OPERANDS]; /* inputs, then outputs */
} vekt_instruction;

/* An instruction's output is the very memory of an input only for kernels. */
typedef struct {
    vekt_operation operation; /* comes first: `run` finds the program by it */
    const vekt_target *target;
    void *(*workspace)(int slot, size_t bytes); /* as in matmul.h */
    int n_values, first_constant, first_register, n_instructions;
    ptrdiff_t block;                /* elements computed at a time: a multiple of 16 */
    uint8_t item[VEKT_MAX_VALUES];  /* bytes of an element */
    char *constants;                /* VEKT_SPLAT_BYTES for each, aligned to as many */
    vekt_instruction *instructions; /* in order */
} vekt_program;

/* Sets what follows from the other fields: the operation's function, and the size of a block. */
void vekt_program_finish(vekt_program *program);

/* Loops for what is neither a kernel nor a ufunc, by the size of an element in bytes; NULL where there is none. */
vekt_loop vekt_copy_loop(int item);                /* x -> x */
vekt_loop vekt_part_loop(int item, int imaginary); /* complex -> one of its parts, of so many bytes */
vekt_loop vekt_complex_loop(int item);             /* its parts -> complex */

#endif
