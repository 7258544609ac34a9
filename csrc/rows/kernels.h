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

/* Its longer rows never are panels: VEKT_SHORT_ROW is the only length that rows.c runs so. */
static void FN(cross_entropy_row)(const vekt_row_call *c) { FN(cross_entropy_body)(c, ROW); }
static void FN(cross_entropy_panel)(const vekt_row_call *c) { FN(cross_entropy_body)(c, SHORT); }

#undef ROW_KERNEL
#undef ONE
#undef ATANH_TERMS
#undef SIDE
#undef ROW_SUMS
#undef SUM_WIDTH
