/* Which processor a thread runs on. */
#ifndef VEKT_PROCESSORS_H
#define VEKT_PROCESSORS_H

#if defined(__linux__)
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include <sched.h>

/* -1 where the system does not tell. */
static inline int vekt_processor(void) { return sched_getcpu(); }

/* Moves the calling thread elsewhere, if it runs there and is allowed to run anywhere else.  Afterwards it is as free
 * as before. */
static inline void vekt_leave_processor(int processor) {
    cpu_set_t allowed, others;
    if (processor < 0 || processor >= CPU_SETSIZE || sched_getcpu() != processor) return;
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0) return;
    others = allowed;
    CPU_CLR((size_t)processor, &others);
    if (CPU_COUNT(&others) == 0) return;
    if (sched_setaffinity(0, sizeof others, &others) == 0) sched_setaffinity(0, sizeof allowed, &allowed);
}

#else
static inline int vekt_processor(void) { return -1; }
static inline void vekt_leave_processor(int processor) { (void)processor; }
#endif

#endif
