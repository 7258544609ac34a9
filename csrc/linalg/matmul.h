/* Matrix products: the contract between the kernels, the drivers above them and the bindings. */
#ifndef VEKT_MATMUL_H
#define VEKT_MATMUL_H

#include "vekt.h"

/* What a product is computed in.  Integers are modulo 2^bits, so signed and unsigned ones share a kernel.  Both kinds
 * of 16-bit floats are summed in float and rounded once. */
enum {
    VEKT_PRODUCT_F32,
    VEKT_PRODUCT_F64,
    VEKT_PRODUCT_HALF,
    VEKT_PRODUCT_BFLOAT16,
    VEKT_PRODUCT_I8,
    VEKT_PRODUCT_I16,
    VEKT_PRODUCT_I32,
    VEKT_PRODUCT_I64,
    VEKT_PRODUCT_BOOL, /* a byte: or of ands; nonzero counts as true, results are 0 and 1 */
    VEKT_PRODUCT_C64,  /* two floats */
    VEKT_PRODUCT_C128, /* two doubles */
    VEKT_N_PRODUCTS
};

/* Element (i, j) lies at data + i * row + j * col: steps in bytes, of any sign and alignment, 0 for broadcast inputs.
 */
typedef struct {
    char *data;
    ptrdiff_t row, col;
} vekt_matrix;

/* What becomes of an element of float32 or float64 once its sum is complete: c = activation(c + bias). */
typedef struct {
    vekt_matrix bias;          /* of the dtype, with steps 0 where it is broadcast; data NULL for none */
    vekt_matrix preactivation; /* c + bias is written here; data NULL for nowhere */
    vekt_loop activation;      /* x, params -> y of the dtype; NULL for none */
    int is_relu;               /* it is relu, whose bits are those of v_max(0, x) */
    int n_params;
    char *params[VEKT_MAX_ARGS]; /* splats: VEKT_SPLAT_BYTES each, 64-byte aligned */
} vekt_epilogue;

/* c (m, n) = a (m, k) b (k, n), or c += a b.  c overlaps neither a nor b.  k may be 0: then the product is 0.
 *
 * Each element of a float32 or float64 product is a sum over runs of VEKT_PRODUCT_RUN consecutive indices of k; a run
 * is one chain of v_mad in rising k that begins with 0, and runs are added in their order, to c if `accumulate`.
 * So an element's bits depend on its row of a and its column of b alone: not on m and n, its place, the layouts,
 * or the number of threads.  (One column, n = 1, has its own order: that of dot.)
 *
 * Complex products are four real ones, of their parts: a run of re*re or re*im is added before that of im*im or
 * im*re.
 *
 * Unless `invariant`, one row of floats or complex numbers (m = 1, k > 64) times contiguous columns of b has the
 * order of dot, too: up to twice as quick, but other bits than in a larger batch or another layout of b. */
enum { VEKT_PRODUCT_RUN = 256 };
enum { VEKT_CONJUGATE_A = 1, VEKT_CONJUGATE_B };
typedef struct {
    ptrdiff_t m, n, k;
    vekt_matrix a, b, c;
    const void *packed; /* b as `pack` left it, then b.data is unused; NULL otherwise */
    int accumulate;
    int invariant;                 /* that order for one row, too */
    int conjugate;                 /* which complex operand counts as its conjugate; b's is for n = 1 alone */
    const vekt_epilogue *epilogue; /* NULL for none */
    /* Elements of a and b that are to be converted: 1 + their vekt_type, which may be swapped; 0 where they are the
     * product's own.  Kernels see 0 alone. */
    uint8_t from[2];
} vekt_product;

/* One thread's work.  Returns -1 where scratch memory is missing, otherwise 0.  The default floating-point
 * environment is set. */
typedef int (*vekt_product_kernel)(const vekt_product *product);

/* `count` products of the same shape; their operands are steps[0], steps[1], steps[2] bytes apart.  Returns 1, 0
 * where one after the other is as quick, or -1 where scratch memory is missing. */
typedef int (*vekt_stack_kernel)(const vekt_product *first, ptrdiff_t count, const ptrdiff_t steps[3]);

/* Compiled once per instruction set, in gemm.c, apart from the other kernels: microkernels want other flags. */
typedef struct vekt_products {
    vekt_product_kernel product[VEKT_N_PRODUCTS];
    vekt_stack_kernel stack[VEKT_N_PRODUCTS];
    /* c of int32, exact modulo 2^32: of int16, and of bytes, of which `from` says whether they have a sign.  The
     * latter returns 1, 0 where it leaves the product to others, or -1. */
    vekt_product_kernel i16_to_i32, bytes_to_i32;
    /* b in the order in which the float32 and float64 kernels read it, its bits untouched, with zeros where no
     * element stands; the address is 64-byte aligned */
    size_t (*packed_bytes[VEKT_N_DTYPES])(ptrdiff_t k, ptrdiff_t n);
    void (*pack[VEKT_N_DTYPES])(void *packed, const vekt_matrix *b, ptrdiff_t k, ptrdiff_t n);
    /* runs v_mad in registers, to measure the limit of all products; returns the number of operations */
    double (*peak[VEKT_N_DTYPES])(ptrdiff_t steps);
    /* adds m rows of n contiguous elements, `step` bytes apart, to n sums: row after row */
    void (*add_rows[VEKT_N_DTYPES])(double *sums, const void *rows, ptrdiff_t step, ptrdiff_t m, ptrdiff_t n);
} vekt_products;

/* workspace.c: scratch memory of the calling thread, 64-byte aligned, kept until the thread ends.  A slot's contents
 * are lost with the next request for it.  NULL where memory is missing. */
enum {
    VEKT_WORKSPACE_A,       /* packed a */
    VEKT_WORKSPACE_B,       /* packed b */
    VEKT_WORKSPACE_STAGE,   /* operands brought into another layout or dtype */
    VEKT_WORKSPACE_RESULT,  /* results on the way to another layout or dtype */
    VEKT_WORKSPACE_PLANES,  /* blocks of 16-bit floats as floats, of complex numbers as planes */
    VEKT_WORKSPACE_DZ,      /* the gradient of a layer's pre-activation */
    VEKT_WORKSPACE_BOX,     /* operands of a box: iterate.c */
    VEKT_WORKSPACE_REDUCED, /* outputs on the way to their sums, and these */
    VEKT_WORKSPACE_PROGRAM, /* values of a program: program.c */
    VEKT_WORKSPACE_MIXED,   /* panels of operands of another type than the product: mixed.c */
    VEKT_N_WORKSPACES
};
void *vekt_workspace(int slot, size_t bytes);
void vekt_workspace_apart(int is_apart); /* whether the calling thread uses another set of them */

/* matmul.c: on all threads where that pays; the caller's floating-point environment comes back untouched.
 * -1 where memory is missing, otherwise 0. */
int vekt_matmul(const vekt_target *target, int type, const vekt_product *product);
int vekt_matmul_serial(const vekt_target *target, int type, const vekt_product *product);
int vekt_matmul_stack(const vekt_target *target, int type, const vekt_product *first, ptrdiff_t count,
                      const ptrdiff_t steps[3]);

/* mixed.c: vekt_type of the elements of each product; of integers, the signed one. */
extern const uint8_t vekt_product_elements[VEKT_N_PRODUCTS];
/* mixed.c: the work of one thread on a stack of products whose operands are to be converted; the default
 * floating-point environment is set.  Every element has the bits that it has where operands are cast as a whole, in
 * the order of their strides.  -1 where memory is missing, otherwise 0. */
int vekt_mixed_products(const vekt_target *target, int type, const vekt_product *first, ptrdiff_t count,
                        const ptrdiff_t steps[3]);
size_t vekt_packed_bytes(const vekt_target *target, int dtype, ptrdiff_t k, ptrdiff_t n);
void vekt_pack(const vekt_target *target, int dtype, void *packed, const vekt_matrix *b, ptrdiff_t k, ptrdiff_t n);

#endif
