/* Products of complex numbers: four real ones, two of which change places with a sign. */

static void FN(split)(REAL *plane, ptrdiff_t apart, const char *from, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        REAL z[2];
        memcpy(z, from + i * (ptrdiff_t)sizeof z, sizeof z);
        plane[i] = z[0];
        plane[apart + i] = z[1];
    }
}

static void FN(join)(char *to, const REAL *plane, ptrdiff_t apart, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        const REAL z[2] = {plane[i], plane[apart + i]};
        memcpy(to + i * (ptrdiff_t)sizeof z, z, sizeof z);
    }
}

static int FN(product_complex)(const vekt_product *p) {
    return FN(product_by_planes)(p, &(FN(storage)){2 * sizeof(REAL), 2, FN(split), FN(join)});
}
