// SPDX-License-Identifier: Apache-2.0
/*
 * One pass over a request: each span is read, asked the policies' probes, and goes into the parcel of the worker that owns
 * its trace, as a view of the bytes that arrived.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/memory.h>

#include "plugins/processors/tail_sampling/field.h"
#include "plugins/processors/tail_sampling/tail.h"

/* Fields of one message but the repeated one, in their order: usually one piece. */
struct pieces {
    struct weir_str first;
    struct weir_text joined; /* from the second piece on: all of them */
    size_t schema;           /* bytes of them that are the schema's URL */
};

struct scan {
    struct tail_shard *own;
    struct weir_buffer *buffer;
    struct parcel **parcels;
    struct pieces group, scope;
};

static void pieces_add(struct pieces *pieces, const struct field *field)
{
    if (field->number == 3)
        pieces->schema += field->whole.length;
    if (pieces->first.length == 0) {
        pieces->first = field->whole;
        return;
    }
    if (pieces->joined.length == 0)
        weir_text_add(&pieces->joined, pieces->first.data, pieces->first.length);
    weir_text_add(&pieces->joined, field->whole.data, field->whole.length);
}

static void pieces_clear(struct pieces *pieces)
{
    pieces->first = WEIR_STR_NONE;
    pieces->schema = 0;
    weir_text_clear(&pieces->joined);
}

/* A view that lives as long as the parcel; .data is NULL for a text that is not empty when memory is out. */
static struct weir_str pieces_for(const struct pieces *pieces, struct parcel *parcel)
{
    return pieces->joined.length == 0 ? pieces->first : weir_arena_copy(&parcel->arena, weir_text_view(&pieces->joined));
}

/* Room for one more element of `size` bytes behind the pointer that `list` points at. */
static bool has_room(void *list, uint32_t count, uint32_t *capacity, size_t size)
{
    void *array;
    size_t bytes;
    if (count < *capacity)
        return true;
    uint32_t more = *capacity ? *capacity * 2 : 16;
    if (more < *capacity || !weir_size_mul(more, size, &bytes))
        return false;
    memcpy(&array, list, sizeof array);
    array = realloc(array, bytes);
    if (!array)
        return false;
    memcpy(list, &array, sizeof array);
    *capacity = more;
    return true;
}

static struct parcel *parcel_new(struct scan *scan, struct tail_shard *owner)
{
    struct parcel *parcel = calloc(1, sizeof *parcel);
    if (!parcel)
        return NULL;
    parcel->owner = owner;
    parcel->buffer = weir_buffer_ref(scan->buffer);
    parcel->stride = sizeof(struct item) + owner->table.bit_words * sizeof(uint64_t);
    parcel->scope_head = UINT32_MAX;
    parcel->worst = WEIR_RESULT_OK;
    return parcel;
}

/* The parcel for the worker that owns the trace, with a group for this ResourceSpans and a head for this scope. */
static struct parcel *parcel_for(struct scan *scan, uint64_t hash)
{
    struct tail *tail = scan->own->tail;
    unsigned at = (unsigned)((hash >> 32) * tail->shard_count >> 32);
    struct parcel *parcel = scan->parcels[at];
    if (!parcel)
        parcel = scan->parcels[at] = parcel_new(scan, &tail->shards[at]);
    if (!parcel || parcel->scope_head != UINT32_MAX)
        return parcel;
    if (!has_room(&parcel->heads, parcel->head_count, &parcel->head_capacity, sizeof *parcel->heads))
        return NULL;
    parcel->scope_head = parcel->head_count++;
    parcel->heads[parcel->scope_head] = (struct head_parts){ .hash = 0 };
    return parcel;
}

static bool take_span(struct scan *scan, const struct field *field)
{
    struct tail_shard *own = scan->own;
    struct span_view view;
    uint64_t *bits = own->bits;
    size_t words = own->table.bit_words;
    /* The resource's answers are those of each of its spans. */
    memcpy(bits, bits + words, words * sizeof *bits);
    probe_span(&own->tail->probes, &own->scratch, field->bytes, &view, bits);
    uint64_t hash = trace_hash(view.trace_id);
    struct parcel *parcel = parcel_for(scan, hash);
    if (!parcel || !has_room(&parcel->items, parcel->item_count, &parcel->item_capacity, parcel->stride))
        return false;
    struct item *item = parcel_item(parcel, parcel->item_count++);
    *item = (struct item){
        .data = (const uint8_t *)field->whole.data,
        .length = (uint32_t)field->whole.length,
        .head = parcel->scope_head,
        .root = view.root,
        .hash = hash,
        .start = view.start,
        .end = view.end,
    };
    memcpy(item->id, view.trace_id, sizeof item->id);
    memcpy(item->bits, bits, words * sizeof *bits);
    parcel->reserved += field->whole.length + parcel->stride;
    return true;
}

/* Each parcel that has spans of this scope gets the head that they have in common. */
static bool finish_scope(struct scan *scan)
{
    struct head_parts common = {
        .group_plain = 0,
    };
    for (unsigned i = 0; i < scan->own->tail->shard_count; i++) {
        struct parcel *parcel = scan->parcels[i];
        if (!parcel || parcel->scope_head == UINT32_MAX)
            continue;
        struct head_parts *head = &parcel->heads[parcel->scope_head];
        head->group = pieces_for(&scan->group, parcel);
        head->scope = pieces_for(&scan->scope, parcel);
        head->group_plain = (uint32_t)(head->group.length - scan->group.schema);
        head->scope_plain = (uint32_t)(head->scope.length - scan->scope.schema);
        if ((!head->group.data && head->group.length > 0) || (!head->scope.data && head->scope.length > 0))
            return false;
        if (common.hash == 0) {
            head_parts_hash(head);
            common.hash = head->hash;
        }
        head->hash = common.hash;
        parcel->scope_head = UINT32_MAX;
    }
    return true;
}

static bool scan_scope(struct scan *scan, struct weir_str payload)
{
    struct weir_cursor cursor = field_start(payload);
    struct field field;
    pieces_clear(&scan->scope);
    while (field_next(&cursor, &field)) {
        if (field.number != 2)
            pieces_add(&scan->scope, &field);
        else if (!take_span(scan, &field))
            return false;
    }
    return finish_scope(scan);
}

/* What is not in the group's parcels yet is this ResourceSpans' own. */
static bool finish_group(struct scan *scan)
{
    for (unsigned i = 0; i < scan->own->tail->shard_count; i++) {
        struct parcel *parcel = scan->parcels[i];
        uint32_t first = 0;
        if (!parcel)
            continue;
        if (parcel->group_count > 0)
            first = parcel->groups[parcel->group_count - 1].first + parcel->groups[parcel->group_count - 1].count;
        if (first == parcel->item_count)
            continue;
        if (!has_room(&parcel->groups, parcel->group_count, &parcel->group_capacity, sizeof *parcel->groups))
            return false;
        parcel->groups[parcel->group_count++] = (struct item_group){ first, parcel->item_count - first };
    }
    return true;
}

static bool scan_group(struct scan *scan, struct weir_str payload)
{
    struct tail_shard *own = scan->own;
    struct weir_cursor cursor = field_start(payload);
    struct field field;
    uint64_t *bits = own->bits + own->table.bit_words;
    pieces_clear(&scan->group);
    memset(bits, 0, own->table.bit_words * sizeof *bits);
    while (field_next(&cursor, &field)) {
        if (field.number == 2)
            continue;
        pieces_add(&scan->group, &field);
        if (field.number == 1)
            probe_resource(&own->tail->probes, &own->scratch, field.bytes, bits);
    }
    cursor = field_start(payload);
    while (field_next(&cursor, &field))
        if (field.number == 2 && !scan_scope(scan, field.bytes))
            return false;
    return finish_group(scan);
}

static void give_up(struct scan *scan)
{
    for (unsigned i = 0; i < scan->own->tail->shard_count; i++) {
        parcel_free(scan->parcels[i]);
        scan->parcels[i] = NULL;
    }
}

bool scan_request(struct tail_shard *own, struct weir_buffer *buffer, struct weir_str bytes, struct parcel **parcels)
{
    struct scan scan = { .own = own, .buffer = buffer, .parcels = parcels };
    struct weir_cursor cursor = field_start(bytes);
    struct field field;
    bool good = bytes.length <= UINT32_MAX;
    while (good && field_next(&cursor, &field))
        if (field.number == 1)
            good = scan_group(&scan, field.bytes);
    if (!good)
        give_up(&scan);
    weir_text_free(&scan.group.joined);
    weir_text_free(&scan.scope.joined);
    return good;
}
