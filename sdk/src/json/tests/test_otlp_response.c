// SPDX-License-Identifier: Apache-2.0
/*
 * Export responses and google.rpc.Status, in both encodings.
 */
#include <config.h>

#include <weir/otlp_response.h>

#include "tests/unit/suite.h"

static struct weir_arena arena;
static struct weir_error error;

static void setup(void)
{
    arena = (struct weir_arena){ 0 };
    error = (struct weir_error)WEIR_ERROR_INIT;
}

static void teardown(void)
{
    weir_arena_free(&arena);
    weir_error_free(&error);
}

#define BYTES(literal) { (literal), sizeof(literal) - 1 }
#define RETRY_URL "type.googleapis.com/google.rpc.RetryInfo"

static const struct {
    int32_t code;
    struct weir_str message;
    int64_t delay;
    struct weir_str protobuf;
    struct weir_str json;
} statuses[] = {
    { 0, BYTES(""), WEIR_NO_RETRY_DELAY, BYTES(""), BYTES("{}") },
    { 3, BYTES("bad \"data\""), WEIR_NO_RETRY_DELAY, BYTES("\x08\x03\x12\x0a" "bad \"data\""),
      BYTES("{\"code\":3,\"message\":\"bad \\\"data\\\"\"}") },
    { 8, BYTES("busy"), 5000000000,
      BYTES("\x08\x08\x12\x04" "busy\x1a\x30\x0a\x28" RETRY_URL "\x12\x04\x0a\x02\x08\x05"),
      BYTES("{\"code\":8,\"message\":\"busy\",\"details\":[{\"@type\":\"" RETRY_URL "\",\"retryDelay\":\"5s\"}]}") },
    { 14, BYTES("x"), 1500000000,
      BYTES("\x08\x0e\x12\x01x\x1a\x36\x0a\x28" RETRY_URL "\x12\x0a\x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01"),
      BYTES("{\"code\":14,\"message\":\"x\",\"details\":[{\"@type\":\"" RETRY_URL "\",\"retryDelay\":\"1.500s\"}]}") },
    { 14, BYTES("x"), 0, BYTES("\x08\x0e\x12\x01x\x1a\x2e\x0a\x28" RETRY_URL "\x12\x02\x0a\x00"),
      BYTES("{\"code\":14,\"message\":\"x\",\"details\":[{\"@type\":\"" RETRY_URL "\",\"retryDelay\":\"0s\"}]}") },
    { 8, BYTES(""), 1500000, BYTES("\x08\x08\x1a\x32\x0a\x28" RETRY_URL "\x12\x06\x0a\x04\x10\xe0\xc6\x5b"),
      BYTES("{\"code\":8,\"details\":[{\"@type\":\"" RETRY_URL "\",\"retryDelay\":\"0.001500s\"}]}") },
    { -1, BYTES("\xc3\xa9"), 1001, BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x12\x02\xc3\xa9\x1a\x31\x0a\x28"
                                        RETRY_URL "\x12\x05\x0a\x03\x10\xe9\x07"),
      BYTES("{\"code\":-1,\"message\":\"\xc3\xa9\",\"details\":[{\"@type\":\"" RETRY_URL
            "\",\"retryDelay\":\"0.000001001s\"}]}") },
};

static void check_bytes(const struct weir_buffer *buffer, struct weir_str expected)
{
    ck_assert_uint_eq(buffer->length, expected.length);
    if (expected.length > 0)
        ck_assert_mem_eq(buffer->data, expected.data, expected.length);
}

START_TEST(statuses_are_written_and_read)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(statuses); i++)
        for (int format = WEIR_OTLP_PROTOBUF; format <= WEIR_OTLP_JSON; format++) {
            struct weir_str expected = format == WEIR_OTLP_JSON ? statuses[i].json : statuses[i].protobuf;
            struct weir_buffer *out = weir_buffer_new(0);
            ck_assert(weir_status_encode((enum weir_otlp_format)format, statuses[i].code, statuses[i].message,
                                         statuses[i].delay, out));
            check_bytes(out, expected);
            weir_buffer_unref(out);

            struct weir_rpc_status status = { 0 };
            ck_assert_int_eq(weir_status_decode((enum weir_otlp_format)format, expected.data, expected.length, &arena,
                                                &status, &error),
                             0);
            ck_assert_int_eq(status.code, statuses[i].code);
            ck_assert(weir_str_equal(status.message, statuses[i].message));
            ck_assert_int_eq(status.retry_delay_ns, statuses[i].delay);
        }
}
END_TEST

START_TEST(statuses_from_others)
{
    static const struct {
        struct weir_str json;
        int32_t code;
        const char *message;
        int64_t delay;
    } rows[] = {
        { BYTES(" { \"message\" : \"m\" , \"extra\" : [ { } ] , \"code\" : 7 } "), 7, "m", WEIR_NO_RETRY_DELAY },
        { BYTES("{\"code\":null,\"message\":null,\"details\":null}"), 0, "", WEIR_NO_RETRY_DELAY },
        { BYTES("{\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.BadRequest\",\"retryDelay\":\"1s\"}]}"), 0,
          "", WEIR_NO_RETRY_DELAY },
        { BYTES("{\"details\":[{\"retryDelay\":\"0.1s\",\"@type\":\"" RETRY_URL "\"}]}"), 0, "", 100000000 },
        { BYTES("{\"details\":[{\"@type\":\"" RETRY_URL "\"}]}"), 0, "", 0 },
        { BYTES("{\"details\":[{\"@type\":\"" RETRY_URL "\",\"retryDelay\":\"-3s\"}]}"), 0, "", 0 },
        { BYTES("{\"details\":[{\"@type\":\"" RETRY_URL "\",\"retryDelay\":\"9223372037s\"}]}"), 0, "", INT64_MAX },
        { BYTES("{\"details\":[{\"@type\":\"x\"},{\"@type\":\"" RETRY_URL "\",\"retryDelay\":\"2s\"}]}"), 0, "",
          2000000000 },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        struct weir_rpc_status status;
        ck_assert_int_eq(weir_status_decode(WEIR_OTLP_JSON, rows[i].json.data, rows[i].json.length, &arena, &status,
                                            &error),
                         0);
        ck_assert_int_eq(status.code, rows[i].code);
        ck_assert(weir_str_is(status.message, rows[i].message));
        ck_assert_int_eq(status.retry_delay_ns, rows[i].delay);
    }
    // Unknown fields and details; a RetryInfo that is malformed inside counts as none.
    static const struct weir_str wire = BYTES("\x2a\x01?\x1a\x05\x0a\x03" "a/b\x1a\x2d\x0a\x28" RETRY_URL "\x12\x01\x0a");
    struct weir_rpc_status status;
    ck_assert_int_eq(weir_status_decode(WEIR_OTLP_PROTOBUF, wire.data, wire.length, &arena, &status, &error), 0);
    ck_assert_int_eq(status.code, 0);
    ck_assert_int_eq(status.retry_delay_ns, WEIR_NO_RETRY_DELAY);
}
END_TEST

START_TEST(bad_statuses_are_refused)
{
    static const struct {
        enum weir_otlp_format format;
        struct weir_str bytes;
    } rows[] = {
        { WEIR_OTLP_PROTOBUF, BYTES("\x08") },
        { WEIR_OTLP_PROTOBUF, BYTES("\x12\x05" "ab") },
        { WEIR_OTLP_PROTOBUF, BYTES("\x12\x01\xff") },
        { WEIR_OTLP_PROTOBUF, BYTES("\x1a\x02\x0a\x05") },
        { WEIR_OTLP_PROTOBUF, BYTES("\x0b\x0c") },
        { WEIR_OTLP_JSON, BYTES("") },
        { WEIR_OTLP_JSON, BYTES("502 Bad Gateway") },
        { WEIR_OTLP_JSON, BYTES("{\"code\":\"x\"}") },
        { WEIR_OTLP_JSON, BYTES("{\"code\":2147483648}") },
        { WEIR_OTLP_JSON, BYTES("{\"message\":1}") },
        { WEIR_OTLP_JSON, BYTES("{\"details\":{}}") },
        { WEIR_OTLP_JSON, BYTES("{\"details\":[{\"retryDelay\":\"1\"}]}") },
        { WEIR_OTLP_JSON, BYTES("{\"details\":[{\"retryDelay\":\"s\"}]}") },
        { WEIR_OTLP_JSON, BYTES("{\"details\":[{\"retryDelay\":\"1.s\"}]}") },
        { WEIR_OTLP_JSON, BYTES("{\"details\":[{\"retryDelay\":\"1.1234567891s\"}]}") },
        { WEIR_OTLP_JSON, BYTES("{} ,") },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        struct weir_rpc_status status = { 99, WEIR_STR_NONE, 99 };
        weir_error_free(&error);
        ck_assert_msg(weir_status_decode(rows[i].format, rows[i].bytes.data, rows[i].bytes.length, &arena, &status,
                                         &error) == -1,
                      "row %zu", i);
        ck_assert(weir_error_is_set(&error));
        ck_assert_int_eq(status.code, 99);
    }
}
END_TEST

static const struct {
    enum weir_signal signal;
    struct weir_partial_success partial;
    struct weir_str protobuf;
    struct weir_str json;
} responses[] = {
    { WEIR_TRACES, { 0, BYTES("") }, BYTES("\x0a\x00"), BYTES("{\"partialSuccess\":{}}") },
    { WEIR_TRACES, { 3, BYTES("no") }, BYTES("\x0a\x06\x08\x03\x12\x02no"),
      BYTES("{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"no\"}}") },
    { WEIR_METRICS, { 300, BYTES("") }, BYTES("\x0a\x03\x08\xac\x02"),
      BYTES("{\"partialSuccess\":{\"rejectedDataPoints\":\"300\"}}") },
    { WEIR_LOGS, { 1, BYTES("") }, BYTES("\x0a\x02\x08\x01"), BYTES("{\"partialSuccess\":{\"rejectedLogRecords\":\"1\"}}") },
    { WEIR_PROFILES, { 0, BYTES("w") }, BYTES("\x0a\x03\x12\x01w"), BYTES("{\"partialSuccess\":{\"errorMessage\":\"w\"}}") },
    { WEIR_PROFILES, { -1, BYTES("") }, BYTES("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
      BYTES("{\"partialSuccess\":{\"rejectedProfiles\":\"-1\"}}") },
};

START_TEST(responses_are_written_and_read)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(responses); i++)
        for (int format = WEIR_OTLP_PROTOBUF; format <= WEIR_OTLP_JSON; format++) {
            struct weir_str expected = format == WEIR_OTLP_JSON ? responses[i].json : responses[i].protobuf;
            struct weir_buffer *out = weir_buffer_new(0);
            ck_assert(weir_response_encode((enum weir_otlp_format)format, responses[i].signal,
                                           i == 0 ? NULL : &responses[i].partial, out));
            check_bytes(out, expected);
            weir_buffer_unref(out);
            struct weir_partial_success partial = { 0 };
            ck_assert_int_eq(weir_response_decode((enum weir_otlp_format)format, responses[i].signal, expected.data,
                                                  expected.length, &arena, &partial, &error),
                             0);
            ck_assert_int_eq(partial.rejected, responses[i].partial.rejected);
            ck_assert(weir_str_equal(partial.message, responses[i].partial.message));
        }
}
END_TEST

START_TEST(responses_from_others)
{
    static const struct {
        enum weir_otlp_format format;
        struct weir_str bytes;
        int64_t rejected;
        const char *message;
    } rows[] = {
        { WEIR_OTLP_PROTOBUF, BYTES(""), 0, "" },
        { WEIR_OTLP_PROTOBUF, BYTES("\x12\x01x\x0a\x05\x1a\x01y\x08\x02"), 2, "" },
        { WEIR_OTLP_JSON, BYTES("{}"), 0, "" },
        { WEIR_OTLP_JSON, BYTES("{\"partialSuccess\":null,\"x\":[]}"), 0, "" },
        { WEIR_OTLP_JSON, BYTES("{\"partial_success\":{\"rejected_spans\":5,\"error_message\":\"e\",\"y\":{}}}"), 5, "e" },
        { WEIR_OTLP_JSON, BYTES("{\"partialSuccess\":{\"rejectedLogRecords\":\"5\",\"errorMessage\":null}}"), 0, "" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        struct weir_partial_success partial;
        ck_assert_int_eq(weir_response_decode(rows[i].format, WEIR_TRACES, rows[i].bytes.data, rows[i].bytes.length,
                                              &arena, &partial, &error),
                         0);
        ck_assert_int_eq(partial.rejected, rows[i].rejected);
        ck_assert(weir_str_is(partial.message, rows[i].message));
    }
}
END_TEST

START_TEST(bad_responses_are_refused)
{
    static const struct {
        enum weir_otlp_format format;
        struct weir_str bytes;
    } rows[] = {
        { WEIR_OTLP_PROTOBUF, BYTES("\x0a") },         { WEIR_OTLP_PROTOBUF, BYTES("\x0a\x02\x08") },
        { WEIR_OTLP_PROTOBUF, BYTES("\x0a\x01\x08") }, { WEIR_OTLP_PROTOBUF, BYTES("\x0a\x03\x12\x01\xff") },
        { WEIR_OTLP_PROTOBUF, BYTES("\x0b") },         { WEIR_OTLP_JSON, BYTES("") },
        { WEIR_OTLP_JSON, BYTES("[]") },               { WEIR_OTLP_JSON, BYTES("{\"partialSuccess\":1}") },
        { WEIR_OTLP_JSON, BYTES("{\"partialSuccess\":{\"rejectedSpans\":\"a\"}}") },
        { WEIR_OTLP_JSON, BYTES("{\"partialSuccess\":{}") },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        struct weir_partial_success partial = { 99, WEIR_STR_NONE };
        ck_assert_msg(weir_response_decode(rows[i].format, WEIR_TRACES, rows[i].bytes.data, rows[i].bytes.length, &arena,
                                           &partial, &error) == -1,
                      "row %zu", i);
        ck_assert_int_eq(partial.rejected, 99);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("otlp_response");
    TCase *t = tcase_create("otlp_response");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, statuses_are_written_and_read);
    tcase_add_test(t, statuses_from_others);
    tcase_add_test(t, bad_statuses_are_refused);
    tcase_add_test(t, responses_are_written_and_read);
    tcase_add_test(t, responses_from_others);
    tcase_add_test(t, bad_responses_are_refused);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
