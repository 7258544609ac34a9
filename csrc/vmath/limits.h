/* Scalars that differ with the type, beside the tables of constants.h. */
#ifndef VEKT_LIMITS_H
#define VEKT_LIMITS_H

/* 1/3 in two words. */
static const float THIRD_f32[2] = {0x1.555556p-2f, -0x1.555556p-27f};
static const double THIRD_f64[2] = {0x1.5555555555555p-2, 0x1.5555555555555p-56};

/* ln 2 in two words; the first is short, so that its product with any exponent is exact. */
static const float LN2_f32[2] = {0x1.62e4p-1f, 0x1.7f7d1cp-20f};
static const double LN2_f64[2] = {0x1.62e42fefa38p-1, 0x1.ef35793c7673p-45};

/* The logarithms of 2 to the bases 2 and 10, likewise. */
static const float LOG2_OF_2_f32[2] = {1.0f, 0.0f}, LOG10_OF_2_f32[2] = {0x1.3441p-2f, 0x1.a84fbcp-21f};
static const double LOG2_OF_2_f64[2] = {1.0, 0.0}, LOG10_OF_2_f64[2] = {0x1.34413509f78p-2, 0x1.fef311f12b358p-46};

/* ln(2)/16 in two words; the first is short, so that its product with any n is exact. */
static const float LN2_16_f32[2] = {0x1.62ep-5f, 0x1.0bfbe8p-19f};
static const double LN2_16_f64[2] = {0x1.62e42fefap-5, 0x1.cf79abc9e3b3ap-44};

/* The same, rounded: x - n ln(2)/16 is exact with a fused multiply-add by the first. */
static const float LN2_16_WHOLE_f32[2] = {0x1.62e430p-5f, -0x1.05c610p-33f};
static const double LN2_16_WHOLE_f64[2] = {0x1.62e42fefa39efp-5, 0x1.abc9e3b39803fp-60};

/* x + this leaves the integer nearest to x in the low bits of the sum. */
static const float ROUNDER_f32 = 0x1.8p23f;
static const double ROUNDER_f64 = 0x1.8p52;

/* Beyond these erfc rounds to 0. */
static const float ERFC_LIMIT_f32 = 10.1f;
static const double ERFC_LIMIT_f64 = 27.3;

/* Beyond these e^-x rounds to 0, tanh(x) to 1, gelu(-x) to 0; arguments are clamped to them. */
static const float EXP_LIMIT_f32 = 110.0f, TANH_LIMIT_f32 = 9.03f, GELU_LIMIT_f32 = 14.9f,
                   GELU_TANH_LIMIT_f32 = 10.9f;
static const double EXP_LIMIT_f64 = 750.0, TANH_LIMIT_f64 = 19.1, GELU_LIMIT_f64 = 39.0, GELU_TANH_LIMIT_f64 = 21.7;

/* This minus the bits of s > 0 are those of 1/s, to 5 %. */
static const int32_t INVERSE_BITS_f32 = 0x7ef311c7;
static const int64_t INVERSE_BITS_f64 = 0x7fde623822fc16e6;

/* Below, a square's rounding error may be lost to underflow. */
static const float SMALL_SQUARE_f32 = 0x1p-60f;
static const double SMALL_SQUARE_f64 = 0x1p-900;
/* e^x overflows beyond the first; e^-x - 1 rounds to -1 beyond the second; e^-x alpha to 0 beyond the third, for
 * alpha up to 1e11; between the fourth and the fifth e^x is a normal number. */
static const float EXP_OVERFLOW_f32 = 89.0f, EXPM1_LIMIT_f32 = 40.0f, EXP_PRODUCT_LIMIT_f32 = 131.0f,
                   EXP_LEAST_NORMAL_f32 = -87.3365f, EXP_GREATEST_NORMAL_f32 = 88.72f, EXP_TIMES_LIMIT_f32 = 194.5f;
static const double EXP_OVERFLOW_f64 = 710.0, EXPM1_LIMIT_f64 = 40.0, EXP_PRODUCT_LIMIT_f64 = 800.0,
                    EXP_LEAST_NORMAL_f64 = -708.3964, EXP_GREATEST_NORMAL_f64 = 709.78, EXP_TIMES_LIMIT_f64 = 1456.0;

/* 2^x overflows beyond the first, and rounds to 0 below minus the second; sinh and cosh overflow beyond the third. */
static const float EXP2_OVERFLOW_f32 = 129.0f, EXP2_LIMIT_f32 = 151.0f, SINH_LIMIT_f32 = 89.5f;
static const double EXP2_OVERFLOW_f64 = 1025.0, EXP2_LIMIT_f64 = 1076.0, SINH_LIMIT_f64 = 710.5;

/* z(t) = t (A + B t^2) of gelu_tanh: A is cut where adding this cuts B t^2. */
static const float GELU_TANH_CUT_f32 = 0x1p4f;
static const double GELU_TANH_CUT_f64 = 0x1p6;

/* Up to here sin and cos subtract multiples of pi/2 in floating point. */
static const double NEAR_ANGLE = 0x1p40;

/* Between these squares of lengths are normal numbers, and so are the rounding errors of the greater one. */
static const float LENGTH_LEAST_f32 = 0x1p-40f, LENGTH_MOST_f32 = 0x1p62f;
static const double LENGTH_LEAST_f64 = 0x1p-420, LENGTH_MOST_f64 = 0x1p510;

/* Beyond these they are, multiplied by these. */
static const float LENGTH_UP_f32 = 0x1p90f, LENGTH_DOWN_f32 = 0x1p-70f;
static const double LENGTH_UP_f64 = 0x1p700, LENGTH_DOWN_f64 = 0x1p-600;

/* Of what is as large atan rounds to pi/2; between this one's inverse and itself a divisor has an inverse. */
static const float ARCTAN_MOST_f32 = 0x1p60f;
static const double ARCTAN_MOST_f64 = 0x1p480;
/* atan(q) rounds to q. */
static const float FLAT_f32 = 0x1p-14f;
static const double FLAT_f64 = 0x1p-28;

/* Intervals of the tables in constants.h. */
static const float ERFC_OFFSET_f32 = 1.0f, ERF_LIMIT_f32 = 3.95f, ERF_PER_INTERVAL_f32 = 16 / 3.96f;
static const double ERFC_OFFSET_f64 = 2.0, ERF_LIMIT_f64 = 5.92, ERF_PER_INTERVAL_f64 = 16 / 5.93;
static const float TANH_PER_INTERVAL_f32 = 1 / 0.5664f, GELU_OFFSET_f32 = 1.0f;
static const double TANH_PER_INTERVAL_f64 = 1 / 0.606, GELU_OFFSET_f64 = 4.0;

/* Up to these the short paths of float hold (their tables' last edges). */
static const float LOGISTIC_SHORT_LIMIT = 15.5f, NORMAL_TAIL_LIMIT = 3.625f, NORMAL_TAIL_END = 5.6f;

/* The tables of tanh have 16 rows for float and 32 for double. */
#define v_lookup_tanh_f32 v_lookup_f32
#define v_lookup_tanh_f64 v_lookup32_f64

#endif
