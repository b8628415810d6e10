// SPDX-License-Identifier: Apache-2.0
/*
 * weir's journal under bench/micro/journal.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/journal.h>
#include <weir/sys/worker.h>

#include "bench/micro/journal.h"

struct client {
    struct weir_journal_append append;
    struct weir_buffer *number;
    struct segments *segments;
    struct appending *appending;
    int64_t start;
};

struct segments {
    struct weir_journal *journal;
    struct weir_buffer *tail;
    unsigned busy;
    uint64_t issued;
};

static void *open_segments(const char *directory, uint64_t most)
{
    (void)most;
    static bool ready;
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_journal_options options = { .directory = directory, .create_parents = true };
    struct segments *segments = weir_xcalloc(1, sizeof(*segments));
    if (!ready && weir_workers_create(1, WEIR_CLOCK_SYSTEM, &error) != 0)
        return NULL;
    ready = true;
    if (weir_journal_open(&options, &segments->journal, &error) != 0) {
        fprintf(stderr, "%s\n", weir_error_text(&error));
        free(segments);
        return NULL;
    }
    segments->tail = weir_buffer_copy(record_tail, record_tail_length);
    return segments;
}

static void close_segments(void *handle)
{
    struct segments *segments = handle;
    weir_journal_unref(segments->journal);
    weir_buffer_unref(segments->tail);
    free(segments);
}

static void issue(struct client *client)
{
    struct segments *segments = client->segments;
    struct appending *appending = client->appending;
    client->start = now();
    if (client->start >= appending->until || segments->issued >= appending->most)
        return;
    uint64_t number = appending->first + segments->issued++;
    memcpy(client->number->data, &number, 8);
    if (!weir_slices_add(&client->append.payload, client->number, client->number->data, 8) ||
        !weir_slices_add(&client->append.payload, segments->tail, segments->tail->data, segments->tail->length))
        abort();
    client->append.items = 1;
    client->append.sync = true;
    segments->busy++;
    weir_journal_append(segments->journal, weir_worker_current(), &client->append);
}

static void appended(struct weir_journal_append *append, int status)
{
    struct client *client = WEIR_CONTAINER_OF(append, struct client, append);
    client->segments->busy--;
    if (status) {
        fprintf(stderr, "append: %s\n", strerror(status));
        exit(1);
    }
    client->appending->done++;
    histogram_add(&client->appending->latency, now() - client->start);
    issue(client);
}

static void append_segments(void *handle, struct appending *appending)
{
    struct segments *segments = handle;
    struct client *clients = weir_xcalloc(appending->clients, sizeof(*clients));
    segments->issued = 0;
    for (unsigned i = 0; i < appending->clients; i++) {
        clients[i].append.done = appended;
        clients[i].number = weir_buffer_new(8);
        clients[i].segments = segments;
        clients[i].appending = appending;
        issue(&clients[i]);
    }
    while (segments->busy > 0)
        weir_worker_turn(weir_worker_current(), -1);
    for (unsigned i = 0; i < appending->clients; i++)
        weir_buffer_unref(clients[i].number);
    free(clients);
}

struct taker {
    struct weir_journal_take take;
    struct weir_journal *journal;
    uint64_t count;
    bool ended;
};

static void took(struct weir_journal_take *take, const struct weir_journal_record *record)
{
    struct taker *taker = WEIR_CONTAINER_OF(take, struct taker, take);
    taker->ended = !record;
    if (!record)
        return;
    taker->count++;
    weir_journal_settle(taker->journal, record->sequence, WEIR_JOURNAL_SETTLED);
    weir_journal_take(taker->journal, weir_worker_current(), take);
}

#define TAKERS 10 /* as an exporter's consumers */

static uint64_t drain_segments(void *handle)
{
    struct segments *segments = handle;
    struct taker takers[TAKERS] = { { .ended = false } };
    struct weir_journal_counts counts;
    uint64_t count = 0;
    for (int i = 0; i < TAKERS; i++) {
        takers[i].take.done = took;
        takers[i].journal = segments->journal;
        weir_journal_take(segments->journal, weir_worker_current(), &takers[i].take);
    }
    do {
        weir_worker_turn(weir_worker_current(), 1);
        weir_journal_counts(segments->journal, &counts);
    } while (counts.records > 0);
    for (int i = 0; i < TAKERS; i++) {
        weir_journal_take_cancel(segments->journal, &takers[i].take);
        while (!takers[i].ended)
            weir_worker_turn(weir_worker_current(), -1);
        count += takers[i].count;
    }
    return count;
}

static bool look(const struct weir_journal_found *found, void *user)
{
    void (*const *see)(uint64_t, int) = user;
    uint64_t number;
    if (found->state == WEIR_JOURNAL_IS_WAITING && found->record.data)
        (*see)(found->record.sequence - 1,
               record_is_good(found->record.data, found->record.length, &number) &&
                   number == found->record.sequence - 1);
    return true;
}

static int read_segments(const char *directory, void (*see)(uint64_t number, int good))
{
    return weir_journal_walk(directory, NULL, look, &see, NULL) == 0;
}

const struct store segments_store = {
    .name = "segments",
    .open = open_segments,
    .close = close_segments,
    .append = append_segments,
    .drain = drain_segments,
    .read = read_segments,
    .file = "*.seg",
};
