// SPDX-License-Identifier: Apache-2.0
/* A host for one component, between a feeder and a capture. */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <weir/otlp_json.h>
#include <weir/sys/worker.h>

#include "sdk/harness/harness.h"

_Noreturn void harness_fail(const char *what, const char *why)
{
    harness_log_show();
    fprintf(stderr, "harness: %s: %s\n", what, why);
    abort();
}

static void shard_drained(struct weir_shard *shard)
{
    struct weir_harness *harness = weir_instance_host_context(weir_shard_instance(shard));
    harness->drained = true;
}

static void tell_state(struct weir_instance *instance, struct weir_host_state *out)
{
    (void)instance;
    *out = (struct weir_host_state){ .ready = true, .ready_since = weir_wall_clock() };
}

static const struct weir_host host = { .drained = shard_drained, .state = tell_state };

static void capture_consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct weir_harness *harness = weir_instance_host_context(weir_shard_instance(shard));
    size_t count = harness->sent_count;
    if ((count & (count - 1)) == 0) // full: 0, or a power of two
        harness->sent = weir_xrealloc(harness->sent, (count ? 2 * count : 1) * sizeof *harness->sent);
    harness->sent[harness->sent_count++] = (struct captured){ batch, ack };
    if (harness->answers)
        weir_harness_complete(harness, harness->sent_count - 1, &harness->answer);
}

static const struct weir_component feeder_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_RECEIVER,
    .type = "feeder",
};

static const struct weir_component capture_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "capture",
    .consume = capture_consume,
};

struct weir_instance *harness_make(struct weir_harness *harness, const struct weir_component *component,
                                   const void *options)
{
    struct weir_instance *instance =
        weir_instance_new(component, component->type, options, harness->logger, &host, harness);
    weir_instance_set_uses(instance, harness->signal);
    return instance;
}

void harness_feed(struct weir_harness *harness, struct weir_instance *instance)
{
    enum weir_kind kind = weir_instance_component(instance)->kind;
    /* A pipeline for each promise, so that a request can choose; in their order. */
    static const char *const names[] = { "test", "test/disk", "test/sink" };
    for (int promise = WEIR_PROMISE_MEMORY; promise <= WEIR_PROMISE_SINK; promise++)
        if (kind != WEIR_RECEIVER && kind != WEIR_EXTENSION)
            weir_instance_connect(harness->feeder, harness->signal, names[promise], (enum weir_promise)promise, instance);
}

void harness_capture(struct weir_harness *harness, struct weir_instance *instance)
{
    enum weir_kind kind = weir_instance_component(instance)->kind;
    if (kind == WEIR_EXPORTER || kind == WEIR_EXTENSION)
        return;
    for (int signal = 0; signal < WEIR_SIGNALS; signal++)
        weir_instance_connect(instance, (enum weir_signal)signal, "test", WEIR_PROMISE_MEMORY, harness->capture);
}

static int start(struct weir_harness *harness, struct weir_error *error)
{
    const struct weir_component *component = weir_instance_component(harness->subject);
    if (component->create(harness->subject, error) != 0)
        return -1;
    harness->created = true;
    harness->started = true;
    if (weir_instance_start(harness->subject, error) != 0)
        return -1;
    harness->opened = true;
    weir_shard_open(weir_instance_shard(harness->feeder, 0), NULL);
    weir_shard_open(weir_instance_shard(harness->capture, 0), NULL);
    return weir_shard_open(weir_harness_shard(harness), error);
}

#define REST_TURNS 1000 /* of 10 ms */

void harness_await_rest(const struct weir_instance *instance)
{
    for (int turns = 0; weir_instance_is_busy(instance); turns++) {
        if (turns == REST_TURNS)
            harness_fail("busy", "what the component said to be under way has not come back");
        weir_worker_turn(weir_worker_at(0), 10);
    }
}

void harness_answer_rest(struct weir_harness *harness)
{
    for (size_t i = 0; i < harness->sent_count; i++)
        if (harness->sent[i].ack)
            weir_harness_complete(harness, i, &WEIR_RESULT_RETRYABLE("shutting down"));
}

/* Frees whatever start has got to. */
static void stop(struct weir_harness *harness)
{
    const struct weir_component *component = weir_instance_component(harness->subject);
    harness_answer_rest(harness);
    if (harness->opened)
        weir_shard_close(weir_harness_shard(harness));
    harness_await_rest(harness->subject);
    if (harness->started && component->stop)
        component->stop(harness->subject);
    if (component->destroy)
        component->destroy(harness->subject);
    weir_worker_turn(weir_worker_at(0), 0);
}

static void release(struct weir_harness *harness)
{
    for (size_t i = 0; i < harness->sent_count; i++)
        weir_batch_unref(harness->sent[i].batch);
    for (size_t i = 0; i < harness->request_count; i++) {
        free(harness->requests[i]->reason);
        free(harness->requests[i]);
    }
    for (size_t i = 0; i < harness->text_count; i++)
        free(harness->texts[i]);
    free(harness->texts);
    free(harness->before);
    free(harness->sent);
    free(harness->requests);
    weir_instance_free(harness->feeder);
    weir_instance_free(harness->subject);
    weir_instance_free(harness->capture);
    weir_logger_free(harness->logger);
    weir_arena_free(&harness->arena);
    free(harness);
    weir_workers_destroy();
}

struct weir_harness *weir_harness_new(const struct weir_component *component, const char *options,
                                      enum weir_signal signal, struct weir_error *error)
{
    struct weir_harness *harness = weir_xcalloc(1, sizeof *harness);
    harness->signal = signal;
    harness->answers = true;
    harness->answer = WEIR_RESULT_OK;
    harness_log_start();
    if (weir_workers_create(1, WEIR_CLOCK_MANUAL, error) != 0)
        harness_fail("workers", weir_error_text(error));
    harness->logger = weir_logger_new(NULL);
    harness_read_series(harness);
    void *decoded = NULL;
    int result = harness_decode(component, options, &harness->arena, &decoded, error);
    harness->feeder = harness_make(harness, &feeder_component, NULL);
    harness->subject = harness_make(harness, component, decoded);
    harness->capture = harness_make(harness, &capture_component, NULL);
    harness_feed(harness, harness->subject);
    harness_capture(harness, harness->subject);
    if (result == 0) {
        result = start(harness, error);
        if (result == 0)
            return harness;
        stop(harness);
    }
    release(harness);
    return NULL;
}

static void check_ledger(struct weir_harness *harness)
{
    struct weir_ledger ledger;
    weir_harness_ledger(harness, &ledger);
    if (weir_ledger_remainder(&ledger) == (int64_t)ledger.held)
        return;
    harness_log_show();
    fprintf(stderr,
            "harness: the ledger does not close: accepted %" PRIu64 " made %" PRIu64 " sent %" PRIu64
            " delivered %" PRIu64 " dropped %" PRIu64 " held %" PRIu64 "\n",
            ledger.accepted, ledger.made, ledger.sent, ledger.delivered, ledger.dropped, ledger.held);
    abort();
}

static bool all_answered(const struct weir_harness *harness)
{
    for (size_t i = 0; i < harness->request_count; i++)
        if (!harness->requests[i]->answered)
            return false;
    return true;
}

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* While a request waits, a part of it may have been sent on before it is accepted. */
void weir_harness_free(struct weir_harness *harness)
{
    if (all_answered(harness))
        check_ledger(harness);
    stop(harness);
    check_ledger(harness);
    if (!all_answered(harness))
        harness_fail("ack", "a request was never answered");
    release(harness);
}

struct weir_shard *weir_harness_shard(struct weir_harness *harness)
{
    return weir_instance_shard(harness->subject, 0);
}

struct weir_instance *weir_harness_instance(struct weir_harness *harness)
{
    return harness->subject;
}

static void note_answer(struct weir_ack *ack, const struct weir_result *result)
{
    struct request *request = WEIR_CONTAINER_OF(ack, struct request, ack);
    if (request->answered)
        harness_fail("ack", "a request was answered twice");
    request->answered = true;
    request->result = *result;
    request->reason = result->reason ? weir_xstrdup(result->reason) : NULL;
    request->result.reason = request->reason;
}

size_t weir_harness_consume(struct weir_harness *harness, struct weir_batch *batch)
{
    struct request *request = weir_xcalloc(1, sizeof *request);
    request->ack.done = note_answer;
    harness->requests =
        weir_xrealloc(harness->requests, (harness->request_count + 1) * sizeof *harness->requests);
    harness->requests[harness->request_count] = request;
    if (harness->patience > 0)
        request->ack.deadline = weir_worker_now(weir_worker_at(0)) + harness->patience;
    weir_shard_send_to(weir_instance_shard(harness->feeder, 0), harness->promise, batch, &request->ack);
    return harness->request_count++;
}

size_t weir_harness_consume_json(struct weir_harness *harness, const char *json)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_batch *batch = weir_batch_from_json(harness->signal, json, strlen(json), &error);
    if (!batch)
        harness_fail("the request's JSON", weir_error_text(&error));
    return weir_harness_consume(harness, batch);
}

void weir_harness_set_promise(struct weir_harness *harness, enum weir_promise promise, int64_t patience)
{
    harness->promise = promise;
    harness->patience = patience;
}

bool weir_harness_answered(const struct weir_harness *harness, size_t request)
{
    return harness->requests[request]->answered;
}

const struct weir_result *weir_harness_answer(const struct weir_harness *harness, size_t request)
{
    return &harness->requests[request]->result;
}

void weir_harness_turn(struct weir_harness *harness, int timeout_ms)
{
    (void)harness;
    weir_worker_turn(weir_worker_at(0), timeout_ms);
}

bool weir_harness_wait(struct weir_harness *harness, size_t request, int timeout_ms)
{
    int64_t end = milliseconds() + timeout_ms;
    for (int64_t left = timeout_ms; !harness->requests[request]->answered && left >= 0; left = end - milliseconds())
        weir_worker_turn(weir_worker_at(0), (int)left);
    return harness->requests[request]->answered;
}

size_t weir_harness_sent_count(const struct weir_harness *harness)
{
    return harness->sent_count;
}

struct weir_batch *weir_harness_sent(const struct weir_harness *harness, size_t index)
{
    if (index >= harness->sent_count)
        harness_fail("weir_harness_sent", "the component has not sent so much");
    return harness->sent[index].batch;
}

const char *weir_harness_sent_json(struct weir_harness *harness, size_t index)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_buffer *json = weir_buffer_new(0);
    if (!json || !weir_batch_to_json(weir_harness_sent(harness, index), json, &error))
        harness_fail("a batch's JSON", weir_error_text(&error));
    char *text = weir_xstrndup((const char *)json->data, json->length);
    weir_buffer_unref(json);
    harness->texts = weir_xrealloc(harness->texts, (harness->text_count + 1) * sizeof *harness->texts);
    harness->texts[harness->text_count++] = text;
    return text;
}

void weir_harness_set_result(struct weir_harness *harness, const struct weir_result *result)
{
    harness->answers = result != NULL;
    if (result)
        harness->answer = *result;
}

void weir_harness_complete(struct weir_harness *harness, size_t index, const struct weir_result *result)
{
    struct weir_ack *ack = harness->sent[index].ack;
    harness->sent[index].ack = NULL;
    weir_ack_complete(ack, result);
}

void weir_harness_advance(struct weir_harness *harness, int64_t ns)
{
    (void)harness;
    weir_worker_advance(weir_worker_at(0), ns);
}

void weir_harness_drain(struct weir_harness *harness)
{
    const struct weir_component *component = weir_instance_component(harness->subject);
    if (component->drain)
        component->drain(weir_harness_shard(harness));
    else
        harness->drained = true;
}

bool weir_harness_drained(const struct weir_harness *harness)
{
    return harness->drained;
}

void weir_harness_ledger(struct weir_harness *harness, struct weir_ledger *out)
{
    weir_instance_ledger(harness->subject, harness->signal, true, out);
    weir_ledger_add(out, &harness->past);
}
