// SPDX-License-Identifier: Apache-2.0
/* An exporter on the sender whose destination is the test. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "sdk/src/sender/tests/fake.h"

struct weir_harness *fake;
struct weir_attempt *attempts[ATTEMPTS];
uint64_t attempt_items[ATTEMPTS];
struct weir_context *attempt_contexts[ATTEMPTS];
size_t attempt_count;

struct fake_config {
    struct weir_sender_options sender;
};

static const struct weir_option rows[] = {
    WEIR_OPTION_INLINE(struct fake_config, sender, &weir_sender_table),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { rows, sizeof(struct fake_config), NULL };

static void fake_send(struct weir_shard *shard, struct weir_attempt *attempt)
{
    (void)shard;
    ck_assert_uint_lt(attempt_count, ATTEMPTS);
    attempt_items[attempt_count] = weir_batch_items(attempt->batch);
    attempt_contexts[attempt_count] = weir_batch_context(attempt->batch);
    attempts[attempt_count++] = attempt;
}

static int create(struct weir_instance *instance, struct weir_error *error)
{
    const struct fake_config *config = weir_instance_config(instance);
    (void)error;
    weir_sender_create(instance, &config->sender, fake_send);
    return 0;
}

/* As an exporter whose client ends every request under way. */
static void worker_stop(struct weir_shard *shard)
{
    weir_sender_worker_stop(shard);
    for (size_t i = 0; i < attempt_count; i++)
        if (attempts[i])
            fail_with(i, WEIR_RETRYABLE, "the client is closed");
}

const struct weir_component fake_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "fake",
    .summary = "Sends to the test.",
    .stability = { WEIR_STABLE, WEIR_STABLE, WEIR_STABLE, WEIR_STABLE },
    .traits = WEIR_HOLDS,
    .options = &table,
    .metrics = weir_sender_metrics,
    .create = create,
    .start = weir_sender_open,
    .worker_start = weir_sender_worker_start,
    .consume = weir_sender_consume,
    .promise = weir_sender_promise,
    .held = weir_sender_held,
    .drain = weir_sender_drain,
    .worker_stop = worker_stop,
    .stop = weir_sender_close,
    .destroy = weir_sender_free,
    .export_state = weir_sender_export,
    .import_state = weir_sender_import,
    .retire = weir_sender_retire,
};

void fake_start(const char *options)
{
    char *json = weir_xstrdup(options);
    for (char *c = json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    attempt_count = 0;
    fake = make_harness(&fake_component, json, WEIR_TRACES);
    free(json);
}

void fake_stop(void)
{
    weir_harness_free(fake);
    fake = NULL;
}

size_t offer_batch(struct weir_batch *batch)
{
    size_t request = weir_harness_consume(fake, batch);
    weir_harness_turn(fake, 0);
    return request;
}

size_t offer(size_t items)
{
    static uint64_t next;
    next += items;
    return offer_batch(weir_harness_batch(WEIR_TRACES, next, items));
}

void fail_with(size_t attempt, enum weir_outcome outcome, const char *reason)
{
    struct weir_attempt *one = attempts[attempt];
    ck_assert_ptr_nonnull(one);
    attempts[attempt] = NULL;
    weir_attempt_done(one, &(struct weir_result){ outcome, 0, 0, reason });
    weir_harness_turn(fake, 0);
}

void succeed(size_t attempt)
{
    fail_with(attempt, WEIR_OK, NULL);
}

void assert_open(size_t request)
{
    ck_assert(!weir_harness_answered(fake, request));
}

void assert_ok(size_t request)
{
    ck_assert(weir_harness_answered(fake, request));
    ck_assert_int_eq(weir_harness_answer(fake, request)->outcome, WEIR_OK);
}

void assert_refused_with(size_t request, enum weir_outcome outcome, const char *text)
{
    ck_assert(weir_harness_answered(fake, request));
    ck_assert_int_eq(weir_harness_answer(fake, request)->outcome, outcome);
    ck_assert_str_eq(weir_harness_answer(fake, request)->reason, text);
}

struct weir_ledger ledger(void)
{
    struct weir_ledger out;
    weir_harness_ledger(fake, &out);
    return out;
}

uint64_t dropped(const char *reason)
{
    struct weir_ledger now = ledger();
    for (int i = 0; i < WEIR_LEDGER_REASONS; i++)
        if (now.drops[i].reason && strcmp(now.drops[i].reason, reason) == 0)
            return now.drops[i].items;
    return 0;
}
