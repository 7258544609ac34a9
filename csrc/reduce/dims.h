/* Dimensions of a call's operands: their sizes and, in bytes, the steps of each operand. */
#ifndef VEKT_DIMS_H
#define VEKT_DIMS_H

#include "drivers.h"

/* Those with the longest steps of operand k first. */
static inline void vekt_sort_dims(vekt_dim *dims, int n, int k) {
    for (int i = 1; i < n; i++) {
        for (int j = i; j > 0; j--) {
            const ptrdiff_t a = dims[j - 1].step[k], b = dims[j].step[k];
            if (vekt_magnitude(a) >= vekt_magnitude(b)) break;
            const vekt_dim d = dims[j];
            dims[j] = dims[j - 1];
            dims[j - 1] = d;
        }
    }
}

/* Leaves out those of one element, and joins neighbours that every operand walks through as through one.  Returns how
 * many remain. */
static inline int vekt_join_dims(vekt_dim *dims, int n) {
    int last = -1;
    for (int i = 0; i < n; i++) {
        const vekt_dim d = dims[i];
        if (d.size == 1) continue;
        int joins = last >= 0;
        for (int k = 0; k < VEKT_DIM_OPERANDS && joins; k++) joins = dims[last].step[k] == d.step[k] * d.size;
        if (joins) {
            const ptrdiff_t size = dims[last].size * d.size;
            dims[last] = d;
            dims[last].size = size;
        } else {
            dims[++last] = d;
        }
    }
    return last + 1;
}

static inline ptrdiff_t vekt_count(const vekt_dim *dims, int n) {
    ptrdiff_t count = 1;
    for (int i = 0; i < n; i++) count *= dims[i].size;
    return count;
}

/* Bytes from the first element of operand k to element i, counted with the last dimension fastest. */
static inline ptrdiff_t vekt_offset(const vekt_dim *dims, int n, int k, ptrdiff_t i) {
    ptrdiff_t offset = 0;
    for (int d = n - 1; d > 0; d--) {
        offset += i % dims[d].size * dims[d].step[k];
        i /= dims[d].size;
    }
    return n > 0 ? offset + i * dims[0].step[k] : offset;
}

#endif
