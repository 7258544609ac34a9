/* When stores that bypass the cache pay. */
#ifndef VEKT_STREAMING_H
#define VEKT_STREAMING_H

#include <stddef.h>

/* For an output of so many bytes that no input shares, written by an operation of this cost (vekt_kernel). */
int vekt_should_stream(const char *memory, ptrdiff_t bytes, int cost);

#endif
