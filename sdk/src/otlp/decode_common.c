// SPDX-License-Identifier: Apache-2.0
/*
 * Decoding of values, attributes, resources and scopes.
 */
#include <config.h>

#include "sdk/src/otlp/read.h"

bool otlp_read_any(struct weir_cursor *cursor, struct otlp_read *out)
{
    uint32_t low;
    out->value = 0;
    if (!weir_cursor_tag(cursor, &out->number, &out->type))
        return false;
    switch (out->type) {
    case WEIR_WIRE_VARINT:
        return weir_cursor_varint(cursor, &out->value);
    case WEIR_WIRE_FIXED64:
        return weir_cursor_fixed64(cursor, &out->value);
    case WEIR_WIRE_BYTES:
        return weir_cursor_bytes(cursor, &out->bytes);
    case WEIR_WIRE_FIXED32:
        if (!weir_cursor_fixed32(cursor, &low))
            return false;
        out->value = low;
        return true;
    default:
        return false;
    }
}

/* Only the framing counts here; most keys and lengths are of one byte. */
void otlp_count_fields(struct weir_str bytes, struct otlp_counts *out)
{
    struct weir_cursor cursor = otlp_read_start(bytes);
    memset(out, 0, sizeof(*out));
    while (cursor.at < cursor.end) {
        const uint8_t *p = cursor.at;
        size_t left = weir_cursor_left(&cursor);
        uint32_t number;
        enum weir_wire_type type;
        if (left > 1 && (p[0] & 0x87) == WEIR_WIRE_BYTES && p[1] < 0x80 && p[1] <= left - 2) {
            out->of[p[0] >> 3]++;
            cursor.at = p + 2 + p[1];
        } else if (left >= 9 && (p[0] & 0x87) == WEIR_WIRE_FIXED64) {
            out->of[p[0] >> 3]++;
            cursor.at = p + 9;
        } else {
            if (!weir_cursor_tag(&cursor, &number, &type) || !weir_cursor_skip(&cursor, type))
                return;
            out->of[number & 15] += number < 16;
        }
    }
}

bool otlp_list_room(struct weir_arena *arena, void *list, size_t count, size_t more, size_t size)
{
    if (more == 0)
        return true;
    char *room = weir_arena_calloc(arena, count + more, size);
    if (!room)
        return false;
    void *old;
    memcpy(&old, list, sizeof(old));
    if (count > 0)
        memcpy(room, old, count * size);
    memcpy(list, &room, sizeof(old));
    return true;
}

bool otlp_attributes_room(struct weir_arena *arena, struct weir_attributes *attributes, size_t more)
{
    if (!otlp_list_room(arena, &attributes->items, attributes->count, more, sizeof(*attributes->items)))
        return false;
    attributes->capacity = attributes->count + more;
    return true;
}

static size_t count_of(struct weir_str bytes, uint32_t number)
{
    struct otlp_counts counts;
    otlp_count_fields(bytes, &counts);
    return counts.of[number];
}

static bool decode_array(struct weir_arena *arena, struct weir_str bytes, struct weir_values *out)
{
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    if (!otlp_list_room(arena, &out->items, out->count, count_of(bytes, 1), sizeof(*out->items)))
        return false;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number == 1 && !otlp_decode_value(arena, field.bytes, &out->items[out->count++]))
            return false;
    }
    return true;
}

static bool decode_map(struct weir_arena *arena, struct weir_str bytes, struct weir_attributes *out)
{
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    if (!otlp_attributes_room(arena, out, count_of(bytes, 1)))
        return false;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number == 1 && !otlp_read_attribute(arena, field.bytes, out))
            return false;
    }
    return true;
}

/* Another member of the oneof replaces the one that was there; the same message again is merged into it. */
static void become(struct weir_value *value, enum weir_value_type type)
{
    if (value->type != type || (type != WEIR_VALUE_ARRAY && type != WEIR_VALUE_MAP))
        *value = (struct weir_value){ .type = type };
}

bool otlp_decode_value(struct weir_arena *arena, struct weir_str bytes, struct weir_value *out)
{
    static const enum weir_value_type types[] = { WEIR_VALUE_EMPTY, WEIR_VALUE_STRING, WEIR_VALUE_BOOL,
                                                  WEIR_VALUE_INT,   WEIR_VALUE_DOUBLE, WEIR_VALUE_ARRAY,
                                                  WEIR_VALUE_MAP,   WEIR_VALUE_BYTES,  WEIR_VALUE_EMPTY };
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number >= WEIR_ARRAY_LENGTH(types))
            continue;
        become(out, types[field.number]);
        bool done = true;
        switch (out->type) {
        case WEIR_VALUE_STRING:
        case WEIR_VALUE_BYTES:
            out->string = field.bytes;
            break;
        case WEIR_VALUE_BOOL:
            out->boolean = field.value != 0;
            break;
        case WEIR_VALUE_INT:
            out->integer = (int64_t)field.value;
            break;
        case WEIR_VALUE_DOUBLE:
            out->number = otlp_double(field.value);
            break;
        case WEIR_VALUE_ARRAY:
            done = decode_array(arena, field.bytes, &out->array);
            break;
        case WEIR_VALUE_MAP:
            done = decode_map(arena, field.bytes, &out->map);
            break;
        case WEIR_VALUE_EMPTY:
            break;
        }
        if (!done)
            return false;
    }
    return true;
}

/* The shape that nearly all attributes have: a short key, then one short scalar. false, with nothing written: take the
 * long way. */
static inline bool short_attribute(struct weir_str bytes, struct weir_attribute *out)
{
    const uint8_t *p = (const uint8_t *)bytes.data;
    if (bytes.length < 6 || bytes.length >= 0x80 || p[0] != 0x0a || p[1] + 6u > bytes.length)
        return false;
    const uint8_t *value = p + 2 + p[1];
    size_t left = bytes.length - p[1] - 4;
    if (value[0] != 0x12 || value[1] != left)
        return false;
    struct weir_cursor number = weir_cursor_make(value + 3, left - 1);
    uint64_t bits;
    switch (value[2]) {
    case 0x0a:
        if (value[3] != left - 2)
            return false;
        out->value.type = WEIR_VALUE_STRING;
        out->value.string = weir_str_make((const char *)value + 4, left - 2);
        break;
    case 0x10:
    case 0x18:
        if (!weir_cursor_varint(&number, &bits) || weir_cursor_left(&number) > 0)
            return false;
        out->value = value[2] == 0x10 ? weir_value_bool(bits != 0) : weir_value_int((int64_t)bits);
        break;
    case 0x21:
        if (left != 9 || !weir_cursor_fixed64(&number, &bits))
            return false;
        out->value = weir_value_double(otlp_double(bits));
        break;
    default:
        return false;
    }
    out->key = weir_str_make((const char *)p + 2, p[1]);
    return true;
}

bool otlp_decode_attribute(struct weir_arena *arena, struct weir_str bytes, struct weir_attribute *out)
{
    if (short_attribute(bytes, out))
        return true;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number == 1)
            out->key = field.bytes;
        else if (field.number == 2 && !otlp_decode_value(arena, field.bytes, &out->value))
            return false;
    }
    return true;
}

static bool decode_entity_ref(struct weir_arena *arena, struct weir_str bytes, struct weir_entity_ref *out)
{
    struct otlp_counts counts;
    otlp_count_fields(bytes, &counts);
    if (!otlp_list_room(arena, &out->id_keys, 0, counts.of[3], sizeof(*out->id_keys)) ||
        !otlp_list_room(arena, &out->description_keys, 0, counts.of[4], sizeof(*out->description_keys)))
        return false;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        switch (field.number) {
        case 1:
            out->schema_url = field.bytes;
            break;
        case 2:
            out->type = field.bytes;
            break;
        case 3:
            out->id_keys[out->id_key_count++] = field.bytes;
            break;
        case 4:
            out->description_keys[out->description_key_count++] = field.bytes;
            break;
        default:
            break;
        }
    }
    return true;
}

bool otlp_decode_resource(struct weir_arena *arena, struct weir_str bytes, struct weir_resource *out)
{
    struct otlp_counts counts;
    otlp_count_fields(bytes, &counts);
    if (!otlp_attributes_room(arena, &out->attributes, counts.of[1]) ||
        !otlp_list_room(arena, &out->entity_refs, out->entity_ref_count, counts.of[3],
                        sizeof(*out->entity_refs)))
        return false;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        bool done = true;
        if (field.number == 1)
            done = otlp_read_attribute(arena, field.bytes, &out->attributes);
        else if (field.number == 2)
            out->dropped_attributes_count = (uint32_t)field.value;
        else if (field.number == 3)
            done = decode_entity_ref(arena, field.bytes, &out->entity_refs[out->entity_ref_count++]);
        if (!done)
            return false;
    }
    return true;
}

bool otlp_decode_scope(struct weir_arena *arena, struct weir_str bytes, struct weir_scope *out)
{
    if (!otlp_attributes_room(arena, &out->attributes, count_of(bytes, 3)))
        return false;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        bool done = true;
        if (field.number == 1)
            out->name = field.bytes;
        else if (field.number == 2)
            out->version = field.bytes;
        else if (field.number == 3)
            done = otlp_read_attribute(arena, field.bytes, &out->attributes);
        else if (field.number == 4)
            out->dropped_attributes_count = (uint32_t)field.value;
        if (!done)
            return false;
    }
    return true;
}
