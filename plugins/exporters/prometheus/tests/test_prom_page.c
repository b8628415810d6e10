// SPDX-License-Identifier: Apache-2.0
/* What becomes of OTLP metrics on the page (contrib-receivers-exporters 4 and 9.2). */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <weir/otlp_json.h>

#include "metrics.pb-c.h"
#include "plugins/exporters/prometheus/negotiate.h"
#include "plugins/exporters/prometheus/page.h"
#include "plugins/exporters/prometheus/translate.h"
#include "tests/unit/suite.h"

#define SECOND ((int64_t)1000000000)
#define EXPIRATION (300 * SECOND)

/* What is put into the store, and the page that comes of it. The configuration is what differs from the defaults. */
struct page_case {
    struct {
        const char *name_space;
        const char *const_label; /* its value is "c" */
        bool timestamps, open_metrics, protobuf, conversion, exclude_service, without_scope_info;
        enum weir_prometheus_strategy strategy;
        enum escaping escaping;
    } with;
    const char *batches[4]; /* each the inside of a ResourceMetrics' scopeMetrics' metrics, or a whole request */
    const char *page;
    unsigned problems;
    unsigned skipped;
};

/* --- making batches and pages --- */

static struct weir_batch *parse(const char *json)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_text text = { 0 };
    if (json[0] == '{' && strncmp(json, "{\"resourceMetrics\"", 18) == 0)
        weir_text_adds(&text, json);
    else
        weir_text_addf(&text, "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[%s]}]}]}", json);
    struct weir_batch *batch = weir_batch_from_json(WEIR_METRICS, text.data, text.length, &error);
    ck_assert_msg(batch != NULL, "%s: %s", text.data, weir_error_text(&error));
    weir_text_free(&text);
    return batch;
}

static struct prom_config make_config(const struct page_case *test, struct weir_pair *pair)
{
    struct prom_config config = { .name_space = (char *)(uintptr_t)test->with.name_space,
                                  .send_timestamps = test->with.timestamps,
                                  .enable_open_metrics = test->with.open_metrics,
                                  .strategy = (int)test->with.strategy,
                                  .without_scope_info = test->with.without_scope_info };
    config.conversion.enabled = test->with.conversion;
    config.conversion.exclude_service_attributes = test->with.exclude_service;
    if (test->with.const_label) {
        *pair = (struct weir_pair){ (char *)(uintptr_t)test->with.const_label, (char *)(uintptr_t)"c" };
        config.const_labels = (struct weir_pairs){ pair, 1 };
    }
    return config;
}

/* --- messages as text --- */

static void print_time(struct weir_text *text, const char *what, const Promclient__Timestamp *time)
{
    if (time)
        weir_text_addf(text, "%s%lld.%09d", what, (long long)time->seconds, time->nanos);
}

static void print_labels(struct weir_text *text, Promclient__LabelPair *const *labels, size_t count)
{
    weir_text_addc(text, '{');
    for (size_t i = 0; i < count; i++)
        weir_text_addf(text, "%s%.*s=%.*s", i ? "," : "", (int)labels[i]->name.len, (const char *)labels[i]->name.data,
                       (int)labels[i]->value.len, (const char *)labels[i]->value.data);
    weir_text_addc(text, '}');
}

static void print_exemplar(struct weir_text *text, const Promclient__Exemplar *exemplar)
{
    if (!exemplar)
        return;
    weir_text_adds(text, " # ");
    print_labels(text, exemplar->label, exemplar->n_label);
    weir_text_addf(text, " %g", exemplar->value);
    print_time(text, " ", exemplar->timestamp);
}

static void print_runs(struct weir_text *text, const char *side, Promclient__BucketSpan *const *spans, size_t span_count,
                       const int64_t *deltas, size_t delta_count)
{
    if (span_count)
        weir_text_addf(text, "\n  %s", side);
    for (size_t i = 0; i < span_count; i++)
        weir_text_addf(text, " %d:%u", spans[i]->offset, spans[i]->length);
    for (size_t i = 0; i < delta_count; i++)
        weir_text_addf(text, "%s%+lld", i ? " " : " | ", (long long)deltas[i]);
}

static void print_histogram(struct weir_text *text, const Promclient__Histogram *histogram)
{
    weir_text_addf(text, " count %llu sum %g", (unsigned long long)histogram->sample_count, histogram->sample_sum);
    for (size_t i = 0; i < histogram->n_bucket; i++) {
        weir_text_addf(text, "\n  <=%g: %llu", histogram->bucket[i]->upper_bound,
                       (unsigned long long)histogram->bucket[i]->cumulative_count);
        print_exemplar(text, histogram->bucket[i]->exemplar);
    }
    if (histogram->zero_threshold > 0)
        weir_text_addf(text, " schema %d zero %g: %llu", histogram->schema, histogram->zero_threshold,
                       (unsigned long long)histogram->zero_count);
    print_runs(text, "+", histogram->positive_span, histogram->n_positive_span, histogram->positive_delta,
               histogram->n_positive_delta);
    print_runs(text, "-", histogram->negative_span, histogram->n_negative_span, histogram->negative_delta,
               histogram->n_negative_delta);
    print_time(text, " since ", histogram->created_timestamp);
}

static void print_metric(struct weir_text *text, const Promclient__Metric *metric)
{
    print_labels(text, metric->label, metric->n_label);
    if (metric->gauge)
        weir_text_addf(text, " gauge %g", metric->gauge->value);
    if (metric->untyped)
        weir_text_addf(text, " untyped %g", metric->untyped->value);
    if (metric->counter) {
        weir_text_addf(text, " counter %g", metric->counter->value);
        print_time(text, " since ", metric->counter->created_timestamp);
        print_exemplar(text, metric->counter->exemplar);
    }
    if (metric->summary) {
        weir_text_addf(text, " count %llu sum %g", (unsigned long long)metric->summary->sample_count,
                       metric->summary->sample_sum);
        for (size_t i = 0; i < metric->summary->n_quantile; i++)
            weir_text_addf(text, " %g: %g", metric->summary->quantile[i]->quantile, metric->summary->quantile[i]->value);
        print_time(text, " since ", metric->summary->created_timestamp);
    }
    if (metric->histogram)
        print_histogram(text, metric->histogram);
    if (metric->timestamp_ms)
        weir_text_addf(text, " @%lld", (long long)metric->timestamp_ms);
    weir_text_addc(text, '\n');
}

static char *print_messages(const struct weir_buffer *page)
{
    struct weir_text text = { 0 };
    for (size_t at = 0; at < page->length;) {
        size_t length = 0;
        for (unsigned shift = 0; shift == 0 || page->data[at - 1] & 0x80; shift += 7, at++)
            length |= (size_t)(page->data[at] & 0x7f) << shift;
        Promclient__MetricFamily *family = promclient__metric_family__unpack(NULL, length, page->data + at);
        ck_assert_ptr_nonnull(family);
        weir_text_addf(&text, "%.*s (%d: %.*s)\n", (int)family->name.len, (const char *)family->name.data, family->type,
                       (int)family->help.len, (const char *)family->help.data);
        for (size_t i = 0; i < family->n_metric; i++)
            print_metric(&text, family->metric[i]);
        promclient__metric_family__free_unpacked(family, NULL);
        at += length;
    }
    return weir_text_steal(&text);
}

/* The page at `now`. */
static char *get_page(struct store *store, const struct page_case *test, const struct prom_rules *rules, int64_t now,
                      struct page_problems *problems)
{
    struct weir_text target = { 0 };
    struct snapshot snapshot;
    struct weir_buffer *page = weir_buffer_new(64);
    prom_target_name(rules, &target);
    struct page_style style = { .open_metrics = test->with.open_metrics, .protobuf = test->with.protobuf,
                                .escaping = test->with.escaping,
                                .timestamps = test->with.timestamps, .target_name = weir_text_view(&target) };
    store_expire(store, now, EXPIRATION);
    ck_assert(store_snapshot(store, &snapshot));
    ck_assert(page_write(&snapshot, &style, page, problems));
    snapshot_free(&snapshot);
    char *text = test->with.protobuf ? print_messages(page) : weir_xstrndup((const char *)page->data, page->length);
    weir_buffer_unref(page);
    weir_text_free(&target);
    return text;
}

static void put(const struct prom_rules *rules, struct store *store, const char *json, int64_t now,
                struct prom_skipped *skipped)
{
    struct weir_batch *batch = parse(json);
    ck_assert(prom_translate(rules, store, batch, now, skipped));
    weir_batch_unref(batch);
}

/* All batches must have the same page as its outcome. */
static void run_case(const struct page_case *test)
{
    struct weir_pair pair;
    struct prom_config config = make_config(test, &pair);
    struct prom_rules rules;
    struct prom_skipped skipped = { 0 };
    struct page_problems problems = { 0 };
    struct store *store = store_open(WEIR_STR("test"));
    prom_rules_init(&rules, &config);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(test->batches) && test->batches[i]; i++)
        put(&rules, store, test->batches[i], SECOND, &skipped);
    char *page = get_page(store, test, &rules, SECOND, &problems);
    ck_assert_str_eq(page, test->page);
    ck_assert_msg(problems.count == test->problems, "%llu problems: %s", (unsigned long long)problems.count,
                  weir_text_string(&problems.first));
    ck_assert_msg(skipped.items == test->skipped, "%llu skipped: %s", (unsigned long long)skipped.items,
                  weir_text_string(&skipped.reason));
    free(page);
    weir_text_free(&problems.first);
    weir_text_free(&skipped.reason);
    prom_rules_free(&rules);
    store_unref(store);
}

#define NO_SCOPE .without_scope_info = true
#define POINTS(points) "\"dataPoints\":[" points "]"
#define ATTRIBUTE(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define ATTRIBUTES(list) "\"attributes\":[" list "]"
#define GAUGE(name, points) "{\"name\":\"" name "\",\"gauge\":{" POINTS(points) "}}"
#define COUNTER(name, temporality, points) \
    "{\"name\":\"" name "\",\"sum\":{\"isMonotonic\":true,\"aggregationTemporality\":" temporality "," POINTS(points) "}}"
#define SUM(name, temporality, points) \
    "{\"name\":\"" name "\",\"sum\":{\"aggregationTemporality\":" temporality "," POINTS(points) "}}"
#define HISTOGRAM(name, temporality, points) \
    "{\"name\":\"" name "\",\"histogram\":{\"aggregationTemporality\":" temporality "," POINTS(points) "}}"
#define EXPONENTIAL(name, temporality, points) \
    "{\"name\":\"" name "\",\"exponentialHistogram\":{\"aggregationTemporality\":" temporality "," POINTS(points) "}}"
#define SUMMARY(name, points) "{\"name\":\"" name "\",\"summary\":{" POINTS(points) "}}"
/* A point from one nanosecond to another. */
#define INT(start, time, value) "{\"startTimeUnixNano\":\"" start "\",\"timeUnixNano\":\"" time "\",\"asInt\":\"" value "\"}"
#define DOUBLE(start, time, value) "{\"startTimeUnixNano\":\"" start "\",\"timeUnixNano\":\"" time "\",\"asDouble\":" value "}"
#define BUCKETS(start, time, bounds, counts, sum, count)                                                           \
    "{\"startTimeUnixNano\":\"" start "\",\"timeUnixNano\":\"" time "\",\"explicitBounds\":[" bounds "],"           \
    "\"bucketCounts\":[" counts "],\"sum\":" sum ",\"count\":\"" count "\"}"
#define SCALED(start, time, scale, sum, count)                                                                  \
    "{\"startTimeUnixNano\":\"" start "\",\"timeUnixNano\":\"" time "\",\"scale\":" scale ",\"sum\":" sum         \
    ",\"count\":\"" count "\",\"positive\":{\"bucketCounts\":[\"" count "\"]}}"
#define HEAD(name, type) "# HELP " name " \n# TYPE " name " " type "\n"

/* --- accumulation --- */

static const struct page_case accumulation[] = {
    /* gauges */
    { { NO_SCOPE }, { GAUGE("a", INT("0", "5", "1")) }, HEAD("a", "gauge") "a 1\n", 0, 0 },
    { { NO_SCOPE }, { GAUGE("a", INT("0", "5", "1")), GAUGE("a", INT("0", "6", "2")) }, HEAD("a", "gauge") "a 2\n", 0, 0 },
    { { NO_SCOPE }, { GAUGE("a", INT("0", "5", "1")), GAUGE("a", INT("0", "5", "2")) }, HEAD("a", "gauge") "a 2\n", 0, 0 },
    { { NO_SCOPE }, { GAUGE("a", INT("0", "5", "1")), GAUGE("a", INT("0", "4", "2")) }, HEAD("a", "gauge") "a 1\n", 0, 0 },
    { { NO_SCOPE }, { GAUGE("a", "{\"timeUnixNano\":\"5\"}") }, HEAD("a", "gauge") "a 0\n", 0, 0 },
    /* cumulative sums */
    { { NO_SCOPE }, { COUNTER("a", "2", INT("1", "5", "1")), COUNTER("a", "2", INT("1", "6", "3")) },
      HEAD("a_total", "counter") "a_total 3\n", 0, 0 },
    { { NO_SCOPE }, { COUNTER("a", "2", INT("1", "5", "4")), COUNTER("a", "2", INT("1", "4", "3")) },
      HEAD("a_total", "counter") "a_total 4\n", 0, 0 },
    { { NO_SCOPE }, { SUM("a", "2", DOUBLE("1", "5", "-1.5")) }, HEAD("a", "gauge") "a -1.5\n", 0, 0 },
    /* delta sums */
    { { NO_SCOPE }, { COUNTER("a", "1", INT("1", "5", "2")), COUNTER("a", "1", INT("5", "9", "3")) },
      HEAD("a_total", "counter") "a_total 5\n", 0, 0 },
    { { NO_SCOPE }, { COUNTER("a", "1", INT("1", "5", "2")), COUNTER("a", "1", INT("5", "9", "3")),
                      COUNTER("a", "1", DOUBLE("9", "10", "0.5")) }, HEAD("a_total", "counter") "a_total 5.5\n", 0, 0 },
    { { NO_SCOPE }, { COUNTER("a", "1", INT("1", "5", "2")), COUNTER("a", "1", INT("6", "9", "3")) },
      HEAD("a_total", "counter") "a_total 3\n", 0, 0 },
    { { NO_SCOPE }, { COUNTER("a", "1", INT("1", "5", "2")), COUNTER("a", "1", INT("4", "9", "3")) },
      HEAD("a_total", "counter") "a_total 3\n", 0, 0 },
    { { NO_SCOPE }, { COUNTER("a", "1", INT("1", "5", "2")), COUNTER("a", "1", INT("1", "4", "3")) },
      HEAD("a_total", "counter") "a_total 2\n", 0, 0 },
    { { NO_SCOPE, .open_metrics = true }, { COUNTER("a", "1", INT("1000000000", "5000000000", "2")),
                                            COUNTER("a", "1", INT("5000000000", "9000000000", "3")) },
      HEAD("a", "counter") "a_total 5.0\na_created 1.0\n# EOF\n", 0, 0 },
    { { NO_SCOPE }, { SUM("a", "1", INT("1", "5", "2")) }, "", 0, 1 },
    { { NO_SCOPE }, { SUM("a", "0", INT("1", "5", "2") "," INT("1", "5", "2")) }, "", 0, 2 },
    { { NO_SCOPE }, { COUNTER("a", "0", INT("1", "5", "2")) }, "", 0, 1 },
    /* histograms */
    { { NO_SCOPE }, { HISTOGRAM("a", "2", BUCKETS("1", "5", "1,2", "1,2,3", "9", "6")),
                      HISTOGRAM("a", "2", BUCKETS("1", "6", "1,2", "2,2,3", "9.5", "7")) },
      HEAD("a", "histogram") "a_bucket{le=\"1\"} 2\na_bucket{le=\"2\"} 4\na_bucket{le=\"+Inf\"} 7\na_sum 9.5\na_count 7\n",
      0, 0 },
    { { NO_SCOPE }, { HISTOGRAM("a", "2", BUCKETS("1", "5", "1", "1,2", "9", "3")),
                      HISTOGRAM("a", "2", BUCKETS("1", "4", "1", "1,1", "8", "2")) },
      HEAD("a", "histogram") "a_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 3\na_sum 9\na_count 3\n", 0, 0 },
    { { NO_SCOPE }, { HISTOGRAM("a", "1", BUCKETS("1", "5", "1", "1,2", "9", "3")),
                      HISTOGRAM("a", "1", BUCKETS("5", "9", "1", "10,20", "90", "30")) },
      HEAD("a", "histogram") "a_bucket{le=\"1\"} 11\na_bucket{le=\"+Inf\"} 33\na_sum 99\na_count 33\n", 0, 0 },
    { { NO_SCOPE }, { HISTOGRAM("a", "1", BUCKETS("1", "5", "1", "1,2", "9", "3")),
                      HISTOGRAM("a", "1", BUCKETS("5", "9", "2", "10,20", "90", "30")) },
      HEAD("a", "histogram") "a_bucket{le=\"2\"} 10\na_bucket{le=\"+Inf\"} 30\na_sum 90\na_count 30\n", 0, 0 },
    { { NO_SCOPE }, { HISTOGRAM("a", "1", BUCKETS("1", "5", "1", "1,2", "9", "3")),
                      HISTOGRAM("a", "1", BUCKETS("6", "9", "1", "10,20", "90", "30")) },
      HEAD("a", "histogram") "a_bucket{le=\"1\"} 10\na_bucket{le=\"+Inf\"} 30\na_sum 90\na_count 30\n", 0, 0 },
    { { NO_SCOPE }, { HISTOGRAM("a", "1", BUCKETS("1", "5", "1", "1,2", "9", "3")),
                      HISTOGRAM("a", "1", BUCKETS("4", "9", "1", "10,20", "90", "30")) },
      HEAD("a", "histogram") "a_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 3\na_sum 9\na_count 3\n", 0, 1 },
    { { NO_SCOPE }, { HISTOGRAM("a", "0", BUCKETS("1", "5", "1", "1,2", "9", "3")) }, "", 0, 1 },
    { { NO_SCOPE }, { HISTOGRAM("a", "2", "{\"count\":\"3\",\"bucketCounts\":[\"3\"]}") },
      HEAD("a", "histogram") "a_bucket{le=\"+Inf\"} 3\na_sum 0\na_count 3\n", 0, 0 },
    /* exponential histograms */
    { { NO_SCOPE }, { EXPONENTIAL("a", "2", SCALED("1", "5", "0", "9", "3")) },
      HEAD("a", "histogram") "a_bucket{le=\"+Inf\"} 3\na_sum 9\na_count 3\n", 0, 0 },
    { { NO_SCOPE }, { EXPONENTIAL("a", "1", SCALED("1", "5", "3", "9", "3")),
                      EXPONENTIAL("a", "1", SCALED("5", "9", "1", "1", "4")) },
      HEAD("a", "histogram") "a_bucket{le=\"+Inf\"} 7\na_sum 10\na_count 7\n", 0, 0 },
    { { NO_SCOPE }, { EXPONENTIAL("a", "1", SCALED("1", "5", "3", "9", "3")),
                      EXPONENTIAL("a", "1", SCALED("6", "9", "1", "1", "4")) },
      HEAD("a", "histogram") "a_bucket{le=\"+Inf\"} 4\na_sum 1\na_count 4\n", 0, 0 },
    { { NO_SCOPE }, { EXPONENTIAL("a", "1", SCALED("1", "5", "3", "9", "3")),
                      EXPONENTIAL("a", "1", SCALED("2", "9", "1", "1", "4")) },
      HEAD("a", "histogram") "a_bucket{le=\"+Inf\"} 3\na_sum 9\na_count 3\n", 0, 1 },
    { { NO_SCOPE }, { EXPONENTIAL("a", "2", SCALED("1", "5", "-5", "9", "3")) }, "", 1, 0 },
    /* summaries */
    { { NO_SCOPE }, { SUMMARY("a", "{\"timeUnixNano\":\"5\",\"count\":\"4\",\"sum\":2.5,"
                                   "\"quantileValues\":[{\"quantile\":0.5,\"value\":0.25},{\"quantile\":1,\"value\":1}]}") },
      HEAD("a", "summary") "a{quantile=\"0.5\"} 0.25\na{quantile=\"1\"} 1\na_sum 2.5\na_count 4\n", 0, 0 },
    { { NO_SCOPE }, { SUMMARY("a", "{\"timeUnixNano\":\"5\",\"count\":\"4\",\"sum\":2}"),
                      SUMMARY("a", "{\"timeUnixNano\":\"4\",\"count\":\"5\",\"sum\":3}") },
      HEAD("a", "summary") "a_sum 2\na_count 4\n", 0, 0 },
    { { NO_SCOPE }, { "{\"name\":\"a\"}", "{\"name\":\"__\",\"gauge\":{\"dataPoints\":[{},{}]}}" }, "", 0, 2 },
    /* the end of a series */
    { { NO_SCOPE }, { GAUGE("a", INT("0", "5", "1")), GAUGE("a", "{\"timeUnixNano\":\"6\",\"flags\":1}") }, "", 0, 0 },
    { { NO_SCOPE }, { GAUGE("a", INT("0", "5", "1")), GAUGE("a", "{\"timeUnixNano\":\"6\",\"flags\":1}"),
                      GAUGE("a", INT("0", "4", "2")) }, HEAD("a", "gauge") "a 2\n", 0, 0 },
    { { NO_SCOPE }, { GAUGE("a", "{\"flags\":1}") }, "", 0, 0 },
    { { NO_SCOPE }, { GAUGE("a", "{\"flags\":1," ATTRIBUTES(ATTRIBUTE("b", "1")) "}," INT("0", "5", "1")) }, "", 0, 0 },
    /* identities */
    { { NO_SCOPE }, { GAUGE("a", "{\"asInt\":1," ATTRIBUTES(ATTRIBUTE("b", "1") "," ATTRIBUTE("c", "2")) "}"),
                      GAUGE("a", "{\"asInt\":2," ATTRIBUTES(ATTRIBUTE("c", "2") "," ATTRIBUTE("b", "1")) "}") },
      HEAD("a", "gauge") "a{b=\"1\",c=\"2\"} 2\n", 0, 0 },
    { { NO_SCOPE }, { GAUGE("a", "{\"asInt\":1," ATTRIBUTES(ATTRIBUTE("b", "1")) "},"
                                 "{\"asInt\":2,\"attributes\":[{\"key\":\"b\",\"value\":{\"intValue\":1}}]}") },
      HEAD("a", "gauge") "a{b=\"1\"} 2\n", 0, 0 },
};

START_TEST(points_are_accumulated)
{
    run_case(&accumulation[_i]);
}
END_TEST

/* --- the page --- */

#define RESOURCE                                                                                         \
    "\"resource\":{" ATTRIBUTES(ATTRIBUTE("service.namespace", "eu") "," ATTRIBUTE("service.name", "shop") "," \
                                ATTRIBUTE("service.instance.id", "i1") "," ATTRIBUTE("host.name", "h1")) "}"
#define SHOP(metrics)                                                                                   \
    "{\"resourceMetrics\":[{" RESOURCE ",\"scopeMetrics\":[{\"scope\":{\"name\":\"lib\",\"version\":\"1.0\"}," \
    "\"metrics\":[" metrics "]}]}]}"
#define OWN "instance=\"i1\",job=\"eu/shop\",otel_scope_name=\"lib\",otel_scope_schema_url=\"\",otel_scope_version=\"1.0\""
#define TARGET                                                                  \
    "# HELP target_info Target metadata\n# TYPE target_info gauge\n"             \
    "target_info{host_name=\"h1\",instance=\"i1\",job=\"eu/shop\"} 1\n"

static const struct page_case pages[] = {
    { { 0 }, { "" }, "", 0, 0 },
    { { .open_metrics = true }, { "" }, "# EOF\n", 0, 0 },
    /* 9.2 */
    { { 0 },
      { SHOP("{\"name\":\"http.requests\",\"unit\":\"{request}\",\"description\":\"a\\\\b\\n\\\"c\\\"\",\"sum\":{"
             "\"isMonotonic\":true,\"aggregationTemporality\":2,\"dataPoints\":[{\"asInt\":3,"
             ATTRIBUTES(ATTRIBUTE("http.method", "GET")) "}]}},"
             "{\"name\":\"queue.fill\",\"unit\":\"1\",\"gauge\":{\"dataPoints\":[{\"asDouble\":0.25}]}},"
             "{\"name\":\"db.time\",\"unit\":\"ms\",\"histogram\":{\"aggregationTemporality\":2,\"dataPoints\":["
             "{\"explicitBounds\":[5,10],\"bucketCounts\":[1,2,0],\"count\":3,\"sum\":17}]}}") },
      HEAD("db_time_milliseconds", "histogram")
      "db_time_milliseconds_bucket{" OWN ",le=\"5\"} 1\n"
      "db_time_milliseconds_bucket{" OWN ",le=\"10\"} 3\n"
      "db_time_milliseconds_bucket{" OWN ",le=\"+Inf\"} 3\n"
      "db_time_milliseconds_sum{" OWN "} 17\n"
      "db_time_milliseconds_count{" OWN "} 3\n"
      "# HELP http_requests_total a\\\\b\\n\"c\"\n# TYPE http_requests_total counter\n"
      "http_requests_total{http_method=\"GET\"," OWN "} 3\n"
      HEAD("queue_fill_ratio", "gauge") "queue_fill_ratio{" OWN "} 0.25\n" TARGET, 0, 0 },
    { { .open_metrics = true },
      { SHOP("{\"name\":\"http.requests\",\"description\":\"a\\\\b\\n\\\"c\\\"\",\"sum\":{\"isMonotonic\":true,"
             "\"aggregationTemporality\":2,\"dataPoints\":[{\"asInt\":3}]}}") },
      "# HELP http_requests a\\\\b\\n\\\"c\\\"\n# TYPE http_requests counter\nhttp_requests_total{" OWN "} 3.0\n"
      "# HELP target_info Target metadata\n# TYPE target_info gauge\n"
      "target_info{host_name=\"h1\",instance=\"i1\",job=\"eu/shop\"} 1.0\n# EOF\n", 0, 0 },
    /* namespace and constant labels, which target_info does not have */
    { { .name_space = "my", .const_label = "zone one" }, { SHOP(GAUGE("a", "{\"asInt\":1}")) },
      HEAD("my_a", "gauge") "my_a{" OWN ",zone_one=\"c\"} 1\n"
      "# HELP my_target_info Target metadata\n# TYPE my_target_info gauge\n"
      "my_target_info{host_name=\"h1\",instance=\"i1\",job=\"eu/shop\"} 1\n", 0, 0 },
    { { NO_SCOPE, .const_label = "b" },
      { GAUGE("a", "{\"asInt\":1," ATTRIBUTES(ATTRIBUTE("b", "1")) "},{\"asInt\":2}") },
      HEAD("a", "gauge") "a{b=\"c\"} 2\n", 1, 0 },
    /* resource_to_telemetry_conversion: the resource wins */
    { { NO_SCOPE, .conversion = true },
      { SHOP(GAUGE("a", "{\"asInt\":1," ATTRIBUTES(ATTRIBUTE("host.name", "point") "," ATTRIBUTE("k", "v")) "}")) },
      HEAD("a", "gauge") "a{host_name=\"h1\",instance=\"i1\",job=\"eu/shop\",k=\"v\",service_instance_id=\"i1\","
      "service_name=\"shop\",service_namespace=\"eu\"} 1\n" TARGET, 0, 0 },
    { { NO_SCOPE, .conversion = true, .exclude_service = true }, { SHOP(GAUGE("a", "{\"asInt\":1}")) },
      HEAD("a", "gauge") "a{host_name=\"h1\",instance=\"i1\",job=\"eu/shop\"} 1\n" TARGET, 0, 0 },
    /* no target_info without an instance */
    { { NO_SCOPE },
      { "{\"resourceMetrics\":[{\"resource\":{" ATTRIBUTES(ATTRIBUTE("service.name", "s") "," ATTRIBUTE("k", "v")) "},"
        "\"scopeMetrics\":[{\"metrics\":[" GAUGE("a", "{\"asInt\":1}") "]}]}]}" },
      HEAD("a", "gauge") "a{job=\"s\"} 1\n", 0, 0 },
    /* scopes */
    { { 0 },
      { "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"schemaUrl\":\"http://s\",\"scope\":{\"name\":\"n\","
        ATTRIBUTES(ATTRIBUTE("k.l", "v") "," ATTRIBUTE("version", "x")) "},\"metrics\":[" GAUGE("a", "{\"asInt\":1}") "]}]}]}" },
      HEAD("a", "gauge") "a{otel_scope_k_l=\"v\",otel_scope_name=\"n\",otel_scope_schema_url=\"http://s\","
      "otel_scope_version=\"\"} 1\n", 0, 0 },
    { { 0 }, { GAUGE("a", "{\"asInt\":1}") },
      HEAD("a", "gauge") "a{otel_scope_name=\"\",otel_scope_schema_url=\"\",otel_scope_version=\"\"} 1\n", 0, 0 },
    /* labels */
    { { NO_SCOPE }, { GAUGE("a", "{\"asInt\":1," ATTRIBUTES(ATTRIBUTE("a..b", "\\\\ \\\" \\n") "," ATTRIBUTE("1x", "")) "}") },
      HEAD("a", "gauge") "a{a__b=\"\\\\ \\\" \\n\",key_1x=\"\"} 1\n", 0, 0 },
    { { NO_SCOPE }, { GAUGE("a", "{\"asInt\":1," ATTRIBUTES(ATTRIBUTE("a.b", "1") "," ATTRIBUTE("a_b", "2")) "},{\"asInt\":2}") },
      HEAD("a", "gauge") "a 2\n", 1, 0 },
    { { NO_SCOPE }, { SHOP(GAUGE("a", "{\"asInt\":1," ATTRIBUTES(ATTRIBUTE("job", "x")) "}")) }, TARGET, 1, 0 },
    { { NO_SCOPE }, { GAUGE("b", "{\"asInt\":2}") "," GAUGE("a", "{\"asInt\":2," ATTRIBUTES(ATTRIBUTE("x", "2")) "},"
                                                                  "{\"asInt\":1," ATTRIBUTES(ATTRIBUTE("x", "1")) "}") },
      HEAD("a", "gauge") "a{x=\"1\"} 1\na{x=\"2\"} 2\n" HEAD("b", "gauge") "b 2\n", 0, 0 },
    /* conflicts: the first has the say */
    { { NO_SCOPE }, { GAUGE("a", "{\"asInt\":1}"), HISTOGRAM("a", "2", BUCKETS("1", "5", "1", "1,2", "9", "3")) },
      HEAD("a", "gauge") "a 1\n", 1, 0 },
    { { NO_SCOPE }, { HISTOGRAM("a", "2", BUCKETS("1", "5", "1", "1,2", "9", "3")),
                      GAUGE("a", "{\"asInt\":1," ATTRIBUTES(ATTRIBUTE("b", "1")) "}") },
      HEAD("a", "histogram") "a_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 3\na_sum 9\na_count 3\n", 1, 0 },
    { { NO_SCOPE }, { GAUGE("a_count", "{\"asInt\":1},{\"asInt\":2," ATTRIBUTES(ATTRIBUTE("b", "1")) "}") ","
                      GAUGE("a_bucket", "{\"asInt\":1}") "," GAUGE("b_count", "{\"asInt\":1}"),
                      SUMMARY("a", "{\"count\":\"1\",\"sum\":2}") },
      HEAD("a", "summary") "a_sum 2\na_count 1\n" HEAD("a_bucket", "gauge") "a_bucket 1\n"
      HEAD("b_count", "gauge") "b_count 1\n", 2, 0 },
    { { NO_SCOPE }, { GAUGE("a_bucket", "{\"asInt\":1}"), HISTOGRAM("a", "2", "{\"count\":\"3\",\"bucketCounts\":[\"3\"]}") },
      HEAD("a", "histogram") "a_bucket{le=\"+Inf\"} 3\na_sum 0\na_count 3\n", 1, 0 },
    { { NO_SCOPE }, { "{\"name\":\"a\",\"description\":\"one\",\"gauge\":{\"dataPoints\":[{\"asInt\":1}]}}",
                      "{\"name\":\"a\",\"description\":\"two\",\"gauge\":{\"dataPoints\":[{\"asInt\":2,"
                      ATTRIBUTES(ATTRIBUTE("b", "1")) "}]}}" },
      "# HELP a one\n# TYPE a gauge\na 1\na{b=\"1\"} 2\n", 0, 0 },
    { { NO_SCOPE }, { GAUGE("a.b", "{\"asInt\":1}"), GAUGE("a_b", "{\"asInt\":2}") }, HEAD("a_b", "gauge") "a_b 1\n", 1, 0 },
    { { NO_SCOPE }, { SHOP(GAUGE("target_info", "{\"asInt\":7}")) }, TARGET, 1, 0 },
    /* timestamps */
    { { NO_SCOPE, .timestamps = true }, { GAUGE("a", INT("0", "1700000000123456789", "1")) },
      HEAD("a", "gauge") "a 1 1700000000123\n", 0, 0 },
    { { NO_SCOPE, .timestamps = true, .open_metrics = true }, { GAUGE("a", INT("0", "1700000000123456789", "1")) },
      HEAD("a", "gauge") "a 1.0 1700000000.123\n# EOF\n", 0, 0 },
    { { .timestamps = true, NO_SCOPE }, { SHOP(GAUGE("a", INT("0", "5000000", "1"))) },
      HEAD("a", "gauge") "a{instance=\"i1\",job=\"eu/shop\"} 1 5\n" TARGET, 0, 0 },
    /* exemplars and creation times */
    { { NO_SCOPE, .open_metrics = true },
      { COUNTER("a", "2", "{\"startTimeUnixNano\":\"1500000000\",\"asInt\":3,\"exemplars\":["
                          "{\"asDouble\":1,\"traceId\":\"000102030405060708090a0b0c0d0e0f\"},"
                          "{\"asDouble\":0.5,\"timeUnixNano\":\"2250000000\",\"spanId\":\"0001020304050607\","
                          "\"traceId\":\"000102030405060708090a0b0c0d0e0f\"}]}") },
      HEAD("a", "counter") "a_total 3.0 # {trace_id=\"000102030405060708090a0b0c0d0e0f\",span_id=\"0001020304050607\"} 0.5 2.25\n"
      "a_created 1.5\n# EOF\n", 0, 0 },
    { { NO_SCOPE, .open_metrics = true },
      { HISTOGRAM("a", "2", "{\"startTimeUnixNano\":\"1000000000\",\"explicitBounds\":[1,2],\"bucketCounts\":[1,1,1],"
                            "\"count\":3,\"sum\":6,\"exemplars\":[{\"asDouble\":2},{\"asDouble\":3}]}") },
      HEAD("a", "histogram") "a_bucket{le=\"1.0\"} 1\na_bucket{le=\"2.0\"} 2 # {} 2.0\na_bucket{le=\"+Inf\"} 3 # {} 3.0\n"
      "a_sum 6.0\na_count 3\na_created 1.0\n# EOF\n", 0, 0 },
    { { NO_SCOPE, .open_metrics = true }, { SUMMARY("a", "{\"startTimeUnixNano\":\"1\",\"count\":\"1\",\"sum\":2,"
                                                         "\"quantileValues\":[{\"quantile\":1,\"value\":2}]}") },
      HEAD("a", "summary") "a{quantile=\"1.0\"} 2.0\na_sum 2.0\na_count 1\na_created 0.000000001\n# EOF\n", 0, 0 },
    { { NO_SCOPE }, { COUNTER("a", "2", "{\"asInt\":3,\"exemplars\":[{\"asDouble\":1}],\"startTimeUnixNano\":\"5\"}") },
      HEAD("a_total", "counter") "a_total 3\n", 0, 0 },
    /* strategies */
    { { NO_SCOPE, .open_metrics = true, .strategy = WEIR_PROMETHEUS_ESCAPED }, { COUNTER("a.b", "2", INT("1", "5", "2")) },
      HEAD("a_b", "unknown") "a_b 2.0\n# EOF\n", 0, 0 },
    { { NO_SCOPE, .strategy = WEIR_PROMETHEUS_UTF8_SUFFIXED, .escaping = ESCAPE_NOT },
      { COUNTER("a.b", "2", "{\"asInt\":2," ATTRIBUTES(ATTRIBUTE("k.\\\"", "v") "," ATTRIBUTE("l", "w")) "}") },
      "# HELP \"a.b_total\" \n# TYPE \"a.b_total\" counter\n{\"a.b_total\",\"k.\\\"\"=\"v\",l=\"w\"} 2\n", 0, 0 },
    { { NO_SCOPE, .strategy = WEIR_PROMETHEUS_UTF8_SUFFIXED },
      { COUNTER("a.b", "2", "{\"asInt\":2," ATTRIBUTES(ATTRIBUTE("k.\\\"", "v,\\\"") "," ATTRIBUTE("l", "w")) "}") },
      HEAD("a_b_total", "counter") "a_b_total{k__=\"v,\\\"\",l=\"w\"} 2\n", 0, 0 },
    { { NO_SCOPE, .strategy = WEIR_PROMETHEUS_UNCHANGED, .escaping = ESCAPE_DOTS },
      { GAUGE("a.b_c", "{\"asInt\":2," ATTRIBUTES(ATTRIBUTE("k.l", "v")) "}") },
      HEAD("a_dot_b__c", "gauge") "a_dot_b__c{k_dot_l=\"v\"} 2\n", 0, 0 },
    { { NO_SCOPE, .strategy = WEIR_PROMETHEUS_UNCHANGED, .escaping = ESCAPE_VALUES },
      { GAUGE("a.b_ü", "{\"asInt\":2," ATTRIBUTES(ATTRIBUTE("k_l", "v")) "}") },
      HEAD("U__a_2e_b___fc_", "gauge") "U__a_2e_b___fc_{k_l=\"v\"} 2\n", 0, 0 },
    { { NO_SCOPE, .strategy = WEIR_PROMETHEUS_UNCHANGED, .escaping = ESCAPE_NOT, .open_metrics = true },
      { HISTOGRAM("a.b", "2", BUCKETS("0", "5", "1", "1,2", "9", "3")) },
      "# HELP \"a.b\" \n# TYPE \"a.b\" histogram\n{\"a.b_bucket\",le=\"1.0\"} 1\n{\"a.b_bucket\",le=\"+Inf\"} 3\n"
      "{\"a.b_sum\"} 9.0\n{\"a.b_count\"} 3\n# EOF\n", 0, 0 },
};

START_TEST(pages_are_written)
{
    run_case(&pages[_i]);
}
END_TEST

/* --- time --- */

START_TEST(series_expire)
{
    static const struct page_case test = { { 0 }, { NULL }, "", 0, 0 };
    struct prom_config config = { .without_scope_info = true };
    struct prom_rules rules;
    struct prom_skipped skipped = { 0 };
    struct page_problems problems = { 0 };
    struct store *store = store_open(WEIR_STR("test"));
    prom_rules_init(&rules, &config);
    put(&rules, store, SHOP(GAUGE("a", "{\"asInt\":1}") "," GAUGE("b", "{\"asInt\":1}")), SECOND, &skipped);
    put(&rules, store, SHOP(GAUGE("a", "{\"asInt\":2}")), 2 * SECOND, &skipped);
    ck_assert_uint_eq(store_count(store), 2);
    store_expire(store, SECOND + EXPIRATION, EXPIRATION);
    ck_assert_uint_eq(store_count(store), 2);
    char *page = get_page(store, &test, &rules, SECOND + EXPIRATION + 1, &problems);
    ck_assert_str_eq(page, HEAD("a", "gauge") "a{instance=\"i1\",job=\"eu/shop\"} 2\n" TARGET);
    free(page);
    page = get_page(store, &test, &rules, 2 * SECOND + EXPIRATION + 1, &problems);
    ck_assert_str_eq(page, "");
    free(page);
    ck_assert_uint_eq(store_count(store), 0);
    prom_rules_free(&rules);
    store_unref(store);
}
END_TEST

START_TEST(a_store_is_shared_by_its_key)
{
    static const struct page_case test = { { 0 }, { NULL }, "", 0, 0 };
    struct prom_config config = { .without_scope_info = true };
    struct prom_rules rules;
    struct prom_skipped skipped = { 0 };
    struct page_problems problems = { 0 };
    struct store *one = store_open(WEIR_STR("one")), *other = store_open(WEIR_STR("other"));
    prom_rules_init(&rules, &config);
    put(&rules, one, GAUGE("a", "{\"asInt\":1}"), SECOND, &skipped);
    struct store *again = store_open(WEIR_STR("one"));
    store_unref(one);
    char *page = get_page(again, &test, &rules, SECOND, &problems);
    ck_assert_str_eq(page, HEAD("a", "gauge") "a 1\n");
    free(page);
    page = get_page(other, &test, &rules, SECOND, &problems);
    ck_assert_str_eq(page, "");
    free(page);
    store_unref(again);
    again = store_open(WEIR_STR("one"));
    ck_assert_uint_eq(store_count(again), 0);
    store_unref(again);
    store_unref(other);
    prom_rules_free(&rules);
}
END_TEST

/* --- numbers --- */

static const struct {
    double value;
    const char *plain, *with_point;
} numbers[] = {
    { 0, "0", "0.0" },
    { -0.0, "-0", "-0.0" },
    { 1, "1", "1.0" },
    { -1, "-1", "-1.0" },
    { 0.1, "0.1", "0.1" },
    { 100000, "100000", "100000.0" },
    { 123456, "123456", "123456.0" },
    { 1000000, "1e+06", "1e+06" },
    { 123456789, "1.23456789e+08", "1.23456789e+08" },
    { 12345.678, "12345.678", "12345.678" },
    { 0.0001, "0.0001", "0.0001" },
    { 0.00001, "1e-05", "1e-05" },
    { 1.5e-7, "1.5e-07", "1.5e-07" },
    { 1e300, "1e+300", "1e+300" },
    { 5e-324, "5e-324", "5e-324" },
    { __builtin_inf(), "+Inf", "+Inf" },
    { -__builtin_inf(), "-Inf", "-Inf" },
    { __builtin_nan(""), "NaN", "NaN" },
};

START_TEST(numbers_are_written)
{
    struct weir_text text = { 0 };
    text_add_number(&text, numbers[_i].value, false);
    ck_assert_str_eq(weir_text_string(&text), numbers[_i].plain);
    weir_text_clear(&text);
    text_add_number(&text, numbers[_i].value, true);
    ck_assert_str_eq(weir_text_string(&text), numbers[_i].with_point);
    weir_text_free(&text);
}
END_TEST

/* --- the protobuf form --- */

#define NATIVE(start, time, scale, more) \
    "{\"startTimeUnixNano\":\"" start "\",\"timeUnixNano\":\"" time "\",\"scale\":" scale ",\"sum\":3," more "}"
#define RANGE(side, offset, counts) "\"" side "\":{\"offset\":" offset ",\"bucketCounts\":[" counts "]}"

static const struct page_case messages[] = {
    { { NO_SCOPE, .protobuf = true, .timestamps = true },
      { "{\"name\":\"a\",\"description\":\"An \\\"a\\\".\\n\",\"gauge\":{" POINTS(
            "{\"timeUnixNano\":\"5000000\",\"asDouble\":0.5," ATTRIBUTES(ATTRIBUTE("x.y", "q\\\"\\\\\\n") "," ATTRIBUTE(
                "z", "")) "}") "}}" },
      "a (1: An \"a\".\n)\n{x_y=q\"\\\n,z=} gauge 0.5 @5\n", 0, 0 },
    { { NO_SCOPE, .protobuf = true },
      { COUNTER("a", "2", "{\"startTimeUnixNano\":\"1000000002\",\"timeUnixNano\":\"5\",\"asInt\":\"7\",\"exemplars\":[{"
                          "\"timeUnixNano\":\"3000000000\",\"asDouble\":1.5,\"spanId\":\"0102030405060708\","
                          "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\"}]}") },
      "a_total (0: )\n{} counter 7 since 1.000000002 # {trace_id=0102030405060708090a0b0c0d0e0f10,"
      "span_id=0102030405060708} 1.5 3.000000000\n",
      0, 0 },
    { { NO_SCOPE, .protobuf = true },
      { HISTOGRAM("a", "2", "{\"timeUnixNano\":\"5\",\"count\":\"6\",\"sum\":9,\"bucketCounts\":[\"1\",\"2\",\"3\"],"
                            "\"explicitBounds\":[1,2.5],\"exemplars\":[{\"asDouble\":2}]}") },
      "a (4: )\n{} count 6 sum 9\n  <=1: 1\n  <=2.5: 3 # {} 2\n  <=inf: 6\n", 0, 0 },
    { { NO_SCOPE, .protobuf = true },
      { SUMMARY("a", "{\"timeUnixNano\":\"5\",\"count\":\"4\",\"sum\":2.5,\"quantileValues\":[{\"quantile\":0.5,\"value\":3}]}") },
      "a (2: )\n{} count 4 sum 2.5 0.5: 3\n", 0, 0 },
    /* bucket i of OTLP is bucket i + 1 of Prometheus; zeros are written out up to two in a row */
    { { NO_SCOPE, .protobuf = true },
      { EXPONENTIAL("a", "2", NATIVE("1", "5", "3", "\"count\":\"19\",\"zeroCount\":\"2\",\"zeroThreshold\":0.25,"
                                     RANGE("positive", "-2", "\"3\",\"0\",\"5\",\"0\",\"0\",\"0\",\"1\"") ","
                                     RANGE("negative", "7", "\"4\",\"4\""))) },
      "a (4: )\n{} count 19 sum 3 schema 3 zero 0.25: 2\n  + -1:3 3:1 | +3 -3 +5 -4\n  - 8:2 | +4 +0 since 0.000000001\n",
      0, 0 },
    /* deltas are added at the lower scale: buckets 4 and 5 of scale 1 are bucket 2 of scale 0 */
    { { NO_SCOPE, .protobuf = true },
      { EXPONENTIAL("a", "1", NATIVE("1", "5", "1", "\"count\":\"6\",\"zeroCount\":\"1\"," RANGE("positive", "4", "\"1\",\"4\""))),
        EXPONENTIAL("a", "1", NATIVE("5", "9", "0", "\"count\":\"5\",\"zeroCount\":\"1\"," RANGE("positive", "1", "\"1\",\"3\""))) },
      "a (4: )\n{} count 11 sum 6 schema 0 zero 1e-128: 2\n  + 2:2 | +1 +7 since 0.000000001\n", 0, 0 },
    /* as low as it needs to be for a bounded number of buckets; 1 << 20 of scale 20 is 1 << 11 of scale 11 */
    { { NO_SCOPE, .protobuf = true },
      { EXPONENTIAL("a", "1", NATIVE("1", "5", "20", "\"count\":\"1\"," RANGE("negative", "-1048576", "\"1\""))),
        EXPONENTIAL("a", "1", NATIVE("5", "9", "20", "\"count\":\"1\"," RANGE("negative", "1048576", "\"1\""))) },
      "a (4: )\n{} count 2 sum 6 schema 8 zero 1e-128: 0\n  - -255:1 511:1 | +1 +0 since 0.000000001\n", 0, 0 },
    { { NO_SCOPE, .protobuf = true },
      { EXPONENTIAL("a", "1", NATIVE("1", "5", "-2000000000", "\"count\":\"1\"," RANGE("positive", "-2000000000", "\"1\""))),
        EXPONENTIAL("a", "1", NATIVE("5", "9", "20", "\"count\":\"1\"," RANGE("positive", "2000000000", "\"1\""))) },
      "a (4: )\n{} count 1 sum 3 schema 8 zero 1e-128: 0\n  + 488282:1 | +1 since 0.000000005\n", 0, 0 },
    /* what cannot be said: the rest is there */
    { { NO_SCOPE, .protobuf = true },
      { EXPONENTIAL("a", "2", NATIVE("1", "5", "0", RANGE("positive", "0", "\"9223372036854775808\"")) ","
                              NATIVE("1", "5", "0", "\"count\":\"1\"," RANGE("positive", "0", "\"1\"") "," ATTRIBUTES(
                                  ATTRIBUTE("k", "v")))) },
      "a (4: )\n{k=v} count 1 sum 3 schema 0 zero 1e-128: 0\n  + 1:1 | +1 since 0.000000001\n", 1, 0 },
    { { NO_SCOPE, .protobuf = true }, { EXPONENTIAL("a", "2", NATIVE("1", "5", "-5", "\"count\":\"1\"")) }, "", 1, 0 },
};

START_TEST(messages_are_written)
{
    run_case(&messages[_i]);
}
END_TEST

/* --- negotiation --- */

#define TEXT_PLAIN "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
#define PROTOBUF_ASKED "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily"
#define PROTOBUF "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
#define OPEN(version, escaping) "application/openmetrics-text; version=" version "; charset=utf-8; escaping=" escaping

static const struct {
    const char *accept;
    bool open_metrics;
    const char *type;
} formats[] = {
    { "", true, TEXT_PLAIN },
    { "*/*", true, TEXT_PLAIN },
    { "text/html", true, TEXT_PLAIN },
    { "text/plain", true, TEXT_PLAIN },
    { "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true, TEXT_PLAIN },
    { "text/plain; version=1.0.0; escaping=allow-utf-8", true,
      "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8" },
    { "text/plain; version=7", true, TEXT_PLAIN },
    { "application/openmetrics-text", true, OPEN("0.0.1", "underscores") },
    { "application/openmetrics-text", false, TEXT_PLAIN },
    { "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true, OPEN("1.0.0", "underscores") },
    { "application/openmetrics-text;version=0.0.1;q=0.75,application/openmetrics-text;version=1.0.0", true,
      OPEN("1.0.0", "underscores") },
    { "Application/OpenMetrics-Text; Version=\"1.0.0\"; escaping=dots", true, OPEN("1.0.0", "dots") },
    { "application/openmetrics-text;version=2.0.0", true, TEXT_PLAIN },
    { PROTOBUF_ASKED ";encoding=delimited;q=0.7,application/openmetrics-text;version=1.0.0;escaping=values;q=0.8", true,
      OPEN("1.0.0", "values") },
    { "application/openmetrics-text;version=1.0.0;q=0, text/plain;q=0.1", true, TEXT_PLAIN },
    { PROTOBUF_ASKED ";encoding=delimited,text/plain;version=0.0.4;q=0.3", false, PROTOBUF "; escaping=underscores" },
    { "text/plain;q=0.5," PROTOBUF_ASKED ";encoding=delimited;escaping=allow-utf-8;q=0.7", false,
      PROTOBUF "; escaping=allow-utf-8" },
    { PROTOBUF_ASKED ";encoding=text", false, TEXT_PLAIN },
    { "application/vnd.google.protobuf", false, TEXT_PLAIN },
    { "text/plain, application/openmetrics-text", true, TEXT_PLAIN },
    { "application/openmetrics-text, text/plain", true, OPEN("0.0.1", "underscores") },
    { ",;, ;q=x", true, TEXT_PLAIN },
};

START_TEST(formats_are_negotiated)
{
    struct weir_text text = { 0 };
    struct format format = negotiate_format(weir_str_of(formats[_i].accept), formats[_i].open_metrics);
    negotiate_content_type(&format, &text);
    ck_assert_str_eq(weir_text_string(&text), formats[_i].type);
    weir_text_free(&text);
}
END_TEST

static const struct {
    const char *accept;
    enum weir_encoding encoding;
} encodings[] = {
    { "", WEIR_ENCODING_IDENTITY },
    { "gzip", WEIR_ENCODING_GZIP },
    { "deflate, gzip;q=0.5", WEIR_ENCODING_GZIP },
    { "zstd", WEIR_ENCODING_ZSTD },
    { "gzip, zstd", WEIR_ENCODING_GZIP },
    { "gzip;q=0.5, zstd", WEIR_ENCODING_ZSTD },
    { "gzip;q=0", WEIR_ENCODING_IDENTITY },
    { "identity, gzip", WEIR_ENCODING_IDENTITY },
    { "identity;q=0.5, gzip", WEIR_ENCODING_GZIP },
    { "*", WEIR_ENCODING_IDENTITY },
    { "br", WEIR_ENCODING_IDENTITY },
};

START_TEST(encodings_are_negotiated)
{
    ck_assert_int_eq(negotiate_encoding(weir_str_of(encodings[_i].accept)), encodings[_i].encoding);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prometheus page");
    TCase *tests = tcase_create("page");
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, points_are_accumulated, 0, (int)WEIR_ARRAY_LENGTH(accumulation));
    tcase_add_loop_test(tests, pages_are_written, 0, (int)WEIR_ARRAY_LENGTH(pages));
    tcase_add_loop_test(tests, messages_are_written, 0, (int)WEIR_ARRAY_LENGTH(messages));
    tcase_add_test(tests, series_expire);
    tcase_add_test(tests, a_store_is_shared_by_its_key);
    tcase_add_loop_test(tests, numbers_are_written, 0, (int)WEIR_ARRAY_LENGTH(numbers));
    tcase_add_loop_test(tests, formats_are_negotiated, 0, (int)WEIR_ARRAY_LENGTH(formats));
    tcase_add_loop_test(tests, encodings_are_negotiated, 0, (int)WEIR_ARRAY_LENGTH(encodings));
    return run_suite(suite);
}
