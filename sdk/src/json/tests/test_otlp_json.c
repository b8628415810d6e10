// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP/JSON, to and from batches; protobuf-c is the oracle for the protobuf side.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/otlp_json.h>

#include "sdk/src/json/otlp_codec.h"
#include "sdk/src/otlp/tests/oracle.h"
#include "tests/unit/suite.h"

/* What a batch read from the text prints; to be freed. */
static char *reprint(enum weir_signal signal, const char *text)
{
    struct weir_error error = WEIR_ERROR_INIT;
    char *copy = weir_xmalloc(strlen(text) + 1); // of the exact size, for sanitizers
    memcpy(copy, text, strlen(text));
    struct weir_batch *batch = weir_batch_from_json(signal, copy, strlen(text), &error);
    ck_assert_msg(batch != NULL, "%s: %s", text, weir_error_text(&error));
    free(copy);
    struct weir_buffer *out = weir_buffer_new(0);
    ck_assert(weir_batch_to_json(batch, out, &error));
    char *result = weir_str_dup(weir_str_make((const char *)out->data, out->length));
    weir_buffer_unref(out);
    weir_batch_unref(batch);
    return result;
}

/* Around one span, data point, log record and AnyValue. */
#define SPAN(members) "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" members "}]}]}]}"
#define SPAN_OUT(members) \
    "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{},\"spans\":[{" members "}]}]}]}"
#define LOG(members) "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{" members "}]}]}]}"
#define LOG_OUT(members) \
    "{\"resourceLogs\":[{\"resource\":{},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[{" members "}]}]}]}"
#define METRIC(members) "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{" members "}]}]}]}"
#define METRIC_OUT(members) \
    "{\"resourceMetrics\":[{\"resource\":{},\"scopeMetrics\":[{\"scope\":{},\"metrics\":[{" members "}]}]}]}"
#define BODY(value) LOG("\"body\":" value)
#define BODY_OUT(value) LOG_OUT("\"body\":" value)

struct row {
    enum weir_signal signal;
    const char *in;
    const char *out;
};

static const struct row span_rows[] = {
    { WEIR_TRACES, "{}", "{}" },
    { WEIR_TRACES, "{\"resourceSpans\":[]}", "{}" },
    { WEIR_TRACES, "{\"resourceSpans\":null,\"x\":1}", "{}" },
    { WEIR_TRACES, " { \"resourceSpans\" : [ { } ] } ", "{\"resourceSpans\":[{\"resource\":{}}]}" },
    { WEIR_TRACES, SPAN(""), SPAN_OUT("\"status\":{}") },
    // Everything, in another order than it is written, with white space.
    { WEIR_TRACES,
      "{\"resourceSpans\":[{\"schemaUrl\":\"u\",\"scopeSpans\":[{\"spans\":[{ \"status\" : {\"code\":2,\"message\":"
      "\"m\"}, \"flags\":257, \"links\":[{\"flags\":1,\"traceId\":\"000102030405060708090a0b0c0d0e0f\",\"spanId\":"
      "\"0001020304050607\",\"traceState\":\"s\",\"droppedAttributesCount\":1}],\"droppedLinksCount\":4,"
      "\"events\":[{\"timeUnixNano\":\"5\",\"name\":\"e\",\"droppedAttributesCount\":2}],\"droppedEventsCount\":3,"
      "\"attributes\":[{\"key\":\"k\",\"value\":{\"boolValue\":true}}],\"droppedAttributesCount\":2,"
      "\"endTimeUnixNano\":2,\"startTimeUnixNano\":\"18446744073709551615\",\"kind\":3,\"name\":\"n\","
      "\"parentSpanId\":\"A1B2C3D4E5F60708\",\"traceState\":\"a=b\",\"spanId\":\"EEE19B7EC3C1B174\","
      "\"traceId\":\"5B8EFFF798038103D269B633813FC60C\"}],\"scope\":{\"name\":\"lib\",\"version\":\"1\","
      "\"attributes\":[{\"key\":\"s\"}],\"droppedAttributesCount\":9},\"schemaUrl\":\"v\"}],\"resource\":"
      "{\"attributes\":[{\"key\":\"r\",\"value\":{\"intValue\":7}}],\"droppedAttributesCount\":8,\"entityRefs\":"
      "[{\"schemaUrl\":\"q\",\"type\":\"t\",\"idKeys\":[\"a\",\"\"],\"descriptionKeys\":[\"d\"]}]}}]}",
      "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"r\",\"value\":{\"intValue\":\"7\"}}],"
      "\"droppedAttributesCount\":8,\"entityRefs\":[{\"schemaUrl\":\"q\",\"type\":\"t\",\"idKeys\":[\"a\",\"\"],"
      "\"descriptionKeys\":[\"d\"]}]},\"scopeSpans\":[{\"scope\":{\"name\":\"lib\",\"version\":\"1\",\"attributes\":"
      "[{\"key\":\"s\",\"value\":{}}],\"droppedAttributesCount\":9},\"spans\":[{\"traceId\":"
      "\"5b8efff798038103d269b633813fc60c\",\"spanId\":\"eee19b7ec3c1b174\",\"traceState\":\"a=b\",\"parentSpanId\":"
      "\"a1b2c3d4e5f60708\",\"flags\":257,\"name\":\"n\",\"kind\":3,\"startTimeUnixNano\":\"18446744073709551615\","
      "\"endTimeUnixNano\":\"2\",\"attributes\":[{\"key\":\"k\",\"value\":{\"boolValue\":true}}],"
      "\"droppedAttributesCount\":2,\"events\":[{\"timeUnixNano\":\"5\",\"name\":\"e\",\"droppedAttributesCount\":2}],"
      "\"droppedEventsCount\":3,\"links\":[{\"traceId\":\"000102030405060708090a0b0c0d0e0f\",\"spanId\":"
      "\"0001020304050607\",\"traceState\":\"s\",\"droppedAttributesCount\":1,\"flags\":1}],\"droppedLinksCount\":4,"
      "\"status\":{\"message\":\"m\",\"code\":2}}],\"schemaUrl\":\"v\"}],\"schemaUrl\":\"u\"}]}" },
    // Names of enums, snake case, numbers as strings.
    { WEIR_TRACES, SPAN("\"kind\":\"SPAN_KIND_SERVER\",\"status\":{\"code\":\"STATUS_CODE_OK\"}"),
      SPAN_OUT("\"kind\":2,\"status\":{\"code\":1}") },
    { WEIR_TRACES, SPAN("\"kind\":77"), SPAN_OUT("\"kind\":77,\"status\":{}") },
    { WEIR_TRACES, SPAN("\"kind\":-1"), SPAN_OUT("\"kind\":-1,\"status\":{}") },
    { WEIR_TRACES,
      "{\"resource_spans\":[{\"schema_url\":\"u\",\"scope_spans\":[{\"spans\":[{\"trace_id\":"
      "\"00000000000000000000000000000001\",\"span_id\":\"0000000000000002\",\"parent_span_id\":\"0000000000000003\","
      "\"trace_state\":\"t\",\"start_time_unix_nano\":1,\"end_time_unix_nano\":\"2\",\"dropped_attributes_count\":"
      "\"3\",\"dropped_events_count\":4,\"dropped_links_count\":5}]}]}]}",
      "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"traceId\":"
      "\"00000000000000000000000000000001\",\"spanId\":\"0000000000000002\",\"traceState\":\"t\",\"parentSpanId\":"
      "\"0000000000000003\",\"startTimeUnixNano\":\"1\",\"endTimeUnixNano\":\"2\",\"droppedAttributesCount\":3,"
      "\"droppedEventsCount\":4,\"droppedLinksCount\":5,\"status\":{}}]}],\"schemaUrl\":\"u\"}]}" },
    // Neither camel nor snake case: unknown, skipped, whatever is in it.
    { WEIR_TRACES,
      SPAN("\"trace_Id\":1,\"_name\":2,\"name_\":[{}],\"Name\":{\"a\":[1,{\"b\":null}]},\"trace__state\":3,"
           "\"TRACE_STATE\":4,\"\":5,\"_\":6,\"instrumentationLibrary\":true"),
      SPAN_OUT("\"status\":{}") },
    // Ids: empty or zero means unset.
    { WEIR_TRACES, SPAN("\"traceId\":\"\",\"spanId\":\"0000000000000000\""), SPAN_OUT("\"status\":{}") },
    // Zero values go, null is unset.
    { WEIR_TRACES,
      SPAN("\"traceId\":null,\"name\":\"\",\"kind\":0,\"startTimeUnixNano\":\"0\",\"flags\":0,\"attributes\":[],"
           "\"events\":null,\"status\":null,\"droppedLinksCount\":null"),
      SPAN_OUT("\"status\":{}") },
    // A key given twice: the last one, even a zero; lists are joined.
    { WEIR_TRACES, SPAN("\"name\":\"a\",\"name\":\"b\",\"flags\":1,\"flags\":0,\"kind\":1,\"kind\":null"),
      SPAN_OUT("\"name\":\"b\",\"kind\":1,\"status\":{}") },
    { WEIR_TRACES, SPAN("\"name\":\"a\",\"name\":\"\",\"traceId\":\"00000000000000000000000000000001\",\"traceId\":\"\""),
      SPAN_OUT("\"status\":{}") },
    { WEIR_TRACES, SPAN("\"events\":[{\"name\":\"a\"}],\"name\":\"n\",\"events\":[{\"name\":\"b\"}]"),
      SPAN_OUT("\"name\":\"n\",\"events\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"status\":{}") },
    { WEIR_TRACES, SPAN("\"status\":{\"code\":1},\"status\":{\"message\":\"m\"}"),
      SPAN_OUT("\"status\":{\"message\":\"m\",\"code\":1}") },
    // An escaped key, escaped text.
    { WEIR_TRACES, SPAN("\"n\\u0061me\":\"\\u00e9\\n\\ud83d\\ude00\\ud800\""),
      SPAN_OUT("\"name\":\"\xc3\xa9\\n\xf0\x9f\x98\x80\xef\xbf\xbd\",\"status\":{}") },
};

static const struct row value_rows[] = {
    { WEIR_LOGS, BODY("{}"), BODY_OUT("{}") },
    { WEIR_LOGS, BODY("null"), BODY_OUT("{}") },
    { WEIR_LOGS, BODY("{\"stringValue\":\"\"}"), BODY_OUT("{\"stringValue\":\"\"}") },
    { WEIR_LOGS, BODY("{\"string_value\":\"x\"}"), BODY_OUT("{\"stringValue\":\"x\"}") },
    { WEIR_LOGS, BODY("{\"boolValue\":false}"), BODY_OUT("{\"boolValue\":false}") },
    { WEIR_LOGS, BODY("{\"intValue\":\"0\"}"), BODY_OUT("{\"intValue\":\"0\"}") },
    { WEIR_LOGS, BODY("{\"intValue\":-9223372036854775808}"), BODY_OUT("{\"intValue\":\"-9223372036854775808\"}") },
    { WEIR_LOGS, BODY("{\"intValue\":\"9223372036854775807\"}"), BODY_OUT("{\"intValue\":\"9223372036854775807\"}") },
    { WEIR_LOGS, BODY("{\"doubleValue\":0}"), BODY_OUT("{\"doubleValue\":0}") },
    { WEIR_LOGS, BODY("{\"doubleValue\":-0.0}"), BODY_OUT("{\"doubleValue\":-0}") },
    { WEIR_LOGS, BODY("{\"doubleValue\":1.5e3}"), BODY_OUT("{\"doubleValue\":1500}") },
    { WEIR_LOGS, BODY("{\"doubleValue\":\"2.5\"}"), BODY_OUT("{\"doubleValue\":2.5}") },
    { WEIR_LOGS, BODY("{\"doubleValue\":\"NaN\"}"), BODY_OUT("{\"doubleValue\":\"NaN\"}") },
    { WEIR_LOGS, BODY("{\"doubleValue\":\"Infinity\"}"), BODY_OUT("{\"doubleValue\":\"Infinity\"}") },
    { WEIR_LOGS, BODY("{\"doubleValue\":\"-Infinity\"}"), BODY_OUT("{\"doubleValue\":\"-Infinity\"}") },
    { WEIR_LOGS, BODY("{\"bytesValue\":\"\"}"), BODY_OUT("{\"bytesValue\":\"\"}") },
    { WEIR_LOGS, BODY("{\"bytesValue\":\"AP/+\"}"), BODY_OUT("{\"bytesValue\":\"AP/+\"}") },
    { WEIR_LOGS, BODY("{\"bytesValue\":\"AP_-\"}"), BODY_OUT("{\"bytesValue\":\"AP/+\"}") },
    { WEIR_LOGS, BODY("{\"bytesValue\":\"YQ==\"}"), BODY_OUT("{\"bytesValue\":\"YQ==\"}") },
    { WEIR_LOGS, BODY("{\"bytesValue\":\"YQ\"}"), BODY_OUT("{\"bytesValue\":\"YQ==\"}") },
    { WEIR_LOGS, BODY("{\"bytesValue\":\"YWI=\"}"), BODY_OUT("{\"bytesValue\":\"YWI=\"}") },
    { WEIR_LOGS, BODY("{\"arrayValue\":{}}"), BODY_OUT("{\"arrayValue\":{}}") },
    { WEIR_LOGS, BODY("{\"arrayValue\":{\"values\":[{\"intValue\":1},{},null,{\"stringValue\":\"a\"}]}}"),
      BODY_OUT("{\"arrayValue\":{\"values\":[{\"intValue\":\"1\"},{},{},{\"stringValue\":\"a\"}]}}") },
    { WEIR_LOGS, BODY("{\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":{\"boolValue\":true}},{}]}}"),
      BODY_OUT("{\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":{\"boolValue\":true}},{\"value\":{}}]}}") },
    { WEIR_LOGS, BODY("{\"kvlist_value\":{\"values\":[]}}"), BODY_OUT("{\"kvlistValue\":{}}") },
    // Of a oneof, the last.
    { WEIR_LOGS, BODY("{\"stringValue\":\"a\",\"intValue\":1}"), BODY_OUT("{\"intValue\":\"1\"}") },
    { WEIR_LOGS, BODY("{\"intValue\":1,\"stringValue\":\"a\",\"intValue\":null}"), BODY_OUT("{\"stringValue\":\"a\"}") },
    { WEIR_LOGS,
      LOG("\"timeUnixNano\":\"1\",\"observedTimeUnixNano\":2,\"severityNumber\":\"SEVERITY_NUMBER_ERROR2\","
          "\"severityText\":\"E\",\"body\":{\"stringValue\":\"b\"},\"attributes\":[{\"key\":\"k\"}],"
          "\"droppedAttributesCount\":3,\"flags\":4294967295,\"traceId\":\"00000000000000000000000000000001\","
          "\"spanId\":\"0000000000000002\",\"eventName\":\"ev\""),
      LOG_OUT("\"timeUnixNano\":\"1\",\"observedTimeUnixNano\":\"2\",\"severityNumber\":18,\"severityText\":\"E\","
              "\"body\":{\"stringValue\":\"b\"},\"attributes\":[{\"key\":\"k\",\"value\":{}}],"
              "\"droppedAttributesCount\":3,\"flags\":4294967295,\"traceId\":\"00000000000000000000000000000001\","
              "\"spanId\":\"0000000000000002\",\"eventName\":\"ev\"") },
    { WEIR_LOGS, LOG("\"severityNumber\":\"SEVERITY_NUMBER_FATAL4\""), LOG_OUT("\"severityNumber\":24,\"body\":{}") },
};

static const struct row metric_rows[] = {
    { WEIR_METRICS, METRIC("\"name\":\"n\",\"description\":\"d\",\"unit\":\"u\",\"metadata\":[{\"key\":\"k\"}]"),
      METRIC_OUT("\"name\":\"n\",\"description\":\"d\",\"unit\":\"u\",\"metadata\":[{\"key\":\"k\",\"value\":{}}]") },
    { WEIR_METRICS, METRIC("\"gauge\":{}"), METRIC_OUT("\"gauge\":{}") },
    { WEIR_METRICS, METRIC("\"gauge\":{\"dataPoints\":[{\"asDouble\":0},{\"asInt\":\"0\"},{\"as_int\":-5},{}]}"),
      METRIC_OUT("\"gauge\":{\"dataPoints\":[{\"asDouble\":0},{\"asInt\":\"0\"},{\"asInt\":\"-5\"},{}]}") },
    { WEIR_METRICS,
      METRIC("\"sum\":{\"isMonotonic\":true,\"aggregationTemporality\":\"AGGREGATION_TEMPORALITY_CUMULATIVE\","
             "\"dataPoints\":[{\"flags\":1,\"exemplars\":[{\"traceId\":\"00000000000000000000000000000001\",\"spanId\":"
             "\"0000000000000002\",\"asInt\":3,\"timeUnixNano\":4,\"filteredAttributes\":[{\"key\":\"f\"}]}],"
             "\"asDouble\":0.1,\"timeUnixNano\":6,\"startTimeUnixNano\":5,\"attributes\":[{\"key\":\"a\"}]}]}"),
      METRIC_OUT("\"sum\":{\"dataPoints\":[{\"attributes\":[{\"key\":\"a\",\"value\":{}}],\"startTimeUnixNano\":\"5\","
                 "\"timeUnixNano\":\"6\",\"asDouble\":0.1,\"exemplars\":[{\"filteredAttributes\":[{\"key\":\"f\","
                 "\"value\":{}}],\"timeUnixNano\":\"4\",\"asInt\":\"3\",\"spanId\":\"0000000000000002\",\"traceId\":"
                 "\"00000000000000000000000000000001\"}],\"flags\":1}],\"aggregationTemporality\":2,"
                 "\"isMonotonic\":true}") },
    { WEIR_METRICS,
      METRIC("\"histogram\":{\"aggregationTemporality\":1,\"dataPoints\":[{\"count\":\"3\",\"sum\":0,\"min\":-1.5,"
             "\"max\":2,\"bucketCounts\":[\"1\",2,0],\"explicitBounds\":[0.5,\"Infinity\"]},{}]}"),
      METRIC_OUT("\"histogram\":{\"dataPoints\":[{\"count\":\"3\",\"sum\":0,\"bucketCounts\":[\"1\",\"2\",\"0\"],"
                 "\"explicitBounds\":[0.5,\"Infinity\"],\"min\":-1.5,\"max\":2},{}],\"aggregationTemporality\":1}") },
    { WEIR_METRICS,
      METRIC("\"exponential_histogram\":{\"data_points\":[{\"count\":1,\"scale\":-2,\"zero_count\":\"7\",\"positive\":"
             "{\"offset\":-3,\"bucket_counts\":[0,\"18446744073709551615\"]},\"zero_threshold\":0.25}]}"),
      METRIC_OUT("\"exponentialHistogram\":{\"dataPoints\":[{\"count\":\"1\",\"scale\":-2,\"zeroCount\":\"7\","
                 "\"positive\":{\"offset\":-3,\"bucketCounts\":[\"0\",\"18446744073709551615\"]},\"negative\":{},"
                 "\"zeroThreshold\":0.25}]}") },
    { WEIR_METRICS,
      METRIC("\"summary\":{\"dataPoints\":[{\"count\":2,\"sum\":3.5,\"quantileValues\":[{\"quantile\":0.5,\"value\":1},"
             "{}]},{\"sum\":0}]}"),
      METRIC_OUT("\"summary\":{\"dataPoints\":[{\"count\":\"2\",\"sum\":3.5,\"quantileValues\":[{\"quantile\":0.5,"
                 "\"value\":1},{}]},{}]}") },
    { WEIR_METRICS, METRIC("\"gauge\":{\"dataPoints\":[{}]},\"sum\":{}"), METRIC_OUT("\"sum\":{}") },
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *out = reprint(rows[i].signal, rows[i].in);
        ck_assert_str_eq(out, rows[i].out);
        free(out);
        // What is printed reads as what it says.
        out = reprint(rows[i].signal, rows[i].out);
        ck_assert_str_eq(out, rows[i].out);
        free(out);
    }
}

START_TEST(spans)
{
    check_rows(span_rows, WEIR_ARRAY_LENGTH(span_rows));
}
END_TEST

START_TEST(values_and_logs)
{
    check_rows(value_rows, WEIR_ARRAY_LENGTH(value_rows));
}
END_TEST

START_TEST(metrics)
{
    check_rows(metric_rows, WEIR_ARRAY_LENGTH(metric_rows));
}
END_TEST

START_TEST(refusals_say_why_and_where)
{
    static const struct row rows[] = {
        { WEIR_TRACES, "", "unexpected end of JSON at byte 0" },
        { WEIR_TRACES, "[]", "expected an object at byte 0" },
        { WEIR_TRACES, "null", "expected an object at byte 0" },
        { WEIR_TRACES, "{}{}", "unexpected text after the value at byte 2" },
        { WEIR_TRACES, "{\"resourceSpans\":{}}", "expected an array at byte 17" },
        { WEIR_TRACES, "{\"resourceSpans\":[1]}", "expected an object at byte 18" },
        { WEIR_TRACES, "{\"resourceSpans\":[{}}", "expected ',' or ']' at byte 20" },
        { WEIR_TRACES, "{\"resourceSpans\":[{}]", "unexpected end of JSON at byte 21" },
        { WEIR_TRACES, "{\"x\":[1,}", "expected a value at byte 8" },
        { WEIR_LOGS, "{\"resourceLogs\":[{\"schemaUrl\":1}]}", "expected a string at byte 30" },
        { WEIR_LOGS, "{\"resourceLogs\":[{\"schemaUrl\":\"\xff\"}]}", "bad UTF-8 in string at byte 31" },
        { WEIR_PROFILES, "{}", "profiles have no JSON form" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        struct weir_error error = WEIR_ERROR_INIT;
        ck_assert_ptr_null(weir_batch_from_json(rows[i].signal, rows[i].in, strlen(rows[i].in), &error));
        ck_assert_str_eq(weir_error_text(&error), rows[i].out);
        weir_error_free(&error);
    }
}
END_TEST

START_TEST(bad_values_are_refused)
{
    static const struct row rows[] = {
        { WEIR_TRACES, SPAN("\"traceId\":\"00\""), "expected a trace id of 32 hexadecimal digits" },
        { WEIR_TRACES, SPAN("\"traceId\":\"AAECAwQFBgcICQoLDA0ODw==\""), "expected a trace id of 32 hexadecimal digits" },
        { WEIR_TRACES, SPAN("\"traceId\":\"0000000000000000000000000000000g\""), "expected hexadecimal digits" },
        { WEIR_TRACES, SPAN("\"spanId\":\"00000000000000001\""), "expected a span id of 16 hexadecimal digits" },
        { WEIR_TRACES, SPAN("\"parentSpanId\":\"00000000000000000000000000000001\""),
          "expected a span id of 16 hexadecimal digits" },
        { WEIR_TRACES, SPAN("\"spanId\":7"), "expected a string" },
        { WEIR_TRACES, SPAN("\"kind\":\"SERVER\""), "unknown name of an enum value" },
        { WEIR_TRACES, SPAN("\"kind\":\"2\""), "unknown name of an enum value" },
        { WEIR_TRACES, SPAN("\"kind\":2147483648"), "expected a 32-bit integer" },
        { WEIR_TRACES, SPAN("\"kind\":1.5"), "expected a 32-bit integer" },
        { WEIR_TRACES, SPAN("\"flags\":4294967296"), "expected an unsigned 32-bit integer" },
        { WEIR_TRACES, SPAN("\"flags\":-1"), "expected an unsigned 32-bit integer" },
        { WEIR_TRACES, SPAN("\"startTimeUnixNano\":18446744073709551616"), "expected an unsigned 64-bit integer" },
        { WEIR_TRACES, SPAN("\"startTimeUnixNano\":\"\""), "expected an unsigned 64-bit integer" },
        { WEIR_TRACES, SPAN("\"startTimeUnixNano\":\"-1\""), "expected an unsigned 64-bit integer" },
        { WEIR_TRACES, SPAN("\"startTimeUnixNano\":1e3"), "expected an unsigned 64-bit integer" },
        { WEIR_TRACES, SPAN("\"startTimeUnixNano\":[1]"), "expected a number" },
        { WEIR_TRACES, SPAN("\"attributes\":{}"), "expected an array" },
        { WEIR_TRACES, SPAN("\"attributes\":[\"a\"]"), "expected an object" },
        { WEIR_TRACES, SPAN("\"status\":1"), "expected an object" },
        { WEIR_LOGS, BODY("\"text\""), "expected an object" },
        { WEIR_LOGS, BODY("{\"intValue\":9223372036854775808}"), "expected a 64-bit integer" },
        { WEIR_LOGS, BODY("{\"intValue\":true}"), "expected a number" },
        { WEIR_LOGS, BODY("{\"boolValue\":\"true\"}"), "expected true or false" },
        { WEIR_LOGS, BODY("{\"doubleValue\":\"nan\"}"), "expected a number, NaN, Infinity or -Infinity" },
        { WEIR_LOGS, BODY("{\"doubleValue\":\"\"}"), "expected a number, NaN, Infinity or -Infinity" },
        { WEIR_LOGS, BODY("{\"doubleValue\":NaN}"), "expected a number" },
        { WEIR_LOGS, BODY("{\"doubleValue\":1e999}"), "number does not fit a double" },
        { WEIR_LOGS, BODY("{\"bytesValue\":\"A\"}"), "expected base64" },
        { WEIR_LOGS, BODY("{\"bytesValue\":\"YQ=\"}"), "expected base64" },
        { WEIR_LOGS, BODY("{\"bytesValue\":\"Y===\"}"), "expected base64" },
        { WEIR_LOGS, BODY("{\"bytesValue\":\"Y Q=\"}"), "expected base64" },
        { WEIR_LOGS, BODY("{\"stringValue\":1}"), "expected a string" },
        { WEIR_LOGS, BODY("{\"stringValue\":\"a\" \"b\"}"), "expected ',' or '}'" },
        { WEIR_METRICS, METRIC("\"histogram\":{\"dataPoints\":[{\"bucketCounts\":[null]}]}"), "expected a number" },
        { WEIR_METRICS, METRIC("\"histogram\":{\"dataPoints\":[{\"bucketCounts\":[1,]}]}"), "expected a number" },
        { WEIR_METRICS, METRIC("\"histogram\":{\"dataPoints\":[{\"bucketCounts\":5}]}"), "expected an array" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        struct weir_error error = WEIR_ERROR_INIT;
        ck_assert_msg(!weir_batch_from_json(rows[i].signal, rows[i].in, strlen(rows[i].in), &error), "accepted %s",
                      rows[i].in);
        const char *at = strstr(weir_error_text(&error), " at byte ");
        ck_assert_msg(at && (size_t)(at - weir_error_text(&error)) == strlen(rows[i].out) &&
                          strncmp(weir_error_text(&error), rows[i].out, strlen(rows[i].out)) == 0,
                      "%s: %s", rows[i].in, weir_error_text(&error));
        weir_error_free(&error);
    }
}
END_TEST

/* A log record whose body is `depth` values inside each other, as arrays or maps. */
static struct weir_text nested_body(unsigned depth, bool maps)
{
    struct weir_text text = { NULL, 0, 0 };
    weir_text_adds(&text, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":");
    for (unsigned i = 1; i < depth; i++)
        weir_text_adds(&text, maps ? "{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":" : "{\"arrayValue\":{\"values\":[");
    weir_text_adds(&text, "{\"intValue\":\"1\"}");
    for (unsigned i = 1; i < depth; i++)
        weir_text_adds(&text, maps ? "}]}}" : "]}}");
    weir_text_adds(&text, "}]}]}]}");
    return text;
}

START_TEST(nesting_has_a_limit)
{
    for (int maps = 0; maps < 2; maps++) {
        struct weir_error error = WEIR_ERROR_INIT;
        struct weir_text text = nested_body(32, maps);
        char *out = reprint(WEIR_LOGS, weir_text_string(&text));
        struct weir_str body = weir_str_make(strstr(text.data, "{\"body"), strlen(strstr(text.data, "{\"body")));
        ck_assert_str_eq(strstr(out, "{\"body"), body.data);
        free(out);
        weir_text_free(&text);
        text = nested_body(WEIR_BATCH_MAX_DEPTH + 1, maps);
        ck_assert_ptr_null(weir_batch_from_json(WEIR_LOGS, text.data, text.length, &error));
        ck_assert_ptr_nonnull(strstr(weir_error_text(&error), "nested too deeply at byte "));
        weir_text_free(&text);
        weir_error_free(&error);
    }
}
END_TEST

START_TEST(a_million_brackets_are_refused)
{
    static const char head[] = "{\"resourceLogs\":";
    struct weir_error error = WEIR_ERROR_INIT;
    size_t length = 1000000;
    char *text = malloc(length);
    memset(text, '[', length);
    ck_assert_ptr_null(weir_batch_from_json(WEIR_LOGS, text, length, &error));
    memcpy(text, head, sizeof(head) - 1);
    ck_assert_ptr_null(weir_batch_from_json(WEIR_LOGS, text, length, &error));
    memcpy(text, "{\"resourceLogz\":", sizeof(head) - 1);
    ck_assert_ptr_null(weir_batch_from_json(WEIR_LOGS, text, length, &error));
    ck_assert_ptr_nonnull(strstr(weir_error_text(&error), "arrays and objects nested too deeply"));
    weir_error_free(&error);
    free(text);
}
END_TEST

#define ATTRIBUTES(open, rest) SPAN("\"name\":\"s\",\"attributes\":[" open rest "],\"kind\":1")

/* The protobuf form of the text, given in memory of just its size, or the problem without its place. */
static struct weir_buffer *convert(const char *text, size_t length, char **problem)
{
    struct weir_error error = WEIR_ERROR_INIT;
    char *copy = weir_xmalloc(length ? length : 1);
    memcpy(copy, text, length);
    struct otlp_summary summary;
    struct weir_buffer *out = otlp_json_to_protobuf(WEIR_TRACES, copy, length, &summary, &error);
    free(copy);
    *problem = NULL;
    if (!out) {
        const char *place = strstr(weir_error_text(&error), " at byte ");
        ck_assert_ptr_nonnull(place);
        *problem = weir_str_dup(weir_str_make(weir_error_text(&error), (size_t)(place - weir_error_text(&error))));
    }
    weir_error_free(&error);
    return out;
}

/* What is written in the terse way means the same, is refused for the same reason, and is refused when it is cut short. */
static void mean_the_same(const struct weir_text *terse, const struct weir_text *spaced)
{
    char *problem, *expected;
    struct weir_buffer *quick = convert(terse->data, terse->length, &problem);
    struct weir_buffer *slow = convert(spaced->data, spaced->length, &expected);
    ck_assert_msg(!quick == !slow, "%s", terse->data);
    if (quick) {
        ck_assert_msg(quick->length == slow->length, "%s", terse->data);
        ck_assert_mem_eq(quick->data, slow->data, slow->length);
    } else {
        ck_assert_str_eq(problem, expected);
    }
    free(problem);
    free(expected);
    for (size_t length = 0; length < terse->length; length++) {
        ck_assert_ptr_null(convert(terse->data, length, &problem));
        free(problem);
    }
    weir_buffer_unref(quick);
    weir_buffer_unref(slow);
}

#define S16 "0123456789abcdef"
#define S126 S16 S16 S16 S16 S16 S16 S16 "0123456789abcd"

/* What the short cut takes means what the same with white space means, which goes the long way; and so for what is
 * nearly it. */
START_TEST(attributes_written_tersely)
{
    static const char *const rests[] = {
        "\"key\":\"k\",\"value\":{\"stringValue\":\"v\"}}",
        "\"key\":\"k\",\"value\":{\"stringValue\":\"\"}}",
        "\"key\":\"\",\"value\":{\"stringValue\":\"v\"}}",
        "\"key\":\"" S16 "\",\"value\":{\"stringValue\":\"" S16 S16 "\"}}",
        "\"key\":\"" S16 "x\",\"value\":{\"stringValue\":\"" S16 S16 "x\"}}",
        "\"key\":\"" S126 "\",\"value\":{\"stringValue\":\"" S126 "\"}}",
        "\"key\":\"" S126 "x\",\"value\":{\"stringValue\":\"" S126 "xy\"}}",
        "\"key\":\"" S126 "xyz\",\"value\":{\"stringValue\":\"" S126 S126 "\"}}",
        "\"key\":\"k\\n\",\"value\":{\"stringValue\":\"a\\u00e4\"}}",
        "\"key\":\"\xc3\xa4\",\"value\":{\"stringValue\":\"\xe2\x82\xac\"}}",
        "\"key\":\"k\",\"value\":{\"stringValue\":\"\xff\"}}",
        "\"key\":\"k\",\"value\":{\"stringValue\":\"\x1f\"}}",
        "\"key\":\"k\",\"value\":{\"stringValue\":1}}",
        "\"key\":\"k\",\"value\":{\"stringValue\":\"a\",\"intValue\":1}}",
        "\"key\":\"k\",\"value\":{\"stringValue\":\"a\"},\"x\":1}",
        "\"key\":\"k\",\"value\":{\"stringValue\":\"a\"}}}",
        "\"key\":\"k\",\"key\":\"l\"}",
        "\"key\":\"k\",\"value\":{\"intValue\":\"0\"}}",
        "\"key\":\"k\",\"value\":{\"intValue\":0}}",
        "\"key\":\"k\",\"value\":{\"intValue\":-1}}",
        "\"key\":\"k\",\"value\":{\"intValue\":-0}}",
        "\"key\":\"k\",\"value\":{\"intValue\":\"-300\"}}",
        "\"key\":\"k\",\"value\":{\"intValue\":\"+3\"}}",
        "\"key\":\"k\",\"value\":{\"intValue\":127}}",
        "\"key\":\"k\",\"value\":{\"intValue\":128}}",
        "\"key\":\"k\",\"value\":{\"intValue\":999999999999999999}}",
        "\"key\":\"k\",\"value\":{\"intValue\":\"9223372036854775807\"}}",
        "\"key\":\"k\",\"value\":{\"intValue\":\"-9223372036854775808\"}}",
        "\"key\":\"k\",\"value\":{\"intValue\":\"9223372036854775808\"}}",
        "\"key\":\"k\",\"value\":{\"intValue\":\"007\"}}",
        "\"key\":\"k\",\"value\":{\"intValue\":007}}",
        "\"key\":\"k\",\"value\":{\"intValue\":1.5}}",
        "\"key\":\"k\",\"value\":{\"intValue\":\"\"}}",
        "\"key\":\"k\",\"value\":{\"intValue\":-}}",
        "\"key\":\"k\",\"value\":{\"intValue\":\"1}}",
        "\"key\":\"k\",\"value\":{\"boolValue\":true}}",
        "\"key\":\"k\",\"value\":{\"boolValue\":false}}",
        "\"key\":\"k\",\"value\":{\"boolValue\":falsy}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":2.5}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":-0}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":01.5}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":1.}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":.5}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":1.5.5}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":1.5e3}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":1.5E}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":\"NaN\"}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":36.714285714285715}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":9007199254740993.0}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":-1234567890.123456789}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":12345678901.123456789}}",
        "\"key\":\"k\",\"value\":{\"doubleValue\":1234567890123456789012345}}",
        "\"key\":\"k\",\"value\":{\"intValue\":\"1234567890123456789012345\"}}",
        "\"key\":\"k\",\"value\":{\"stringValue\":\"v\"}},{\"key\":\"l\",\"value\":{\"intValue\":1}}",
        "\"key\":\"k\",\"value\":{\"stringValue\":\"v\"}} {\"key\":\"l\",\"value\":{\"intValue\":1}}",
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rests); i++) {
        struct weir_text terse = { NULL, 0, 0 }, spaced = { NULL, 0, 0 };
        weir_text_addf(&terse, ATTRIBUTES("{", "%s"), rests[i]);
        weir_text_addf(&spaced, ATTRIBUTES("{ ", "%s"), rests[i]);
        mean_the_same(&terse, &spaced);
        weir_text_free(&terse);
        weir_text_free(&spaced);
    }
}
END_TEST

/* The same of ids, integers and the order of fields: white space around colons sends keys and values the long way. */
START_TEST(spans_written_tersely)
{
    static const char *const rows[] = {
        "\"traceId\":\"" S16 S16 "\"",
        "\"traceId\":\"0123456789ABCDEF0123456789abcdef\"",
        "\"traceId\":\"" S16 "\"",
        "\"traceId\":\"" S16 S16 "0\"",
        "\"traceId\":\"" S16 "012345678\\u0039abcdef\"",
        "\"traceId\":\"" S16 "0123456789abcdeg\"",
        "\"traceId\":\"" S16 "0123456789abcde",
        "\"traceId\":\"\"",
        "\"spanId\":\"" S16 "\"",
        "\"spanId\":\"0123456789abcde\"",
        "\"spanId\":\"0123456789abcdeg\"",
        "\"spanId\":" S16,
        "\"startTimeUnixNano\":\"1700000000012345678\",\"endTimeUnixNano\":1700000000012345679",
        "\"startTimeUnixNano\":\"12345678\",\"endTimeUnixNano\":123456789",
        "\"startTimeUnixNano\":18446744073709551615",
        "\"startTimeUnixNano\":\"18446744073709551616\"",
        "\"startTimeUnixNano\":9999999999999999999",
        "\"startTimeUnixNano\":\"0000000000000000000000000000017\"",
        "\"startTimeUnixNano\":\"017\"",
        "\"startTimeUnixNano\":017",
        "\"startTimeUnixNano\":1.0",
        "\"startTimeUnixNano\":1e3",
        "\"startTimeUnixNano\":\"+1\"",
        "\"startTimeUnixNano\":-0",
        "\"startTimeUnixNano\":\"-1\"",
        "\"startTimeUnixNano\":\"-\"",
        "\"startTimeUnixNano\":\"1",
        "\"flags\":4294967295",
        "\"flags\":4294967296",
        "\"kind\":-2147483648",
        "\"kind\":-2147483649",
        "\"kind\":9223372036854775808",
        "\"kind\":\"SPAN_KIND_SERVER\"",
        "\"name\":\"a\",\"kind\":1},{\"name\":\"b\",\"kind\":2},{\"kind\":3,\"name\":\"c\"},{\"kind\":4,\"name\":\"d\"",
        "\"name\":\"a\",\"flags\":1},{\"flags\":2,\"flags\":3},{\"name\":\"b\",\"name\":\"c\",\"flags\":4},{\"flags\":0",
        "\"status\":{\"code\":2}},{\"status\":{\"x\":[],\"code\":1},\"traceState\":\"s\"},{\"status\":{},\"traceState\":\"s\"",
        "\"start_time_unix_nano\":5,\"end_time_unix_nano\":6},{\"startTimeUnixNano\":5,\"x\":{},\"endTimeUnixNano\":6",
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        struct weir_text terse = { NULL, 0, 0 }, spaced = { NULL, 0, 0 };
        weir_text_addf(&terse, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{%s}]}]}]}", rows[i]);
        for (size_t n = 0; n < terse.length; n++)
            weir_text_adds(&spaced, terse.data[n] == ':' ? " : " : (char[]){ terse.data[n], '\0' });
        mean_the_same(&terse, &spaced);
        weir_text_free(&terse);
        weir_text_free(&spaced);
    }
}
END_TEST

/* Messages around the sizes at which a length prefix grows, short and long, nested: all lengths must come out right,
 * and no longer than need be. */
START_TEST(lengths_are_right_at_any_size)
{
    static const size_t sizes[] = { 0, 1, 60, 100, 110, 120, 127, 128, 129, 2000, 2040, 2048, 2049, 2100, 16300,
                                    16383, 16384, 16385, 20000, 2097151, 2097152, 2100000 };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(sizes); i++) {
        struct weir_text text = { NULL, 0, 0 };
        weir_text_adds(&text, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[");
        // A first one that is small, so that the next is expected to be small; then both in the other order.
        for (int copy = 0; copy < 4; copy++) {
            weir_text_adds(&text, copy ? "," : "");
            weir_text_adds(&text, "{\"body\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"");
            for (size_t n = 0; n < (copy == 1 || copy == 2 ? sizes[i] : 1); n++)
                weir_text_addc(&text, 'x');
            weir_text_adds(&text, "\"}]}}}");
        }
        weir_text_adds(&text, "]}]}]}");
        struct otlp_summary summary;
        struct weir_buffer *protobuf = otlp_json_to_protobuf(WEIR_LOGS, text.data, text.length, &summary, NULL);
        ck_assert_ptr_nonnull(protobuf);
        ProtobufCMessage *message = oracle_unpack(WEIR_LOGS, protobuf->data, protobuf->length);
        ck_assert_ptr_nonnull(message);
        ck_assert_uint_eq(protobuf_c_message_get_packed_size(message), protobuf->length);
        size_t length;
        uint8_t *packed = oracle_pack(message, &length);
        ck_assert_mem_eq(packed, protobuf->data, length);
        free(packed);
        protobuf_c_message_free_unpacked(message, NULL);
        weir_buffer_unref(protobuf);
        weir_text_free(&text);
    }
}
END_TEST

/* Generated messages through JSON and back are, to protobuf-c, the messages they were. */
START_TEST(round_trip)
{
    for (uint64_t seed = 0; seed < 600; seed++) {
        enum weir_signal signal = (enum weir_signal)(seed % 3);
        struct oracle_random random = { seed, 0 };
        struct weir_error error = WEIR_ERROR_INIT;
        ProtobufCMessage *message = oracle_generate(&random, signal, 1 + seed);
        oracle_prune(message);
        size_t length, again;
        uint8_t *packed = oracle_pack(message, &length);
        struct weir_buffer *json = weir_buffer_new(0);
        ck_assert(otlp_protobuf_to_json(signal, packed, length, json, &error));
        struct otlp_summary said, found;
        struct weir_buffer *back = otlp_json_to_protobuf(signal, json->data, json->length, &said, &error);
        ck_assert_msg(back != NULL, "seed %d: %s", (int)seed, weir_error_text(&error));
        ck_assert(otlp_validate(signal, back->data, back->length, &found, &error));
        ck_assert_uint_eq(said.items, found.items);
        ck_assert(!said.unusual && !found.unusual);
        ProtobufCMessage *reread = oracle_unpack(signal, back->data, back->length);
        ck_assert_ptr_nonnull(reread);
        oracle_prune(reread);
        uint8_t *repacked = oracle_pack(reread, &again);
        ck_assert_uint_eq(again, length);
        ck_assert_mem_eq(repacked, packed, length);
        free(repacked);
        free(packed);
        protobuf_c_message_free_unpacked(reread, NULL);
        protobuf_c_message_free_unpacked(message, NULL);
        weir_buffer_unref(back);
        weir_buffer_unref(json);
        weir_error_free(&error);
    }
}
END_TEST

START_TEST(wire_forms_that_mean_the_same)
{
    static const struct {
        enum weir_signal signal;
        struct weir_str wire;
        const char *json;
    } rows[] = {
        // Unpacked numbers, and two packed runs with another field between.
        { WEIR_METRICS, WEIR_STR("\x0a\x18\x12\x16\x12\x14\x52\x12\x0a\x10\x42\x0e\x10\x01\x10\x80\x01\x12\x02\x02\x03\x08\x02\x12\x01\x04"),
          METRIC_OUT("\"exponentialHistogram\":{\"dataPoints\":[{\"positive\":{\"offset\":1,\"bucketCounts\":"
                     "[\"1\",\"128\",\"2\",\"3\",\"4\"]},\"negative\":{}}]}") },
        // A resource in two parts.
        { WEIR_LOGS, WEIR_STR("\x0a\x0a\x0a\x02\x10\x05\x0a\x04\x0a\x02\x0a\x00"),
          "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"value\":{}}],\"droppedAttributesCount\":5}}]}" },
        // A oneof with two members: the last.
        { WEIR_LOGS, WEIR_STR("\x0a\x0d\x12\x0b\x12\x09\x2a\x07\x10\x01\x0a\x01" "a\x10\x00"),
          "{\"resourceLogs\":[{\"resource\":{},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[{\"body\":"
          "{\"boolValue\":false}}]}]}]}" },
        // Unknown fields, and a known one of another wire type.
        { WEIR_LOGS, WEIR_STR("\x0a\x09\x1a\x01u\x18\x07\xa2\x06\x01x\x0a\x00"),
          "{\"resourceLogs\":[{\"resource\":{},\"schemaUrl\":\"u\"},{\"resource\":{}}]}" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        struct weir_buffer *out = weir_buffer_new(0);
        struct weir_error error = WEIR_ERROR_INIT;
        ck_assert(otlp_protobuf_to_json(rows[i].signal, rows[i].wire.data, rows[i].wire.length, out, &error));
        ck_assert_msg(weir_str_is(weir_str_make((char *)out->data, out->length), rows[i].json), "got %.*s",
                      (int)out->length, (char *)out->data);
        weir_buffer_unref(out);
    }
}
END_TEST

START_TEST(malformed_wire_is_refused_and_leaves_the_buffer)
{
    static const struct weir_str rows[] = {
        { "\x0a", 1 }, { "\x0a\x05\x0a", 3 }, { "\x0b\x0c", 2 }, { "\xff", 1 }, { "\x00", 1 }, { "\x0a\x02\x0a\x01", 4 },
    };
    struct weir_buffer *out = weir_buffer_copy("keep", 4);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        struct weir_error error = WEIR_ERROR_INIT;
        ck_assert(!otlp_protobuf_to_json(WEIR_LOGS, rows[i].data, rows[i].length, out, &error));
        ck_assert_str_eq(weir_error_text(&error), "malformed OTLP");
        ck_assert_uint_eq(out->length, 4);
        weir_error_free(&error);
    }
    weir_buffer_unref(out);
}
END_TEST

START_TEST(batches_know_their_items)
{
    static const char text[] = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{},{}]}]},{\"scopeSpans\":[{\"spans\":"
                               "[{\"name\":\"x\"}]}]}]}";
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_batch *batch = weir_batch_from_json(WEIR_TRACES, text, sizeof(text) - 1, &error);
    ck_assert_ptr_nonnull(batch);
    ck_assert_uint_eq(weir_batch_items(batch), 3);
    ck_assert_int_eq(weir_batch_signal(batch), WEIR_TRACES);
    // Two batches in one: JSON of several pieces.
    struct weir_batch *more = weir_batch_from_json(WEIR_TRACES, text, sizeof(text) - 1, &error);
    ck_assert(weir_batch_append(batch, more));
    struct weir_buffer *out = weir_buffer_copy(">", 1);
    ck_assert(weir_batch_to_json(batch, out, &error));
    static const char half[] =
        "{\"resource\":{},\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"status\":{}},{\"status\":{}}]}]},{\"resource\":{},"
        "\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"name\":\"x\",\"status\":{}}]}]}";
    struct weir_text expected = { NULL, 0, 0 };
    weir_text_addf(&expected, ">{\"resourceSpans\":[%s,%s]}", half, half);
    ck_assert(weir_str_equal(weir_str_make((char *)out->data, out->length), weir_text_view(&expected)));
    weir_text_free(&expected);
    weir_buffer_unref(out);
    weir_batch_unref(batch);

    batch = weir_batch_new(WEIR_LOGS);
    out = weir_buffer_new(0);
    ck_assert(weir_batch_to_json(batch, out, &error));
    ck_assert(weir_str_is(weir_str_make((char *)out->data, out->length), "{}"));
    weir_buffer_unref(out);
    weir_batch_unref(batch);

    batch = weir_batch_new(WEIR_PROFILES);
    out = weir_buffer_new(0);
    ck_assert(!weir_batch_to_json(batch, out, &error));
    ck_assert_str_eq(weir_error_text(&error), "profiles have no JSON form");
    weir_buffer_unref(out);
    weir_batch_unref(batch);
    weir_error_free(&error);
}
END_TEST

/* What counts is what is there: null items, and of metrics with several kinds of data the last. */
START_TEST(batches_of_unusual_text_know_their_items)
{
    static const struct {
        enum weir_signal signal;
        const char *text;
        size_t items;
    } rows[] = {
        { WEIR_TRACES, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[null,{}]}]}]}", 2 },
        { WEIR_LOGS, LOG("\"body\":{\"stringValue\":\"a\",\"intValue\":1}"), 1 },
        { WEIR_METRICS, METRIC("\"gauge\":{\"dataPoints\":[{}]},\"sum\":{\"dataPoints\":[{},null]}"), 2 },
        { WEIR_METRICS, METRIC("\"gauge\":{\"dataPoints\":[{}]},\"gauge\":{\"dataPoints\":[{},{}]}"), 3 },
        { WEIR_METRICS, METRIC("\"summary\":{\"dataPoints\":[{},{},{}]},\"sum\":null"), 3 },
        { WEIR_METRICS, METRIC("\"histogram\":{\"dataPoints\":[{},{}]}"), 2 },
        { WEIR_METRICS, METRIC("\"exponentialHistogram\":{\"dataPoints\":[{},{}]}"), 2 },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        struct weir_error error = WEIR_ERROR_INIT;
        struct weir_batch *batch = weir_batch_from_json(rows[i].signal, rows[i].text, strlen(rows[i].text), &error);
        ck_assert_msg(batch != NULL, "%s", weir_error_text(&error));
        ck_assert_uint_eq(weir_batch_items(batch), rows[i].items);
        weir_batch_unref(batch);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("otlp_json");
    TCase *t = tcase_create("otlp_json");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, spans);
    tcase_add_test(t, values_and_logs);
    tcase_add_test(t, metrics);
    tcase_add_test(t, refusals_say_why_and_where);
    tcase_add_test(t, bad_values_are_refused);
    tcase_add_test(t, nesting_has_a_limit);
    tcase_add_test(t, a_million_brackets_are_refused);
    tcase_add_test(t, attributes_written_tersely);
    tcase_add_test(t, spans_written_tersely);
    tcase_add_test(t, lengths_are_right_at_any_size);
    tcase_add_test(t, round_trip);
    tcase_add_test(t, wire_forms_that_mean_the_same);
    tcase_add_test(t, malformed_wire_is_refused_and_leaves_the_buffer);
    tcase_add_test(t, batches_know_their_items);
    tcase_add_test(t, batches_of_unusual_text_know_their_items);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
