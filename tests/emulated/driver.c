/* Runs the kernels of one instruction set, -DVEKT_ISA=NAME, under an emulator as well:
 *   driver                       lists name, dtype, inputs and outputs of each kernel
 *   driver NAME DTYPE N          reads the inputs from stdin, N numbers each; writes the outputs
 *   (of NAME also the elementwise functions, which are not listed)
 *   driver product DTYPE M K N   reads a matrix of M x K and one of K x N; writes their product
 */
#include "linalg/matmul.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOIN(a, b) a##b
#define SYMBOL(isa) JOIN(vekt_target_, isa)
#define TARGET SYMBOL(VEKT_ISA)

extern const vekt_target TARGET;

static int run(const vekt_kernel *kernel, size_t n) {
    size_t size = kernel->dtype == VEKT_F32 ? 4 : 8;
    int n_args = kernel->nin + kernel->nout;
    char *args[VEKT_MAX_ARGS];
    ptrdiff_t advance[VEKT_MAX_ARGS];
    for (int i = 0; i < n_args; i++) {
        args[i] = malloc(n * size);
        advance[i] = (ptrdiff_t)size;
        if (!args[i]) return 1;
        if (i < kernel->nin && fread(args[i], size, n, stdin) != n) return 1;
    }
    kernel->loop(args, advance, (ptrdiff_t)n);
    for (int i = kernel->nin; i < n_args; i++) {
        if (fwrite(args[i], size, n, stdout) != n) return 1;
    }
    return fflush(stdout) != 0;
}

static int multiply(const char *dtype, const ptrdiff_t shape[3]) {
    const int type = strcmp(dtype, "float32") ? VEKT_PRODUCT_F64 : VEKT_PRODUCT_F32;
    const ptrdiff_t size = type == VEKT_PRODUCT_F32 ? 4 : 8, m = shape[0], k = shape[1], n = shape[2];
    char *a = malloc((size_t)(m * k * size)), *b = malloc((size_t)(k * n * size)),
         *c = malloc((size_t)(m * n * size));
    if (!a || !b || !c) return 1;
    if (fread(a, (size_t)(k * size), (size_t)m, stdin) != (size_t)m) return 1;
    if (fread(b, (size_t)(n * size), (size_t)k, stdin) != (size_t)k) return 1;
    const vekt_product product = {
        .m = m, .n = n, .k = k, .a = {a, k * size, size}, .b = {b, n * size, size}, .c = {c, n * size, size}};
    if (TARGET.products->product[type](&product) < 0) return 1;
    return fwrite(c, (size_t)(n * size), (size_t)m, stdout) != (size_t)m || fflush(stdout) != 0;
}

int main(int argc, char **argv) {
    if (argc == 6 && !strcmp(argv[1], "product")) {
        const ptrdiff_t shape[] = {atol(argv[3]), atol(argv[4]), atol(argv[5])};
        return multiply(argv[2], shape);
    }
    for (int i = 0; i < TARGET.n_kernels; i++) {
        const vekt_kernel *kernel = &TARGET.kernels[i];
        const char *dtype = kernel->dtype == VEKT_F32 ? "float32" : "float64";
        if (argc == 1) {
            printf("%s %s %d %d\n", kernel->name, dtype, kernel->nin, kernel->nout);
        } else if (argc == 4 && !strcmp(argv[1], kernel->name) && !strcmp(argv[2], dtype)) {
            return run(kernel, strtoul(argv[3], NULL, 10));
        }
    }
    for (int i = 0; argc == 4 && i < TARGET.n_arithmetic; i++) {
        const vekt_typed_kernel *typed = &TARGET.arithmetic[i];
        const int dtype = strcmp(argv[2], "float32") ? VEKT_F64 : VEKT_F32;
        if (strcmp(argv[1], typed->name) || typed->type[0] != (dtype == VEKT_F32 ? VEKT_TYPE_F32 : VEKT_TYPE_F64))
            continue;
        const vekt_kernel kernel = {typed->name, dtype, typed->nin, typed->nout, typed->cost, typed->loop};
        return run(&kernel, strtoul(argv[3], NULL, 10));
    }
    return argc != 1;
}
