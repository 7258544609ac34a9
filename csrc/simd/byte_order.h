/* Bytes in the other order, as the compiler vectorises them.  Included once for each target. */

#define SWAP(bits)                                            \
    for (ptrdiff_t i = 0; i < n; i++) {                       \
        uint##bits##_t v;                                     \
        memcpy(&v, from + i * (ptrdiff_t)sizeof v, sizeof v); \
        v = __builtin_bswap##bits(v);                         \
        memcpy(to + i * (ptrdiff_t)sizeof v, &v, sizeof v);   \
    }                                                         \
    break

/* n items of 1, 2, 4 or 8 bytes, of any alignment. */
static void swap_order(char *to, const char *from, int item, ptrdiff_t n) {
    switch (item) {
    case 2:
        SWAP(16);
    case 4:
        SWAP(32);
    case 8:
        SWAP(64);
    default:
        memmove(to, from, (size_t)n);
    }
}

#undef SWAP
