// SPDX-License-Identifier: Apache-2.0
/* Attributes that are written at a glance come out as those that tables are asked about. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <weir/wire.h>

#include "sdk/src/json/otlp_codec.h"
#include "tests/unit/suite.h"

/* A request of one resource with one attribute. */
struct request {
    uint8_t bytes[400];
    size_t length;
};

static void wrap(struct request *request, uint32_t field)
{
    uint8_t head[8];
    size_t size = (size_t)(weir_wire_put_head(head, field, request->length) - head);
    memmove(request->bytes + size, request->bytes, request->length);
    memcpy(request->bytes, head, size);
    request->length += size;
}

/* With a field behind the value that nobody knows, the attribute is none of those that are written at a glance. */
static void make(struct request *request, struct weir_str key, struct weir_str value, bool unknown)
{
    uint8_t *at = weir_wire_put_bytes(request->bytes, 1, key);
    at = weir_wire_put_bytes(at, 2, value);
    if (unknown)
        at = weir_wire_put_varint(weir_wire_put_tag(at, 9, WEIR_WIRE_VARINT), 1);
    request->length = (size_t)(at - request->bytes);
    for (int level = 0; level < 3; level++)
        wrap(request, 1);
}

/* The JSON; NULL: the bytes are none. To be freed. */
static char *print(const struct request *request)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_buffer *out = weir_buffer_new(0);
    uint8_t *exact = weir_xmalloc(request->length); // for sanitizers
    memcpy(exact, request->bytes, request->length);
    bool good = otlp_protobuf_to_json(WEIR_TRACES, exact, request->length, out, &error);
    char *text = good ? weir_str_dup(weir_str_make((const char *)out->data, out->length)) : NULL;
    free(exact);
    weir_buffer_unref(out);
    weir_error_free(&error);
    return text;
}

static void compare(struct weir_str key, struct weir_str value)
{
    struct request glance, tables;
    make(&glance, key, value, false);
    make(&tables, key, value, true);
    char *got = print(&glance), *expected = print(&tables);
    ck_assert_ptr_nonnull(expected);
    ck_assert_ptr_nonnull(got);
    ck_assert_str_eq(got, expected);
    free(got);
    free(expected);
}

static struct weir_str string_value(struct weir_str text, uint8_t *room)
{
    return weir_str_make((const char *)room, (size_t)(weir_wire_put_bytes(room, 1, text) - room));
}

/* The attribute comes out as the key and the text with its escapes. */
static void expect(const struct weir_str key, struct weir_str value, const char *escaped_key, const char *escaped_text)
{
    struct request request;
    struct weir_text expected = { 0 };
    weir_text_addf(&expected, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{%s%s%s\"value\":{\"stringValue\":\"%s\"}}]}}]}",
                   *escaped_key ? "\"key\":\"" : "", escaped_key, *escaped_key ? "\"," : "", escaped_text);
    for (int unknown = 0; unknown < 2; unknown++) {
        make(&request, key, value, unknown);
        char *got = print(&request);
        ck_assert_ptr_nonnull(got);
        ck_assert_str_eq(got, weir_text_string(&expected));
        free(got);
    }
    weir_text_free(&expected);
}

/* Texts of every length with each odd byte at each place. */
START_TEST(texts)
{
    static const char odd[] = { 'x', '"', '\\', '\n', 0x1f, 0x7f, (char)0x80, (char)0xff };
    static const char *const escaped[] = { "x", "\\\"", "\\\\", "\\n", "\\u001f", "\x7f", "\xef\xbf\xbd", "\xef\xbf\xbd" };
    char text[50], out[80];
    uint8_t room[64];
    for (size_t length = 0; length <= sizeof(text); length++) {
        for (size_t place = 0; place < length + (length == 0); place++) {
            memset(text, 'a', sizeof(text));
            if (length > 0)
                text[place] = odd[_i];
            struct weir_str whole = weir_str_make(text, length);
            snprintf(out, sizeof(out), "%.*s%s%.*s", (int)place, text, length > 0 ? escaped[_i] : "",
                     length > 0 ? (int)(length - place - 1) : 0, text + place + 1);
            expect(WEIR_STR("k"), string_value(whole, room), "k", out);
            expect(whole, string_value(WEIR_STR("v"), room), out, "v");
        }
    }
    expect(WEIR_STR("gr\xc3\xb6\xc3\x9f" "e"), string_value(WEIR_STR("\xe2\x82\xac"), room), "gr\xc3\xb6\xc3\x9f" "e",
           "\xe2\x82\xac");
}
END_TEST

/* Values, whole, cut short, and with more behind them. */
START_TEST(values)
{
    static const struct weir_str rows[] = {
        { "", 0 },
        { "\x0a\x01x", 3 },
        { "\x0a\x00", 2 },
        { "\x10\x00", 2 },
        { "\x10\x01", 2 },
        { "\x10\x80\x02", 3 },
        { "\x18\x00", 2 },
        { "\x18\x07", 2 },
        { "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
        { "\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11 },
        { "\x21\x00\x00\x00\x00\x00\x00\xf0\x3f", 9 },
        { "\x21\x00\x00\x00\x00\x00\x00\xf8\x7f", 9 },
        { "\x21\x9a\x99\x99\x99\x99\x99\xb9\xbf", 9 },
        { "\x2a\x05\x0a\x03\x0a\x01" "a", 7 },
        { "\x32\x00", 2 },
        { "\x3a\x02\x01\x02", 4 },
        { "\x18\x01\x10\x01", 4 },
        { "\x10\x01\x0a\x01x", 5 },
        { "\x48\x01\x18\x05", 4 },
        { "\x15\x01\x02\x03\x04", 5 },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        compare(WEIR_STR("key"), rows[i]);
        compare(WEIR_STR("a key that is longer than sixteen bytes"), rows[i]);
        for (size_t length = 1; length < rows[i].length; length++) {
            struct request glance, tables;
            make(&glance, WEIR_STR("key"), weir_str_make(rows[i].data, length), false);
            make(&tables, WEIR_STR("key"), weir_str_make(rows[i].data, length), true);
            char *got = print(&glance), *expected = print(&tables);
            ck_assert_int_eq(got == NULL, expected == NULL);
            if (got)
                ck_assert_str_eq(got, expected);
            free(got);
            free(expected);
        }
    }
}
END_TEST

START_TEST(order_and_repetition)
{
    static const struct {
        struct weir_str attribute;
        const char *json;
    } rows[] = {
        { { "\x0a\x01k\x12\x02\x18\x05", 7 }, "{\"key\":\"k\",\"value\":{\"intValue\":\"5\"}}" },
        { { "\x12\x02\x18\x05\x0a\x01k", 7 }, "{\"key\":\"k\",\"value\":{\"intValue\":\"5\"}}" },
        { { "\x0a\x01k\x12\x02\x18\x05\x12\x02\x10\x01", 11 }, "{\"key\":\"k\",\"value\":{\"boolValue\":true}}" },
        { { "\x0a\x01j\x0a\x01k\x12\x02\x18\x05", 10 }, "{\"key\":\"k\",\"value\":{\"intValue\":\"5\"}}" },
        { { "\x12\x02\x18\x05", 4 }, "{\"value\":{\"intValue\":\"5\"}}" },
        { { "\x0a\x01k", 3 }, "{\"key\":\"k\",\"value\":{}}" },
        { { "\x0a\x81\x00k\x12\x82\x00\x18\x05", 9 }, "{\"key\":\"k\",\"value\":{\"intValue\":\"5\"}}" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        struct request request = { .length = rows[i].attribute.length };
        struct weir_text expected = { 0 };
        memcpy(request.bytes, rows[i].attribute.data, request.length);
        for (int level = 0; level < 3; level++)
            wrap(&request, 1);
        weir_text_addf(&expected, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[%s]}}]}", rows[i].json);
        char *got = print(&request);
        ck_assert_ptr_nonnull(got);
        ck_assert_str_eq(got, weir_text_string(&expected));
        free(got);
        weir_text_free(&expected);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("to json");
    TCase *tests = tcase_create("attributes");
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, texts, 0, 8);
    tcase_add_test(tests, values);
    tcase_add_test(tests, order_and_repetition);
    return run_suite(suite);
}
