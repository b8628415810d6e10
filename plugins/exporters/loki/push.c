// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/loki/push.h"

#include <stdlib.h>

#include <weir/hash.h>

#include "logproto.pb-c.h"

#define SECOND 1000000000u

/* --- streams --- */

static void place(struct loki_push *push, struct loki_stream *stream)
{
    size_t at = stream->hash & (push->table_size - 1);
    while (push->table[at])
        at = (at + 1) & (push->table_size - 1);
    push->table[at] = stream;
}

/* Keeps the table at most half full. The old one stays in the arena: all of them together are no larger than twice the
 * last. */
static bool make_room(struct loki_push *push)
{
    if ((push->count + 1) * 2 <= push->table_size)
        return true;
    size_t size = push->table_size ? push->table_size * 2 : 64;
    struct loki_stream **table = weir_arena_calloc(&push->arena, size, sizeof(struct loki_stream *)), **old = push->table;
    size_t old_size = push->table_size;
    if (!table)
        return false;
    push->table = table;
    push->table_size = size;
    for (size_t i = 0; i < old_size; i++) {
        if (old[i])
            place(push, old[i]);
    }
    return true;
}

/* There are few. */
static struct loki_tenant *find_tenant(struct loki_push *push, struct weir_str name)
{
    for (struct loki_tenant *tenant = push->first; tenant; tenant = tenant->next) {
        if (weir_str_equal(tenant->name, name))
            return tenant;
    }
    struct loki_tenant *tenant = weir_arena_calloc(&push->arena, 1, sizeof(*tenant));
    if (!tenant)
        return NULL;
    tenant->name = weir_arena_copy(&push->arena, name);
    if (!tenant->name.data)
        return NULL;
    *(push->last ? &push->last->next : &push->first) = tenant;
    push->last = tenant;
    return tenant;
}

static struct loki_stream *add_stream(struct loki_push *push, uint64_t hash, struct weir_str tenant,
                                      struct weir_str labels)
{
    struct loki_tenant *owner = find_tenant(push, tenant);
    struct loki_stream *stream = weir_arena_calloc(&push->arena, 1, sizeof(*stream));
    if (!owner || !stream)
        return NULL;
    stream->tenant = owner;
    stream->hash = hash;
    stream->labels = weir_arena_copy(&push->arena, labels);
    if (!stream->labels.data)
        return NULL;
    *(owner->last ? &owner->last->next : &owner->first) = stream;
    owner->last = stream;
    owner->stream_count++;
    push->count++;
    place(push, stream);
    return stream;
}

struct loki_stream *loki_push_stream(struct loki_push *push, struct weir_str tenant, struct weir_str labels)
{
    uint64_t hash = weir_hash(weir_hash(0, tenant), labels);
    if (!make_room(push))
        return NULL;
    for (size_t at = hash & (push->table_size - 1); push->table[at]; at = (at + 1) & (push->table_size - 1)) {
        struct loki_stream *stream = push->table[at];
        if (stream->hash == hash && weir_str_equal(stream->labels, labels)
            && weir_str_equal(stream->tenant->name, tenant))
            return stream;
    }
    return add_stream(push, hash, tenant, labels);
}

bool loki_push_add(struct loki_push *push, struct loki_stream *stream, uint64_t time, struct weir_str line)
{
    if (stream->count == stream->capacity) {
        size_t capacity = stream->capacity ? stream->capacity * 2 : 4;
        struct loki_entry *entries = weir_arena_calloc(&push->arena, capacity, sizeof(*entries));
        if (!entries)
            return false;
        if (stream->count)
            memcpy(entries, stream->entries, stream->count * sizeof(*entries));
        stream->entries = entries;
        stream->capacity = capacity;
    }
    struct weir_str copy = weir_arena_copy(&push->arena, line);
    if (!copy.data)
        return false;
    stream->entries[stream->count++] = (struct loki_entry){ .time = time, .line = copy };
    stream->tenant->items++;
    return true;
}

void loki_push_free(struct loki_push *push)
{
    weir_arena_free(&push->arena);
    *push = (struct loki_push){ .first = NULL };
}

/* --- order --- */

/* Entries that lie next to each other in memory: their places are the order in which they came. */
static int by_time(const void *a, const void *b)
{
    const struct loki_entry *const *left = a, *const *right = b;
    if ((*left)->time != (*right)->time)
        return (*left)->time < (*right)->time ? -1 : 1;
    return (*left > *right) - (*left < *right);
}

const struct loki_entry **loki_push_order(struct loki_push *push, const struct loki_stream *stream)
{
    const struct loki_entry **order = weir_arena_calloc(&push->arena, stream->count, sizeof(*order));
    bool sorted = true;
    for (size_t i = 0; order && i < stream->count; i++) {
        order[i] = &stream->entries[i];
        sorted = sorted && (i == 0 || order[i - 1]->time <= order[i]->time);
    }
    if (order && !sorted)
        qsort(order, stream->count, sizeof(*order), by_time);
    return order;
}

/* --- the request --- */

static ProtobufCBinaryData bytes_of(struct weir_str text)
{
    return (ProtobufCBinaryData){ .len = text.length, .data = (uint8_t *)(uintptr_t)text.data };
}

/* An entry's two messages. */
struct entry_messages {
    Logproto__Entry entry;
    Logproto__Timestamp time;
};

static bool set_entries(struct loki_push *push, const struct loki_stream *stream, Logproto__Stream *out)
{
    const struct loki_entry **order = loki_push_order(push, stream);
    struct entry_messages *messages = weir_arena_calloc(&push->arena, stream->count, sizeof(*messages));
    out->entries = weir_arena_calloc(&push->arena, stream->count, sizeof(Logproto__Entry *));
    if (!order || !messages || !out->entries)
        return false;
    for (size_t i = 0; i < stream->count; i++) {
        logproto__entry__init(&messages[i].entry);
        logproto__timestamp__init(&messages[i].time);
        messages[i].time.seconds = (int64_t)(order[i]->time / SECOND);
        messages[i].time.nanos = (int32_t)(order[i]->time % SECOND);
        messages[i].entry.timestamp = &messages[i].time;
        messages[i].entry.line = bytes_of(order[i]->line);
        out->entries[i] = &messages[i].entry;
    }
    out->n_entries = stream->count;
    return true;
}

static bool set_streams(struct loki_push *push, const struct loki_tenant *tenant, Logproto__PushRequest *out)
{
    Logproto__Stream *messages = weir_arena_calloc(&push->arena, tenant->stream_count, sizeof(*messages));
    out->streams = weir_arena_calloc(&push->arena, tenant->stream_count, sizeof(Logproto__Stream *));
    if (!messages || !out->streams)
        return false;
    for (const struct loki_stream *stream = tenant->first; stream; stream = stream->next) {
        Logproto__Stream *message = &messages[out->n_streams];
        logproto__stream__init(message);
        message->labels = bytes_of(stream->labels);
        if (!set_entries(push, stream, message))
            return false;
        out->streams[out->n_streams++] = message;
    }
    return true;
}

struct weir_buffer *loki_push_pack(struct loki_push *push, struct loki_tenant *tenant)
{
    Logproto__PushRequest request;
    logproto__push_request__init(&request);
    if (!set_streams(push, tenant, &request))
        return NULL;
    struct weir_buffer *body = weir_buffer_new(logproto__push_request__get_packed_size(&request));
    if (body)
        body->length = logproto__push_request__pack(&request, body->data);
    return body;
}
