// SPDX-License-Identifier: Apache-2.0
/*
 * service::telemetry: option tables for the keys of the OpenTelemetry Collector, and what they come to.
 */
#include <config.h>

#include "core/config/telemetry.h"
#include "core/config/telemetry_parts.h"
#include "sdk/yaml/tree.h"

static const struct weir_option_value log_levels[] = {
    { "debug", WEIR_TELEMETRY_DEBUG },  { "info", WEIR_TELEMETRY_INFO },
    { "warn", WEIR_TELEMETRY_WARN },    { "error", WEIR_TELEMETRY_ERROR },
    { "dpanic", WEIR_TELEMETRY_ERROR }, { "panic", WEIR_TELEMETRY_ERROR },
    { "fatal", WEIR_TELEMETRY_ERROR },  { NULL, 0 },
};
static const struct weir_option_value encodings[] = {
    { "console", WEIR_TELEMETRY_CONSOLE },
    { "json", WEIR_TELEMETRY_JSON },
    { NULL, 0 },
};
static const struct weir_option_value levels[] = {
    { "none", WEIR_TELEMETRY_NONE },
    { "basic", WEIR_TELEMETRY_BASIC },
    { "normal", WEIR_TELEMETRY_NORMAL },
    { "detailed", WEIR_TELEMETRY_DETAILED },
    { NULL, 0 },
};

#define SAMPLING(field, name, ...) WEIR_OPTION(struct weir_telemetry_sampling, field, name, __VA_ARGS__)
static const struct weir_option sampling_options[] = {
    SAMPLING(enabled, "enabled", .preset = "true",
             .doc = "Whether repeats of a log message are thinned out."),
    SAMPLING(tick, "tick", .preset = "10s", .bounded = true, .doc = "How long repeats are counted together."),
    SAMPLING(initial, "initial", .preset = "10", .bounded = true,
             .doc = "Repeats written in each tick before any is dropped."),
    SAMPLING(thereafter, "thereafter", .preset = "100", .bounded = true,
             .doc = "Behind those each so many-th repeat is written; 0 drops all."),
    WEIR_OPTION_END,
};
static const struct weir_option_table sampling_table = { sampling_options,
                                                         sizeof(struct weir_telemetry_sampling), NULL };

static void check_logs(const void *group, struct weir_checker *checker)
{
    const struct weir_telemetry_logs *logs = group;
    const struct weir_node *fields = logs->initial_fields.node;
    if (fields && fields->type != WEIR_NODE_MAP && fields->type != WEIR_NODE_NULL)
        weir_check_fail(checker, "initial_fields", "expected a map or struct, got \"%s\"",
                        weir_node_type_name(fields->type));
}

#define LOGS(field, name, ...) WEIR_OPTION(struct weir_telemetry_logs, field, name, __VA_ARGS__)
static const struct weir_option logs_options[] = {
    LOGS(level, "level", .preset = "info", .values = log_levels, .nocase = true,
         .doc = "The least severe messages that are written."),
    LOGS(encoding, "encoding", .preset = "console", .values = encodings,
         .doc = "The form of a line: text for people, or a JSON object."),
    LOGS(development, "development", .preset = "false",
         .doc = "Accepted for compatibility: there are no stack traces to add."),
    LOGS(disable_caller, "disable_caller", .preset = "false", .doc = "Leaves out the source file and line."),
    LOGS(disable_stacktrace, "disable_stacktrace", .preset = "false",
         .doc = "Accepted for compatibility: there are no stack traces to leave out."),
    LOGS(disable_zap_resource, "disable_zap_resource", .preset = "false",
         .doc = "Leaves out the resource object."),
    WEIR_OPTION_GROUP(struct weir_telemetry_logs, sampling, "sampling", &sampling_table,
                      .doc = "Thins out repeats of a message."),
    LOGS(output_paths, "output_paths", .preset = "stderr",
         .doc = "Where lines go: paths, file:// URLs, stdout, stderr."),
    LOGS(error_output_paths, "error_output_paths", .preset = "stderr",
         .doc = "Where failures of logging itself go."),
    LOGS(initial_fields, "initial_fields", .doc = "Fields that every line carries."),
    WEIR_OPTION_REFUSED("processors",
                        "sending weir's own logs with processors is not supported; they go to output_paths"),
    WEIR_OPTION_END,
};
static const struct weir_option_table logs_table = { logs_options, sizeof(struct weir_telemetry_logs),
                                                     check_logs };

#define LABELS(field, name, ...) WEIR_OPTION(struct constant_labels, field, name, __VA_ARGS__)
static const struct weir_option labels_options[] = {
    LABELS(included, "included",
           .doc = "Resource attributes copied onto every series; * stands for any text."),
    LABELS(excluded, "excluded", .doc = "Those left out of them."),
    WEIR_OPTION_END,
};
static const struct weir_option_table labels_table = { labels_options, sizeof(struct constant_labels), NULL };

static void check_prometheus(const void *group, struct weir_checker *checker)
{
    const struct prometheus *prometheus = group;
    if (!prometheus->host || !prometheus->host[0])
        weir_check_fail(checker, "host", "host must be specified");
    if (!weir_check_given(checker, "port"))
        weir_check_fail(checker, "port", "port must be specified");
}

#define PROMETHEUS(field, name, ...) WEIR_OPTION(struct prometheus, field, name, __VA_ARGS__)
static const struct weir_option prometheus_options[] = {
    PROMETHEUS(host, "host", .doc = "Address that is listened on."),
    PROMETHEUS(port, "port", .min = 0, .max = 65535, .doc = "Port that is listened on."),
    PROMETHEUS(without_scope_info, "without_scope_info", .preset = "true",
               .doc = "Leaves out the otel_scope labels."),
    PROMETHEUS(without_units, "without_units", .preset = "true", .doc = "Leaves units out of metric names."),
    PROMETHEUS(without_type_suffix, "without_type_suffix", .preset = "true",
               .doc = "Leaves _total out of metric names."),
    WEIR_OPTION_GROUP(struct prometheus, labels, "with_resource_constant_labels", &labels_table,
                      .doc = "Resource attributes that become labels."),
    WEIR_OPTION_END,
};
static const struct weir_option_table prometheus_table = { prometheus_options, sizeof(struct prometheus),
                                                           check_prometheus };

static void check_exporter(const void *group, struct weir_checker *checker)
{
    if (!((const struct pull *)group)->on)
        weir_check_fail(checker, NULL, "no valid metric exporter, expected \"prometheus\"");
}

static const struct weir_option exporter_options[] = {
    WEIR_OPTION_OPTIONAL(struct pull, prometheus, on, "prometheus", &prometheus_table, WEIR_DEFAULT_OFF,
                         .doc = "An endpoint that Prometheus scrapes."),
    WEIR_OPTION_END,
};
static const struct weir_option_table exporter_table = { exporter_options, sizeof(struct pull),
                                                         check_exporter };

static const struct weir_option pull_options[] = {
    WEIR_OPTION_GROUP(struct pull_reader, exporter, "exporter", &exporter_table,
                      .doc = "What answers a scrape."),
    WEIR_OPTION_REFUSED("producers", "metric producers are not supported; remove the key"),
    WEIR_OPTION_END,
};
static const struct weir_option_table pull_table = { pull_options, sizeof(struct pull_reader), NULL };

static void check_reader(const void *group, struct weir_checker *checker)
{
    if (!((const struct reader *)group)->on && !weir_check_given(checker, "periodic"))
        weir_check_fail(checker, NULL, "no valid metric reader, expected \"pull\"");
}

static const struct weir_option reader_options[] = {
    WEIR_OPTION_OPTIONAL(struct reader, pull, on, "pull", &pull_table, WEIR_DEFAULT_OFF,
                         .doc = "A reader that waits to be scraped."),
    WEIR_OPTION_REFUSED("periodic",
                        "pushing weir's own metrics is not supported; use a pull reader with prometheus"),
    WEIR_OPTION_END,
};
static const struct weir_option_table reader_table = { reader_options, sizeof(struct reader), check_reader };

/* "host:port", ":port" or "[::1]:port"; false if it is none of them. */
static bool address_split(const char *address, struct weir_str *host, int64_t *port)
{
    const char *colon = strrchr(address, ':');
    if (!colon || !weir_str_to_i64(weir_str_of(colon + 1), port) || *port < 0 || *port > 65535)
        return false;
    *host = weir_str_make(address, (size_t)(colon - address));
    return true;
}

static void check_metrics(const void *group, struct weir_checker *checker)
{
    const struct metrics *metrics = group;
    struct weir_str host;
    int64_t port;
    if (metrics->address && metrics->address[0] && !address_split(metrics->address, &host, &port))
        weir_check_fail(checker, "address", "expected host:port, got \"%s\"", metrics->address);
}

#define METRICS(field, name, ...) WEIR_OPTION(struct metrics, field, name, __VA_ARGS__)
static const struct weir_option metrics_options[] = {
    METRICS(level, "level", .preset = "normal", .values = levels, .nocase = true,
            .doc = "How much is measured."),
    WEIR_OPTION_LIST(struct metrics, readers, "readers", &reader_table,
                     .doc =
                         "What reads the metrics; given, it takes the place of the endpoint localhost:8888."),
    METRICS(address, "address", .doc = "Older form of one Prometheus reader: host:port."),
    WEIR_OPTION_REFUSED("views", "views are not supported; use level to choose how much is measured"),
    WEIR_OPTION_END,
};
static const struct weir_option_table metrics_table = { metrics_options, sizeof(struct metrics),
                                                        check_metrics };

static void check_traces(const void *group, struct weir_checker *checker)
{
    static const char refusal[] = "tracing weir itself is not supported yet; only level none works";
    const struct traces *traces = group;
    if (traces->level != WEIR_TELEMETRY_NONE)
        weir_check_fail(checker, "level", "%s", refusal);
    if (traces->propagators.count > 0)
        weir_check_fail(checker, "propagators", "%s", refusal);
    const struct weir_node *processors = traces->processors.node;
    bool empty = !processors || processors->type == WEIR_NODE_NULL ||
                 (processors->type == WEIR_NODE_LIST && processors->count == 0);
    if (!empty)
        weir_check_fail(checker, "processors", "%s", refusal);
}

#define TRACES(field, name, ...) WEIR_OPTION(struct traces, field, name, __VA_ARGS__)
static const struct weir_option traces_options[] = {
    TRACES(level, "level", .preset = "none", .values = levels, .nocase = true,
           .doc = "How much weir traces itself."),
    TRACES(propagators, "propagators", .doc = "Formats of trace context that are passed on."),
    TRACES(processors, "processors", .doc = "What becomes of weir's own spans."),
    WEIR_OPTION_REFUSED("sampler", "tracing weir itself is not supported yet"),
    WEIR_OPTION_REFUSED("limits", "tracing weir itself is not supported yet"),
    WEIR_OPTION_END,
};
static const struct weir_option_table traces_table = { traces_options, sizeof(struct traces), check_traces };

static const struct weir_option section_options[] = {
    WEIR_OPTION_GROUP(struct sections, logs, "logs", &logs_table, .doc = "The collector's own logs."),
    WEIR_OPTION_GROUP(struct sections, metrics, "metrics", &metrics_table,
                      .doc = "The collector's own metrics."),
    WEIR_OPTION_GROUP(struct sections, traces, "traces", &traces_table, .doc = "The collector's own traces."),
    WEIR_OPTION(struct sections, resource, "resource", .doc = "Attributes of the collector's own telemetry."),
    WEIR_OPTION_END,
};
static const struct weir_option_table telemetry_table = { section_options, sizeof(struct sections), NULL };

static struct weir_str without_brackets(struct weir_str host)
{
    if (host.length >= 2 && host.data[0] == '[' && host.data[host.length - 1] == ']')
        return weir_str_make(host.data + 1, host.length - 2);
    return host;
}

/* The reader that counts while none is configured. */
static void add_default_reader(const struct metrics *metrics, struct weir_arena *arena,
                               struct weir_place place, struct weir_telemetry_metrics *out)
{
    struct weir_telemetry_reader *reader = &out->readers[0];
    struct weir_str host = WEIR_STR("localhost");
    int64_t port = 8888;
    if (metrics->address && metrics->address[0])
        (void)address_split(metrics->address, &host, &port);
    reader->host = tree_copy_text(arena, without_brackets(host)).data;
    reader->port = port;
    reader->without_scope_info = reader->without_units = reader->without_type_suffix = true;
    reader->place = place;
    out->reader_count = 1;
}

static void add_readers(const struct metrics *metrics, const struct weir_node *list, struct weir_arena *arena,
                        struct weir_telemetry_metrics *out)
{
    const struct reader *readers = metrics->readers.items;
    const struct weir_node *item = list->first;
    for (size_t i = 0; i < metrics->readers.count; i++, item = item->next) {
        const struct prometheus *from = &readers[i].pull.exporter.prometheus;
        if (!readers[i].on || !readers[i].pull.exporter.on)
            continue;
        struct weir_telemetry_reader *reader = &out->readers[out->reader_count++];
        reader->host = tree_copy_text(arena, without_brackets(weir_str_of(from->host))).data;
        reader->port = from->port;
        reader->without_scope_info = from->without_scope_info;
        reader->without_units = from->without_units;
        reader->without_type_suffix = from->without_type_suffix;
        reader->constant_included = from->labels.included;
        reader->constant_excluded = from->labels.excluded;
        reader->place = item->place;
    }
}

static void take_metrics(const struct metrics *metrics, const struct weir_node *node,
                         struct weir_arena *arena, struct weir_telemetry_metrics *out,
                         struct weir_problems *problems)
{
    const struct weir_node *list = weir_node_get(node, "readers");
    const struct weir_node *address = weir_node_get(node, "address");
    struct weir_place nowhere = { NULL, 0, 0 };
    out->level = metrics->level;
    out->readers = tree_must(weir_arena_calloc(arena, metrics->readers.count + 1, sizeof(*out->readers)));
    if (!list || list->type != WEIR_NODE_LIST)
        add_default_reader(metrics, arena, address ? address->place : nowhere, out);
    else
        add_readers(metrics, list, arena, out);
    if (list && list->type == WEIR_NODE_LIST && list->count == 0 && metrics->level != WEIR_TELEMETRY_NONE)
        weir_problem_add(problems, list->place, "service::telemetry::metrics::readers",
                         "collector telemetry metrics reader should exist when metric level is not none");
}

void telemetry_decode(const struct weir_node *node, struct weir_arena *arena, struct weir_telemetry *out,
                      struct weir_problems *problems)
{
    struct sections sections;
    (void)weir_options_decode(&telemetry_table, node, "service::telemetry", &sections, arena, problems);
    out->logs = sections.logs;
    take_metrics(&sections.metrics, weir_node_get(node, "metrics"), arena, &out->metrics, problems);
    telemetry_resource(sections.resource.node, arena, out, problems);
}

static void print_strings(const char *key, const struct weir_strings *strings, struct weir_dump *dump)
{
    weir_dump_key(dump, weir_str_of(key));
    weir_dump_begin_list(dump);
    for (size_t i = 0; i < strings->count; i++)
        weir_dump_string(dump, weir_str_of(strings->items[i]));
    weir_dump_end(dump);
}

static void print_flag(const char *key, bool value, struct weir_dump *dump)
{
    weir_dump_key(dump, weir_str_of(key));
    weir_dump_bool(dump, value);
}

static void begin(const char *key, struct weir_dump *dump)
{
    weir_dump_key(dump, weir_str_of(key));
    weir_dump_begin_map(dump);
}

static void print_reader(const struct weir_telemetry_reader *reader, struct weir_dump *dump)
{
    weir_dump_begin_map(dump);
    begin("pull", dump);
    begin("exporter", dump);
    begin("prometheus", dump);
    weir_dump_key(dump, WEIR_STR("host"));
    weir_dump_string(dump, weir_str_of(reader->host));
    weir_dump_key(dump, WEIR_STR("port"));
    weir_dump_int(dump, reader->port);
    print_flag("without_scope_info", reader->without_scope_info, dump);
    print_flag("without_units", reader->without_units, dump);
    print_flag("without_type_suffix", reader->without_type_suffix, dump);
    begin("with_resource_constant_labels", dump);
    print_strings("included", &reader->constant_included, dump);
    print_strings("excluded", &reader->constant_excluded, dump);
    for (int open = 0; open < 5; open++)
        weir_dump_end(dump);
}

static void print_resource(const struct weir_telemetry *telemetry, struct weir_dump *dump)
{
    begin("resource", dump);
    for (size_t i = 0; i < telemetry->attribute_count && telemetry->flat; i++) {
        weir_dump_key(dump, weir_str_of(telemetry->attributes[i].name));
        weir_dump_node(dump, telemetry->attributes[i].value);
    }
    if (!telemetry->flat) {
        weir_dump_key(dump, WEIR_STR("attributes"));
        weir_dump_begin_list(dump);
        for (size_t i = 0; i < telemetry->attribute_count; i++) {
            weir_dump_begin_map(dump);
            weir_dump_key(dump, WEIR_STR("name"));
            weir_dump_string(dump, weir_str_of(telemetry->attributes[i].name));
            weir_dump_key(dump, WEIR_STR("value"));
            weir_dump_node(dump, telemetry->attributes[i].value);
            weir_dump_end(dump);
        }
        weir_dump_end(dump);
    }
    if (telemetry->schema_url) {
        weir_dump_key(dump, WEIR_STR("schema_url"));
        weir_dump_string(dump, weir_str_of(telemetry->schema_url));
    }
    weir_dump_end(dump);
}

void telemetry_print(const struct weir_telemetry *telemetry, struct weir_dump *dump)
{
    weir_dump_begin_map(dump);
    weir_dump_key(dump, WEIR_STR("logs"));
    weir_options_dump(&logs_table, &telemetry->logs, dump);
    begin("metrics", dump);
    weir_dump_key(dump, WEIR_STR("level"));
    weir_dump_string(dump, weir_str_of(levels[telemetry->metrics.level].name));
    weir_dump_key(dump, WEIR_STR("readers"));
    weir_dump_begin_list(dump);
    for (size_t i = 0; i < telemetry->metrics.reader_count; i++)
        print_reader(&telemetry->metrics.readers[i], dump);
    weir_dump_end(dump);
    weir_dump_end(dump);
    print_resource(telemetry, dump);
    weir_dump_end(dump);
}

const struct weir_option_table *telemetry_options(void)
{
    return &telemetry_table;
}
