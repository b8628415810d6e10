// SPDX-License-Identifier: Apache-2.0
/* Reload: what a retiring instance has not sent goes to its successor. */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/flow/instance.h"
#include "sdk/src/sender/sender.h"

/* On its way to one worker of the successor. */
struct parcel {
    struct weir_task task;
    struct weir_sender *sender;
    unsigned worker;
    struct leftover *left;
};

struct state {
    unsigned count;
    struct leftover *left[]; /* by worker */
};

void *weir_sender_export(struct weir_instance *instance)
{
    struct weir_sender *sender = instance->sender;
    struct state *state = weir_xcalloc(1, sizeof *state + sender->shard_count * sizeof(struct leftover *));
    state->count = sender->shard_count;
    for (unsigned i = 0; i < sender->shard_count; i++)
        for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
            struct lane *lane = &sender->shards[i].lanes[signal];
            while (lane->left) {
                struct leftover *left = lane->left;
                lane->left = left->next;
                left->next = state->left[i];
                state->left[i] = left;
                weir_shard_hand_over(lane->base.shard, left->signal, left->items);
            }
        }
    return state;
}

static void discard(struct leftover *left)
{
    weir_batch_unref(left->batch);
    free(left);
}

/* What comes over is there already: no capacity is asked, nothing is refused. */
static void take_in(struct weir_sender *sender, unsigned worker, struct leftover *left)
{
    struct lane *lane = &sender->shards[worker].lanes[left->signal];
    weir_shard_make(lane->base.shard, left->signal, left->items);
    if (!lane->open || !weir_instance_uses(sender->instance, left->signal)) {
        weir_shard_drop(lane->base.shard, left->signal, left->items, lane->open ? "no_pipeline" : "shutdown");
        discard(left);
        return;
    }
    if (lane->base.queue)
        lane->base.queue->type->adopt(&lane->base, left->batch);
    else
        lane_send(lane, left->batch, NULL);
    free(left);
}

/* On the worker. */
static void arrived(struct weir_task *task)
{
    struct parcel *parcel = WEIR_CONTAINER_OF(task, struct parcel, task);
    while (parcel->left) {
        struct leftover *left = parcel->left;
        parcel->left = left->next;
        take_in(parcel->sender, parcel->worker, left);
    }
    sender_unref(parcel->sender);
    free(parcel);
}

int weir_sender_import(struct weir_instance *instance, void *state, struct weir_error *error)
{
    struct weir_sender *sender = instance->sender;
    struct state *from = state;
    (void)error;
    for (unsigned i = 0; from && i < from->count; i++) {
        if (!from->left[i])
            continue;
        struct parcel *parcel = weir_xmalloc(sizeof *parcel);
        *parcel = (struct parcel){ { .run = arrived }, sender, i, from->left[i] };
        atomic_fetch_add(&sender->references, 1);
        weir_worker_post(sender->shards[i].lanes[0].base.worker, &parcel->task);
    }
    free(from);
    return 0;
}
