/* The activations: NAME_value(x, p) and NAME_grad(x, p), p the parameters, one file a family, included for float and
 * for double.  At the foot of each file stand its rows:
 *
 *   VEKT_FAMILY_ACTIVATIONS(ROW)  ROW(name, number of parameters, picoseconds per element of value, of gradient)
 *   VEKT_FAMILY_FROM_OUTPUT(ROW)  ROW(name, number of parameters, picoseconds per element), for those that also have
 *                                 NAME_grad_from_output(y, p): NAME_backward_from_output(dy, y, p) is dy times it
 */

#include "piecewise.h"
#include "algebraic.h"
#include "logistic.h"
#include "gelu.h"
#include "exponential.h"
#include "silu.h"
#include "softplus.h"

/* Their gradients are bounded, for given parameters: dy times it overflows with the result only. */
#define VEKT_BOUNDED_ACTIVATIONS(ROW) \
    VEKT_PIECEWISE_ACTIVATIONS(ROW)   \
    VEKT_ALGEBRAIC_ACTIVATIONS(ROW)   \
    VEKT_LOGISTIC_ACTIVATIONS(ROW)    \
    VEKT_GELU_ACTIVATIONS(ROW)        \
    VEKT_EXPONENTIAL_ACTIVATIONS(ROW) \
    VEKT_SILU_ACTIVATIONS(ROW)        \
    VEKT_SOFTPLUS_ACTIVATIONS(ROW)

#define VEKT_ACTIVATIONS(ROW)     \
    VEKT_BOUNDED_ACTIVATIONS(ROW) \
    VEKT_EXPONENTIAL(ROW)

#define VEKT_ACTIVATIONS_FROM_OUTPUT(ROW) \
    VEKT_PIECEWISE_FROM_OUTPUT(ROW)       \
    VEKT_ALGEBRAIC_FROM_OUTPUT(ROW)       \
    VEKT_LOGISTIC_FROM_OUTPUT(ROW)        \
    VEKT_GELU_FROM_OUTPUT(ROW)            \
    VEKT_EXPONENTIAL_FROM_OUTPUT(ROW)     \
    VEKT_SILU_FROM_OUTPUT(ROW)            \
    VEKT_SOFTPLUS_FROM_OUTPUT(ROW)
