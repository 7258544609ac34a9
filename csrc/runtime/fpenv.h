/* Kernels run in the default floating-point environment; the caller's comes back untouched. */
#ifndef VEKT_FPENV_H
#define VEKT_FPENV_H

#if defined(__x86_64__)
#include <immintrin.h>

typedef unsigned vekt_fpenv;

enum { VEKT_DEFAULT_MXCSR = 0x1f80 }; /* all exceptions masked, nearest, no flush to zero */

static inline vekt_fpenv vekt_fpenv_enter(void) {
    vekt_fpenv saved = _mm_getcsr();
    if (saved != VEKT_DEFAULT_MXCSR) _mm_setcsr(VEKT_DEFAULT_MXCSR);
    return saved;
}

static inline void vekt_fpenv_leave(vekt_fpenv saved) { _mm_setcsr(saved); }

#elif defined(__aarch64__) && defined(__GNUC__)
#include <stdint.h>

typedef struct {
    uint64_t control, status;
} vekt_fpenv;

static inline vekt_fpenv vekt_fpenv_enter(void) {
    vekt_fpenv saved;
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(saved.control), "=r"(saved.status));
    if (saved.control) __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)0) : "memory");
    return saved;
}

static inline void vekt_fpenv_leave(vekt_fpenv saved) {
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" ::"r"(saved.control), "r"(saved.status) : "memory");
}

#else
#include <fenv.h>

typedef fenv_t vekt_fpenv;

static inline vekt_fpenv vekt_fpenv_enter(void) {
    vekt_fpenv saved;
    fegetenv(&saved);
    fesetenv(FE_DFL_ENV);
    return saved;
}

static inline void vekt_fpenv_leave(vekt_fpenv saved) { fesetenv(&saved); }
#endif

#endif
