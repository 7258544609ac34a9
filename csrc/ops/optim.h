/* Steps of optimisers, in place: parameters p, their gradients g, states m and v (NULL where there is none, which
 * counts as zeros).  c holds the numbers of each, as at its head; `scale` multiplies the gradients, `decay` is what
 * is added of the parameters.  A term of weight zero is left out: it would be NaN where its factor is infinite. */

INLINE VEC FN(decayed_slope)(VEC p, VEC g, const VEC *c, int decays) {
    g = g * c[1];
    return decays ? v_mad(c[2], p, g) : g;
}

/* rate, scale, decay, momentum, whether it is Nesterov's: the step is then momentum m + g, else m */
INLINE void FN(sgd_body)(VEC *p, VEC g, VEC *m, const VEC *c, int nesterov) {
    *m = v_mad(c[3], *m, g);
    *p = v_mad(-c[0], nesterov ? v_mad(c[3], *m, g) : *m, *p);
}

/* rate, scale, decay, momentum, alpha, 1 - alpha, epsilon */
INLINE void FN(rmsprop_body)(VEC *p, VEC g, VEC *m, VEC *v, const VEC *c) {
    *v = v_mad(c[4], *v, c[5] * g * g);
    *m = v_mad(c[3], *m, g / (v_sqrt(*v) + c[6]));
    *p = v_mad(-c[0], *m, *p);
}

/* rate/(1 - beta1^t), scale, decay, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, (1 - beta2^t)^-1/2, what is left of
 * the parameters */
INLINE void FN(adam_body)(VEC *p, VEC g, VEC *m, VEC *v, const VEC *c) {
    *m = v_mad(c[3], *m, c[4] * g);
    *v = v_mad(c[5], *v, c[6] * g * g);
    *p = v_mad(*p, c[9], -c[0] * *m / v_mad(v_sqrt(*v), c[8], c[7]));
}

static void FN(optim_step)(const vekt_optim_call *call, ptrdiff_t n) {
    VEC c[VEKT_OPTIM_NUMBERS];
    for (int i = 0; i < VEKT_OPTIM_NUMBERS; i++) c[i] = K(call->numbers[i]);
    const int decays = call->numbers[2] != 0, nesterov = call->numbers[4] != 0;
    REAL *p = call->p, *m = call->m, *v = call->v;
    const REAL *g = call->g;
    for (ptrdiff_t i = 0; i < n; i += LANES) {
        const ptrdiff_t left = n - i;
        VEC x, y, first = K(0), second = K(0);
        if (left < LANES) {
            x = FN(v_load_first)(p + i, left), y = FN(v_load_first)(g + i, left);
            if (m) first = FN(v_load_first)(m + i, left);
            if (v) second = FN(v_load_first)(v + i, left);
        } else {
            x = FN(v_load)(p + i), y = FN(v_load)(g + i);
            if (m) first = FN(v_load)(m + i);
            if (v) second = FN(v_load)(v + i);
        }
        y = FN(decayed_slope)(x, y, c, decays);
        if (call->kind == VEKT_SGD)
            FN(sgd_body)(&x, y, &first, c, nesterov);
        else if (call->kind == VEKT_RMSPROP)
            FN(rmsprop_body)(&x, y, &first, &second, c);
        else
            FN(adam_body)(&x, y, &first, &second, c);
        if (left < LANES) {
            FN(v_store_first)(p + i, x, left);
            if (m) FN(v_store_first)(m + i, first, left);
            if (v) FN(v_store_first)(v + i, second, left);
        } else {
            FN(v_store)(p + i, x);
            if (m) FN(v_store)(m + i, first);
            if (v) FN(v_store)(v + i, second);
        }
    }
}
