// SPDX-License-Identifier: Apache-2.0
/*
 * The inside of the sender, for the files of this folder.
 *
 * A request that comes in is an entry (queue.h). What is sent as one is a transfer: it has a share in one entry or,
 * with batching, in several; an entry that is cut has shares in several transfers. A transfer is due, then it has one
 * of the signal's slots (num_consumers of them in the process) until it has been delivered or given up.
 */
#ifndef WEIR_SENDER_SENDER_H
#define WEIR_SENDER_SENDER_H

#include "sdk/src/sender/queue.h"

struct lane;
struct batcher;
struct relay;

/* How long to wait before the next try (collector-core 5.2). */
struct backoff {
    bool begun;
    double interval; /* of the next wait, in nanoseconds */
};
/* The next wait in nanoseconds: uniform in interval * (1 -+ randomization_factor); `random` is uniform in [0, 1). */
int64_t backoff_next(struct backoff *backoff, const struct weir_retry_options *options, double random);

struct share {
    struct sender_entry *entry;
    uint64_t items;
};

enum transfer_state {
    TRANSFER_DUE,     /* waits for a slot */
    TRANSFER_SENDING, /* the exporter has it */
    TRANSFER_RESTING, /* waits for its next try */
};

struct transfer {
    struct weir_attempt attempt;
    struct lane *lane;
    struct transfer *next, *previous; /* among the lane's due ones, or those under way */
    enum transfer_state state;
    bool has_slot;
    uint64_t items;
    uint64_t rejected; /* of the items, in the attempt that succeeded */
    int64_t started;   /* first try, on the worker's clock; 0: not yet */
    struct backoff backoff;
    struct weir_timer timer; /* of its rest */
    char *error;             /* while it rests: of the last try */
    int grpc_code;
    size_t share_count, share_capacity;
    struct share *shares; /* in the batch's order; `first` while there is but one */
    struct share first;
};

struct transfers {
    struct transfer *first, *last;
};

/* What a retiring instance leaves to its successor. */
struct leftover {
    struct leftover *next;
    struct weir_batch *batch;
    uint64_t items;
    enum weir_signal signal;
};

/* One signal's part on one worker. */
struct lane {
    struct sender_lane base; /* first */
    bool open;               /* between worker_start and worker_stop */
    bool draining;           /* no retries any more */
    bool retiring;           /* what nobody waits for is left to a successor */
    bool stopped;            /* after worker_stop */
    bool pumping, again;
    uint64_t random;
    uint64_t held; /* items of entries that have left the queue and that nobody waits for */
    struct transfers due;
    struct transfers under_way;
    struct batcher *batchers; /* most recently used first */
    struct batcher **buckets; /* the same, by the hash of their metadata */
    struct batcher *batchers_last;
    size_t batcher_count;
    struct leftover *left;
    struct relay *relays; /* batches handed to another lane */
    struct sender_entry *spare_entries;
    struct transfer *spare_transfers;

    struct weir_task wake;
    _Atomic bool wake_posted;
    _Atomic bool starving;  /* wants a slot */
    _Atomic unsigned grants; /* slots handed to it by others */
};

/* The right to send, for one signal of one exporter. */
struct slots {
    int64_t limit; /* 0: none */
    _Atomic int64_t taken;
    _Atomic unsigned starving; /* lanes */
};

struct sender_series {
    struct weir_series *enqueue_failed, *send_failed, *in_flight;
    struct weir_series *enqueue_size, *enqueue_bytes, *send_size, *send_bytes;
};

/* One worker's part: a lane for each signal. */
struct sender_shard {
    struct lane lanes[WEIR_SIGNALS];
    bool draining; /* weir_shard_drained is owed */
};

struct weir_sender {
    _Atomic unsigned references; /* the instance's, and one for each task under way */
    struct weir_instance *instance;
    const struct weir_sender_options *options;
    weir_send *send;
    struct weir_http_transport *transport; /* of an exporter over HTTP */
    _Atomic unsigned relayed; /* batches between two lanes */
    const char *advice; /* what the messages of failures end with */
    struct slots slots[WEIR_SIGNALS];
    struct sender_queue *queues[WEIR_SIGNALS]; /* NULL: off, or the signal is not used */
    struct sender_series series[WEIR_SIGNALS];
    unsigned shard_count;
    struct sender_shard *shards;
};

/* What batches are measured in: `items` or `bytes`. */
int sender_batch_sizer(const struct weir_queue_options *queue);

static inline struct weir_logger *lane_logger(const struct lane *lane)
{
    return weir_instance_logger(lane->base.sender->instance);
}
static inline struct sender_shard *lane_shard(struct lane *lane)
{
    return &lane->base.sender->shards[lane->base.index];
}
static inline int64_t lane_now(const struct lane *lane)
{
    return weir_worker_now(lane->base.worker);
}

void sender_unref(struct weir_sender *sender);

/* --- lane.c --- */
/* Sends what may be sent. */
void lane_pump(struct lane *lane);
/* The same once the answers of this turn have been written, for to serialise and compress takes its time; at once where
 * the lane is sending already, and at the end. */
void lane_pump_soon(struct lane *lane);
/* Appends a transfer to those that wait for a slot; `front`: before them. */
void lane_due(struct lane *lane, struct transfer *transfer, bool front);
/* Makes a transfer of its own of the entry, due. */
void lane_take(struct lane *lane, struct sender_entry *entry);
/* Sends past the queue: where there is none, the client waits for the result. */
void lane_send(struct lane *lane, struct weir_batch *batch, struct weir_ack *ack);
/* What was left to a successor is the lane's again: nobody came for it. */
void lane_take_back(struct lane *lane);
/* The shard reports itself drained as soon as nothing of it is left. */
void lane_check_drained(struct lane *lane);
/* Runs a task of sender_post. */
void sender_woken(struct weir_task *task);

/* --- relay.c --- */
/* The lane that sends the signal where batches have an order. */
struct lane *relay_owner(struct weir_sender *sender, enum weir_signal signal);
/* True if the lane takes from the queue. */
bool relay_serves(struct lane *lane);
/* Hands the batch to the lane that sends, as offered there. */
void relay_offer(struct lane *home, struct weir_batch *batch, struct weir_ack *ack);
/* In worker_stop: those who still wait are answered. */
void relay_stop(struct lane *home);

/* --- slots.c --- */
/* False: there is none now, and the lane will be woken when it gets one. */
bool slots_take(struct lane *lane);
void slots_release(struct lane *lane);
/* Gives back what the lane was handed and does not need. */
void slots_settle(struct lane *lane);

/* --- transfer.c --- */
/* A transfer of the whole batch (its reference is taken), without shares. */
struct transfer *transfer_new(struct lane *lane, struct weir_batch *batch);
/* Cuts off the first items of a transfer's batch, by items or bytes, with the shares that they belong to; NULL: memory
 * is out, or it cannot be cut. */
struct transfer *transfer_split(struct transfer *transfer, uint64_t size, int sizer);
void transfer_add_share(struct transfer *transfer, struct sender_entry *entry, uint64_t items);
/* The first try. */
void transfer_start(struct transfer *transfer);
/* True if somebody waits for the result of a part of it. */
bool transfer_is_awaited(const struct transfer *transfer);
/* Ends those that wait for their next try: no more retries. At worker_stop, and while the lane retires, they are left to a
 * successor; in the second case but those that are awaited. */
void transfers_interrupt(struct lane *lane);
/* Ends one that cannot be sent, whatever the destination says. */
void transfer_fail(struct transfer *transfer, const struct weir_result *result, const char *reason);
/* Ends one that is not under way, at worker_stop: what the sender answers for becomes a leftover. */
void transfer_leave(struct transfer *transfer, const struct weir_result *why);
void transfer_free(struct transfer *transfer);

/* --- outcome.c --- */
/* Takes the entry in: from here on its items are in lane->held, if nobody waits for them. */
void entry_begin(struct lane *lane, struct sender_entry *entry);
/* The part of an entry that a transfer had was delivered, or dropped and counted. */
void entry_settled(struct lane *lane, struct sender_entry *entry, uint64_t items);
/* It was not: what nobody waits for is dropped with `reason` (NULL: it stays in the queue). */
void entry_failed(struct lane *lane, struct sender_entry *entry, uint64_t items, const struct weir_result *result,
                  const char *reason);
/* Answers whoever waits for the entry, and makes its items the sender's own: they are under way and may arrive. */
void entry_detach(struct lane *lane, struct sender_entry *entry, const struct weir_result *result);
/* The maker of transfers for the entry is done: ends it when all its parts have. */
void entry_release(struct lane *lane, struct sender_entry *entry);
void outcome_log(struct lane *lane, bool rejected, const char *error, uint64_t items);

/* --- batcher.c --- */
/* Puts an entry into its batch; what is full becomes due. */
void batcher_add(struct lane *lane, struct sender_entry *entry);
/* All that is gathered becomes due. */
void batchers_flush(struct lane *lane);
bool batchers_empty(const struct lane *lane);
void batchers_free(struct lane *lane);

/* --- metrics.c --- */
void sender_metrics_create(struct weir_sender *sender);

#endif
