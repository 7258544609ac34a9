/* What compiled Python calls: plain numbers in, the drivers' structures made here. */
#include "jit_entry.h"

#include <string.h>

static uint8_t from(int type, int place) { return (uint8_t)(type >> place & VEKT_JIT_TYPE); }

static vekt_matrix matrix(char *data, const ptrdiff_t *steps) { return (vekt_matrix){data, steps[0], steps[1]}; }

/* Every product of the stacks that the outer axes count, all but the last of them, which makes a stack. */
static int stacks(const vekt_target *target, int type, vekt_product p, ptrdiff_t n_outer, const ptrdiff_t *shape,
                  const ptrdiff_t *const steps[3]) {
    char *const a = p.a.data, *const b = p.b.data, *const c = p.c.data;
    const ptrdiff_t last = n_outer - 1, next[3] = {steps[0][last], steps[1][last], steps[2][last]};
    ptrdiff_t count = 1;
    for (ptrdiff_t d = 0; d < last; d++) count *= shape[d];
    for (ptrdiff_t s = 0; s < count; s++) {
        p.a.data = a, p.b.data = b, p.c.data = c;
        for (ptrdiff_t d = last - 1, rest = s; d >= 0; rest /= shape[d--]) {
            const ptrdiff_t i = rest % shape[d];
            p.a.data += i * steps[0][d];
            p.b.data += i * steps[1][d];
            p.c.data += i * steps[2][d];
        }
        if (vekt_matmul_stack(target, type, &p, shape[last], next)) return -1;
    }
    return 0;
}

int vekt_jit_matmul(const vekt_target *target, int type, ptrdiff_t ndim, const ptrdiff_t *shape, ptrdiff_t k, char *a,
                    const ptrdiff_t *a_steps, char *b, const ptrdiff_t *b_steps, char *c, const ptrdiff_t *c_steps) {
    const ptrdiff_t n_outer = ndim - 2, *const steps[3] = {a_steps, b_steps, c_steps};
    const vekt_product p = {.m = shape[n_outer],
                            .n = shape[n_outer + 1],
                            .k = k,
                            .a = matrix(a, a_steps + n_outer),
                            .b = matrix(b, b_steps + n_outer),
                            .c = matrix(c, c_steps + n_outer),
                            .from = {from(type, VEKT_JIT_FIRST), from(type, VEKT_JIT_SECOND)}};
    type &= VEKT_JIT_TYPE;
    if (!n_outer) return vekt_matmul_serial(target, type, &p);
    const int former = vekt_set_local_num_threads(1);
    const int status = stacks(target, type, p, n_outer, shape, steps);
    vekt_set_local_num_threads(former);
    return status;
}

typedef char splats[VEKT_MAX_ARGS][VEKT_SPLAT_BYTES];

/* Fills vectors with each of the parameters, and lets `params` point to them. */
static void fill(splats space, char **params, int dtype, const double *values, int count) {
    for (int p = 0; p < count; p++) {
        const float narrow = (float)values[p];
        const void *value = dtype == VEKT_F32 ? (const void *)&narrow : &values[p];
        const size_t item = dtype == VEKT_F32 ? sizeof narrow : sizeof *values;
        for (size_t at = 0; at < VEKT_SPLAT_BYTES; at += item) memcpy(space[p] + at, value, item);
        params[p] = space[p];
    }
}

int vekt_jit_dense(const vekt_target *target, int dtype, const vekt_kernel *activation, const double *params,
                   const ptrdiff_t *shape, char *x, const ptrdiff_t *x_steps, char *w, const ptrdiff_t *w_steps,
                   char *bias, const ptrdiff_t *bias_steps, char *z, const ptrdiff_t *z_steps, char *y,
                   const ptrdiff_t *y_steps) {
    _Alignas(64) splats space;
    vekt_epilogue e = {.bias = matrix(bias, bias_steps), .preactivation = matrix(z, z_steps)};
    const vekt_product p = {.m = shape[0],
                            .n = shape[1],
                            .k = shape[2],
                            .a = matrix(x, x_steps),
                            .b = matrix(w, w_steps),
                            .c = matrix(y, y_steps),
                            .epilogue = &e,
                            .from = {from(dtype, VEKT_JIT_FIRST), from(dtype, VEKT_JIT_SECOND)}};
    dtype &= VEKT_JIT_TYPE;
    if (activation) {
        e.activation = activation->loop;
        e.is_relu = !strcmp(activation->name, "relu");
        e.n_params = activation->nin - 1;
        fill(space, e.params, dtype, params, e.n_params);
    }
    return vekt_matmul_serial(target, dtype == VEKT_F32 ? VEKT_PRODUCT_F32 : VEKT_PRODUCT_F64, &p);
}

int vekt_jit_dense_backward(const vekt_target *target, int dtype, const vekt_kernel *backward, const double *params,
                            const ptrdiff_t *shape, char *dy, const ptrdiff_t *dy_steps, char *x,
                            const ptrdiff_t *x_steps, char *w, const ptrdiff_t *w_steps, char *z,
                            const ptrdiff_t *z_steps, char *dx, const ptrdiff_t *dx_steps, char *dw,
                            const ptrdiff_t *dw_steps, char *db, ptrdiff_t db_step) {
    _Alignas(64) splats space;
    vekt_dense_call call = {.m = shape[0],
                            .n = shape[1],
                            .k = shape[2],
                            .dy = matrix(dy, dy_steps),
                            .x = matrix(x, x_steps),
                            .w = matrix(w, w_steps),
                            .z = matrix(z, z_steps),
                            .backward = backward,
                            .dx = matrix(dx, dx_steps),
                            .dw = matrix(dw, dw_steps),
                            .db = db,
                            .db_step = db_step,
                            .from = {0, from(dtype, VEKT_JIT_FIRST), from(dtype, VEKT_JIT_SECOND), 0}};
    dtype &= VEKT_JIT_TYPE;
    if (backward) fill(space, call.params, dtype, params, backward->nin - 2);
    const int former = vekt_set_local_num_threads(1);
    const int status = vekt_dense_backward(target, dtype, &call);
    vekt_set_local_num_threads(former);
    return status;
}

/* Parts of complex numbers are numbers along one more axis, of this step; 0 where there are none. */
static ptrdiff_t split_parts(int *type) {
    const int wide = *type == VEKT_TYPE_C128;
    if (*type != VEKT_TYPE_C64 && !wide) return 0;
    *type = wide ? VEKT_TYPE_F64 : VEKT_TYPE_F32;
    return wide ? sizeof(double) : sizeof(float);
}

static vekt_dim axis_of(ptrdiff_t size, ptrdiff_t x_step, ptrdiff_t out_step) {
    return (vekt_dim){size, {size == 1 ? 0 : x_step, 0, size == 1 ? 0 : out_step}};
}

int vekt_jit_reduce(const vekt_target *target, int op, int types, ptrdiff_t ndim, const ptrdiff_t *shape, char *x,
                    const ptrdiff_t *x_steps, ptrdiff_t reduced, const double *ddof, char *out,
                    const ptrdiff_t *out_steps, char *second) {
    vekt_dim dims[VEKT_MAX_DIMS + 1];
    int type = types & VEKT_JIT_TYPE, out_type = from(types, VEKT_JIT_FIRST), n = 0;
    const ptrdiff_t part = split_parts(&type);
    split_parts(&out_type);
    for (ptrdiff_t k = 0; k < ndim; k++) {
        if (!(reduced >> k & 1)) dims[n++] = axis_of(shape[k], x_steps[k], *out_steps++);
    }
    if (part) dims[n++] = axis_of(2, part, part);
    vekt_reduce_call call = {.op = op,
                             .type = type,
                             .out_type = out_type,
                             .n_outer = n,
                             .dims = dims,
                             .x = x,
                             .out = out,
                             .second = second,
                             .ddof = *ddof};
    for (ptrdiff_t k = 0; k < ndim; k++) {
        if (reduced >> k & 1) dims[n++] = axis_of(shape[k], x_steps[k], 0);
    }
    call.n_inner = n - call.n_outer;
    const int former = vekt_set_local_num_threads(1);
    const int status = vekt_reduce(target, &call);
    vekt_set_local_num_threads(former);
    return status;
}

int vekt_jit_scan(const vekt_target *target, int op, int types, ptrdiff_t ndim, const ptrdiff_t *shape,
                  ptrdiff_t axis, char *x, const ptrdiff_t *x_steps, char *out, const ptrdiff_t *out_steps) {
    vekt_dim dims[VEKT_MAX_DIMS + 1];
    int type = types & VEKT_JIT_TYPE, out_type = from(types, VEKT_JIT_FIRST), n = 0;
    const ptrdiff_t part = split_parts(&type);
    split_parts(&out_type);
    for (ptrdiff_t k = 0; k < ndim; k++) {
        if (k != axis) dims[n++] = axis_of(shape[k], x_steps[k], out_steps[k]);
    }
    if (part) dims[n++] = axis_of(2, part, part);
    dims[n] = axis_of(shape[axis], x_steps[axis], out_steps[axis]);
    const vekt_scan_call call = {
        .op = op, .type = type, .out_type = out_type, .n_outer = n, .dims = dims, .x = x, .out = out};
    const int former = vekt_set_local_num_threads(1);
    vekt_scan_along(target, &call);
    vekt_set_local_num_threads(former);
    return 0;
}
