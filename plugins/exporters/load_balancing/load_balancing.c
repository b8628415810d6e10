// SPDX-License-Identifier: Apache-2.0
/*
 * The load_balancing exporter: what belongs together goes to one of several backends, by a ring that a whole tier of
 * collectors agrees on (contrib-processors 9).
 */
#include <config.h>

#include <stdlib.h>

#include "plugins/exporters/load_balancing/split.h"

/* Backends that the queue has room for where their number is not known beforehand. */
#define BACKENDS_EXPECTED 10

/* A set on its way to a worker. */
struct delivery {
    struct weir_task task;
    struct lb_shard *own;
    struct backend_set *set;
};

static void consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    lb_offer(weir_shard_data(shard), batch, ack);
}

/* --- backends that change --- */

static void delivered(struct weir_task *task)
{
    struct delivery *delivery = WEIR_CONTAINER_OF(task, struct delivery, task);
    struct lb_shared *shared = delivery->own->shared;
    lb_adopt(delivery->own, delivery->set);
    backend_set_unref(delivery->set);
    free(delivery);
    lb_shared_unref(shared);
}

static void deliver_to_all(struct lb_shared *shared)
{
    for (unsigned i = 0; i < shared->shard_count; i++) {
        struct delivery *delivery = weir_xcalloc(1, sizeof(*delivery));
        delivery->task.run = delivered;
        delivery->own = &shared->shards[i];
        delivery->set = backend_set_ref(shared->backends.set);
        atomic_fetch_add(&shared->references, 1);
        weir_worker_post(weir_shard_worker(delivery->own->shard), &delivery->task);
    }
}

struct sweep {
    struct weir_task task;
    struct lb_shared *shared;
};

static void sweep(struct weir_task *task)
{
    struct sweep *sweep = WEIR_CONTAINER_OF(task, struct sweep, task);
    backends_sweep(&sweep->shared->backends);
    lb_shared_unref(sweep->shared);
    free(sweep);
}

void lb_sweep_backends(struct lb_shared *shared)
{
    struct sweep *posted = weir_xcalloc(1, sizeof(*posted));
    *posted = (struct sweep){ .task.run = sweep, .shared = shared };
    atomic_fetch_add(&shared->references, 1);
    weir_worker_post(weir_shard_worker(shared->shards[0].shard), &posted->task);
}

/* Main thread. */
static void on_found(void *user, const char *const *endpoints, size_t count)
{
    struct lb_shared *shared = user;
    if (!backends_update(&shared->backends, endpoints, count))
        return;
    weir_series_add(shared->updates, 1);
    weir_log(weir_instance_logger(shared->backends.instance), WEIR_INFO, "The backends are others",
             WEIR_F_UINT("count", shared->backends.set->count));
    if (shared->running) {
        deliver_to_all(shared);
        return;
    }
    for (unsigned i = 0; i < shared->shard_count; i++)
        lb_adopt(&shared->shards[i], shared->backends.set);
}

static double count_backends(void *argument)
{
    const struct lb_shared *shared = argument;
    return shared->backends.set ? (double)shared->backends.set->count : 0;
}

/* --- life --- */

static void destroy(struct weir_instance *instance)
{
    struct lb_shared *shared = weir_instance_data(instance);
    if (!shared)
        return;
    weir_sender_free(instance);
    weir_instance_set_data(instance, NULL);
    lb_shared_unref(shared);
}

/* What is written at this level counts; then what is written for the protocol. How many calls a backend gets at a time is
 * ours to see to: in the sender, one that is dead would take them all. */
static void set_sender_options(struct lb_shared *shared)
{
    const struct lb_config *config = shared->config;
    const struct weir_sender_options *inner = &config->protocol.otlp.sender;
    struct weir_sender_options *options = &shared->sender_options;
    int64_t backends = config->resolver.static_on ? (int64_t)config->resolver.fixed.hostnames.count : BACKENDS_EXPECTED;
    *options = config->sender.queue_on ? config->sender : *inner;
    options->retry = config->sender.retry.enabled ? config->sender.retry : inner->retry;
    shared->calls = (options->queue.num_consumers + shared->shard_count - 1) / shared->shard_count;
    if (!options->queue_on || shared->calls < 1)
        shared->calls = INT64_MAX;
    options->queue.num_consumers = 0;
    if (__builtin_mul_overflow(options->queue.queue_size, backends, &options->queue.queue_size))
        options->queue.queue_size = INT64_MAX;
}

static int set_routers(struct lb_shared *shared, struct weir_instance *instance, struct weir_error *error)
{
    for (int signal = 0; signal < WEIR_PROFILES; signal++) {
        struct router *router = &shared->routers[signal];
        router->attributes = &shared->config->routing_attributes;
        if (weir_instance_uses(instance, (enum weir_signal)signal)
            && lb_routing_key(shared->config, (enum weir_signal)signal, &router->key, error) < 0)
            return -1;
    }
    return 0;
}

static int create(struct weir_instance *instance, struct weir_error *error)
{
    const struct lb_config *config = weir_instance_config(instance);
    struct lb_shared *shared = weir_xcalloc(1, sizeof(*shared));
    weir_instance_set_data(instance, shared);
    shared->references = 1;
    shared->config = config;
    shared->timeout = config->timeout.ns > 0 ? config->timeout.ns : config->protocol.otlp.timeout.ns;
    shared->shard_count = weir_worker_count();
    shared->shards = weir_xcalloc(shared->shard_count, sizeof(*shared->shards));
    shared->backends = (struct backends){ .instance = instance, .options = &config->protocol.otlp.client };
    if (set_routers(shared, instance, error) < 0)
        return -1;
    set_sender_options(shared);
    weir_sender_create(instance, &shared->sender_options, lb_send);
    return 0;
}

static int start(struct weir_instance *instance, struct weir_error *error)
{
    struct lb_shared *shared = weir_instance_data(instance);
    const struct weir_label label = { "resolver", resolver_name(&shared->config->resolver) };
    for (unsigned i = 0; i < shared->shard_count; i++)
        lb_shard_init(&shared->shards[i], shared, weir_instance_shard(instance, i));
    shared->updates = weir_meter_series(instance, LB_NUM_BACKEND_UPDATES, &label, 1);
    weir_meter_observe(instance, LB_NUM_BACKENDS, &label, 1, count_backends, shared);
    shared->resolver = (struct resolver){ .instance = instance, .config = &shared->config->resolver, .found = on_found,
                                          .user = shared };
    if (resolver_start(&shared->resolver, error) < 0)
        return -1;
    return weir_sender_open(instance, error);
}

static int worker_start(struct weir_shard *shard, struct weir_error *error)
{
    struct lb_shared *shared = weir_instance_data(weir_shard_instance(shard));
    unsigned index = weir_worker_index(weir_shard_worker(shard));
    struct lb_shard *own = &shared->shards[index];
    weir_shard_set_data(shard, own);
    lb_open(own);
    if (index == 0) {
        shared->running = true;
        resolver_worker_start(&shared->resolver, weir_shard_worker(shard));
    }
    return weir_sender_worker_start(shard, error);
}

static void worker_stop(struct weir_shard *shard)
{
    struct lb_shared *shared = weir_instance_data(weir_shard_instance(shard));
    struct lb_shard *own = weir_shard_data(shard);
    if (!own)
        return;
    if (weir_worker_index(weir_shard_worker(shard)) == 0)
        resolver_worker_stop(&shared->resolver);
    weir_sender_worker_stop(shard);
    lb_close(own);
    weir_shard_set_data(shard, NULL);
}

static void stop(struct weir_instance *instance)
{
    struct lb_shared *shared = weir_instance_data(instance);
    if (!shared)
        return;
    weir_sender_close(instance);
    for (unsigned i = 0; i < shared->shard_count; i++) {
        backend_set_unref(shared->shards[i].set); /* of a worker that never started */
        shared->shards[i].set = NULL;
    }
    resolver_stop(&shared->resolver);
    backends_free(&shared->backends);
}

static const char *const aliases[] = { "loadbalancing", NULL };

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "load_balancing",
    .aliases = aliases,
    .version = PACKAGE_VERSION,
    .summary = "Sends what belongs together to one of several backends.",
    .stability = { [WEIR_TRACES] = WEIR_BETA, [WEIR_METRICS] = WEIR_BETA, [WEIR_LOGS] = WEIR_BETA },
    .traits = WEIR_HOLDS,
    .options = &lb_table,
    .metrics = lb_metrics,
    .create = create,
    .start = start,
    .worker_start = worker_start,
    .consume = consume,
    .promise = weir_sender_promise,
    .held = weir_sender_held,
    .drain = weir_sender_drain,
    .worker_stop = worker_stop,
    .stop = stop,
    .destroy = destroy,
    .export_state = weir_sender_export,
    .import_state = weir_sender_import,
    .retire = weir_sender_retire,
};
