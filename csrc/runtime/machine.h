/* The machine at hand, or the one that is pretended, and the numbers that follow from it. */
#ifndef VEKT_MACHINE_H
#define VEKT_MACHINE_H

#include <stddef.h>

typedef struct {
    ptrdiff_t size; /* in bytes; 0 where there is none */
    int ways, line; /* 0 where the system does not tell */
    int shared;     /* by so many logical processors */
} vekt_cache;

/* What must be measured: a row of machine.c. */
typedef struct {
    int copy_share;         /* b is copied where it is larger than this part of the second-level cache */
    int block_runs;         /* of VEKT_PRODUCT_RUN steps of k in a block */
    ptrdiff_t stream_bytes; /* outputs this large bypass the caches; 0: none does */
} vekt_measured;

typedef struct {
    const char *name, *vendor;
    vekt_cache cache[3]; /* of data: first, second and third level */
    ptrdiff_t page;
    vekt_measured measured;
    int pretended;
    /* What follows, by the formulas of machine.c, in bytes: */
    ptrdiff_t near_bytes;        /* of the second-level cache, what a core has for itself */
    ptrdiff_t copy_bytes;        /* b is copied once it is larger than this and used by more than one tile */
    ptrdiff_t passing_bytes;     /* b of a single tile is copied once it is larger */
    ptrdiff_t from_memory_bytes; /* a matrix of this size comes from memory */
    ptrdiff_t turned_bytes;      /* where a large transposed operand is copied */
    ptrdiff_t block_bytes;       /* of a block of a in doubles */
} vekt_machine;

#pragma GCC visibility push(hidden)
/* Written while the package is imported, and read by all threads afterwards; until then, a plain machine. */
extern vekt_machine vekt_this_machine;
#pragma GCC visibility pop

/* Reads the machine, or pretends the one of this name where it is not NULL or empty.  Returns -1, and changes
 * nothing, where there is none of this name. */
int vekt_choose_machine(const char *name);
/* The names, NULL after the last. */
const char *vekt_machine_name(int i);

#endif
