/* Caches and kind of the processor, by CPUID, Linux's sysfs or macOS's sysctl; nothing is allocated.
 *
 * Blocks and thresholds follow as in Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM
 * TOMS 34(3), 2008, and Low, Igual, Smith and Quintana-Orti, "Analytical modeling is enough for high-performance
 * BLIS", ACM TOMS 43(2), 2016: a's block has the larger part of the second-level cache, and b's sliver and c pass
 * through the rest. */
#include "machine.h"

#include <string.h>

#if defined(__linux__)
#include <fcntl.h>
#include <stdlib.h>
#endif
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

#define KB(n) ((ptrdiff_t)(n) << 10)
#define MB(n) ((ptrdiff_t)(n) << 20)
enum { SMALLEST_KB = 128, LARGEST_MB = 8, BLOCK_KB = 560 };

/* Size, ways, line and sharers of each level.  Those of the third belong to one chip of its kind; sizes differ. */
#define CACHES(l1, w1, l2, w2, by2, l3, w3, by3, line)                                \
    {                                                                                 \
        {l1, w1, line, by2 > 2 ? 1 : by2}, {l2, w2, line, by2}, { l3, w3, line, by3 } \
    }

/* Measured: copies and blocks on Zen 4 and on Emerald Rapids, by which others of 2 MB go; streaming with relu on 40
 * MB, on Intel's server cores (8 to 28 % less time) and on Zen 5 (80 % more: never).  All others have AMD's row. */
#define AMD_ROW {4, 2, 0}
#define INTEL_ROW {4, 2, MB(16)}
#define LARGE_L2_ROW {2, 1, MB(16)}

static const struct {
    const char *name, *vendor;
    vekt_cache cache[3];
    vekt_measured measured;
} known[] = {
    {"unknown", "unknown", CACHES(KB(32), 8, MB(1), 8, 1, 0, 0, 0, 64), AMD_ROW},
    {"zen2", "AMD", CACHES(KB(32), 8, KB(512), 8, 2, MB(16), 16, 8, 64), AMD_ROW},
    {"zen3", "AMD", CACHES(KB(32), 8, KB(512), 8, 2, MB(32), 16, 16, 64), AMD_ROW},
    {"zen4", "AMD", CACHES(KB(32), 8, MB(1), 8, 2, MB(32), 16, 16, 64), AMD_ROW},
    {"zen5", "AMD", CACHES(KB(48), 12, MB(1), 16, 2, MB(32), 16, 16, 64), AMD_ROW},
    {"intel", "Intel", CACHES(KB(32), 8, KB(256), 4, 2, MB(8), 16, 8, 64), INTEL_ROW},
    {"skylake_x", "Intel", CACHES(KB(32), 8, MB(1), 16, 2, KB(39424), 11, 56, 64), INTEL_ROW},
    {"ice_lake", "Intel", CACHES(KB(48), 12, KB(1280), 20, 2, MB(48), 12, 64, 64), INTEL_ROW},
    {"sapphire_rapids", "Intel", CACHES(KB(48), 12, MB(2), 16, 2, MB(105), 15, 112, 64), LARGE_L2_ROW},
    {"emerald_rapids", "Intel", CACHES(KB(48), 12, MB(2), 16, 2, MB(320), 20, 128, 64), LARGE_L2_ROW},
    {"granite_rapids", "Intel", CACHES(KB(48), 12, MB(2), 16, 2, MB(480), 16, 240, 64), LARGE_L2_ROW},
    {"neoverse_n1", "Arm", CACHES(KB(64), 4, MB(1), 8, 1, MB(32), 16, 64, 64), AMD_ROW},
    {"neoverse_v1", "Arm", CACHES(KB(64), 4, MB(1), 8, 1, MB(32), 16, 64, 64), AMD_ROW},
    {"neoverse_v2", "Arm", CACHES(KB(64), 4, MB(2), 8, 1, MB(36), 12, 96, 64), AMD_ROW},
    {"apple", "Apple", CACHES(KB(128), 8, MB(12), 12, 4, 0, 0, 0, 128), AMD_ROW},
};
enum { N_KNOWN = sizeof known / sizeof known[0] };

/* Those of "unknown" follow from its caches. */
vekt_machine vekt_this_machine = {
    .name = "unknown",
    .vendor = "unknown",
    .cache = CACHES(KB(32), 8, MB(1), 8, 1, 0, 0, 0, 64),
    .page = 4096,
    .measured = AMD_ROW,
    .near_bytes = MB(1),
    .copy_bytes = KB(256),
    .passing_bytes = MB(4),
    .from_memory_bytes = MB(8),
    .turned_bytes = KB(256),
    .block_bytes = KB(BLOCK_KB),
};

const char *vekt_machine_name(int i) { return i >= 0 && i < N_KNOWN ? known[i].name : NULL; }

static int find(const char *name) {
    for (int i = 0; i < N_KNOWN; i++)
        if (!strcmp(known[i].name, name)) return i;
    return -1;
}

static ptrdiff_t clamp(ptrdiff_t value, ptrdiff_t least, ptrdiff_t most) {
    return value < least ? least : value > most ? most : value;
}

static void derive(vekt_machine *m) {
    const vekt_cache *l2 = &m->cache[1];
    /* Two threads of one core seldom both compute; clusters of cores do. */
    const ptrdiff_t own = l2->shared > 2 ? l2->size / l2->shared : l2->size;
    m->near_bytes = clamp(own, KB(SMALLEST_KB), MB(LARGEST_MB));
    m->copy_bytes = m->near_bytes / m->measured.copy_share;
    m->turned_bytes = m->near_bytes / 4;
    /* Zen 4's share of the last level for a core is 4 times the second.  Others' is not, from less than once to 8
     * times; but virtual machines do not tell how many share it, so the second level is what is relied on. */
    m->passing_bytes = 4 * m->near_bytes;
    m->from_memory_bytes = 8 * m->near_bytes;
    /* Low et al. leave a all ways but those of b's sliver and c, 6 of 8.  35 of 64 parts are what blocks had on
     * Zen 4, and a trial on 2 MB found the same bytes good. */
    const ptrdiff_t part = m->near_bytes / 64 * 35;
    m->block_bytes = part < KB(BLOCK_KB) ? part : KB(BLOCK_KB);
}

#if defined(__x86_64__)
static const char *name_of_amd(unsigned family, unsigned model) {
    if (family == 0x1A) return "zen5";
    if (family == 0x17) return model >= 0x30 ? "zen2" : "unknown";
    if (family != 0x19) return "unknown";
    const int fourth = (model >= 0x10 && model <= 0x1F) || (model >= 0x60 && model <= 0x7F) || (model >> 4) == 0xA;
    return fourth ? "zen4" : "zen3";
}

static const char *name_of_intel(unsigned family, unsigned model) {
    if (family != 6) return "intel";
    switch (model) {
    case 0x55:
        return "skylake_x";
    case 0x6A:
    case 0x6C:
        return "ice_lake";
    case 0x8F:
        return "sapphire_rapids";
    case 0xCF:
        return "emerald_rapids";
    case 0xAD:
    case 0xAE:
        return "granite_rapids";
    default:
        return "intel";
    }
}

/* Intel's leaf 4 and AMD's 0x8000001D have the same form. */
static void read_caches(vekt_machine *m, unsigned leaf) {
    unsigned a, b, c, d;
    for (unsigned i = 0; i < 16 && __get_cpuid_count(leaf, i, &a, &b, &c, &d) && (a & 31); i++) {
        const unsigned kind = a & 31, level = a >> 5 & 7;
        if (kind == 2 || level < 1 || level > 3) continue; /* of instructions */
        const unsigned line = (b & 0xFFF) + 1, parts = (b >> 12 & 0x3FF) + 1, ways = (b >> 22) + 1;
        m->cache[level - 1] = (vekt_cache){(ptrdiff_t)line * parts * ways * ((ptrdiff_t)c + 1), (int)ways, (int)line,
                                           (int)(a >> 14 & 0xFFF) + 1};
    }
}

static const char *read_processor(vekt_machine *m) {
    enum { AUTH = 0x68747541, GENU = 0x756e6547, TOPOLOGY = 1 << 22 };
    unsigned a, b, c, d, vendor;
    if (!__get_cpuid(0, &a, &vendor, &c, &d) || !__get_cpuid(1, &a, &b, &c, &d)) return "unknown";
    const unsigned family = (a >> 8 & 15) + ((a >> 8 & 15) == 15 ? a >> 20 & 255 : 0);
    const unsigned model = (a >> 4 & 15) | (a >> 12 & 0xF0);
    if (vendor == GENU) {
        read_caches(m, 4);
        return name_of_intel(family, model);
    }
    if (vendor != AUTH) return "unknown";
    m->vendor = "AMD";
    if (__get_cpuid(0x80000001, &a, &b, &c, &d) && (c & TOPOLOGY)) read_caches(m, 0x8000001D);
    return name_of_amd(family, model);
}
#endif

#if defined(__linux__)
static ptrdiff_t read_number(const char *path) {
    char text[32];
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    const ssize_t n = read(file, text, sizeof text - 1);
    close(file);
    if (n <= 0) return 0;
    text[n] = 0;
    char *end;
    const long long value = strtoll(text, &end, 0);
    return (ptrdiff_t)(*end == 'K' ? value << 10 : *end == 'M' ? value << 20 : value);
}

/* How many processors are in a mask of hexadecimal digits, of which there may be more than a word holds. */
static int count_processors(const char *path) {
    char text[1024];
    int count = 0;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    const ssize_t n = read(file, text, sizeof text);
    close(file);
    for (ssize_t i = 0; i < n; i++) {
        const int digit = text[i] <= '9' ? text[i] - '0' : (text[i] | 32) - 'a' + 10;
        if (digit > 0 && digit < 16) count += __builtin_popcount((unsigned)digit);
    }
    return count;
}

#define OF_CPU0 "/sys/devices/system/cpu/cpu0/"
static void read_system(vekt_machine *m) {
    for (char i = '0'; i <= '9'; i++) {
        char path[80] = OF_CPU0 "cache/index0/";
        const size_t length = strlen(path);
        path[length - 2] = i;
#define NAMED(file) (memcpy(path + length, file, sizeof file), path)
        const ptrdiff_t level = read_number(NAMED("level"));
        char kind = 0;
        const int file = open(NAMED("type"), O_RDONLY | O_CLOEXEC);
        if (file < 0) break;
        if (read(file, &kind, 1) != 1) kind = 0;
        close(file);
        if (level < 1 || level > 3 || kind == 'I') continue;
        vekt_cache *cache = &m->cache[level - 1];
        cache->size = read_number(NAMED("size"));
        cache->ways = (int)read_number(NAMED("ways_of_associativity"));
        cache->line = (int)read_number(NAMED("coherency_line_size"));
        cache->shared = count_processors(NAMED("shared_cpu_map"));
    }
}
#elif defined(__APPLE__)
static ptrdiff_t asked(const char *name) {
    int64_t value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 ? (ptrdiff_t)value : 0;
}

/* Of the fast cores, where there are two kinds. */
static ptrdiff_t asked_first(const char *name, const char *other) {
    const ptrdiff_t value = asked(name);
    return value ? value : asked(other);
}

static void read_system(vekt_machine *m) {
    const int line = (int)asked("hw.cachelinesize");
    const int sharers = (int)asked("hw.perflevel0.cpusperl2");
    m->cache[0] = (vekt_cache){asked_first("hw.perflevel0.l1dcachesize", "hw.l1dcachesize"), 0, line, 1};
    m->cache[1] = (vekt_cache){asked_first("hw.perflevel0.l2cachesize", "hw.l2cachesize"), 0, line, sharers};
    m->cache[2] = (vekt_cache){asked("hw.l3cachesize"), 0, line, 0};
}
#else
static void read_system(vekt_machine *m) { (void)m; }
#endif

#if !defined(__x86_64__)
static const char *read_processor(vekt_machine *m) {
    (void)m;
#if defined(__APPLE__) && defined(__aarch64__)
    return "apple";
#elif defined(__linux__) && defined(__aarch64__)
    const ptrdiff_t id = read_number(OF_CPU0 "regs/identification/midr_el1");
    if ((id >> 24 & 0xFF) != 0x41) return "unknown";
    switch (id >> 4 & 0xFFF) {
    case 0xD0C:
        return "neoverse_n1";
    case 0xD40:
        return "neoverse_v1";
    case 0xD4F:
        return "neoverse_v2";
    default:
        return "unknown";
    }
#else
    return "unknown";
#endif
}
#endif

int vekt_choose_machine(const char *name) {
    vekt_machine m = {.page = (ptrdiff_t)sysconf(_SC_PAGESIZE)};
    m.pretended = name && *name;
    const int row = find(m.pretended ? name : read_processor(&m));
    if (row < 0) return -1;
    m.name = known[row].name;
    if (!m.vendor) m.vendor = known[row].vendor;
    m.measured = known[row].measured;
    if (!m.pretended && !(m.cache[0].size && m.cache[1].size)) read_system(&m);
    if (m.pretended || !(m.cache[0].size && m.cache[1].size)) memcpy(m.cache, known[row].cache, sizeof m.cache);
    if (m.page <= 0) m.page = 4096;
    derive(&m);
    vekt_this_machine = m;
    return 0;
}
