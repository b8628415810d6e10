// SPDX-License-Identifier: Apache-2.0
/*
 * Export*ServiceResponse: { 1 partial_success { 1 rejected, 2 error_message } }.
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>

#include <weir/json.h>
#include <weir/otlp_response.h>
#include <weir/wire.h>

#include "sdk/src/json/pb_writer.h"

#define DEPTH 32

static const struct rejected_name {
    const char *camel;
    const char *snake;
} rejected_names[WEIR_SIGNALS] = {
    [WEIR_TRACES] = { "rejectedSpans", "rejected_spans" },
    [WEIR_METRICS] = { "rejectedDataPoints", "rejected_data_points" },
    [WEIR_LOGS] = { "rejectedLogRecords", "rejected_log_records" },
    [WEIR_PROFILES] = { "rejectedProfiles", "rejected_profiles" },
};

static bool to_protobuf(const struct weir_partial_success *partial, struct weir_buffer *out)
{
    // Tags and numbers take 40 bytes at most.
    size_t room;
    if (!weir_size_add(partial->message.length, 40, &room) || !weir_buffer_reserve(out, room))
        return false;
    struct pb_writer writer = { .out = out };
    size_t length = 0;
    if (partial->rejected != 0)
        length += 1 + pb_varint_length((uint64_t)partial->rejected);
    if (partial->message.length > 0)
        length += 1 + pb_varint_length(partial->message.length) + partial->message.length;
    pb_put_tag(&writer, 1, WEIR_WIRE_BYTES);
    pb_put_varint(&writer, length);
    if (partial->rejected != 0) {
        pb_put_tag(&writer, 1, WEIR_WIRE_VARINT);
        pb_put_varint(&writer, (uint64_t)partial->rejected);
    }
    if (partial->message.length > 0) {
        pb_put_tag(&writer, 2, WEIR_WIRE_BYTES);
        pb_put_varint(&writer, partial->message.length);
        memcpy(out->data + out->length, partial->message.data, partial->message.length);
        out->length += partial->message.length;
    }
    return true;
}

static bool to_json(enum weir_signal signal, const struct weir_partial_success *partial, struct weir_buffer *out)
{
    struct weir_json_writer writer = { .out = out };
    size_t before = out->length;
    weir_json_open_object(&writer);
    weir_json_key(&writer, WEIR_STR("partialSuccess"));
    weir_json_open_object(&writer);
    if (partial->rejected != 0) {
        char text[24];
        weir_json_key(&writer, weir_str_of(rejected_names[signal].camel));
        snprintf(text, sizeof(text), "%" PRId64, partial->rejected);
        weir_json_put_string(&writer, weir_str_of(text));
    }
    if (partial->message.length > 0) {
        weir_json_key(&writer, WEIR_STR("errorMessage"));
        weir_json_put_string(&writer, partial->message);
    }
    weir_json_close_object(&writer);
    weir_json_close_object(&writer);
    if (writer.failed)
        out->length = before;
    return !writer.failed;
}

bool weir_response_encode(enum weir_otlp_format format, enum weir_signal signal,
                          const struct weir_partial_success *partial, struct weir_buffer *out)
{
    static const struct weir_partial_success full = { 0, { NULL, 0 } };
    if (!partial)
        partial = &full;
    return format == WEIR_OTLP_JSON ? to_json(signal, partial, out) : to_protobuf(partial, out);
}

/* Reads PartialSuccess; views of the input. */
static bool read_partial(struct weir_str bytes, struct weir_partial_success *out)
{
    struct weir_cursor cursor = weir_cursor_make(bytes.data, bytes.length);
    while (weir_cursor_left(&cursor) > 0) {
        uint32_t number;
        enum weir_wire_type type;
        uint64_t rejected;
        if (!weir_cursor_tag(&cursor, &number, &type))
            return false;
        if (number == 1 && type == WEIR_WIRE_VARINT) {
            if (!weir_cursor_varint(&cursor, &rejected))
                return false;
            out->rejected = (int64_t)rejected;
        } else if (number == 2 && type == WEIR_WIRE_BYTES) {
            if (!weir_cursor_bytes(&cursor, &out->message) ||
                !weir_utf8_valid(out->message.data, out->message.length))
                return false;
        } else if (!weir_cursor_skip(&cursor, type)) {
            return false;
        }
    }
    return true;
}

static bool from_protobuf(const void *data, size_t length, struct weir_partial_success *out)
{
    struct weir_cursor cursor = weir_cursor_make(data, length);
    while (weir_cursor_left(&cursor) > 0) {
        uint32_t number;
        enum weir_wire_type type;
        struct weir_str partial;
        if (!weir_cursor_tag(&cursor, &number, &type))
            return false;
        if (number == 1 && type == WEIR_WIRE_BYTES) {
            if (!weir_cursor_bytes(&cursor, &partial) || !read_partial(partial, out))
                return false;
        } else if (!weir_cursor_skip(&cursor, type)) {
            return false;
        }
    }
    return true;
}

static bool is_key(struct weir_str key, const char *camel, const char *snake)
{
    return weir_str_is(key, camel) || weir_str_is(key, snake);
}

/* An int64 is a string in ProtoJSON, and may be a number. */
static bool read_count(struct weir_json *json, int64_t *out)
{
    struct weir_str text;
    if (weir_json_type(json) != WEIR_JSON_STRING)
        return weir_json_i64(json, out);
    return weir_json_string(json, &text) &&
           (weir_str_to_i64(text, out) || weir_json_fail(json, "expected a 64-bit integer"));
}

static bool read_json_partial(struct weir_json *json, enum weir_signal signal, struct weir_partial_success *out)
{
    struct weir_str key;
    if (!weir_json_object(json))
        return false;
    while (weir_json_member(json, &key)) {
        if (weir_json_null(json))
            continue;
        if (is_key(key, rejected_names[signal].camel, rejected_names[signal].snake))
            (void)read_count(json, &out->rejected);
        else if (is_key(key, "errorMessage", "error_message"))
            (void)weir_json_string(json, &out->message);
        else
            (void)weir_json_skip(json);
    }
    return !weir_json_failed(json);
}

static bool from_json(struct weir_json *json, enum weir_signal signal, struct weir_partial_success *out)
{
    struct weir_str key;
    if (!weir_json_object(json))
        return false;
    while (weir_json_member(json, &key)) {
        if (weir_json_null(json))
            continue;
        if (is_key(key, "partialSuccess", "partial_success"))
            (void)read_json_partial(json, signal, out);
        else
            (void)weir_json_skip(json);
    }
    return weir_json_finish(json);
}

int weir_response_decode(enum weir_otlp_format format, enum weir_signal signal, const void *data, size_t length,
                         struct weir_arena *arena, struct weir_partial_success *out, struct weir_error *error)
{
    struct weir_partial_success partial = { 0, { "", 0 } };
    struct weir_json json;
    if (format == WEIR_OTLP_JSON) {
        weir_json_start(&json, data, length, arena, DEPTH);
        if (!from_json(&json, signal, &partial))
            return weir_json_error(&json, error);
    } else if (!from_protobuf(data, length, &partial)) {
        return weir_error_set(error, "malformed export response");
    }
    partial.message = weir_arena_copy(arena, partial.message);
    if (!partial.message.data)
        return weir_error_set(error, "out of memory");
    *out = partial;
    return 0;
}
