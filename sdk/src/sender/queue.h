// SPDX-License-Identifier: Apache-2.0
/*
 * What the sender asks of a sending queue, and what a queue may ask of the sender. There are two: in memory
 * (memory_queue.c) and on disk (disk_queue.c).
 *
 * One queue serves one signal of one exporter instance, on all workers. Its part on one worker is a lane; the functions
 * that take a lane run on the lane's worker, all others on the main thread. The sender pulls: it asks `ready` and
 * `next` as long as it may send more, and again after sender_wake.
 */
#ifndef WEIR_SENDER_QUEUE_H
#define WEIR_SENDER_QUEUE_H

#include <stdatomic.h>

#include <weir/sender.h>

struct sender_queue;
struct sender_lane;

/* One request in the sender, from the offer until all of it has been sent or given up. */
struct sender_entry {
    struct sender_entry *next; /* free for the queue's use until the sender has the entry, then the sender's */
    struct weir_batch *batch;  /* owned; never empty */
    struct weir_ack *ack;      /* who still waits for the result; NULL: nobody, the items are the sender's */
    uint64_t items;            /* of the batch, constant */
    uint64_t size;             /* the queue's own: what it takes up */
    uint64_t sequence;         /* the queue's own: where it stands on disk */
    bool on_disk;              /* the queue's own */
    bool kept;                 /* the queue's own: in memory since it came in */
    unsigned attempts;         /* the queue's own: under way */
    int slot;                  /* the queue's own: where its attempts are written down */
    bool alone;                /* not to be batched with others */

    /* The sender's. */
    uint64_t settled;        /* items delivered, or dropped and counted */
    bool returned;           /* a part of it stays in the queue */
    unsigned shares;         /* transfers that hold a part of it, and the one that is being made */
    enum weir_outcome worst; /* of the parts that have ended */
    int grpc_code;
    int64_t retry_after;
    char *reason;
};

enum sender_end {
    SENDER_END_DONE,     /* delivered, or dropped and counted: it leaves the queue */
    SENDER_END_RETURNED, /* not delivered, and not to be dropped: queues that last, at shutdown */
};

struct sender_queue_type {
    bool lasting; /* what is in the queue outlives the process: nothing is dropped at shutdown, nothing moves on reload */

    /* What WEIR_OK of an offer means at least, when `asked` is asked of it. After create, before open. */
    enum weir_promise (*promise)(const struct sender_queue *queue, enum weir_promise asked);
    /* In the instance's start: finds the storage. 0, or -1 with `error` set. NULL: nothing to open. */
    int (*open)(struct sender_queue *queue, struct weir_error *error);
    /* In worker_start. NULL: nothing to do. */
    void (*lane_start)(struct sender_lane *lane);
    /* Takes the batch, which is not empty, and answers the ack, now or later: with sender_refuse where it does not come
     * in, with weir_ack_ok once it is held as ack->promise says; or leaves it in the entry (entry->ack) to be answered
     * with the result. Then sender_wake. */
    void (*offer)(struct sender_lane *lane, struct weir_batch *batch, struct weir_ack *ack);
    /* Takes a batch of the sender's own, left by an instance that this one replaces: it goes in even when the queue is
     * full. Then sender_wake. */
    void (*adopt)(struct sender_lane *lane, struct weir_batch *batch);
    /* True if `next` would return an entry; what has to be fetched first is asked for, and sender_wake called when it
     * is there. */
    bool (*ready)(struct sender_lane *lane);
    /* Hands one entry (entry->batch set) to the sender, which gives it back with `settle`. After `ready` only. */
    struct sender_entry *(*next)(struct sender_lane *lane);
    /* An attempt to send a part of the entry begins, or has ended. NULL: nothing to do. */
    void (*attempt)(struct sender_lane *lane, struct sender_entry *entry, bool begins);
    /* Takes the entry back, without a batch or an ack, and frees it and the room that it took up. Any lane of the
     * queue, also after lane_stop. */
    void (*settle)(struct sender_lane *lane, struct sender_entry *entry, enum sender_end end);
    /* Items behind answers with WEIR_OK that this lane reports as held and that have not come out of `next`; what has
     * is the sender's to count, once it has come out, until `settle`. */
    uint64_t (*held)(struct sender_lane *lane);
    /* The end begins: a queue that lasts hands out nothing more but what somebody waits for. With `successor`, which takes
     * over what is in the queue, nobody who waits for room is refused. NULL: nothing to do. */
    void (*drain)(struct sender_lane *lane, bool successor);
    /* True once no offer is on its way into the queue (asked while draining; sender_wake when that changes). NULL:
     * always. */
    bool (*idle)(struct sender_lane *lane);
    /* In worker_stop: answers the acks of offers that have not come in (retryable, "shutting down"); nothing wakes the
     * sender afterwards. What a queue in memory holds is then taken with `next`. */
    void (*lane_stop)(struct sender_lane *lane);
    /* What is in the queue, in units of its sizer: the metric otelcol_exporter_queue_size. */
    uint64_t (*size)(struct sender_queue *queue);
    /* In stop, after all lanes have stopped and every entry is settled. NULL: nothing to do. */
    void (*close)(struct sender_queue *queue);
    /* In destroy. */
    void (*free)(struct sender_queue *queue);
};

/* The start of every queue; made by its own constructor in create, never NULL. */
struct sender_queue {
    const struct sender_queue_type *type;
    struct weir_sender *sender;
    struct weir_instance *instance;
    const struct weir_queue_options *options;
    enum weir_signal signal;
    unsigned lane_count;
    struct sender_lane **lanes; /* by worker */
};

/* The start of a lane, set before any function of the queue's type is called. */
struct sender_lane {
    struct sender_queue *queue; /* NULL: the queue is off */
    struct weir_sender *sender;
    struct weir_shard *shard;
    struct weir_worker *worker;
    enum weir_signal signal;
    unsigned index; /* of the worker */
    void *own;      /* the queue's */
};

struct sender_queue *memory_queue_new(void);
struct sender_queue *disk_queue_new(void);

/* --- what a queue calls; the lane's worker --- */

/* There may be something to send: asks `ready` and `next`, at once or, from within a call of the sender's, right after
 * it. */
void sender_wake(struct sender_lane *lane);

/* As sender_wake, later, from any thread. */
void sender_post(struct sender_lane *lane);

/* Entries, zeroed but for batch, ack and items. A batch's reference is taken; `free` takes an entry that has none. */
struct sender_entry *sender_entry_new(struct sender_lane *lane, struct weir_batch *batch, struct weir_ack *ack);
void sender_entry_free(struct sender_lane *lane, struct sender_entry *entry);

/* Refuses what was offered: frees the batch, logs and counts it (otelcol_exporter_enqueue_failed_*), completes the ack. */
void sender_refuse(struct sender_lane *lane, struct weir_batch *batch, struct weir_ack *ack,
                   const struct weir_result *result);

/* A batch's size as `sizer` (enum weir_sizer) counts it. */
uint64_t sender_size(struct weir_batch *batch, int sizer);

#endif
