// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP protobuf to OTLP/JSON, straight from the wire: each message is walked once to find its fields, which are then
 * written in the order of the .proto file.
 */
#include <config.h>

#include <weir/batch.h>

#include "sdk/src/base/encoding.h"
#include "sdk/src/json/otlp_codec.h"
#include "sdk/src/json/schema.h"
#include "sdk/src/json/writer.h"
#include "sdk/src/otlp/bytes.h"

/* Nested messages: a nested value takes three (itself, KeyValueList, KeyValue). */
#define LEVELS (WEIR_BATCH_MAX_DEPTH * 3 + 16)
/* Room for a comma, a key with quotes and colon, and any number with quotes. */
#define FIELD_ROOM 96

/* Where a field's value is, or of a repeated field everything from its first to its last value, tags included. */
struct slot {
    union {
        const char *data;
        uint64_t bits;
    };
    size_t length;
    const uint8_t *from; /* the tag of its first value */
};

struct printer {
    struct weir_json_writer json;
    struct weir_arena arena;
    unsigned levels;
};

static bool write_message(struct printer *p, const struct schema_message *message, struct weir_str bytes);

/* A field's key, which nearly always is one byte. Wire types that there are none of are found out when the value is read. */
static inline bool read_tag(struct weir_cursor *cursor, uint32_t *number, enum weir_wire_type *type)
{
    uint8_t tag = *cursor->at;
    if (tag < 8 || tag >= 0x80)
        return weir_cursor_tag(cursor, number, type);
    cursor->at++;
    *number = tag >> 3;
    *type = (enum weir_wire_type)(tag & 7);
    return true;
}

/* Reads one value of the wire type: bits of a number, or a view. */
static inline bool read_value(struct weir_cursor *cursor, enum weir_wire_type type, struct slot *out)
{
    struct weir_str view;
    uint32_t word;
    switch (type) {
    case WEIR_WIRE_VARINT:
        return weir_cursor_varint(cursor, &out->bits);
    case WEIR_WIRE_FIXED64:
        return weir_cursor_fixed64(cursor, &out->bits);
    case WEIR_WIRE_FIXED32:
        if (!weir_cursor_fixed32(cursor, &word))
            return false;
        out->bits = word;
        return true;
    case WEIR_WIRE_BYTES:
        if (!weir_cursor_bytes(cursor, &view))
            return false;
        out->data = view.data;
        out->length = view.length;
        return true;
    default:
        return false;
    }
}

/* Reads a field with its one value. */
static inline bool read_field(struct weir_cursor *cursor, uint32_t *number, enum weir_wire_type *type, struct slot *out)
{
    const uint8_t *payload = otlp_short_bytes(cursor->at, cursor->end, &out->length);
    if (!payload)
        return read_tag(cursor, number, type) && read_value(cursor, *type, out);
    *number = *cursor->at >> 3;
    *type = WEIR_WIRE_BYTES;
    out->data = (const char *)payload;
    cursor->at = payload + out->length;
    return true;
}

/* Makes one of a message that came in several parts: the parts, one after the other (protobuf: Encoding, "Last One
 * Wins"). `end` is the end of the message they are in. */
static bool join(struct printer *p, const struct schema_field *field, struct slot *slot, const uint8_t *end)
{
    struct weir_cursor cursor = { slot->from, end };
    char *whole = weir_arena_alloc(&p->arena, weir_cursor_left(&cursor));
    size_t length = 0;
    if (!whole) {
        p->json.failed = true;
        return false;
    }
    while (cursor.at < cursor.end) {
        uint32_t number;
        enum weir_wire_type type;
        struct slot part = { .length = 0 };
        if (!read_field(&cursor, &number, &type, &part))
            return false;
        if (number == field->number && type == WEIR_WIRE_BYTES) {
            memcpy(whole + length, part.data, part.length);
            length += part.length;
        }
    }
    slot->data = whole;
    slot->length = length;
    return true;
}

/* Steps over what follows with the same tag, as the elements of a list do. */
static inline void skip_run(struct weir_cursor *cursor, uint8_t tag)
{
    size_t length = 0;
    while (cursor->at < cursor->end && *cursor->at == tag) {
        const uint8_t *payload = otlp_short_bytes(cursor->at, cursor->end, &length);
        if (!payload)
            break;
        cursor->at = payload + length;
    }
}

/* Notes one value of `field`, whose tag starts at `tag`; of a repeated field those behind it as well. */
static inline bool note_value(const struct schema_field *field, struct slot *slot, bool again, struct weir_cursor *cursor,
                       const uint8_t *tag, enum weir_wire_type type)
{
    const uint8_t *from = again ? slot->from : tag;
    if (!read_value(cursor, type, slot))
        return false;
    slot->from = from;
    if (field->flags & SCHEMA_REPEATED) {
        skip_run(cursor, *tag);
        slot->data = (const char *)from;
        slot->length = (size_t)(cursor->at - from);
    }
    return true;
}

/* True if a field may come with this wire type: its own, or packed. */
static bool fits(const struct schema_field *field, enum weir_wire_type type)
{
    return type == schema_wire_type(field->kind) ||
           (type == WEIR_WIRE_BYTES && field->flags & SCHEMA_REPEATED && schema_is_number(field->kind));
}

/* Fills `slots` with the fields of a message; bit i of *seen says that field i was there. */
static bool find_fields(struct printer *p, const struct schema_message *message, struct weir_str bytes,
                        struct slot slots[SCHEMA_MAX_FIELDS], uint32_t *seen)
{
    struct weir_cursor cursor = weir_cursor_make(bytes.data, bytes.length);
    uint32_t split = 0; // messages in several parts
    while (cursor.at < cursor.end) {
        const uint8_t *tag = cursor.at;
        uint32_t number;
        enum weir_wire_type type;
        if (!read_tag(&cursor, &number, &type))
            return false;
        unsigned index = number <= SCHEMA_MAX_NUMBER ? message->by_number[number] : 0;
        if (index == 0 || !fits(&message->fields[index - 1], type)) {
            if (!weir_cursor_skip(&cursor, type))
                return false;
            continue;
        }
        index--;
        uint32_t bit = 1u << index;
        if (message->oneof & bit)
            *seen &= ~(message->oneof & ~bit);
        if (!note_value(&message->fields[index], &slots[index], *seen & bit, &cursor, tag, type))
            return false;
        split = *seen & bit & message->singles ? split | bit : split & ~bit;
        *seen |= bit;
    }
    for (; split; split &= split - 1) {
        unsigned index = (unsigned)__builtin_ctz(split);
        if (!join(p, &message->fields[index], &slots[index], cursor.end))
            return false;
    }
    return true;
}

static void copy_signed(struct weir_json_writer *json, int64_t value)
{
    if (value < 0)
        json_copy_char(json, '-');
    json_copy_u64(json, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* Writes a number without a comma, into room that is there. */
static void copy_number(struct weir_json_writer *json, enum schema_kind kind, uint64_t bits)
{
    double real;
    switch (kind) {
    case SCHEMA_BOOL:
        json_copy(json, bits ? "true" : "false", bits ? 4 : 5);
        break;
    case SCHEMA_ENUM:
    case SCHEMA_INT32:
        copy_signed(json, (int32_t)(uint32_t)bits);
        break;
    case SCHEMA_SINT32:
        copy_signed(json, weir_zigzag32((uint32_t)bits));
        break;
    case SCHEMA_UINT32:
    case SCHEMA_FIXED32:
        json_copy_u64(json, (uint32_t)bits);
        break;
    case SCHEMA_INT64:
    case SCHEMA_SFIXED64:
        json_copy_char(json, '"');
        copy_signed(json, (int64_t)bits);
        json_copy_char(json, '"');
        break;
    case SCHEMA_UINT64:
    case SCHEMA_FIXED64:
        json_copy_char(json, '"');
        json_copy_u64(json, bits);
        json_copy_char(json, '"');
        break;
    default:
        memcpy(&real, &bits, sizeof(real));
        json->comma = false;
        weir_json_put_double(json, real);
        break;
    }
}

static void write_bytes(struct weir_json_writer *json, struct weir_str bytes, bool hex)
{
    size_t length = hex ? bytes.length * 2 : BASE64_ENCODED_LENGTH(bytes.length);
    if (!json_room(json, length + 2))
        return;
    json_copy_char(json, '"');
    char *at = (char *)json->out->data + json->out->length;
    if (hex)
        hex_encode(bytes, at);
    else
        base64_encode(bytes, at);
    json->out->length += length;
    json_copy_char(json, '"');
}

/* Writes one value, without a comma. */
static bool write_value(struct printer *p, const struct schema_field *field, const struct slot *slot)
{
    switch ((enum schema_kind)field->kind) {
    case SCHEMA_MESSAGE:
        return write_message(p, field->message, weir_str_make(slot->data, slot->length));
    case SCHEMA_STRING:
        json_quote(&p->json, weir_str_make(slot->data, slot->length));
        return true;
    case SCHEMA_BYTES:
    case SCHEMA_TRACE_ID:
    case SCHEMA_SPAN_ID:
        write_bytes(&p->json, weir_str_make(slot->data, slot->length), field->kind != SCHEMA_BYTES);
        return true;
    default:
        if (json_room(&p->json, FIELD_ROOM))
            copy_number(&p->json, field->kind, slot->bits);
        return true;
    }
}

/* --- attributes --- */

/* Tags of KeyValue and of AnyValue. */
enum { KEY = 0x0a, VALUE = 0x12, STRING_VALUE = 0x0a, BOOL_VALUE = 0x10, INT_VALUE = 0x18, DOUBLE_VALUE = 0x21 };

/* An attribute as nearly all are: a key and a value that is no list, once each and in this order. */
struct attribute {
    struct weir_str key;
    uint8_t tag; /* of the value */
    struct weir_str text;
    uint64_t bits;
};

/* False for any other. */
static bool read_scalar(const uint8_t *at, const uint8_t *end, struct attribute *out)
{
    struct weir_cursor cursor = { at + 1, end };
    out->tag = *at;
    out->text = WEIR_STR_NONE;
    out->bits = 0;
    switch (out->tag) {
    case STRING_VALUE:
        return weir_cursor_bytes(&cursor, &out->text) && cursor.at == end;
    case BOOL_VALUE:
    case INT_VALUE:
        return weir_cursor_varint(&cursor, &out->bits) && cursor.at == end;
    case DOUBLE_VALUE:
        return weir_cursor_fixed64(&cursor, &out->bits) && cursor.at == end;
    default:
        return false;
    }
}

static bool read_attribute(struct weir_str bytes, struct attribute *out)
{
    const uint8_t *at = (const uint8_t *)bytes.data, *end = at + bytes.length;
    size_t length = 0;
    const uint8_t *key = bytes.length > 0 && *at == KEY ? otlp_short_bytes(at, end, &length) : NULL;
    if (!key || length == 0)
        return false;
    out->key = weir_str_make((const char *)key, length);
    at = key + length;
    const uint8_t *value = at < end && *at == VALUE ? otlp_short_bytes(at, end, &length) : NULL;
    return value && length > 0 && value + length == end && read_scalar(value, end, out);
}

static void write_number(struct weir_json_writer *json, const struct attribute *attribute)
{
    if (attribute->tag == BOOL_VALUE) {
        json_copy_text(json, "{\"boolValue\":");
        copy_number(json, SCHEMA_BOOL, attribute->bits);
    } else if (attribute->tag == INT_VALUE) {
        json_copy_text(json, "{\"intValue\":");
        copy_number(json, SCHEMA_INT64, attribute->bits);
    } else {
        json_copy_text(json, "{\"doubleValue\":");
        copy_number(json, SCHEMA_DOUBLE, attribute->bits);
    }
}

/* Writes an attribute, which nests two messages deep, without a look at tables; false, with nothing written, if it is one
 * that takes them or has a text with anything to escape. */
static bool write_attribute(struct printer *p, struct weir_str bytes)
{
    struct weir_json_writer *json = &p->json;
    struct attribute attribute;
    size_t before = json->out->length;
    if (p->levels + 2 > LEVELS || !read_attribute(bytes, &attribute) || !json_room(json, bytes.length + 2 * FIELD_ROOM))
        return false;
    json_copy_text(json, "{\"key\":\"");
    bool plain = json_copy_plain(json, attribute.key);
    json_copy_text(json, "\",\"value\":");
    if (attribute.tag == STRING_VALUE) {
        json_copy_text(json, "{\"stringValue\":\"");
        plain = plain && json_copy_plain(json, attribute.text);
        json_copy_char(json, '"');
    } else {
        write_number(json, &attribute);
    }
    json_copy_text(json, "}}");
    if (!plain)
        json->out->length = before;
    return plain;
}

/* --- lists and fields --- */

/* Writes the numbers of a packed field, each with the comma it needs. */
static bool write_packed(struct printer *p, const struct schema_field *field, struct slot packed)
{
    struct weir_cursor cursor = weir_cursor_make(packed.data, packed.length);
    struct slot value;
    while (cursor.at < cursor.end) {
        if (!read_value(&cursor, schema_wire_type(field->kind), &value) || !json_room(&p->json, FIELD_ROOM))
            return false;
        json_comma(&p->json);
        copy_number(&p->json, field->kind, value.bits);
        p->json.comma = true;
    }
    return true;
}

/* Writes one element of a list. */
static bool write_element(struct printer *p, const struct schema_field *field, struct slot value)
{
    if (!json_room(&p->json, FIELD_ROOM))
        return false;
    json_comma(&p->json);
    bool done = field->message == &schema_key_value && write_attribute(p, weir_str_make(value.data, value.length));
    if (!done && !write_value(p, field, &value))
        return false;
    p->json.comma = true;
    return true;
}

/* Writes the values of a repeated field, which lie in `range` (with other fields between them, perhaps). */
static bool write_list(struct printer *p, const struct schema_field *field, struct slot range)
{
    struct weir_cursor cursor = weir_cursor_make(range.data, range.length);
    bool number_list = schema_is_number(field->kind);
    json_copy_char(&p->json, '[');
    p->json.comma = false;
    while (cursor.at < cursor.end) {
        uint32_t number;
        enum weir_wire_type type;
        struct slot value = { .length = 0 };
        if (!read_field(&cursor, &number, &type, &value))
            return false;
        if (number != field->number || !fits(field, type))
            continue;
        bool packed = number_list && type == WEIR_WIRE_BYTES;
        if (!(packed ? write_packed(p, field, value) : write_element(p, field, value)))
            return false;
    }
    if (json_room(&p->json, 1))
        json_copy_char(&p->json, ']');
    return true;
}

static bool all_zero(const struct slot *slot)
{
    for (size_t i = 0; i < slot->length; i++)
        if (slot->data[i])
            return false;
    return true;
}

/* True if the field says no more than its absence would. */
static bool is_default(const struct schema_field *field, const struct slot *slot)
{
    if (field->flags & (SCHEMA_ONEOF | SCHEMA_OPTIONAL | SCHEMA_REPEATED) || field->kind == SCHEMA_MESSAGE)
        return false;
    switch ((enum schema_kind)field->kind) {
    case SCHEMA_STRING:
    case SCHEMA_BYTES:
        return slot->length == 0;
    case SCHEMA_TRACE_ID:
    case SCHEMA_SPAN_ID:
        return all_zero(slot);
    default:
        return slot->bits == 0;
    }
}

static bool write_fields(struct printer *p, const struct schema_message *message, struct weir_str bytes)
{
    struct slot slots[SCHEMA_MAX_FIELDS];
    uint32_t seen = 0;
    if (!find_fields(p, message, bytes, slots, &seen) || !json_room(&p->json, FIELD_ROOM))
        return false;
    json_copy_char(&p->json, '{');
    bool comma = false;
    for (uint32_t left = seen | message->always; left; left &= left - 1) {
        unsigned index = (unsigned)__builtin_ctz(left);
        const struct schema_field *field = &message->fields[index];
        struct slot none = { .data = "", .length = 0 };
        struct slot *slot = seen & 1u << index ? &slots[index] : &none;
        if (is_default(field, slot))
            continue;
        if (!json_room(&p->json, FIELD_ROOM))
            return false;
        if (comma)
            json_copy_char(&p->json, ',');
        json_copy(&p->json, field->key, (size_t)field->name_length + 3);
        if (!(field->flags & SCHEMA_REPEATED ? write_list(p, field, *slot) : write_value(p, field, slot)))
            return false;
        comma = true;
    }
    if (json_room(&p->json, 1))
        json_copy_char(&p->json, '}');
    return !p->json.failed;
}

static bool write_message(struct printer *p, const struct schema_message *message, struct weir_str bytes)
{
    if (p->levels == LEVELS)
        return false;
    p->levels++;
    bool good = write_fields(p, message, bytes);
    p->levels--;
    return good;
}

bool otlp_protobuf_to_json(enum weir_signal signal, const void *data, size_t length, struct weir_buffer *out,
                           struct weir_error *error)
{
    const struct schema_message *request = schema_request(signal);
    if (!request) {
        weir_error_set(error, "%s have no JSON form", weir_signal_name(signal));
        return false;
    }
    struct printer p = { .json = { .out = out } };
    size_t before = out->length;
    bool good = write_message(&p, request, weir_str_make(length > 0 ? data : "", length));
    weir_arena_free(&p.arena);
    if (good)
        return true;
    out->length = before;
    weir_error_set(error, p.json.failed ? "out of memory" : "malformed OTLP");
    return false;
}
