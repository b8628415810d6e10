// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/load_balancing/ring.h"

#include <isa-l/crc.h>
#include <stdlib.h>

#define POINTS_PER_ENDPOINT 100
#define PROBES 10

uint32_t ring_position(struct weir_str identifier)
{
    return crc32_gzip_refl(0, (const unsigned char *)(identifier.data ? identifier.data : ""), identifier.length)
           % RING_POSITIONS;
}

/* Where the endpoint's point goes, or RING_POSITIONS when there is no room near it. */
static uint32_t place_point(const bool *taken, const char *endpoint, uint32_t index)
{
    uint8_t bytes[4] = { (uint8_t)index, (uint8_t)(index >> 8), (uint8_t)(index >> 16), (uint8_t)(index >> 24) };
    uint32_t crc = crc32_gzip_refl(0, (const unsigned char *)endpoint, strlen(endpoint));
    uint32_t position = crc32_gzip_refl(crc, bytes, sizeof(bytes)) % RING_POSITIONS;
    for (int probe = 0; probe <= PROBES; probe++) {
        if (!taken[position])
            return position;
        position = (position + 1) % RING_POSITIONS;
    }
    return RING_POSITIONS;
}

static int compare_points(const void *a, const void *b)
{
    const struct ring_point *left = a, *right = b;
    return (left->position > right->position) - (left->position < right->position);
}

void ring_build(struct ring *ring, char *const *endpoints, size_t count)
{
    bool *taken = weir_xcalloc(RING_POSITIONS, sizeof(*taken));
    *ring = (struct ring){ .points = weir_xcalloc(count * POINTS_PER_ENDPOINT + 1, sizeof(*ring->points)) };
    for (size_t i = 0; i < count; i++) {
        for (uint32_t index = 0; index < POINTS_PER_ENDPOINT; index++) {
            uint32_t position = place_point(taken, endpoints[i], index);
            if (position == RING_POSITIONS)
                continue;
            taken[position] = true;
            ring->points[ring->point_count++] =
                (struct ring_point){ .position = (uint16_t)position, .endpoint = (uint16_t)i };
        }
    }
    qsort(ring->points, ring->point_count, sizeof(*ring->points), compare_points);
    free(taken);
}

void ring_free(struct ring *ring)
{
    free(ring->points);
    *ring = (struct ring){ 0 };
}

size_t ring_find(const struct ring *ring, uint32_t position)
{
    size_t low = 0, high = ring->point_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->points[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    return ring->points[low < ring->point_count ? low : 0].endpoint;
}
