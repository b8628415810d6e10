// SPDX-License-Identifier: Apache-2.0
/*
 * The memory_limiter processor: refuses telemetry while the process uses too much memory (collector-core 8.3).
 * Receivers ask it through the pipeline before they read or decode a request, so most refusals cost nothing.
 */
#include <config.h>

#include <malloc.h>
#include <stdlib.h>

#include <weir/memory.h>

#include "plugins/processors/memory_limiter/limiter.h"

#define REFUSED "data refused due to high memory usage"

static const struct weir_option limiter_options[] = {
    WEIR_OPTION(struct limiter_config, check_interval, "check_interval", .preset = "0s",
                .doc = "Time between measurements; must be given."),
    WEIR_OPTION(struct limiter_config, limit_mib, "limit_mib", .preset = "0", .bounded = true,
                .max = UINT32_MAX, .unit = "MiB",
                .doc = "Hard limit of the memory in use; goes before the percentage."),
    WEIR_OPTION(struct limiter_config, spike_limit_mib, "spike_limit_mib", .preset = "0", .bounded = true,
                .max = UINT32_MAX, .unit = "MiB",
                .doc = "Distance of the soft limit below the hard one; 0 means a fifth of it."),
    WEIR_OPTION(struct limiter_config, limit_percentage, "limit_percentage", .preset = "0", .bounded = true,
                .max = 100, .unit = "%", .doc = "Hard limit as a part of the cgroup's or machine's memory."),
    WEIR_OPTION(struct limiter_config, spike_limit_percentage, "spike_limit_percentage", .preset = "0",
                .bounded = true, .max = 100, .unit = "%",
                .doc = "Distance of the soft limit below the hard one; 0 means a fifth of it."),
    WEIR_OPTION(struct limiter_config, min_gc_interval_when_soft_limited, "min_gc_interval_when_soft_limited",
                .preset = "10s", .bounded = true, .max = INT64_MAX,
                .doc = "Least time between two attempts to give free memory back, over the soft limit."),
    WEIR_OPTION(struct limiter_config, min_gc_interval_when_hard_limited, "min_gc_interval_when_hard_limited",
                .preset = "0s", .bounded = true, .max = INT64_MAX,
                .doc = "Least time between two attempts to give free memory back, over the hard limit."),
    WEIR_OPTION(struct limiter_config, max_gc_interval_when_soft_limited, "max_gc_interval_when_soft_limited",
                .preset = "30s", .bounded = true, .max = INT64_MAX,
                .doc = "Attempts that do not help grow apart up to this, over the soft limit; 0: they do not."),
    WEIR_OPTION(struct limiter_config, max_gc_interval_when_hard_limited, "max_gc_interval_when_hard_limited",
                .preset = "30s", .bounded = true, .max = INT64_MAX,
                .doc = "Attempts that do not help grow apart up to this, over the hard limit; 0: they do not."),
    WEIR_OPTION_END,
};

static void check_gc_intervals(const struct limiter_config *config, struct weir_checker *checker)
{
    int64_t soft_min = config->min_gc_interval_when_soft_limited.ns;
    int64_t hard_min = config->min_gc_interval_when_hard_limited.ns;
    int64_t soft_max = config->max_gc_interval_when_soft_limited.ns;
    int64_t hard_max = config->max_gc_interval_when_hard_limited.ns;
    if (soft_min < hard_min)
        weir_check_fail(checker, "min_gc_interval_when_soft_limited",
                        "'min_gc_interval_when_soft_limited' must not be smaller than "
                        "'min_gc_interval_when_hard_limited'");
    if (soft_max > 0 && soft_max < soft_min)
        weir_check_fail(checker, "max_gc_interval_when_soft_limited",
                        "'max_gc_interval_when_soft_limited' must not be smaller than "
                        "'min_gc_interval_when_soft_limited'");
    if (hard_max > 0 && hard_max < hard_min)
        weir_check_fail(checker, "max_gc_interval_when_hard_limited",
                        "'max_gc_interval_when_hard_limited' must not be smaller than "
                        "'min_gc_interval_when_hard_limited'");
    if (soft_max > 0 && hard_max > 0 && soft_max < hard_max)
        weir_check_fail(checker, "max_gc_interval_when_soft_limited",
                        "'max_gc_interval_when_soft_limited' must not be smaller than "
                        "'max_gc_interval_when_hard_limited'");
}

static void limiter_config_check(const void *group, struct weir_checker *checker)
{
    const struct limiter_config *config = group;
    if (config->check_interval.ns <= 0)
        weir_check_fail(checker, "check_interval", "'check_interval' must be greater than zero");
    if (config->limit_mib == 0 && config->limit_percentage == 0)
        weir_check_fail(checker, NULL, "'limit_mib' or 'limit_percentage' must be greater than zero");
    if (config->limit_mib > 0 && config->spike_limit_mib >= config->limit_mib)
        weir_check_fail(checker, "spike_limit_mib", "'spike_limit_mib' must be smaller than 'limit_mib'");
    if (config->limit_mib == 0 && config->limit_percentage > 0 &&
        config->spike_limit_percentage >= config->limit_percentage)
        weir_check_fail(checker, "spike_limit_percentage",
                        "'spike_limit_percentage' must be smaller than 'limit_percentage'");
    check_gc_intervals(config, checker);
}

static const struct weir_option_table limiter_table = { limiter_options, sizeof(struct limiter_config),
                                                        limiter_config_check };

#define INSTRUMENT(what, items)                                                                         \
    { "processor_memory_limiter_" what "_" items, WEIR_COUNTER, WEIR_LEVEL_BASIC, "{item}",              \
      "Number of " items " " what " by the memory limiter", NULL, 0 }

/* Index: signal, and WEIR_PROFILES more for those refused. */
static const struct weir_instrument limiter_metrics[] = {
    [WEIR_TRACES] = INSTRUMENT("accepted", "spans"),
    [WEIR_METRICS] = INSTRUMENT("accepted", "metric_points"),
    [WEIR_LOGS] = INSTRUMENT("accepted", "log_records"),
    [WEIR_PROFILES + WEIR_TRACES] = INSTRUMENT("refused", "spans"),
    [WEIR_PROFILES + WEIR_METRICS] = INSTRUMENT("refused", "metric_points"),
    [WEIR_PROFILES + WEIR_LOGS] = INSTRUMENT("refused", "log_records"),
    { .name = NULL },
};

/* The limiter of one config entry, used by all its instances: the limit is the process's, not a pipeline's. */
struct shared_limiter {
    struct shared_limiter *next;
    struct limiter limiter;
    unsigned users;
    struct weir_instance *checked_by;
};

static struct shared_limiter *shared_limiters;

struct limiter_instance {
    struct shared_limiter *shared;
    enum weir_signal signal;
    struct weir_series *accepted;
    struct weir_series *refused;
};

/* Worker 0 of the instance that checks. */
struct limiter_checker {
    struct weir_timer timer;
    struct weir_instance *instance;
};

static struct shared_limiter *share_limiter(const struct limiter_config *config)
{
    struct shared_limiter *shared = shared_limiters;
    while (shared && shared->limiter.config != config)
        shared = shared->next;
    if (!shared) {
        shared = weir_xcalloc(1, sizeof *shared);
        limiter_init(&shared->limiter, config, weir_memory_total());
        shared->next = shared_limiters;
        shared_limiters = shared;
    }
    shared->users++;
    return shared;
}

static void release_limiter(struct shared_limiter *shared)
{
    if (--shared->users > 0)
        return;
    struct shared_limiter **at = &shared_limiters;
    while (*at != shared)
        at = &(*at)->next;
    *at = shared->next;
    free(shared);
}

static int limiter_create(struct weir_instance *instance, struct weir_error *error)
{
    (void)error;
    struct limiter_instance *own = weir_xcalloc(1, sizeof *own);
    own->shared = share_limiter(weir_instance_config(instance));
    own->signal = weir_instance_signal(instance);
    own->accepted = weir_meter_series(instance, own->signal, NULL, 0);
    own->refused = weir_meter_series(instance, WEIR_PROFILES + (unsigned)own->signal, NULL, 0);
    weir_instance_set_data(instance, own);
    return 0;
}

static uint64_t trim_memory(void)
{
    malloc_trim(0);
    return weir_memory_allocated();
}

static void check_memory(struct weir_timer *timer)
{
    struct limiter_checker *checker = WEIR_CONTAINER_OF(timer, struct limiter_checker, timer);
    struct limiter_instance *own = weir_instance_data(checker->instance);
    struct limiter *limiter = &own->shared->limiter;
    struct weir_logger *logger = weir_instance_logger(checker->instance);
    struct limiter_reading reading = {
        .allocated = weir_memory_allocated(),
        .reserved = weir_memory_reserved(),
        .now = weir_worker_now(timer->worker),
    };
    enum limiter_change change = limiter_check(limiter, reading, trim_memory);
    int64_t mib = (int64_t)(atomic_load(&limiter->allocated) >> 20);
    if (change == LIMITER_REFUSES) {
        weir_log(logger, WEIR_WARN, "Memory usage is above soft limit. Refusing data.",
                 WEIR_F_INT("cur_mem_mib", mib));
        weir_instance_report(checker->instance, WEIR_STATUS_RECOVERABLE_ERROR, REFUSED);
    } else if (change == LIMITER_RESUMES) {
        weir_log(logger, WEIR_INFO, "Memory usage back within limits. Resuming normal operation.",
                 WEIR_F_INT("cur_mem_mib", mib));
        weir_instance_report(checker->instance, WEIR_STATUS_RUNNING, NULL);
    }
    weir_timer_start(timer, limiter->config->check_interval.ns);
}

static void log_limits(struct weir_instance *instance, const struct limiter *limiter)
{
    weir_log(weir_instance_logger(instance), WEIR_INFO, "Memory limiter configured",
             WEIR_F_UINT("limit_mib", limiter->limits.hard >> 20),
             WEIR_F_UINT("spike_limit_mib", (limiter->limits.hard - limiter->limits.soft) >> 20),
             WEIR_F_DOUBLE("check_interval", (double)limiter->config->check_interval.ns / 1e9));
}

static int limiter_worker_start(struct weir_shard *shard, struct weir_error *error)
{
    (void)error;
    struct weir_instance *instance = weir_shard_instance(shard);
    struct limiter_instance *own = weir_instance_data(instance);
    if (weir_worker_index(weir_shard_worker(shard)) != 0 || own->shared->checked_by)
        return 0;
    own->shared->checked_by = instance;
    struct limiter_checker *checker = weir_xcalloc(1, sizeof *checker);
    checker->instance = instance;
    weir_timer_init(&checker->timer, weir_shard_worker(shard), check_memory);
    weir_shard_set_data(shard, checker);
    log_limits(instance, &own->shared->limiter);
    check_memory(&checker->timer);
    return 0;
}

static void limiter_consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct limiter_instance *own = weir_instance_data(weir_shard_instance(shard));
    double items = (double)weir_batch_items(batch);
    if (atomic_load_explicit(&own->shared->limiter.refusing, memory_order_acquire)) {
        struct weir_result refused = WEIR_RESULT_RETRYABLE(REFUSED);
        weir_series_add(own->refused, items);
        weir_batch_unref(batch);
        weir_ack_complete(ack, &refused);
        return;
    }
    weir_series_add(own->accepted, items);
    weir_shard_send(shard, batch, ack);
}

static bool limiter_admit(struct weir_shard *shard, enum weir_signal signal, size_t bytes,
                          struct weir_result *refusal)
{
    (void)signal;
    struct limiter_instance *own = weir_instance_data(weir_shard_instance(shard));
    if (limiter_admits(&own->shared->limiter, bytes, weir_memory_reserved()))
        return true;
    *refusal = WEIR_RESULT_RETRYABLE(REFUSED);
    return false;
}

static void limiter_worker_stop(struct weir_shard *shard)
{
    struct limiter_checker *checker = weir_shard_data(shard);
    if (!checker)
        return;
    struct limiter_instance *own = weir_instance_data(checker->instance);
    own->shared->checked_by = NULL;
    weir_timer_stop(&checker->timer);
    weir_shard_set_data(shard, NULL);
    free(checker);
}

static void limiter_destroy(struct weir_instance *instance)
{
    struct limiter_instance *own = weir_instance_data(instance);
    if (!own)
        return;
    release_limiter(own->shared);
    free(own);
    weir_instance_set_data(instance, NULL);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_PROCESSOR,
    .type = "memory_limiter",
    .version = PACKAGE_VERSION,
    .summary = "Refuses telemetry while the process uses too much memory.",
    .stability = { [WEIR_TRACES] = WEIR_BETA, [WEIR_METRICS] = WEIR_BETA, [WEIR_LOGS] = WEIR_BETA },
    .options = &limiter_table,
    .metrics = limiter_metrics,
    .create = limiter_create,
    .worker_start = limiter_worker_start,
    .consume = limiter_consume,
    .admit = limiter_admit,
    .worker_stop = limiter_worker_stop,
    .destroy = limiter_destroy,
};
