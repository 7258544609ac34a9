/* Reductions of integers of BITS; plain loops, which the compiler vectorises. */
#define PASTE(a, b, c) a##b##c
#define TYPED(a, b, c) PASTE(a, b, c)
#define INT(name) TYPED(name, _i, BITS)
#define SIGNED TYPED(int, BITS, _t)
#define UNSIGNED TYPED(uint, BITS, _t)

typedef UNSIGNED INT(loose) __attribute__((aligned(1), may_alias)); /* as it lies in memory */

/* The sum of a block fits in 32 bits where elements have up to 16; that of four elements in the next size. */
#if BITS <= 16
typedef int32_t INT(sum);
#else
typedef uint64_t INT(sum);
#endif
#if BITS == 8
typedef int16_t INT(four);
#else
typedef INT(sum) INT(four);
#endif

static const SIGNED INT(least) = (SIGNED)((UNSIGNED)1 << (BITS - 1));

static vekt_number INT(greatest_block)(const void *px, const void *key, ptrdiff_t n) {
    const INT(loose) *x = px;
    const UNSIGNED k = (UNSIGNED) * (const int64_t *)key;
    SIGNED best = INT(least);
    for (ptrdiff_t i = 0; i < n; i++) {
        const SIGNED a = (SIGNED)(x[i] ^ k);
        best = a > best ? a : best;
    }
    return (vekt_number){.integer = n > 0 ? best : INT64_MIN};
}

/* Columns: their sums, or greatest, so far and four rows of a panel of them stay in the first-level cache.  Each row
 * is read in one go, and the next four are asked for, as they may be far away. */
enum { INT(bytes) = BITS == 8 ? 4096 : 2048, INT(panel) = INT(bytes) / (BITS / 8), INT(strip) = 64 };

typedef struct {
    const INT(loose) * a, *b, *c, *d;
} INT(rows);

INLINE INT(rows) INT(rows_from)(const char *x, ptrdiff_t step) {
    return (INT(rows)){(const void *)x, (const void *)(x + step), (const void *)(x + 2 * step),
                       (const void *)(x + 3 * step)};
}

/* What lies `ahead` of elements [j, j + strip). */
INLINE void INT(ask)(const INT(rows) * r, ptrdiff_t ahead, ptrdiff_t j) {
    for (int i = 0; i < INT(strip) * BITS / 8; i += 64) {
        __builtin_prefetch((const char *)(r->a + j) + ahead + i);
        __builtin_prefetch((const char *)(r->b + j) + ahead + i);
        __builtin_prefetch((const char *)(r->c + j) + ahead + i);
        __builtin_prefetch((const char *)(r->d + j) + ahead + i);
    }
}

INLINE SIGNED INT(greater)(SIGNED a, SIGNED b) { return a > b ? a : b; }

INLINE void INT(best_of_four)(SIGNED *restrict best, const INT(rows) * r, ptrdiff_t j, UNSIGNED k) {
    const SIGNED ab = INT(greater)((SIGNED)(r->a[j] ^ k), (SIGNED)(r->b[j] ^ k));
    const SIGNED cd = INT(greater)((SIGNED)(r->c[j] ^ k), (SIGNED)(r->d[j] ^ k));
    best[j] = INT(greater)(best[j], INT(greater)(ab, cd));
}

/* Takes the rows into `best` or `sum`, of m columns. */
#define TAKE(of_four, of_one)                                                     \
    ptrdiff_t i = 0;                                                              \
    for (; i + 4 <= rows; i += 4) {                                               \
        const INT(rows) r = INT(rows_from)(x + i * step, step);                   \
        /* After the last four, the first of the next panel. */                   \
        const ptrdiff_t ahead = i + 8 <= rows ? 4 * step : INT(bytes) - i * step; \
        ptrdiff_t j = 0;                                                          \
        for (; j + INT(strip) <= m; j += INT(strip)) {                            \
            INT(ask)(&r, ahead, j);                                               \
            for (ptrdiff_t l = j; l < j + INT(strip); l++) of_four;               \
        }                                                                         \
        for (ptrdiff_t l = j; l < m; l++) of_four;                                \
    }                                                                             \
    for (; i < rows; i++) {                                                       \
        const INT(loose) *row = (const void *)(x + i * step);                     \
        for (ptrdiff_t j = 0; j < m; j++) of_one;                                 \
    }

/* Sums of what elements are `taken` for, each with a key k. */
#define SUMS(name, taken)                                                                                            \
    static vekt_number INT(name##_block)(const void *px, const void *key, ptrdiff_t n) {                             \
        const INT(loose) *x = px;                                                                                    \
        const UNSIGNED k = (UNSIGNED) * (const int64_t *)key;                                                        \
        (void)k;                                                                                                     \
        INT(sum) sum = 0;                                                                                            \
        for (ptrdiff_t i = 0; i < n; i++) sum += (INT(sum))taken(x[i], k);                                           \
        return (vekt_number){.integer = (int64_t)sum};                                                               \
    }                                                                                                                \
    INLINE void INT(name##_four)(INT(sum) *restrict sum, const INT(rows) * r, ptrdiff_t j, UNSIGNED k) {             \
        (void)k;                                                                                                     \
        sum[j] += (INT(sum))(INT(four))((INT(four))taken(r->a[j], k) + (INT(four))taken(r->b[j], k) +                \
                                        (INT(four))taken(r->c[j], k) + (INT(four))taken(r->d[j], k));                \
    }                                                                                                                \
    static void INT(name##_panel)(INT(sum) *restrict sum, const char *x, ptrdiff_t step, UNSIGNED k, ptrdiff_t rows, \
                                  ptrdiff_t m) {                                                                     \
        TAKE(INT(name##_four)(sum, &r, l, k), sum[j] += (INT(sum))taken(row[j], k))                                  \
    }                                                                                                                \
    static void INT(name##_columns)(const void *px, ptrdiff_t step, const void *key, ptrdiff_t y_step,               \
                                    ptrdiff_t rows, vekt_number *results, ptrdiff_t n) {                             \
        const UNSIGNED k = (UNSIGNED) * (const int64_t *)key;                                                        \
        const char *x = px;                                                                                          \
        (void)y_step;                                                                                                \
        for (; n > 0; n -= INT(panel), results += INT(panel), x += INT(bytes)) {                                     \
            const ptrdiff_t m = n < INT(panel) ? n : INT(panel);                                                     \
            INT(sum) sum[INT(panel)];                                                                                \
            for (ptrdiff_t j = 0; j < m; j++) sum[j] = (INT(sum))(BITS > 16 ? results[j].integer : 0);               \
            INT(name##_panel)(sum, x, step, k, rows, m);                                                             \
            for (ptrdiff_t j = 0; j < m; j++)                                                                        \
                results[j].integer =                                                                                 \
                    (int64_t)((BITS > 16 ? 0 : (uint64_t)results[j].integer) + (uint64_t)(int64_t)sum[j]);           \
        }                                                                                                            \
    }

#define SIGNED_ONE(x, k) (SIGNED)((x) ^ (k))
SUMS(sum, SIGNED_ONE)
#undef SIGNED_ONE
#define ONE_IF_TRUE(x, k) ((x) != 0) /* of truth values any byte but 0 is true */
SUMS(count_nonzero, ONE_IF_TRUE)
#undef ONE_IF_TRUE
#undef SUMS

static void INT(greatest_panel)(SIGNED *restrict best, const char *x, ptrdiff_t step, UNSIGNED k, ptrdiff_t rows,
                                ptrdiff_t m) {
    TAKE(INT(best_of_four)(best, &r, l, k), best[j] = INT(greater)(best[j], (SIGNED)(row[j] ^ k)))
}

static void INT(greatest_columns)(const void *px, ptrdiff_t step, const void *key, ptrdiff_t y_step, ptrdiff_t rows,
                                  vekt_number *results, ptrdiff_t n) {
    const UNSIGNED k = (UNSIGNED) * (const int64_t *)key;
    const char *x = px;
    (void)y_step;
    for (; n > 0; n -= INT(panel), results += INT(panel), x += INT(bytes)) {
        const ptrdiff_t m = n < INT(panel) ? n : INT(panel);
        SIGNED best[INT(panel)];
        for (ptrdiff_t j = 0; j < m; j++) best[j] = INT(least);
        INT(greatest_panel)(best, x, step, k, rows, m);
        for (ptrdiff_t j = 0; j < m; j++)
            results[j].integer = best[j] > results[j].integer ? best[j] : results[j].integer;
    }
}
#undef TAKE

#if BITS == 64 /* others are widened */
static vekt_number product_block_i64(const void *px, const void *key, ptrdiff_t n) {
    const loose_i64 *x = px;
    uint64_t product[4] = {1, 1, 1, 1};
    (void)key;
    ptrdiff_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int j = 0; j < 4; j++) product[j] *= x[i + j];
    for (; i < n; i++) product[0] *= x[i];
    return (vekt_number){.integer = (int64_t)(product[0] * product[1] * (product[2] * product[3]))};
}

static void product_columns_i64(const void *px, ptrdiff_t step, const void *key, ptrdiff_t y_step, ptrdiff_t rows,
                                vekt_number *results, ptrdiff_t n) {
    (void)key, (void)y_step;
    for (ptrdiff_t i = 0; i < rows; i++) {
        const loose_i64 *x = (const void *)((const char *)px + i * step);
        for (ptrdiff_t j = 0; j < n; j++) results[j].integer = (int64_t)((uint64_t)results[j].integer * x[j]);
    }
}

#define SCAN(name, op)                                                                                           \
    static void name##_row_i64(const void *px, void *py, vekt_number *carry, ptrdiff_t n) {                      \
        const loose_i64 *x = px;                                                                                 \
        loose_i64 *y = py;                                                                                       \
        uint64_t a = (uint64_t)carry->integer;                                                                   \
        for (ptrdiff_t i = 0; i < n; i++) y[i] = a = a op x[i];                                                  \
        carry->integer = (int64_t)a;                                                                             \
    }                                                                                                            \
    static void name##_columns_i64(const void *px, ptrdiff_t x_step, void *py, ptrdiff_t y_step, ptrdiff_t rows, \
                                   vekt_number *carry, ptrdiff_t n) {                                            \
        for (ptrdiff_t i = 0; i < rows; i++) {                                                                   \
            const loose_i64 *x = (const void *)((const char *)px + i * x_step);                                  \
            loose_i64 *y = (void *)((char *)py + i * y_step);                                                    \
            for (ptrdiff_t j = 0; j < n; j++)                                                                    \
                y[j] = (uint64_t)(carry[j].integer = (int64_t)((uint64_t)carry[j].integer op x[j]));             \
        }                                                                                                        \
    }
SCAN(cumsum, +)
SCAN(cumprod, *)
#undef SCAN
#endif

#if BITS <= 16 /* others: extremes.h */
/* Positions: a vector's width of columns, with the row of each one's greatest beside it. */
static void INT(places)(const void *px, ptrdiff_t step, int64_t key, ptrdiff_t rows, ptrdiff_t first, int fresh,
                        vekt_number *results, vekt_number *at, ptrdiff_t n) {
    enum { LANES = VEKT_VECTOR_BYTES / sizeof(SIGNED) };
    const SIGNED k = (SIGNED)key;
    const char *x = px;
    for (; n > 0; n -= LANES, results += LANES, at += LANES, x += VEKT_VECTOR_BYTES) {
        const ptrdiff_t m = n < LANES ? n : LANES;
        SIGNED value[LANES], where[LANES] = {0}, a[LANES] = {0};
        for (int j = 0; j < LANES; j++) value[j] = INT(least);
        for (ptrdiff_t i = 0; i < rows; i++) {
            if (m == LANES)
                memcpy(a, x + i * step, sizeof a);
            else
                v_copy_first(a, x + i * step, (size_t)m * sizeof(SIGNED));
            __builtin_prefetch(x + i * step + 4 * VEKT_VECTOR_BYTES);
            for (int j = 0; j < LANES; j++) {
                const SIGNED b = a[j] ^ k;
                where[j] = b > value[j] ? (SIGNED)i : where[j];
                value[j] = b > value[j] ? b : value[j];
            }
        }
        if (fresh) {
            for (ptrdiff_t j = 0; j < m; j++) results[j].integer = value[j];
            for (ptrdiff_t j = 0; j < m; j++) at[j].integer = first + where[j];
            continue;
        }
        for (ptrdiff_t j = 0; j < m; j++) {
            const int better = value[j] > results[j].integer;
            results[j].integer = better ? value[j] : results[j].integer;
            at[j].integer = better ? first + where[j] : at[j].integer;
        }
    }
}
#endif

#if BITS == 8
static ptrdiff_t find_i8(const void *x, ptrdiff_t step, vekt_number number, ptrdiff_t n) {
    const uint8_t value = (uint8_t)number.integer, *p = x;
    ptrdiff_t i = 0;
    if (step == 1) {
        const uint8_t *first = memchr(p, value, (size_t)n);
        return first ? first - p : n;
    }
    while (i < n && p[i * step] != value) i++;
    return i;
}
#elif BITS == 16
static ptrdiff_t find_i16(const void *x, ptrdiff_t step, vekt_number number, ptrdiff_t n) {
    const uint16_t value = (uint16_t)number.integer;
    const char *p = x;
    ptrdiff_t i = 0;
    for (; step == 2 && i + strip_i16 <= n; i += strip_i16) {
        uint16_t found = 0;
        for (int j = 0; j < strip_i16; j++) found |= (uint16_t)(((const loose_i16 *)x)[i + j] == value);
        if (found) break;
    }
    for (; i < n; i++)
        if (*(const loose_i16 *)(p + i * step) == value) break;
    return i;
}
#endif

#undef PASTE
#undef TYPED
#undef INT
#undef SIGNED
#undef UNSIGNED
