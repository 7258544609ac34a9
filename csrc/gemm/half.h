/* Products of 16-bit floats, summed as floats and rounded once. */

static void half_to_plane(float *plane, ptrdiff_t apart, const char *from, ptrdiff_t n) {
    (void)apart;
    widen_half(plane, from, n);
}
static void plane_to_half(char *to, const float *plane, ptrdiff_t apart, ptrdiff_t n) {
    (void)apart;
    narrow_half(to, plane, n);
}
static void bfloat16_to_plane(float *plane, ptrdiff_t apart, const char *from, ptrdiff_t n) {
    (void)apart;
    widen_bfloat16(plane, from, n);
}
static void plane_to_bfloat16(char *to, const float *plane, ptrdiff_t apart, ptrdiff_t n) {
    (void)apart;
    narrow_bfloat16(to, plane, n);
}

static int product_half(const vekt_product *p) {
    return product_by_planes_f32(p, &(storage_f32){2, 1, half_to_plane, plane_to_half});
}
static int product_bfloat16(const vekt_product *p) {
    return product_by_planes_f32(p, &(storage_f32){2, 1, bfloat16_to_plane, plane_to_bfloat16});
}
