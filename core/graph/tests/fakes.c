// SPDX-License-Identifier: Apache-2.0
/* The components of the graph's tests. */
#include <config.h>

#include <check.h>
#include <string.h>

#include <weir/sys/worker.h>

#include "core/graph/tests/fakes.h"

struct weir_text fakes_events;
struct fakes_arrival fakes_arrivals[16];
size_t fakes_arrival_count;
const char *fakes_failing;

static void note(const char *what, const struct weir_instance *instance)
{
    weir_text_addf(&fakes_events, "%s%s %s", fakes_events.length ? "; " : "", what, weir_instance_id(instance));
}

static int create(struct weir_instance *instance, struct weir_error *error)
{
    (void)error;
    note("create", instance);
    return 0;
}

static int start(struct weir_instance *instance, struct weir_error *error)
{
    bool fails = fakes_failing && strcmp(weir_instance_id(instance), fakes_failing) == 0;
    note(fails ? "fail" : "start", instance);
    return fails ? weir_error_set(error, "no luck") : 0;
}

static int refuse(struct weir_instance *instance, struct weir_error *error)
{
    note("fail", instance);
    return weir_error_set(error, "no luck");
}

static int open_shard(struct weir_shard *shard, struct weir_error *error)
{
    (void)error;
    note("open", weir_shard_instance(shard));
    return 0;
}

static void quiesce(struct weir_shard *shard)
{
    note("quiesce", weir_shard_instance(shard));
}

static void drain(struct weir_shard *shard)
{
    note("drain", weir_shard_instance(shard));
    weir_shard_drained(shard);
}

static void close_shard(struct weir_shard *shard)
{
    note("close", weir_shard_instance(shard));
}

static void stop(struct weir_instance *instance)
{
    note("stop", instance);
}

static void destroy(struct weir_instance *instance)
{
    note("destroy", instance);
}

/* Something comes back to worker 0 after it has turned a few times. */
static struct lingering {
    struct weir_task task;
    struct weir_instance *instance;
    int turns;
} lingering;

static void come_back(struct weir_task *task)
{
    if (--lingering.turns > 0) {
        weir_worker_post(weir_worker_at(0), task);
        return;
    }
    note("rest", lingering.instance);
    weir_instance_busy(lingering.instance, false);
}

static void close_lingering(struct weir_shard *shard)
{
    note("close", weir_shard_instance(shard));
    lingering = (struct lingering){ { .run = come_back }, weir_shard_instance(shard), 5 };
    weir_instance_busy(lingering.instance, true);
    weir_worker_post(weir_worker_at(0), &lingering.task);
}

static void pass(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    weir_shard_send(shard, batch, ack);
}

static void arrive(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    ck_assert_uint_lt(fakes_arrival_count, WEIR_ARRAY_LENGTH(fakes_arrivals));
    fakes_arrivals[fakes_arrival_count++] =
        (struct fakes_arrival){ weir_instance_id(weir_shard_instance(shard)), batch, ack };
}

static void take(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    const char *id = weir_instance_id(weir_shard_instance(shard));
    struct weir_result result = WEIR_RESULT_OK;
    if (strcmp(id, "sink/retry") == 0)
        result = (struct weir_result){ WEIR_RETRYABLE, 14, 5, "come back" };
    else if (strcmp(id, "sink/fail") == 0)
        result = WEIR_RESULT_PERMANENT("never");
    arrive(shard, batch, NULL);
    weir_ack_complete(ack, &result);
}

/* A resource attribute that was not there shows who has which batch. */
static void change(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct weir_group *group = weir_batch_first_group(batch);
    struct weir_resource *resource = weir_group_edit_resource(group);
    ck_assert_ptr_nonnull(resource);
    resource->dropped_attributes_count = 77;
    weir_batch_commit(batch);
    weir_shard_send(shard, batch, ack);
}

static enum weir_promise at_most_disk(struct weir_instance *instance, enum weir_promise asked)
{
    (void)instance;
    return asked < WEIR_PROMISE_DISK ? asked : WEIR_PROMISE_DISK;
}

static void count(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    (void)shard;
    weir_batch_unref(batch);
    weir_ack_ok(ack);
}

#define LIFE                                                                                                     \
    .version = "1", .summary = "A fake.", .create = create, .start = start, .worker_start = open_shard,          \
    .drain = drain, .worker_stop = close_shard, .stop = stop, .destroy = destroy
#define FAKE(of_kind, name) WEIR_COMPONENT_GUARD, .kind = (of_kind), .type = (name)
#define ALL_SIGNALS .stability = { WEIR_BETA, WEIR_BETA, WEIR_BETA, WEIR_BETA }

/* An exporter that names extensions, in groups of all kinds. */
struct named {
    struct weir_reference extension;
};
struct refer {
    struct weir_reference any;
    struct named plain, off;
    bool off_on;
    struct weir_groups list, map;
};
struct element {
    char *key;
    struct weir_reference extension;
};

#define NAMED_ROW(type) \
    WEIR_OPTION(type, extension, "extension", .interface = "weir.test", .noun = "test thing", .doc = "One.")
static const struct weir_option named_rows[] = { NAMED_ROW(struct named), WEIR_OPTION_END };
static const struct weir_option_table named_table = { named_rows, sizeof(struct named), NULL };
static const struct weir_option element_rows[] = { NAMED_ROW(struct element), WEIR_OPTION_END };
static const struct weir_option_table element_table = { element_rows, sizeof(struct element), NULL };
static const struct weir_option refer_rows[] = {
    WEIR_OPTION(struct refer, any, "any", .doc = "Any extension."),
    WEIR_OPTION_GROUP(struct refer, plain, "plain", &named_table, .doc = "A group."),
    WEIR_OPTION_OPTIONAL(struct refer, off, off_on, "off", &named_table, WEIR_NONE_OFF, .doc = "An optional group."),
    WEIR_OPTION_LIST(struct refer, list, "list", &named_table, .doc = "A list."),
    WEIR_OPTION_MAP(struct refer, map, "map", &element_table, struct element, key, .doc = "A map."),
    WEIR_OPTION_END,
};
static const struct weir_option_table refer_table = { refer_rows, sizeof(struct refer), NULL };

/* Only ext/2 offers the interface. */
static const void *offer(struct weir_instance *instance, const char *interface)
{
    bool offers = strcmp(interface, "weir.test") == 0 && strcmp(weir_instance_id(instance), "ext/2") == 0;
    return offers ? interface : NULL;
}

static const struct weir_component fakes[] = {
    { FAKE(WEIR_RECEIVER, "src"), LIFE, ALL_SIGNALS, .quiesce = quiesce },
    { FAKE(WEIR_RECEIVER, "src_logs"), LIFE, .stability = { [WEIR_LOGS] = WEIR_BETA } },
    { FAKE(WEIR_PROCESSOR, "pass"), LIFE, ALL_SIGNALS, .consume = pass },
    { FAKE(WEIR_PROCESSOR, "pass_logs"), LIFE, .stability = { [WEIR_LOGS] = WEIR_BETA }, .consume = pass },
    { FAKE(WEIR_PROCESSOR, "change"), LIFE, ALL_SIGNALS, .consume = change, .traits = WEIR_MUTATES },
    { FAKE(WEIR_EXPORTER, "sink"), LIFE, ALL_SIGNALS, .consume = take },
    { FAKE(WEIR_EXPORTER, "keep"), LIFE, ALL_SIGNALS, .consume = arrive },
    { FAKE(WEIR_EXPORTER, "linger"), ALL_SIGNALS, .version = "1", .summary = "A fake.", .create = create,
      .consume = take, .worker_stop = close_lingering, .stop = stop, .destroy = destroy },
    { FAKE(WEIR_EXPORTER, "hold"), LIFE, ALL_SIGNALS, .consume = take, .traits = WEIR_HOLDS },
    { FAKE(WEIR_EXPORTER, "store"), LIFE, ALL_SIGNALS, .consume = take, .traits = WEIR_HOLDS, .promise = at_most_disk },
    { FAKE(WEIR_EXPORTER, "sink_traces"), LIFE, .stability = { [WEIR_TRACES] = WEIR_BETA }, .consume = take },
    { FAKE(WEIR_CONNECTOR, "link"), LIFE, .consume = pass,
      .converts = { [WEIR_TRACES][WEIR_TRACES] = WEIR_BETA,
                    [WEIR_METRICS][WEIR_METRICS] = WEIR_BETA,
                    [WEIR_LOGS][WEIR_LOGS] = WEIR_BETA } },
    { FAKE(WEIR_CONNECTOR, "count"), LIFE, .consume = count,
      .converts = { [WEIR_TRACES][WEIR_METRICS] = WEIR_BETA } },
    { FAKE(WEIR_EXPORTER, "refer"), LIFE, ALL_SIGNALS, .consume = take, .options = &refer_table },
    { FAKE(WEIR_EXTENSION, "ext"), LIFE, .offer = offer },
    { FAKE(WEIR_EXPORTER, "no_create"), ALL_SIGNALS, .version = "1", .summary = "A fake.", .create = refuse,
      .destroy = destroy, .consume = take },
    { FAKE(WEIR_EXPORTER, "no_start"), ALL_SIGNALS, .version = "1", .summary = "A fake.", .create = create,
      .start = refuse, .worker_start = open_shard, .worker_stop = close_shard, .stop = stop, .destroy = destroy,
      .consume = take },
};

void fakes_register(struct registry *registry)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(fakes); i++)
        registry_add(registry, &fakes[i]);
}

void fakes_reset(void)
{
    weir_text_free(&fakes_events);
    for (size_t i = 0; i < fakes_arrival_count; i++)
        weir_batch_unref(fakes_arrivals[i].batch);
    fakes_arrival_count = 0;
    fakes_failing = NULL;
}
