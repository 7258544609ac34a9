/* What floats take from double: exponentials and logarithms to 2^-30, where a division follows anyway.
 *
 * e^x = a/b, a = (q + r) 2^k, b = q - r, q even in r: three coefficients in place of ten.  |x| <= 700; NaN stays. */
#ifndef VEKT_QUOTIENT_H
#define VEKT_QUOTIENT_H

typedef struct {
    vf64 a, b;
    vf64 difference; /* b - a, relative error 2^-50 also where x is small */
} quotient;

/* c: the coefficients of q */
INLINE quotient exp_quotient_of(vf64 x, const double *c, int count) {
    const vf64 rounder = v_splat_f64(ROUNDER_f64), one = v_splat_f64(1);
    vf64 shifted = v_mad(x, v_splat_f64(0x1.71547652b82fep+0), rounder);
    vf64 r = v_mad(shifted - rounder, v_splat_f64(-0x1.62e42fefa39efp-1), x), u = r * r;
    vf64 q = horner_f64(c, count, u);
    vi64 k = v_bits(shifted) << 52;
    vf64 power = v_real(v_wrap_add(v_bits(one), k));
    return (quotient){v_real(v_wrap_add(v_bits(q + r), k)), q - r, v_mad(one - power, q, -(one + power) * r)};
}

/* c: EXP_QUOTIENT or a sibling that is exact where a gradient has its root */
INLINE quotient exp_quotient(vf64 x, const double *c) { return exp_quotient_of(x, c, 3); }

/* base + 2 atanh(n/d), |n/d| <= 1/3, that is, base + log((d + n)/(d - n)) */
INLINE vf64 log_quotient(vf64 n, vf64 d, vf64 base) {
    const double *c = LOG_SHORT_f64;
    vf64 w = (n + n) / d, u = w * w;
    vf64 p = v_mad(
        v_mad(v_mad(v_mad(v_splat_f64(c[4]), u, v_splat_f64(c[3])), u, v_splat_f64(c[2])), u, v_splat_f64(c[1])), u,
        v_splat_f64(c[0]));
    return v_mad(w * u, p, w + base);
}

#endif
