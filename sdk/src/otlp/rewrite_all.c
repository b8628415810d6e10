// SPDX-License-Identifier: Apache-2.0
/*
 * Rules applied to everything in a batch: each request is written anew, in one piece, as it is gone through. What stays
 * as it is is copied in stretches as long as can be, and nothing is written before the first change. The messages around
 * a change get their length when they end; their bytes move only where that takes more or less room than before.
 *
 * A message that has a key among its attributes has that key's bytes in one run somewhere. So the keys are looked for in
 * all of a request first, and only where they are found are the fields gone through.
 */
#include <config.h>

#include "sdk/src/otlp/field.h"
#include "sdk/src/otlp/find.h"
#include "sdk/src/otlp/rewrite.h"

/* Looking for more keys costs more than going through the fields. */
#define SEARCHES_MOST 4u
/* Where so many messages of a request had one, the others are not expected to be without. */
#define FINDS_MOST 8u

/* Of a key and a length. */
#define ITEM_HEADER_MOST 11u

/* What the messages are that one is in. */
enum level {
    IN_REQUEST,
    IN_GROUP,
    IN_SCOPE,
    IN_METRIC,
    IN_DATA,
};

/* One chunk being written anew. */
struct copy {
    struct otlp_pass pass;
    bool metrics;
    size_t guess;               /* of the size that it will have */
    struct weir_buffer *buffer; /* NULL: nothing had to be written yet */
    const uint8_t *from;        /* what of the bytes being gone through was not copied yet */
    const uint8_t *end;         /* of these bytes */
    const uint8_t *found[SEARCHES_MOST]; /* where each key is next; the end: nowhere */
    const uint8_t *clear;                /* none of the keys is before */
    size_t finds;
    size_t changes;
};

static bool get_room(struct copy *copy, size_t size)
{
    if (!copy->buffer)
        copy->buffer = weir_buffer_new(copy->guess > size ? copy->guess : size);
    return copy->buffer && weir_buffer_reserve(copy->buffer, size);
}

static inline bool make_room(struct copy *copy, size_t size)
{
    struct weir_buffer *buffer = copy->buffer;
    return (buffer && buffer->capacity - buffer->length >= size) || get_room(copy, size);
}

static void put(struct copy *copy, const void *bytes, size_t length)
{
    if (length > 0)
        memcpy(copy->buffer->data + copy->buffer->length, bytes, length);
    copy->buffer->length += length;
}

/* Copies what comes before `to`. */
static bool catch_up(struct copy *copy, const uint8_t *to)
{
    size_t length = (size_t)(to - copy->from);
    if (length > 0) {
        if (!make_room(copy, length))
            return false;
        put(copy, copy->from, length);
    }
    copy->from = to;
    return true;
}

/* Where the byte at `at`, which was not copied yet, will be. */
static size_t place_of(const struct copy *copy, const uint8_t *at)
{
    return (copy->buffer ? copy->buffer->length : 0) + (size_t)(at - copy->from);
}

/* Ends the field that is all that was written from `start` on, after a key and a length of `width` bytes together. */
static bool end_field(struct copy *copy, size_t start, size_t width, uint8_t key)
{
    struct weir_buffer *buffer = copy->buffer;
    size_t payload = buffer->length - start - width, needed = 1 + weir_wire_varint_size(payload);
    if (needed != width) {
        if (!make_room(copy, needed))
            return false;
        memmove(buffer->data + start + needed, buffer->data + start + width, payload);
        buffer->length = start + needed + payload;
    }
    buffer->data[start] = key;
    weir_wire_put_varint(buffer->data + start + 1, payload);
    return true;
}

/* Finds out where the keys are next, seen from `start`. */
static void look_ahead(struct copy *copy, const uint8_t *start)
{
    copy->clear = copy->end;
    for (size_t i = 0; i < copy->pass.count; i++) {
        struct weir_str key = copy->pass.rules[i].key;
        if (copy->found[i] < start) {
            const uint8_t *found = key.length > 0 ? otlp_find(start, copy->end, key) : start;
            copy->found[i] = found ? found : copy->end;
        }
        if (copy->found[i] < copy->clear)
            copy->clear = copy->found[i];
    }
}

/* True if the message, which ends at `end`, cannot have any of the keys. */
static inline bool is_without(struct copy *copy, const uint8_t *start, const uint8_t *end)
{
    if (copy->clear >= end)
        return true;
    if (copy->pass.count > SEARCHES_MOST || copy->finds > FINDS_MOST)
        return false;
    look_ahead(copy, start);
    copy->finds += copy->clear < end;
    return copy->clear >= end;
}

static inline uint8_t key_of(const struct otlp_field *field)
{
    return (uint8_t)(field->number << 3 | WEIR_WIRE_BYTES);
}

/* The message that has the attributes. */
static inline bool rewrite_item(struct copy *copy, const struct otlp_field *field)
{
    struct otlp_pass *pass = &copy->pass;
    const uint8_t *end = field->start + field->length;
    bool changed = is_without(copy, field->start, end) ? otlp_pass_measure_without(pass, field->payload)
                                                       : otlp_pass_measure(pass, field->payload);
    size_t size;
    if (!changed)
        return true;
    if (copy->from != field->start && !catch_up(copy, field->start))
        return false;
    if (!weir_size_add(pass->size, ITEM_HEADER_MOST, &size) || !make_room(copy, size))
        return false;
    uint8_t *out = copy->buffer->data + copy->buffer->length;
    *out = key_of(field);
    out = otlp_pass_write(pass, weir_wire_put_varint(out + 1, pass->size), field->payload);
    copy->buffer->length = (size_t)(out - copy->buffer->data);
    copy->from = end;
    copy->changes++;
    return true;
}

/* True if the field can have attributes that are meant, inside or in what is inside. */
static bool is_meant(enum level level, const struct otlp_field *field)
{
    if (field->type != WEIR_WIRE_BYTES)
        return false;
    switch (level) {
    case IN_REQUEST:
    case IN_DATA:
        return field->number == 1;
    case IN_METRIC:
        return otlp_is_metric_data(field->number);
    default:
        return field->number == 2;
    }
}

/* Of the five kinds of data points. */
static uint32_t point_attributes(uint32_t data)
{
    return data == 9 ? 9 : data == 10 ? 1 : 7;
}

static bool rewrite_fields(struct copy *copy, enum level level, struct weir_str message);

static bool rewrite_field(struct copy *copy, enum level level, const struct otlp_field *field)
{
    if (level == IN_DATA || (level == IN_SCOPE && !copy->metrics))
        return rewrite_item(copy, field);
    if (level == IN_METRIC)
        copy->pass.number = point_attributes(field->number);
    size_t start = place_of(copy, field->start), before = copy->changes;
    if (!rewrite_fields(copy, level + 1, field->payload))
        return false;
    return copy->changes == before ||
           (catch_up(copy, field->start + field->length) &&
            end_field(copy, start, field->length - field->payload.length, key_of(field)));
}

/* Calls itself for the levels there are, no more. */
static bool rewrite_fields(struct copy *copy, enum level level, struct weir_str message)
{
    struct weir_cursor cursor = otlp_fields(message);
    struct otlp_field field;
    while (otlp_next_field(&cursor, &field)) {
        if (is_meant(level, &field) && !rewrite_field(copy, level, &field))
            return false;
    }
    return true;
}

static void begin(struct copy *copy, const struct otlp_slice *bytes)
{
    copy->from = bytes->data;
    copy->end = bytes->data + bytes->length;
    copy->clear = bytes->data;
    for (size_t i = 0; i < SEARCHES_MOST; i++)
        copy->found[i] = NULL;
}

/* A node that is its bytes: one field of such a message. */
static bool copy_node(struct copy *copy, enum level level, const struct otlp_slice *raw)
{
    begin(copy, raw);
    return rewrite_fields(copy, level, weir_str_make((const char *)raw->data, raw->length)) && catch_up(copy, copy->end);
}

static bool copy_leaf(struct copy *copy, const struct otlp_slice *raw)
{
    if (raw->length == 0)
        return true;
    begin(copy, raw);
    return catch_up(copy, copy->end);
}

/* Leaves room for a key and the length, which end_field puts there. */
static bool begin_field(struct copy *copy, size_t payload, size_t *start, size_t *width)
{
    *width = 1 + weir_wire_varint_size(payload);
    if (!make_room(copy, *width))
        return false;
    *start = copy->buffer->length;
    copy->buffer->length += *width;
    return true;
}

static bool copy_scope(struct copy *copy, struct weir_scope_group *scope)
{
    size_t start, width;
    if (!scope->changed)
        return copy_node(copy, IN_GROUP, &scope->raw);
    if (!begin_field(copy, scope->payload, &start, &width) || !copy_leaf(copy, &scope->scope.raw))
        return false;
    for (struct weir_entry *entry = otlp_entry_present(scope->first); entry; entry = otlp_entry_present(entry->next)) {
        if (!otlp_entry_join(entry) || !copy_node(copy, IN_SCOPE, &entry->raw))
            return false;
    }
    return copy_leaf(copy, &scope->schema) && end_field(copy, start, width, OTLP_KEY_2);
}

static bool copy_group(struct copy *copy, struct weir_group *group)
{
    size_t start, width;
    if (!group->changed)
        return copy_node(copy, IN_REQUEST, &group->raw);
    if (!begin_field(copy, group->payload, &start, &width) || !copy_leaf(copy, &group->resource.raw))
        return false;
    for (struct weir_scope_group *scope = otlp_scope_present(group->first); scope;
         scope = otlp_scope_present(scope->next)) {
        if (!copy_scope(copy, scope))
            return false;
    }
    return copy_leaf(copy, &group->schema) && end_field(copy, start, width, OTLP_KEY_1);
}

static bool copy_chunk(struct copy *copy, struct otlp_chunk *chunk)
{
    if (!chunk->changed) {
        if (chunk->raw.length == 0)
            return true;
        begin(copy, &chunk->raw);
        return rewrite_fields(copy, IN_REQUEST, weir_str_make((const char *)chunk->raw.data, chunk->raw.length)) &&
               (copy->changes == 0 || catch_up(copy, copy->end));
    }
    for (struct weir_group *group = otlp_group_present(chunk->first); group; group = otlp_group_present(group->next)) {
        if (!copy_group(copy, group))
            return false;
    }
    return true;
}

/* What it will take if nothing has the keys; but what is added may be long, and all have them. */
static size_t guess_size(const struct copy *copy, const struct otlp_chunk *chunk)
{
    size_t added;
    if (!weir_size_mul(copy->pass.all_added + 1, chunk->items, &added) || added > chunk->size)
        added = chunk->size;
    return chunk->size + added + 16;
}

static bool rewrite_chunk(struct otlp_chunk *chunk, const struct otlp_rule *rules, size_t count)
{
    enum weir_signal signal = chunk->batch->signal;
    struct copy copy = { .metrics = signal == WEIR_METRICS };
    if (!otlp_settle(chunk))
        return false;
    otlp_pass_start(&copy.pass, rules, count, signal == WEIR_TRACES ? 9 : 6);
    copy.guess = guess_size(&copy, chunk);
    bool done = copy_chunk(&copy, chunk);
    if (done && copy.changes > 0)
        otlp_chunk_replace(chunk, copy.buffer);
    else
        weir_buffer_unref(copy.buffer);
    return done;
}

bool otlp_rewrite_all(struct weir_batch *batch, const struct otlp_rule *rules, size_t count)
{
    if (batch->signal == WEIR_PROFILES)
        return true;
    weir_batch_commit(batch);
    for (struct otlp_chunk *chunk = batch->first; chunk; chunk = chunk->next) {
        if (!rewrite_chunk(chunk, rules, count))
            return false;
    }
    return true;
}
