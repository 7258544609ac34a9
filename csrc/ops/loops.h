/* Loops over contiguous elements (vekt.h: vekt_loop) around a body on one vector of each operand. */

typedef void (*FN(body))(const VEC *in, VEC *out);

#ifndef VEKT_UNROLL
#define VEKT_UNROLL (VEKT_VECTOR_BYTES == 64 ? 4 : 2)
#endif

/* nin, nout and body are constants at every call, so that the body is inlined and the small loops unrolled.
 * VEKT_UNROLL vectors run side by side: one alone waits on its own chain of 30 dependent operations, and the
 * processor's scheduler is too short to reach the next.  What is left goes through the same body, in vectors filled
 * up with zeros. */
INLINE void FN(for_each)(FN(body) body, int nin, int nout, char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {
    const char *in[VEKT_MAX_ARGS];
    REAL *out[2];
    VEC x[VEKT_UNROLL][VEKT_MAX_ARGS], y[VEKT_UNROLL][2];
    for (int j = 0; j < nin; j++) in[j] = args[j];
    for (int j = 0; j < nout; j++) out[j] = (REAL *)args[nin + j];
    for (; n >= VEKT_UNROLL * LANES; n -= VEKT_UNROLL * LANES) {
#pragma GCC unroll 8
        for (int u = 0; u < VEKT_UNROLL; u++)
            for (int j = 0; j < nin; j++, in[j - 1] += advance[j - 1] * LANES)
                x[u][j] = FN(v_load)((const REAL *)in[j]);
#pragma GCC unroll 8
        for (int u = 0; u < VEKT_UNROLL; u++) body(x[u], y[u]);
#pragma GCC unroll 8
        for (int u = 0; u < VEKT_UNROLL; u++)
            for (int j = 0; j < nout; j++, out[j - 1] += LANES) FN(v_store)(out[j], y[u][j]);
    }
    for (; n > 0; n -= LANES) {
        ptrdiff_t m = n < LANES ? n : LANES;
        for (int j = 0; j < nin; j++, in[j - 1] += advance[j - 1] * LANES)
            x[0][j] = FN(v_load_first)((const REAL *)in[j], m);
        body(x[0], y[0]);
        for (int j = 0; j < nout; j++, out[j - 1] += LANES) FN(v_store_first)(out[j], y[0][j], m);
    }
}

#define LOOP(kernel, nin, nout)                                                                       \
    static void FN(kernel)(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {                \
        FN(for_each)(FN(kernel##_body), nin, nout, args, advance, n);                                 \
    }

/* From NAME_value and NAME_grad: NAME, NAME_backward, NAME_value_and_grad. */
#define ACTIVATION_LOOPS(name, nparams, value_cost, grad_cost)                                        \
    INLINE void FN(name##_body)(const VEC *in, VEC *out) { out[0] = FN(name##_value)(in[0], in + 1); } \
    INLINE void FN(name##_backward_body)(const VEC *in, VEC *out) {                                   \
        out[0] = in[0] * FN(name##_grad)(in[1], in + 2);                                              \
    }                                                                                                 \
    INLINE void FN(name##_value_and_grad_body)(const VEC *in, VEC *out) {                             \
        out[0] = FN(name##_value)(in[0], in + 1);                                                     \
        out[1] = FN(name##_grad)(in[0], in + 1);                                                      \
    }                                                                                                 \
    LOOP(name, 1 + nparams, 1)                                                                        \
    LOOP(name##_backward, 2 + nparams, 1)                                                             \
    LOOP(name##_value_and_grad, 1 + nparams, 2)

#define FROM_OUTPUT_LOOP(name, cost)                                                                  \
    INLINE void FN(name##_backward_from_output_body)(const VEC *in, VEC *out) {                       \
        out[0] = in[0] * FN(name##_grad_from_output)(in[1]);                                          \
    }                                                                                                 \
    LOOP(name##_backward_from_output, 2, 1)

VEKT_ACTIVATIONS(ACTIVATION_LOOPS)
VEKT_ACTIVATIONS_FROM_OUTPUT(FROM_OUTPUT_LOOP)

#undef LOOP
#undef ACTIVATION_LOOPS
#undef FROM_OUTPUT_LOOP
