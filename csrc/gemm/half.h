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

static const storage_f32 half_storage = {2, 1, half_to_plane, plane_to_half};
static const storage_f32 bfloat16_storage = {2, 1, bfloat16_to_plane, plane_to_bfloat16};

static int product_half(const vekt_product *p) { return product_by_planes_f32(p, &half_storage); }
static int product_bfloat16(const vekt_product *p) { return product_by_planes_f32(p, &bfloat16_storage); }

/* An operand of a stack in memory, and room for some of its matrices as they are and as floats. */
typedef struct {
    vekt_matrix x;
    ptrdiff_t rows, columns, step;
    char *halves;
    float *floats;
} half_stack;

/* Matrices, row by row, that lie one behind the other in memory or do so in the copy, to which they are taken. */
static char *copied_halves(const half_stack *h, ptrdiff_t count, int store) {
    enum { ITEM = sizeof(uint16_t) };
    char *from = h->x.data, *half = h->halves;
    const int rows_dense = h->columns == 1 || h->x.col == ITEM;
    const int dense = rows_dense && (h->rows == 1 || h->x.row == h->columns * ITEM);
    if (dense && (h->step == h->rows * h->columns * ITEM || h->step == 0)) return from;
    for (; count > 0; count--, from += h->step)
        for (ptrdiff_t i = 0; i < h->rows; i++)
            for (ptrdiff_t j = 0; j < h->columns; j++, half += ITEM) {
                char *element = from + i * h->x.row + j * h->x.col;
                memcpy(store ? element : half, store ? half : element, ITEM);
            }
    return h->halves;
}

static vekt_matrix floats_of(const half_stack *h) {
    const ptrdiff_t item = sizeof(float);
    return (vekt_matrix){(char *)h->floats, h->columns * item, item};
}

/* A stack of products of one run of k, some of them at a time as floats; 0 where they are no small ones. */
static int stack_by_floats(const storage_f32 *s, const vekt_product *p, ptrdiff_t count, const ptrdiff_t steps[3]) {
    enum { STAGED = 2048, FEWEST = 4 };
    const ptrdiff_t rows[3] = {p->m, p->k, p->m}, columns[3] = {p->k, p->n, p->n};
    const vekt_matrix *const operands[3] = {&p->a, &p->b, &p->c};
    char *room = vekt_workspace(VEKT_WORKSPACE_PLANES, 3 * STAGED * (sizeof(float) + sizeof(uint16_t)));
    half_stack h[3];
    ptrdiff_t own[3], largest = 0;
    if (!room) return -1;
    for (int i = 0; i < 3; i++) {
        char *floats = room + i * STAGED * (ptrdiff_t)sizeof(float), *halves = room + 3 * STAGED * sizeof(float);
        const ptrdiff_t size = rows[i] <= STAGED && columns[i] <= STAGED ? rows[i] * columns[i] : STAGED;
        h[i] = (half_stack){*operands[i], rows[i], columns[i], steps[i], halves + i * STAGED * 2, (float *)floats};
        own[i] = steps[i] ? size * (ptrdiff_t)sizeof(float) : 0;
        largest = largest < size ? size : largest;
    }
    vekt_product q = *p;
    q.a = floats_of(&h[0]), q.b = floats_of(&h[1]), q.c = floats_of(&h[2]);
    if (p->accumulate || p->k > VEKT_PRODUCT_RUN || FEWEST * largest > STAGED || !stack_f32(&q, 0, own)) return 0;
    for (ptrdiff_t i = 0, n; i < count; i += n) {
        n = count - i < STAGED / largest ? count - i : STAGED / largest;
        for (int k = 0; k < 2; k++) {
            if (i > 0 && !h[k].step) continue;
            const ptrdiff_t matrices = h[k].step ? n : 1;
            s->load(h[k].floats, 0, copied_halves(&h[k], matrices, 0), matrices * h[k].rows * h[k].columns);
        }
        stack_f32(&q, n, own);
        char *c = copied_halves(&h[2], 0, 1);
        s->store(c, h[2].floats, 0, n * p->m * p->n);
        if (c == h[2].halves) copied_halves(&h[2], n, 1);
        for (int k = 0; k < 3; k++) h[k].x.data += n * h[k].step;
    }
    return 1;
}

static int stack_half(const vekt_product *first, ptrdiff_t count, const ptrdiff_t steps[3]) {
    return stack_by_floats(&half_storage, first, count, steps);
}
static int stack_bfloat16(const vekt_product *first, ptrdiff_t count, const ptrdiff_t steps[3]) {
    return stack_by_floats(&bfloat16_storage, first, count, steps);
}
