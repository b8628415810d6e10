// SPDX-License-Identifier: Apache-2.0
/* Stores: opened once for each directory in a process. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/memory.h>
#include <weir/sys/host.h>

#include "sdk/src/sender/disk_store.h"

#define KEEP_MOST ((uint64_t)64 << 20) /* bytes... */
#define KEEP_PART 32                   /* ...or this part of the memory that the process may use, if that is less */

static struct disk_store *stores;
static _Atomic uint64_t keep_most;
static _Atomic uint64_t kept;

static struct disk_store *join(const char *directory)
{
    for (struct disk_store *store = stores; store; store = store->next)
        if (strcmp(store->directory, directory) == 0) {
            store->references++;
            return store;
        }
    return NULL;
}

static void log_found(struct disk_store *store, const struct weir_journal_counts *counts)
{
    if (counts->records > 0)
        weir_log(store->logger, WEIR_INFO, "Sending queue on disk: what was left there will be sent",
                 WEIR_F_TEXT("directory", store->directory), WEIR_F_UINT("requests", counts->records),
                 WEIR_F_UINT("items", counts->items), WEIR_F_UINT("bytes", counts->bytes));
    if (counts->damaged + counts->set_aside > 0)
        weir_log(store->logger, WEIR_ERROR, "Sending queue on disk: damaged parts are set aside",
                 WEIR_F_TEXT("directory", store->directory), WEIR_F_UINT("damaged", counts->damaged),
                 WEIR_F_UINT("files_set_aside", counts->set_aside));
}

static struct disk_store *open_directory(const struct weir_journal_options *options, struct weir_error *error)
{
    struct weir_journal_counts counts;
    struct weir_journal *journal;
    if (weir_journal_open(options, &journal, error) != 0)
        return NULL;
    struct disk_store *store = weir_xcalloc(1, sizeof *store);
    store->references = 1;
    store->directory = weir_xstrdup(options->directory);
    store->journal = journal;
    store->logger = weir_logger_ref(options->logger);
    store->attempts = disk_attempts_open(options->directory, options->logger);
    weir_journal_counts(journal, &counts);
    atomic_store(&store->used[WEIR_SIZER_REQUESTS], counts.records);
    atomic_store(&store->used[WEIR_SIZER_ITEMS], counts.items);
    atomic_store(&store->used[WEIR_SIZER_BYTES], counts.bytes);
    store->found = counts.items;
    log_found(store, &counts);
    store->next = stores;
    stores = store;
    return store;
}

bool disk_store_keep(uint64_t bytes)
{
    if (atomic_fetch_add(&kept, bytes) + bytes <= keep_most)
        return true;
    disk_store_unkeep(bytes);
    return false;
}

void disk_store_unkeep(uint64_t bytes)
{
    atomic_fetch_sub(&kept, bytes);
}

struct disk_store *disk_store_open(const struct weir_storage_place *place, struct weir_instance *client,
                                   const char *suffix, struct weir_error *error)
{
    char *directory = weir_storage_path(place, client, suffix, error);
    if (!directory)
        return NULL;
    const struct weir_journal_options options = {
        .directory = directory,
        .directory_mode = place->directory_mode,
        .create_parents = place->create,
        .sync = place->sync,
        .max_bytes = place->max_bytes,
        .lock_timeout = place->lock_timeout,
        .max_attempts = UINT32_MAX, /* counted by disk_attempts */
        .logger = weir_instance_logger(client),
    };
    const uint64_t part = weir_memory_total() / KEEP_PART;
    keep_most = part < KEEP_MOST ? part : KEEP_MOST;
    struct disk_store *store = join(directory);
    if (store)
        weir_journal_configure(store->journal, &options);
    else
        store = open_directory(&options, error);
    free(directory);
    return store;
}

void disk_store_close(struct disk_store *store)
{
    if (--store->references > 0)
        return;
    for (struct disk_store **link = &stores; *link; link = &(*link)->next)
        if (*link == store) {
            *link = store->next;
            break;
        }
    disk_attempts_close(store->attempts);
    weir_journal_unref(store->journal);
    weir_logger_free(store->logger);
    free(store->directory);
    free(store);
}
