// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include <stdlib.h>

#include "sdk/src/otlp/field.h"
#include "sdk/src/otlp/rewrite.h"
#include "sdk/src/otlp/write.h"

/* One entry or resource being rewritten. */
struct pass {
    const struct otlp_rule *rules;
    size_t count;
    uint32_t number;  /* of the attributes' field; below 16, so that its key is one byte */
    uint64_t lengths; /* bits of the lengths of the rules' keys, modulo 64 */
    uint64_t present; /* bits of the rules whose keys are there */
    size_t size;      /* of the new payload */
    bool moved;       /* what is there does not all stay in its place */
};

static uint32_t attributes_number(const struct weir_entry *entry)
{
    return entry->scope->group->chunk->batch->signal == WEIR_TRACES ? 9 : 6;
}

bool otlp_can_rewrite(const struct weir_entry *entry)
{
    enum weir_signal signal = entry->scope->group->chunk->batch->signal;
    return (signal == WEIR_TRACES || signal == WEIR_LOGS) && !entry->changed;
}

struct weir_str otlp_rule_attribute(struct weir_arena *arena, const struct weir_attribute *attribute)
{
    struct otlp_writer writer = { NULL, NULL, NULL, false };
    const struct weir_attributes one = { .items = (struct weir_attribute *)(uintptr_t)attribute, .count = 1 };
    otlp_write_attributes(&writer, 1, &one);
    struct otlp_slice field = { writer.at, NULL, otlp_written(&writer) };
    struct weir_str bytes = writer.failed ? WEIR_STR_NONE : weir_arena_copy(arena, otlp_slice_payload(&field));
    free(writer.start);
    return bytes;
}

/* The rule for the attribute; count: none. */
static size_t find_rule(const struct pass *pass, struct weir_str attribute)
{
    struct weir_str key = otlp_key_of(attribute);
    for (size_t i = 0; i < pass->count; i++) {
        if (weir_str_equal(key, pass->rules[i].key))
            return i;
    }
    return pass->count;
}

/* The length of the field at `p`, if it takes but a glance to tell that no rule is about it; 0: look closer. */
static inline size_t unconcerned(const struct pass *pass, const uint8_t *p, size_t left)
{
    if (left < 9 || p[0] >= 0x80)
        return 0;
    switch (p[0] & 7) {
    case WEIR_WIRE_VARINT:
        return p[1] < 0x80 ? 2 : 0;
    case WEIR_WIRE_FIXED64:
        return 9;
    case WEIR_WIRE_FIXED32:
        return 5;
    case WEIR_WIRE_BYTES:
        break;
    default:
        return 0;
    }
    size_t length = p[1];
    if (length >= 0x80 || length + 2 > left)
        return 0;
    if (p[0] >> 3 != pass->number)
        return length + 2;
    // A KeyValue of a short key and, right behind it, a short value that is all the rest.
    size_t key = p[3];
    if (p[2] != OTLP_KEY_1 || key + 4 > length || p[4 + key] != OTLP_KEY_2 || p[5 + key] != length - key - 4)
        return 0;
    return pass->lengths >> key % 64 & 1 ? 0 : length + 2;
}

/* The next attribute that a rule is about. */
static inline bool next_concerned(const struct pass *pass, struct weir_cursor *cursor, struct otlp_field *field,
                                  size_t *rule)
{
    for (;;) {
        size_t length = unconcerned(pass, cursor->at, weir_cursor_left(cursor));
        if (length > 0) {
            cursor->at += length;
            continue;
        }
        if (!otlp_next_field(cursor, field))
            return false;
        *rule = field->number == pass->number ? find_rule(pass, field->payload) : pass->count;
        if (*rule < pass->count)
            return true;
    }
}

static void measure(struct pass *pass, struct weir_str payload)
{
    struct weir_cursor cursor = otlp_fields(payload);
    struct otlp_field field;
    size_t at;
    pass->size = payload.length;
    for (size_t i = 0; i < pass->count; i++)
        pass->lengths |= UINT64_C(1) << pass->rules[i].key.length % 64;
    while (next_concerned(pass, &cursor, &field, &at)) {
        const struct otlp_rule *rule = &pass->rules[at];
        bool first = !(pass->present >> at & 1);
        pass->present |= UINT64_C(1) << at;
        if (rule->remove || (rule->put.data && first)) {
            pass->moved = true;
            pass->size -= field.length;
            pass->size += rule->remove ? 0 : otlp_field_size(rule->put.length);
        }
    }
}

static bool appends(const struct pass *pass, size_t at)
{
    const struct otlp_rule *rule = &pass->rules[at];
    return rule->added.data && (rule->remove || !(pass->present >> at & 1));
}

static uint8_t *put_attribute(const struct pass *pass, uint8_t *at, struct weir_str attribute)
{
    *at++ = (uint8_t)(pass->number << 3 | WEIR_WIRE_BYTES);
    at = otlp_put_varint(at, attribute.length);
    memcpy(at, attribute.data, attribute.length);
    return at + attribute.length;
}

static uint8_t *copy_range(uint8_t *out, const uint8_t *from, const uint8_t *to)
{
    size_t length = (size_t)(to - from);
    if (length > 0)
        memcpy(out, from, length);
    return out + length;
}

/* Copies the fields, but for those that are replaced or removed. */
static uint8_t *copy_fields(const struct pass *pass, uint8_t *out, struct weir_str payload)
{
    struct weir_cursor cursor = otlp_fields(payload);
    const uint8_t *from = cursor.at; /* what is not copied yet */
    struct otlp_field field;
    uint64_t replaced = 0;
    size_t at;
    while (next_concerned(pass, &cursor, &field, &at)) {
        const struct otlp_rule *rule = &pass->rules[at];
        bool replace = !rule->remove && rule->put.data && !(replaced >> at & 1);
        if (!rule->remove && !replace)
            continue;
        out = copy_range(out, from, field.start);
        from = cursor.at;
        if (replace) {
            replaced |= UINT64_C(1) << at;
            out = put_attribute(pass, out, rule->put);
        }
    }
    return copy_range(out, from, cursor.end);
}

static void write_all(const struct pass *pass, uint8_t *out, uint8_t key, struct weir_str payload)
{
    *out++ = key;
    out = otlp_put_varint(out, pass->size);
    const struct weir_cursor all = otlp_fields(payload);
    out = pass->moved ? copy_fields(pass, out, payload) : copy_range(out, all.at, all.end);
    for (size_t i = 0; i < pass->count; i++) {
        if (appends(pass, i))
            out = put_attribute(pass, out, pass->rules[i].added);
    }
}

/* Makes *raw what the rules make of it: a field of key `key`, whose payload is the message. *changed tells whether that is
 * something else. */
static bool rewrite(struct pass *pass, struct otlp_chunk *chunk, uint8_t key, struct otlp_slice *raw, bool *changed)
{
    struct weir_str payload = otlp_slice_payload(raw);
    struct weir_buffer *buffer;
    measure(pass, payload);
    *changed = pass->moved;
    for (size_t i = 0; i < pass->count; i++) {
        if (!appends(pass, i))
            continue;
        pass->size += otlp_field_size(pass->rules[i].added.length);
        *changed = true;
    }
    if (!*changed)
        return true;
    size_t size = otlp_field_size(pass->size);
    uint8_t *bytes = otlp_chunk_fresh(chunk, size, &buffer);
    if (!bytes)
        return false;
    write_all(pass, bytes, key, payload);
    *raw = (struct otlp_slice){ bytes, buffer, size };
    return true;
}

bool otlp_rewrite(struct weir_entry *entry, const struct otlp_rule *rules, size_t count)
{
    struct pass pass = { .rules = rules, .count = count, .number = attributes_number(entry) };
    struct otlp_slice raw = entry->raw;
    bool changed;
    if (!rewrite(&pass, entry->scope->group->chunk, OTLP_KEY_2, &raw, &changed))
        return false;
    if (changed)
        otlp_entry_replace(entry, raw);
    return true;
}

bool otlp_can_rewrite_resource(struct weir_group *group)
{
    return otlp_open_group(group) && !group->resource.changed;
}

bool otlp_rewrite_resource(struct weir_group *group, const struct otlp_rule *rules, size_t count)
{
    struct pass pass = { .rules = rules, .count = count, .number = 1 };
    struct otlp_slice raw = group->resource.raw;
    bool changed;
    if (!rewrite(&pass, group->chunk, OTLP_KEY_1, &raw, &changed))
        return false;
    if (changed)
        otlp_resource_replace(group, raw);
    return true;
}
