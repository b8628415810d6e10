// SPDX-License-Identifier: Apache-2.0
/* What OTLP metrics look like on remote write's wire (contrib-receivers-exporters 5.4 and 9.2). */
#include <config.h>

#include <weir/otlp_json.h>

#include "plugins/exporters/prometheusremotewrite/request.h"
#include "plugins/exporters/prometheusremotewrite/translate.h"
#include "prompb.pb-c.h"
#include "tests/unit/suite.h"

static struct prw_config config;

static void setup(void)
{
    config = (struct prw_config){ .strategy = PRW_STRATEGY_UNSET, .add_metric_suffixes = true };
}

#define TEXT(bytes) (int)(bytes).len, (const char *)(bytes).data

/* --- printing what is on the wire --- */

static void print_value(double value, struct weir_text *text)
{
    double stale = weir_prometheus_stale();
    if (memcmp(&value, &stale, sizeof(value)) == 0)
        weir_text_adds(text, "stale");
    else
        weir_prometheus_number(value, false, text);
}

static void print_labels(Prompb__Label **labels, size_t count, struct weir_text *text)
{
    weir_text_addc(text, '{');
    for (size_t i = 0; i < count; i++)
        weir_text_addf(text, "%s%.*s=%.*s", i ? "," : "", TEXT(labels[i]->name), TEXT(labels[i]->value));
    weir_text_addc(text, '}');
}

static void print_spans(const char *name, Prompb__BucketSpan **spans, size_t span_count, const int64_t *deltas,
                        size_t delta_count, struct weir_text *text)
{
    if (span_count == 0)
        return;
    weir_text_addf(text, " %s", name);
    for (size_t i = 0; i < span_count; i++)
        weir_text_addf(text, " %d:%u", spans[i]->offset, spans[i]->length);
    for (size_t i = 0; i < delta_count; i++)
        weir_text_addf(text, "%s%lld", i ? " " : "/", (long long)deltas[i]);
}

static void print_histogram(const Prompb__Histogram *histogram, struct weir_text *text)
{
    weir_text_addf(text, " h%d zero=%llu count=%llu sum=", histogram->schema,
                   (unsigned long long)histogram->zero_count_int, (unsigned long long)histogram->count_int);
    print_value(histogram->sum, text);
    print_spans("+", histogram->positive_spans, histogram->n_positive_spans, histogram->positive_deltas,
                histogram->n_positive_deltas, text);
    print_spans("-", histogram->negative_spans, histogram->n_negative_spans, histogram->negative_deltas,
                histogram->n_negative_deltas, text);
    weir_text_addf(text, "@%lld", (long long)histogram->timestamp);
    if (histogram->start_timestamp)
        weir_text_addf(text, "from%lld", (long long)histogram->start_timestamp);
}

static void print_v1(const struct weir_buffer *body, struct weir_text *text)
{
    Prompb__WriteRequest *request = prompb__write_request__unpack(NULL, body->length, body->data);
    ck_assert_ptr_nonnull(request);
    for (size_t i = 0; i < request->n_timeseries; i++) {
        const Prompb__TimeSeries *series = request->timeseries[i];
        print_labels(series->labels, series->n_labels, text);
        for (size_t j = 0; j < series->n_samples; j++) {
            weir_text_addc(text, ' ');
            print_value(series->samples[j]->value, text);
            weir_text_addf(text, "@%lld", (long long)series->samples[j]->timestamp);
        }
        for (size_t j = 0; j < series->n_histograms; j++)
            print_histogram(series->histograms[j], text);
        for (size_t j = 0; j < series->n_exemplars; j++) {
            weir_text_adds(text, " #");
            print_labels(series->exemplars[j]->labels, series->exemplars[j]->n_labels, text);
            weir_text_addf(text, "%g@%lld", series->exemplars[j]->value, (long long)series->exemplars[j]->timestamp);
        }
        weir_text_addc(text, '\n');
    }
    for (size_t i = 0; i < request->n_metadata; i++)
        weir_text_addf(text, "meta %.*s %u \"%.*s\" %.*s\n", TEXT(request->metadata[i]->metric_family_name),
                       request->metadata[i]->type, TEXT(request->metadata[i]->help), TEXT(request->metadata[i]->unit));
    prompb__write_request__free_unpacked(request, NULL);
}

static void print_refs(const Prompb__RequestV2 *request, const uint32_t *refs, size_t count, struct weir_text *text)
{
    weir_text_addc(text, '{');
    for (size_t i = 0; i + 1 < count; i += 2)
        weir_text_addf(text, "%s%.*s=%.*s", i ? "," : "", TEXT(request->symbols[refs[i]]),
                       TEXT(request->symbols[refs[i + 1]]));
    weir_text_addc(text, '}');
}

static void print_v2(const struct weir_buffer *body, struct weir_text *text)
{
    Prompb__RequestV2 *request = prompb__request_v2__unpack(NULL, body->length, body->data);
    ck_assert_ptr_nonnull(request);
    ck_assert_uint_eq(request->symbols[0].len, 0);
    for (size_t i = 0; i < request->n_timeseries; i++) {
        const Prompb__TimeSeriesV2 *series = request->timeseries[i];
        print_refs(request, series->labels_refs, series->n_labels_refs, text);
        for (size_t j = 0; j < series->n_samples; j++) {
            weir_text_addc(text, ' ');
            print_value(series->samples[j]->value, text);
            weir_text_addf(text, "@%lld", (long long)series->samples[j]->timestamp);
            if (series->samples[j]->start_timestamp)
                weir_text_addf(text, "from%lld", (long long)series->samples[j]->start_timestamp);
        }
        for (size_t j = 0; j < series->n_histograms; j++)
            print_histogram(series->histograms[j], text);
        for (size_t j = 0; j < series->n_exemplars; j++) {
            weir_text_adds(text, " #");
            print_refs(request, series->exemplars[j]->labels_refs, series->exemplars[j]->n_labels_refs, text);
            weir_text_addf(text, "%g@%lld", series->exemplars[j]->value, (long long)series->exemplars[j]->timestamp);
        }
        weir_text_addf(text, " type=%u help=%.*s unit=%.*s\n", series->metadata->type,
                       TEXT(request->symbols[series->metadata->help_ref]),
                       TEXT(request->symbols[series->metadata->unit_ref]));
    }
    prompb__request_v2__free_unpacked(request, NULL);
}

/* --- translating --- */

/* Every request's lines, "--" between requests, "skipped N: reason" at the end. */
static char *translate_json(const char *json, size_t most)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_batch *batch = weir_batch_from_json(WEIR_METRICS, json, strlen(json), &error);
    ck_assert_msg(batch != NULL, "%s", weir_error_text(&error));
    struct prw_rules rules;
    struct series_set set = { 0 };
    struct prw_skipped skipped = { 0 };
    struct prw_request *requests = NULL;
    struct weir_text text = { 0 };
    uint64_t items = 0;
    prw_rules_init(&rules, &config);
    ck_assert(prw_translate(&rules, batch, &set, &skipped));
    ck_assert(prw_requests_make((enum prw_message)config.message, &set, most, config.send_metadata, &requests));
    for (struct prw_request *request = requests; request; request = request->next) {
        if (request != requests)
            weir_text_adds(&text, "--\n");
        (config.message == PRW_V2 ? print_v2 : print_v1)(request->body, &text);
        items += request->items;
    }
    if (skipped.items)
        weir_text_addf(&text, "skipped %llu: %s\n", (unsigned long long)skipped.items, weir_text_string(&skipped.reason));
    /* every data point is in one request or skipped */
    ck_assert_uint_eq(items + skipped.items, weir_batch_items(batch));
    weir_text_free(&skipped.reason);
    prw_requests_free(requests);
    series_free(&set);
    prw_rules_free(&rules);
    weir_batch_unref(batch);
    return weir_text_steal(&text);
}

static void expect(const char *json, const char *expected)
{
    char *got = translate_json(json, 3000000);
    ck_assert_str_eq(got, expected);
    free(got);
}

/* Short forms: a resource's attributes, a scope, metrics; an attribute; a number point. */
#define METRICS(resource, scope, ...)                                                                             \
    "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[" resource "]},\"scopeMetrics\":[{\"scope\":{" scope       \
    "},\"metrics\":[" __VA_ARGS__ "]}]}]}"
#define ATTR(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define POINT(attributes, ms, value)                                                                            \
    "{\"attributes\":[" attributes "],\"timeUnixNano\":\"" ms "000000\",\"asDouble\":" value "}"
#define GAUGE(name, ...) "{\"name\":\"" name "\",\"gauge\":{\"dataPoints\":[" __VA_ARGS__ "]}}"
#define SUM(name, ...)                                                                                         \
    "{\"name\":\"" name "\",\"unit\":\"By\",\"description\":\"help\",\"sum\":{\"isMonotonic\":true,"              \
    "\"aggregationTemporality\":2,\"dataPoints\":[" __VA_ARGS__ "]}}"

START_TEST(the_references_example)
{
    expect(METRICS(ATTR("service.namespace", "eu") "," ATTR("service.name", "shop") ","
                       ATTR("service.instance.id", "i1") "," ATTR("host.name", "h1"),
                   "\"name\":\"lib\",\"version\":\"1.0\"",
                   "{\"name\":\"http.requests\",\"unit\":\"{request}\",\"sum\":{\"isMonotonic\":true,"
                   "\"aggregationTemporality\":2,\"dataPoints\":[{\"attributes\":[" ATTR("http.method", "GET")
                   "],\"timeUnixNano\":\"1000000000\",\"asInt\":\"3\"}]}},"
                   "{\"name\":\"queue.fill\",\"unit\":\"1\",\"gauge\":{\"dataPoints\":[" POINT("", "1500", "0.25") "]}},"
                   "{\"name\":\"db.time\",\"unit\":\"ms\",\"histogram\":{\"aggregationTemporality\":2,\"dataPoints\":[{"
                   "\"timeUnixNano\":\"1000000000\",\"count\":\"3\",\"sum\":17,\"bucketCounts\":[\"1\",\"2\",\"0\"],"
                   "\"explicitBounds\":[5,10]}]}}"),
           "{__name__=http_requests_total,http_method=GET,instance=i1,job=eu/shop,otel_scope_name=lib,"
           "otel_scope_version=1.0} 3@1000\n"
           "{__name__=queue_fill_ratio,instance=i1,job=eu/shop,otel_scope_name=lib,otel_scope_version=1.0} 0.25@1500\n"
           "{__name__=db_time_milliseconds_bucket,instance=i1,job=eu/shop,le=5,otel_scope_name=lib,"
           "otel_scope_version=1.0} 1@1000\n"
           "{__name__=db_time_milliseconds_bucket,instance=i1,job=eu/shop,le=10,otel_scope_name=lib,"
           "otel_scope_version=1.0} 3@1000\n"
           "{__name__=db_time_milliseconds_bucket,instance=i1,job=eu/shop,le=+Inf,otel_scope_name=lib,"
           "otel_scope_version=1.0} 3@1000\n"
           "{__name__=db_time_milliseconds_sum,instance=i1,job=eu/shop,otel_scope_name=lib,otel_scope_version=1.0} 17@1000\n"
           "{__name__=db_time_milliseconds_count,instance=i1,job=eu/shop,otel_scope_name=lib,"
           "otel_scope_version=1.0} 3@1000\n"
           "{__name__=target_info,host_name=h1,instance=i1,job=eu/shop} 1@1500\n");
}
END_TEST

static void with_target_info(void)
{
    setup();
    config.target_info.enabled = true;
}

START_TEST(samples_of_a_series_are_in_order)
{
    expect(METRICS("", "", GAUGE("x", POINT("", "3000", "3") "," POINT("", "1000", "1") "," POINT("", "2000", "2"))),
           "{__name__=x} 1@1000 2@2000 3@3000\n");
    /* the same sample twice is one */
    expect(METRICS("", "", GAUGE("x", POINT("", "1000", "1") "," POINT("", "1000", "1") "," POINT("", "1000", "2"))),
           "{__name__=x} 1@1000 2@1000\n");
}
END_TEST

START_TEST(points_with_other_labels_are_other_series)
{
    expect(METRICS("", "", GAUGE("x", POINT(ATTR("a", "1"), "1000", "1") "," POINT(ATTR("a", "2"), "1000", "2") ","
                                          POINT(ATTR("a", "1"), "2000", "3"))),
           "{__name__=x,a=1} 1@1000 3@2000\n{__name__=x,a=2} 2@1000\n");
}
END_TEST

START_TEST(labels_make_the_series_wherever_they_come_from)
{
    expect(METRICS("", "", GAUGE("h_bucket", POINT(ATTR("le", "5") "," ATTR("a", "1"), "500", "7")) ","
                           "{\"name\":\"h\",\"histogram\":{\"aggregationTemporality\":2,\"dataPoints\":[{\"attributes\":["
                           ATTR("le", "other") "," ATTR("a", "1") "],\"timeUnixNano\":\"1000000000\",\"count\":\"1\","
                           "\"bucketCounts\":[\"1\",\"0\"],\"explicitBounds\":[5]}]}}"),
           "{__name__=h_bucket,a=1,le=5} 7@500 1@1000\n{__name__=h_bucket,a=1,le=+Inf} 1@1000\n"
           "{__name__=h_count,a=1,le=other} 1@1000\n");
}
END_TEST

START_TEST(external_labels_stand_back)
{
    char cluster[] = "cluster", prod[] = "prod", zone[] = "my.zone", z[] = "z", a[] = "a", external[] = "external";
    struct weir_pair pairs[] = { { cluster, prod }, { zone, z }, { a, external } };
    config.external_labels = (struct weir_pairs){ pairs, 3 };
    expect(METRICS("", "", GAUGE("x", POINT(ATTR("a", "point"), "1000", "1"))),
           "{__name__=x,a=point,cluster=prod,my_zone=z} 1@1000\n");
}
END_TEST

START_TEST(resources_can_be_labels)
{
    const char *json = METRICS(ATTR("service.name", "shop") "," ATTR("host.name", "h1"), "",
                               GAUGE("x", POINT(ATTR("host.name", "point"), "1000", "1")));
    expect(json, "{__name__=x,host_name=point,job=shop} 1@1000\n");
    config.conversion.enabled = true;
    expect(json, "{__name__=x,host_name=h1,job=shop,service_name=shop} 1@1000\n");
    config.conversion.exclude_service_attributes = true;
    expect(json, "{__name__=x,host_name=h1,job=shop} 1@1000\n");
}
END_TEST

START_TEST(scopes_can_be_left_out)
{
    const char *json = METRICS("", "\"name\":\"lib\"", GAUGE("x", POINT("", "1000", "1")));
    expect(json, "{__name__=x,otel_scope_name=lib} 1@1000\n");
    config.disable_scope_info = true;
    expect(json, "{__name__=x} 1@1000\n");
}
END_TEST

START_TEST(names_follow_the_strategy)
{
    const char *json = METRICS("", "", SUM("a.b", POINT("", "1000", "1")));
    config.name_space = (char *)(uintptr_t)"ns";
    expect(json, "{__name__=ns_a_b_bytes_total} 1@1000\n");
    config.add_metric_suffixes = false;
    expect(json, "{__name__=ns_a_b} 1@1000\n");
    config.message = PRW_V2;
    config.strategy = WEIR_PROMETHEUS_UTF8_SUFFIXED;
    expect(json, "{__name__=ns_a.b_bytes_total} 1@1000 type=1 help=help unit=bytes\n");
}
END_TEST

START_TEST(target_info_needs_something_to_tell)
{
    expect(METRICS(ATTR("service.name", "shop"), "", GAUGE("x", POINT("", "1000", "1"))), "{__name__=x,job=shop} 1@1000\n");
    expect(METRICS(ATTR("host.name", "h"), "", GAUGE("x", POINT("", "1000", "1"))), "{__name__=x} 1@1000\n");
    expect(METRICS(ATTR("service.name", "shop") "," ATTR("a..b", "1"), "", GAUGE("x", POINT("", "1000", "1"))),
           "{__name__=x,job=shop} 1@1000\n{__name__=target_info,a__b=1,job=shop} 1@1000\n");
    config.name_space = (char *)(uintptr_t)"ns";
    expect(METRICS(ATTR("service.instance.id", "i") "," ATTR("a", "1"), "", GAUGE("x", POINT("", "1000", "1"))),
           "{__name__=ns_x,instance=i} 1@1000\n{__name__=ns_target_info,a=1,instance=i} 1@1000\n");
    config.target_info.enabled = false;
    expect(METRICS(ATTR("service.instance.id", "i") "," ATTR("a", "1"), "", GAUGE("x", POINT("", "1000", "1"))),
           "{__name__=ns_x,instance=i} 1@1000\n");
}
END_TEST

START_TEST(what_cannot_be_sent_is_counted)
{
    expect(METRICS("", "",
                   "{\"name\":\"delta\",\"sum\":{\"isMonotonic\":true,\"aggregationTemporality\":1,\"dataPoints\":["
                   POINT("", "1000", "1") "," POINT(ATTR("a", "1"), "1000", "1") "]}},"
                   "{\"name\":\"...\",\"gauge\":{\"dataPoints\":[" POINT("", "1000", "1") "]}},"
                   GAUGE("good", POINT("", "1000", "1"))),
           "{__name__=good} 1@1000\nskipped 3: metric \"delta\": its temporality is not cumulative\n");
    expect(METRICS("", "",
                   "{\"name\":\"e\",\"exponentialHistogram\":{\"aggregationTemporality\":2,\"dataPoints\":["
                   "{\"scale\":-5,\"timeUnixNano\":\"1000000000\"}]}}"),
           "skipped 1: metric \"e\": cannot convert exponential to native histogram: scale must be >= -4, was -5\n");
    expect(METRICS("", "", "{\"name\":\"empty\"}"), "");
}
END_TEST

START_TEST(a_missing_value_ends_the_series)
{
    expect(METRICS("", "", GAUGE("x", "{\"timeUnixNano\":\"1000000000\",\"flags\":1}")), "{__name__=x} stale@1000\n");
    expect(METRICS("", "",
                   "{\"name\":\"s\",\"summary\":{\"dataPoints\":[{\"timeUnixNano\":\"1000000000\",\"flags\":1,"
                   "\"quantileValues\":[{\"quantile\":0.5}]}]}}"),
           "{__name__=s,quantile=0.5} stale@1000\n{__name__=s_sum} stale@1000\n{__name__=s_count} stale@1000\n");
}
END_TEST

START_TEST(exponential_histograms_are_native)
{
    const char *json = METRICS("", "",
                               "{\"name\":\"e\",\"unit\":\"s\",\"exponentialHistogram\":{\"aggregationTemporality\":2,"
                               "\"dataPoints\":[{\"scale\":0,\"startTimeUnixNano\":\"500000000\","
                               "\"timeUnixNano\":\"1000000000\",\"count\":\"10\",\"sum\":12.5,\"zeroCount\":\"1\","
                               "\"positive\":{\"offset\":0,\"bucketCounts\":[\"4\",\"2\",\"3\"]}}]}}");
    expect(json, "{__name__=e_seconds} h0 zero=1 count=10 sum=12.5 + 1:3/4 -2 1@1000\n");
    config.message = PRW_V2;
    expect(json, "{__name__=e_seconds} h0 zero=1 count=10 sum=12.5 + 1:3/4 -2 1@1000from500 type=3 help= unit=seconds\n");
}
END_TEST

#define EXEMPLAR(value, attributes)                                                                              \
    "{\"timeUnixNano\":\"900000000\",\"asDouble\":" value ",\"traceId\":\"000102030405060708090a0b0c0d0e0f\","       \
    "\"spanId\":\"0001020304050607\",\"filteredAttributes\":[" attributes "]}"
#define IDS "span_id=0001020304050607,trace_id=000102030405060708090a0b0c0d0e0f"

START_TEST(exemplars_stand_with_their_bucket)
{
    expect(METRICS("", "",
                   "{\"name\":\"h\",\"histogram\":{\"aggregationTemporality\":2,\"dataPoints\":[{"
                   "\"timeUnixNano\":\"1000000000\",\"count\":\"3\",\"bucketCounts\":[\"1\",\"1\",\"1\"],"
                   "\"explicitBounds\":[5,10],\"exemplars\":[" EXEMPLAR("7", ATTR("user", "u")) "," EXEMPLAR("99", "")
                   "]}]}}"),
           "{__name__=h_bucket,le=5} 1@1000\n"
           "{__name__=h_bucket,le=10} 2@1000 #{" IDS ",user=u}7@900\n"
           "{__name__=h_bucket,le=+Inf} 3@1000 #{" IDS "}99@900\n"
           "{__name__=h_count} 3@1000\n");
}
END_TEST

#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"

START_TEST(exemplars_of_counters_are_kept_and_bounded)
{
    const char *json = METRICS("", "",
                               "{\"name\":\"c\",\"sum\":{\"isMonotonic\":true,\"aggregationTemporality\":2,\"dataPoints\":[{"
                               "\"timeUnixNano\":\"1000000000\",\"asInt\":\"1\",\"exemplars\":["
                               EXEMPLAR("1", ATTR("long", LONG)) "]}]}}");
    expect(json, "{__name__=c_total} 1@1000 #{" IDS "}1@900\n");
    config.message = PRW_V2;
    expect(json, "{__name__=c_total} 1@1000 #{" IDS "}1@900 type=1 help= unit=\n");
    /* a gauge has none */
    config.message = PRW_V1;
    expect(METRICS("", "", GAUGE("g", "{\"timeUnixNano\":\"1000000000\",\"asInt\":\"1\",\"exemplars\":[" EXEMPLAR("1", "")
                                      "]}")),
           "{__name__=g} 1@1000\n");
}
END_TEST

START_TEST(metadata_goes_in_a_request_of_its_own)
{
    config.send_metadata = true;
    expect(METRICS("", "", SUM("a", POINT("", "1000", "1")) "," GAUGE("g", POINT("", "1000", "1"))),
           "{__name__=a_bytes_total} 1@1000\n{__name__=g} 1@1000\n--\nmeta a_bytes_total 1 \"help\" bytes\nmeta g 2 \"\" \n");
}
END_TEST

START_TEST(requests_have_a_size)
{
    const char *json = METRICS("", "", GAUGE("x", POINT(ATTR("a", "1"), "1000", "1") "," POINT(ATTR("a", "2"), "1000", "2") ","
                                                      POINT(ATTR("a", "3"), "1000", "3")));
    char *one_each = translate_json(json, 1);
    ck_assert_str_eq(one_each, "{__name__=x,a=1} 1@1000\n--\n{__name__=x,a=2} 2@1000\n--\n{__name__=x,a=3} 3@1000\n");
    free(one_each);
    /* a series takes 39 bytes: 2 of the list, 15 + 8 of labels, 14 of the sample; the limit is not reached */
    char *two = translate_json(json, 79);
    ck_assert_str_eq(two, "{__name__=x,a=1} 1@1000\n{__name__=x,a=2} 2@1000\n--\n{__name__=x,a=3} 3@1000\n");
    free(two);
    config.message = PRW_V2;
    char *second = translate_json(json, 1);
    ck_assert_str_eq(second, "{__name__=x,a=1} 1@1000 type=2 help= unit=\n--\n{__name__=x,a=2} 2@1000 type=2 help= unit=\n"
                             "--\n{__name__=x,a=3} 3@1000 type=2 help= unit=\n");
    free(second);
}
END_TEST

START_TEST(there_may_be_many_series)
{
    struct weir_text json = { 0 };
    weir_text_adds(&json, "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"x\",\"gauge\":{\"dataPoints\":[");
    for (int i = 0; i < 1000; i++)
        weir_text_addf(&json, "%s{\"attributes\":[{\"key\":\"a\",\"value\":{\"intValue\":\"%d\"}}],"
                              "\"timeUnixNano\":\"1000000\",\"asInt\":\"%d\"}",
                       i ? "," : "", i % 500, i / 500);
    weir_text_adds(&json, "]}}]}]}]}");
    char *got = translate_json(weir_text_string(&json), 3000000);
    size_t lines = 0;
    for (const char *at = got; (at = strchr(at, '\n')); at++)
        lines++;
    ck_assert_uint_eq(lines, 500);
    ck_assert_ptr_nonnull(strstr(got, "{__name__=x,a=499} 0@1 1@1\n"));
    free(got);
    weir_text_free(&json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prometheusremotewrite translate");
    TCase *tests = tcase_create("translate"), *resources = tcase_create("target_info");
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, resources);
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_checked_fixture(resources, with_target_info, NULL);
    tcase_add_test(resources, the_references_example);
    tcase_add_test(resources, target_info_needs_something_to_tell);
    tcase_add_test(tests, samples_of_a_series_are_in_order);
    tcase_add_test(tests, points_with_other_labels_are_other_series);
    tcase_add_test(tests, labels_make_the_series_wherever_they_come_from);
    tcase_add_test(tests, external_labels_stand_back);
    tcase_add_test(tests, resources_can_be_labels);
    tcase_add_test(tests, scopes_can_be_left_out);
    tcase_add_test(tests, names_follow_the_strategy);
    tcase_add_test(tests, what_cannot_be_sent_is_counted);
    tcase_add_test(tests, a_missing_value_ends_the_series);
    tcase_add_test(tests, exponential_histograms_are_native);
    tcase_add_test(tests, exemplars_stand_with_their_bucket);
    tcase_add_test(tests, exemplars_of_counters_are_kept_and_bounded);
    tcase_add_test(tests, metadata_goes_in_a_request_of_its_own);
    tcase_add_test(tests, requests_have_a_size);
    tcase_add_test(tests, there_may_be_many_series);
    return run_suite(suite);
}
