// SPDX-License-Identifier: Apache-2.0
/*
 * The ring that says which backend an identifier belongs to; the same as upstream's, so that a tier may mix both
 * (contrib-processors 9).
 */
#ifndef LOAD_BALANCING_RING_H
#define LOAD_BALANCING_RING_H

#include <weir/str.h>

#define RING_POSITIONS 36000

struct ring_point {
    uint16_t position;
    uint16_t endpoint;
};

/* Unchanging once built. */
struct ring {
    struct ring_point *points; /* by position */
    size_t point_count;
};

/* Builds the ring of `count` endpoints (at most 65535), which are sorted and unique. */
void ring_build(struct ring *ring, char *const *endpoints, size_t count);
void ring_free(struct ring *ring);

/* The position of an identifier. */
uint32_t ring_position(struct weir_str identifier);
/* The endpoint that a position belongs to; the ring has one at least. */
size_t ring_find(const struct ring *ring, uint32_t position);

#endif
