/* Reductions of integers of BITS; plain loops, which the compiler vectorises. */
#define PASTE(a, b, c) a##b##c
#define TYPED(a, b, c) PASTE(a, b, c)
#define INT(name) TYPED(name, _i, BITS)
#define SIGNED TYPED(int, BITS, _t)
#define UNSIGNED TYPED(uint, BITS, _t)

typedef UNSIGNED INT(loose) __attribute__((aligned(1), may_alias)); /* as it lies in memory */

typedef SIGNED INT(vector) __attribute__((vector_size(VEKT_VECTOR_BYTES)));

/* The sum of a block fits in 32 bits where elements have up to 16. */
#if BITS <= 16
typedef int32_t INT(sum);
#else
typedef uint64_t INT(sum);
#endif

static vekt_number INT(sum_block)(const void *px, const void *key, ptrdiff_t n) {
    const INT(loose) *x = px;
    const UNSIGNED k = (UNSIGNED) * (const int64_t *)key;
    INT(sum) sum = 0;
    for (ptrdiff_t i = 0; i < n; i++) sum += (INT(sum))(SIGNED)(x[i] ^ k);
    return (vekt_number){.integer = (int64_t)sum};
}

static vekt_number INT(greatest_block)(const void *px, const void *key, ptrdiff_t n) {
    const INT(loose) *x = px;
    const UNSIGNED k = (UNSIGNED) * (const int64_t *)key;
    SIGNED best = (SIGNED)((UNSIGNED)1 << (BITS - 1));
    for (ptrdiff_t i = 0; i < n; i++) {
        const SIGNED a = (SIGNED)(x[i] ^ k);
        best = a > best ? a : best;
    }
    return (vekt_number){.integer = n > 0 ? best : INT64_MIN};
}

enum { INT(panel) = 64 };

static void INT(sum_columns)(const void *x, ptrdiff_t x_step, const void *key, ptrdiff_t y_step, ptrdiff_t rows,
                             vekt_number *results, ptrdiff_t n) {
    const UNSIGNED k = (UNSIGNED) * (const int64_t *)key;
    (void)y_step;
    for (; n > 0; n -= INT(panel), results += INT(panel), x = (const INT(loose) *)x + INT(panel)) {
        const ptrdiff_t m = n < INT(panel) ? n : INT(panel);
        INT(sum) sum[INT(panel)] = {0};
        for (ptrdiff_t i = 0; i < rows; i++) {
            const INT(loose) *row = (const void *)((const char *)x + i * x_step);
            if (m == INT(panel))
                for (int j = 0; j < INT(panel); j++) sum[j] += (INT(sum))(SIGNED)(row[j] ^ k);
            else
                for (ptrdiff_t j = 0; j < m; j++) sum[j] += (INT(sum))(SIGNED)(row[j] ^ k);
        }
        for (ptrdiff_t j = 0; j < m; j++)
            results[j].integer = (int64_t)((uint64_t)results[j].integer + (uint64_t)(int64_t)sum[j]);
    }
}

static INT(vector) INT(greater)(INT(vector) a, INT(vector) b) {
    const INT(vector) better = a > b;
    return (a & better) | (b & ~better);
}

static void INT(merge_greatest)(vekt_number *results, const SIGNED *best, ptrdiff_t n) {
    for (ptrdiff_t j = 0; j < n; j++)
        results[j].integer = best[j] > results[j].integer ? best[j] : results[j].integer;
}

/* Of each row STRIP vectors at a time, so that the processor's prefetcher follows the rows; one at the end. */
static void INT(greatest_columns)(const void *px, ptrdiff_t x_step, const void *key, ptrdiff_t y_step, ptrdiff_t rows,
                                  vekt_number *results, ptrdiff_t n) {
    enum { LANES = VEKT_VECTOR_BYTES / sizeof(SIGNED), STRIP = 4 };
    const SIGNED k = (SIGNED) * (const int64_t *)key, least = (SIGNED)((UNSIGNED)1 << (BITS - 1));
    const char *x = px;
    INT(vector) best[STRIP], a = {0};
    (void)y_step;
    for (; n >= STRIP * LANES; n -= STRIP * LANES, results += STRIP * LANES, x += STRIP * VEKT_VECTOR_BYTES) {
        for (int v = 0; v < STRIP; v++) best[v] = (INT(vector)){0} + least;
        for (ptrdiff_t i = 0; i < rows; i++) {
#pragma GCC unroll 4
            for (int v = 0; v < STRIP; v++) {
                memcpy(&a, x + i * x_step + v * VEKT_VECTOR_BYTES, VEKT_VECTOR_BYTES);
                best[v] = INT(greater)(a ^ k, best[v]);
            }
        }
        INT(merge_greatest)(results, (const SIGNED *)best, STRIP * LANES);
    }
    for (; n > 0; n -= LANES, results += LANES, x += VEKT_VECTOR_BYTES) {
        const size_t bytes = n < LANES ? (size_t)n * sizeof(SIGNED) : VEKT_VECTOR_BYTES;
        best[0] = (INT(vector)){0} + least;
        for (ptrdiff_t i = 0; i < rows; i++) {
            memcpy(&a, x + i * x_step, bytes);
            best[0] = INT(greater)(a ^ k, best[0]);
        }
        INT(merge_greatest)(results, (const SIGNED *)best, n < LANES ? n : LANES);
    }
}

static ptrdiff_t INT(find)(const void *px, ptrdiff_t step, vekt_number number, ptrdiff_t n) {
    const UNSIGNED value = (UNSIGNED)number.integer;
    ptrdiff_t i = 0;
    if (step == BITS / 8) {
        const INT(loose) *x = px;
        for (; i + INT(panel) <= n; i += INT(panel)) {
            UNSIGNED found = 0;
            for (int j = 0; j < INT(panel); j++) found |= (UNSIGNED)(x[i + j] == value);
            if (found) break;
        }
    }
    for (; i < n; i++)
        if (*(const INT(loose) *)((const char *)px + i * step) == value) break;
    return i;
}

#undef PASTE
#undef TYPED
#undef INT
#undef SIGNED
#undef UNSIGNED
