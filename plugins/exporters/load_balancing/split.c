// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/load_balancing/split.h"

#include <stdlib.h>

/* Awaits the answers for all parts of one batch. */
struct join {
    struct weir_shard *shard;
    enum weir_signal signal;
    struct weir_ack *ack;
    size_t open;
    uint64_t taken; /* items of the parts that were accepted */
    struct weir_result result;
    struct weir_text reason;
};

struct join_part {
    struct weir_ack ack;
    struct join *join;
    uint64_t items;
};

/* Where one part was refused all of the batch is, for its sender: what was accepted nevertheless is ours. */
static void finish(struct join *join)
{
    join->result.reason = join->result.outcome == WEIR_OK ? NULL : weir_text_string(&join->reason);
    if (join->result.outcome != WEIR_OK && join->taken > 0)
        weir_shard_make(join->shard, join->signal, join->taken);
    weir_ack_complete(join->ack, &join->result);
    weir_text_free(&join->reason);
    free(join);
}

static void answered(struct weir_ack *ack, const struct weir_result *result)
{
    struct join_part *part = WEIR_CONTAINER_OF(ack, struct join_part, ack);
    struct join *join = part->join;
    if (result->outcome == WEIR_OK)
        join->taken += part->items;
    else if (join->result.outcome == WEIR_OK
             || (join->result.outcome == WEIR_PERMANENT && result->outcome == WEIR_RETRYABLE)) {
        join->result = *result;
        weir_text_clear(&join->reason);
        weir_text_adds(&join->reason, result->reason ? result->reason : "");
    }
    free(part);
    if (--join->open == 0)
        finish(join);
}

static void offer_part(struct join *join, struct weir_batch *batch)
{
    struct join_part *part = weir_xcalloc(1, sizeof(*part));
    part->join = join;
    part->items = weir_batch_items(batch);
    part->ack = (struct weir_ack){ .done = answered, .promise = weir_ack_promise(join->ack),
                                   .deadline = join->ack->deadline };
    join->open++;
    weir_sender_consume(join->shard, batch, &part->ack);
}

static void offer_parts(struct lb_shard *own, struct routed *routed, enum weir_signal signal, struct weir_ack *ack)
{
    struct join *join = weir_xcalloc(1, sizeof(*join));
    *join = (struct join){ .shard = own->shard, .signal = signal, .ack = ack, .open = 1 };
    for (struct routed *one = routed; one; one = one->next) {
        struct weir_batch *batch = one->batch;
        one->batch = NULL;
        offer_part(join, batch);
    }
    if (--join->open == 0)
        finish(join);
}

void lb_offer(struct lb_shard *own, struct weir_batch *batch, struct weir_ack *ack)
{
    enum weir_signal signal = weir_batch_signal(batch);
    bool any = own->set && own->set->ring.point_count > 0;
    struct routed *routed = any ? route_batch(&own->shared->routers[signal], &own->set->ring, batch) : NULL;
    if (!routed) {
        weir_sender_consume(own->shard, batch, ack);
        return;
    }
    if (!routed->next || !ack) {
        for (struct routed *one = routed; one; one = one->next) {
            struct weir_batch *part = one->batch;
            one->batch = NULL;
            weir_sender_consume(own->shard, part, ack);
        }
    } else {
        offer_parts(own, routed, signal, ack);
    }
    route_free(routed);
}
