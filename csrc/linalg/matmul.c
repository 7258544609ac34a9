/* Products shared out over the threads: the rows and columns of c are, never the sums over k. */
#include "matmul.h"
#include "runtime/fpenv.h"
#include "runtime/interrupt.h"

#include <stdatomic.h>

/* v_mads of a piece that a thread takes on, 9 us of AVX-512 in float32; a product of fewer than two pieces stays with
 * its caller.  A thread that is awake would help from a quarter of that on, but to wake one takes 5 us.  An element
 * that moves through memory weighs as much as MOVE_COST of them. */
enum { PIECE_WORK = 1 << 19, MOVE_COST = 2 };
/* Pieces for each thread, so that one that comes late or is slow does not hold up the others.  Each copies what it
 * needs of a and b: 64 x 1024 x 1024 takes 4 % more time with 2 than with 1, and 20 % with 4. */
enum { PIECES_PER_THREAD = 2 };
/* Between longer ones a call looks after signals: some tenths of a second. */
#define LONGEST_WORK 5e9

static double work_of(const vekt_product *p) {
    const double m = (double)p->m, n = (double)p->n, k = (double)p->k;
    return m * n * k + MOVE_COST * (m * k + k * n + m * n);
}

/* How many pieces are worth while; 1 for the caller alone. */
static ptrdiff_t pieces_of(double work) {
    const double most = work / PIECE_WORK;
    if (most < 2) return 1;
    const int threads = vekt_get_num_threads();
    ptrdiff_t wanted = threads == 1 ? 1 : (ptrdiff_t)threads * PIECES_PER_THREAD;
    const double least = vekt_is_interruptible() ? work / LONGEST_WORK : 0;
    if ((double)wanted < least) wanted = (ptrdiff_t)least + 1;
    return most < (double)wanted ? (ptrdiff_t)most : wanted;
}

/* One thread's work. */
static int run_product(const vekt_target *target, int type, const vekt_product *p) {
    if (p->from[0] || p->from[1]) return vekt_mixed_products(target, type, p, 1, (ptrdiff_t[3]){0, 0, 0});
    return target->products->product[type](p);
}

static vekt_matrix from(vekt_matrix x, ptrdiff_t i, ptrdiff_t j) {
    if (x.data) x.data += i * x.row + j * x.col;
    return x;
}

/* A grid of cells over c. */
typedef struct {
    const vekt_target *target;
    int type;
    const vekt_product *whole;
    ptrdiff_t rows, columns; /* of a cell; the last ones may be smaller */
    ptrdiff_t across;        /* cells in a row of the grid */
    ptrdiff_t sliver;        /* columns of packed b that lie together: cells begin with one */
    atomic_int failed;
} grid;

/* Where the cells of grid column `across` begin.  No cell is one column wide: that has an order of sums of its own.
 */
static ptrdiff_t first_column(const grid *g, ptrdiff_t across) {
    const ptrdiff_t n = g->whole->n, j = across * g->columns;
    if (j >= n) return n;
    return j == n - 1 && j > 0 ? j - g->sliver : j;
}

static void run_cells(void *context, ptrdiff_t begin, ptrdiff_t end) {
    grid *g = context;
    const vekt_product *whole = g->whole;
    for (ptrdiff_t cell = begin; cell < end; cell++) {
        const ptrdiff_t i = cell / g->across * g->rows, j = first_column(g, cell % g->across);
        vekt_product p = *whole;
        vekt_epilogue epilogue;
        p.m = whole->m - i < g->rows ? whole->m - i : g->rows;
        p.invariant |= p.m < whole->m; /* the last row may be alone */
        p.n = first_column(g, cell % g->across + 1) - j;
        p.a = from(p.a, i, 0);
        p.b = from(p.b, 0, j);
        p.c = from(p.c, i, j);
        if (p.packed) p.packed = (const char *)p.packed + vekt_packed_bytes(g->target, g->type, p.k, j);
        if (p.epilogue) {
            epilogue = *p.epilogue;
            epilogue.bias = from(epilogue.bias, i, j);
            epilogue.preactivation = from(epilogue.preactivation, i, j);
            p.epilogue = &epilogue;
        }
        if (run_product(g->target, g->type, &p) < 0) atomic_store(&g->failed, 1);
    }
}

/* Halves the longer side of the cells until there are enough, each still several tiles high and wide. */
static ptrdiff_t cut(grid *g, ptrdiff_t pieces) {
    enum { LEAST_ROWS = 32, LEAST_SLIVERS = 2 };
    const ptrdiff_t m = g->whole->m, n = g->whole->n;
    const ptrdiff_t most_down = m / LEAST_ROWS, most_across = n / (LEAST_SLIVERS * g->sliver);
    ptrdiff_t down = 1, across = 1;
    while (down * across < pieces) {
        const int can_down = 2 * down <= most_down, can_across = 2 * across <= most_across;
        if (!can_down && !can_across) break;
        if (can_down && (!can_across || m / down >= n / across))
            down *= 2;
        else
            across *= 2;
    }
    g->rows = vekt_ceil_divide(m, down);
    g->columns = vekt_round_up(vekt_ceil_divide(n, across), g->sliver);
    g->across = vekt_ceil_divide(n, g->columns);
    return vekt_ceil_divide(m, g->rows) * g->across;
}

static ptrdiff_t sliver_of(const vekt_target *target, int type) {
    if (type == VEKT_PRODUCT_F32) return (ptrdiff_t)vekt_packed_bytes(target, VEKT_F32, 1, 1) / 4;
    if (type == VEKT_PRODUCT_F64) return (ptrdiff_t)vekt_packed_bytes(target, VEKT_F64, 1, 1) / 8;
    return 16;
}

static int product_shared(const vekt_target *target, int type, const vekt_product *product, ptrdiff_t pieces) {
    grid g = {.target = target, .type = type, .whole = product, .sliver = sliver_of(target, type)};
    const ptrdiff_t cells = cut(&g, pieces);
    vekt_parallel_for(cells, 1, run_cells, &g);
    return atomic_load(&g.failed) ? -1 : 0;
}

int vekt_matmul_serial(const vekt_target *target, int type, const vekt_product *product) {
    vekt_fpenv saved = vekt_fpenv_enter();
    int status = run_product(target, type, product);
    vekt_fpenv_leave(saved);
    return status;
}

int vekt_matmul(const vekt_target *target, int type, const vekt_product *product) {
    const ptrdiff_t pieces = pieces_of(work_of(product));
    if (pieces == 1) return vekt_matmul_serial(target, type, product);
    vekt_fpenv saved = vekt_fpenv_enter();
    int status = product_shared(target, type, product, pieces);
    vekt_fpenv_leave(saved);
    return status;
}

typedef struct {
    const vekt_target *target;
    int type;
    const vekt_product *first;
    const ptrdiff_t *steps;
    atomic_int failed;
} stack;

static vekt_product product_at(const stack *s, ptrdiff_t i) {
    vekt_product p = *s->first;
    p.a.data += i * s->steps[0];
    p.b.data += i * s->steps[1];
    p.c.data += i * s->steps[2];
    return p;
}

static void run_stack(void *context, ptrdiff_t begin, ptrdiff_t end) {
    stack *s = context;
    const vekt_products *products = s->target->products;
    vekt_product p = product_at(s, begin);
    if (p.from[0] || p.from[1]) {
        if (vekt_mixed_products(s->target, s->type, &p, end - begin, s->steps) < 0) atomic_store(&s->failed, 1);
        return;
    }
    const int taken = products->stack[s->type](&p, end - begin, s->steps);
    int status = taken < 0 ? -1 : 0;
    for (ptrdiff_t i = begin; i < end && taken == 0 && status == 0; i++) {
        p = product_at(s, i);
        status = products->product[s->type](&p);
    }
    if (status < 0) atomic_store(&s->failed, 1);
}

int vekt_matmul_stack(const vekt_target *target, int type, const vekt_product *first, ptrdiff_t count,
                      const ptrdiff_t steps[3]) {
    stack s = {.target = target, .type = type, .first = first, .steps = steps};
    if (count <= 0) return 0;
    const double work = work_of(first);
    const ptrdiff_t pieces = pieces_of(work * (double)count);
    vekt_fpenv saved = vekt_fpenv_enter();
    if (pieces == 1) {
        run_stack(&s, 0, count);
    } else if (count >= pieces) {
        vekt_parallel_for(count, (ptrdiff_t)(PIECE_WORK / (work + 1)) + 1, run_stack, &s);
    } else { /* few large products: each is shared out */
        for (ptrdiff_t i = 0; i < count; i++) {
            const vekt_product p = product_at(&s, i);
            if (product_shared(target, type, &p, pieces_of(work)) < 0) atomic_store(&s.failed, 1);
        }
    }
    vekt_fpenv_leave(saved);
    return atomic_load(&s.failed) ? -1 : 0;
}

size_t vekt_packed_bytes(const vekt_target *target, int dtype, ptrdiff_t k, ptrdiff_t n) {
    return target->products->packed_bytes[dtype](k, n);
}

void vekt_pack(const vekt_target *target, int dtype, void *packed, const vekt_matrix *b, ptrdiff_t k, ptrdiff_t n) {
    target->products->pack[dtype](packed, b, k, n);
}
