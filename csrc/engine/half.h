/* IEEE half <-> float, rounding to nearest even.  Branch-free, so that loops of them vectorise. */
#ifndef VEKT_HALF_H
#define VEKT_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t vekt_float_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float vekt_bits_float(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline float vekt_half_to_float(uint16_t half) {
    uint32_t magnitude = half & 0x7fffu;
    uint32_t sign = (half & 0x8000u) << 16;
    /* The product moves the exponent bias from 15 to 127; it is exact, subnormals included. */
    uint32_t bits = vekt_float_bits(vekt_bits_float(magnitude << 13) * 0x1p112f);
    uint32_t special = magnitude >= 0x7c00u ? 0x7f800000u : 0;
    return vekt_bits_float(bits | special | sign);
}

static inline uint16_t vekt_float_to_half(float x) {
    uint32_t bits = vekt_float_bits(x) & 0x7fffffffu;
    uint32_t sign = vekt_float_bits(x) >> 16 & 0x8000u;
    /* Normal halves: add just under half a unit, a whole half where the last kept bit is odd. */
    uint32_t normal = (bits + 0xfffu + (bits >> 13 & 1u) - (112u << 23)) >> 13;
    /* Subnormal ones: their unit, 2**-24, is the last bit of a float just above 0.5. */
    uint32_t subnormal = vekt_float_bits(vekt_bits_float(bits) + 0.5f) - 0x3f000000u;
    uint32_t half = bits < 0x38800000u ? subnormal : normal;
    half = bits >= 0x477ff000u ? 0x7c00u : half;                        /* 65520 and above */
    half = bits > 0x7f800000u ? 0x7e00u | (bits >> 13 & 0x1ffu) : half; /* NaN, made quiet */
    return (uint16_t)(half | sign);
}

#endif
