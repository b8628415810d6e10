// SPDX-License-Identifier: Apache-2.0
/*
 * google.rpc.Status as JSON (ProtoJSON: Any with "@type", Duration as "1.5s").
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>

#include <weir/json.h>

#include "sdk/src/json/status.h"

/* Status, its details, one of them: the rest is skipped, whatever its depth up to this. */
#define DEPTH 32

/* Writes seconds with 0, 3, 6 or 9 decimals. */
static void put_duration(struct weir_json_writer *writer, int64_t ns)
{
    char text[48];
    int64_t seconds = ns / STATUS_NS_PER_SECOND, rest = ns % STATUS_NS_PER_SECOND;
    if (rest == 0)
        snprintf(text, sizeof(text), "%" PRId64 "s", seconds);
    else if (rest % 1000000 == 0)
        snprintf(text, sizeof(text), "%" PRId64 ".%03" PRId64 "s", seconds, rest / 1000000);
    else if (rest % 1000 == 0)
        snprintf(text, sizeof(text), "%" PRId64 ".%06" PRId64 "s", seconds, rest / 1000);
    else
        snprintf(text, sizeof(text), "%" PRId64 ".%09" PRId64 "s", seconds, rest);
    weir_json_put_string(writer, weir_str_of(text));
}

bool status_to_json(const struct weir_rpc_status *status, struct weir_buffer *out)
{
    struct weir_json_writer writer = { .out = out };
    size_t before = out->length;
    weir_json_open_object(&writer);
    if (status->code != 0) {
        weir_json_key(&writer, WEIR_STR("code"));
        weir_json_put_i64(&writer, status->code);
    }
    if (status->message.length > 0) {
        weir_json_key(&writer, WEIR_STR("message"));
        weir_json_put_string(&writer, status->message);
    }
    if (status->retry_delay_ns >= 0) {
        weir_json_key(&writer, WEIR_STR("details"));
        weir_json_open_array(&writer);
        weir_json_open_object(&writer);
        weir_json_key(&writer, WEIR_STR("@type"));
        weir_json_put_string(&writer, WEIR_STR(STATUS_RETRY_INFO));
        weir_json_key(&writer, WEIR_STR("retryDelay"));
        put_duration(&writer, status->retry_delay_ns);
        weir_json_close_object(&writer);
        weir_json_close_array(&writer);
    }
    weir_json_close_object(&writer);
    if (writer.failed)
        out->length = before;
    return !writer.failed;
}

/* Parses "5s", "1.5s", "-1s"; false on anything else. */
static bool parse_duration(struct weir_str text, int64_t *out)
{
    if (text.length < 2 || text.data[text.length - 1] != 's')
        return false;
    text.length--;
    bool negative = text.data[0] == '-';
    text.data += negative;
    text.length -= negative;
    const char *dot = memchr(text.data, '.', text.length);
    size_t whole = dot ? (size_t)(dot - text.data) : text.length;
    uint64_t seconds, nanos = 0;
    if (!weir_str_to_u64(weir_str_make(text.data, whole), &seconds) || seconds > INT64_MAX)
        return false;
    if (dot) {
        struct weir_str decimals = weir_str_make(dot + 1, text.length - whole - 1);
        if (decimals.length > 9 || !weir_str_to_u64(decimals, &nanos))
            return false;
        for (size_t i = decimals.length; i < 9; i++)
            nanos *= 10;
    }
    *out = negative ? 0 : status_delay((int64_t)seconds, (int64_t)nanos);
    return true;
}

/* One detail; keeps the delay of a RetryInfo. */
static bool read_detail(struct weir_json *json, int64_t *delay)
{
    struct weir_str key, type = WEIR_STR_NONE, text;
    int64_t found = 0;
    if (!weir_json_object(json))
        return false;
    while (weir_json_member(json, &key)) {
        if (weir_str_is(key, "@type") && weir_json_type(json) == WEIR_JSON_STRING) {
            (void)weir_json_string(json, &type);
        } else if (weir_str_is(key, "retryDelay") && weir_json_type(json) == WEIR_JSON_STRING) {
            if (weir_json_string(json, &text) && !parse_duration(text, &found))
                return weir_json_fail(json, "bad retryDelay");
        } else {
            (void)weir_json_skip(json);
        }
    }
    if (weir_str_is(type, STATUS_RETRY_INFO))
        *delay = found;
    return !weir_json_failed(json);
}

static bool read_details(struct weir_json *json, int64_t *delay)
{
    if (!weir_json_array(json))
        return false;
    while (weir_json_element(json))
        if (!read_detail(json, delay))
            return false;
    return !weir_json_failed(json);
}

int status_from_json(const void *data, size_t length, struct weir_arena *arena, struct weir_rpc_status *out,
                     struct weir_error *error)
{
    struct weir_json json;
    struct weir_str key, message = WEIR_STR("");
    int64_t code = 0, delay = WEIR_NO_RETRY_DELAY;
    weir_json_start(&json, data, length, arena, DEPTH);
    (void)weir_json_object(&json);
    while (weir_json_member(&json, &key)) {
        if (weir_json_null(&json))
            continue;
        if (weir_str_is(key, "code")) {
            if (weir_json_i64(&json, &code) && (code < INT32_MIN || code > INT32_MAX))
                weir_json_fail(&json, "bad code");
        } else if (weir_str_is(key, "message")) {
            (void)weir_json_string(&json, &message);
        } else if (weir_str_is(key, "details")) {
            (void)read_details(&json, &delay);
        } else {
            (void)weir_json_skip(&json);
        }
    }
    if (!weir_json_finish(&json))
        return weir_json_error(&json, error);
    message = weir_arena_copy(arena, message);
    if (!message.data)
        return weir_error_set(error, "out of memory");
    *out = (struct weir_rpc_status){ (int32_t)code, message, delay };
    return 0;
}
