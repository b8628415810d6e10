// SPDX-License-Identifier: Apache-2.0
/* `weir describe --format=json-schema`: one schema for a whole configuration, of what is installed. */
#include <config.h>

#include <stdlib.h>

#include <weir/describe.h>

#include "core/cli/cli.h"
#include "core/config/telemetry.h"

struct installed {
    const struct weir_component **items;
    size_t count;
};

static void collect(const struct registry_listing *listing, void *argument)
{
    struct installed *installed = argument;
    if (!listing->component) {
        fprintf(stderr, "Warning: %s\n", listing->error);
        return;
    }
    installed->items = weir_xrealloc(installed->items, (installed->count + 1) * sizeof *installed->items);
    installed->items[installed->count++] = listing->component;
}

static void begin(struct weir_dump *dump, const char *key)
{
    weir_dump_key(dump, weir_str_of(key));
    weir_dump_begin_map(dump);
}

static void add_text(struct weir_dump *dump, const char *key, const char *value)
{
    weir_dump_key(dump, weir_str_of(key));
    weir_dump_string(dump, weir_str_of(value));
}

/* "type": ["object", "null"], and no keys but those that follow. */
static void add_map_type(struct weir_dump *dump)
{
    weir_dump_key(dump, WEIR_STR("type"));
    weir_dump_begin_list(dump);
    weir_dump_string(dump, WEIR_STR("object"));
    weir_dump_string(dump, WEIR_STR("null"));
    weir_dump_end(dump);
    weir_dump_key(dump, WEIR_STR("additionalProperties"));
    weir_dump_bool(dump, false);
}

static void add_ids(struct weir_dump *dump, const char *key, const char *description)
{
    begin(dump, key);
    add_text(dump, "description", description);
    weir_dump_key(dump, WEIR_STR("type"));
    weir_dump_begin_list(dump);
    weir_dump_string(dump, WEIR_STR("array"));
    weir_dump_string(dump, WEIR_STR("string"));
    weir_dump_string(dump, WEIR_STR("null"));
    weir_dump_end(dump);
    begin(dump, "items");
    add_text(dump, "type", "string");
    weir_dump_end(dump);
    weir_dump_end(dump);
}

/* The names of a component as a pattern: "^(otlp_grpc|otlp)(/.+)?$". */
static char *pattern_of(const struct weir_component *component)
{
    struct weir_text text = { 0 };
    weir_text_addf(&text, "^(%s", component->type);
    for (const char *const *alias = component->aliases; alias && *alias; alias++)
        weir_text_addf(&text, "|%s", *alias);
    weir_text_adds(&text, ")(/.+)?$");
    char *pattern = weir_xstrdup(weir_text_string(&text));
    weir_text_free(&text);
    return pattern;
}

/* "receivers": names that are installed, each with its keys. */
static void add_section(struct weir_dump *dump, const struct installed *installed, enum weir_kind kind)
{
    begin(dump, weir_kind_name(kind, true));
    add_map_type(dump);
    begin(dump, "patternProperties");
    for (size_t i = 0; i < installed->count; i++) {
        const struct weir_component *component = installed->items[i];
        if (component->kind != kind)
            continue;
        char *pattern = pattern_of(component);
        begin(dump, pattern);
        add_text(dump, "description", component->summary);
        weir_dump_key(dump, WEIR_STR("allOf"));
        weir_dump_begin_list(dump);
        weir_schema_value(component->options, dump);
        weir_dump_end(dump);
        weir_dump_end(dump);
        free(pattern);
    }
    weir_dump_end(dump);
    weir_dump_end(dump);
}

static void add_ack(struct weir_dump *dump)
{
    static const enum weir_promise promises[] = { WEIR_PROMISE_MEMORY, WEIR_PROMISE_DISK, WEIR_PROMISE_SINK };
    begin(dump, "ack");
    add_text(dump, "description",
             "What an answer to a client means: the data is held, is on stable storage, or has been accepted by every "
             "destination.");
    weir_dump_key(dump, WEIR_STR("enum"));
    weir_dump_begin_list(dump);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(promises); i++)
        weir_dump_string(dump, weir_str_of(weir_promise_name(promises[i])));
    weir_dump_null(dump);
    weir_dump_end(dump);
    add_text(dump, "default", weir_promise_name(WEIR_PROMISE_MEMORY));
    weir_dump_end(dump);
}

static void add_pipelines(struct weir_dump *dump)
{
    struct weir_text pattern = { 0 };
    for (int signal = 0; signal < WEIR_SIGNALS; signal++)
        weir_text_addf(&pattern, "%s%s", signal == 0 ? "^(" : "|", weir_signal_name((enum weir_signal)signal));
    weir_text_adds(&pattern, ")(/.+)?$");

    begin(dump, "pipelines");
    add_text(dump, "description", "The ways that telemetry takes: a signal, or a signal, a slash and a name.");
    add_map_type(dump);
    begin(dump, "patternProperties");
    begin(dump, weir_text_string(&pattern));
    add_map_type(dump);
    begin(dump, "properties");
    add_ids(dump, "receivers", "Where telemetry comes from: receivers, or connectors of other pipelines.");
    add_ids(dump, "processors", "What it passes, in this order.");
    add_ids(dump, "exporters", "Where it goes: exporters, or connectors to other pipelines.");
    add_ack(dump);
    for (int open = 0; open < 4; open++)
        weir_dump_end(dump);
    weir_text_free(&pattern);
}

static void add_service(struct weir_dump *dump)
{
    begin(dump, "service");
    add_text(dump, "description", "What of all that is configured runs.");
    add_map_type(dump);
    begin(dump, "properties");
    add_ids(dump, "extensions", "Extensions that are started.");
    add_pipelines(dump);
    begin(dump, "telemetry");
    add_text(dump, "description", "The collector's own logs and metrics.");
    weir_dump_key(dump, WEIR_STR("allOf"));
    weir_dump_begin_list(dump);
    weir_schema_value(telemetry_options(), dump);
    for (int open = 0; open < 4; open++)
        weir_dump_end(dump);
}

void cli_print_schema(struct registry *registry)
{
    struct installed installed = { NULL, 0 };
    struct weir_text text = { 0 };
    struct weir_dump dump = { .text = &text, .json = true };
    registry_list(registry, collect, &installed);
    weir_dump_begin_map(&dump);
    add_text(&dump, "$schema", WEIR_SCHEMA_DIALECT);
    add_text(&dump, "title", "Configuration of weir");
    add_map_type(&dump);
    begin(&dump, "properties");
    for (int kind = 0; kind < WEIR_KINDS; kind++)
        add_section(&dump, &installed, (enum weir_kind)kind);
    add_service(&dump);
    weir_dump_end(&dump);
    weir_schema_definitions(&dump);
    weir_dump_end(&dump);
    fputs(weir_text_string(&text), stdout);
    weir_text_free(&text);
    free(installed.items);
}
