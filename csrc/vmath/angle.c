/* Payne and Hanek's reduction (1983) in integers: of 2/pi only the bits are taken that decide the angle. */

#include "angle.h"

#include <stdint.h>
#include <string.h>

/* 2/pi to 1280 binary places, after 64 zeros. */
static const uint64_t TWO_OVER_PI[21] = {
    0,
    0xa2f9836e4e441529,
    0xfc2757d1f534ddc0,
    0xdb6295993c439041,
    0xfe5163abdebbc561,
    0xb7246e3a424dd2e0,
    0x06492eea09d1921c,
    0xfe1deb1cb129a73e,
    0xe88235f52ebb4484,
    0xe99c7026b45f7e41,
    0x3991d639835339f4,
    0x9c845f8bbdf9283b,
    0x1ff897ffde05980f,
    0xef2f118b5a0a6d1f,
    0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b,
    0x3d0739f78a5292ea,
    0x6bfb5fb11f8d5d08,
    0x56033046fc7b6bab,
    0xf0cfbc209af4361d,
};

/* pi/2 2^127 in two words. */
static const uint64_t HALF_PI[2] = {0xc90fdaa22168c234, 0xc4c6628b80dc1cd1};

/* a b, the upper half; the lower one goes to *low. */
static uint64_t product(uint64_t a, uint64_t b, uint64_t *low) {
    uint64_t a1 = a >> 32, a0 = (uint32_t)a, b1 = b >> 32, b0 = (uint32_t)b;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32), other = a0 * b1 + (uint32_t)middle;
    *low = a * b;
    return a1 * b1 + (middle >> 32) + (other >> 32);
}

/* 2^power, power from -1022 to 1023. */
static double power_of_2(int power) {
    const uint64_t bits = (uint64_t)(1023 + power) << 52;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

int vekt_far_angle(double x, double angle[2]) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint64_t m = (bits & 0xfffffffffffff) | 0x10000000000000;
    const int negative = (int)(bits >> 63), exponent = (int)(bits >> 52 & 0x7ff) - 1075; /* |x| = m 2^exponent */

    /* m 2^exponent 2/pi modulo 4, with two bits before the point and 190 behind it */
    const int place = exponent + 62, word = place >> 6, shift = place & 63;
    uint64_t part[3], low, carry, f2, f1, f0;
    for (int i = 0; i < 3; i++)
        part[i] = TWO_OVER_PI[word + i] << shift | TWO_OVER_PI[word + i + 1] >> 1 >> (63 - shift);
    carry = product(m, part[2], &f0);
    f1 = product(m, part[1], &low);
    low += carry;
    f1 += low < carry;
    f2 = m * part[0] + f1;
    f1 = low;

    /* the nearest quarter, and what is left, as a magnitude */
    int quarter = (int)((f2 + (UINT64_C(1) << 61)) >> 62);
    f2 -= (uint64_t)quarter << 62;
    const int below = (int)(f2 >> 63);
    if (below) {
        f0 = ~f0 + 1;
        f1 = ~f1 + (f0 == 0);
        f2 = ~f2 + (f0 == 0 && f1 == 0);
    }
    int power = -62; /* the left bit of f2 f1 f0 is worth 2^(power + 63) */
    for (; f2 == 0; power -= 64, f2 = f1, f1 = f0, f0 = 0) continue;
    for (; !(f2 >> 63); power--) {
        f2 = f2 << 1 | f1 >> 63;
        f1 = f1 << 1 | f0 >> 63;
        f0 <<= 1;
    }

    /* times pi/2, in two words that become two numbers */
    uint64_t high = product(f2, HALF_PI[0], &low);
    const uint64_t terms[2] = {product(f1, HALF_PI[0], &carry), product(f2, HALF_PI[1], &carry)};
    for (int i = 0; i < 2; i++) {
        low += terms[i];
        high += low < terms[i];
    }
    const double first = (double)(high >> 11) * 0x1p11, second = (double)(high & 0x7ff) + (double)low * 0x1p-64;
    const double scale = (negative != below ? -1.0 : 1.0) * power_of_2(power + 1);
    angle[0] = (first + second) * scale;
    angle[1] = (second - (first + second - first)) * scale;
    return negative ? -quarter : quarter;
}
