// SPDX-License-Identifier: Apache-2.0
/*
 * Graphs: from YAML to instances and edges, what flows through them, their life, their ledger, what is refused.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/harness.h>
#include <weir/sys/worker.h>

#include "core/config/tests/support.h"
#include "core/graph/tests/fakes.h"

static struct registry *registry;
static struct weir_config *config;
static struct graph *graph;
static struct weir_problems problems;

static const struct weir_host host = { .report = NULL };

static void set_up(void)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_MANUAL, &error), 0);
    registry = registry_new(NULL, 0);
    fakes_register(registry);
}

static void tear_down(void)
{
    graph_free(graph);
    weir_config_free(config);
    weir_problems_free(&problems);
    registry_free(registry);
    fakes_reset();
    weir_workers_destroy();
    graph = NULL;
    config = NULL;
}

/* Components by their keys, each with no options; `pipelines` is YAML flow. */
static void build(const char *receivers, const char *processors, const char *exporters, const char *connectors,
                  const char *pipelines)
{
    char *yaml = weir_xasprintf("receivers: {%s}\nprocessors: {%s}\nexporters: {%s}\nconnectors: {%s}\n"
                                "extensions: {ext: , ext/2: }\n"
                                "service:\n  extensions: [ext/2, ext]\n  pipelines: {%s}\n",
                                receivers, processors, exporters, connectors, pipelines);
    config = support_load_one(yaml, &problems);
    free(yaml);
    graph = graph_build(config, registry, &host, NULL, &problems);
}

static void expect_good(void)
{
    struct weir_text text = { 0 };
    weir_problems_print(&problems, &text);
    ck_assert_msg(graph != NULL, "%s", weir_text_string(&text));
    weir_text_free(&text);
}

/* Exactly these lines, each without the file's name. */
static void expect_problems(const char *expected)
{
    ck_assert_ptr_null(graph);
    support_problems(&problems, expected);
    problems = (struct weir_problems){ 0 };
    weir_config_free(config);
    config = NULL;
}

static void start(void)
{
    struct weir_error error = WEIR_ERROR_INIT;
    expect_good();
    ck_assert_msg(graph_start(graph, &error) == 0, "%s", weir_error_text(&error));
}

static size_t node_count(const char *id)
{
    size_t found = 0;
    for (size_t i = 0; i < graph->node_count; i++)
        found += strcmp(weir_instance_id(graph->nodes[i]->instance), id) == 0;
    return found;
}

static struct weir_instance *find(const char *id)
{
    for (size_t i = 0; i < graph->node_count; i++)
        if (strcmp(weir_instance_id(graph->nodes[i]->instance), id) == 0)
            return graph->nodes[i]->instance;
    ck_abort_msg("no %s", id);
    return NULL;
}

static struct {
    struct weir_ack ack;
    unsigned calls;
    struct weir_result result;
    char reason[32];
} answer;

static void take_answer(struct weir_ack *ack, const struct weir_result *result)
{
    (void)ack;
    answer.calls++;
    answer.result = *result;
    snprintf(answer.reason, sizeof answer.reason, "%s", result->reason ? result->reason : "");
}

static void send(enum weir_signal signal, size_t items)
{
    answer.ack.done = take_answer;
    answer.calls = 0;
    weir_shard_send(weir_instance_shard(find("src"), 0), weir_harness_batch(signal, 0, items), &answer.ack);
}

static void expect_ledger(const char *expected)
{
    struct weir_text text = { 0 };
    ck_assert(graph_print_ledger(graph, &text));
    ck_assert_str_eq(weir_text_string(&text), expected);
    weir_text_free(&text);
}

START_TEST(order_of_life)
{
    build("src: ", "pass: , change: ", "sink: ", "link: ",
          "traces: {receivers: [src], processors: [pass, change], exporters: [link]}, "
          "traces/b: {receivers: [link], processors: [pass], exporters: [sink]}");
    start();
    ck_assert(graph_drain(graph, 0));
    graph_stop(graph);
    graph_free(graph);
    graph = NULL;
    ck_assert_str_eq(
        weir_text_string(&fakes_events),
        "create ext/2; create ext; create sink; create pass; create link; create change; create pass; create src; "
        "start ext/2; open ext/2; start ext; open ext; "
        "start sink; open sink; start pass; open pass; start link; open link; start change; open change; "
        "start pass; open pass; start src; open src; "
        "quiesce src; drain src; drain pass; drain change; drain link; drain pass; drain sink; "
        "close sink; close pass; close link; close change; close pass; close src; "
        "stop src; stop pass; stop change; stop link; stop pass; stop sink; "
        "close ext; stop ext; close ext/2; stop ext/2; "
        "destroy src; destroy pass; destroy change; destroy link; destroy pass; destroy sink; "
        "destroy ext; destroy ext/2");
}
END_TEST

START_TEST(stops_when_nothing_is_under_way)
{
    build("src: ", "", "linger: ", "", "traces: {receivers: [src], exporters: [linger]}");
    start();
    weir_text_free(&fakes_events);
    graph_stop(graph);
    ck_assert_ptr_nonnull(strstr(weir_text_string(&fakes_events), "rest linger; stop linger"));
}
END_TEST

START_TEST(what_is_shared)
{
    build("src: ", "pass: ", "sink: ", "",
          "traces: {receivers: [src], processors: [pass], exporters: [sink]}, "
          "traces/b: {receivers: [src], processors: [pass], exporters: [sink]}, "
          "logs: {receivers: [src], processors: [pass], exporters: [sink]}");
    start();
    ck_assert_uint_eq(node_count("src"), 1);
    ck_assert_uint_eq(node_count("pass"), 3);
    ck_assert_uint_eq(node_count("sink"), 1);
    ck_assert(weir_instance_uses(find("src"), WEIR_LOGS));
    ck_assert(!weir_instance_uses(find("src"), WEIR_METRICS));
    send(WEIR_TRACES, 4);
    ck_assert_uint_eq(fakes_arrival_count, 2);
    send(WEIR_LOGS, 4);
    ck_assert_uint_eq(fakes_arrival_count, 3);
    graph_stop(graph);
}
END_TEST

START_TEST(unused_components_are_not_made)
{
    build("src: , src/unused: ", "", "sink: , sink/unused: ", "", "traces: {receivers: [src], exporters: [sink]}");
    expect_good();
    ck_assert_uint_eq(graph->node_count, 2);
}
END_TEST

START_TEST(worst_result_wins)
{
    build("src: ", "", "sink: , sink/retry: , sink/fail: ", "",
          "traces: {receivers: [src], exporters: [sink/retry, sink]}, "
          "logs: {receivers: [src], exporters: [sink/retry, sink/fail, sink]}");
    start();
    send(WEIR_TRACES, 3);
    ck_assert_uint_eq(answer.calls, 1);
    ck_assert_int_eq(answer.result.outcome, WEIR_RETRYABLE);
    ck_assert_int_eq(answer.result.grpc_code, 14);
    ck_assert_int_eq(answer.result.retry_after, 5);
    ck_assert_str_eq(answer.reason, "come back");
    ck_assert_uint_eq(fakes_arrival_count, 2);
    send(WEIR_LOGS, 3);
    ck_assert_uint_eq(answer.calls, 1);
    ck_assert_int_eq(answer.result.outcome, WEIR_PERMANENT);
    ck_assert_str_eq(answer.reason, "never");
    ck_assert_uint_eq(fakes_arrival_count, 5); /* every branch was tried */
    graph_stop(graph);
}
END_TEST

START_TEST(answers_when_the_last_branch_has)
{
    build("src: ", "", "sink/retry: , keep: , keep/2: ", "",
          "traces: {receivers: [src], exporters: [keep, sink/retry, keep/2]}");
    start();
    send(WEIR_TRACES, 3);
    ck_assert_uint_eq(answer.calls, 0);
    weir_ack_ok(fakes_arrivals[2].ack);
    ck_assert_uint_eq(answer.calls, 0);
    weir_ack_ok(fakes_arrivals[0].ack);
    ck_assert_uint_eq(answer.calls, 1);
    ck_assert_int_eq(answer.result.outcome, WEIR_RETRYABLE);
    ck_assert_str_eq(answer.reason, "come back");
    graph_stop(graph);
}
END_TEST

static uint32_t mark(size_t arrival)
{
    return weir_group_resource(weir_batch_first_group(fakes_arrivals[arrival].batch))->dropped_attributes_count;
}

START_TEST(changes_stay_in_their_branch)
{
    build("src: ", "change: ", "sink/plain: , sink/changed: , sink/plain2: ", "",
          "traces: {receivers: [src], exporters: [sink/plain, sink/plain2]}, "
          "traces/b: {receivers: [src], processors: [change], exporters: [sink/changed]}");
    start();
    send(WEIR_TRACES, 3);
    ck_assert_uint_eq(fakes_arrival_count, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(mark(i), strcmp(fakes_arrivals[i].id, "sink/changed") == 0 ? 77 : 0);
    graph_stop(graph);
}
END_TEST

START_TEST(alone_it_changes_the_original)
{
    build("src: ", "change: ", "sink: ", "", "traces: {receivers: [src], processors: [change], exporters: [sink]}");
    start();
    struct weir_batch *batch = weir_harness_batch(WEIR_TRACES, 0, 2);
    weir_shard_send(weir_instance_shard(find("src"), 0), batch, NULL);
    ck_assert_ptr_eq(fakes_arrivals[0].batch, batch);
    ck_assert_uint_eq(mark(0), 77);
    graph_stop(graph);
}
END_TEST

START_TEST(connectors_forward)
{
    build("src: ", "", "sink: , sink/2: ", "link: ",
          "traces: {receivers: [src], exporters: [link]}, logs: {receivers: [src], exporters: [link]}, "
          "traces/b: {receivers: [link], exporters: [sink]}, traces/c: {receivers: [link], exporters: [sink/2]}, "
          "logs/b: {receivers: [link], exporters: [sink]}");
    start();
    ck_assert_uint_eq(node_count("link"), 1);
    ck_assert_uint_eq(weir_shard_pipelines(weir_instance_shard(find("link"), 0), WEIR_TRACES), 2);
    ck_assert_str_eq(weir_shard_pipeline(weir_instance_shard(find("link"), 0), WEIR_TRACES, 1), "traces/c");
    send(WEIR_TRACES, 2);
    ck_assert_uint_eq(fakes_arrival_count, 2);
    send(WEIR_LOGS, 2);
    ck_assert_uint_eq(fakes_arrival_count, 3);
    ck_assert_int_eq(answer.result.outcome, WEIR_OK);
    graph_stop(graph);
}
END_TEST

START_TEST(ledger_closes_and_prints)
{
    build("src: ", "pass: ", "sink: , sink/fail: ", "",
          "traces: {receivers: [src], processors: [pass], exporters: [sink]}, "
          "logs: {receivers: [src], exporters: [sink/fail]}");
    start();
    send(WEIR_TRACES, 4);
    send(WEIR_TRACES, 3);
    send(WEIR_LOGS, 5);
    weir_shard_refuse(weir_instance_shard(find("src"), 0), WEIR_LOGS, 100, "malformed");
    graph_stop(graph);
    expect_ledger("  traces\n"
                  "    receiver src: accepted 7 = sent 7 + dropped 0 + held 0\n"
                  "    processor pass in traces: accepted 7 = sent 7 + dropped 0 + held 0\n"
                  "    exporter sink: accepted 7 = delivered 7 + dropped 0 + held 0\n"
                  "  logs\n"
                  "    receiver src: accepted 0 = sent 0 + dropped 0 + held 0; not accepted: 0 retryable, "
                  "5 permanent, 0 unanswered\n"
                  "      refused 1 requests: malformed\n"
                  "    exporter sink/fail: accepted 0 = delivered 0 + dropped 0 + held 0; not accepted: 0 "
                  "retryable, 5 permanent, 0 unanswered\n"
                  "  the ledger closes\n");
}
END_TEST

START_TEST(ledger_that_does_not_close)
{
    struct weir_text text = { 0 };
    build("src: ", "", "sink: ", "count: ",
          "traces: {receivers: [src], exporters: [count]}, metrics: {receivers: [count], exporters: [sink]}");
    start();
    send(WEIR_TRACES, 4); /* count takes them and says nothing of where they went */
    graph_stop(graph);
    ck_assert(!graph_print_ledger(graph, &text));
    ck_assert_ptr_nonnull(strstr(weir_text_string(&text), "connector count: accepted 4 = sent 0 + dropped 0 + held 0 "
                                                          "(unexplained: 4)\n"));
    ck_assert_ptr_nonnull(strstr(weir_text_string(&text), "  the ledger DOES NOT CLOSE\n"));
    weir_text_free(&text);
}
END_TEST

START_TEST(stopped_shards_refuse)
{
    build("src: ", "", "sink: ", "", "traces: {receivers: [src], exporters: [sink]}");
    start();
    graph_stop(graph);
    send(WEIR_TRACES, 2);
    ck_assert_int_eq(answer.result.outcome, WEIR_RETRYABLE);
    ck_assert_str_eq(answer.reason, "shutting down");
    ck_assert_uint_eq(fakes_arrival_count, 0);
}
END_TEST

/* What follows the name of the configuration's file. */
static void expect_error(const struct weir_error *error, const char *expected)
{
    const char *text = weir_error_text(error), *rest = strstr(text, ".yaml:");
    ck_assert_msg(rest != NULL, "%s", text);
    ck_assert_str_eq(rest + 5, expected);
}

START_TEST(failing_start)
{
    struct weir_error error = WEIR_ERROR_INIT;
    char *reason = NULL;
    build("src: ", "pass: ", "sink: , no_start: ", "",
          "traces: {receivers: [src], processors: [pass], exporters: [sink, no_start]}");
    expect_good();
    ck_assert_int_eq(graph_start(graph, &error), -1);
    expect_error(&error, ":3:21: exporters::no_start: cannot start pipelines: failed to start \"no_start\" exporter: "
                         "no luck");
    ck_assert_int_eq(weir_instance_status(find("no_start"), &reason), WEIR_STATUS_PERMANENT_ERROR);
    ck_assert_str_eq(reason, "no luck");
    free(reason);
    graph_stop(graph);
    const char *events = weir_text_string(&fakes_events);
    ck_assert_ptr_null(strstr(events, "start src"));
    ck_assert_ptr_null(strstr(events, "open no_start"));
    ck_assert_ptr_nonnull(strstr(events, "stop no_start"));
    weir_error_free(&error);
}
END_TEST

START_TEST(failing_start_of_an_extension)
{
    struct weir_error error = WEIR_ERROR_INIT;
    build("src: ", "", "sink: ", "", "traces: {receivers: [src], exporters: [sink]}");
    expect_good();
    fakes_failing = "ext/2";
    ck_assert_int_eq(graph_start(graph, &error), -1);
    expect_error(&error, ":5:21: extensions::ext/2: failed to start extensions: failed to start \"ext/2\" extension: "
                         "no luck");
    graph_stop(graph);
    weir_error_free(&error);
}
END_TEST

/* Extensions count as the nodes of pipelines do: one whose token file is gone fails. */
START_TEST(counts_who_fails)
{
    static const char file;
    build("src: ", "", "sink: ", "", "traces: {receivers: [src], exporters: [sink]}");
    start();
    struct weir_instance *extension = graph->extensions[0]->instance;
    ck_assert_uint_eq(graph_count_failing(graph), 0);
    weir_instance_fault(extension, &file, "token cannot be read");
    ck_assert_uint_eq(graph_count_failing(graph), 1);
    weir_instance_report(find("sink"), WEIR_STATUS_PERMANENT_ERROR, "gone");
    ck_assert_uint_eq(graph_count_failing(graph), 2);
    weir_instance_fault(extension, &file, NULL);
    ck_assert_uint_eq(graph_count_failing(graph), 1);
    graph_stop(graph);
}
END_TEST

static void expect_promise(size_t pipeline, enum weir_promise promise, const char *link)
{
    const struct graph_node *found;
    ck_assert_int_eq(graph_promise(graph, &config->pipelines[pipeline], &found), promise);
    ck_assert_str_eq(found ? weir_instance_id(found->instance) : "none", link);
}

START_TEST(promises)
{
    build("src: ", "pass: ", "sink: , hold: , store: ", "",
          "traces: {receivers: [src], processors: [pass], exporters: [sink]}, "
          "logs: {receivers: [src], exporters: [sink, store, hold]}, "
          "metrics: {receivers: [src], exporters: [sink, store], ack: disk}, "
          "metrics/all: {receivers: [src], processors: [pass], exporters: [sink], ack: sink}");
    expect_good();
    expect_promise(0, WEIR_PROMISE_SINK, "none");
    expect_promise(1, WEIR_PROMISE_MEMORY, "store");
    expect_promise(2, WEIR_PROMISE_DISK, "store");
    expect_promise(3, WEIR_PROMISE_SINK, "none");
}
END_TEST

START_TEST(promises_that_cannot_be_kept)
{
    build("src: ", "", "sink: , hold: , store: ", "link: ",
          "traces: {receivers: [src], exporters: [hold], ack: disk}, "
          "logs: {receivers: [src], exporters: [store], ack: sink}, "
          "metrics: {receivers: [src], exporters: [link], ack: disk}, "
          "metrics/2: {receivers: [link], exporters: [sink]}");
    expect_problems("1.yaml:8:66: service::pipelines::traces: ack: disk cannot be kept: exporter \"hold\" answers when "
                    "it holds the data in memory; give its sending_queue a storage, or disable it\n"
                    "1.yaml:8:123: service::pipelines::logs: ack: sink cannot be kept: exporter \"store\" answers when "
                    "the data is on disk\n"
                    "1.yaml:8:182: service::pipelines::metrics: ack: disk cannot be kept: connector \"link\" leads to "
                    "pipeline \"metrics/2\", whose ack is memory\n");
}
END_TEST

START_TEST(failing_create)
{
    build("src: ", "", "no_create: , no_create/2: ", "", "traces: {receivers: [src], exporters: [no_create, no_create/2]}");
    expect_problems("1.yaml:3:26: exporters::no_create/2: failed to create \"no_create/2\" exporter: no luck\n"
                    "1.yaml:3:13: exporters::no_create: failed to create \"no_create\" exporter: no luck\n");
}
END_TEST

#define REFERS "traces: {receivers: [src], exporters: [refer]}"

START_TEST(references_to_extensions)
{
    build("src: ", "",
          "refer: {any: ext, plain: {extension: ext/2}, off: {extension: ext/2}, list: [{extension: ext/2}], "
          "map: {a: {extension: ext/2}}}",
          "", REFERS);
    expect_good();
}
END_TEST

START_TEST(references_to_what_does_not_run)
{
    build("src: ", "",
          "refer: {any: ext/3, plain: {extension: ext/4}, off: {extension: ext/5}, list: [{}, {extension: ext/6}], "
          "map: {a: {extension: ext/7}}}, refer/unused: {any: ext/8}",
          "", REFERS);
    expect_problems("1.yaml:3:26: exporters::refer::any: extension \"ext/3\" not found: it is not among "
                    "service::extensions\n"
                    "1.yaml:3:52: exporters::refer::plain::extension: test thing \"ext/4\" not found: it is not among "
                    "service::extensions\n"
                    "1.yaml:3:77: exporters::refer::off::extension: test thing \"ext/5\" not found: it is not among "
                    "service::extensions\n"
                    "1.yaml:3:108: exporters::refer::list[1]::extension: test thing \"ext/6\" not found: it is not "
                    "among service::extensions\n"
                    "1.yaml:3:138: exporters::refer::map::a::extension: test thing \"ext/7\" not found: it is not "
                    "among service::extensions\n");
    build("src: ", "", "refer: {off: {enabled: false, extension: ext/5}}", "", REFERS);
    expect_good();
}
END_TEST

START_TEST(references_to_what_offers_something_else)
{
    build("src: ", "", "refer: {any: ext, plain: {extension: ext}, list: [{extension: ext/2}]}", "", REFERS);
    expect_problems("1.yaml:3:50: exporters::refer::plain::extension: extension \"ext\" is not a test thing\n");
}
END_TEST

START_TEST(unsupported_signals)
{
    build("src: , src_logs: ", "pass_logs: ", "sink: , sink_traces: ", "",
          "metrics: {receivers: [src_logs, src], processors: [pass_logs], exporters: [sink, sink_traces]}");
    expect_problems("1.yaml:8:37: service::pipelines::metrics: failed to create \"src_logs\" receiver for data type "
                    "\"metrics\": telemetry type is not supported\n"
                    "1.yaml:8:66: service::pipelines::metrics: failed to create \"pass_logs\" processor, in pipeline "
                    "\"metrics\": telemetry type is not supported\n"
                    "1.yaml:8:96: service::pipelines::metrics: failed to create \"sink_traces\" exporter for data type "
                    "\"metrics\": telemetry type is not supported\n");
}
END_TEST

START_TEST(unsupported_receiver_is_named_once)
{
    build("src_logs: ", "", "sink: , sink/2: ", "", "metrics: {receivers: [src_logs], exporters: [sink, sink/2]}");
    expect_problems("1.yaml:8:37: service::pipelines::metrics: failed to create \"src_logs\" receiver for data type "
                    "\"metrics\": telemetry type is not supported\n");
}
END_TEST

START_TEST(connector_on_one_side)
{
    build("src: ", "", "sink: ", "link: ", "traces: {receivers: [src], exporters: [sink, link]}");
    expect_problems("1.yaml:8:60: service::pipelines::traces: connector \"link\" used as exporter in [traces] pipeline "
                    "but not used in any supported receiver pipeline\n");
    build("src: ", "", "sink: ", "link: ", "traces: {receivers: [src, link], exporters: [sink]}");
    expect_problems("1.yaml:8:41: service::pipelines::traces: connector \"link\" used as receiver in [traces] pipeline "
                    "but not used in any supported exporter pipeline\n");
}
END_TEST

START_TEST(connector_between_wrong_signals)
{
    build("src: ", "", "sink: ", "count: ",
          "logs: {receivers: [src], exporters: [count]}, metrics: {receivers: [count], exporters: [sink]}");
    ck_assert_ptr_null(graph);
    ck_assert_uint_gt(problems.errors, 0);
}
END_TEST

START_TEST(cycle)
{
    build("src: ", "pass: , change: ", "sink: ", "link: , link/2: ",
          "traces: {receivers: [src, link/2], processors: [pass, change], exporters: [sink, link]}, "
          "traces/b: {receivers: [link], processors: [pass], exporters: [link/2]}");
    expect_problems("1.yaml:8:15: service::pipelines::traces: cycle detected: connector \"link/2\" (traces to traces) "
                    "-> processor \"pass\" in pipeline \"traces\" -> processor \"change\" in pipeline \"traces\" -> "
                    "connector \"link\" (traces to traces) -> processor \"pass\" in pipeline \"traces/b\" -> "
                    "connector \"link/2\" (traces to traces)\n");
}
END_TEST

START_TEST(unknown_component)
{
    build("src: ", "", "sinkk: ", "", "traces: {receivers: [src], exporters: [sinkk]}");
    ck_assert_ptr_null(graph);
    ck_assert_uint_eq(problems.errors, 1);
    ck_assert_ptr_nonnull(strstr(problems.items[0].message, "unknown type: \"sinkk\""));
}
END_TEST

static Suite *make_suite(void)
{
    const TTest *const tests[] = {
        order_of_life,        what_is_shared,       stops_when_nothing_is_under_way,
        worst_result_wins,    answers_when_the_last_branch_has,
        changes_stay_in_their_branch, alone_it_changes_the_original,
        connectors_forward,   ledger_closes_and_prints,
        ledger_that_does_not_close, stopped_shards_refuse,
        promises,             promises_that_cannot_be_kept,
        failing_start,        failing_create,
        counts_who_fails,     failing_start_of_an_extension,
        references_to_extensions, references_to_what_does_not_run,
        references_to_what_offers_something_else, unsupported_signals,  unsupported_receiver_is_named_once,
        connector_on_one_side, connector_between_wrong_signals,
        cycle,                unknown_component,
        unused_components_are_not_made,
    };
    Suite *suite = suite_create("graph");
    TCase *graph_case = tcase_create("graph");
    tcase_add_checked_fixture(graph_case, set_up, tear_down);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(tests); i++)
        tcase_add_test(graph_case, tests[i]);
    suite_add_tcase(suite, graph_case);
    return suite;
}

int main(void)
{
    return run_suite(make_suite());
}
