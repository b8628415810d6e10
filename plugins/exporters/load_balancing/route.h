// SPDX-License-Identifier: Apache-2.0
/*
 * Which backend each part of a batch belongs to, and the batch cut accordingly (contrib-processors 9).
 */
#ifndef LOAD_BALANCING_ROUTE_H
#define LOAD_BALANCING_ROUTE_H

#include <weir/batch.h>
#include <weir/option.h>

#include "plugins/exporters/load_balancing/ring.h"

enum routing_key {
    ROUTE_UNSET, /* what the signal has by default */
    ROUTE_TRACE_ID,
    ROUTE_SERVICE,
    ROUTE_RESOURCE,
    ROUTE_METRIC,
    ROUTE_STREAM_ID,
    ROUTE_ATTRIBUTES,
};

struct router {
    enum routing_key key;
    const struct weir_strings *attributes; /* ROUTE_ATTRIBUTES */
};

/* A batch of one backend. */
struct routed {
    struct routed *next;
    size_t endpoint;
    struct weir_batch *batch;
};

/* Cuts the batch (whose reference is taken) into one for each backend it has something for. NULL, with the batch still the
 * caller's, when memory is out. The batch's worker. */
struct routed *route_batch(const struct router *router, const struct ring *ring, struct weir_batch *batch);
/* Frees the list and what batches are left in it. */
void route_free(struct routed *routed);

#endif
