// SPDX-License-Identifier: Apache-2.0
/* The tail_sampling processor: decides on whole traces whether they are kept (contrib-processors 1). */
#include <config.h>

#include <stdlib.h>
#include <time.h>

#include "plugins/processors/tail_sampling/tail.h"

int64_t tail_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

struct tail *tail_ref(struct tail *tail)
{
    atomic_fetch_add(&tail->references, 1);
    return tail;
}

void tail_unref(struct tail *tail)
{
    if (atomic_fetch_sub(&tail->references, 1) > 1)
        return;
    free(tail->shards);
    free(tail);
}

static int add_voter(struct tail *tail, struct weir_instance *instance, const struct policy_options *options,
                     struct weir_error *error)
{
    struct voter *voter = &tail->voters[tail->voter_count];
    voter->policy = policy_new(options, &tail->probes, error);
    if (!voter->policy)
        return weir_error_prefix(error, "policy \"%s\"", options->leaf.name);
    tail->voter_count++;
    voter_metrics_init(&voter->metrics, instance, options->leaf.name);
    if (tail->config->sampling_strategy != STRATEGY_SPAN_INGEST || !voter->policy->needs_whole)
        return 0;
    return weir_error_set(error,
                          "policy \"%s\" cannot be used with sampling_strategy span-ingest: it needs the whole trace",
                          options->leaf.name);
}

/* Those that drop vote before all others. */
static int make_voters(struct tail *tail, struct weir_instance *instance, struct weir_error *error)
{
    const struct weir_groups *groups = &tail->config->policies;
    const struct policy_options *options = groups->items;
    tail->voters = weir_xcalloc(groups->count + 1, sizeof *tail->voters);
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < groups->count; i++)
            if ((options[i].leaf.type == POLICY_DROP) == (turn == 0) &&
                add_voter(tail, instance, &options[i], error) != 0)
                return -1;
        if (turn == 0)
            tail->dropper_count = tail->voter_count;
    }
    return 0;
}

static int create(struct weir_instance *instance, struct weir_error *error)
{
    struct tail *tail = weir_xcalloc(1, sizeof *tail);
    atomic_init(&tail->references, 1);
    tail->instance = instance;
    tail->config = weir_instance_config(instance);
    tail->shard_count = weir_worker_count();
    tail->shards = weir_xcalloc(tail->shard_count, sizeof *tail->shards);
    weir_instance_set_data(instance, tail);
    tail_metrics_init(&tail->metrics, instance);
    return make_voters(tail, instance, error);
}

static uint32_t part_of(int64_t whole, unsigned parts)
{
    return whole < (int64_t)parts ? whole > 0 : (uint32_t)(whole / parts);
}

static void tick(struct weir_timer *timer)
{
    struct tail_shard *own = WEIR_CONTAINER_OF(timer, struct tail_shard, timer);
    int64_t now = weir_worker_now(own->worker);
    own->next_tick = own->next_tick + SECOND > now ? own->next_tick + SECOND : now + SECOND;
    weir_timer_start(timer, own->next_tick - now);
    if (own->tick_began == 0)
        own->tick_began = tail_clock();
    table_tick(&own->table);
    tail_decide_ripe(own);
}

static void init_table(struct tail_shard *own)
{
    const struct tail *tail = own->tail;
    const struct tail_config *config = tail->config;
    int64_t wait = config->decision_wait.ns / SECOND;
    double expected = (double)config->expected_new_traces_per_sec * (double)(wait + 1);
    if (expected > (double)config->num_traces)
        expected = (double)config->num_traces;
    table_init(&own->table, probe_words(&tail->probes), tail->probes.latencies != NULL, wait > 1 ? (uint32_t)wait : 1,
               (uint32_t)(expected / tail->shard_count));
}

static int worker_start(struct weir_shard *shard, struct weir_error *error)
{
    struct tail *tail = weir_instance_data(weir_shard_instance(shard));
    const struct tail_config *config = tail->config;
    struct weir_worker *worker = weir_shard_worker(shard);
    struct tail_shard *own = &tail->shards[weir_worker_index(worker)];
    (void)error;
    own->tail = tail;
    own->shard = shard;
    own->worker = worker;
    own->epoch = weir_worker_now(worker);
    own->most_traces = part_of(config->num_traces, tail->shard_count);
    own->most_bytes = (size_t)config->maximum_pending_bytes / tail->shard_count;
    init_table(own);
    cache_init(&own->sampled, part_of(config->decision_cache.sampled_cache_size, tail->shard_count));
    cache_init(&own->not_sampled, part_of(config->decision_cache.non_sampled_cache_size, tail->shard_count));
    probe_scratch_init(&own->scratch, &tail->probes);
    own->bits = weir_xcalloc(2 * own->table.bit_words + 1, sizeof *own->bits);
    own->open = true;
    own->next_tick = own->epoch + SECOND;
    weir_timer_init(&own->timer, worker, tick);
    weir_timer_start(&own->timer, SECOND);
    weir_shard_set_data(shard, own);
    return 0;
}

/* The encoded request in one piece: a reference on the buffer. */
static struct weir_buffer *encode(struct weir_batch *batch, struct weir_str *bytes)
{
    struct weir_slices slices = { 0 };
    struct weir_buffer *buffer = NULL;
    if (weir_batch_encode(batch, &slices)) {
        if (slices.count == 1 && slices.buffers[0]) {
            buffer = weir_buffer_ref(slices.buffers[0]);
            *bytes = weir_str_make(slices.ranges[0].iov_base, slices.ranges[0].iov_len);
        } else if ((buffer = weir_slices_join(&slices))) {
            *bytes = weir_str_make((const char *)buffer->data, buffer->length);
        }
    }
    weir_slices_free(&slices);
    return buffer;
}

static void refuse(struct weir_ack *ack)
{
    weir_ack_complete(ack, &WEIR_RESULT_RETRYABLE("out of memory"));
}

void tail_consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct tail_shard *own = weir_shard_data(shard);
    struct parcel **parcels = weir_xcalloc(own->tail->shard_count, sizeof *parcels);
    struct weir_str bytes = WEIR_STR_NONE;
    bool empty = weir_batch_items(batch) == 0;
    struct weir_buffer *buffer = empty ? NULL : encode(batch, &bytes);
    bool scanned = buffer && scan_request(own, buffer, bytes, parcels);
    weir_batch_unref(batch);
    weir_buffer_unref(buffer);
    if (empty)
        weir_ack_ok(ack);
    else if (!scanned)
        refuse(ack);
    else
        request_begin(own, parcels, ack);
    free(parcels);
}

/* Answers, before the trace is decided, only those who ask for no more. */
static enum weir_promise promise(struct weir_instance *instance, enum weir_promise asked)
{
    (void)instance;
    return asked;
}

static uint64_t held(struct weir_shard *shard, enum weir_signal signal)
{
    const struct tail_shard *own = weir_shard_data(shard);
    return signal == WEIR_TRACES ? own->kept - own->early + own->late + own->saved : 0;
}

static void drain(struct weir_shard *shard)
{
    struct tail_shard *own = weir_shard_data(shard);
    own->draining = true;
    tail_finish(own);
    tail_drained_if_empty(own);
}

void tail_drained_if_empty(struct tail_shard *own)
{
    if (!own->draining || !own->open || own->sending > 0 || own->saving > 0 || own->requests || own->first_blocked ||
        table_ripe(&own->table) != NO_TRACE)
        return;
    own->draining = false;
    weir_shard_drained(own->shard);
}

bool tail_unclaim(struct tail_shard *own, uint32_t number)
{
    struct table *table = &own->table;
    struct trace *trace = table_at(table, number);
    struct claim *claims = trace->claims;
    struct chunk *chunks = trace->first;
    if (!claims)
        return true;
    trace->claims = NULL;
    trace->first = trace->last = NULL;
    trace->spans = 0;
    while (chunks) {
        struct chunk *chunk = chunks;
        chunks = chunk->next;
        chunk->next = NULL;
        table->chunk_bytes -= chunk_cost(chunk);
        if (chunk->claimed)
            chunks_free(&table->store, chunk);
        else
            trace_append(table, trace, chunk);
    }
    bool left = trace->first != NULL;
    if (!left)
        table_remove(table, number);
    claims_settle(claims, &WEIR_RESULT_RETRYABLE("shutting down"));
    return left;
}

static void refuse_blocked(struct tail_shard *own)
{
    while (own->first_blocked) {
        struct parcel *parcel = own->first_blocked;
        struct weir_result why = WEIR_RESULT_RETRYABLE("shutting down");
        own->first_blocked = parcel->next;
        uint64_t left = parcel->pending;
        parcel_failed(parcel, left, &why);
    }
    own->last_blocked = NULL;
}

/* Undecided traces stay for export_state, or for stop to drop. */
static void worker_stop(struct weir_shard *shard)
{
    struct tail_shard *own = weir_shard_data(shard);
    if (!own || !own->open)
        return;
    own->open = false;
    weir_timer_stop(&own->timer);
    refuse_blocked(own);
    if (weir_worker_index(own->worker) == 0)
        disk_interrupt(own->tail->disk);
    for (uint32_t at = own->table.oldest, next; at != NO_TRACE; at = next) {
        next = table_at(&own->table, at)->newer;
        tail_unclaim(own, at);
    }
    requests_end(own);
    weir_series_add(own->tail->metrics.on_memory, -(double)own->counted);
    own->counted = 0;
}

/* What nobody has taken over. */
static void stop(struct weir_instance *instance)
{
    struct tail *tail = weir_instance_data(instance);
    if (!tail)
        return;
    disk_close(tail->disk);
    tail->disk = NULL;
    for (unsigned i = 0; i < tail->shard_count; i++) {
        struct tail_shard *own = &tail->shards[i];
        if (own->saved > 0)
            weir_shard_keep(own->shard, WEIR_TRACES, own->saved);
        own->saved = 0;
        if (own->kept > 0)
            weir_shard_drop(own->shard, WEIR_TRACES, own->kept, "shutdown");
        own->kept = 0;
    }
}

static void free_shard(struct tail_shard *own)
{
    if (!own->tail)
        return;
    weir_shard_set_data(own->shard, NULL);
    table_free(&own->table);
    cache_free(&own->sampled);
    cache_free(&own->not_sampled);
    probe_scratch_clear(&own->scratch);
    free(own->bits);
    free(own->touches);
    free(own->touch_slots);
    own->bits = NULL;
}

static void ready(struct weir_instance *instance, bool ready)
{
    struct tail *tail = weir_instance_data(instance);
    if (ready && tail->config->storage.id && !tail->disk)
        tail->disk = disk_open(tail);
}

static void destroy(struct weir_instance *instance)
{
    struct tail *tail = weir_instance_data(instance);
    if (!tail)
        return;
    for (unsigned i = 0; i < tail->shard_count; i++)
        free_shard(&tail->shards[i]);
    for (size_t i = 0; i < tail->voter_count; i++)
        policy_free(tail->voters[i].policy);
    free(tail->voters);
    probes_clear(&tail->probes);
    weir_instance_set_data(instance, NULL);
    atomic_store(&tail->destroyed, true);
    tail_unref(tail);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_PROCESSOR,
    .type = "tail_sampling",
    .version = PACKAGE_VERSION,
    .summary = "Decides on whole traces, by policies, whether they are kept.",
    .stability = { [WEIR_TRACES] = WEIR_BETA },
    .traits = WEIR_HOLDS,
    .options = &tail_table,
    .metrics = tail_instruments,
    .create = create,
    .worker_start = worker_start,
    .consume = tail_consume,
    .promise = promise,
    .held = held,
    .drain = drain,
    .worker_stop = worker_stop,
    .stop = stop,
    .destroy = destroy,
    .export_state = tail_export,
    .import_state = tail_import,
    .ready = ready,
};
