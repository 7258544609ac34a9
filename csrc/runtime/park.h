/* Sleep on a 32-bit word until another thread has changed it and says so. */
#ifndef VEKT_PARK_H
#define VEKT_PARK_H

#include <stdatomic.h>
#include <stdint.h>

#if defined(__linux__)
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Returns at once where *word is not value any more; may also return for no reason. */
static inline void vekt_park(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static inline void vekt_unpark(_Atomic uint32_t *word, int threads) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, threads, NULL, NULL, 0);
}

/* A forked child has no sleepers: futexes keep no state in the process. */
static inline void vekt_park_reset(void) {}

#else
#include <pthread.h>

static pthread_mutex_t vekt_park_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t vekt_park_changed = PTHREAD_COND_INITIALIZER;

static inline void vekt_park(_Atomic uint32_t *word, uint32_t value) {
    pthread_mutex_lock(&vekt_park_mutex);
    if (atomic_load(word) == value) pthread_cond_wait(&vekt_park_changed, &vekt_park_mutex);
    pthread_mutex_unlock(&vekt_park_mutex);
}

static inline void vekt_unpark(_Atomic uint32_t *word, int threads) {
    (void)word, (void)threads;
    pthread_mutex_lock(&vekt_park_mutex);
    pthread_cond_broadcast(&vekt_park_changed);
    pthread_mutex_unlock(&vekt_park_mutex);
}

/* In a forked child the mutex may be held by a thread that was not copied. */
static inline void vekt_park_reset(void) {
    pthread_mutex_init(&vekt_park_mutex, NULL);
    pthread_cond_init(&vekt_park_changed, NULL);
}
#endif

#endif
