/* Which targets this binary holds, which of them this CPU runs, and which one is chosen. */
#include "convert.h"
#include "drivers.h"

#include <string.h>

/* X(name, condition), best first; meson.build compiles target.c once for each of them. */
#if defined(__x86_64__)
#define TARGETS(X)                                 \
    X(x86_v4, __builtin_cpu_supports("x86-64-v4")) \
    X(x86_v3, __builtin_cpu_supports("x86-64-v3")) \
    X(x86_v2, __builtin_cpu_supports("x86-64-v2")) \
    X(generic, 1)
#elif defined(__aarch64__)
#define TARGETS(X) X(neon, 1) X(generic, 1)
#else
#define TARGETS(X) X(generic, 1)
#endif

#define DECLARE(name, condition) extern const vekt_target vekt_target_##name;
TARGETS(DECLARE)

#define ADDRESS(name, condition) &vekt_target_##name,
static const vekt_target *const targets[] = {TARGETS(ADDRESS)};
enum { N_TARGETS = sizeof targets / sizeof targets[0] };

int vekt_n_targets(void) { return N_TARGETS; }

const vekt_target *vekt_target_at(int i) { return targets[i]; }

int vekt_target_supported(int i) {
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
#define SUPPORTED(name, condition) (condition) != 0,
    const int supported[] = {TARGETS(SUPPORTED)};
    return supported[i];
}

const vekt_target *vekt_select_target(const char *cap) {
    int first = 0;
    if (cap && *cap) {
        while (first < N_TARGETS && strcmp(cap, targets[first]->isa)) first++;
    }
    for (int i = first; i < N_TARGETS; i++) {
        if (vekt_target_supported(i)) return targets[i];
    }
    return NULL;
}

/* 8 to 28 % less time on Intel's server cores, and 80 % more on AMD's Zen 5, measured with relu on 40 MB. */
int vekt_streaming_pays(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_is("intel") != 0;
#else
    return 0;
#endif
}

const vekt_api *vekt_drivers(void) {
    static const vekt_api drivers = {
        .elementwise = vekt_elementwise,
        .dot = vekt_dot,
        .rows = vekt_rows,
        .prelu = vekt_prelu,
        .prelu_backward = vekt_prelu_backward,
        .norms = vekt_norms,
        .reduce = vekt_reduce,
        .transpose_copy = vekt_transpose_copy,
        .outer = vekt_outer,
        .matmul = vekt_matmul,
        .matmul_stack = vekt_matmul_stack,
        .packed_bytes = vekt_packed_bytes,
        .pack = vekt_pack,
        .optim_step = vekt_optim_step,
        .dense_backward = vekt_dense_backward,
        .iterate = vekt_iterate,
        .reduce_operation = vekt_reduce_operation,
        .type_bytes = vekt_type_bytes,
        .convert = vekt_convert,
    };
    return &drivers;
}
