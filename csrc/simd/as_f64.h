/* As as_f32.h, for double. */
#define REAL double
#define VEC vf64
#define INT vi64
#define MASK mask_f64
#define LANES LANES_F64
#define FN(name) name##_f64
#define K(c) v_splat_f64(c)
#define LARGEST DBL_MAX
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
#define HALF_RANGE 512
#define TINY_SCALE 0x1p-512
