// SPDX-License-Identifier: Apache-2.0
/* The inside of the queue on disk, for disk_queue.c, disk_in.c and disk_out.c. */
#ifndef WEIR_SENDER_DISK_QUEUE_H
#define WEIR_SENDER_DISK_QUEUE_H

#include "sdk/src/sender/queue.h"

#include "sdk/src/sender/disk_store.h"

/* Records that a lane asks for ahead of need. Few: what one lane has taken no other can send. */
#define DISK_AHEAD 4

struct disk_list {
    struct sender_entry *first, *last;
};

/* One record asked for. */
struct disk_take {
    struct weir_journal_take take;
    struct disk_lane *own;
    bool busy;
};

struct disk_lane {
    struct sender_lane *lane;
    struct disk_queue *queue;
    struct disk_store *store;
    struct disk_take takes[DISK_AHEAD];
    unsigned taking;           /* takes that are busy */
    unsigned fetched_count;    /* entries in `fetched` */
    struct disk_list fetched;  /* read from disk, or kept in memory since they came in */
    struct disk_list suspects; /* read from disk; one of them at a time may be sent */
    struct disk_list inside;   /* in memory only: the client waits for the destination's answer */
    struct disk_list outside;  /* wait for room (block_on_overflow) */
    struct disk_offer *offers; /* being appended */
    struct weir_timer timer;   /* for the first deadline outside */
    _Atomic bool waiting;      /* somebody is outside */
    _Atomic bool has_suspects;
    bool draining, stopped;
};

struct disk_queue {
    struct sender_queue base; /* first */
    struct disk_store *store; /* NULL before open and after close */
    _Atomic int64_t waiting_items; /* on disk, behind an answer, and not handed to the sender */
    _Atomic unsigned waiting;      /* lanes with somebody outside */
    uint64_t found;                /* items to be reported as made when worker 0 starts */
};

static inline struct disk_queue *disk_queue_of(const struct sender_lane *lane)
{
    return (struct disk_queue *)lane->queue;
}

static inline void disk_push(struct disk_list *list, struct sender_entry *entry)
{
    entry->next = NULL;
    *(list->last ? &list->last->next : &list->first) = entry;
    list->last = entry;
}

static inline struct sender_entry *disk_pop(struct disk_list *list)
{
    struct sender_entry *entry = list->first;
    list->first = entry->next;
    if (!list->first)
        list->last = NULL;
    return entry;
}

/* Takes over the items of an instance that shared the directory and has stopped. Lane 0, on the main thread. */
void disk_take_over(struct sender_lane *lane);

/* Counts what damage on disk has taken from the queue. Lane 0; or the main thread, when all have stopped. */
void disk_note_lost(struct sender_lane *lane);

/* --- disk_in.c: what comes in --- */
void disk_offer(struct sender_lane *lane, struct weir_batch *batch, struct weir_ack *ack);
void disk_adopt(struct sender_lane *lane, struct weir_batch *batch);
/* Lets in those who wait outside, in their order, as far as there is room. */
void disk_let_in(struct disk_lane *own);
/* Lets all of them in, room or not. */
void disk_let_all_in(struct disk_lane *own);
/* There is room again: wakes the lanes that have somebody outside. */
void disk_room(struct sender_lane *lane);
/* Answers those outside: there will be no room. */
void disk_turn_outside_away(struct disk_lane *own);
/* Answers all that have not come in. */
void disk_turn_all_away(struct disk_lane *own);
void disk_check_deadlines(struct weir_timer *timer);

/* --- disk_out.c: what goes out --- */
/* Hands on, as if it had been read, what is on disk and was taken by the append; the batch's reference is taken. */
void disk_go_on(struct disk_lane *own, struct weir_batch *batch, const struct weir_journal_append *append, uint64_t size);
/* It does not go on. */
void disk_leave(struct disk_store *store, uint64_t sequence, uint64_t size);
bool disk_ready(struct sender_lane *lane);
struct sender_entry *disk_next(struct sender_lane *lane);
void disk_attempt(struct sender_lane *lane, struct sender_entry *entry, bool begins);
void disk_settle(struct sender_lane *lane, struct sender_entry *entry, enum sender_end end);
/* Gives back to the disk what has been taken and not been handed on; what has been asked for is cancelled. */
void disk_return_taken(struct disk_lane *own);

#endif
