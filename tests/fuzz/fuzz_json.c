// SPDX-License-Identifier: Apache-2.0
/*
 * The JSON reader, and the writer on what was read: a good document that is written anew must read as the same, and
 * be written as the same again.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/json.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void copy_value(struct weir_json *json, struct weir_json_writer *writer);

static void copy_members(struct weir_json *json, struct weir_json_writer *writer)
{
    struct weir_str key;
    weir_json_open_object(writer);
    if (weir_json_object(json))
        while (weir_json_member(json, &key)) {
            weir_json_key(writer, key);
            copy_value(json, writer);
        }
    weir_json_close_object(writer);
}

static void copy_elements(struct weir_json *json, struct weir_json_writer *writer)
{
    weir_json_open_array(writer);
    if (weir_json_array(json))
        while (weir_json_element(json))
            copy_value(json, writer);
    weir_json_close_array(writer);
}

static void copy_number(struct weir_json *json, struct weir_json_writer *writer)
{
    struct weir_str text;
    double value;
    int64_t integer;
    if (!weir_json_number(json, &text))
        return;
    // -0 is a double.
    if (weir_str_to_i64(text, &integer) && (integer != 0 || text.data[0] != '-'))
        weir_json_put_i64(writer, integer);
    else if (weir_json_parse_double(text, &value))
        weir_json_put_double(writer, value);
    else
        weir_json_put_raw(writer, text);
}

static void copy_value(struct weir_json *json, struct weir_json_writer *writer)
{
    struct weir_str text;
    bool truth;
    switch (weir_json_type(json)) {
    case WEIR_JSON_OBJECT:
        copy_members(json, writer);
        break;
    case WEIR_JSON_ARRAY:
        copy_elements(json, writer);
        break;
    case WEIR_JSON_STRING:
        if (weir_json_string(json, &text))
            weir_json_put_string(writer, text);
        break;
    case WEIR_JSON_NUMBER:
        copy_number(json, writer);
        break;
    case WEIR_JSON_BOOL:
        if (weir_json_bool(json, &truth))
            weir_json_put_bool(writer, truth);
        break;
    case WEIR_JSON_NULL:
        if (weir_json_null(json))
            weir_json_put_null(writer);
        break;
    case WEIR_JSON_BAD:
        (void)weir_json_skip(json);
        break;
    }
}

/* A new document that says the same; NULL if it is none. */
static struct weir_buffer *rewrite(const void *data, size_t size)
{
    struct weir_arena arena = { 0 };
    struct weir_json json;
    struct weir_json_writer writer = { .out = weir_buffer_new(0) };
    if (!writer.out)
        abort();
    weir_json_start(&json, data, size, &arena, WEIR_JSON_DEPTH);
    copy_value(&json, &writer);
    bool good = weir_json_finish(&json);
    weir_arena_free(&arena);
    if (good)
        return writer.out;
    weir_buffer_unref(writer.out);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_arena arena = { 0 };
    struct weir_json json;
    weir_json_start(&json, data, size, &arena, WEIR_JSON_DEPTH);
    bool skipped = weir_json_skip(&json) && weir_json_finish(&json);
    weir_arena_free(&arena);
    struct weir_buffer *once = rewrite(data, size);
    // Skipping is as strict as reading.
    if (skipped != (once != NULL))
        abort();
    if (!once)
        return 0;
    struct weir_buffer *twice = rewrite(once->data, once->length);
    if (!twice || twice->length != once->length || memcmp(twice->data, once->data, once->length) != 0)
        abort();
    weir_buffer_unref(once);
    weir_buffer_unref(twice);
    return 0;
}
