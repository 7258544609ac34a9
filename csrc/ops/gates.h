/* Gated units: an activation of one operand times the other.
 *
 *   VEKT_GATES(ROW)  ROW(name, activation, gate, picoseconds per element of the value, of the gradients)
 *
 * gate, 0 or 1, tells which of the operands a, b goes through the activation f; c is the other one.
 * NAME(a, b) = f(gate) c, and NAME_backward(dy, a, b) gives da and db: (dy c) f'(gate) for the gate, dy f(gate) for
 * c. Each product is rounded, so that these are the bits of the activation's own functions and a multiplication.
 *
 * In double f and f' have their exponential in common: the compiler finds it.  In float they mostly are two short
 * polynomials (short_f32.h), which have nothing in common but the interval. */

#define VEKT_GATES(ROW)                      \
    ROW(glu, sigmoid, 1, 350, 730)           \
    ROW(swiglu, silu, 0, 440, 980)           \
    ROW(geglu, gelu, 0, 460, 1200)           \
    ROW(geglu_tanh, gelu_tanh, 0, 820, 1640) \
    ROW(reglu, relu, 0, 40, 60)
