/* Arithmetic of sizes and steps that all rooms share. */
#ifndef VEKT_SIZES_H
#define VEKT_SIZES_H

#include <stddef.h>

static inline ptrdiff_t vekt_smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static inline ptrdiff_t vekt_larger(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }
static inline ptrdiff_t vekt_magnitude(ptrdiff_t step) { return step < 0 ? -step : step; }

/* How many parts of size b it takes for a, and the size of all of them. */
static inline ptrdiff_t vekt_ceil_divide(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }
static inline ptrdiff_t vekt_round_up(ptrdiff_t a, ptrdiff_t b) { return vekt_ceil_divide(a, b) * b; }

#endif
