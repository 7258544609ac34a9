/* Blocks of the float32 and float64 products: one row for each instruction set.
 *
 * A tile of c is held in TILE_ROWS x TILE_VECTORS registers while k runs; a sliver is the b of one tile, TILE_VECTORS
 * vectors wide.  Eight registers' worth of sums hide the latency of v_mad; the more rows beyond them, the fewer loads
 * per v_mad, as far as the registers reach. */
#define ROWS_TO_4(X) X(1) X(2) X(3) X(4)
#define ROWS_TO_6(X) ROWS_TO_4(X) X(5) X(6)
#define ROWS_TO_8(X) ROWS_TO_6(X) X(7) X(8)
#define ROWS_TO_14(X) ROWS_TO_8(X) X(9) X(10) X(11) X(12) X(13) X(14)

#if VEKT_VECTOR_BYTES == 64 /* 28 sums, 2 of b and the broadcast element of a: 31 of 32 registers */
#define EACH_TILE_HEIGHT ROWS_TO_14
enum { TILE_ROWS = 14, TILE_VECTORS = 2, MASKED_LOADS = 1 };
#elif VEKT_VECTOR_BYTES == 32 /* 12 + 2 + 1 of 16; a masked load in the loop over k would cost a fifth */
#define EACH_TILE_HEIGHT ROWS_TO_6
enum { TILE_ROWS = 6, TILE_VECTORS = 2, MASKED_LOADS = 0 };
#elif defined(__aarch64__) /* 16 + 2 + 1 of 32 */
#define EACH_TILE_HEIGHT ROWS_TO_8
enum { TILE_ROWS = 8, TILE_VECTORS = 2, MASKED_LOADS = 0 };
#else /* 8 + 2 + 1 and the product, as there is no fma, of 16 */
#define EACH_TILE_HEIGHT ROWS_TO_4
enum { TILE_ROWS = 4, TILE_VECTORS = 2, MASKED_LOADS = 0 };
#endif

/* A block: its a, as many tiles as runtime/machine.h says, stays in L2 while its b, BLOCK_BYTES to a step of k,
 * passes.  Steps are whole VEKT_PRODUCT_RUNs, so that sums have one order on all machines. */
enum { BLOCK_BYTES = 8192 };
INLINE ptrdiff_t block_steps(void) { return vekt_this_machine.measured.block_runs * VEKT_PRODUCT_RUN; }
INLINE ptrdiff_t block_rows(void) {
    const ptrdiff_t rows = vekt_this_machine.block_bytes / (block_steps() * (ptrdiff_t)sizeof(double));
    return vekt_larger(rows / TILE_ROWS, 1) * TILE_ROWS;
}
/* Rows that are a multiple of this apart compete for the same places in L1: a is copied. */
enum { ALIASING_STEP = 4096 };

/* One vector across; TILE_VECTORS; the same, leaving a copy of b for the tiles below. */
enum { NARROW_TILE, FULL_TILE, COPYING_TILE, N_TILE_KINDS };

/* Steps of k for each row of c that is asked for ahead: all have come when the sums are complete, and no burst of
 * them delays a and b. */
enum { PREFETCH_STEPS = 8 };
/* Rows of b asked for ahead where they are far apart: the processor's own prefetcher does not follow them. */
enum { PREFETCH_ROWS = 32 };
/* Ten tiles, as many as a block is high, so ask for the whole sliver of b that comes next. */
enum { NEXT_BYTES = 64 };
/* Columns of a that are copied side by side. */
enum { PACKED_STEPS = 8 };
/* Steps of k after which a transposition goes on to the next four columns: what it writes stays in L1. */
enum { TRANSPOSE_STEPS = 64 };
