// SPDX-License-Identifier: Apache-2.0
/*
 * What the queues on one directory have in common: the journal, and what of it is taken up. During a reload two
 * instances of one exporter have the same directory, in one process, and so the same store.
 */
#ifndef WEIR_SENDER_DISK_STORE_H
#define WEIR_SENDER_DISK_STORE_H

#include <stdatomic.h>

#include <weir/sender.h>
#include <weir/storage.h>
#include <weir/journal.h>

#include "sdk/src/sender/disk_attempts.h"

#define DISK_SIZERS (WEIR_SIZER_BYTES + 1) /* by enum weir_sizer */

struct disk_store {
    struct disk_store *next; /* main thread */
    unsigned references;     /* main thread */
    char *directory;
    struct weir_journal *journal;
    struct disk_attempts *attempts;
    _Atomic uint64_t used[DISK_SIZERS]; /* requests, items and bytes in the queue, with what is about to come in */
    _Atomic bool suspect_out;     /* a record that was being sent when the process died is being sent again */
    uint64_t found;               /* items that were there when it was opened, which nobody has reported yet */
    _Atomic int64_t orphaned;     /* items of an instance that has stopped, to be taken over */
    struct weir_logger *logger;
};

/* Opens the client's directory under the place, or joins who has it open. NULL with `error` set. Main thread. */
struct disk_store *disk_store_open(const struct weir_storage_place *place, struct weir_instance *client,
                                   const char *suffix, struct weir_error *error);
/* Leaves it, with nothing under way any more. Main thread. */
void disk_store_close(struct disk_store *store);

/* Requests that are on disk and go on from memory, without being read, count here, for all queues of the process; false:
 * there is no room for `bytes` more. Any thread. */
bool disk_store_keep(uint64_t bytes);
void disk_store_unkeep(uint64_t bytes);

static inline void disk_store_count(struct disk_store *store, uint64_t items, uint64_t bytes)
{
    atomic_fetch_add(&store->used[WEIR_SIZER_REQUESTS], 1);
    atomic_fetch_add(&store->used[WEIR_SIZER_ITEMS], items);
    atomic_fetch_add(&store->used[WEIR_SIZER_BYTES], bytes);
}

static inline void disk_store_uncount(struct disk_store *store, uint64_t items, uint64_t bytes)
{
    atomic_fetch_sub(&store->used[WEIR_SIZER_REQUESTS], 1);
    atomic_fetch_sub(&store->used[WEIR_SIZER_ITEMS], items);
    atomic_fetch_sub(&store->used[WEIR_SIZER_BYTES], bytes);
}

#endif
