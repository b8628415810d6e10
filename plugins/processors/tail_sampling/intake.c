// SPDX-License-Identifier: Apache-2.0
/* Taking in a parcel: its spans by trace, each trace's to their place (contrib-processors 1.6). */
#include <config.h>

#include <stdlib.h>

#include <weir/memory.h>

#include "plugins/processors/tail_sampling/field.h"
#include "plugins/processors/tail_sampling/tail.h"

enum placed {
    PLACED,
    NO_ROOM,   /* to be tried again */
    NO_MEMORY,
};

#define NO_ITEM UINT32_MAX

/* Room for the touches of a group of so many spans. */
static bool prepare_touches(struct tail_shard *own, uint32_t count)
{
    size_t slots = 16;
    while (slots < (size_t)count * 2)
        slots *= 2;
    if (slots > own->touch_capacity * 2) {
        struct touch *touches = realloc(own->touches, slots / 2 * sizeof *touches);
        if (touches)
            own->touches = touches;
        uint32_t *numbers = touches ? realloc(own->touch_slots, slots * sizeof *numbers) : NULL;
        if (!numbers)
            return false;
        own->touch_slots = numbers;
        own->touch_capacity = slots / 2;
    }
    memset(own->touch_slots, 0xff, own->touch_capacity * 2 * sizeof *own->touch_slots);
    own->touch_count = 0;
    return true;
}

static struct touch *touch_for(struct tail_shard *own, const struct parcel *parcel, const struct item *item)
{
    uint64_t hash = item->hash;
    size_t mask = own->touch_capacity * 2 - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        if (own->touch_slots[at] == UINT32_MAX) {
            own->touch_slots[at] = (uint32_t)own->touch_count;
            struct touch *touch = &own->touches[own->touch_count++];
            *touch = (struct touch){ .hash = hash, .first = NO_ITEM, .last = NO_ITEM };
            table_expect(&own->table, hash);
            return touch;
        }
        struct touch *touch = &own->touches[own->touch_slots[at]];
        if (touch->hash == hash && memcmp(parcel_item(parcel, touch->first)->id, item->id, sizeof item->id) == 0)
            return touch;
    }
}

static bool sort_group(struct tail_shard *own, struct parcel *parcel, const struct item_group *group)
{
    if (!prepare_touches(own, group->count))
        return false;
    for (uint32_t at = group->first; at < group->first + group->count; at++) {
        struct item *item = parcel_item(parcel, at);
        struct touch *touch = touch_for(own, parcel, item);
        item->next = NO_ITEM;
        if (touch->last == NO_ITEM)
            touch->first = at;
        else
            parcel_item(parcel, touch->last)->next = at;
        touch->last = at;
        touch->items++;
        touch->root |= item->root;
        touch->length += item->length;
    }
    return true;
}

/* The spans from `at` on that have the same head, as one chunk. */
static struct chunk *make_chunk(struct tail_shard *own, const struct parcel *parcel, uint32_t *at)
{
    uint32_t head = parcel_item(parcel, *at)->head, end = *at, items = 0;
    uint64_t length = 0;
    for (; end != NO_ITEM && parcel_item(parcel, end)->head == head; end = parcel_item(parcel, end)->next, items++)
        length += parcel_item(parcel, end)->length;
    struct chunk *chunk =
        length <= UINT32_MAX ? chunk_new(&own->table.store, &parcel->heads[head], (uint32_t)length) : NULL;
    if (!chunk)
        return NULL;
    chunk->claimed = parcel->claims;
    chunk->items = items & 0x3fffffff;
    uint8_t *room = chunk->data;
    for (; *at != end; *at = parcel_item(parcel, *at)->next) {
        const struct item *item = parcel_item(parcel, *at);
        memcpy(room, item->data, item->length);
        room += item->length;
    }
    return chunk;
}

struct chunk *tail_chunks(struct tail_shard *own, const struct parcel *parcel, const struct touch *touch)
{
    struct chunk *first = NULL, **end = &first;
    uint32_t at = touch->first;
    while (at != NO_ITEM) {
        struct chunk *chunk = make_chunk(own, parcel, &at);
        if (!chunk) {
            chunks_free(&own->table.store, first);
            return NULL;
        }
        chunk->joined = first != NULL;
        *end = chunk;
        end = &chunk->next;
    }
    return first;
}

/* Upstream writes resource and scope also where they are empty, and leaves out the schemas' URLs. */
size_t chunks_plain_size(const struct chunk *first)
{
    size_t payload = first->head->group_plain ? first->head->group_plain : 2;
    for (const struct chunk *chunk = first; chunk; chunk = chunk->next)
        payload += field_size((chunk->head->scope_plain ? chunk->head->scope_plain : 2) + chunk->length);
    return field_size(payload);
}

/* Spans that come when their trace has been sampled. */
static enum placed forward(struct tail_shard *own, struct parcel *parcel, const struct touch *touch)
{
    struct chunk *chunks = tail_chunks(own, parcel, touch);
    struct claim *claims = NULL;
    if (!chunks)
        return NO_MEMORY;
    if (parcel->claims)
        claim_add(&claims, parcel, touch->items);
    else
        own->kept += touch->items;
    outbox_add(own, chunks, touch->items, parcel->claims ? 0 : touch->items, claims);
    chunks_free(&own->table.store, chunks);
    if (!parcel->claims)
        parcel_done(parcel, touch->items);
    return PLACED;
}

static enum placed discard(struct tail_shard *own, struct parcel *parcel, const struct touch *touch, const char *reason)
{
    weir_shard_drop(own->shard, WEIR_TRACES, touch->items, reason);
    parcel_done(parcel, touch->items);
    return PLACED;
}

static enum placed place_late(struct tail_shard *own, struct parcel *parcel, const struct touch *touch,
                              const struct trace *trace)
{
    weir_series_observe(own->tail->metrics.late_age, tail_second(own) - trace->moment);
    if (trace->state == TRACE_SAMPLED)
        return forward(own, parcel, touch);
    if (trace->state == TRACE_DROPPED)
        weir_log(weir_instance_logger(own->tail->instance), WEIR_WARN, "Spans of a dropped trace came late",
                 WEIR_F_UINT("spans", touch->items));
    return discard(own, parcel, touch, trace->state == TRACE_DROPPED ? "policy_drop" : "not_sampled");
}

/* The probes' answers to this part of the trace in own->bits, from `times` on, which it moves. */
static void ask_part(struct tail_shard *own, const struct parcel *parcel, const struct touch *touch, uint64_t *times)
{
    size_t words = own->table.bit_words;
    memset(own->bits, 0, words * sizeof *own->bits);
    for (uint32_t at = touch->first; at != NO_ITEM; at = parcel_item(parcel, at)->next) {
        const struct item *item = parcel_item(parcel, at);
        for (size_t i = 0; i < words; i++)
            own->bits[i] |= item->bits[i];
        if (times)
            probe_latency(&own->tail->probes, item->start, item->end, &times[0], &times[1], own->bits);
    }
}

static bool is_too_large(const struct tail_shard *own, const struct trace *trace)
{
    int64_t most = own->tail->config->maximum_trace_size_bytes;
    return (most > 0 && trace->bytes > (uint64_t)most) || (own->most_bytes > 0 && trace->bytes > own->most_bytes / 8);
}

/* The trace's spans are in its chunks: what follows from them at once. */
static void follow_up(struct tail_shard *own, const struct touch *touch, uint32_t number, const struct evidence *part)
{
    const struct tail_config *config = own->tail->config;
    if (is_too_large(own, table_at(&own->table, number))) {
        tail_decide_too_large(own, number);
        return;
    }
    if (touch->root && config->decision_wait_after_root_received.ns > 0)
        table_hasten(&own->table, number,
                     own->table.tick + 1 + (uint32_t)(config->decision_wait_after_root_received.ns / SECOND));
    if (config->sampling_strategy == STRATEGY_SPAN_INGEST)
        tail_decide_part(own, number, part);
}

static void store(struct tail_shard *own, struct parcel *parcel, const struct touch *touch, uint32_t number,
                  struct chunk *chunks)
{
    struct trace *trace = table_at(&own->table, number);
    uint64_t none[2] = { 0, 0 }, *times = trace_times(&own->table, trace);
    size_t size = chunks_plain_size(chunks);
    bool alone = own->tail->config->sampling_strategy == STRATEGY_SPAN_INGEST;
    ask_part(own, parcel, touch, times && alone ? none : times);
    for (size_t i = 0; i < own->table.bit_words; i++)
        trace->words[i] |= own->bits[i];
    while (chunks) {
        struct chunk *next = chunks->next;
        trace_append(&own->table, trace, chunks);
        chunks = next;
    }
    trace->bytes += size;
    if (parcel->claims)
        claim_add(&trace->claims, parcel, touch->items);
    else
        own->kept += touch->items;
    struct evidence part = { .trace_id = trace->id, .bits = own->bits, .spans = touch->items, .bytes = size };
    follow_up(own, touch, number, &part);
    if (!parcel->claims)
        parcel_done(parcel, touch->items);
}

static enum placed keep(struct tail_shard *own, struct parcel *parcel, const struct touch *touch, uint32_t number)
{
    if (!tail_make_room(own, number, chunk_size(touch->length)))
        return NO_ROOM;
    struct chunk *chunks = tail_chunks(own, parcel, touch);
    if (!chunks)
        return NO_MEMORY;
    if (number == NO_TRACE) {
        number = table_add(&own->table, parcel_item(parcel, touch->first)->id, touch->hash, tail_second(own));
        weir_series_add(own->tail->metrics.new_traces, 1);
    }
    if (number == NO_TRACE) {
        chunks_free(&own->table.store, chunks);
        return NO_MEMORY;
    }
    store(own, parcel, touch, number, chunks);
    return PLACED;
}

static enum placed place(struct tail_shard *own, struct parcel *parcel, const struct touch *touch)
{
    const uint8_t *id = parcel_item(parcel, touch->first)->id;
    const struct tail_metrics *metrics = &own->tail->metrics;
    if (cache_has(&own->sampled, id, touch->hash)) {
        weir_series_add(metrics->early[1], touch->items);
        return forward(own, parcel, touch);
    }
    if (cache_has(&own->not_sampled, id, touch->hash)) {
        weir_series_add(metrics->early[0], touch->items);
        return discard(own, parcel, touch, "not_sampled");
    }
    uint32_t number = table_find(&own->table, id, touch->hash);
    if (number != NO_TRACE && table_at(&own->table, number)->state != TRACE_PENDING)
        return place_late(own, parcel, touch, table_at(&own->table, number));
    return keep(own, parcel, touch, number);
}

static uint64_t items_left(const struct tail_shard *own, const struct parcel *parcel, bool sorted)
{
    uint64_t left = 0;
    for (uint32_t at = parcel->at_group + sorted; at < parcel->group_count; at++)
        left += parcel->groups[at].count;
    for (size_t at = parcel->at_touch; sorted && at < own->touch_count; at++)
        left += own->touches[at].items;
    return left;
}

#define AHEAD 8 /* touches whose traces are asked for; their places in the index have been */

static void look_ahead(const struct tail_shard *own, size_t at)
{
    if (at < own->touch_count)
        table_expect_trace(&own->table, own->touches[at].hash);
}

static enum placed place_next(struct tail_shard *own, struct parcel *parcel)
{
    for (size_t at = 0; parcel->at_touch == 0 && at < AHEAD; at++)
        look_ahead(own, at);
    look_ahead(own, parcel->at_touch + AHEAD);
    return place(own, parcel, &own->touches[parcel->at_touch]);
}

/* Places from where the parcel was left; false when it has to wait for room. The parcel is gone, or only claims keep it,
 * on true. */
static bool take_on(struct tail_shard *own, struct parcel *parcel, bool resumed)
{
    struct weir_result out_of_memory = WEIR_RESULT_RETRYABLE("out of memory");
    enum placed placed = PLACED;
    parcel_hold(parcel);
    for (; parcel->at_group < parcel->group_count; parcel->at_group++, parcel->at_touch = 0, resumed = false) {
        bool sorted = resumed || sort_group(own, parcel, &parcel->groups[parcel->at_group]);
        placed = sorted ? PLACED : NO_MEMORY;
        for (; placed == PLACED && parcel->at_touch < own->touch_count; parcel->at_touch += placed == PLACED)
            placed = place_next(own, parcel);
        if (placed == NO_MEMORY) {
            parcel_failed(parcel, items_left(own, parcel, sorted), &out_of_memory);
            break;
        }
        if (placed == NO_ROOM) {
            parcel_let_go(parcel);
            return false;
        }
    }
    parcel_release(parcel);
    parcel_let_go(parcel);
    return true;
}

static void after_taking(struct tail_shard *own)
{
    if (own->draining)
        tail_finish(own);
    outbox_flush(own);
}

void tail_take(struct tail_shard *own, struct parcel *parcel)
{
    if (!own->open) {
        struct weir_result why = WEIR_RESULT_RETRYABLE("shutting down");
        parcel_failed(parcel, parcel->pending, &why);
        return;
    }
    parcel->claims |= own->draining && !own->tail->disk;
    if (!own->first_blocked && take_on(own, parcel, false)) {
        after_taking(own);
        return;
    }
    if (own->last_blocked)
        own->last_blocked->next = parcel;
    else
        own->first_blocked = parcel;
    own->last_blocked = parcel;
    after_taking(own);
}

void tail_resume(struct tail_shard *own)
{
    bool resumed = true;
    while (own->first_blocked) {
        struct parcel *parcel = own->first_blocked, *next = parcel->next;
        parcel->claims |= own->draining && !own->tail->disk;
        if (!take_on(own, parcel, resumed))
            break;
        own->first_blocked = next;
        if (!next)
            own->last_blocked = NULL;
        resumed = false;
    }
}
