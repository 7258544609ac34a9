/* Elements at any address, of whatever type the rest of the program takes them for. */
#ifndef VEKT_LOOSE_H
#define VEKT_LOOSE_H

#include <stdint.h>

typedef uint16_t loose_16 __attribute__((aligned(1), may_alias));
typedef uint32_t loose_32 __attribute__((aligned(1), may_alias));
typedef uint64_t loose_64 __attribute__((aligned(1), may_alias));

#endif
