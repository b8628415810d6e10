// SPDX-License-Identifier: Apache-2.0
/* A reload as the collector does it, with one worker: a successor beside the instance, then in its place. */
#include <config.h>

#include <weir/sys/worker.h>

#include "sdk/harness/harness.h"

#define DRAIN_TURNS 500 /* of 10 ms */

static struct weir_instance *start(struct weir_harness *harness, const struct weir_component *component,
                                   const void *options, struct weir_error *error)
{
    struct weir_instance *successor = harness_make(harness, component, options);
    harness_capture(harness, successor);
    if (component->create(successor, error) == 0 && weir_instance_start(successor, error) == 0 &&
        weir_shard_open(weir_instance_shard(successor, 0), error) == 0)
        return successor;
    weir_shard_close(weir_instance_shard(successor, 0));
    if (component->stop)
        component->stop(successor);
    if (component->destroy)
        component->destroy(successor);
    weir_instance_free(successor);
    return NULL;
}

static void redirect(struct weir_harness *harness, struct weir_instance *successor)
{
    weir_instance_plan(harness->feeder);
    harness_feed(harness, successor);
    weir_shard_follow_plan(weir_instance_shard(harness->feeder, 0));
    weir_instance_settle_plan(harness->feeder);
}

/* Lets it come to its end; what does not within the time is cut off, as at the collector's deadline. */
static void retire(struct weir_harness *harness, bool takes_over)
{
    const struct weir_component *component = weir_instance_component(harness->subject);
    struct weir_shard *shard = weir_harness_shard(harness);
    void (*call)(struct weir_shard *) = takes_over ? component->retire : component->drain;
    harness->drained = call == NULL;
    if (component->quiesce)
        component->quiesce(shard);
    if (call)
        call(shard);
    for (int turns = 0; !harness->drained && turns < DRAIN_TURNS; turns++)
        weir_worker_turn(weir_worker_at(0), 10);
    harness_answer_rest(harness);
    weir_shard_close(shard);
    harness_await_rest(harness->subject);
}

static void hand_over(struct weir_harness *harness, struct weir_instance *successor)
{
    const struct weir_component *component = weir_instance_component(successor);
    struct weir_error error = WEIR_ERROR_INIT;
    void *state = component->export_state(harness->subject);
    if (state && component->import_state(successor, state, &error) != 0)
        harness_fail("import_state", weir_error_text(&error));
}

static void end(struct weir_harness *harness)
{
    const struct weir_component *component = weir_instance_component(harness->subject);
    struct weir_ledger ledger;
    weir_meter_forget(harness->subject);
    weir_worker_turn(weir_worker_at(0), 0);
    if (component->stop)
        component->stop(harness->subject);
    weir_instance_ledger(harness->subject, harness->signal, true, &ledger);
    weir_ledger_add(&harness->past, &ledger);
    if (component->destroy)
        component->destroy(harness->subject);
    weir_instance_free(harness->subject);
}

int weir_harness_reload(struct weir_harness *harness, const char *options, struct weir_error *error)
{
    const struct weir_component *component = weir_instance_component(harness->subject);
    bool takes_over = component->export_state && component->import_state;
    void *decoded = NULL;
    if (harness_decode(component, options, &harness->arena, &decoded, error) != 0)
        return -1;
    struct weir_instance *successor = start(harness, component, decoded, error);
    if (!successor)
        return -1;
    redirect(harness, successor);
    retire(harness, takes_over);
    if (takes_over)
        hand_over(harness, successor);
    end(harness);
    harness->subject = successor;
    return 0;
}
