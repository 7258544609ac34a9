/* Which targets this binary holds, which of them this CPU runs, and which one is chosen. */
#include "engine/convert.h"
#include "drivers.h"

#include <string.h>

#if defined(__x86_64__) && defined(__clang__) && __clang_major__ < 18
/* These clangs cannot ask for a level, nor for three of its extensions. */
#include <cpuid.h>
static int has_extensions(unsigned leaf, unsigned bits) {
    unsigned eax, ebx, ecx = 0, edx;
    return __get_cpuid(leaf, &eax, &ebx, &ecx, &edx) && (ecx & bits) == bits;
}
#define HAS(name) __builtin_cpu_supports(name)
#define RUNS_x86_v2 (HAS("sse4.2") && HAS("ssse3") && HAS("popcnt"))
#define RUNS_x86_v3                                                                                                \
    (RUNS_x86_v2 && HAS("avx2") && HAS("bmi") && HAS("bmi2") && HAS("fma") && has_extensions(1, F16C_AND_MOVBE) && \
     has_extensions(0x80000001, LZCNT))
#define RUNS_x86_v4 (RUNS_x86_v3 && HAS("avx512bw") && HAS("avx512cd") && HAS("avx512dq") && HAS("avx512vl"))
#define F16C_AND_MOVBE (1u << 29 | 1u << 22)
#define LZCNT (1u << 5)
#elif defined(__x86_64__)
#define RUNS_x86_v2 __builtin_cpu_supports("x86-64-v2")
#define RUNS_x86_v3 __builtin_cpu_supports("x86-64-v3")
#define RUNS_x86_v4 __builtin_cpu_supports("x86-64-v4")
#endif

#define RUNS_neon 1
#define RUNS_generic 1

/* TARGETS(X), X(name) of each, best first, is of meson.build, which compiles target.c once for each of them. */
#define DECLARE(name) extern const vekt_target vekt_target_##name;
TARGETS(DECLARE)

#define ADDRESS(name) &vekt_target_##name,
static const vekt_target *const targets[] = {TARGETS(ADDRESS)};
enum { N_TARGETS = sizeof targets / sizeof targets[0] };

int vekt_n_targets(void) { return N_TARGETS; }

const vekt_target *vekt_target_at(int i) { return targets[i]; }

int vekt_target_supported(int i) {
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
#define SUPPORTED(name) RUNS_##name != 0,
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

const vekt_api *vekt_drivers(void) {
    static const vekt_api drivers = {
        .n_targets = vekt_n_targets,
        .target_at = vekt_target_at,
        .elementwise = vekt_elementwise,
        .dot = vekt_dot,
        .rows = vekt_rows,
        .prelu = vekt_prelu,
        .prelu_backward = vekt_prelu_backward,
        .norms = vekt_norms,
        .reduce = vekt_reduce,
        .scan = vekt_scan_along,
        .transpose_copy = vekt_transpose_copy,
        .outer = vekt_outer,
        .top_k = vekt_top_k,
        .take = vekt_take,
        .scatter_add = vekt_scatter_add,
        .mark = vekt_mark,
        .matmul = vekt_matmul,
        .matmul_stack = vekt_matmul_stack,
        .packed_bytes = vekt_packed_bytes,
        .pack = vekt_pack,
        .optim_step = vekt_optim_step,
        .dense_backward = vekt_dense_backward,
        .iterate = vekt_iterate,
        .reduce_operation = vekt_reduce_operation,
        .workspace = vekt_workspace,
        .take_block = vekt_take_block,
        .resize_block = vekt_resize_block,
        .release_block = vekt_release_block,
        .memory_is_limited = vekt_memory_is_limited,
        .keep_blocks = vekt_keep_blocks,
        .kept_bytes = vekt_kept_bytes,
        .set_poll = vekt_set_poll,
        .call_begins = vekt_call_begins,
        .call_ends = vekt_call_ends,
        .type_bytes = vekt_type_bytes,
        .convert = vekt_convert,
    };
    return &drivers;
}
