// SPDX-License-Identifier: Apache-2.0
/*
 * The prometheus exporter: the last value of every series on a page that Prometheus scrapes (contrib-receivers-exporters
 * 4). A sender stands before the store, for the sake of `sending_queue`. The store is shared by all workers; worker 0
 * serves the page.
 */
#include <config.h>

#include <stdlib.h>

#include "plugins/exporters/prometheus/serve.h"

#define SECOND ((int64_t)1000000000)

struct prom_instance {
    const struct prom_config *config;
    struct prom_rules rules;
    struct weir_text target_name;
    struct store *store;
    struct weir_http_site *site;
};

struct prom_shard {
    struct weir_shard *shard;
    struct serving serving; /* worker 0 only, as the next */
    struct weir_timer sweep;
    void (*then)(struct weir_shard *shard); /* what follows on the last page */
};

static struct prom_instance *own_of(struct weir_shard *shard)
{
    return weir_instance_data(weir_shard_instance(shard));
}

/* --- telemetry --- */

/* weir_send. */
static void store_batch(struct weir_shard *shard, struct weir_attempt *attempt)
{
    const struct prom_instance *own = own_of(shard);
    struct prom_skipped skipped = { 0 };
    if (!prom_translate(&own->rules, own->store, attempt->batch, weir_worker_now(weir_shard_worker(shard)), &skipped)) {
        weir_attempt_done(attempt, &WEIR_RESULT_RETRYABLE("out of memory"));
    } else {
        struct weir_partial_success partial = { .rejected = (int64_t)skipped.items,
                                                .message = weir_text_view(&skipped.reason) };
        weir_attempt_rejected(attempt, &partial);
        weir_attempt_done(attempt, &WEIR_RESULT_OK);
    }
    weir_text_free(&skipped.reason);
}

/* --- what nobody scrapes goes, too --- */

static int64_t sweep_interval(const struct prom_config *config)
{
    int64_t interval = config->metric_expiration.ns / 2;
    return interval < SECOND ? SECOND : interval > 60 * SECOND ? 60 * SECOND : interval;
}

static void sweep(struct weir_timer *timer)
{
    struct prom_shard *own = WEIR_CONTAINER_OF(timer, struct prom_shard, sweep);
    const struct prom_instance *shared = own_of(own->shard);
    store_expire(shared->store, weir_worker_now(timer->worker), shared->config->metric_expiration.ns);
    weir_timer_start(timer, sweep_interval(shared->config));
}

/* --- life --- */

static void destroy(struct weir_instance *instance)
{
    struct prom_instance *own = weir_instance_data(instance);
    if (!own)
        return;
    weir_sender_free(instance);
    store_unref(own->store);
    prom_rules_free(&own->rules);
    weir_text_free(&own->target_name);
    weir_instance_set_data(instance, NULL);
    free(own);
}

static int create(struct weir_instance *instance, struct weir_error *error)
{
    struct prom_instance *own = weir_xcalloc(1, sizeof(*own));
    (void)error;
    own->config = weir_instance_config(instance);
    prom_rules_init(&own->rules, own->config);
    prom_target_name(&own->rules, &own->target_name);
    weir_sender_create(instance, &own->config->sender, store_batch);
    weir_instance_set_data(instance, own);
    return 0;
}

/* An instance goes on with its predecessor's series where it listens at the same address and makes the same names. */
static void open_store(struct weir_instance *instance, struct prom_instance *own)
{
    struct weir_text key = { 0 };
    weir_text_addf(&key, "%s\n%s\n", weir_instance_id(instance), own->config->server.endpoint);
    prom_rules_key(&own->rules, &key);
    own->store = store_open(weir_text_view(&key));
    weir_text_free(&key);
}

static int start(struct weir_instance *instance, struct weir_error *error)
{
    struct prom_instance *own = weir_instance_data(instance);
    struct weir_logger *logger = weir_instance_logger(instance);
    open_store(instance, own);
    own->site = weir_http_site_open(&own->config->server, &serve_handler, instance, logger, error);
    if (!own->site)
        return -1;
    weir_log(logger, WEIR_INFO, "Serving metrics", WEIR_F_TEXT("endpoint", weir_http_site_address(own->site)));
    return weir_sender_open(instance, error);
}

static int worker_start(struct weir_shard *shard, struct weir_error *error)
{
    const struct prom_instance *shared = own_of(shard);
    struct weir_worker *worker = weir_shard_worker(shard);
    struct prom_shard *own = weir_xcalloc(1, sizeof(*own));
    own->shard = shard;
    weir_shard_set_data(shard, own);
    weir_sender_worker_start(shard, error);
    if (weir_worker_index(worker) != 0)
        return 0;
    own->serving = (struct serving){ .shard = shard, .config = shared->config, .store = shared->store,
                                     .target_name = weir_text_view(&shared->target_name) };
    weir_timer_init(&own->sweep, worker, sweep);
    weir_timer_start(&own->sweep, sweep_interval(shared->config));
    own->serving.server = weir_http_server_start(shared->site, worker, &own->serving, error);
    return own->serving.server ? 0 : -1;
}

/* Pages under way first, then what the queue holds. */
static void no_more_pages(void *user)
{
    struct serving *serving = user;
    struct prom_shard *own = WEIR_CONTAINER_OF(serving, struct prom_shard, serving);
    own->then(own->shard);
}

static void finish(struct weir_shard *shard, void (*then)(struct weir_shard *shard))
{
    struct prom_shard *own = weir_shard_data(shard);
    own->then = then;
    if (own->serving.server)
        weir_http_server_drain(own->serving.server, no_more_pages);
    else
        then(shard);
}

static void quiesce(struct weir_shard *shard)
{
    struct prom_shard *own = weir_shard_data(shard);
    if (own)
        weir_http_server_quiesce(own->serving.server);
}

static void drain(struct weir_shard *shard)
{
    finish(shard, weir_sender_drain);
}

static void retire(struct weir_shard *shard)
{
    finish(shard, weir_sender_retire);
}

static void worker_stop(struct weir_shard *shard)
{
    struct prom_shard *own = weir_shard_data(shard);
    if (!own)
        return;
    weir_http_server_stop(own->serving.server);
    serve_leave(&own->serving);
    if (weir_timer_active(&own->sweep))
        weir_timer_stop(&own->sweep);
    weir_sender_worker_stop(shard);
    weir_shard_set_data(shard, NULL);
    free(own);
}

static void stop(struct weir_instance *instance)
{
    struct prom_instance *own = weir_instance_data(instance);
    if (!own)
        return;
    weir_sender_close(instance);
    weir_http_site_close(own->site);
    own->site = NULL;
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "prometheus",
    .version = PACKAGE_VERSION,
    .summary = "Shows metrics on a page that Prometheus scrapes.",
    .stability = { [WEIR_METRICS] = WEIR_BETA },
    .traits = WEIR_HOLDS,
    .options = &prom_table,
    .metrics = weir_sender_metrics,
    .create = create,
    .start = start,
    .worker_start = worker_start,
    .consume = weir_sender_consume,
    .held = weir_sender_held,
    .quiesce = quiesce,
    .drain = drain,
    .worker_stop = worker_stop,
    .stop = stop,
    .destroy = destroy,
    .export_state = weir_sender_export,
    .import_state = weir_sender_import,
    .retire = retire,
};
