// SPDX-License-Identifier: Apache-2.0
/* Writing pending traces and reading them. */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <weir/storage.h>
#include <weir/journal.h>

#include "plugins/processors/tail_sampling/disk.h"
#include "plugins/processors/tail_sampling/tail.h"

#define RECORD_FULL (512u * 1024u)

struct disk {
    struct tail *tail;
    struct weir_journal *journal;
    struct weir_journal_take take;
    bool taking;
    uint64_t left; /* records to be taken in */
};

/* Some traces of one shard on their way to the disk. */
struct saving {
    struct weir_journal_append append;
    struct tail_shard *own;
};

/* A record on its way into the tables, as a request of nobody. */
struct loading {
    struct weir_ack ack;
    struct disk *disk;
    uint64_t sequence;
    uint64_t items;
};

static struct weir_logger *logger_of(const struct tail *tail)
{
    return weir_instance_logger(tail->instance);
}

/* What does not find its place stays on disk. */
static void loaded(struct weir_ack *ack, const struct weir_result *result)
{
    struct loading *loading = WEIR_CONTAINER_OF(ack, struct loading, ack);
    struct disk *disk = loading->disk;
    bool ok = result->outcome == WEIR_OK;
    if (ok)
        weir_shard_make(disk->tail->shards[0].shard, WEIR_TRACES, loading->items);
    weir_journal_settle(disk->journal, loading->sequence, ok ? WEIR_JOURNAL_SETTLED : WEIR_JOURNAL_RETURNED);
    free(loading);
    weir_instance_busy(disk->tail->instance, false);
}

static void take_in(struct disk *disk, const struct weir_journal_record *record)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct tail_shard *own = &disk->tail->shards[0];
    struct weir_batch *batch =
        weir_batch_from_bytes(WEIR_TRACES, record->buffer, record->data, record->length, &error);
    if (!batch) {
        weir_log(logger_of(disk->tail), WEIR_ERROR, "Traces on disk cannot be read",
                 WEIR_F_TEXT("error", weir_error_text(&error)), WEIR_F_UINT("spans", record->items));
        weir_journal_settle(disk->journal, record->sequence, WEIR_JOURNAL_DEAD);
    } else {
        struct loading *loading = weir_xcalloc(1, sizeof *loading);
        *loading = (struct loading){ { .done = loaded }, disk, record->sequence, weir_batch_items(batch) };
        weir_instance_busy(disk->tail->instance, true);
        tail_consume(own->shard, batch, &loading->ack);
    }
    weir_error_free(&error);
}

static void take_next(struct disk *disk);

static void taken(struct weir_journal_take *take, const struct weir_journal_record *record)
{
    struct disk *disk = WEIR_CONTAINER_OF(take, struct disk, take);
    bool open = disk->tail->shards[0].open;
    disk->taking = false;
    if (record && open)
        take_in(disk, record);
    else if (record)
        weir_journal_settle(disk->journal, record->sequence, WEIR_JOURNAL_RETURNED);
    if (record && open && --disk->left > 0)
        take_next(disk);
    weir_instance_busy(disk->tail->instance, false);
}

static void take_next(struct disk *disk)
{
    disk->take = (struct weir_journal_take){ .done = taken };
    disk->taking = true;
    weir_instance_busy(disk->tail->instance, true);
    weir_journal_take(disk->journal, disk->tail->shards[0].worker, &disk->take);
}

/* The pipeline is part of the name: its instance of the processor has traces of its own. */
static struct weir_journal *open_journal(struct tail *tail, struct weir_error *error)
{
    struct weir_instance *extension = NULL;
    const void *functions = NULL;
    struct weir_journal *journal = NULL;
    struct weir_shard *shard = weir_instance_shard(tail->instance, 0);
    const char *pipeline = weir_shard_pipelines(shard, WEIR_TRACES) > 0 ? weir_shard_pipeline(shard, WEIR_TRACES, 0) : "";
    if (weir_instance_extension(tail->instance, tail->config->storage.id, WEIR_STORAGE, "storage extension", &extension,
                                &functions, error) != 0)
        return NULL;
    const struct weir_storage_place *place = ((const struct weir_storage *)functions)->place(extension);
    char *suffix = weir_xasprintf("pending_%s", pipeline);
    char *directory = weir_storage_path(place, tail->instance, suffix, error);
    const struct weir_journal_options options = {
        .directory = directory,
        .directory_mode = place->directory_mode,
        .create_parents = place->create,
        .sync = place->sync,
        .max_bytes = place->max_bytes,
        .lock_timeout = place->lock_timeout,
        .logger = logger_of(tail),
    };
    if (directory && weir_journal_open(&options, &journal, error) != 0)
        journal = NULL;
    free(directory);
    free(suffix);
    return journal;
}

struct disk *disk_open(struct tail *tail)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_journal_counts counts;
    struct weir_journal *journal = open_journal(tail, &error);
    if (!journal) {
        weir_log(logger_of(tail), WEIR_ERROR, "Pending traces will not be kept over a restart",
                 WEIR_F_TEXT("error", weir_error_text(&error)));
        weir_instance_fault(tail->instance, &tail->disk, weir_error_text(&error));
        weir_error_free(&error);
        return NULL;
    }
    struct disk *disk = weir_xcalloc(1, sizeof *disk);
    disk->tail = tail;
    disk->journal = journal;
    weir_journal_counts(journal, &counts);
    disk->left = counts.records - counts.taken;
    if (disk->left == 0)
        return disk;
    weir_log(logger_of(tail), WEIR_INFO, "Taking in the traces that were pending", WEIR_F_UINT("spans", counts.items));
    take_next(disk);
    return disk;
}

void disk_close(struct disk *disk)
{
    if (!disk)
        return;
    if (weir_instance_is_busy(disk->tail->instance)) {
        weir_log(logger_of(disk->tail), WEIR_ERROR, "The disk does not answer; pending traces may be lost");
        return;
    }
    weir_journal_unref(disk->journal);
    free(disk);
}

void disk_interrupt(struct disk *disk)
{
    if (disk && disk->taking)
        weir_journal_take_cancel(disk->journal, &disk->take);
}

static void saved(struct weir_journal_append *append, int status)
{
    struct saving *saving = WEIR_CONTAINER_OF(append, struct saving, append);
    struct tail_shard *own = saving->own;
    own->saving--;
    own->kept -= append->items;
    if (status == 0) {
        own->saved += append->items;
    } else {
        weir_shard_drop(own->shard, WEIR_TRACES, append->items, "storage_failed");
        weir_log(logger_of(own->tail), WEIR_ERROR, "Pending traces could not be written",
                 WEIR_F_TEXT("error", strerror(status)), WEIR_F_UINT("dropped_spans", append->items));
    }
    weir_slices_free(&append->payload);
    tail_drained_if_empty(own);
    free(saving);
    weir_instance_busy(own->tail->instance, false);
}

static void write_out(struct tail_shard *own, struct weir_buffer *buffer, uint64_t items)
{
    struct disk *disk = own->tail->disk;
    struct saving *saving = weir_xcalloc(1, sizeof *saving);
    saving->own = own;
    saving->append.items = items;
    saving->append.sync = true;
    saving->append.done = saved;
    own->saving++;
    weir_instance_busy(own->tail->instance, true);
    bool added = weir_slices_add(&saving->append.payload, buffer, buffer->data, buffer->length);
    weir_buffer_unref(buffer);
    if (added)
        weir_journal_append(disk->journal, own->worker, &saving->append);
    else
        saved(&saving->append, ENOMEM);
}

/* Adds the trace's spans to the record; false when memory is out. */
static bool add(struct weir_buffer **record, const struct trace *trace)
{
    size_t size = chunks_size(trace->first);
    if (!*record)
        *record = weir_buffer_new(size);
    if (!*record || !weir_buffer_reserve(*record, size))
        return false;
    (*record)->length = (size_t)(chunks_write(trace->first, (*record)->data + (*record)->length) - (*record)->data);
    return true;
}

void disk_save(struct tail_shard *own)
{
    struct table *table = &own->table;
    struct weir_buffer *record = NULL;
    uint64_t items = 0;
    for (uint32_t at = table->oldest, next; at != NO_TRACE; at = next) {
        struct trace *trace = table_at(table, at);
        next = trace->newer;
        if (trace->state != TRACE_PENDING || !tail_unclaim(own, at))
            continue;
        if (!add(&record, trace)) {
            tail_lose(own, at, "out_of_memory");
            continue;
        }
        items += trace->spans;
        table_remove(table, at);
        if (record->length < RECORD_FULL)
            continue;
        write_out(own, record, items);
        record = NULL;
        items = 0;
    }
    if (record && items > 0)
        write_out(own, record, items);
    else
        weir_buffer_unref(record);
}
