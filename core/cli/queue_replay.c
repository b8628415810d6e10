// SPDX-License-Identifier: Apache-2.0
/*
 * weir queue replay DIR: sends what is in the queues, or their dead letters, one request after the other over OTLP/HTTP. A
 * request leaves the disk when the endpoint has accepted it.
 */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include <weir/http_client.h>
#include <weir/otlp_response.h>
#include <weir/sys/worker.h>

#include "core/cli/queue.h"

#define TIMEOUT (INT64_C(30) * 1000000000)
#define TURN_MS 50

struct replay {
    struct weir_http_client *client;
    struct weir_url urls[WEIR_SIGNALS];
    const struct queue *queue;
    uint64_t found, sent, sent_items;
    bool unreachable; /* the endpoint wants no more now */
};

/* --- one request --- */

struct post {
    struct weir_http_request request;
    const struct queued_request *queued;
    bool done, accepted, unreachable;
};

static void print_partial(const struct queued_request *queued, const struct weir_http_response *response)
{
    struct weir_arena arena = { 0 };
    struct weir_partial_success partial = { 0 };
    if (weir_response_decode(WEIR_OTLP_PROTOBUF, (enum weir_signal)queued->queue->signal, response->body.data,
                             response->body.length, &arena, &partial, NULL) == 0 &&
        partial.rejected > 0)
        fprintf(stderr, "%s, record %" PRIu64 ": %" PRId64 " items rejected: %.*s\n", queued->queue->name,
                queued->record->sequence, partial.rejected, WEIR_STR_ARG(partial.message));
    weir_arena_free(&arena);
}

/* OTLP: what may be tried again later. */
static bool is_for_now(int status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

static void answered(struct weir_http_request *request, const struct weir_http_response *response)
{
    struct post *post = WEIR_CONTAINER_OF(request, struct post, request);
    const struct queued_request *queued = post->queued;
    post->done = true;
    post->accepted = response->status >= 200 && response->status < 300;
    post->unreachable = response->status == 0 || is_for_now(response->status);
    if (post->accepted)
        print_partial(queued, response);
    else if (response->status == 0)
        fprintf(stderr, "%s, record %" PRIu64 ": %s\n", queued->queue->name, queued->record->sequence,
                response->error);
    else
        fprintf(stderr, "%s, record %" PRIu64 ": refused with status %d\n", queued->queue->name,
                queued->record->sequence, response->status);
}

/* True once the endpoint has accepted the record's request. */
static bool send_record(struct replay *replay, const struct weir_journal_record *record)
{
    static const struct weir_http_header type = { { "content-type", 12 }, { "application/x-protobuf", 22 } };
    struct weir_error error = WEIR_ERROR_INIT;
    struct queued_request queued;
    struct weir_worker *worker = weir_worker_at(0);
    if (!queue_request(replay->queue, record, &queued, &error)) {
        fprintf(stderr, "%s\n", weir_error_text(&error));
        weir_error_free(&error);
        return false;
    }
    struct post post = { .request = { .method = "POST",
                                      .url = &replay->urls[replay->queue->signal],
                                      .headers = &type,
                                      .header_count = 1,
                                      .timeout = TIMEOUT,
                                      .done = answered },
                         .queued = &queued };
    if (!weir_slices_add(&post.request.body, record->buffer, queued.bytes.data, queued.bytes.length))
        return false;
    weir_http_client_send(replay->client, &post.request);
    while (!post.done)
        weir_worker_turn(worker, TURN_MS);
    weir_slices_free(&post.request.body);
    replay->unreachable = post.unreachable;
    if (post.accepted) {
        replay->sent++;
        replay->sent_items += record->items;
    }
    return post.accepted;
}

/* --- the queue --- */

struct take {
    struct weir_journal_take take;
    struct weir_journal_record record; /* buffer: a reference of its own, NULL at the end */
    bool done;
};

static void taken(struct weir_journal_take *base, const struct weir_journal_record *record)
{
    struct take *take = WEIR_CONTAINER_OF(base, struct take, take);
    take->done = true;
    if (!record)
        return;
    take->record = *record;
    weir_buffer_ref(record->buffer);
}

/* The next record that has not been taken yet; false: there is none. */
static bool take_next(struct weir_journal *journal, struct weir_journal_record *out)
{
    struct take take = { .take = { .done = taken } };
    struct weir_worker *worker = weir_worker_at(0);
    struct weir_journal_counts counts;
    weir_journal_take(journal, worker, &take.take);
    while (!take.done) {
        weir_worker_turn(worker, TURN_MS);
        weir_journal_counts(journal, &counts);
        if (!take.done && counts.records == counts.taken)
            weir_journal_take_cancel(journal, &take.take);
    }
    *out = take.record;
    return take.record.buffer;
}

/* What is not accepted is given back at the end only, or it would come again at once. */
static void replay_journal(struct replay *replay, struct weir_journal *journal)
{
    struct weir_journal_record record;
    uint64_t *kept = NULL;
    size_t kept_count = 0;
    while (!replay->unreachable && take_next(journal, &record)) {
        if (send_record(replay, &record)) {
            weir_journal_settle(journal, record.sequence, WEIR_JOURNAL_SETTLED);
        } else {
            kept = weir_xrealloc(kept, (kept_count + 1) * sizeof *kept);
            kept[kept_count++] = record.sequence;
        }
        weir_buffer_unref(record.buffer);
    }
    struct weir_journal_counts counts;
    weir_journal_counts(journal, &counts);
    replay->found += counts.found_records;
    for (size_t i = 0; i < kept_count; i++)
        weir_journal_settle(journal, kept[i], WEIR_JOURNAL_RETURNED);
    free(kept);
}

static int replay_waiting(struct replay *replay, struct queue *queue, struct weir_error *error)
{
    const struct weir_journal_options options = { .directory = queue->path, .max_attempts = UINT32_MAX };
    struct weir_journal *journal;
    close(queue->lock); /* the journal has a lock of its own */
    queue->lock = -1;
    if (weir_journal_open(&options, &journal, error) != 0)
        return -1;
    replay_journal(replay, journal);
    weir_journal_unref(journal);
    return 0;
}

/* --- dead letters --- */

struct letters {
    struct replay *replay;
    uint64_t *offsets;
    size_t count;
};

static bool send_letter(const struct weir_journal_found *found, void *user)
{
    struct letters *letters = user;
    if (found->state != WEIR_JOURNAL_IS_WAITING)
        return true;
    letters->replay->found++;
    if (letters->replay->unreachable || !send_record(letters->replay, &found->record))
        return true;
    letters->offsets = weir_xrealloc(letters->offsets, (letters->count + 1) * sizeof *letters->offsets);
    letters->offsets[letters->count++] = found->offset;
    return true;
}

static int replay_dead(struct replay *replay, const struct queue *queue, struct weir_error *error)
{
    struct letters letters = { .replay = replay };
    int result = weir_journal_walk(queue->path, WEIR_JOURNAL_DEAD_LETTER, send_letter, &letters, error);
    if (weir_journal_dead_letter_remove(queue->path, letters.offsets, letters.count, error) != 0)
        result = -1;
    free(letters.offsets);
    return result;
}

/* --- the command --- */

static int parse_urls(const char *endpoint, struct replay *replay, struct weir_error *error)
{
    static const char *const paths[WEIR_SIGNALS] = { "v1/traces", "v1/metrics", "v1/logs",
                                                     "v1development/profiles" };
    size_t length = weir_str_of(endpoint).length;
    for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
        char *url = weir_xasprintf("%s%s%s", endpoint, length > 0 && endpoint[length - 1] == '/' ? "" : "/",
                                   paths[signal]);
        int result = weir_url_parse(url, &replay->urls[signal], error);
        free(url);
        if (result != 0)
            return -1;
    }
    return 0;
}

static int run_all(const struct cli *cli, struct replay *replay, struct queues *queues, struct weir_error *error)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < queues->count; i++) {
        replay->queue = &queues->items[i];
        result = cli->dead ? replay_dead(replay, &queues->items[i], error)
                           : replay_waiting(replay, &queues->items[i], error);
    }
    return result;
}

static int with_client(const struct cli *cli, struct replay *replay, struct queues *queues, struct weir_error *error)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    struct weir_http_client_options options;
    weir_options_decode(&weir_http_client_table, NULL, "", &options, &arena, &problems);
    struct weir_http_transport *transport =
        weir_http_transport_new(&options, replay->urls[WEIR_TRACES].https, NULL, error);
    int result = -1;
    if (transport) {
        replay->client = weir_http_client_new(weir_worker_at(0), transport);
        result = run_all(cli, replay, queues, error);
        weir_http_client_free(replay->client);
        weir_worker_turn(weir_worker_at(0), 0); /* lets what was closed go */
    }
    weir_http_transport_free(transport);
    weir_problems_free(&problems);
    weir_arena_free(&arena);
    return result;
}

int queue_replay(const struct cli *cli, struct queues *queues)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct replay replay = { 0 };
    if (!cli->endpoint)
        return cli_usage("queue replay takes where to send to: --endpoint http://HOST:PORT");
    int result = parse_urls(cli->endpoint, &replay, &error);
    if (result == 0)
        result = weir_workers_create(1, WEIR_CLOCK_SYSTEM, &error);
    if (result == 0) {
        result = with_client(cli, &replay, queues, &error);
        weir_workers_destroy();
        printf("replayed %" PRIu64 " requests with %" PRIu64 " items, %" PRIu64 " left\n", replay.sent,
               replay.sent_items, replay.found - replay.sent);
    }
    for (int signal = 0; signal < WEIR_SIGNALS; signal++)
        weir_url_free(&replay.urls[signal]);
    result = result != 0 ? cli_fail("%s", weir_error_text(&error)) : replay.found > replay.sent ? EXIT_FAILED : EXIT_STOPPED;
    weir_error_free(&error);
    return result;
}
