/* Which memory arrays share, as far as the bounds of their memory tell. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "broadcast.h"

/* Every axis' steps exceed all that the shorter ones reach. */
int vekt_is_injective(PyArrayObject *a) {
    const int ndim = PyArray_NDIM(a);
    if (PyArray_IS_C_CONTIGUOUS(a)) return 1;
    npy_intp reach = PyArray_ITEMSIZE(a);
    uint8_t done[VEKT_MAX_DIMS] = {0};
    for (int i = 0; i < ndim; i++) {
        int next = -1;
        npy_intp shortest = 0;
        for (int k = 0; k < ndim; k++) {
            const npy_intp step = vekt_magnitude(PyArray_STRIDE(a, k));
            if (done[k] || (next >= 0 && step >= shortest)) continue;
            next = k;
            shortest = step;
        }
        done[next] = 1;
        if (PyArray_DIM(a, next) <= 1) continue;
        if (shortest < reach) return 0;
        reach += shortest * (PyArray_DIM(a, next) - 1);
    }
    return 1;
}

static void extent_of(PyArrayObject *a, const char **low, const char **high) {
    *low = PyArray_BYTES(a);
    *high = *low + PyArray_ITEMSIZE(a);
    for (int i = 0; i < PyArray_NDIM(a); i++) {
        const npy_intp span = (PyArray_DIM(a, i) - 1) * PyArray_STRIDE(a, i);
        if (span < 0) *low += span;
        if (span > 0) *high += span;
    }
}

int vekt_may_overlap(PyArrayObject *a, PyArrayObject *b) {
    const char *low, *high, *start, *end;
    extent_of(a, &low, &high);
    extent_of(b, &start, &end);
    return low < end && start < high && PyArray_SIZE(a) != 0 && PyArray_SIZE(b) != 0;
}
