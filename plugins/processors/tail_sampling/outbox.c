// SPDX-License-Identifier: Apache-2.0
/*
 * What goes downstream: the chunks of sampled traces, written one behind the other. Traces that are decided in one tick
 * share batches, up to a size; none is cut.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/memory.h>

#include "plugins/processors/tail_sampling/tail.h"

#define FULL (512u * 1024u)

/* One batch on its way. */
struct sending {
    struct weir_ack ack;
    struct tail_shard *own;
    uint64_t unclaimed;
    struct claim *claims;
};

static void lost(const struct tail_shard *own, uint64_t items, const char *reason)
{
    weir_shard_drop(own->shard, WEIR_TRACES, items, "send_failed");
    weir_log(weir_instance_logger(own->tail->instance), WEIR_WARN, "Sender failed", WEIR_F_TEXT("error", reason),
             WEIR_F_UINT("dropped_items", items));
}

static void sent(struct weir_ack *ack, const struct weir_result *result)
{
    struct sending *sending = WEIR_CONTAINER_OF(ack, struct sending, ack);
    struct tail_shard *own = sending->own;
    own->sending--;
    own->kept -= sending->unclaimed;
    if (result->outcome != WEIR_OK && sending->unclaimed > 0)
        lost(own, sending->unclaimed, result->reason);
    claims_settle(sending->claims, result);
    free(sending);
    tail_drained_if_empty(own);
}

static void fail(struct tail_shard *own, uint64_t unclaimed, struct claim *claims)
{
    own->kept -= unclaimed;
    if (unclaimed > 0)
        lost(own, unclaimed, "out of memory");
    claims_settle(claims, &WEIR_RESULT_RETRYABLE("out of memory"));
}

static struct claim **end_of(struct claim **list)
{
    while (*list)
        list = &(*list)->next;
    return list;
}

void outbox_add(struct tail_shard *own, const struct chunk *first, uint64_t items, uint64_t unclaimed,
                struct claim *claims)
{
    struct outbox *box = &own->outbox;
    size_t size = chunks_size(first);
    if (!box->buffer)
        box->buffer = weir_buffer_new(box->more ? FULL + size : size);
    if (!box->buffer || !weir_buffer_reserve(box->buffer, size)) {
        fail(own, unclaimed, claims);
        return;
    }
    box->buffer->length = (size_t)(chunks_write(first, box->buffer->data + box->buffer->length) - box->buffer->data);
    box->items += items;
    box->unclaimed += unclaimed;
    *end_of(&claims) = box->claims;
    box->claims = claims;
    if (box->buffer->length >= FULL) {
        outbox_flush(own);
        box->more = true;
    }
}

void outbox_flush(struct tail_shard *own)
{
    struct outbox box = own->outbox;
    own->outbox = (struct outbox){ .buffer = NULL };
    if (box.items == 0) {
        weir_buffer_unref(box.buffer);
        return;
    }
    struct weir_batch *batch = weir_batch_from_checked(WEIR_TRACES, box.buffer, box.buffer->data, box.buffer->length,
                                                       box.items);
    if (batch) {
        weir_memory_reserve(box.buffer->length);
        weir_batch_add_permit(batch, box.buffer->length);
    }
    weir_buffer_unref(box.buffer);
    if (!batch) {
        fail(own, box.unclaimed, box.claims);
        return;
    }
    struct sending *sending = weir_xmalloc(sizeof *sending);
    *sending = (struct sending){ .ack = { .done = sent }, .own = own, .unclaimed = box.unclaimed, .claims = box.claims };
    own->sending++;
    weir_shard_send(own->shard, batch, &sending->ack);
}
