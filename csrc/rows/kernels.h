/* Every mode of every row kernel, as functions; target.c puts them into its table. */

#define ROW_KERNEL(name, body)                                               \
    static void FN(name##_row)(const vekt_row_call *c) { FN(body)(c, ROW); } \
    static void FN(name##_panel)(const vekt_row_call *c) {                   \
        if (c->n > VEKT_SHORT_ROW)                                           \
            FN(body)(c, PANEL);                                              \
        else                                                                 \
            FN(body)(c, SHORT);                                              \
    }

ROW_KERNEL(softmax, softmax_body)
ROW_KERNEL(log_softmax, log_softmax_body)
ROW_KERNEL(sparsemax, sparsemax_body)
ROW_KERNEL(softmax_gradient, softmax_backward_body)
ROW_KERNEL(log_softmax_gradient, log_softmax_backward_body)
ROW_KERNEL(sparsemax_gradient, sparsemax_backward_body)

/* One instance for both modes, as it is long; its longer rows never are panels. */
static __attribute__((noinline)) void FN(cross_entropy)(const vekt_row_call *c, int mode) {
    FN(cross_entropy_body)(c, mode);
}
static void FN(cross_entropy_row)(const vekt_row_call *c) { FN(cross_entropy)(c, ROW); }
static void FN(cross_entropy_panel)(const vekt_row_call *c) { FN(cross_entropy)(c, SHORT); }

#undef ROW_KERNEL
#undef ONE
#undef ATANH_TERMS
#undef SIDE
#undef ROW_SUMS
#undef SUM_WIDTH
