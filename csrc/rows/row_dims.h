/* The dimensions of a call of a row kernel, in an order and a number that suit memory. */
#ifndef VEKT_ROW_DIMS_H
#define VEKT_ROW_DIMS_H

#include "drivers.h"

static void move_dimension(vekt_rows_call *c, int from, int to) {
    c->shape[to] = c->shape[from];
    for (int k = 0; k < VEKT_ROWS_OPERANDS; k++) c->steps[k][to] = c->steps[k][from];
}

static void swap_dimensions(vekt_rows_call *c, int i, int j) {
    ptrdiff_t size = c->shape[i];
    c->shape[i] = c->shape[j], c->shape[j] = size;
    for (int k = 0; k < VEKT_ROWS_OPERANDS; k++) {
        ptrdiff_t step = c->steps[k][i];
        c->steps[k][i] = c->steps[k][j], c->steps[k][j] = step;
    }
}

/* Are dimensions i and i + 1 one, of the second's step? */
static int are_one(const vekt_rows_call *c, int i, int j) {
    for (int k = 0; k < VEKT_ROWS_OPERANDS; k++) {
        if (c->data[k] && c->steps[k][i] != c->steps[k][j] * c->shape[j]) return 0;
    }
    return 1;
}

/* Dimensions [begin, end) become as few as possible, from begin on; returns their new end. */
static int coalesce(vekt_rows_call *c, int begin, int end) {
    int last = begin - 1;
    for (int i = begin; i < end; i++) {
        if (c->shape[i] == 1) continue;
        if (last >= begin && are_one(c, last, i)) {
            ptrdiff_t size = c->shape[last] * c->shape[i];
            move_dimension(c, i, last);
            c->shape[last] = size;
        } else {
            move_dimension(c, i, ++last);
        }
    }
    return last + 1;
}

/* Rows may be taken in any order: neighbours in memory last.  The order within a row decides its sum and stays. */
static void vekt_simplify_rows(vekt_rows_call *c) {
    int outer = c->n_outer, inner = c->n_inner;
    for (int i = 1; i < outer; i++)
        for (int j = i;
             j > 0 && vekt_magnitude(c->steps[VEKT_ROWS_X][j - 1]) < vekt_magnitude(c->steps[VEKT_ROWS_X][j]); j--)
            swap_dimensions(c, j - 1, j);
    int inner_end = coalesce(c, outer, outer + inner);
    int outer_end = coalesce(c, 0, outer);
    for (int i = outer; i < inner_end; i++) move_dimension(c, i, outer_end + i - outer);
    c->n_outer = outer_end;
    c->n_inner = inner_end - outer;
}

#endif
