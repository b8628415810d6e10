// SPDX-License-Identifier: Apache-2.0
/*
 * Reload: the traces of an instance that goes, decided or not, and what its caches know, to its successor. Policies may be
 * others there, so each span is asked the new probes.
 */
#include <config.h>

#include <stdlib.h>

#include "plugins/processors/tail_sampling/field.h"
#include "plugins/processors/tail_sampling/tail.h"

/* What one worker leaves. */
struct legacy {
    struct weir_task task;
    struct tail *to;
    unsigned worker;
    struct table table;
    struct cache sampled, not_sampled;
    int64_t epoch;
};

struct legacies {
    unsigned count;
    struct legacy *items[]; /* by worker */
};

void *tail_export(struct weir_instance *instance)
{
    struct tail *tail = weir_instance_data(instance);
    struct legacies *state = weir_xcalloc(1, sizeof *state + tail->shard_count * sizeof(struct legacy *));
    state->count = tail->shard_count;
    for (unsigned i = 0; i < tail->shard_count; i++) {
        struct tail_shard *own = &tail->shards[i];
        struct legacy *legacy = weir_xcalloc(1, sizeof *legacy);
        legacy->worker = i;
        legacy->table = own->table;
        legacy->sampled = own->sampled;
        legacy->not_sampled = own->not_sampled;
        legacy->epoch = own->epoch;
        state->items[i] = legacy;
        table_init(&own->table, 0, false, 1, 0);
        cache_init(&own->sampled, 0);
        cache_init(&own->not_sampled, 0);
        if (own->shard)
            weir_shard_hand_over(own->shard, WEIR_TRACES, own->kept);
        own->kept = 0;
    }
    return state;
}

/* Asks the probes of what is in the chunks, in their order. */
static void ask_chunks(struct tail_shard *own, struct trace *trace)
{
    const struct probes *probes = &own->tail->probes;
    uint64_t *times = trace_times(&own->table, trace);
    for (const struct chunk *chunk = trace->first; chunk; chunk = chunk->next) {
        struct weir_cursor cursor = field_start(weir_str_make((const char *)chunk->data, chunk->length));
        struct field field;
        struct span_view view;
        probe_resource(probes, &own->scratch, head_parts_of(chunk->head).group, trace->words);
        while (field_next(&cursor, &field)) {
            probe_span(probes, &own->scratch, field.bytes, &view, trace->words);
            if (times)
                probe_latency(probes, view.start, view.end, &times[0], &times[1], trace->words);
        }
    }
}

/* The chunks of the old trace as chunks of this table; what memory is out for is dropped. */
static struct chunk *take_chunks(struct tail_shard *own, struct table *from, struct trace *old)
{
    struct chunk *first = NULL, **end = &first;
    while (old->first) {
        struct chunk *chunk = old->first;
        struct head_parts parts = head_parts_of(chunk->head);
        struct chunk *copy = chunk_new(&own->table.store, &parts, chunk->length);
        old->first = chunk->next;
        from->chunk_bytes -= chunk_cost(chunk);
        chunk->next = NULL;
        if (copy) {
            copy->items = chunk->items;
            copy->joined = chunk->joined;
            copy->claimed = chunk->claimed;
            memcpy(copy->data, chunk->data, chunk->length);
            *end = copy;
            end = &copy->next;
        } else {
            weir_shard_drop(own->shard, WEIR_TRACES, chunk->items, "out_of_memory");
        }
        chunks_free(&from->store, chunk);
    }
    old->last = NULL;
    return first;
}

static uint64_t spans_of(const struct chunk *chunk)
{
    uint64_t spans = 0;
    for (; chunk; chunk = chunk->next)
        spans += chunk->items;
    return spans;
}

/* In front of what has come to the new instance meanwhile. */
static void put_first(struct tail_shard *own, struct trace *trace, struct chunk *chunks, uint64_t bytes)
{
    struct chunk *behind = trace->first;
    trace->first = trace->last = NULL;
    for (struct chunk *next; chunks; chunks = next) {
        next = chunks->next;
        trace_append(&own->table, trace, chunks);
    }
    if (behind) {
        trace->last->next = behind;
        while (trace->last->next)
            trace->last = trace->last->next;
    }
    trace->bytes += bytes;
    memset(trace->words, 0, own->table.stride - sizeof *trace);
    ask_chunks(own, trace);
}

/* Spans of a trace that the new instance has decided already. */
static void follow_decision(struct tail_shard *own, struct chunk *chunks, bool sampled)
{
    uint64_t spans = spans_of(chunks);
    if (sampled) {
        outbox_add(own, chunks, spans, spans, NULL);
    } else {
        own->kept -= spans;
        weir_shard_drop(own->shard, WEIR_TRACES, spans, "not_sampled");
    }
    chunks_free(&own->table.store, chunks);
}

static uint32_t add(struct tail_shard *own, const struct trace *old, uint64_t hash, int64_t shift)
{
    int64_t arrived = (int64_t)old->arrived + shift; /* before our own clock began: below 0, which wraps back in ages */
    uint32_t number = tail_make_room(own, NO_TRACE, 0) || own->table.decided.first != NO_TRACE
                          ? table_add(&own->table, old->id, hash, (uint32_t)arrived)
                          : NO_TRACE;
    return number;
}

static void adopt_pending(struct tail_shard *own, struct legacy *legacy, struct trace *old, int64_t shift)
{
    struct table *table = &own->table;
    uint64_t hash = trace_hash(old->id);
    struct chunk *chunks = take_chunks(own, &legacy->table, old);
    uint64_t spans = spans_of(chunks), bytes = old->bytes;
    uint32_t due = trace_is_ripe(&legacy->table, old) ? 0 : old->moment - legacy->table.tick;
    uint32_t number = table_find(table, old->id, hash);
    own->kept += spans;
    bool sampled = cache_has(&own->sampled, old->id, hash);
    if (sampled || cache_has(&own->not_sampled, old->id, hash)) {
        follow_decision(own, chunks, sampled);
        return;
    }
    if (number != NO_TRACE && table_at(table, number)->state != TRACE_PENDING) {
        follow_decision(own, chunks, table_at(table, number)->state == TRACE_SAMPLED);
        return;
    }
    if (number == NO_TRACE)
        number = add(own, old, hash, shift);
    if (number == NO_TRACE) {
        own->kept -= spans;
        weir_shard_drop(own->shard, WEIR_TRACES, spans, "evicted");
        chunks_free(&table->store, chunks);
        return;
    }
    put_first(own, table_at(table, number), chunks, bytes);
    table_hasten(table, number, table->tick + (due > 0 ? due : 1));
}

static void adopt_decided(struct tail_shard *own, struct trace *old, int64_t shift)
{
    uint64_t hash = trace_hash(old->id);
    uint32_t number = table_find(&own->table, old->id, hash);
    if (number == NO_TRACE)
        number = add(own, old, hash, shift);
    if (number == NO_TRACE || table_at(&own->table, number)->state != TRACE_PENDING)
        return;
    tail_settle(own, number, old->state, old->state == TRACE_DROPPED ? "policy_drop" : "not_sampled");
}

static void adopt_cache(struct cache *to, const struct cache *from)
{
    uint32_t at = 0;
    uint64_t half;
    while (to->size > 0 && cache_next(from, &at, &half)) {
        uint8_t id[16] = { 0 };
        memcpy(id + 8, &half, sizeof half);
        if (!cache_add(to, id, trace_hash(id)))
            return;
    }
}

static void adopt(struct tail_shard *own, struct legacy *legacy)
{
    struct table *from = &legacy->table;
    int64_t shift = (legacy->epoch - own->epoch) / SECOND;
    adopt_cache(&own->sampled, &legacy->sampled);
    adopt_cache(&own->not_sampled, &legacy->not_sampled);
    for (uint32_t at = from->oldest; at != NO_TRACE; at = table_at(from, at)->newer) {
        struct trace *old = table_at(from, at);
        weir_shard_make(own->shard, WEIR_TRACES, old->spans);
        if (old->state == TRACE_PENDING)
            adopt_pending(own, legacy, old, shift);
        else
            adopt_decided(own, old, shift);
    }
    outbox_flush(own);
}

static void drop(struct tail_shard *own, const struct table *from)
{
    for (uint32_t at = from->oldest; at != NO_TRACE; at = table_at(from, at)->newer) {
        const struct trace *old = table_at(from, at);
        if (old->state != TRACE_PENDING || own->tail->destroyed)
            continue;
        weir_shard_make(own->shard, WEIR_TRACES, old->spans);
        weir_shard_drop(own->shard, WEIR_TRACES, old->spans, "shutdown");
    }
}

static void free_legacy(struct legacy *legacy)
{
    table_free(&legacy->table);
    cache_free(&legacy->sampled);
    cache_free(&legacy->not_sampled);
    free(legacy);
}

/* On the worker. */
static void arrived(struct weir_task *task)
{
    struct legacy *legacy = WEIR_CONTAINER_OF(task, struct legacy, task);
    struct tail *tail = legacy->to;
    struct tail_shard *own = &tail->shards[legacy->worker];
    if (own->open)
        adopt(own, legacy);
    else
        drop(own, &legacy->table);
    free_legacy(legacy);
    tail_unref(tail);
}

int tail_import(struct weir_instance *instance, void *state, struct weir_error *error)
{
    struct tail *tail = weir_instance_data(instance);
    struct legacies *from = state;
    (void)error;
    for (unsigned i = 0; i < from->count; i++) {
        struct legacy *legacy = from->items[i];
        legacy->to = tail_ref(tail);
        legacy->task.run = arrived;
        weir_worker_post(tail->shards[i].worker, &legacy->task);
    }
    free(from);
    return 0;
}
