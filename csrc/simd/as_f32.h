/* Names for a body that is written once and included for float, then for double (as_f64.h). */
#define REAL float
#define VEC vf32
#define INT vi32
#define MASK mask_f32
#define LANES LANES_F32
#define FN(name) name##_f32
#define K(c) v_splat_f32((float)(c))
#define LARGEST FLT_MAX
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
/* 2^HALF_RANGE and its inverse scale a result across the subnormal range with one rounding. */
#define HALF_RANGE 64
#define TINY_SCALE 0x1p-64
