/* Matrix products, compiled once per instruction set like target.c, but with flags of their own: scheduling before
 * register allocation, which the elementwise bodies gain from, spills the accumulators here. */
#include "linalg/matmul.h"
#include "runtime/machine.h"

#include <float.h>

#include "simd/simd.h"
#include "simd/formats.h"
#include "gemm/blocksizes.h"

#include "simd/as_f64.h"
#include "simd/transpose.h"
#include "simd/square.h"
#include "simd/swap.h"
#include "gemm/epilogue.h"
#include "gemm/micro.h"
#include "gemm/pack.h"
#include "gemm/blocked.h"
#include "gemm/stream.h"
#include "gemm/gemv.h"
#include "gemm/column_stack.h"
#include "gemm/across.h"
#include "gemm/few.h"
#include "gemm/swapped.h"
#include "gemm/small.h"
#include "gemm/dots.h"
#include "gemm/product.h"
#include "gemm/planes.h"
#include "gemm/complex_column.h"
#include "gemm/complex_few.h"
#include "gemm/complex.h"
#include "gemm/peak.h"
#include "simd/as_none.h"

#include "simd/as_f32.h"
#include "simd/transpose.h"
#include "simd/square.h"
#include "simd/swap.h"
#include "gemm/epilogue.h"
#include "gemm/micro.h"
#include "gemm/pack.h"
#include "gemm/blocked.h"
#include "gemm/stream.h"
#include "gemm/gemv.h"
#include "gemm/column_stack.h"
#include "gemm/across.h"
#include "gemm/few.h"
#include "gemm/swapped.h"
#include "gemm/small.h"
#include "gemm/dots.h"
#include "gemm/product.h"
#include "gemm/planes.h"
#include "gemm/complex_column.h"
#include "gemm/complex_few.h"
#include "gemm/complex.h"
#include "gemm/half.h"
#include "gemm/peak.h"
#include "simd/as_none.h"

#include "gemm/integer.h"
#include "gemm/add_rows.h"

#define JOIN(a, b) a##b
#define SYMBOL(isa) JOIN(vekt_products_, isa)

const vekt_products SYMBOL(VEKT_ISA) = {
    .product =
        {
            [VEKT_PRODUCT_F32] = product_f32,
            [VEKT_PRODUCT_F64] = product_f64,
            [VEKT_PRODUCT_HALF] = product_half,
            [VEKT_PRODUCT_BFLOAT16] = product_bfloat16,
            [VEKT_PRODUCT_I8] = product_i8,
            [VEKT_PRODUCT_I16] = product_i16,
            [VEKT_PRODUCT_I32] = product_i32,
            [VEKT_PRODUCT_I64] = product_i64,
            [VEKT_PRODUCT_BOOL] = product_bool,
            [VEKT_PRODUCT_C64] = product_complex_f32,
            [VEKT_PRODUCT_C128] = product_complex_f64,
        },
    .stack =
        {
            [VEKT_PRODUCT_F32] = stack_f32,
            [VEKT_PRODUCT_F64] = stack_f64,
            [VEKT_PRODUCT_HALF] = stack_half,
            [VEKT_PRODUCT_BFLOAT16] = stack_bfloat16,
            [VEKT_PRODUCT_I8] = stack_i8_widened,
            [VEKT_PRODUCT_I16] = stack_i16,
            [VEKT_PRODUCT_I32] = stack_i32,
            [VEKT_PRODUCT_I64] = stack_i64,
            [VEKT_PRODUCT_BOOL] = stack_bool,
            [VEKT_PRODUCT_C64] = stack_complex_f32,
            [VEKT_PRODUCT_C128] = stack_complex_f64,
        },
    .i16_to_i32 = product_i16_to_i32,
    .bytes_to_i32 = bytes_to_i32,
    .packed_bytes = {[VEKT_F32] = packed_bytes_f32, [VEKT_F64] = packed_bytes_f64},
    .pack = {[VEKT_F32] = pack_f32, [VEKT_F64] = pack_f64},
    .peak = {[VEKT_F32] = peak_f32, [VEKT_F64] = peak_f64},
    .add_rows = {[VEKT_F32] = add_rows_f32, [VEKT_F64] = add_rows_f64},
};
