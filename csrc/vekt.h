/* The contract between the kernels, the dispatcher and the bindings. */
#ifndef VEKT_H
#define VEKT_H

#include "sizes.h"

#include <stddef.h>
#include <stdint.h>

enum { VEKT_F32, VEKT_F64, VEKT_N_DTYPES };
enum { VEKT_MAX_ARGS = 8, VEKT_SPLAT_BYTES = 64 };

/* One elementwise kernel over n elements.  args holds the inputs, then the outputs.
 * Input j is contiguous where advance[j] is the item size; where advance[j] is 0 it is one value,
 * and args[j] points to VEKT_SPLAT_BYTES (64-byte aligned) filled with it.
 * Outputs are contiguous.  An output may be the very memory of an input, never a shifted part of it.
 * Any alignment of the item size or less is accepted.  Every element's bits depend on its inputs alone:
 * not on n, its position, alignment or neighbours.
 * The caller has set the default floating-point environment and restores its own afterwards. */
typedef void (*vekt_loop)(char *const *args, const ptrdiff_t *advance, ptrdiff_t n);

typedef struct {
    const char *name; /* "gelu", "gelu_backward", "gelu_value_and_grad" */
    int dtype;        /* of every operand */
    int nin, nout;
    int cost; /* rough picoseconds per element in cache: sets when a second thread pays */
    vekt_loop loop;
} vekt_kernel;

/* How an element lies in memory. */
typedef enum {
    VEKT_TYPE_BOOL, /* a byte, 0 or 1 */
    VEKT_TYPE_I8,
    VEKT_TYPE_U8,
    VEKT_TYPE_I16,
    VEKT_TYPE_U16,
    VEKT_TYPE_I32,
    VEKT_TYPE_U32,
    VEKT_TYPE_I64,
    VEKT_TYPE_U64,
    VEKT_TYPE_HALF,
    VEKT_TYPE_BFLOAT16,
    VEKT_TYPE_F32,
    VEKT_TYPE_F64,
    VEKT_TYPE_C64,
    VEKT_TYPE_C128,
    VEKT_N_TYPES
} vekt_type;
/* Added to a type in memory: bytes in the other order, an address that is no multiple of the alignment.  The engine
 * copies such operands, as it does those of another type. */
enum { VEKT_SWAPPED = 64, VEKT_UNALIGNED = 128, VEKT_TYPE_MASK = 63 };

/* A kernel whose operands are each of a type of their own. */
enum { VEKT_MAX_TYPED_ARGS = 4 };
typedef struct {
    const char *name;
    uint8_t type[VEKT_MAX_TYPED_ARGS]; /* vekt_type of the inputs, then of the outputs */
    int nin, nout;
    int cost;
    vekt_loop loop;
} vekt_typed_kernel;

/* n contiguous elements of one type to another, with one rounding; integers wrap around.  The two do not overlap. */
typedef void (*vekt_conversion)(void *dst, const void *src, ptrdiff_t n);

/* Sum of x[i]*y[i] over one block of contiguous elements, n <= VEKT_DOT_BLOCK. */
enum { VEKT_DOT_BLOCK = 16384 };
typedef union {
    double real[2];   /* the second one of complex numbers */
    uint64_t integer; /* the low bits; of truth values 0 or 1 */
} vekt_dot_sum;
typedef void (*vekt_dot_block)(const void *x, const void *y, ptrdiff_t n, vekt_dot_sum *sum);

/* Functions of rows: softmax and its kin.  The backward ones take dy as x, and the output as y. */
enum {
    VEKT_SOFTMAX,
    VEKT_LOG_SOFTMAX,
    VEKT_LOGSUMEXP,
    VEKT_SPARSEMAX,
    VEKT_SOFTMAX_BACKWARD,
    VEKT_LOG_SOFTMAX_BACKWARD,
    VEKT_LOGSUMEXP_BACKWARD, /* takes x, and dy as the scalar */
    VEKT_SPARSEMAX_BACKWARD,
    VEKT_CROSS_ENTROPY, /* takes labels, or targets as y; the loss as the scalar, its gradient as out */
    VEKT_N_ROW_OPS
};
/* Rows up to this length run as panels only. */
enum { VEKT_SHORT_ROW = 64 };

/* One row of n contiguous elements, or a panel of as many rows as a vector has lanes: element j of all of them is the
 * vector at x + j * x_step.  out may be x or y; logsumexp has none.  n > 0.  The bits of a row's results depend on
 * its elements alone. */
typedef struct {
    const void *x, *y;
    void *out;
    ptrdiff_t x_step, y_step, out_step;
    ptrdiff_t n;
    int negate;   /* x is to be taken with the other sign */
    void *scalar; /* one number for each row: the result of logsumexp, or what its gradient is multiplied by; else
                     NULL */
    /* Cross entropy: for each row its label, an integer of the size of x's elements, negative to leave it out, and
     * what its gradient is multiplied by.  Without y, the targets are everywhere, and on_label more at the label. */
    const void *label, *factor;
    double on_label, everywhere;
} vekt_row_call;
typedef void (*vekt_row_kernel)(const vekt_row_call *call);

typedef struct {
    int cost; /* as in vekt_kernel */
    vekt_row_kernel row, panel;
    /* Copies rows, of which one of the two steps is the size of an element, to panels, and back. */
    void (*pack)(void *panels, const void *src, ptrdiff_t row_step, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t n);
    void (*unpack)(void *dst, ptrdiff_t row_step, ptrdiff_t step, const void *panels, ptrdiff_t rows, ptrdiff_t n);
    /* Copies rows of n contiguous elements to where the steps are the other way round. */
    void (*transpose)(void *dst, ptrdiff_t dst_step, const void *src, ptrdiff_t src_step, ptrdiff_t rows,
                      ptrdiff_t n);
} vekt_row_kernels;
/* The backward pass of leaky_relu with a learnt slope: dx, and the sum of dy*x over the elements that are not
 * positive, in double.  dx may be the very memory of dy or x. */
enum { VEKT_PRELU_BLOCK = 2048 };
/* One slope for n <= VEKT_PRELU_BLOCK elements; returns their sum. */
typedef double (*vekt_prelu_block)(const void *dy, const void *x, const void *slope, void *dx, ptrdiff_t n);
/* A slope for each element; adds each element's term to a sum of its own.  What comes `ahead` bytes later is wanted
 * next. */
typedef void (*vekt_prelu_columns)(const void *dy, const void *x, const void *slopes, void *dx, double *sums,
                                   ptrdiff_t n, ptrdiff_t ahead);
/* Contiguous elements of a 16-bit format to float, and back with one rounding.  Any alignment. */
typedef struct {
    void (*widen)(float *dst, const char *src, ptrdiff_t n);
    void (*narrow)(char *dst, const float *src, ptrdiff_t n);
} vekt_storage;

/* Elements as reductions take them: those of VEKT_F32 and VEKT_F64, and integers. */
enum { VEKT_I8 = VEKT_N_DTYPES, VEKT_I16, VEKT_I32, VEKT_I64, VEKT_N_ELEMENTS };
/* A result, or one so far: a double for both kinds of real elements, otherwise an integer. */
typedef union {
    double real;
    int64_t integer; /* modulo 2^64 */
} vekt_number;
/* What reductions, norms and cosines are made of.  y is read by VEKT_SUM_PRODUCTS, but is always an address as good
 * as x.  Integers have VEKT_SUM, VEKT_GREATEST and VEKT_COUNT_NONZERO only, of signed elements x ^ key (but for the
 * last), with the int64_t key at y: it turns unsigned numbers into signed ones, and their order round.  Those of 64
 * bits have VEKT_PRODUCT, too. */
enum {
    VEKT_SUM_ABSOLUTE,
    VEKT_SUM_SQUARES,
    VEKT_SUM_PRODUCTS,
    VEKT_COUNT_NONZERO, /* NaN is not zero */
    VEKT_MAX_ABSOLUTE,  /* NaN where there is one, as in all of them */
    VEKT_MIN_ABSOLUTE,
    VEKT_SUM,
    VEKT_GREATEST, /* of none -infinity, or the least integer */
    VEKT_LEAST,
    VEKT_PRODUCT,         /* NaN where it, or a part of it, is not within VEKT_SAFE_PRODUCTS */
    VEKT_SUM_NUMBERS,     /* of what is not NaN */
    VEKT_GREATEST_NUMBER, /* of none NaN */
    VEKT_LEAST_NUMBER,
    VEKT_N_TERMS,
    VEKT_COSINE = VEKT_N_TERMS /* made of three of them: norms.c */
};
#define VEKT_SAFE_SQUARES 0x1p900 /* and its inverse */
#define VEKT_SAFE_PRODUCTS 0x1p900
typedef struct {
    /* Of n contiguous elements, 65,536 bytes at most or 16,384; 0, or infinity for the minimum, of none. */
    vekt_number (*block)(const void *x, const void *y, ptrdiff_t n);
    /* Takes a few rows of n elements into n results; the steps from row to row are in bytes. */
    void (*columns)(const void *x, ptrdiff_t x_step, const void *y, ptrdiff_t y_step, ptrdiff_t rows,
                    vekt_number *results, ptrdiff_t n);
} vekt_term;
/* Moments (reduce/moments.h) of n contiguous elements; and those of n columns, of which `width` numbers of each kind
 * stand for earlier rows, with those of a few more. */
typedef struct {
    void (*block)(const void *x, ptrdiff_t n, double *moments);
    void (*columns)(const void *x, ptrdiff_t step, ptrdiff_t rows, vekt_number *moments, ptrdiff_t width,
                    ptrdiff_t n);
} vekt_moments;
/* Running sums or products of n contiguous elements, of which carry knows what comes before; and of n columns, of
 * which up to eight rows are taken at a time, in steps of bytes: eight where more follow.  y may be x. */
typedef struct {
    void (*row)(const void *x, void *y, vekt_number *carry, ptrdiff_t n);
    void (*columns)(const void *x, ptrdiff_t x_step, void *y, ptrdiff_t y_step, ptrdiff_t rows, vekt_number *carry,
                    ptrdiff_t n);
} vekt_scan;
enum { VEKT_SCAN_SUM, VEKT_SCAN_PROD, VEKT_N_SCAN_OPS };
/* The greatest of each of n columns, and the first row in which it stands, counted from `first`; the first NaN where
 * there is one.  Rows as above; with a key other than 0 the least of real numbers, and elements are x ^ key of
 * integers.  Where not `fresh`, best and at hold what is known of earlier rows. */
typedef void (*vekt_places)(const void *x, ptrdiff_t step, int64_t key, ptrdiff_t rows, ptrdiff_t first, int fresh,
                            vekt_number *best, vekt_number *at, ptrdiff_t n);
/* The first of n elements, step bytes apart, that is equal to a value, NaN to NaN; n where none is. */
typedef ptrdiff_t (*vekt_find)(const void *x, ptrdiff_t step, vekt_number value, ptrdiff_t n);
/* What the k greatest are found by, of any alignment.  n_groups is a multiple of VEKT_GROUP_LANES; element i is of
 * group i % n_groups.  NaN is above all numbers, though a number after it may take its place in a group. */
enum { VEKT_GROUP_LANES = 16 };
typedef struct {
    void (*greatest)(void *groups, ptrdiff_t n_groups, const void *x, ptrdiff_t n); /* of the groups and of x */
    /* Writes the places of elements that are not below a bound, or are above it; NaN is no bound.  Returns how many
     * they are. */
    ptrdiff_t (*places)(int32_t *places, const void *x, ptrdiff_t n, const void *bound, int above);
} vekt_selection;
/* Roots of n sums of squares, rounded to the dtype.  0 if one of doubles is not within the limits beyond which
 * squares have overflowed or lost bits; those of floats cannot be. */
typedef int (*vekt_square_roots)(void *out, const double *squares, ptrdiff_t n);

/* Element j of row l, from src + l * src_step + j * size to dst + j * dst_step + l * size. */
enum { VEKT_N_TRANSPOSES = 5 }; /* of 1, 2, 4, 8, 16 bytes */
typedef void (*vekt_transpose)(void *dst, ptrdiff_t dst_step, const void *src, ptrdiff_t src_step, ptrdiff_t rows,
                               ptrdiff_t n);
/* c[i, j] = a[i] * b[j]; b and the rows of c are contiguous.  The steps are in bytes. */
typedef void (*vekt_outer_kernel)(void *c, ptrdiff_t row_step, const void *a, ptrdiff_t a_step, const void *b,
                                  ptrdiff_t m, ptrdiff_t n);

/* A step of an optimiser over contiguous elements, in place; ops/optim.h tells what the numbers are. */
enum { VEKT_SGD, VEKT_RMSPROP, VEKT_ADAM, VEKT_N_OPTIMS };
enum { VEKT_OPTIM_NUMBERS = 10 };
typedef struct {
    int kind;      /* VEKT_SGD... */
    void *p;       /* parameters */
    const void *g; /* their gradients; may be the memory of p */
    void *m, *v;   /* states, or NULL */
    double numbers[VEKT_OPTIM_NUMBERS];
} vekt_optim_call;
typedef void (*vekt_optim_kernel)(const vekt_optim_call *call, ptrdiff_t n);

struct vekt_products; /* matmul.h */

/* Everything that is compiled once per instruction set. */
typedef struct vekt_target {
    const char *isa;
    int vector_bytes;
    int n_kernels;
    const vekt_kernel *kernels;
    const vekt_dot_block *dot_block; /* for each VEKT_PRODUCT of matmul.h */
    vekt_row_kernels rows[VEKT_N_ROW_OPS][VEKT_N_DTYPES];
    vekt_loop prelu[VEKT_N_DTYPES]; /* of leaky_relu: x, slope -> y */
    vekt_prelu_block prelu_block[VEKT_N_DTYPES];
    vekt_prelu_columns prelu_columns[VEKT_N_DTYPES];
    vekt_storage half, bfloat16;
    vekt_term terms[VEKT_N_TERMS][VEKT_N_ELEMENTS];
    vekt_moments moments[2][VEKT_N_DTYPES];            /* of all elements; of those that are not NaN */
    vekt_scan scans[VEKT_N_SCAN_OPS][VEKT_N_ELEMENTS]; /* of floats, doubles and VEKT_I64 */
    vekt_find find[VEKT_N_ELEMENTS];
    vekt_places places[VEKT_N_ELEMENTS];
    int n_arithmetic;
    const vekt_typed_kernel *arithmetic;
    vekt_conversion convert[VEKT_N_TYPES]
                           [VEKT_N_TYPES]; /* [from][to]; NULL where speed has not mattered: convert.h */
    void (*swap)(char *to, const char *from, int item, ptrdiff_t n); /* the bytes of each item */
    vekt_selection selections[VEKT_N_ELEMENTS];                      /* none of VEKT_I8 and VEKT_I16 */
    vekt_square_roots square_roots[VEKT_N_DTYPES];
    vekt_transpose transpose[VEKT_N_TRANSPOSES];
    vekt_outer_kernel outer[VEKT_N_DTYPES];
    vekt_optim_kernel optim[VEKT_N_DTYPES];
    const struct vekt_products *products;
    /* Copy with stores that bypass the cache; for outputs far larger than it. */
    void (*stream)(void *dst, const void *src, size_t bytes);
} vekt_target;

/* dispatch.c */
int vekt_n_targets(void);                 /* compiled into this binary, best first */
const vekt_target *vekt_target_at(int i); /* i in [0, vekt_n_targets()) */
int vekt_target_supported(int i);         /* does this CPU run it? */
/* Best supported target not above the named one; NULL or "" means no cap; unknown name: NULL. */
const vekt_target *vekt_select_target(const char *cap);

/* threads.c */
typedef void (*vekt_task)(void *context, ptrdiff_t begin, ptrdiff_t end);
/* Runs task over [0, n) in pieces whose boundaries are multiples of grain; returns when all are done.
 * The caller works too.  Serial when nested, when another thread holds the pool, or when one thread
 * is allowed.  A forked child starts a pool of its own. */
void vekt_parallel_for(ptrdiff_t n, ptrdiff_t grain, vekt_task task, void *context);
int vekt_get_num_threads(void);        /* limit that applies to the calling thread */
void vekt_set_num_threads(int n);      /* process-wide limit, n >= 1 */
int vekt_set_local_num_threads(int n); /* calling thread's own limit, 0 = none; returns the former */

#endif
