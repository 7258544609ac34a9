/* Memory of large results, kept for the results that come next. */
#ifndef VEKT_BLOCKS_H
#define VEKT_BLOCKS_H

#include <stddef.h>

/* Blocks begin at multiples of 64 bytes, and of zeros where asked.  NULL where there is no memory. */
void *vekt_take_block(size_t bytes, int zeros);
void *vekt_resize_block(void *block, size_t bytes);
void vekt_release_block(void *block);

/* Whether this process may map only so much.  Then nothing waits any longer, and malloc, which has memory at hand, is
 * to be asked. */
int vekt_memory_is_limited(void);

/* At most so many bytes wait for the next results; 0 keeps none, and gives back what there is. */
void vekt_keep_blocks(size_t bytes);
/* How many bytes wait. */
size_t vekt_kept_bytes(void);

#endif
