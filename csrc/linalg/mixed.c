/* Products whose operands are of other types than the product: a panel of each is converted at a time, into memory
 * that stays in the caches, and multiplied by the kernels of the product's type.
 *
 * A panel lies as a cast of the whole operand would, its rows or its columns contiguous, and is cut where sums are
 * cut anyway: so the bits are those of such a cast. */
#include "matmul.h"
#include "drivers.h"
#include "engine/convert.h"

#include <string.h>

const uint8_t vekt_product_elements[VEKT_N_PRODUCTS] = {
    [VEKT_PRODUCT_F32] = VEKT_TYPE_F32,   [VEKT_PRODUCT_F64] = VEKT_TYPE_F64,
    [VEKT_PRODUCT_HALF] = VEKT_TYPE_HALF, [VEKT_PRODUCT_BFLOAT16] = VEKT_TYPE_BFLOAT16,
    [VEKT_PRODUCT_I8] = VEKT_TYPE_I8,     [VEKT_PRODUCT_I16] = VEKT_TYPE_I16,
    [VEKT_PRODUCT_I32] = VEKT_TYPE_I32,   [VEKT_PRODUCT_I64] = VEKT_TYPE_I64,
    [VEKT_PRODUCT_BOOL] = VEKT_TYPE_BOOL, [VEKT_PRODUCT_C64] = VEKT_TYPE_C64,
    [VEKT_PRODUCT_C128] = VEKT_TYPE_C128,
};

/* Columns of b, or rows of a, in a panel of elements of at most half a double's size, half as many of others, and
 * steps of k, whole runs.  Where the other operand has few rows, panels shall come from the second cache. */
enum { WIDE = 1024, WIDE_STEPS = 2 * VEKT_PRODUCT_RUN, FEW = 16, FEW_STEPS = VEKT_PRODUCT_RUN };
/* Elements of a panel of more or fewer steps, and its rows or columns then. */
enum { PANEL_ELEMENTS = WIDE / 2 * WIDE_STEPS, LEAST = 32, MOST = 8 * WIDE };
/* Elements of a matrix of a stack that are converted many at a time, and of all of these. */
enum { SMALL = 1024, STACKED = 4096 };
enum { ALIASING = 4096 };
/* Lines asked for ahead: where they are far apart, the processor's own prefetcher does not follow. */
enum { AHEAD = 16 };
/* k from which a row of b's contiguous columns has the order of dot: gemm/dots.h. */
enum { FEWEST_DOT_STEPS = 65 };

/* One of the two operands: how it lies in memory, and room for a panel. */
typedef struct {
    const vekt_target *target;
    vekt_matrix x;
    int from, to; /* vekt_type; as `is_converted` says, they may be the same but for the order of bytes */
    int is_converted;
    char *room;
} operand;

static int by_columns(const vekt_matrix *x, ptrdiff_t rows, ptrdiff_t columns) {
    return columns == 1 || (rows > 1 && vekt_magnitude(x->row) < vekt_magnitude(x->col));
}

/* Bytes from one line of a panel to the next. */
static ptrdiff_t panel_step(ptrdiff_t bytes) {
    const ptrdiff_t step = vekt_round_up(bytes, 64);
    return step % ALIASING ? step : step + 64;
}

/* What a panel of so many elements may take. */
static size_t panel_bytes(const operand *o, ptrdiff_t rows, ptrdiff_t columns) {
    const ptrdiff_t item = vekt_type_bytes(o->to);
    const ptrdiff_t one = rows * panel_step(columns * item), other = columns * panel_step(rows * item);
    return o->is_converted ? (size_t)vekt_round_up(vekt_larger(one, other), 64) : 0;
}

/* The part of an operand from `data` on, converted if need be. */
static vekt_matrix panel(const operand *o, char *data, ptrdiff_t rows, ptrdiff_t columns) {
    const ptrdiff_t item = vekt_type_bytes(o->to), narrow = vekt_type_bytes(o->from);
    if (!o->is_converted) return (vekt_matrix){data, o->x.row, o->x.col};
    const int turned = by_columns(&o->x, rows, columns);
    ptrdiff_t lines = turned ? columns : rows, length = turned ? rows : columns;
    const ptrdiff_t between = turned ? o->x.col : o->x.row, step = turned ? o->x.row : o->x.col;
    const int dense = step == narrow && between == length * narrow && length * item < ALIASING;
    const ptrdiff_t apart = lines > 1 && between == 0 ? 0 : dense ? length * item : panel_step(length * item);
    const vekt_matrix made = turned ? (vekt_matrix){o->room, item, apart} : (vekt_matrix){o->room, apart, item};
    if (lines > 1 && between == 0) lines = 1; /* all of them alike */
    if (dense) length *= lines, lines = 1;
    char *to = o->room;
    for (ptrdiff_t i = 0; i < lines; i++, data += between, to += apart) {
        if (step == narrow && i + AHEAD < lines)
            for (ptrdiff_t at = 0; at < length * narrow; at += 64)
                __builtin_prefetch(data + AHEAD * between + at, 0, 2);
        vekt_convert_line(o->target, o->to, to, o->from, data, step, length);
    }
    return made;
}

/* How products are cut. */
typedef struct {
    const vekt_target *target;
    int type, to; /* to: vekt_type of the elements of panels */
    vekt_product_kernel product;
    vekt_stack_kernel stack;
    operand a, b;
    ptrdiff_t m, n, k; /* of a panel */
} plan;

static vekt_product plain(const vekt_product *p) {
    vekt_product q = *p;
    q.from[0] = q.from[1] = 0;
    return q;
}

/* Have the sums an order that cannot be cut? */
static int is_whole(const plan *t, const vekt_product *p) {
    if (t->type == VEKT_PRODUCT_HALF || t->type == VEKT_PRODUCT_BFLOAT16 || p->n == 1 || p->packed) return 1;
    return !p->invariant && p->m == 1 && p->k >= FEWEST_DOT_STEPS &&
           (t->b.is_converted ? by_columns(&p->b, p->k, p->n) : p->b.row == vekt_type_bytes(t->b.to));
}

static void cut(plan *t, const vekt_product *p) {
    const int few = p->m <= FEW || p->n <= FEW;
    const ptrdiff_t k = few ? FEW_STEPS : WIDE_STEPS;
    ptrdiff_t lines = few || vekt_type_bytes(t->to) > 4 ? WIDE / 2 : WIDE;
    t->k = p->k;
    if (p->k > k && !is_whole(t, p) && (t->b.is_converted || p->m * p->k > PANEL_ELEMENTS))
        t->k = k;
    else if (p->k != k)
        lines = vekt_smaller(MOST, vekt_larger(PANEL_ELEMENTS / (p->k + 1), p->n == 1 ? 1 : LEAST));
    t->m = t->a.is_converted && p->m > lines ? lines : p->m;
    t->n = t->b.is_converted && p->n > lines + 1 ? lines : p->n; /* one column alone has an order of its own */
}

/* Columns from j on: none is left alone. */
static ptrdiff_t columns_from(const plan *t, const vekt_product *p, ptrdiff_t j) {
    return p->n - j <= t->n + 1 ? p->n - j : t->n;
}

static vekt_matrix moved(vekt_matrix x, ptrdiff_t i, ptrdiff_t j) {
    if (x.data) x.data += i * x.row + j * x.col;
    return x;
}

/* Rows i to i + m of the product of two panels, from step q of k on. */
static int multiply(const plan *t, const vekt_product *p, vekt_product *q, ptrdiff_t i, ptrdiff_t j, ptrdiff_t step) {
    vekt_epilogue epilogue;
    q->c = moved(p->c, i, j);
    q->accumulate = p->accumulate || step > 0;
    q->invariant = p->invariant || q->m < p->m || q->k < p->k;
    q->epilogue = NULL;
    if (p->epilogue && step + q->k == p->k) {
        epilogue = *p->epilogue;
        epilogue.bias = moved(epilogue.bias, i, j);
        epilogue.preactivation = moved(epilogue.preactivation, i, j);
        q->epilogue = &epilogue;
    }
    return t->product(q);
}

/* All products of a stack, for one panel of columns and steps: what all share is converted once. */
static int multiply_panels(const plan *t, const vekt_product *first, ptrdiff_t count, const ptrdiff_t steps[3],
                           ptrdiff_t j, ptrdiff_t step) {
    const ptrdiff_t n = columns_from(t, first, j), k = vekt_smaller(t->k, first->k - step);
    const int one_a = t->m == first->m;
    vekt_product p = *first, q = plain(first);
    q.n = n;
    q.k = k;
    for (ptrdiff_t s = 0; s < count; s++) {
        if (s == 0 || steps[1]) q.b = first->packed ? p.b : panel(&t->b, moved(p.b, step, j).data, k, n);
        for (ptrdiff_t i = 0; i < p.m; i += t->m) {
            q.m = vekt_smaller(t->m, p.m - i);
            if (s == 0 || steps[0] || !one_a) q.a = panel(&t->a, moved(p.a, i, step).data, q.m, k);
            if (multiply(t, &p, &q, i, j, step) < 0) return -1;
        }
        p.a.data += steps[0];
        if (p.b.data) p.b.data += steps[1];
        p.c.data += steps[2];
    }
    return 0;
}

/* Small matrices, many of them converted at a time.  Their panels lie `steps` apart. */
static vekt_matrix small_panels(const operand *o, char *data, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t count,
                                ptrdiff_t step, ptrdiff_t *own) {
    const ptrdiff_t item = vekt_type_bytes(o->to), size = rows * columns;
    if (!o->is_converted) {
        *own = step;
        return (vekt_matrix){data, o->x.row, o->x.col};
    }
    *own = step ? size * item : 0;
    const int turned = by_columns(&o->x, rows, columns);
    const ptrdiff_t lines = turned ? columns : rows, length = turned ? rows : columns;
    const ptrdiff_t between = turned ? o->x.col : o->x.row, one = turned ? o->x.row : o->x.col;
    const ptrdiff_t narrow = vekt_type_bytes(o->from);
    const int dense = (length == 1 || one == narrow) && (lines == 1 || between == length * narrow);
    const ptrdiff_t matrices = step ? count : 1;
    if (dense && (matrices == 1 || step == size * narrow)) {
        vekt_convert(o->target, o->to, o->room, o->from, data, matrices * size);
    } else {
        char *to = o->room;
        for (ptrdiff_t s = 0; s < matrices; s++, data += step)
            for (ptrdiff_t i = 0; i < lines; i++, to += length * item)
                vekt_convert_line(o->target, o->to, to, o->from, data + i * between, one, length);
    }
    return turned ? (vekt_matrix){o->room, item, length * item} : (vekt_matrix){o->room, length * item, item};
}

static int multiply_small(const plan *t, const vekt_product *first, ptrdiff_t count, const ptrdiff_t steps[3]) {
    const ptrdiff_t largest = vekt_larger(1, vekt_larger(first->m * first->k, first->k * first->n));
    vekt_product p = *first;
    for (ptrdiff_t s = 0, n; s < count; s += n) {
        n = vekt_smaller(count - s, STACKED / largest);
        ptrdiff_t own[3] = {0, 0, steps[2]};
        vekt_product q = plain(&p);
        q.a = small_panels(&t->a, p.a.data, p.m, p.k, n, steps[0], &own[0]);
        q.b = small_panels(&t->b, p.b.data, p.k, p.n, n, steps[1], &own[1]);
        const int taken = t->stack(&q, n, own);
        if (taken < 0) return -1;
        for (ptrdiff_t i = 0; i < n && !taken; i++) {
            if (t->product(&q) < 0) return -1;
            q.a.data += own[0];
            q.b.data += own[1];
            q.c.data += own[2];
        }
        p.a.data += n * steps[0];
        p.b.data += n * steps[1];
        p.c.data += n * steps[2];
    }
    return 0;
}

static operand operand_of(const plan *t, const vekt_product *p, int which) {
    const int from = p->from[which] ? p->from[which] - 1 : t->to;
    return (operand){t->target, which ? p->b : p->a, from, t->to, from != t->to, NULL};
}

static int is_byte(int from) { return from == 1 + VEKT_TYPE_I8 || from == 1 + VEKT_TYPE_U8; }
static int fits_i16(int from) { return is_byte(from) || from == 1 + VEKT_TYPE_BOOL || from == 1 + VEKT_TYPE_I16; }

/* Bytes to int32, as long as that is quicker than by way of int16: 1, 0 or -1. */
static int multiply_bytes(const vekt_target *target, const vekt_product *first, ptrdiff_t count,
                          const ptrdiff_t steps[3]) {
    vekt_product p = *first;
    int taken = 0;
    for (ptrdiff_t s = 0; s < count; s++) {
        taken = target->products->bytes_to_i32(&p);
        if (taken <= 0) break; /* at the first one: it depends on the shape */
        p.a.data += steps[0];
        p.b.data += steps[1];
        p.c.data += steps[2];
    }
    return taken;
}

/* Two vectors of several blocks, which take no more room than one has. */
static int is_long_dot(const vekt_product *p) {
    return p->m == 1 && p->n == 1 && p->k > VEKT_DOT_BLOCK && !p->accumulate && !p->epilogue && !p->packed &&
           !p->conjugate;
}

static int multiply_dots(const vekt_target *target, int type, const vekt_product *first, ptrdiff_t count,
                         const ptrdiff_t steps[3]) {
    vekt_product p = *first;
    for (ptrdiff_t s = 0; s < count; s++) {
        if (vekt_dot(target, type, p.a.data, p.a.col, p.b.data, p.b.row, p.k, p.from, p.c.data) < 0) return -1;
        p.a.data += steps[0];
        p.b.data += steps[1];
        p.c.data += steps[2];
    }
    return 0;
}

int vekt_mixed_products(const vekt_target *target, int type, const vekt_product *first, ptrdiff_t count,
                        const ptrdiff_t steps[3]) {
    const vekt_products *products = target->products;
    plan t = {target, type, vekt_product_elements[type], products->product[type], products->stack[type], .k = 0};
    if (first->m <= 0 || first->n <= 0 || count <= 0) return 0;
    const int small = count > 1 && !first->packed && !first->epilogue && first->m * first->k <= SMALL &&
                      first->k * first->n <= SMALL;
    if (type == VEKT_PRODUCT_I32 && is_byte(first->from[0]) && is_byte(first->from[1])) {
        const int taken = multiply_bytes(target, first, count, steps);
        if (taken) return taken < 0 ? -1 : 0;
    }
    if (type == VEKT_PRODUCT_I32 && !small && fits_i16(first->from[0]) && fits_i16(first->from[1])) {
        t.to = VEKT_TYPE_I16;
        t.product = products->i16_to_i32;
    }
    t.a = operand_of(&t, first, 0);
    t.b = operand_of(&t, first, 1);
    cut(&t, first);
    size_t a_bytes = panel_bytes(&t.a, t.m, t.k), b_bytes = panel_bytes(&t.b, t.k, t.n + 1);
    if (small) a_bytes = b_bytes = (size_t)(STACKED * vekt_type_bytes(t.to));
    t.a.room = vekt_workspace(VEKT_WORKSPACE_MIXED, a_bytes + b_bytes + 64);
    if (!t.a.room) return -1;
    t.b.room = t.a.room + a_bytes;
    if (small) return multiply_small(&t, first, count, steps);
    if (is_long_dot(first)) return multiply_dots(target, type, first, count, steps);
    ptrdiff_t step = 0;
    do { /* once, for zeros, where k is 0 */
        for (ptrdiff_t j = 0; j < first->n; j += columns_from(&t, first, j))
            if (multiply_panels(&t, first, count, steps, j, step) < 0) return -1;
        step += t.k;
    } while (step < first->k);
    return 0;
}
