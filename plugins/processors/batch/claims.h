// SPDX-License-Identifier: Apache-2.0
/*
 * Who waits for what: the requests whose items a batcher holds, and what each is answered.
 *
 * Where the pipeline asks for WEIR_PROMISE_MEMORY a request is answered as soon as there is room, and what is lost later
 * is counted as dropped. Where it asks for more, the answer is the worst of those to the batches that its items left in.
 */
#ifndef BATCH_CLAIMS_H
#define BATCH_CLAIMS_H

#include <weir/component.h>

/* One request's claim on what the batcher holds. */
struct claim {
    struct claim *next;         /* among those that have items pending */
    struct claim *next_waiting; /* among those that wait for room */
    struct weir_ack *ack;       /* NULL: nobody waits */
    bool answered;
    bool wants_result; /* not answered before all its items have left and were answered for */
    uint64_t pending;  /* items not sent yet */
    uint64_t under_way;
    uint64_t gone; /* items that were sent or dropped before there was an answer */
    enum weir_outcome outcome; /* the worst so far, with what came with it */
    int grpc_code;
    int64_t retry_after;
    char *reason;
};

/* The items that one batch has of one claim. */
struct part {
    struct claim *claim;
    uint64_t items;
};

/* The claims of one batcher. */
struct claims {
    struct weir_shard *shard;
    enum weir_signal signal;
    struct claim *first, *last; /* in the order of the pending items */
    struct claim *first_waiting, *last_waiting;
    struct claim *spare;
    uint64_t held; /* items of answered claims, pending or under way */
};

void claims_init(struct claims *claims, struct weir_shard *shard, enum weir_signal signal);
/* Ends all, with no batch under way: who waits is told to come back, what was answered is dropped and counted. */
void claims_end(struct claims *claims);

/* A request of `items` joins the end of what is pending. */
void claims_add(struct claims *claims, struct weir_ack *ack, uint64_t items);
/* There is room: answers those that wait for no more than that. */
void claims_answer(struct claims *claims);
/* When the first pending client gives up, on the worker's clock; INT64_MAX: none has said so. */
int64_t claims_deadline(const struct claims *claims);

/* The number of claims that the first `items` pending items belong to. */
size_t claims_count(const struct claims *claims, uint64_t items);
/* The first `items` pending items leave in one batch: fills as many parts. */
void claims_take(struct claims *claims, uint64_t items, struct part *parts);
/* That batch has been answered; returns how many of its items are lost, since they had been answered for. */
uint64_t claims_settle(struct claims *claims, const struct part *parts, size_t count,
                       const struct weir_result *result);

#endif
