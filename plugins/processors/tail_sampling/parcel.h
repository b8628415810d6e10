// SPDX-License-Identifier: Apache-2.0
/*
 * Requests, and the parcels that carry their spans to the workers that own the traces.
 *
 * Where the pipeline asks for WEIR_PROMISE_MEMORY a parcel is done when its spans are in the tables, and what is lost
 * later is counted as dropped. Where it asks for more, each trace has a claim of the parcel, which is settled when the
 * trace was decided and, if it was sampled, delivered.
 */
#ifndef TAIL_SAMPLING_PARCEL_H
#define TAIL_SAMPLING_PARCEL_H

#include <weir/component.h>

#include "plugins/processors/tail_sampling/store.h"

struct tail_shard;

/* One request on the worker that received it, until all its parcels are back. */
struct request {
    struct request *next, **link; /* among those not answered */
    struct tail_shard *own;
    struct weir_ack *ack; /* NULL: answered, or nobody waits */
    bool answered;
    bool busy; /* the host knows that parcels are under way */
    unsigned parcels; /* not back yet */
    uint64_t done;    /* spans that are kept or gone */
    struct weir_result worst;
    char *reason;
};

/* One span. */
struct item {
    const uint8_t *data; /* the whole field of its ScopeSpans */
    uint32_t length;
    uint32_t head; /* of the parcel's */
    uint32_t next; /* of the same touch */
    bool root;
    uint8_t id[16];
    uint64_t hash; /* of the id */
    uint64_t start, end;
    uint64_t bits[];
};

/* The spans that came in one ResourceSpans. */
struct item_group {
    uint32_t first, count;
};

/* The spans of one request that one worker owns. */
struct parcel {
    struct weir_task task;
    struct request *request;
    struct tail_shard *owner;
    struct weir_buffer *buffer; /* holds the bytes */
    struct weir_arena arena;    /* heads that were not in one piece */
    size_t stride;              /* bytes of an item */
    uint8_t *items;
    uint32_t item_count, item_capacity;
    struct item_group *groups;
    uint32_t group_count, group_capacity;
    struct head_parts *heads;
    uint32_t head_count, head_capacity;
    uint32_t scope_head; /* while it is made: the head of this scope; UINT32_MAX: none yet */
    size_t reserved;

    struct parcel *next; /* among those that wait for room */
    uint32_t at_group, at_touch; /* how far it was taken */
    bool claims;      /* done only when its traces are */
    uint64_t pending; /* spans that are not kept or gone */
    uint64_t done;
    struct weir_result worst;
    char *reason;
};

/* One parcel's part of a trace. */
struct claim {
    struct claim *next;
    struct parcel *parcel;
    uint64_t items;
};

static inline struct item *parcel_item(const struct parcel *parcel, uint32_t at)
{
    return (struct item *)(void *)(parcel->items + at * parcel->stride);
}

/* scan.c. Looks at all spans of the request and makes the parcels, parcels[owner] where there are spans for it; false,
 * with none made, when memory is out. */
bool scan_request(struct tail_shard *own, struct weir_buffer *buffer, struct weir_str bytes, struct parcel **parcels);

/* parcel.c. Sends the parcels of one request to their owners. `ack` may be NULL. */
void request_begin(struct tail_shard *own, struct parcel **parcels, struct weir_ack *ack);
/* Answers all requests of the worker that are not: they shall come back. */
void requests_end(struct tail_shard *own);

/* The following on the owner. The parcel's bytes are not needed any more. */
void parcel_release(struct parcel *parcel);
/* Spans have found their place, or their end: kept in the table, sent or dropped. */
void parcel_done(struct parcel *parcel, uint64_t items);
/* Spans did not: the client shall come back with them (retryable) or not. */
void parcel_failed(struct parcel *parcel, uint64_t items, const struct weir_result *result);
/* The parcel stays until it is let go, whatever becomes of its spans. */
void parcel_hold(struct parcel *parcel);
void parcel_let_go(struct parcel *parcel);
/* Frees a parcel that was never sent. */
void parcel_free(struct parcel *parcel);

/* Adds the claim of so many spans to a list. */
void claim_add(struct claim **list, struct parcel *parcel, uint64_t items);
uint64_t claims_items(const struct claim *list);
/* Settles and frees the claims. */
void claims_settle(struct claim *list, const struct weir_result *result);

#endif
