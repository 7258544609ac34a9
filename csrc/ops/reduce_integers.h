/* Sums and greatest of integers; of their sizes, signed ones alone: the key does the rest (vekt.h). */

#define BITS 8
#include "reduce_integer.h"
#undef BITS
#define BITS 16
#include "reduce_integer.h"
#undef BITS
#define BITS 32
#include "reduce_integer.h"
#undef BITS
#define BITS 64
#include "reduce_integer.h"
#undef BITS
