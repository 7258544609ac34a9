/* Contiguous elements of any type to any other. */
#ifndef VEKT_CONVERT_H
#define VEKT_CONVERT_H

#include "vekt.h"

extern const uint8_t vekt_bytes_of_types[VEKT_N_TYPES];
static inline int vekt_type_bytes(int type) { return vekt_bytes_of_types[type & VEKT_TYPE_MASK]; }
/* Either type may be swapped or unaligned.  By the target's own conversion where it has one.  Complex numbers lose
 * their imaginary part.  Numbers out of the range of an integer type give any value of it. */
void vekt_convert(const vekt_target *target, int to, void *dst, int from, const void *src, ptrdiff_t n);
/* The same of n elements that lie `step` bytes apart. */
void vekt_convert_line(const vekt_target *target, int to, char *dst, int from, const char *src, ptrdiff_t step,
                       ptrdiff_t n);

#endif
