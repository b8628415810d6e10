// SPDX-License-Identifier: Apache-2.0
/*
 * Whole configurations: merging, --set, references, service::telemetry, the sample configurations, printing.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/config/print.h"
#include "core/config/tests/support.h"

#define BASE "receivers: {a: }\nexporters: {b: }\n"
#define PIPELINE "service: {pipelines: {traces: {receivers: [a], exporters: [b]}}}\n"

static const struct {
    const char *first;
    const char *second;
    const char *set;
    const char *tree;
    bool append;
} merges[] = {
    { "a: {x: 1, y: 2}", "a: {y: 3, z: 4}", NULL, "{a: {x: 1, y: 3, z: 4}}", false },
    { "a: [1, 2]", "a: [3]", NULL, "{a: [3]}", false },
    { "a: {x: 1}", "a:", NULL, "{a: null}", false },
    { "a: {x: 1}", "a: {}", NULL, "{a: {x: 1}}", false },
    { "a: {x: 1}", "", NULL, "{a: {x: 1}}", false },
    { "a:", "a: {x: 1}", NULL, "{a: {x: 1}}", false },
    { "a: {x: 1}", "a::x: 2", NULL, "{a: {x: 2}}", false },
    { "a: {x: 1}", "", "a.x=5", "{a: {x: 5}}", false },
    { "a: 1", "", "b.c.d=[1, x]", "{a: 1, b: {c: {d: [1, \"x\"]}}}", false },
    { "a: {x: 1}", "", "a.x=", "{a: {x: null}}", false },
    { "a: 1", "", "b=c=d", "{a: 1, b: \"c=d\"}", false },
    { "service: {extensions: [x, y]}", "service: {extensions: [y, z]}", NULL,
      "{service: {extensions: [\"y\", \"z\"]}}", false },
    { "service: {extensions: [x, y]}", "service: {extensions: [y, z]}", NULL,
      "{service: {extensions: [\"x\", \"y\", \"z\"]}}", true },
    { "service: {pipelines: {traces: {receivers: [a], processors: [p], exporters: [e]}}}",
      "service: {pipelines: {traces: {receivers: [b], processors: [q], exporters: [e]}}}", NULL,
      "{service: {pipelines: {traces: {receivers: [\"a\", \"b\"], processors: [\"q\"], exporters: "
      "[\"e\"]}}}}",
      true },
    { "x: {receivers: [a]}", "x: {receivers: [b]}", NULL, "{x: {receivers: [\"b\"]}}", true },
};

START_TEST(merges_left_to_right)
{
    const char *yamls[] = { merges[_i].first, merges[_i].second };
    struct weir_problems problems = { 0 };
    struct weir_text text = { 0 };
    struct weir_config_gates gates = { .append_lists = merges[_i].append };
    struct weir_config *config =
        support_load(yamls, 2, &merges[_i].set, merges[_i].set ? 1 : 0, gates, &problems);
    support_show(config->root, &text);
    ck_assert_str_eq(weir_text_string(&text), merges[_i].tree);
    weir_text_free(&text);
    weir_problems_free(&problems);
    weir_config_free(config);
}
END_TEST

#define NO_RECEIVER "no receiver configuration specified in config\n"
#define NO_EXPORTER "no exporter configuration specified in config\n"

static const struct {
    const char *yaml;
    const char *problems;
} checks[] = {
    { BASE PIPELINE, "" },
    { "", "1.yaml:1:1: empty configuration file\n" },
    { "{}", "1.yaml:1:1: empty configuration file\n" },
    { "text", "1.yaml:1:1: retrieved value (type=string) cannot be used as a Conf\n" },
    { "[1]", "1.yaml:1:1: retrieved value (type=list) cannot be used as a Conf\n" },
    { "a: b: c",
      "1.yaml:1:5: retrieved value (type=string) cannot be used as a Conf: assuming string type since "
      "contents are not valid YAML: yaml: mapping values are not allowed in this context\n" },
    { "exporters: {b: }\n"
      "service: {pipelines: {traces: {receivers: [], exporters: [b]}}}\n",
      "1.yaml:1:1: " NO_RECEIVER
      "1.yaml:2:23: service::pipelines::traces: must have at least one receiver\n" },
    { "receivers: {a: }\n"
      "service: {pipelines: {traces: {receivers: [a]}}}\n",
      "1.yaml:1:1: " NO_EXPORTER
      "1.yaml:2:23: service::pipelines::traces: must have at least one exporter\n" },
    { BASE, "1.yaml:1:1: service::pipelines: service must have at least one pipeline\n" },
    { BASE "service: {pipelines: {}}",
      "1.yaml:3:22: service::pipelines: service must have at least one pipeline\n" },
    { BASE "service: {pipelines: {traces/x/y: {receivers: a, exporters: 'b,b'}}}\n", "" },
    { BASE "service: {pipelines: {Traces: }}", "1.yaml:3:23: service::pipelines: unknown signal \"Traces\" "
                                               "in pipeline \"Traces\", expected traces, metrics, "
                                               "logs or profiles\n" },
    { BASE "service: {pipelines: {profiles: {receivers: [a], exporters: [b]}}}",
      "1.yaml:3:23: service::pipelines: pipeline \"profiles\": profiling signal support is at alpha level, "
      "gated "
      "under the \"service.profilesSupport\" feature gate\n" },
    { BASE "service: {extensions: [x], pipelines: {traces: {receivers: [b], processors: [p, p], exporters: "
           "[a, c]}}}",
      "1.yaml:3:81: service::pipelines::traces::processors: references processor \"p\" multiple times\n"
      "1.yaml:3:24: service::extensions: references extension \"x\" which is not configured\n"
      "1.yaml:3:61: service::pipelines::traces: references receiver \"b\" which is not configured (it stands among "
      "the exporters)\n"
      "1.yaml:3:78: service::pipelines::traces: references processor \"p\" which is not configured\n"
      "1.yaml:3:97: service::pipelines::traces: references exporter \"a\" which is not configured (it stands among "
      "the receivers)\n"
      "1.yaml:3:100: service::pipelines::traces: references exporter \"c\" which is not configured\n" },
    { BASE "connectors: {b: }\n" PIPELINE,
      "1.yaml:3:14: connectors::b: ambiguous ID: Found both \"b\" exporter and \"b\" connector. Change one "
      "of the "
      "components' IDs to eliminate ambiguity (e.g. rename \"b\" connector to \"b/connector\")\n" },
    { BASE "connectors: {c: }\nservice: {pipelines: {traces: {receivers: [a], exporters: [c]}, traces/2: "
           "{receivers: "
           "[c], exporters: [b]}}}",
      "" },
    { "receivers: {a/x: , ' a / x ': }\nexporters: {b: }\nservice: {pipelines: {traces: {receivers: [a/x], "
      "exporters: "
      "[b]}}}",
      "1.yaml:1:20: receivers: duplicate name \"a/x\"\n" },
    { "recievers: {a: }\nexporters: {b: }\nservice: {pipelines: {traces: {receivers: [], exporters: [b]}}}",
      "1.yaml:1:1: has invalid keys: recievers (did you mean \"receivers\"?)\n"
      "1.yaml:3:23: service::pipelines::traces: must have at least one receiver\n" },
    { BASE PIPELINE "zzz: 1\n",
      "1.yaml:4:1: has invalid keys: zzz (known keys: receivers, processors, exporters, "
      "connectors, extensions, service)\n" },
    { "receivers: 5\nexporters: {b: }\n" PIPELINE,
      "1.yaml:1:12: receivers: expected a map or struct, got \"int\"\n"
      "1.yaml:3:44: service::pipelines::traces: references receiver \"a\" which is not configured\n" },
    { BASE "service: {pipelines: {traces: {receivers: [a], exporters: [b], ack: memory}}}", "" },
    { BASE "service: {pipelines: {traces: {receivers: [a], exporters: [b], ack: sink}}}", "" },
    { BASE "service: {pipelines: {traces: {receivers: [a], exporters: [b], ack: yes}}}",
      "1.yaml:3:69: service::pipelines::traces::ack: unknown value \"yes\", expected \"memory\", \"disk\" or "
      "\"sink\"\n" },
    { BASE PIPELINE "service::telemetry::metrics: {readers: []}",
      "1.yaml:4:40: service::telemetry::metrics::readers: collector telemetry metrics reader should exist "
      "when "
      "metric level is not none\n" },
    { BASE PIPELINE "service::telemetry::metrics: {level: none, readers: []}", "" },
    { BASE PIPELINE "service::telemetry::metrics: {views: []}",
      "1.yaml:4:31: service::telemetry::metrics::views: views are not supported; use level to choose how "
      "much is "
      "measured\n" },
    { BASE PIPELINE "service::telemetry::metrics: {address: here}",
      "1.yaml:4:40: service::telemetry::metrics::address: expected host:port, got \"here\"\n" },
    { BASE PIPELINE "service::telemetry::traces: {level: basic}",
      "1.yaml:4:37: service::telemetry::traces::level: tracing weir itself is not supported yet; only level "
      "none "
      "works\n" },
    { BASE PIPELINE "service::telemetry::traces: {level: none, processors: []}", "" },
    { BASE PIPELINE "service::telemetry: {unknown: 1}",
      "1.yaml:4:22: service::telemetry: has invalid keys: unknown (known keys: logs, metrics, traces, "
      "resource)\n" },
    { BASE PIPELINE "service::telemetry::resource: {k: 5}",
      "1.yaml:4:35: service::telemetry::resource: legacy resource attribute \"k\" must be string or null\n" },
    { BASE PIPELINE "service::telemetry::resource: {k: v, attributes: []}",
      "1.yaml:4:38: service::telemetry::resource: \"attributes\" cannot stand beside attributes in the older "
      "form, "
      "\"key: value\"; write all of them as attributes: [{name: ..., value: ...}]\n" },
};

START_TEST(checks_the_whole)
{
    struct weir_problems problems = { 0 };
    struct weir_config *config = support_load_one(checks[_i].yaml, &problems);
    support_problems(&problems, checks[_i].problems);
    weir_config_free(config);
}
END_TEST

START_TEST(models_pipelines)
{
    struct weir_problems problems = { 0 };
    struct weir_config *config = support_load_one(
        "receivers: {a: , a/2: }\nexporters: {b: {k: 1}}\nprocessors: {p: , q: }\nextensions: {x: , y: }\n"
        "service:\n  extensions: [y]\n  pipelines:\n    logs/main:\n      receivers: [a, a/2, a]\n"
        "      processors: [q, p]\n      exporters: [b]\n",
        &problems);
    support_problems(&problems, "");
    ck_assert_uint_eq(config->pipeline_count, 1);
    const struct weir_pipeline *pipeline = &config->pipelines[0];
    ck_assert_int_eq(pipeline->signal, WEIR_LOGS);
    ck_assert_str_eq(pipeline->id.name, "main");
    ck_assert_str_eq(pipeline->path, "service::pipelines::logs/main");
    ck_assert_uint_eq(pipeline->receivers.count, 2);
    ck_assert_str_eq(pipeline->receivers.items[1].id.text, "a/2");
    ck_assert_uint_eq(pipeline->receivers.items[1].place.line, 9);
    ck_assert_uint_eq(pipeline->receivers.items[1].place.column, 22);
    ck_assert_str_eq(pipeline->processors.items[0].id.text, "q");
    ck_assert_uint_eq(config->extensions.count, 1);
    ck_assert_str_eq(weir_config_find(config, WEIR_EXPORTER, "b")->path, "exporters::b");
    ck_assert_ptr_null(weir_config_find(config, WEIR_RECEIVER, "b"));
    ck_assert_uint_eq(config->telemetry.metrics.reader_count, 1);
    ck_assert_str_eq(config->telemetry.metrics.readers[0].host, "localhost");
    ck_assert_int_eq(config->telemetry.metrics.readers[0].port, 8888);
    ck_assert(config->telemetry.metrics.readers[0].without_units);
    ck_assert_int_eq(config->telemetry.logs.sampling.tick.ns, 10000000000);
    weir_config_free(config);
}
END_TEST

START_TEST(reads_telemetry)
{
    struct weir_problems problems = { 0 };
    struct weir_config *config = support_load_one(
        BASE PIPELINE
        "service::telemetry:\n"
        "  logs: {level: DEBUG, encoding: json, output_paths: [stdout, /tmp/x], initial_fields: {k: v}}\n"
        "  metrics:\n    level: Detailed\n    address: 1.2.3.4:9\n    readers:\n"
        "      - pull: {exporter: {prometheus: {host: '[::1]', port: 9999, without_units: false}}}\n"
        "  resource: {service.name: me, service.version: }\n",
        &problems);
    support_problems(&problems, "");
    const struct weir_telemetry *telemetry = &config->telemetry;
    ck_assert_int_eq(telemetry->logs.level, WEIR_TELEMETRY_DEBUG);
    ck_assert_int_eq(telemetry->logs.encoding, WEIR_TELEMETRY_JSON);
    ck_assert_uint_eq(telemetry->logs.output_paths.count, 2);
    ck_assert_int_eq(telemetry->metrics.level, WEIR_TELEMETRY_DETAILED);
    ck_assert_uint_eq(telemetry->metrics.reader_count, 1);
    ck_assert_str_eq(telemetry->metrics.readers[0].host, "::1");
    ck_assert_int_eq(telemetry->metrics.readers[0].port, 9999);
    ck_assert(!telemetry->metrics.readers[0].without_units);
    ck_assert(telemetry->metrics.readers[0].without_scope_info);
    ck_assert_uint_eq(telemetry->attribute_count, 2);
    ck_assert_str_eq(telemetry->attributes[0].name, "service.name");
    ck_assert_ptr_null(telemetry->attributes[1].value);
    weir_config_free(config);
}
END_TEST

static const char *const samples[] = { "daemonset",      "gateway",          "helm-values-agent",
                                       "operator-agent", "operator-gateway", "sidecar-optimized",
                                       "sidecar" };

static void load_sample(const char *name, struct weir_problems *problems, struct weir_config **config)
{
    char *path = weir_xasprintf("%s/%s.yaml", CONFIGS, name);
    const char *uri = path;
    struct weir_config_source source = { .uris = &uri, .uri_count = 1 };
    *config = weir_config_load(&source, problems);
    free(path);
}

START_TEST(loads_the_samples)
{
    struct weir_problems problems = { 0 };
    struct weir_config *config;
    setenv("MY_POD_IP", "10.0.0.1", 1);
    setenv("MY_NODE_NAME", "node", 1);
    setenv("MY_POD_NAME", "pod", 1);
    setenv("MY_POD_NAMESPACE", "space", 1);
    load_sample(samples[_i], &problems, &config);
    support_problems(&problems, "");
    ck_assert_uint_ge(config->pipeline_count, 1);
    if (strcmp(samples[_i], "daemonset") == 0) {
        const struct weir_node *grpc = weir_node_get(
            weir_node_get(weir_config_find(config, WEIR_RECEIVER, "otlp")->node, "protocols"), "grpc");
        ck_assert_str_eq(weir_node_get(grpc, "endpoint")->text.data, "10.0.0.1:4317");
        ck_assert_str_eq(config->telemetry.metrics.readers[0].host, "0.0.0.0");
    }
    weir_config_free(config);
}
END_TEST

static bool no_table(void *context, const struct weir_entry *entry, const struct weir_option_table **table)
{
    (void)context;
    (void)entry;
    *table = NULL;
    return true;
}

START_TEST(prints_what_loads_again)
{
    struct weir_problems problems = { 0 };
    struct weir_text texts[2] = { { 0 }, { 0 } };
    const char *yaml = BASE PIPELINE "service::telemetry::resource: {k: v}\n";
    for (int i = 0; i < 2; i++) {
        struct weir_config *config = support_load_one(yaml, &problems);
        struct weir_dump dump = { .text = &texts[i] };
        weir_config_print(config, no_table, NULL, &dump, &problems);
        support_problems(&problems, "");
        weir_config_free(config);
        yaml = weir_text_string(&texts[i]);
    }
    ck_assert_str_eq(weir_text_string(&texts[1]), weir_text_string(&texts[0]));
    ck_assert_ptr_nonnull(
        strstr(weir_text_string(&texts[0]), "    traces:\n      receivers:\n        - a\n"));
    weir_text_free(&texts[0]);
    weir_text_free(&texts[1]);
}
END_TEST

static const struct {
    const char *uri;
    const char *problems;
} uris[] = {
    { "ftp://x/y",
      "unsupported scheme on URI \"ftp://x/y\", expected file:, dir:, env:, yaml:, http: or https:\n" },
    { "/no/such.yaml",
      "cannot retrieve the configuration: unable to read the file file:/no/such.yaml: No such file "
      "or directory\n" },
    { "dir:/no/such",
      "cannot retrieve the configuration: unable to read the folder dir:/no/such: No such file or "
      "directory\n" },
    { "yaml:receivers::a: ${dir:/tmp}",
      "yaml:receivers::a: ${dir:/tmp}: receivers::a: a folder is no value: scheme \"dir\" is for --config\n"
      "yaml:receivers::a: ${dir:/tmp}: no exporter configuration specified in config\n"
      "yaml:receivers::a: ${dir:/tmp}: service::pipelines: service must have at least one pipeline\n" },
    { "http://h/c",
      "cannot retrieve the configuration: failed to load resource from uri \"http://h/c\": this program "
      "has no HTTP client\n" },
    { "yaml:receivers::a: 1",
      "yaml:receivers::a: 1: no exporter configuration specified in config\n"
      "yaml:receivers::a: 1: service::pipelines: service must have at least one pipeline\n" },
    { "env:WEIR_TEST_CONFIG",
      "env:WEIR_TEST_CONFIG:2:1: has invalid keys: z (known keys: receivers, processors, "
      "exporters, connectors, extensions, service)\n" },
};

START_TEST(takes_uris)
{
    struct weir_problems problems = { 0 };
    struct weir_config_source source = { .uris = &uris[_i].uri, .uri_count = 1 };
    source.gates.allow_no_pipelines = strncmp(uris[_i].uri, "env:", 4) == 0;
    setenv("WEIR_TEST_CONFIG", "receivers:\nz: 1\n", 1);
    struct weir_config *config = weir_config_load(&source, &problems);
    support_problems(&problems, uris[_i].problems);
    weir_config_free(config);
}
END_TEST

START_TEST(needs_a_config_and_an_equal_sign)
{
    struct weir_problems problems = { 0 };
    const char *set = "a.b";
    struct weir_config_source source = { .sets = &set, .set_count = 1 };
    struct weir_config *config = weir_config_load(&source, &problems);
    support_problems(&problems, "at least one config flag must be provided\n--set a.b: missing equal sign\n");
    weir_config_free(config);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("load");
    tcase_add_loop_test(tests, merges_left_to_right, 0, WEIR_ARRAY_LENGTH(merges));
    tcase_add_loop_test(tests, checks_the_whole, 0, WEIR_ARRAY_LENGTH(checks));
    tcase_add_test(tests, models_pipelines);
    tcase_add_test(tests, reads_telemetry);
    tcase_add_loop_test(tests, loads_the_samples, 0, WEIR_ARRAY_LENGTH(samples));
    tcase_add_test(tests, prints_what_loads_again);
    tcase_add_loop_test(tests, takes_uris, 0, WEIR_ARRAY_LENGTH(uris));
    tcase_add_test(tests, needs_a_config_and_an_equal_sign);
    Suite *suite = suite_create("load");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
