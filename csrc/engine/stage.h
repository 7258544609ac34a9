/* Copies between memory of any layout and dense buffers of float or double. */
#ifndef VEKT_STAGE_H
#define VEKT_STAGE_H

#include "drivers.h"
#include "half.h"

#include <math.h>

static inline float vekt_bfloat16_to_float(uint16_t b) { return vekt_bits_float((uint32_t)b << 16); }

/* Rounds to nearest even; NaN stays NaN, made quiet. */
static inline uint16_t vekt_float_to_bfloat16(float x) {
    uint32_t bits = vekt_float_bits(x);
    uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? bits >> 16 | 0x40u : rounded);
}

/* n elements, step bytes apart in memory; a constant step lets the common case vectorise. */
#define STAGED(step, item, loop)  \
    if ((step) == (item)) {       \
        const ptrdiff_t s = item; \
        loop                      \
    } else {                      \
        const ptrdiff_t s = step; \
        loop                      \
    }

#define GATHER(type)                      \
    STAGED(step, (ptrdiff_t)sizeof(type), \
           for (ptrdiff_t i = 0; i < n; i++) memcpy((type *)dst + i, src + i * s, sizeof(type));)
#define SCATTER(type)                     \
    STAGED(step, (ptrdiff_t)sizeof(type), \
           for (ptrdiff_t i = 0; i < n; i++) memcpy(dst + i * s, (const type *)src + i, sizeof(type));)
#define GATHER_16(convert)                           \
    STAGED(                                          \
        step, 2, for (ptrdiff_t i = 0; i < n; i++) { \
            uint16_t bits;                           \
            memcpy(&bits, src + i * s, 2);           \
            ((float *)dst)[i] = convert(bits);       \
        })
#define SCATTER_16(convert)                                   \
    STAGED(                                                   \
        step, 2, for (ptrdiff_t i = 0; i < n; i++) {          \
            uint16_t bits = convert(((const float *)src)[i]); \
            memcpy(dst + i * s, &bits, 2);                    \
        })

static inline void vekt_gather(int dtype, int format, void *dst, const char *src, ptrdiff_t step, ptrdiff_t n) {
    if (format == VEKT_HALF) {
        GATHER_16(vekt_half_to_float)
    } else if (format == VEKT_BFLOAT16) {
        GATHER_16(vekt_bfloat16_to_float)
    } else if (dtype == VEKT_F32) {
        GATHER(float)
    } else {
        GATHER(double)
    }
}

static inline void vekt_scatter(int dtype, int format, char *dst, ptrdiff_t step, const void *src, ptrdiff_t n) {
    if (format == VEKT_HALF) {
        SCATTER_16(vekt_float_to_half)
    } else if (format == VEKT_BFLOAT16) {
        SCATTER_16(vekt_float_to_bfloat16)
    } else if (dtype == VEKT_F32) {
        SCATTER(float)
    } else {
        SCATTER(double)
    }
}

/* Elements whose mask is false become fill. */
#define FILL(type) \
    STAGED(step, 1, for (ptrdiff_t i = 0; i < n; i++)((type *)dst)[i] = mask[i * s] ? ((type *)dst)[i] : (type)fill;)

static inline void vekt_fill_masked(int dtype, void *dst, const char *mask, ptrdiff_t step, ptrdiff_t n,
                                    double fill) {
    if (dtype == VEKT_F32) {
        FILL(float)
    } else {
        FILL(double)
    }
}

/* Labels of rows, as integers of the size of the kernel's dtype, and factors in that dtype.  Labels index memory:
 * what is none of the classes, because another thread has written it since the caller looked, becomes -1. */
static inline void vekt_gather_labels(int dtype, void *dst, const char *src, ptrdiff_t step, ptrdiff_t n,
                                      ptrdiff_t classes) {
    for (ptrdiff_t i = 0; i < n; i++) {
        int64_t label;
        memcpy(&label, src + i * step, sizeof label);
        if (label < 0 || label >= classes) label = -1;
        if (dtype == VEKT_F32)
            ((int32_t *)dst)[i] = (int32_t)label;
        else
            ((int64_t *)dst)[i] = label;
    }
}

static inline void vekt_gather_factors(int dtype, void *dst, const char *src, ptrdiff_t step, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        double factor;
        memcpy(&factor, src + i * step, sizeof factor);
        if (dtype == VEKT_F32)
            ((float *)dst)[i] = (float)factor;
        else
            ((double *)dst)[i] = factor;
    }
}

#undef STAGED
#undef GATHER
#undef SCATTER
#undef GATHER_16
#undef SCATTER_16
#undef FILL

#endif
