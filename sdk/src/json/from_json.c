// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP/JSON to OTLP protobuf, in one pass and without a tree.
 */
#include <config.h>

#include <math.h>

#include <weir/batch.h>

#include "sdk/src/base/encoding.h"
#include "sdk/src/json/otlp_codec.h"
#include "sdk/src/json/schema.h"
#include "sdk/src/json/pb_writer.h"
#include "sdk/src/json/shortcut.h"
#include "sdk/src/json/token.h"

/* A nested value takes up to four levels of JSON: itself, kvlistValue, its values, one of them. */
#define JSON_LEVELS (WEIR_BATCH_MAX_DEPTH * 4 + 16)
/* Protobuf messages end at 2 GiB, and packed numbers may take four times their text. */
#define LENGTH_MAX ((size_t)500 << 20)
/* More than the longest key, in snake case. */
#define KEY_MAX 64
/* Room for a tag and any number. */
#define NUMBER_ROOM 16

struct transcoder {
    struct weir_json json;
    struct pb_writer pb;
    struct weir_arena arena;
    unsigned values; /* AnyValue messages that are open */
    size_t items;
    bool unusual; /* some oneof was given more than once */
    uint8_t prefixes[SCHEMA_MESSAGES]; /* room to leave for the length of the next message of the kind */
    /* How many fields were left out, when last seen, between a field (its index + 1; 0: the start) and the next. */
    int8_t leaps[SCHEMA_MESSAGES][SCHEMA_MAX_FIELDS + 1];
};

static bool read_message(struct transcoder *t, const struct schema_message *message);

/* One number as it goes on the wire. */
struct number {
    uint64_t bits;
    bool zero;
};

/* The text of a number, quoted or not. */
static bool number_text(struct transcoder *t, struct weir_str *out)
{
    return json_next(&t->json) == '"' ? json_string(&t->json, out) : weir_json_number(&t->json, out);
}

/* Reads an integer of at most 19 digits as most writers put it, quoted or not; false, with nothing read, if it is another
 * or none. */
static inline bool take_integer(struct transcoder *t, bool *negative, uint64_t *magnitude)
{
    const char *at = t->json.at, *end = t->json.end;
    if (end - at < 2)
        return false;
    bool quoted = *at == '"';
    at += quoted;
    *negative = *at == '-';
    at += *negative;
    *magnitude = 0;
    const char *next = json_digits(at, end, magnitude);
    if (next == at || next - at > 19 || next == end)
        return false;
    if ((*at == '0' && next - at > 1) || (quoted ? *next != '"' : json_in_number(*next)))
        return false;
    t->json.at = next + quoted;
    return true;
}

static bool read_signed(struct transcoder *t, int64_t min, int64_t max, int64_t *out)
{
    struct weir_str text;
    const char *before = t->json.at;
    uint64_t magnitude;
    bool negative;
    if (take_integer(t, &negative, &magnitude)) {
        *out = (int64_t)(negative ? 0 - magnitude : magnitude);
        if (magnitude <= INT64_MAX && *out >= min && *out <= max)
            return true;
        t->json.at = before;
    }
    return number_text(t, &text) &&
           ((weir_str_to_i64(text, out) && *out >= min && *out <= max) ||
            weir_json_fail(&t->json, max == INT64_MAX ? "expected a 64-bit integer" : "expected a 32-bit integer"));
}

static bool read_unsigned(struct transcoder *t, uint64_t max, uint64_t *out)
{
    struct weir_str text;
    const char *before = t->json.at;
    bool negative;
    if (take_integer(t, &negative, out)) {
        if (!negative && *out <= max)
            return true;
        t->json.at = before;
    }
    return number_text(t, &text) &&
           ((weir_str_to_u64(text, out) && *out <= max) ||
            weir_json_fail(&t->json, max == UINT64_MAX ? "expected an unsigned 64-bit integer"
                                                       : "expected an unsigned 32-bit integer"));
}

static bool read_double(struct transcoder *t, double *out)
{
    struct weir_str text;
    if (json_next(&t->json) != '"')
        return weir_json_double(&t->json, out);
    if (!json_string(&t->json, &text))
        return false;
    if (weir_str_is(text, "NaN"))
        *out = (double)NAN;
    else if (weir_str_is(text, "Infinity"))
        *out = (double)INFINITY;
    else if (weir_str_is(text, "-Infinity"))
        *out = -(double)INFINITY;
    else if (!weir_json_parse_double(text, out))
        return weir_json_fail(&t->json, "expected a number, NaN, Infinity or -Infinity");
    return true;
}

static bool read_enum(struct transcoder *t, const struct schema_enum *names, int64_t *out)
{
    struct weir_str text;
    if (json_next(&t->json) != '"')
        return read_signed(t, INT32_MIN, INT32_MAX, out);
    if (!json_string(&t->json, &text))
        return false;
    for (size_t i = 0; i < names->count; i++)
        if (weir_str_is(text, names->names[i])) {
            *out = (int64_t)i;
            return true;
        }
    return weir_json_fail(&t->json, "unknown name of an enum value");
}

static bool read_number(struct transcoder *t, const struct schema_field *field, struct number *out)
{
    int64_t integer = 0;
    double real = 0;
    bool truth = false, good = false;
    out->bits = 0;
    switch ((enum schema_kind)field->kind) {
    case SCHEMA_BOOL:
        good = weir_json_bool(&t->json, &truth);
        out->bits = truth;
        break;
    case SCHEMA_ENUM:
        good = read_enum(t, field->names, &integer);
        out->bits = (uint64_t)integer;
        break;
    case SCHEMA_INT32:
        good = read_signed(t, INT32_MIN, INT32_MAX, &integer);
        out->bits = (uint64_t)integer;
        break;
    case SCHEMA_SINT32:
        good = read_signed(t, INT32_MIN, INT32_MAX, &integer);
        out->bits = (uint32_t)integer << 1 ^ (uint32_t)(integer >> 63);
        break;
    case SCHEMA_UINT32:
    case SCHEMA_FIXED32:
        good = read_unsigned(t, UINT32_MAX, &out->bits);
        break;
    case SCHEMA_INT64:
    case SCHEMA_SFIXED64:
        good = read_signed(t, INT64_MIN, INT64_MAX, &integer);
        out->bits = (uint64_t)integer;
        break;
    case SCHEMA_UINT64:
    case SCHEMA_FIXED64:
        good = read_unsigned(t, UINT64_MAX, &out->bits);
        break;
    case SCHEMA_DOUBLE:
        good = read_double(t, &real);
        memcpy(&out->bits, &real, sizeof(real));
        break;
    case SCHEMA_STRING:
    case SCHEMA_BYTES:
    case SCHEMA_TRACE_ID:
    case SCHEMA_SPAN_ID:
    case SCHEMA_MESSAGE:
        break;
    }
    out->zero = out->bits == 0;
    return good;
}

/* Writes a number into room that is there. */
static void put_number(struct transcoder *t, enum weir_wire_type type, uint64_t bits)
{
    if (type == WEIR_WIRE_VARINT)
        pb_put_varint(&t->pb, bits);
    else if (type == WEIR_WIRE_FIXED32)
        pb_put_fixed32(&t->pb, (uint32_t)bits);
    else
        pb_put_fixed64(&t->pb, bits);
}

static bool put_string(struct transcoder *t, uint32_t number, struct weir_str s)
{
    if (!pb_room(&t->pb, s.length + NUMBER_ROOM))
        return false;
    pb_put_tag(&t->pb, number, WEIR_WIRE_BYTES);
    pb_put_varint(&t->pb, s.length);
    memcpy(t->pb.out->data + t->pb.out->length, s.data, s.length);
    t->pb.out->length += s.length;
    return true;
}

/* An id of exactly `size` bytes, or none. */
static bool put_id(struct transcoder *t, uint32_t number, struct weir_str hex, size_t size)
{
    if (hex.length != 0 && hex.length != size * 2)
        return weir_json_fail(&t->json, size == 16 ? "expected a trace id of 32 hexadecimal digits"
                                                   : "expected a span id of 16 hexadecimal digits");
    if (!pb_room(&t->pb, size + NUMBER_ROOM))
        return false;
    pb_put_tag(&t->pb, number, WEIR_WIRE_BYTES);
    pb_put_varint(&t->pb, hex.length / 2);
    if (!hex_decode(hex, t->pb.out->data + t->pb.out->length))
        return weir_json_fail(&t->json, "expected hexadecimal digits");
    t->pb.out->length += hex.length / 2;
    return true;
}

static bool put_base64(struct transcoder *t, uint32_t number, struct weir_str text)
{
    size_t size = 0;
    uint8_t *bytes = weir_arena_alloc(&t->arena, BASE64_DECODED_ROOM(text.length));
    if (!bytes) {
        t->pb.failed = true;
        return false;
    }
    return base64_decode(text, bytes, &size) ? put_string(t, number, weir_str_make((const char *)bytes, size))
                                             : weir_json_fail(&t->json, "expected base64");
}

/* Reads and writes an id as most writers put it, exactly its digits between quotes; false, with nothing read or
 * written, if it is another or none. */
static inline bool take_id(struct transcoder *t, uint32_t number, size_t size)
{
    uint8_t id[16];
    const char *at = t->json.at;
    size_t text = 2 * size + 2;
    if ((size_t)(t->json.end - at) < text || at[0] != '"' || at[text - 1] != '"' ||
        !hex_decode(weir_str_make(at + 1, 2 * size), id) || !pb_room(&t->pb, size + NUMBER_ROOM))
        return false;
    pb_put_tag(&t->pb, number, WEIR_WIRE_BYTES);
    pb_put_varint(&t->pb, size);
    memcpy(t->pb.out->data + t->pb.out->length, id, size);
    t->pb.out->length += size;
    t->json.at = at + text;
    return true;
}

/* A value that JSON writes as a string. `keep`: write it even if empty. */
static bool read_text(struct transcoder *t, const struct schema_field *field, bool keep)
{
    struct weir_str text;
    if (field->kind == SCHEMA_TRACE_ID && take_id(t, field->number, 16))
        return true;
    if (field->kind == SCHEMA_SPAN_ID && take_id(t, field->number, 8))
        return true;
    if (!json_string(&t->json, &text))
        return false;
    if (text.length == 0 && !keep)
        return true;
    switch ((enum schema_kind)field->kind) {
    case SCHEMA_TRACE_ID:
        return put_id(t, field->number, text, 16);
    case SCHEMA_SPAN_ID:
        return put_id(t, field->number, text, 8);
    case SCHEMA_BYTES:
        return put_base64(t, field->number, text);
    default:
        return put_string(t, field->number, text);
    }
}

static bool read_submessage(struct transcoder *t, const struct schema_field *field)
{
    const struct schema_message *message = field->message;
    if (!pb_room(&t->pb, NUMBER_ROOM))
        return false;
    pb_put_tag(&t->pb, field->number, WEIR_WIRE_BYTES);
    t->items += message->is_item;
    struct pb_mark mark = pb_open(&t->pb, t->prefixes[message->slot]);
    if (!(json_next(&t->json) == 'n' && weir_json_null(&t->json)) && !read_message(t, message))
        return false;
    t->prefixes[message->slot] = pb_close(&t->pb, mark);
    return !t->pb.failed;
}

/* A list of numbers: packed. */
static bool read_packed(struct transcoder *t, const struct schema_field *field)
{
    enum weir_wire_type type = schema_wire_type(field->kind);
    size_t before = t->pb.out->length;
    if (!pb_room(&t->pb, NUMBER_ROOM))
        return false;
    pb_put_tag(&t->pb, field->number, WEIR_WIRE_BYTES);
    struct pb_mark mark = pb_open(&t->pb, 1);
    size_t start = t->pb.out->length;
    while (json_advance(&t->json, ']', "expected ',' or ']'")) {
        struct number number;
        if (!read_number(t, field, &number) || !pb_room(&t->pb, NUMBER_ROOM))
            return false;
        put_number(t, type, number.bits);
    }
    if (t->pb.out->length == start)
        t->pb.out->length = before;
    else
        (void)pb_close(&t->pb, mark);
    return true;
}

static bool read_attributes(struct transcoder *t, const struct schema_field *field)
{
    uint8_t key = (uint8_t)(field->number << 3 | WEIR_WIRE_BYTES);
    while (json_advance(&t->json, ']', "expected ',' or ']'")) {
        if (t->values < WEIR_BATCH_MAX_DEPTH && shortcut_attributes(&t->json, &t->pb, key))
            continue;
        if (!read_submessage(t, field))
            return false;
    }
    return true;
}

static bool read_list(struct transcoder *t, const struct schema_field *field)
{
    if (!weir_json_array(&t->json))
        return false;
    if (schema_is_number(field->kind))
        return read_packed(t, field);
    if (field->message == &schema_key_value)
        return read_attributes(t, field);
    while (json_advance(&t->json, ']', "expected ',' or ']'"))
        if (!(field->kind == SCHEMA_MESSAGE ? read_submessage(t, field) : read_text(t, field, true)))
            return false;
    return true;
}

/* `keep`: write the value even if it is zero. */
static bool read_field(struct transcoder *t, const struct schema_field *field, bool keep)
{
    struct number number;
    if (field->flags & SCHEMA_REPEATED)
        return read_list(t, field);
    if (field->kind == SCHEMA_MESSAGE)
        return read_submessage(t, field);
    if (!schema_is_number(field->kind))
        return read_text(t, field, keep);
    if (!read_number(t, field, &number) || !pb_room(&t->pb, NUMBER_ROOM))
        return false;
    if (!number.zero || keep) {
        enum weir_wire_type type = schema_wire_type(field->kind);
        pb_put_tag(&t->pb, field->number, type);
        put_number(t, type, number.bits);
    }
    return true;
}

/* Turns snake_case into camelCase; false if it is neither lower case nor short enough to be a key. */
static bool camel_from_snake(struct weir_str snake, char camel[KEY_MAX], size_t *length)
{
    size_t written = 0;
    if (snake.length >= KEY_MAX)
        return false;
    for (size_t i = 0; i < snake.length; i++) {
        char c = snake.data[i];
        if (c == '_') {
            c = ++i < snake.length ? snake.data[i] : '_';
            if (c < 'a' || c > 'z')
                return false;
            c = (char)(c - 'a' + 'A');
        } else if (c >= 'A' && c <= 'Z') {
            return false;
        }
        camel[written++] = c;
    }
    *length = written;
    return true;
}

/* The index of the field with this name, or -1; the search begins with field `from`. */
static int find_name(const struct schema_message *message, struct weir_str name, unsigned from)
{
    for (unsigned n = 0, i = from; n < message->count; n++, i++) {
        if (i >= message->count)
            i = 0;
        const struct schema_field *field = &message->fields[i];
        if (field->name_length == name.length && memcmp(field->key + 1, name.data, name.length) == 0)
            return (int)i;
    }
    return -1;
}

static int find_field(const struct schema_message *message, struct weir_str key, unsigned from)
{
    char camel[KEY_MAX];
    size_t length;
    int found = find_name(message, key, from);
    if (found >= 0 || key.length == 0 || !memchr(key.data, '_', key.length) || !camel_from_snake(key, camel, &length))
        return found;
    return find_name(message, weir_str_make(camel, length), from);
}

/* Steps over the field's key if exactly that comes next: compared by its two ends, which overlap in most. */
static inline bool take_key(struct weir_json *json, const struct schema_field *field)
{
    size_t length = schema_key_length(field), left = (size_t)(json->end - json->at);
    uint64_t head, tail;
    if (left < sizeof(head) || left < length)
        return false;
    memcpy(&head, json->at, sizeof(head));
    if ((head ^ field->head) & field->mask)
        return false;
    if (length > sizeof(tail)) {
        memcpy(&tail, json->at + length - sizeof(tail), sizeof(tail));
        if (tail != field->tail || (length > 16 && memcmp(json->at + 8, field->key + 8, length - 16) != 0))
            return false;
    }
    json->at += length;
    return true;
}

/* Reads a key; the index of its field, -1 if there is no such field or a problem. Most senders write all messages of a
 * kind in the same order, that of the .proto files, and no white space. So the field that followed the last one in the
 * message before is tried first, to begin with the one behind it. */
static int read_key(struct transcoder *t, const struct schema_message *message, int last)
{
    int8_t *leap = &t->leaps[message->slot][last + 1];
    int guess = last + 1 + *leap;
    struct weir_str key;
    if (guess < message->count && take_key(&t->json, &message->fields[guess]))
        return guess;
    int found = json_key(&t->json, &key) ? find_field(message, key, guess < message->count ? (unsigned)guess : 0) : -1;
    if (found >= 0)
        *leap = (int8_t)(found - last - 1);
    return found;
}

static bool read_fields(struct transcoder *t, const struct schema_message *message)
{
    uint32_t seen = 0;
    int last = -1;
    if (!weir_json_object(&t->json))
        return false;
    while (json_advance(&t->json, '}', "expected ',' or '}'")) {
        int index = read_key(t, message, last);
        if (index < 0) {
            (void)weir_json_skip(&t->json);
            continue;
        }
        last = index;
        if (json_next(&t->json) == 'n' && weir_json_null(&t->json))
            continue;
        const struct schema_field *field = &message->fields[index];
        t->unusual |= field->flags & SCHEMA_ONEOF && seen & message->oneof;
        // A zero must be written where it says more than its absence: presence, or the end of an earlier value.
        bool keep = (field->flags & (SCHEMA_ONEOF | SCHEMA_OPTIONAL)) || seen & 1u << index;
        if (!read_field(t, field, keep))
            return false;
        seen |= 1u << index;
    }
    return !weir_json_failed(&t->json);
}

static bool read_message(struct transcoder *t, const struct schema_message *message)
{
    bool is_value = message == &schema_any_value;
    if (is_value && t->values == WEIR_BATCH_MAX_DEPTH)
        return weir_json_fail(&t->json, "values nested too deeply");
    t->values += is_value;
    bool good = read_fields(t, message);
    t->values -= is_value;
    return good;
}

static void start_prefixes(struct transcoder *t, const struct schema_message *message)
{
    if (t->prefixes[message->slot])
        return;
    t->prefixes[message->slot] = message->length_bytes;
    for (unsigned i = 0; i < message->count; i++)
        if (message->fields[i].kind == SCHEMA_MESSAGE)
            start_prefixes(t, message->fields[i].message);
}

struct weir_buffer *otlp_json_to_protobuf(enum weir_signal signal, const void *data, size_t length,
                                          struct otlp_summary *out, struct weir_error *error)
{
    const struct schema_message *request = schema_request(signal);
    struct transcoder t = { .values = 0 };
    if (!request) {
        weir_error_set(error, "%s have no JSON form", weir_signal_name(signal));
        return NULL;
    }
    if (length > LENGTH_MAX) {
        weir_error_set(error, "JSON of %zu bytes is too long", length);
        return NULL;
    }
    // Half the text is what most telemetry takes.
    t.pb.out = weir_buffer_new(length / 2 + 64);
    t.pb.failed = !t.pb.out;
    weir_json_start(&t.json, data, length, &t.arena, JSON_LEVELS);
    start_prefixes(&t, request);
    bool good = !t.pb.failed && read_message(&t, request) && weir_json_finish(&t.json);
    good = pb_finish(&t.pb) && good;
    if (!good && t.json.problem)
        weir_json_error(&t.json, error);
    else if (!good)
        weir_error_set(error, "out of memory");
    weir_arena_free(&t.arena);
    if (good) {
        *out = (struct otlp_summary){ .items = t.items, .unusual = t.unusual };
        return t.pb.out;
    }
    weir_buffer_unref(t.pb.out);
    return NULL;
}
