/* Blocks of memory that wait for the next large result.
 *
 * New pages cost more than most kernels: the system fills each with zeros when it is first written to, and takes it
 * back when the array goes.  A block that is released waits here instead, the last one first in line while its lines
 * are still in the cache.  What nobody wants for a few seconds goes back to the system, by a thread that lives only
 * while something waits.  A fork ends the thread and gives all back before: the child would copy what neither uses,
 * and Python warns of forks beside threads.
 *
 * Large blocks begin at pages of 2 MB, of which one fault brings in 512 at a time. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "blocks.h"
#include "sizes.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

/* Each block has its own description before it, in a line of the cache. */
typedef struct block {
    struct block *older;
    char *mapping;
    size_t mapped; /* bytes, this header and what lies before it among them */
    size_t room;   /* bytes for the user */
    int64_t since; /* seconds, when it was released */
    char unused[24];
} block;
_Static_assert(sizeof(block) == 64, "blocks begin at multiples of 64 bytes");

#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)
/* An array wastes at most an eighth, and waits with at most so many others. */
enum { WASTED_PARTS = 8, MOST_BLOCKS = 256 };
/* A loop that comes back to an array later than this has other worries than its pages. */
enum { IDLE_SECONDS = 4, LOOK_SECONDS = 1 };

/* The clock of the thread's waiting; macOS has no choice of it. */
#if defined(__APPLE__)
#define WAITING_CLOCK CLOCK_REALTIME
#else
#define WAITING_CLOCK CLOCK_MONOTONIC
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, forking = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake;
static block *newest;
static size_t kept, most_kept; /* bytes */
static int reaping, stopping;
static pthread_t reaper;

static int64_t seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec;
}

/* ---- the system's memory ---- */

static void unmap(block *first) {
    while (first) {
        block *b = first;
        first = b->older;
        munmap(b->mapping, b->mapped);
    }
}

static block *map(size_t bytes) {
    const size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : PAGE;
    if (bytes > PTRDIFF_MAX - 2 * HUGE_PAGE) return NULL;
    /* Sizes of an eighth's steps fit each other's arrays. */
    size_t step = PAGE;
    while (step * 2 * WASTED_PARTS <= bytes) step *= 2;
    const size_t room = (bytes + sizeof(block) + step - 1) / step * step, mapped = room + align - PAGE;
    char *mapping = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) return NULL;
    char *begin = (char *)(((uintptr_t)mapping + align - 1) / align * align);
#ifdef MADV_HUGEPAGE
    if (align == HUGE_PAGE) madvise(begin, room, MADV_HUGEPAGE);
#endif
    block *b = (block *)begin;
    b->mapping = mapping;
    b->mapped = mapped;
    b->room = room - sizeof(block);
    return b;
}

/* ---- what waits; by the holder of the lock ---- */

/* All from this one on. */
static block *unlink_from(block **link) {
    block *first = *link;
    *link = NULL;
    for (const block *b = first; b; b = b->older) kept -= b->mapped;
    return first;
}

/* The oldest ones, until what is left and so many bytes more are within bounds. */
static block *unlink_beyond(size_t bytes) {
    size_t room = most_kept > bytes ? most_kept - bytes : 0;
    block **link = &newest;
    for (int n = 1; *link && (*link)->mapped <= room && n < MOST_BLOCKS; n++) {
        room -= (*link)->mapped;
        link = &(*link)->older;
    }
    return unlink_from(link);
}

/* Blocks wait in the order of their release, so those that wait for too long are the last ones. */
static block *unlink_idle(int64_t now) {
    block **link = &newest;
    while (*link && now - (*link)->since < IDLE_SECONDS) link = &(*link)->older;
    return unlink_from(link);
}

static block *find(size_t bytes) {
    block **best = NULL;
    for (block **link = &newest; *link; link = &(*link)->older) {
        const size_t room = (*link)->room;
        if (room < bytes || room - bytes > bytes / WASTED_PARTS + PAGE) continue;
        if (!best || room < (*best)->room) best = link;
    }
    if (!best) return NULL;
    block *b = *best;
    *best = b->older;
    kept -= b->mapped;
    return b;
}

/* ---- the thread ---- */

static void *reap(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    while (newest && !stopping) {
        struct timespec until;
        clock_gettime(WAITING_CLOCK, &until);
        until.tv_sec += LOOK_SECONDS;
        pthread_cond_timedwait(&wake, &lock, &until);
        block *idle = unlink_idle(seconds_now());
        pthread_mutex_unlock(&lock);
        unmap(idle);
        pthread_mutex_lock(&lock);
    }
    if (!stopping) { /* nobody waits for its end */
        reaping = 0;
        pthread_detach(pthread_self());
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* By the holder of the lock; 0 where the system has no thread left. */
static int start_reaper(void) {
    if (reaping) return 1;
    sigset_t all, former;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 17);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    stopping = 0;
    reaping = pthread_create(&reaper, &attributes, reap, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    pthread_attr_destroy(&attributes);
    return reaping;
}

/* Both locks stay taken until the fork is done: one thread at a time ends the reaper. */
static void before_fork(void) {
    pthread_mutex_lock(&forking);
    pthread_mutex_lock(&lock);
    if (reaping) {
        stopping = 1;
        pthread_cond_signal(&wake);
        pthread_mutex_unlock(&lock);
        pthread_join(reaper, NULL);
        pthread_mutex_lock(&lock);
        reaping = 0;
    }
    unmap(unlink_beyond(SIZE_MAX));
}

static void after_fork(void) {
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&forking);
}

__attribute__((constructor)) static void prepare(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
#if !defined(__APPLE__)
    pthread_condattr_setclock(&attributes, WAITING_CLOCK);
#endif
    pthread_cond_init(&wake, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_atfork(before_fork, after_fork, after_fork);
}

/* ---- what is asked for ---- */

void *vekt_take_block(size_t bytes, int zeros) {
    pthread_mutex_lock(&lock);
    block *b = find(bytes);
    pthread_mutex_unlock(&lock);
    if (b) {
        if (zeros) memset(b + 1, 0, bytes);
        return b + 1;
    }
    b = map(bytes);
    if (!b) { /* what waits may be what is missing */
        pthread_mutex_lock(&lock);
        block *all = unlink_beyond(SIZE_MAX);
        pthread_mutex_unlock(&lock);
        unmap(all);
        b = map(bytes);
    }
    return b ? b + 1 : NULL;
}

void vekt_release_block(void *memory) {
    block *b = (block *)memory - 1, *rest = b;
    pthread_mutex_lock(&lock);
    b->older = NULL;
    if (b->mapped <= most_kept && start_reaper()) {
        rest = unlink_beyond(b->mapped);
        b->since = seconds_now();
        b->older = newest;
        newest = b;
        kept += b->mapped;
    }
    pthread_mutex_unlock(&lock);
    unmap(rest);
}

void *vekt_resize_block(void *memory, size_t bytes) {
    block *b = (block *)memory - 1;
    if (bytes <= b->room && bytes >= b->room / 2) return memory;
    void *larger = vekt_take_block(bytes, 0);
    if (!larger) return NULL;
    memcpy(larger, memory, bytes < b->room ? bytes : b->room);
    vekt_release_block(memory);
    return larger;
}

int vekt_memory_is_limited(void) {
#if defined(RLIMIT_AS)
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) return 0;
    pthread_mutex_lock(&lock);
    block *all = unlink_beyond(SIZE_MAX);
    pthread_mutex_unlock(&lock);
    unmap(all);
    return 1;
#else
    return 0;
#endif
}

void vekt_keep_blocks(size_t bytes) {
    pthread_mutex_lock(&lock);
    most_kept = bytes;
    block *rest = unlink_beyond(0);
    pthread_mutex_unlock(&lock);
    unmap(rest);
}

size_t vekt_kept_bytes(void) {
    pthread_mutex_lock(&lock);
    const size_t bytes = kept;
    pthread_mutex_unlock(&lock);
    return bytes;
}
