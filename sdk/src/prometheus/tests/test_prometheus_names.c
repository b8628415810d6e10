// SPDX-License-Identifier: Apache-2.0
/* Names of metrics and labels, case by case (contrib-receivers-exporters 4.3 and 5.4). */
#include <config.h>

#include <weir/prometheus.h>

#include "tests/unit/suite.h"

#define SUFFIXED WEIR_PROMETHEUS_ESCAPED_SUFFIXED
#define ESCAPED WEIR_PROMETHEUS_ESCAPED
#define UTF8 WEIR_PROMETHEUS_UTF8_SUFFIXED
#define UNCHANGED WEIR_PROMETHEUS_UNCHANGED

enum kind { GAUGE, COUNTER, UPDOWN, HISTOGRAM, EXPONENTIAL, SUMMARY };

static const struct {
    enum weir_prometheus_strategy strategy;
    const char *name_space;
    enum kind kind;
    const char *name;
    const char *unit;
    const char *expected; /* NULL: refused */
} metric_names[] = {
    /* the specification's and the reference's examples */
    { SUFFIXED, "", HISTOGRAM, "http.server.request.duration", "s", "http_server_request_duration_seconds" },
    { SUFFIXED, "", COUNTER, "system.cpu.time", "s", "system_cpu_time_seconds_total" },
    { SUFFIXED, "", GAUGE, "jvm.cpu.utilization", "1", "jvm_cpu_utilization_ratio" },
    { SUFFIXED, "", GAUGE, "throughput", "By/s", "throughput_bytes_per_second" },
    { SUFFIXED, "", HISTOGRAM, "db.time", "ms", "db_time_milliseconds" },
    { SUFFIXED, "", COUNTER, "http.requests", "{request}", "http_requests_total" },
    { SUFFIXED, "", GAUGE, "queue.fill", "1", "queue_fill_ratio" },
    /* every unit word */
    { SUFFIXED, "", GAUGE, "x", "d", "x_days" },
    { SUFFIXED, "", GAUGE, "x", "h", "x_hours" },
    { SUFFIXED, "", GAUGE, "x", "min", "x_minutes" },
    { SUFFIXED, "", GAUGE, "x", "us", "x_microseconds" },
    { SUFFIXED, "", GAUGE, "x", "ns", "x_nanoseconds" },
    { SUFFIXED, "", GAUGE, "x", "By", "x_bytes" },
    { SUFFIXED, "", GAUGE, "x", "KiBy", "x_kibibytes" },
    { SUFFIXED, "", GAUGE, "x", "MiBy", "x_mebibytes" },
    { SUFFIXED, "", GAUGE, "x", "GiBy", "x_gibibytes" },
    { SUFFIXED, "", GAUGE, "x", "TiBy", "x_tibibytes" },
    { SUFFIXED, "", GAUGE, "x", "KBy", "x_kilobytes" },
    { SUFFIXED, "", GAUGE, "x", "MBy", "x_megabytes" },
    { SUFFIXED, "", GAUGE, "x", "GBy", "x_gigabytes" },
    { SUFFIXED, "", GAUGE, "x", "TBy", "x_terabytes" },
    { SUFFIXED, "", GAUGE, "x", "m", "x_meters" },
    { SUFFIXED, "", GAUGE, "x", "V", "x_volts" },
    { SUFFIXED, "", GAUGE, "x", "A", "x_amperes" },
    { SUFFIXED, "", GAUGE, "x", "J", "x_joules" },
    { SUFFIXED, "", GAUGE, "x", "W", "x_watts" },
    { SUFFIXED, "", GAUGE, "x", "g", "x_grams" },
    { SUFFIXED, "", GAUGE, "x", "Cel", "x_celsius" },
    { SUFFIXED, "", GAUGE, "x", "Hz", "x_hertz" },
    { SUFFIXED, "", GAUGE, "x", "%", "x_percent" },
    { SUFFIXED, "", GAUGE, "x", "By/m", "x_bytes_per_minute" },
    { SUFFIXED, "", GAUGE, "x", "By/h", "x_bytes_per_hour" },
    { SUFFIXED, "", GAUGE, "x", "By/d", "x_bytes_per_day" },
    { SUFFIXED, "", GAUGE, "x", "By/w", "x_bytes_per_week" },
    { SUFFIXED, "", GAUGE, "x", "By/mo", "x_bytes_per_month" },
    { SUFFIXED, "", GAUGE, "x", "By/y", "x_bytes_per_year" },
    { SUFFIXED, "", GAUGE, "x", "kPa", "x_kPa" },
    { SUFFIXED, "", GAUGE, "x", "m/V", "x_meters_per_V" },
    { SUFFIXED, "", GAUGE, "x", " s ", "x_seconds" },
    { SUFFIXED, "", GAUGE, "x", "a-b", "x_a_b" },
    { SUFFIXED, "", GAUGE, "x", "/s", "x_per_second" },
    { SUFFIXED, "", GAUGE, "x", "{request}/s", "x_per_second" },
    { SUFFIXED, "", GAUGE, "x", "s/{request}", "x_seconds" },
    { SUFFIXED, "", GAUGE, "x", "By/", "x_bytes" },
    /* a word is there once */
    { SUFFIXED, "", HISTOGRAM, "request.seconds", "s", "request_seconds" },
    { SUFFIXED, "", HISTOGRAM, "seconds.of.request", "s", "seconds_of_request" },
    { SUFFIXED, "", GAUGE, "bytes.per.second", "By/s", "bytes_per_second" },
    { SUFFIXED, "", COUNTER, "total.requests", "", "requests_total" },
    { SUFFIXED, "", COUNTER, "requests_total", "By", "requests_bytes_total" },
    { SUFFIXED, "", COUNTER, "total.of.total", "", "of_total" },
    { SUFFIXED, "", GAUGE, "hit.ratio", "1", "hit_ratio" },
    { SUFFIXED, "", GAUGE, "ratio.of.hits", "1", "of_hits_ratio" },
    /* ratio is for gauges, total for counters */
    { SUFFIXED, "", COUNTER, "x", "1", "x_total" },
    { SUFFIXED, "", UPDOWN, "x", "1", "x_ratio" },
    { SUFFIXED, "", UPDOWN, "requests", "", "requests" },
    { SUFFIXED, "", HISTOGRAM, "x", "1", "x" },
    { SUFFIXED, "", SUMMARY, "x.total", "", "x_total" },
    { SUFFIXED, "", EXPONENTIAL, "x", "s", "x_seconds" },
    /* odd characters */
    { SUFFIXED, "", GAUGE, "a..b--c", "", "a_b_c" },
    { SUFFIXED, "", GAUGE, "_a_", "", "a" },
    { SUFFIXED, "", GAUGE, "a:b", "", "a:b" },
    { SUFFIXED, "", GAUGE, "gr\xc3\xb6\xc3\x9f" "e", "", "gr_e" },
    { SUFFIXED, "", GAUGE, "1st", "", "_1st" },
    { SUFFIXED, "ns", GAUGE, "1st", "", "ns_1st" },
    { SUFFIXED, "my-ns", GAUGE, "a.b", "s", "my-ns_a_b_seconds" },
    { SUFFIXED, "", GAUGE, "...", "", NULL },
    { SUFFIXED, "", GAUGE, "___", "", NULL },
    { SUFFIXED, "", GAUGE, "", "", NULL },
    /* without suffixes */
    { ESCAPED, "", COUNTER, "system.cpu.time", "s", "system_cpu_time" },
    { ESCAPED, "", GAUGE, "a..b__c", "s", "a_b__c" },
    { ESCAPED, "", GAUGE, ".a.", "", "a" },
    { ESCAPED, "", GAUGE, "_a_", "", "_a_" },
    { ESCAPED, "", GAUGE, "1st", "", "_1st" },
    { ESCAPED, "ns", GAUGE, "1st", "", "ns_1st" },
    { ESCAPED, "", COUNTER, "total.x", "", "total_x" },
    { ESCAPED, "", GAUGE, "\xe6\xb0\xb4", "", NULL },
    /* UTF-8 */
    { UTF8, "", COUNTER, "system.cpu.time", "s", "system.cpu.time_seconds_total" },
    { UTF8, "", GAUGE, "gr\xc3\xb6\xc3\x9f" "e", "By", "gr\xc3\xb6\xc3\x9f" "e_bytes" },
    { UTF8, "", COUNTER, "x.total", "s", "x_seconds_total" },
    { UTF8, "", GAUGE, "x_ratio", "1", "x_ratio" },
    { UTF8, "", GAUGE, "x", "By/s", "x_bytes_per_second" },
    { UTF8, "", GAUGE, "x_per_second", "By/s", "x_bytes_per_second" },
    { UTF8, "", GAUGE, "x_bytes", "By", "x_bytes" },
    { UTF8, "ns", GAUGE, "a.b", "", "ns_a.b" },
    { UTF8, "", GAUGE, "1st", "", "1st" },
    { UTF8, "", GAUGE, "__", "", NULL },
    { UNCHANGED, "", COUNTER, "system.cpu.time", "s", "system.cpu.time" },
    { UNCHANGED, "ns", COUNTER, "system.cpu.time", "s", "ns_system.cpu.time" },
    { UNCHANGED, "", GAUGE, "\xe6\xb0\xb4", "", "\xe6\xb0\xb4" },
};

static struct weir_metric metric_of(enum kind kind)
{
    static const enum weir_metric_type types[] = {
        WEIR_METRIC_GAUGE,     WEIR_METRIC_SUM,     WEIR_METRIC_SUM, WEIR_METRIC_HISTOGRAM, WEIR_METRIC_EXPONENTIAL_HISTOGRAM,
        WEIR_METRIC_SUMMARY,
    };
    return (struct weir_metric){ .type = types[kind], .monotonic = kind == COUNTER };
}

START_TEST(names_a_metric)
{
    struct weir_metric metric = metric_of(metric_names[_i].kind);
    struct weir_text name = { 0 };
    struct weir_error error = WEIR_ERROR_INIT;
    metric.name = weir_str_of(metric_names[_i].name);
    metric.unit = weir_str_of(metric_names[_i].unit);
    int result = weir_prometheus_metric_name(metric_names[_i].strategy, weir_str_of(metric_names[_i].name_space), &metric,
                                             &name, &error);
    ck_assert_int_eq(result, metric_names[_i].expected ? 0 : -1);
    ck_assert_str_eq(weir_text_string(&name), metric_names[_i].expected ? metric_names[_i].expected : "");
    if (result < 0) {
        struct weir_text expected = { 0 };
        weir_text_addf(&expected, "metric name \"%s\" has no letter or digit", metric_names[_i].name);
        ck_assert_str_eq(weir_error_text(&error), weir_text_string(&expected));
        weir_text_free(&expected);
    }
    weir_error_free(&error);
    weir_text_free(&name);
}
END_TEST

#define SCRAPED WEIR_PROMETHEUS_LABEL_SCRAPED
#define WRITTEN WEIR_PROMETHEUS_LABEL_WRITTEN
#define KEPT WEIR_PROMETHEUS_LABEL_UTF8

static const struct {
    enum weir_prometheus_label_rule rule;
    const char *key;
    const char *expected; /* NULL: refused */
} label_names[] = {
    { SCRAPED, "http.method", "http_method" },
    { SCRAPED, "a..b", "a__b" },
    { SCRAPED, "a__b", "a__b" },
    { SCRAPED, "_x", "_x" },
    { SCRAPED, "1st", "key_1st" },
    { SCRAPED, "gr\xc3\xb6\xc3\x9f" "e", "gr__e" },
    { SCRAPED, "a:b", "a_b" },
    { SCRAPED, "__", NULL },
    { SCRAPED, "..", NULL },
    { SCRAPED, "", NULL },
    { WRITTEN, "http.method", "http_method" },
    { WRITTEN, "a__b", "a_b" },
    { WRITTEN, "a._b", "a_b" },
    { WRITTEN, "_x", "key_x" },
    { WRITTEN, "..x", "key_x" },
    { WRITTEN, "1st", "key_1st" },
    { WRITTEN, "__reserved__", "__reserved__" },
    { WRITTEN, "x__", "x_" },
    { WRITTEN, "gr\xc3\xb6\xc3\x9f" "e", "gr_e" },
    { WRITTEN, "_", NULL },
    { KEPT, "http.method", "http.method" },
    { KEPT, "1st", "1st" },
    { KEPT, "_x", "_x" },
    { KEPT, "___", NULL },
};

START_TEST(names_a_label)
{
    struct weir_text name = { 0 };
    bool good = weir_prometheus_label_name(label_names[_i].rule, weir_str_of(label_names[_i].key), &name);
    ck_assert_int_eq(good, label_names[_i].expected != NULL);
    ck_assert_str_eq(weir_text_string(&name), good ? label_names[_i].expected : "");
    weir_text_free(&name);
}
END_TEST

START_TEST(kinds)
{
    static const int expected[] = { WEIR_PROMETHEUS_GAUGE,     WEIR_PROMETHEUS_COUNTER,   WEIR_PROMETHEUS_GAUGE,
                                    WEIR_PROMETHEUS_HISTOGRAM, WEIR_PROMETHEUS_HISTOGRAM, WEIR_PROMETHEUS_SUMMARY };
    for (int kind = GAUGE; kind <= SUMMARY; kind++) {
        struct weir_metric metric = metric_of((enum kind)kind);
        ck_assert_int_eq((int)weir_prometheus_type_of(&metric), expected[kind]);
    }
    ck_assert_int_eq((int)weir_prometheus_type_of(&(struct weir_metric){ 0 }), WEIR_PROMETHEUS_UNKNOWN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prometheus names");
    TCase *tests = tcase_create("names");
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, names_a_metric, 0, (int)WEIR_ARRAY_LENGTH(metric_names));
    tcase_add_loop_test(tests, names_a_label, 0, (int)WEIR_ARRAY_LENGTH(label_names));
    tcase_add_test(tests, kinds);
    return run_suite(suite);
}
