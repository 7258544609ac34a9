/* A contiguous copy of memory of any layout.
 *
 * Where the elements that come to lie side by side are apart and others lie side by side now, tiles of both are
 * transposed in registers.  Rows of the copy that are a multiple of some KB apart share a few lines of the
 * first-level cache, and would evict each other before their lines are full; then a tile goes through a buffer (4096
 * x 4096 floats: three quarters of the time; 1000 x 1000: half as much again).  Prefetching and larger groups of
 * tiles gained nothing, and the runs are too short for stores that bypass the cache. */
#include "reduce/dims.h"

#include <string.h>

enum { THREADED_BYTES = 4 << 20 };
enum { TILE_BYTES = 1 << 14, MAX_SIDE = 128, ALIASING = 1024 };
enum { SRC, DST };

typedef struct {
    vekt_transpose transpose;
    const char *src;
    char *dst;
    ptrdiff_t item;
    const vekt_dim *outer; /* all dimensions but two */
    int n_outer;
    int direct;                        /* without the buffer */
    vekt_dim along;                    /* the last one: contiguous in the copy */
    vekt_dim across;                   /* one whose steps in the source are short */
    ptrdiff_t along_side, across_side; /* of a tile */
    ptrdiff_t along_tiles, across_tiles;
} plan;

/* n elements of a constant size become one load and one store each. */
static void copy_strided(char *dst, const char *src, ptrdiff_t step, ptrdiff_t item, ptrdiff_t n) {
    if (step == item)
        memcpy(dst, src, (size_t)(n * item));
    else if (item == 1)
        for (ptrdiff_t i = 0; i < n; i++) dst[i] = src[i * step];
    else if (item == 2)
        for (ptrdiff_t i = 0; i < n; i++) memcpy(dst + i * 2, src + i * step, 2);
    else if (item == 4)
        for (ptrdiff_t i = 0; i < n; i++) memcpy(dst + i * 4, src + i * step, 4);
    else if (item == 8)
        for (ptrdiff_t i = 0; i < n; i++) memcpy(dst + i * 8, src + i * step, 8);
    else if (item == 16)
        for (ptrdiff_t i = 0; i < n; i++) memcpy(dst + i * 16, src + i * step, 16);
    else
        for (ptrdiff_t i = 0; i < n; i++) memcpy(dst + i * item, src + i * step, (size_t)item);
}

static void copy_tile(const plan *p, char *dst, const char *src, ptrdiff_t along, ptrdiff_t across) {
    _Alignas(64) char buffer[TILE_BYTES];
    if (!p->transpose) {
        for (ptrdiff_t j = 0; j < across; j++)
            copy_strided(dst + j * p->across.step[DST], src + j * p->across.step[SRC], p->along.step[SRC], p->item,
                         along);
        return;
    }
    if (p->direct) {
        p->transpose(dst, p->across.step[DST], src, p->along.step[SRC], along, across);
        return;
    }
    const ptrdiff_t run = p->along_side * p->item;
    p->transpose(buffer, run, src, p->along.step[SRC], along, across);
    for (ptrdiff_t j = 0; j < across; j++)
        memcpy(dst + j * p->across.step[DST], buffer + j * run, (size_t)(along * p->item));
}

static void run(void *context, ptrdiff_t begin, ptrdiff_t end) {
    const plan *p = context;
    for (ptrdiff_t t = begin; t < end; t++) {
        const ptrdiff_t j = t % p->across_tiles * p->across_side, rest = t / p->across_tiles;
        const ptrdiff_t l = rest % p->along_tiles * p->along_side, o = rest / p->along_tiles;
        const char *src =
            p->src + vekt_offset(p->outer, p->n_outer, SRC, o) + l * p->along.step[SRC] + j * p->across.step[SRC];
        char *dst = p->dst + vekt_offset(p->outer, p->n_outer, DST, o) + l * p->item + j * p->across.step[DST];
        copy_tile(p, dst, src, vekt_smaller(p->along_side, p->along.size - l),
                  vekt_smaller(p->across_side, p->across.size - j));
    }
}

/* Of several elements that stay side by side, one where there is such a size. */
static int widen_items(plan *p, vekt_dim *dims, int n) {
    const ptrdiff_t bytes = n ? dims[n - 1].size * p->item : 0;
    if (n && dims[n - 1].step[SRC] == p->item && (bytes == 2 || bytes == 4 || bytes == 8 || bytes == 16)) {
        p->item = bytes;
        return n - 1;
    }
    return n;
}

static vekt_transpose transpose_of(const vekt_target *target, ptrdiff_t item) {
    for (int i = 0; i < VEKT_N_TRANSPOSES; i++) {
        if (item == (ptrdiff_t)1 << i) return target->transpose[i];
    }
    return NULL;
}

/* Chooses the two dimensions of a tile, and takes them out of the others. */
static void choose_tile(plan *p, const vekt_target *target, vekt_dim *dims, int n) {
    const vekt_dim one = {1, {p->item, p->item, 0}};
    p->along = n ? dims[n - 1] : one;
    p->across = one;
    p->outer = dims, p->n_outer = n ? n - 1 : 0;
    p->along_side = p->along.size, p->across_side = 1;
    const int apart = p->along.step[SRC] != p->item;
    int best = n - 2;
    for (int i = n - 3; i >= 0 && apart; i--) {
        if (vekt_magnitude(dims[i].step[SRC]) < vekt_magnitude(dims[best].step[SRC])) best = i;
    }
    if (best < 0) return;
    p->across = dims[best];
    memmove(dims + best, dims + best + 1, (size_t)(n - 2 - best) * sizeof *dims);
    p->n_outer--;
    ptrdiff_t side = MAX_SIDE;
    while (side > 1 && side * side * p->item > TILE_BYTES) side /= 2;
    p->across_side = vekt_smaller(p->across.size, side);
    if (!apart) return;
    p->along_side = vekt_smaller(p->along.size, side);
    /* A short side leaves room for the other one. */
    if (p->across.size < side) p->along_side = vekt_smaller(p->along.size, TILE_BYTES / p->item / p->across_side);
    if (p->along.size < side) p->across_side = vekt_smaller(p->across.size, TILE_BYTES / p->item / p->along_side);
    if (p->across.step[SRC] == p->item) p->transpose = transpose_of(target, p->item);
    const int thin = vekt_smaller(p->along.size, p->across.size) * p->item < 16;
    p->direct = p->item == 16 || thin || p->across.step[DST] % ALIASING;
}

/* How many tiles there are. */
static ptrdiff_t count_tiles(plan *p) {
    p->along_tiles = vekt_ceil_divide(p->along.size, p->along_side);
    p->across_tiles = vekt_ceil_divide(p->across.size, p->across_side);
    return vekt_count(p->outer, p->n_outer) * p->along_tiles * p->across_tiles;
}

void vekt_transpose_copy(const vekt_target *target, ptrdiff_t item, vekt_dim *dims, int n, const void *src,
                         void *dst) {
    plan p = {.src = src, .dst = dst, .item = item};
    const ptrdiff_t bytes = vekt_count(dims, n) * item;
    if (bytes == 0) return;
    n = widen_items(&p, dims, vekt_join_dims(dims, n));
    choose_tile(&p, target, dims, n);
    const ptrdiff_t tiles = count_tiles(&p);
    if (bytes >= THREADED_BYTES)
        vekt_parallel_for(tiles, tiles > 64 ? tiles / 64 : 1, run, &p);
    else
        run(&p, 0, tiles);
}
