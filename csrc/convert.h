/* Contiguous elements of any type to any other. */
#ifndef VEKT_CONVERT_H
#define VEKT_CONVERT_H

#include "vekt.h"

int vekt_type_bytes(int type);
/* Either type may be swapped or unaligned.  By the target's own conversion where it has one.  Complex numbers lose
 * their imaginary part.  Numbers out of the range of an integer type give any value of it. */
void vekt_convert(const vekt_target *target, int to, void *dst, int from, const void *src, ptrdiff_t n);

#endif
