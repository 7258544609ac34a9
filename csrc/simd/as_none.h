/* Ends a passage that began with as_f32.h or as_f64.h. */
#undef REAL
#undef VEC
#undef INT
#undef MASK
#undef LANES
#undef FN
#undef K
#undef LARGEST
#undef MANTISSA_BITS
#undef EXPONENT_BIAS
#undef HALF_RANGE
#undef TINY_SCALE
