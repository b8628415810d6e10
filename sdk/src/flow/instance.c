// SPDX-License-Identifier: Apache-2.0
/* Instances and shards: what the host makes of a component, and what the component may ask of it. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/sys/worker.h>

#include "sdk/src/flow/instance.h"

static const char *const kind_names[WEIR_KINDS][2] = {
    [WEIR_RECEIVER] = { "receiver", "receivers" },
    [WEIR_PROCESSOR] = { "processor", "processors" },
    [WEIR_EXPORTER] = { "exporter", "exporters" },
    [WEIR_CONNECTOR] = { "connector", "connectors" },
    [WEIR_EXTENSION] = { "extension", "extensions" },
};

const char *weir_kind_name(enum weir_kind kind, bool plural)
{
    return kind_names[kind][plural];
}

struct weir_instance *weir_instance_new(const struct weir_component *component, const char *id,
                                        const void *config, struct weir_logger *logger,
                                        const struct weir_host *host, void *context)
{
    struct weir_instance *instance = weir_xcalloc(1, sizeof *instance);
    instance->component = component;
    instance->id = weir_xstrdup(id);
    instance->config = config;
    instance->logger = logger;
    instance->host = host;
    instance->host_context = context;
    instance->status = WEIR_STATUS_STARTING;
    pthread_mutex_init(&instance->status_lock, NULL);
    instance->wiring = weir_xcalloc(1, sizeof(struct wiring));
    instance->shard_count = weir_worker_count();
    instance->shards = weir_xcalloc(instance->shard_count, sizeof(struct weir_shard *));
    for (unsigned i = 0; i < instance->shard_count; i++) {
        instance->shards[i] = weir_xcalloc(1, sizeof(struct weir_shard));
        instance->shards[i]->instance = instance;
        instance->shards[i]->worker = weir_worker_at(i);
        instance->shards[i]->wiring = instance->wiring;
    }
    return instance;
}

static void wiring_free(struct wiring *wiring)
{
    for (int signal = 0; wiring && signal < WEIR_SIGNALS; signal++) {
        struct routes *routes = &wiring->routes[signal];
        for (size_t i = 0; i < routes->count; i++) {
            free(routes->items[i].targets);
            free(routes->items[i].pipeline);
        }
        free(routes->items);
    }
    free(wiring);
}

void weir_instance_free(struct weir_instance *instance)
{
    if (!instance)
        return;
    meter_drop(instance);
    for (unsigned i = 0; i < instance->shard_count; i++) {
        hops_free(instance->shards[i]);
        for (int signal = 0; signal < WEIR_SIGNALS; signal++)
            for (int t = 0; t < TRANSPORTS; t++)
                free((char *)atomic_load(&instance->shards[i]->ledgers[signal].transports[t].transport));
        free(instance->shards[i]);
    }
    wiring_free(instance->wiring);
    wiring_free(instance->planned);
    for (size_t i = 0; i < instance->label_count; i++) {
        free((char *)instance->labels[i].name);
        free((char *)instance->labels[i].value);
    }
    free(instance->labels);
    free(instance->shards);
    free(instance->status_reason);
    faults_free(instance);
    pthread_mutex_destroy(&instance->status_lock);
    free(instance->id);
    free(instance);
}

static struct route *find_route(struct routes *routes, const char *pipeline, enum weir_promise promise)
{
    for (size_t i = 0; i < routes->count; i++)
        if (strcmp(routes->items[i].pipeline, pipeline) == 0)
            return &routes->items[i];
    routes->items = weir_xrealloc(routes->items, (routes->count + 1) * sizeof(struct route));
    struct route *route = &routes->items[routes->count++];
    *route = (struct route){ .pipeline = weir_xstrdup(pipeline), .promise = promise };
    return route;
}

static bool mutates(const struct weir_instance *instance)
{
    return instance->component->traits & WEIR_MUTATES;
}

/* Targets that change their batch come first, so that the readers behind them can share the original. */
void weir_instance_connect(struct weir_instance *from, enum weir_signal signal, const char *pipeline,
                           enum weir_promise promise, struct weir_instance *to)
{
    struct wiring *wiring = from->planned ? from->planned : from->wiring;
    struct route *route = find_route(&wiring->routes[signal], pipeline, promise);
    route->targets = weir_xrealloc(route->targets, (route->count + 1) * sizeof(struct weir_instance *));
    size_t at = route->count++;
    for (; mutates(to) && at > 0 && !mutates(route->targets[at - 1]); at--)
        route->targets[at] = route->targets[at - 1];
    route->targets[at] = to;
    wiring->routes[signal].targets++;
}

void weir_instance_plan(struct weir_instance *instance)
{
    wiring_free(instance->planned);
    instance->planned = weir_xcalloc(1, sizeof(struct wiring));
}

void weir_instance_abandon_plan(struct weir_instance *instance)
{
    wiring_free(instance->planned);
    instance->planned = NULL;
}

static bool same_route(const struct route *a, const struct route *b)
{
    return strcmp(a->pipeline, b->pipeline) == 0 && a->promise == b->promise && a->count == b->count &&
           memcmp(a->targets, b->targets, a->count * sizeof(struct weir_instance *)) == 0;
}

bool weir_instance_plan_differs(const struct weir_instance *instance)
{
    for (int signal = 0; instance->planned && signal < WEIR_SIGNALS; signal++) {
        const struct routes *now = &instance->wiring->routes[signal];
        const struct routes *then = &instance->planned->routes[signal];
        bool same = now->count == then->count && instance->wiring->uses[signal] == instance->planned->uses[signal];
        for (size_t i = 0; same && i < now->count; i++)
            same = same_route(&now->items[i], &then->items[i]);
        if (!same)
            return true;
    }
    return false;
}

void weir_shard_follow_plan(struct weir_shard *shard)
{
    if (shard->instance->planned)
        shard->wiring = shard->instance->planned;
}

void weir_instance_settle_plan(struct weir_instance *instance)
{
    if (!instance->planned)
        return;
    wiring_free(instance->wiring);
    instance->wiring = instance->planned;
    instance->planned = NULL;
    for (int signal = 0; signal < WEIR_SIGNALS; signal++)
        atomic_store(&instance->uses[signal], instance->wiring->uses[signal]);
}

enum weir_promise weir_instance_promise(struct weir_instance *instance, enum weir_promise asked)
{
    if (instance->component->promise)
        return instance->component->promise(instance, asked);
    return instance->component->traits & WEIR_HOLDS ? WEIR_PROMISE_MEMORY : asked;
}

void weir_instance_yield(struct weir_instance *instance, bool yields)
{
    atomic_store(&instance->yields, yields);
}

bool weir_instance_yields(const struct weir_instance *instance)
{
    return atomic_load(&instance->yields);
}

int weir_instance_extension(struct weir_instance *user, const char *id, const char *interface, const char *what,
                            struct weir_instance **extension, const void **functions, struct weir_error *error)
{
    struct weir_instance *found = user->host->extension ? user->host->extension(user, id) : NULL;
    if (!found)
        return weir_error_set(error, "%s \"%s\" not found: it is not among service::extensions", what, id);
    const void *offered = found->component->offer ? found->component->offer(found, interface) : NULL;
    if (!offered)
        return weir_error_set(error, "extension \"%s\" is not %s %s", id, strchr("aeiou", what[0]) ? "an" : "a", what);
    *extension = found;
    *functions = offered;
    return 0;
}

void *weir_instance_host_context(const struct weir_instance *instance)
{
    return instance->host_context;
}

void weir_instance_set_uses(struct weir_instance *instance, enum weir_signal signal)
{
    struct wiring *wiring = instance->planned ? instance->planned : instance->wiring;
    wiring->uses[signal] = true;
    if (!instance->planned)
        atomic_store(&instance->uses[signal], true);
}

bool weir_instance_suits(const struct weir_instance *instance, const bool *uses)
{
    if (!atomic_load(&instance->asked_uses))
        return true;
    for (int signal = 0; signal < WEIR_SIGNALS; signal++)
        if (atomic_load(&instance->uses[signal]) != uses[signal])
            return false;
    return true;
}

const struct weir_component *weir_instance_component(const struct weir_instance *instance)
{
    return instance->component;
}

const char *weir_instance_id(const struct weir_instance *instance)
{
    return instance->id;
}

const void *weir_instance_config(const struct weir_instance *instance)
{
    return instance->config;
}

struct weir_logger *weir_instance_logger(struct weir_instance *instance)
{
    return instance->logger;
}

bool weir_instance_uses(const struct weir_instance *instance, enum weir_signal signal)
{
    /* Noted, for a reload must not change under the component what it was told. */
    atomic_store_explicit((atomic_bool *)&instance->asked_uses, true, memory_order_relaxed);
    return atomic_load_explicit((atomic_bool *)&instance->uses[signal], memory_order_relaxed);
}

enum weir_signal weir_instance_signal(const struct weir_instance *instance)
{
    int signal = 0;
    while (signal < WEIR_SIGNALS - 1 &&
           !atomic_load_explicit((atomic_bool *)&instance->uses[signal], memory_order_relaxed))
        signal++;
    return (enum weir_signal)signal;
}

void weir_instance_set_data(struct weir_instance *instance, void *data)
{
    instance->data = data;
}

void *weir_instance_data(const struct weir_instance *instance)
{
    return instance->data;
}

void weir_instance_add_label(struct weir_instance *instance, const char *name, const char *value)
{
    instance->labels =
        weir_xrealloc(instance->labels, (instance->label_count + 1) * sizeof(struct weir_label));
    instance->labels[instance->label_count++] =
        (struct weir_label){ weir_xstrdup(name), weir_xstrdup(value) };
}

const struct weir_label *weir_instance_labels(const struct weir_instance *instance, size_t *count)
{
    *count = instance->label_count;
    return instance->labels;
}

void weir_host_state(struct weir_instance *instance, struct weir_host_state *out)
{
    instance->host->state(instance, out);
}

struct weir_instance *weir_shard_instance(const struct weir_shard *shard)
{
    return shard->instance;
}

struct weir_worker *weir_shard_worker(const struct weir_shard *shard)
{
    return shard->worker;
}

void weir_shard_set_data(struct weir_shard *shard, void *data)
{
    shard->data = data;
}

void *weir_shard_data(const struct weir_shard *shard)
{
    return shard->data;
}

struct weir_shard *weir_instance_shard(struct weir_instance *instance, unsigned worker)
{
    return instance->shards[worker];
}

int weir_shard_open(struct weir_shard *shard, struct weir_error *error)
{
    const struct weir_component *component = shard->instance->component;
    if (component->worker_start && component->worker_start(shard, error) != 0)
        return -1;
    shard->open = true;
    shard->closed = false;
    return 0;
}

void weir_shard_close(struct weir_shard *shard)
{
    const struct weir_component *component = shard->instance->component;
    shard->open = false;
    shard->closed = true;
    hops_abandon(shard);
    if (component->worker_stop)
        component->worker_stop(shard);
}

void weir_shard_drained(struct weir_shard *shard)
{
    shard->instance->host->drained(shard);
}
