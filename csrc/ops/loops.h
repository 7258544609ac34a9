/* Loops over contiguous elements (vekt.h: vekt_loop) around a body on one vector of each operand. */

typedef void (*FN(body))(const VEC *in, VEC *out);

/* The processor's own prefetcher stops at each page, and long bodies cannot hide what that costs: this gains 10-15 %
 * on two operands from memory.  2048 and 4096 were worse, and relu, bound by the memory alone, lost 20 %. */
#define PREFETCH_BYTES 1024

/* Vectors that run side by side.  A long body alone waits on its own chain of 30 dependent operations, and the
 * processor's scheduler is too short to reach the next; a short one is bound by loads and stores.  cost: vekt_kernel.
 */
#if VEKT_VECTOR_BYTES == 64
#define SIDE_BY_SIDE(cost) ((cost) < 100 ? 1 : (cost) < 300 ? 2 : 4)
#else
#define SIDE_BY_SIDE(cost) ((cost) < 100 ? 1 : 2) /* 16 registers */
#endif

/* All arguments up to body are constants at every call, so that the body is inlined and the small loops unrolled.
 * The first nvarying inputs advance; the others are the same for all elements, and are loaded once.
 * What is left goes through the same body, in vectors filled up with zeros. */
INLINE void FN(for_each)(int side_by_side, int nvarying, int nin, int nout, FN(body) body, char *const *args,
                         const ptrdiff_t *advance, ptrdiff_t n) {
    const char *in[VEKT_MAX_ARGS];
    REAL *out[2];
    VEC x[4][VEKT_MAX_ARGS], y[4][2];
    for (int j = 0; j < nin; j++) in[j] = args[j];
    for (int j = 0; j < nout; j++) out[j] = (REAL *)args[nin + j];
    for (int j = nvarying; j < nin; j++)
#pragma GCC unroll 4
        for (int u = 0; u < side_by_side; u++) x[u][j] = FN(v_load)((const REAL *)in[j]);
    for (; n >= side_by_side * LANES; n -= side_by_side * LANES) {
#pragma GCC unroll 4
        for (int u = 0; u < side_by_side; u++)
            for (int j = 0; j < nvarying; j++, in[j - 1] += advance[j - 1] * LANES) {
                x[u][j] = FN(v_load)((const REAL *)in[j]);
                if (side_by_side > 1) __builtin_prefetch(in[j] + PREFETCH_BYTES);
            }
#pragma GCC unroll 4
        for (int u = 0; u < side_by_side; u++) body(x[u], y[u]);
#pragma GCC unroll 4
        for (int u = 0; u < side_by_side; u++)
            for (int j = 0; j < nout; j++, out[j - 1] += LANES) FN(v_store)(out[j], y[u][j]);
    }
    for (; n > 0; n -= LANES) {
        ptrdiff_t m = n < LANES ? n : LANES;
        for (int j = 0; j < nvarying; j++, in[j - 1] += advance[j - 1] * LANES)
            x[0][j] = FN(v_load_first)((const REAL *)in[j], m);
        body(x[0], y[0]);
        for (int j = 0; j < nout; j++, out[j - 1] += LANES) FN(v_store_first)(out[j], y[0][j], m);
    }
}

/* Parameters, the last inputs, are mostly one number each. */
#define LOOP(kernel, ndata, nparams, nout, cost)                                                     \
    static void FN(kernel)(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {               \
        const int nin = ndata + nparams;                                                             \
        int numbers = nparams > 0;                                                                   \
        for (int j = ndata; j < nin; j++) numbers &= advance[j] == 0;                                \
        if (numbers)                                                                                 \
            FN(for_each)(SIDE_BY_SIDE(cost), ndata, nin, nout, FN(kernel##_body), args, advance, n); \
        else                                                                                         \
            FN(for_each)(SIDE_BY_SIDE(cost), nin, nin, nout, FN(kernel##_body), args, advance, n);   \
    }

/* From NAME_value and NAME_grad: NAME, NAME_value_and_grad, and NAME_backward. */
#define ACTIVATION_LOOPS(name, nparams, value_cost, grad_cost)                                         \
    INLINE void FN(name##_body)(const VEC *in, VEC *out) { out[0] = FN(name##_value)(in[0], in + 1); } \
    INLINE void FN(name##_value_and_grad_body)(const VEC *in, VEC *out) {                              \
        out[0] = FN(name##_value)(in[0], in + 1);                                                      \
        out[1] = FN(name##_grad)(in[0], in + 1);                                                       \
    }                                                                                                  \
    LOOP(name, 1, nparams, 1, value_cost)                                                              \
    LOOP(name##_value_and_grad, 1, nparams, 2, 0) /* two bodies, side by side already */

#define BACKWARD_LOOP(name, nparams, value_cost, grad_cost)         \
    INLINE void FN(name##_backward_body)(const VEC *in, VEC *out) { \
        out[0] = in[0] * FN(name##_grad)(in[1], in + 2);            \
    }                                                               \
    LOOP(name##_backward, 2, nparams, 1, grad_cost)

#define FROM_OUTPUT_LOOP(name, nparams, cost)                                   \
    INLINE void FN(name##_backward_from_output_body)(const VEC *in, VEC *out) { \
        out[0] = in[0] * FN(name##_grad_from_output)(in[1], in + 2);            \
    }                                                                           \
    LOOP(name##_backward_from_output, 2, nparams, 1, cost)

/* (a b) c, where a b of finite numbers may overflow though that does not: they are above 1 then, and a c is in range.
 */
INLINE VEC FN(product_of_three)(VEC a, VEC b, VEC c) {
    VEC ab = a * b;
    MASK within = v_lt(v_abs(ab), K(INFINITY));
    if (__builtin_expect(v_all(within), 1)) return ab * c;
    MASK finite = v_lt(v_abs(a), K(INFINITY)) & v_lt(v_abs(b), K(INFINITY));
    return v_select(within, ab * c, v_select(finite, a * c * b, ab * c));
}

/* gates.h tells what these compute. */
#define GATE_LOOPS(name, activation, gate, value_cost, grad_cost)                                         \
    INLINE void FN(name##_body)(const VEC *in, VEC *out) {                                                \
        out[0] = FN(activation##_value)(in[gate], NULL) * in[1 - gate];                                   \
    }                                                                                                     \
    INLINE void FN(name##_backward_body)(const VEC *in, VEC *out) {                                       \
        VEC f = FN(activation##_value)(in[1 + gate], NULL);                                               \
        out[gate] = FN(product_of_three)(in[0], in[2 - gate], FN(activation##_grad)(in[1 + gate], NULL)); \
        out[1 - gate] = in[0] * f;                                                                        \
    }                                                                                                     \
    LOOP(name, 2, 0, 1, value_cost)                                                                       \
    LOOP(name##_backward, 3, 0, 2, grad_cost)

/* losses.h tells what these compute.  Short bodies have the loops of the activations.  Long ones stand in their loop
 * once, those of floats that are not as long twice, side by side: all inputs advance, by 0 where they are numbers,
 * and the last vectors go the way of the others. */
#define SHORT_LOSS_COST 100
#if VEKT_HAS_FMA && MANTISSA_BITS == 23
#define LOSSES_SIDE_BY_SIDE(cost) ((cost) < 300 ? 2 : 1)
#else
#define LOSSES_SIDE_BY_SIDE(cost) 1
#endif

INLINE void FN(for_each_once)(int side_by_side, int nin, int nout, FN(body) body, char *const *args,
                              const ptrdiff_t *advance, ptrdiff_t n) {
    const char *in[VEKT_MAX_ARGS];
    REAL *out[2];
    VEC x[2][VEKT_MAX_ARGS], y[2][2];
    for (int j = 0; j < nin; j++) in[j] = args[j];
    for (int j = 0; j < nout; j++) out[j] = (REAL *)args[nin + j];
    for (; n > 0; n -= side_by_side * LANES) {
#pragma GCC unroll 2
        for (int u = 0; u < side_by_side; u++) {
            const ptrdiff_t left = n - u * LANES;
            for (int j = 0; j < nin; j++, in[j - 1] += advance[j - 1] * LANES)
                x[u][j] = left < LANES ? FN(v_load_first)((const REAL *)in[j], left < 0 ? 0 : left)
                                       : FN(v_load)((const REAL *)in[j]);
        }
#pragma GCC unroll 2
        for (int u = 0; u < side_by_side; u++) body(x[u], y[u]);
#pragma GCC unroll 2
        for (int u = 0; u < side_by_side; u++) {
            const ptrdiff_t left = n - u * LANES;
            for (int j = 0; j < nout; j++, out[j - 1] += LANES) {
                if (left >= LANES)
                    FN(v_store)(out[j], y[u][j]);
                else if (left > 0)
                    FN(v_store_first)(out[j], y[u][j], left);
            }
        }
    }
}

#define LOSS_LOOP(kernel, ndata, nparams, cost)                                                        \
    static void FN(kernel)(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {                 \
        const int nin = ndata + nparams;                                                               \
        int numbers = nparams > 0;                                                                     \
        for (int j = ndata; j < nin; j++) numbers &= advance[j] == 0;                                  \
        if (cost >= SHORT_LOSS_COST)                                                                   \
            FN(for_each_once)(LOSSES_SIDE_BY_SIDE(cost), nin, 1, FN(kernel##_body), args, advance, n); \
        else if (numbers)                                                                              \
            FN(for_each)(1, ndata, nin, 1, FN(kernel##_body), args, advance, n);                       \
        else                                                                                           \
            FN(for_each)(1, nin, nin, 1, FN(kernel##_body), args, advance, n);                         \
    }
/* NAME_value_and_grad by the two other loops: what the value's writes waits until the gradient's has read, as an
 * output may be the memory of an input. */
static void FN(value_then_grad)(vekt_loop value, vekt_loop backward, int nin, char *const *args,
                                const ptrdiff_t *advance, ptrdiff_t n) {
    enum { BLOCK = 512 };
    REAL values[BLOCK];
    VEC one = K(1);
    char *of_value[VEKT_MAX_ARGS], *of_grad[VEKT_MAX_ARGS];
    ptrdiff_t advance_of_grad[VEKT_MAX_ARGS] = {0};
    for (int j = 0; j < nin; j++) advance_of_grad[j + 1] = advance[j];
    for (ptrdiff_t i = 0, m; i < n; i += m) {
        m = n - i < BLOCK ? n - i : BLOCK;
        for (int j = 0; j < nin; j++) of_value[j] = of_grad[j + 1] = args[j] + i * advance[j];
        of_value[nin] = (char *)values;
        of_grad[0] = (char *)&one;
        of_grad[nin + 1] = args[nin + 1] + i * (ptrdiff_t)sizeof(REAL);
        value(of_value, advance, m);
        backward(of_grad, advance_of_grad, m);
        memcpy(args[nin] + i * (ptrdiff_t)sizeof(REAL), values, (size_t)m * sizeof(REAL));
    }
}

#define LOSS_TIMES_GRAD(name, nparams, value_cost, grad_cost) \
    INLINE VEC FN(name##_times_grad)(VEC dy, VEC y, VEC t, const VEC *p) { return dy * FN(name##_grad)(y, t, p); }

#define LOSS_LOOPS(name, nparams, value_cost, grad_cost)                                                      \
    INLINE void FN(name##_body)(const VEC *in, VEC *out) { out[0] = FN(name##_value)(in[0], in[1], in + 2); } \
    INLINE void FN(name##_backward_body)(const VEC *in, VEC *out) {                                           \
        out[0] = FN(name##_times_grad)(in[0], in[1], in[2], in + 3);                                          \
    }                                                                                                         \
    LOSS_LOOP(name, 2, nparams, value_cost)                                                                   \
    LOSS_LOOP(name##_backward, 3, nparams, grad_cost)                                                         \
    static void FN(name##_value_and_grad)(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {         \
        FN(value_then_grad)(FN(name), FN(name##_backward), 2 + nparams, args, advance, n);                    \
    }

#define ARITHMETIC_LOOP(name, nin, cost)                                                                 \
    INLINE void FN(arithmetic_##name##_body)(const VEC *in, VEC *out) { out[0] = FN(name##_value)(in); } \
    LOOP(arithmetic_##name, nin, 0, 1, cost)

#define FUNCTION_LOOP(name, cost)                                                                           \
    INLINE void FN(arithmetic_##name##_body)(const VEC *in, VEC *out) { out[0] = FN(name##_value)(in[0]); } \
    LOOP(arithmetic_##name, 1, 0, 1, cost)

/* NAME_value where NAME_usual holds for all elements of a block, else NAME_any: a branch, or even a call, in the loop
 * would cost the registers that hold constants. */
INLINE int FN(all_of)(MASK (*usual)(VEC), const char *x, ptrdiff_t step, ptrdiff_t n) {
    unsigned others = 0;
    for (; n >= LANES; n -= LANES, x += step * LANES) others |= ~FN(v_lanes)(usual(FN(v_load)((const REAL *)x)));
    if (n > 0) others |= ~FN(v_lanes)(usual(FN(v_load_first)((const REAL *)x, n))) & ((1u << n) - 1);
    return (others & ((1u << (LANES - 1)) * 2 - 1)) == 0;
}

#define GUARDED_LOOP(name, cost)                                                                              \
    INLINE void FN(arithmetic_##name##_body)(const VEC *in, VEC *out) { out[0] = FN(name##_value)(in[0]); }   \
    INLINE void FN(arithmetic_##name##_any_body)(const VEC *in, VEC *out) { out[0] = FN(name##_any)(in[0]); } \
    static void FN(arithmetic_##name)(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {             \
        enum { BLOCK = 2048 / sizeof(REAL) };                                                                 \
        const ptrdiff_t size = sizeof(REAL);                                                                  \
        for (ptrdiff_t i = 0, m; i < n; i += m) {                                                             \
            char *const part[2] = {args[0] + i * advance[0], args[1] + i * size};                             \
            m = n - i < BLOCK ? n - i : BLOCK;                                                                \
            if (__builtin_expect(FN(all_of)(FN(name##_usual), part[0], advance[0], m), 1))                    \
                FN(for_each)(SIDE_BY_SIDE(cost), 1, 1, 1, FN(arithmetic_##name##_body), part, advance, m);    \
            else                                                                                              \
                FN(for_each)(1, 1, 1, 1, FN(arithmetic_##name##_any_body), part, advance, m);                 \
        }                                                                                                     \
    }

/* Where e^x is a normal number in all of a block, its product needs no care. */
#define EXPONENTIAL_BACKWARD_LOOP(name, nparams, value_cost, grad_cost)                                     \
    INLINE void FN(name##_backward_body)(const VEC *in, VEC *out) {                                         \
        out[0] = in[0] * FN(name##_value)(in[1], NULL);                                                     \
    }                                                                                                       \
    INLINE void FN(name##_backward_any_body)(const VEC *in, VEC *out) {                                     \
        VEC usual = in[0] * FN(name##_value)(in[1], NULL);                                                  \
        out[0] = v_select(FN(name##_is_normal)(in[1]), usual, FN(name##_times_grad)(in[0], in[1]));         \
    }                                                                                                       \
    static void FN(name##_backward)(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {             \
        enum { BLOCK = 2048 / sizeof(REAL) };                                                               \
        const ptrdiff_t size = sizeof(REAL);                                                                \
        for (ptrdiff_t i = 0, m; i < n; i += m) {                                                           \
            char *const part[3] = {args[0] + i * advance[0], args[1] + i * advance[1], args[2] + i * size}; \
            m = n - i < BLOCK ? n - i : BLOCK;                                                              \
            if (__builtin_expect(FN(all_of)(FN(name##_is_normal), part[1], advance[1], m), 1))              \
                FN(for_each)(SIDE_BY_SIDE(grad_cost), 2, 2, 1, FN(name##_backward_body), part, advance, m); \
            else                                                                                            \
                FN(for_each)(1, 2, 2, 1, FN(name##_backward_any_body), part, advance, m);                   \
        }                                                                                                   \
    }

/* NAME_quick for a block, and NAME_any instead where one of its lanes is not ok: what the guard of GUARDED_LOOP would
 * look for is there anyway.  Where results would overwrite operands they wait. */
INLINE unsigned FN(each_quick)(int side_by_side, int nin, VEC (*quick)(const VEC *, MASK *), char *const *in,
                               const ptrdiff_t *advance, REAL *out, ptrdiff_t n) {
    const MASK all = v_eq(K(0), K(0));
    VEC x[2][2], y[2];
    MASK ok = all;
    ptrdiff_t i = 0;
    for (; side_by_side == 2 && i <= n - 2 * LANES; i += 2 * LANES) {
#pragma GCC unroll 2
        for (int u = 0; u < 2; u++)
            for (int j = 0; j < nin; j++) x[u][j] = FN(v_load)((const REAL *)(in[j] + (i + u * LANES) * advance[j]));
#pragma GCC unroll 2
        for (int u = 0; u < 2; u++) y[u] = quick(x[u], &ok);
#pragma GCC unroll 2
        for (int u = 0; u < 2; u++) FN(v_store)(out + i + u * LANES, y[u]);
    }
    unsigned others = ~FN(v_lanes)(ok);
    for (; i < n; i += LANES) {
        const ptrdiff_t m = n - i < LANES ? n - i : LANES;
        for (int j = 0; j < nin; j++) x[0][j] = FN(v_load_first)((const REAL *)(in[j] + i * advance[j]), m);
        ok = all;
        y[0] = quick(x[0], &ok);
        others |= ~FN(v_lanes)(ok) & ((1u << (m - 1)) * 2 - 1);
        FN(v_store_first)(out + i, y[0], m);
    }
    return others & ((1u << (LANES - 1)) * 2 - 1);
}

#define QUICK_LOOP(name, nin, cost)                                                                             \
    INLINE void FN(name##_any_body)(const VEC *in, VEC *out) { out[0] = FN(name##_any)(in); }                   \
    static void FN(arithmetic_##name)(char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {               \
        enum { BLOCK = 2048 / sizeof(REAL) };                                                                   \
        const int in_place = args[nin] == args[0] || args[nin] == args[nin - 1];                                \
        REAL waiting[BLOCK];                                                                                    \
        for (ptrdiff_t i = 0, m; i < n; i += m) {                                                               \
            char *const to = args[nin] + i * (ptrdiff_t)sizeof(REAL);                                           \
            char *const part[3] = {args[0] + i * advance[0], nin == 2 ? args[1] + i * advance[1] : to, to};     \
            m = n - i < BLOCK ? n - i : BLOCK;                                                                  \
            if (__builtin_expect(FN(each_quick)((cost) < 700 || LANES_F32 == 16 ? 2 : 1, nin, FN(name##_quick), \
                                                part, advance, in_place ? waiting : (REAL *)to, m) != 0,        \
                                 0))                                                                            \
                FN(for_each_once)(1, nin, 1, FN(name##_any_body), part, advance, m);                            \
            else if (in_place)                                                                                  \
                memcpy(to, waiting, (size_t)m * sizeof(REAL));                                                  \
        }                                                                                                       \
    }

VEKT_ACTIVATIONS(ACTIVATION_LOOPS)
VEKT_BOUNDED_ACTIVATIONS(BACKWARD_LOOP)
VEKT_EXPONENTIAL(EXPONENTIAL_BACKWARD_LOOP)
VEKT_ACTIVATIONS_FROM_OUTPUT(FROM_OUTPUT_LOOP)
VEKT_GATES(GATE_LOOPS)
VEKT_OTHER_LOSSES(LOSS_TIMES_GRAD)
VEKT_LOSSES(LOSS_LOOPS)
VEKT_ARITHMETIC(ARITHMETIC_LOOP)
VEKT_GUARDED(GUARDED_LOOP)
VEKT_FUNCTIONS(FUNCTION_LOOP)
VEKT_QUICK(QUICK_LOOP)

#undef LOOP
#undef BACKWARD_LOOP
#undef EXPONENTIAL_BACKWARD_LOOP
#undef ACTIVATION_LOOPS
#undef FROM_OUTPUT_LOOP
#undef GATE_LOOPS
#undef LOSSES_SIDE_BY_SIDE
#undef SHORT_LOSS_COST
#undef LOSS_LOOP
#undef LOSS_TIMES_GRAD
#undef LOSS_LOOPS
#undef ARITHMETIC_LOOP
#undef FUNCTION_LOOP
#undef GUARDED_LOOP
#undef QUICK_LOOP
#undef SIDE_BY_SIDE
#undef PREFETCH_BYTES
