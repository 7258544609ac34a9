/* From kernels on contiguous operands to calls on any layout; and the one table the bindings need. */
#ifndef VEKT_DRIVERS_H
#define VEKT_DRIVERS_H

#include "linalg/dense.h"
#include "engine/iterate.h"
#include "linalg/matmul.h"
#include "runtime/blocks.h"
#include "runtime/interrupt.h"
#include "reduce/reduce_operation.h"

/* How the elements of a call lie in memory.  Both kinds of 16 bits compute as float32; reductions take 64-bit
 * integers as doubles where they are asked for a mean, and any type as another where a call says so. */
enum { VEKT_NATIVE, VEKT_HALF, VEKT_BFLOAT16, VEKT_WIDE_SIGNED, VEKT_WIDE_UNSIGNED, VEKT_CONVERTED };

/* elementwise.c: runs a kernel over n elements of operands with any byte steps and alignment.
 * Threads and non-temporal stores are used where they pay.  The floating-point environment of the
 * caller, flags included, is as before afterwards.  Where an output overlaps an input other than
 * exactly, elements are computed in order: one by one for two inputs and one output (reduce and
 * accumulate), otherwise in blocks (for outputs that trail behind their input).  The last n_floats inputs,
 * parameters, are floats beside operands of 16 bits. */
void vekt_elementwise(const vekt_target *target, const vekt_kernel *kernel, int format, int n_floats,
                      char *const *args, const ptrdiff_t *steps, ptrdiff_t n);

/* dot.c: sum of x[i]*y[i] of a VEKT_PRODUCT type, any byte steps and alignment; `from` as in vekt_product.  Blocks of
 * VEKT_DOT_BLOCK are added pairwise in double, so the bits depend on the values alone, not on
 * threads or strides.  The result is rounded to its type once, 16-bit ones by way of float.
 * Returns -1 where memory for the partial sums is missing, otherwise 0. */
int vekt_dot(const vekt_target *target, int type, const char *x, ptrdiff_t x_step, const char *y, ptrdiff_t y_step,
             ptrdiff_t n, const uint8_t from[2], void *result);

/* rows.c: a function of rows on operands of any layout.  Dimensions 0 to n_outer - 1 count the rows, the n_inner ones
 * after them the elements of a row; steps are in bytes, 0 for broadcast inputs.  Operands are NULL where the function
 * has none; where is a mask of bytes for x.  out is the very memory of an input or does not overlap it.  Returns -1
 * where scratch memory is missing, otherwise 0.  Rows of no elements are left to the caller. */
enum {
    VEKT_ROWS_X,
    VEKT_ROWS_Y,
    VEKT_ROWS_WHERE,
    VEKT_ROWS_SCALAR,
    VEKT_ROWS_OUT,    /* may be missing from cross entropy, whose y it does not overlap */
    VEKT_ROWS_LABEL,  /* int64, one for each row, within the row or negative; of cross entropy, as is */
    VEKT_ROWS_FACTOR, /* double, one for each row */
    VEKT_ROWS_OPERANDS
};
typedef struct {
    int op, dtype, format, negate;
    int n_outer, n_inner;
    double on_label, everywhere; /* as in vekt_row_call */
    ptrdiff_t shape[VEKT_MAX_DIMS];
    char *data[VEKT_ROWS_OPERANDS];
    ptrdiff_t steps[VEKT_ROWS_OPERANDS][VEKT_MAX_DIMS];
} vekt_rows_call;
int vekt_rows(const vekt_target *target, const vekt_rows_call *call);
/* prelu.c: x, y, dy, dx hold outer * period * inner contiguous elements; the slope of element (o, p, i) is alpha[p].
 * y or dx may be the very memory of x or dy.  The sums of dy*x over the elements that are not positive, one for each
 * slope, are written in sum_dtype.  They are formed in double, in an order that depends on the three lengths alone.
 * Both return -1 where memory is missing, otherwise 0. */
typedef struct {
    ptrdiff_t outer, period, inner;
} vekt_prelu_shape;
int vekt_prelu(const vekt_target *target, int dtype, const vekt_prelu_shape *shape, const void *x, const void *alpha,
               void *y);
int vekt_prelu_backward(const vekt_target *target, int dtype, const vekt_prelu_shape *shape, const void *dy,
                        const void *x, const void *alpha, void *dx, int sum_dtype, void *sums);

/* One dimension of a call: how many elements, and how many bytes from one to the next in each operand; 0 for inputs
 * that are broadcast along it. */
enum { VEKT_DIM_OPERANDS = 3 };
typedef struct {
    ptrdiff_t size;
    ptrdiff_t step[VEKT_DIM_OPERANDS];
} vekt_dim;

/* norms.c: along dimensions n_outer to n_outer + n_inner - 1, one number of `kind` for each index of those before.
 * A kind is a term of norms, whose squares give the root of their sum, or VEKT_COSINE, which alone has a y.  out
 * overlaps neither input.  Of no elements the result is 0, but infinity for the minimum.  Results are representable
 * where squares are not.  Of complex numbers, whose dtype is that of their parts, there are 2-norms alone.  The
 * dimensions are lost, and there is room for one more.  Returns -1 where scratch memory is missing, otherwise 0. */
enum { VEKT_NORM_X, VEKT_NORM_Y, VEKT_NORM_OUT };
typedef struct {
    int kind, dtype, format, is_complex;
    int n_outer, n_inner;
    vekt_dim *dims;
    const char *x, *y;
    char *out;
} vekt_norms_call;
int vekt_norms(const vekt_target *target, const vekt_norms_call *call);

/* reduce.c: along dimensions n_outer to n_outer + n_inner - 1, one number for each index of those before.  Types are
 * those of iterate.h: bool, integers and real floats; out_type must hold what `op` gives: any type for a maximum is
 * the type of x, for positions VEKT_TYPE_I64, for truth VEKT_TYPE_BOOL; sums and means round once to any float, sums
 * and products of integers go modulo 2^64 to 64 bits.  Positions count the elements of a line in the order of the
 * dimensions. There is at least one element in a line, and out does not overlap x.  The dimensions are lost.  Returns
 * -1 where scratch memory is missing, otherwise 0. */
enum {
    VEKT_REDUCE_SUM,
    VEKT_REDUCE_MEAN,
    VEKT_REDUCE_MAX, /* NaN where there is one */
    VEKT_REDUCE_MIN,
    VEKT_REDUCE_ARGMAX, /* the first NaN, or the first of the greatest */
    VEKT_REDUCE_ARGMIN,
    VEKT_REDUCE_ANY,
    VEKT_REDUCE_ALL,
    VEKT_REDUCE_PROD,
    VEKT_REDUCE_COUNT_NONZERO,
    VEKT_REDUCE_VAR,
    VEKT_REDUCE_STD,
    VEKT_REDUCE_MOMENTS, /* means, and variances to a second memory */
    /* Of elements that are not NaN, of real floats alone. */
    VEKT_REDUCE_NANSUM,
    VEKT_REDUCE_NANMEAN,
    VEKT_REDUCE_NANMAX, /* of none NaN */
    VEKT_REDUCE_NANMIN,
    VEKT_REDUCE_NANVAR, /* NaN where there are not more than ddof */
    VEKT_REDUCE_NANSTD,
    VEKT_N_REDUCE_OPS
};
typedef struct {
    int op, type, out_type;
    int n_outer, n_inner;
    vekt_dim *dims; /* operands VEKT_NORM_X and VEKT_NORM_OUT */
    const char *x;
    char *out, *second; /* which is laid out as out is */
    double ddof;        /* to be taken from the number of elements where variances are formed */
} vekt_reduce_call;
int vekt_reduce(const vekt_target *target, const vekt_reduce_call *call);

/* scan.c: running sums or products along the last of the n_outer + 1 dimensions; types as for vekt_reduce's sums. out
 * is the very memory of x or does not overlap it.  The dimensions are lost. */
typedef struct {
    int op, type, out_type;
    int n_outer;
    vekt_dim *dims; /* operands VEKT_NORM_X and VEKT_NORM_OUT */
    const char *x;
    char *out;
} vekt_scan_call;
void vekt_scan_along(const vekt_target *target, const vekt_scan_call *call);

/* transpose.c: copies elements of `item` bytes to contiguous memory, in the order of the dimensions: the last one
 * fastest.  step[0] is the source's, step[1] the copy's.  The two do not overlap.  The dimensions are lost. */
void vekt_transpose_copy(const vekt_target *target, ptrdiff_t item, vekt_dim *dims, int n, const void *src,
                         void *dst);

/* outer.c: c[i, j] = a[i] * b[j], with b and c contiguous. */
void vekt_outer(const vekt_target *target, int dtype, const void *a, ptrdiff_t a_step, ptrdiff_t m, const void *b,
                ptrdiff_t n, void *c);

/* top_k.c: of rows of n contiguous elements of a type of real numbers, which may be swapped, the k <= n greatest in
 * falling order, equal ones in that of their places; NaN is above all others.  Indices are int64; they and the values
 * are contiguous.  The dimensions count the rows, with steps in x.  Returns -1 where memory is missing, otherwise 0.
 */
typedef struct {
    int type;
    ptrdiff_t n, k;
    const vekt_dim *dims;
    int n_dims;
    const char *x;
    char *values, *indices;
} vekt_top_k_call;
int vekt_top_k(const vekt_target *target, const vekt_top_k_call *call);

/* take.c: out[o, j, ...] = x[o, indices[j], ...] of elements of `item` bytes.  Dimensions 0 to n_outer - 1 are those
 * before the axis, the n_inner ones after them those behind it, with steps in x; out is contiguous.  Indices are
 * within the axis.  out overlaps neither.  The dimensions are lost. */
typedef struct {
    ptrdiff_t item, count; /* of the indices */
    int n_outer, n_inner;
    vekt_dim *dims;
    const int64_t *indices;
    const char *x;
    ptrdiff_t step; /* along the axis */
    char *out;
} vekt_take_call;
void vekt_take(const vekt_target *target, const vekt_take_call *call);

/* scatter.c: x[o, indices[j], :] += values[o, j, :], rounded each time, where j rises for each element of x.  Of any
 * vekt_type in native order; truth values are or-ed, integers wrap around.  The last `inner` elements of either are
 * contiguous, so are values; the dimensions are those before the axis, with steps in x.  Indices are within the axis
 * of `length` elements.  Elements of x do not overlap each other, nor anything else. */
typedef struct {
    int type;
    ptrdiff_t length, step, count, inner;
    int n_outer;
    const vekt_dim *dims;
    const int64_t *indices;
    char *x;
    const char *values;
} vekt_scatter_call;
void vekt_scatter_add(const vekt_target *target, const vekt_scatter_call *call);

/* scatter.c: writes `one`, of `item` bytes, to place indices[i] along an axis of `length` elements, where there is
 * such a place.  The dimensions count the indices, with steps in out. */
void vekt_mark(const int64_t *indices, const vekt_dim *dims, int n_dims, ptrdiff_t length, ptrdiff_t step,
               ptrdiff_t item, const char *one, char *out);

/* optim.c: one step of an optimiser on n elements.  The states do not overlap the others. */
void vekt_optim_step(const vekt_target *target, int dtype, const vekt_optim_call *call, ptrdiff_t n);

/* What vekt._ufuncs uses of vekt._kernels: it is handed the address of this at import. */
typedef struct {
    int (*n_targets)(void);
    const vekt_target *(*target_at)(int i);
    void (*elementwise)(const vekt_target *target, const vekt_kernel *kernel, int format, int n_floats,
                        char *const *args, const ptrdiff_t *steps, ptrdiff_t n);
    int (*dot)(const vekt_target *target, int type, const char *x, ptrdiff_t x_step, const char *y, ptrdiff_t y_step,
               ptrdiff_t n, const uint8_t from[2], void *result);
    int (*rows)(const vekt_target *target, const vekt_rows_call *call);
    int (*prelu)(const vekt_target *target, int dtype, const vekt_prelu_shape *shape, const void *x,
                 const void *alpha, void *y);
    int (*prelu_backward)(const vekt_target *target, int dtype, const vekt_prelu_shape *shape, const void *dy,
                          const void *x, const void *alpha, void *dx, int sum_dtype, void *sums);
    int (*norms)(const vekt_target *target, const vekt_norms_call *call);
    int (*reduce)(const vekt_target *target, const vekt_reduce_call *call);
    void (*scan)(const vekt_target *target, const vekt_scan_call *call);
    void (*transpose_copy)(const vekt_target *target, ptrdiff_t item, vekt_dim *dims, int n, const void *src,
                           void *dst);
    void (*outer)(const vekt_target *target, int dtype, const void *a, ptrdiff_t a_step, ptrdiff_t m, const void *b,
                  ptrdiff_t n, void *c);
    int (*top_k)(const vekt_target *target, const vekt_top_k_call *call);
    void (*take)(const vekt_target *target, const vekt_take_call *call);
    void (*scatter_add)(const vekt_target *target, const vekt_scatter_call *call);
    void (*mark)(const int64_t *indices, const vekt_dim *dims, int n_dims, ptrdiff_t length, ptrdiff_t step,
                 ptrdiff_t item, const char *one, char *out);
    int (*matmul)(const vekt_target *target, int type, const vekt_product *product);
    int (*matmul_stack)(const vekt_target *target, int type, const vekt_product *first, ptrdiff_t count,
                        const ptrdiff_t steps[3]);
    size_t (*packed_bytes)(const vekt_target *target, int dtype, ptrdiff_t k, ptrdiff_t n);
    void (*pack)(const vekt_target *target, int dtype, void *packed, const vekt_matrix *b, ptrdiff_t k, ptrdiff_t n);
    void (*optim_step)(const vekt_target *target, int dtype, const vekt_optim_call *call, ptrdiff_t n);
    int (*dense_backward)(const vekt_target *target, int dtype, const vekt_dense_call *call);
    int (*iterate)(const vekt_target *target, vekt_iteration *iteration);
    int (*reduce_operation)(const vekt_target *target, vekt_reduction *reduction);
    void *(*workspace)(int slot, size_t bytes);
    void *(*take_block)(size_t bytes, int zeros);
    void *(*resize_block)(void *block, size_t bytes);
    void (*release_block)(void *block);
    int (*memory_is_limited)(void);
    void (*keep_blocks)(size_t bytes);
    size_t (*kept_bytes)(void);
    void (*set_poll)(vekt_poll poll, int64_t nanoseconds);
    void (*call_begins)(void);
    int (*call_ends)(void);
    int (*type_bytes)(int type);
    void (*convert)(const vekt_target *target, int to, void *dst, int from, const void *src, ptrdiff_t n);
} vekt_api;

const vekt_api *vekt_drivers(void);

#endif
