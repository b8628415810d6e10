// SPDX-License-Identifier: Apache-2.0
/*
 * Room for the chunks of one worker. They are many, of few sizes, and by the time one is freed its neighbours have left the
 * caches: an allocator that looks at those spends most of its time waiting for memory. Here each slab holds slots of one
 * size, and all that is looked at beside the slot itself is the slab's entry in a small array.
 */
#ifndef TAIL_SAMPLING_SLAB_H
#define TAIL_SAMPLING_SLAB_H

#include <weir/base.h>

/* Slots come in steps of 8 bytes, from 1 KiB on of 64. */
#define SLAB_STEP 8u
#define SLAB_SMALL 1024u
#define SLAB_STEP_LARGE 64u
#define SLAB_MOST 4096u
#define SLAB_CLASSES (SLAB_SMALL / SLAB_STEP + (SLAB_MOST - SLAB_SMALL) / SLAB_STEP_LARGE + 1)
#define NO_SLAB UINT32_MAX

struct slabs {
    struct slab *all;
    uint32_t count, capacity;
    uint32_t unused;             /* first entry without memory */
    uint32_t open[SLAB_CLASSES]; /* first slab with a free slot, by class of size */
};

/* Bytes of the slot for so many, at most SLAB_MOST. */
static inline uint32_t slab_slot(size_t size)
{
    uint32_t step = size <= SLAB_SMALL ? SLAB_STEP : SLAB_STEP_LARGE;
    return ((uint32_t)size + step - 1) / step * step;
}

void slabs_init(struct slabs *slabs);
/* Everything has been given back. */
void slabs_free(struct slabs *slabs);
/* Room for so many bytes, at most SLAB_MOST, in the slab `*slab`; NULL when memory is out. */
void *slab_take(struct slabs *slabs, size_t size, uint32_t *slab);
/* A slab without any slot in use goes back to the system. */
void slab_give(struct slabs *slabs, uint32_t slab, void *room);

#endif
