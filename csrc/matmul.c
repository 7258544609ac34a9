/* Products shared out over the threads. */
#include "matmul.h"
#include "fpenv.h"

int vekt_matmul_serial(const vekt_target *target, int type, const vekt_product *product) {
    vekt_fpenv saved = vekt_fpenv_enter();
    int status = target->products->product[type](product);
    vekt_fpenv_leave(saved);
    return status;
}

int vekt_matmul(const vekt_target *target, int type, const vekt_product *product) {
    return vekt_matmul_serial(target, type, product);
}

int vekt_matmul_stack(const vekt_target *target, int type, const vekt_product *first, ptrdiff_t count,
                      const ptrdiff_t steps[3]) {
    vekt_stack_kernel stack = target->products->stack[type];
    vekt_fpenv saved = vekt_fpenv_enter();
    int status = 0;
    if (stack) {
        status = stack(first, count, steps);
    } else {
        vekt_product one = *first;
        for (ptrdiff_t i = 0; i < count && status == 0; i++) {
            status = target->products->product[type](&one);
            one.a.data += steps[0];
            one.b.data += steps[1];
            one.c.data += steps[2];
        }
    }
    vekt_fpenv_leave(saved);
    return status;
}

size_t vekt_packed_bytes(const vekt_target *target, int dtype, ptrdiff_t k, ptrdiff_t n) {
    return target->products->packed_bytes[dtype](k, n);
}

void vekt_pack(const vekt_target *target, int dtype, void *packed, const vekt_matrix *b, ptrdiff_t k, ptrdiff_t n) {
    target->products->pack[dtype](packed, b, k, n);
}
