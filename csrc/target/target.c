/* Everything that is compiled once per instruction set, but for the matrix products in gemm.c.  -DVEKT_ISA=NAME names
 * the one symbol that leaves this file; all else is static, or the linker might keep one target's copy for all. */

#include "vmath/angle.h"
#include "linalg/matmul.h"
#include "reduce/moments.h"

#include <float.h>
#include <math.h>

#include "simd/simd.h"
#include "simd/formats.h"
#include "vmath/constants.h"
#include "vmath/limits.h"

/* double first: gelu_tanh_grad_f32.h uses its lanes */
#define SHORT_PATH(u, limit, y)
#define SHORT_WHERE_VALID(full) (full)
#include "simd/as_f64.h"
#include "simd/swap.h"
#include "vmath/vmath.h"
#include "vmath/log.h"
#include "ops/activations.h"
#include "ops/logarithm.h"
#include "ops/exponentials.h"
#include "ops/logarithms.h"
#include "ops/error_function.h"
#include "ops/sine_f64.h"
#include "ops/arithmetic.h"
#include "ops/power.h"
#include "ops/roots.h"
#include "ops/arctan.h"
#include "ops/logaddexp_f64.h"
#include "ops/gates.h"
#include "ops/losses.h"
#include "ops/dot.h"
#include "ops/dot_complex.h"
#include "ops/reduce.h"
#include "ops/extremes.h"
#include "ops/moments.h"
#include "ops/choose.h"
#include "ops/scan.h"
#include "ops/outer.h"
#include "ops/loops.h"
#include "rows/lanes.h"
#include "rows/softmax.h"
#include "rows/sparsemax.h"
#include "rows/backward.h"
#include "rows/cross_entropy.h"
#include "simd/transpose.h"
#include "rows/pack.h"
#include "rows/kernels.h"
#include "ops/prelu.h"
#include "ops/optim.h"
#include "simd/as_none.h"

#undef SHORT_PATH
#undef SHORT_WHERE_VALID
#define SHORT_PATH(u, limit, y)                               \
    const mask_f32 short_valid = v_lt(u, v_splat_f32(limit)); \
    const vf32 short_y = y;                                   \
    if (__builtin_expect(v_all(short_valid), 1)) return short_y
#define SHORT_WHERE_VALID(full) v_select(short_valid, short_y, full)
#include "simd/as_f32.h"
#include "simd/swap.h"
#include "vmath/vmath.h"
#include "vmath/log.h"
#include "vmath/quotient.h"
#include "ops/short_f32.h"
#include "ops/gelu_tanh_grad_f32.h"
#include "ops/activations.h"
#include "ops/logarithm.h"
#include "ops/exponentials.h"
#include "ops/logarithms.h"
#include "ops/error_function.h"
#include "ops/sine_f32.h"
#include "ops/arithmetic.h"
#include "ops/power.h"
#include "ops/roots.h"
#include "ops/arctan.h"
#include "ops/logaddexp_f32.h"
#include "ops/gates.h"
#include "ops/losses.h"
#include "ops/dot.h"
#include "ops/dot_complex.h"
#include "ops/reduce.h"
#include "ops/extremes.h"
#include "ops/moments.h"
#include "ops/choose.h"
#include "ops/scan.h"
#include "ops/outer.h"
#include "ops/sum_squares_f32.h"
#include "ops/loops.h"
#include "rows/lanes.h"
#include "rows/softmax.h"
#include "rows/sparsemax.h"
#include "rows/backward.h"
#include "rows/cross_entropy.h"
#include "simd/transpose.h"
#include "rows/pack.h"
#include "rows/kernels.h"
#include "ops/prelu.h"
#include "ops/optim.h"
#include "simd/as_none.h"

#include "ops/dot_integers.h"
#include "ops/reduce_integers.h"
#include "ops/dot_blocks.h"
#include "rows/transpose.h"
#include "simd/convert.h"
#include "simd/byte_order.h"
#include "ops/select.h"
#include "ops/integers.h"

/* A vector holds half as many doubles, and their polynomials are nearly twice as long: three times the cost. */
#define ACTIVATION_ROWS(type, TYPE, name, nparams, value, grad)                  \
    {#name, TYPE, 1 + nparams, 1, value, name##_##type},                         \
        {#name "_backward", TYPE, 2 + nparams, 1, grad, name##_backward_##type}, \
        {#name "_value_and_grad", TYPE, 1 + nparams, 2, value + grad, name##_value_and_grad_##type},
#define FROM_OUTPUT_ROW(type, TYPE, name, nparams, cost) \
    {#name "_backward_from_output", TYPE, 2 + nparams, 1, cost, name##_backward_from_output_##type},
#define F32_ROWS(...) ACTIVATION_ROWS(f32, VEKT_F32, __VA_ARGS__)
#define F64_ROWS(name, nparams, value, grad) ACTIVATION_ROWS(f64, VEKT_F64, name, nparams, 3 * (value), 3 * (grad))
#define F32_ROW(...) FROM_OUTPUT_ROW(f32, VEKT_F32, __VA_ARGS__)
#define F64_ROW(name, nparams, cost) FROM_OUTPUT_ROW(f64, VEKT_F64, name, nparams, 3 * (cost))
#define GATE_ROWS(type, TYPE, name, value, grad) \
    {#name, TYPE, 2, 1, value, name##_##type}, {#name "_backward", TYPE, 3, 2, grad, name##_backward_##type},
#define F32_GATE(name, activation, gate, value, grad) GATE_ROWS(f32, VEKT_F32, name, value, grad)
#define F64_GATE(name, activation, gate, value, grad) GATE_ROWS(f64, VEKT_F64, name, 3 * (value), 3 * (grad))

#define LOSS_ROWS(type, TYPE, name, nparams, value, grad)                        \
    {#name, TYPE, 2 + nparams, 1, value, name##_##type},                         \
        {#name "_backward", TYPE, 3 + nparams, 1, grad, name##_backward_##type}, \
        {#name "_value_and_grad", TYPE, 2 + nparams, 2, value + grad, name##_value_and_grad_##type},
#define F32_LOSS(...) LOSS_ROWS(f32, VEKT_F32, __VA_ARGS__)
#define F64_LOSS(name, nparams, value, grad) LOSS_ROWS(f64, VEKT_F64, name, nparams, 2 * (value), 2 * (grad))

static const vekt_kernel kernels[] = {VEKT_ACTIVATIONS(F32_ROWS) VEKT_ACTIVATIONS(F64_ROWS)
                                          VEKT_ACTIVATIONS_FROM_OUTPUT(F32_ROW) VEKT_ACTIVATIONS_FROM_OUTPUT(F64_ROW)
                                              VEKT_GATES(F32_GATE) VEKT_GATES(F64_GATE) VEKT_LOSSES(F32_LOSS)
                                                  VEKT_LOSSES(F64_LOSS)};

#define ARITHMETIC_ROW(type, TYPE, name, nin, cost) \
    {#name, {TYPE, TYPE, TYPE, TYPE}, nin, 1, cost, arithmetic_##name##_##type},
#define F32_ARITHMETIC(...) ARITHMETIC_ROW(f32, VEKT_TYPE_F32, __VA_ARGS__)
#define F64_ARITHMETIC(name, nin, cost) ARITHMETIC_ROW(f64, VEKT_TYPE_F64, name, nin, 2 * (cost))
#define F32_FUNCTION(name, cost) F32_ARITHMETIC(name, 1, cost)
#define F64_FUNCTION(name, cost) F64_ARITHMETIC(name, 1, cost)
static const vekt_typed_kernel arithmetic[] = {
    VEKT_ARITHMETIC(F32_ARITHMETIC) VEKT_ARITHMETIC(F64_ARITHMETIC) VEKT_GUARDED(F32_FUNCTION)
        VEKT_GUARDED(F64_FUNCTION) VEKT_FUNCTIONS(F32_FUNCTION) VEKT_FUNCTIONS(F64_FUNCTION)
            VEKT_QUICK(F32_ARITHMETIC) VEKT_QUICK(F64_ARITHMETIC) VEKT_WHERE_ROWS VEKT_INTEGER_ROWS};

/* Picoseconds per element, of double as above. */
#define ROW_PAIR(name, cost)                                                                      \
    {                                                                                             \
        {cost, name##_row_f32, name##_panel_f32, pack_f32, unpack_f32, transpose_rows_f32},       \
        {3 * (cost), name##_row_f64, name##_panel_f64, pack_f64, unpack_f64, transpose_rows_f64}, \
    }

#define REAL_TERMS(name) \
    {name##_block_f32, name##_columns_f32}, { name##_block_f64, name##_columns_f64 }
#define SCAN(name)                                                                                        \
    [VEKT_F32] = {name##_row_f32, name##_columns_f32}, [VEKT_F64] = {name##_row_f64, name##_columns_f64}, \
    [VEKT_I64] = {name##_row_i64, name##_columns_i64}
#define INTEGER_TERMS(name)                                                       \
    {name##_block_i8, name##_columns_i8}, {name##_block_i16, name##_columns_i16}, \
        {name##_block_i32, name##_columns_i32}, {                                 \
        name##_block_i64, name##_columns_i64                                      \
    }

static void stream(void *dst, const void *src, size_t bytes) {
    char *p = dst;
    const char *q = src;
    size_t head = -(uintptr_t)p % VEKT_VECTOR_BYTES;
    if (head > bytes) head = bytes;
    memcpy(p, q, head);
    for (p += head, q += head, bytes -= head; bytes >= VEKT_VECTOR_BYTES;
         p += VEKT_VECTOR_BYTES, q += VEKT_VECTOR_BYTES, bytes -= VEKT_VECTOR_BYTES)
        v_stream(p, q);
    memcpy(p, q, bytes);
    v_stream_fence();
}

#define JOIN(a, b) a##b
#define SYMBOL(isa) JOIN(vekt_target_, isa)
#define PRODUCTS(isa) JOIN(vekt_products_, isa)
#define STRING(x) #x
#define NAME(isa) STRING(isa)

extern const struct vekt_products PRODUCTS(VEKT_ISA);

const vekt_target SYMBOL(VEKT_ISA) = {
    .isa = NAME(VEKT_ISA),
    .vector_bytes = VEKT_VECTOR_BYTES,
    .n_kernels = sizeof kernels / sizeof *kernels,
    .kernels = kernels,
    .dot_block = dot_blocks,
    .rows =
        {
            [VEKT_SOFTMAX] = ROW_PAIR(softmax, 400),
            [VEKT_LOG_SOFTMAX] = ROW_PAIR(log_softmax, 400),
            [VEKT_LOGSUMEXP] = ROW_PAIR(log_softmax, 300),
            [VEKT_SPARSEMAX] = ROW_PAIR(sparsemax, 2000),
            [VEKT_SOFTMAX_BACKWARD] = ROW_PAIR(softmax_gradient, 400),
            [VEKT_LOG_SOFTMAX_BACKWARD] = ROW_PAIR(log_softmax_gradient, 500),
            [VEKT_LOGSUMEXP_BACKWARD] = ROW_PAIR(softmax, 400),
            [VEKT_SPARSEMAX_BACKWARD] = ROW_PAIR(sparsemax_gradient, 400),
            [VEKT_CROSS_ENTROPY] = ROW_PAIR(cross_entropy, 700),
        },
    .prelu = {[VEKT_F32] = leaky_relu_f32, [VEKT_F64] = leaky_relu_f64},
    .prelu_block = {[VEKT_F32] = prelu_block_f32, [VEKT_F64] = prelu_block_f64},
    .prelu_columns = {[VEKT_F32] = prelu_columns_f32, [VEKT_F64] = prelu_columns_f64},
    .terms =
        {
            [VEKT_SUM_ABSOLUTE] = {REAL_TERMS(sum_absolute)},
            [VEKT_SUM_SQUARES] = {{short_sum_squares_block_f32, sum_squares_columns_f32},
                                  {sum_squares_block_f64, sum_squares_columns_f64}},
            [VEKT_SUM_PRODUCTS] = {REAL_TERMS(sum_products)},
            [VEKT_COUNT_NONZERO] = {REAL_TERMS(count_nonzero), INTEGER_TERMS(count_nonzero)},
            [VEKT_MAX_ABSOLUTE] = {REAL_TERMS(max_absolute)},
            [VEKT_MIN_ABSOLUTE] = {REAL_TERMS(min_absolute)},
            [VEKT_SUM] = {REAL_TERMS(sum), INTEGER_TERMS(sum)},
            [VEKT_GREATEST] = {REAL_TERMS(greatest), INTEGER_TERMS(greatest)},
            [VEKT_LEAST] = {REAL_TERMS(least)},
            [VEKT_PRODUCT] = {REAL_TERMS(product), [VEKT_I64] = {product_block_i64, product_columns_i64}},
            [VEKT_SUM_NUMBERS] = {REAL_TERMS(sum_numbers)},
            [VEKT_GREATEST_NUMBER] = {REAL_TERMS(greatest_number)},
            [VEKT_LEAST_NUMBER] = {REAL_TERMS(least_number)},
        },
    .moments = {{REAL_TERMS(moments)}, {REAL_TERMS(number_moments)}},
    .scans = {{SCAN(cumsum)}, {SCAN(cumprod)}},
    .find = {find_f32, find_f64, find_i8, find_i16, find_integer_f32, find_integer_f64},
    .places = {places_f32, places_f64, places_i8, places_i16, integer_places_f32, integer_places_f64},
    .selections =
        {
            [VEKT_F32] = {greatest_number_f32, places_of_number_f32},
            [VEKT_F64] = {greatest_number_f64, places_of_number_f64},
            [VEKT_I32] = {greatest_integer_f32, places_of_integer_f32},
            [VEKT_I64] = {greatest_integer_f64, places_of_integer_f64},
        },
    .square_roots = {square_roots_f32, square_roots_f64},
    .transpose = {transpose_1, transpose_2, transpose_4, transpose_8, transpose_16},
    .outer = {outer_f32, outer_f64},
    .optim = {optim_step_f32, optim_step_f64},
    .half = {widen_half, narrow_half},
    .bfloat16 = {widen_bfloat16, narrow_bfloat16},
    .n_arithmetic = sizeof arithmetic / sizeof *arithmetic,
    .arithmetic = arithmetic,
    .convert = VEKT_CONVERSIONS,
    .swap = swap_order,
    .products = &PRODUCTS(VEKT_ISA),
    .stream = stream,
};
