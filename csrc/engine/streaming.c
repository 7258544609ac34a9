#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "streaming.h"
#include "runtime/machine.h"

#include <stdint.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

/* Large outputs leave the cache before anyone reads them, so their lines need not be read first: on some machines
 * less time for kernels that wait for memory.  Kernels that take longer lose 3 to 19 % by it. */
enum { STREAMED_PICOSECONDS = 100 };

/* Does the system already back this memory?  It fills new pages through the cache, and stores that
 * bypass it then cost 6 to 23 % more. */
static int is_resident(const char *memory, ptrdiff_t size) {
#if defined(__linux__)
    uintptr_t page = (uintptr_t)vekt_this_machine.page;
    unsigned char resident = 0;
    void *middle = (void *)(((uintptr_t)memory + (uintptr_t)size / 2) & ~(page - 1));
    return mincore(middle, 1, &resident) == 0 && (resident & 1);
#else
    (void)memory, (void)size;
    return 0;
#endif
}

int vekt_should_stream(const char *memory, ptrdiff_t bytes, int cost) {
    const ptrdiff_t least = vekt_this_machine.measured.stream_bytes;
    return least && bytes >= least && cost <= STREAMED_PICOSECONDS && is_resident(memory, bytes);
}
