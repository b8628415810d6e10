// SPDX-License-Identifier: Apache-2.0
/* `weir describe KIND TYPE`: the options of one component, or, as a schema and without both, of all. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/describe.h>

#include "core/cli/cli.h"

static const struct {
    const char *name;
    enum weir_describe_format format;
} formats[] = {
    { "text", WEIR_DESCRIBE_TEXT },
    { "markdown", WEIR_DESCRIBE_MARKDOWN },
    { "json-schema", WEIR_DESCRIBE_JSON_SCHEMA },
    { "yaml", WEIR_DESCRIBE_YAML },
};

static bool find_format(const char *name, enum weir_describe_format *out)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(formats); i++)
        if (strcmp(formats[i].name, name) == 0) {
            *out = formats[i].format;
            return true;
        }
    return false;
}

static bool find_kind(const char *name, enum weir_kind *out)
{
    for (int kind = 0; kind < WEIR_KINDS; kind++)
        if (strcmp(weir_kind_name((enum weir_kind)kind, false), name) == 0 ||
            strcmp(weir_kind_name((enum weir_kind)kind, true), name) == 0) {
            *out = (enum weir_kind)kind;
            return true;
        }
    return false;
}

static int describe(struct registry *registry, enum weir_kind kind, const char *type,
                    enum weir_describe_format format)
{
    struct weir_error error = WEIR_ERROR_INIT;
    const struct weir_component *component = registry_find(registry, kind, type, &error);
    if (!component) {
        cli_fail("%s", weir_error_text(&error));
        weir_error_free(&error);
        return EXIT_FAILED;
    }
    char *title = weir_xasprintf("%s %s", weir_kind_name(kind, false), component->type);
    struct weir_text text = { 0 };
    if (format == WEIR_DESCRIBE_TEXT)
        weir_text_addf(&text, "%s\n\n", component->summary);
    weir_options_describe(component->options, title, format, &text);
    fputs(weir_text_string(&text), stdout);
    weir_text_free(&text);
    free(title);
    return EXIT_STOPPED;
}

static int describe_all(struct cli *cli)
{
    struct service_options service = cli_service_options(cli);
    cli_print_schema(service.registry);
    registry_free(service.registry);
    return EXIT_STOPPED;
}

int cli_describe(struct cli *cli)
{
    enum weir_describe_format format;
    enum weir_kind kind;
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_arena arena = { 0 };
    struct weir_id id;
    if (!find_format(cli->format ? cli->format : "text", &format))
        return cli_usage("invalid format \"%s\": text, markdown, json-schema or yaml", cli->format);
    if (cli->argument_count == 0 && format == WEIR_DESCRIBE_JSON_SCHEMA)
        return describe_all(cli);
    if (cli->argument_count != 2)
        return cli_usage("describe takes a kind and a type, such as: weir describe exporter otlp");
    if (!find_kind(cli->arguments[0], &kind))
        return cli_usage("\"%s\" is no kind of component: receiver, processor, exporter, connector or extension",
                         cli->arguments[0]);
    int result = EXIT_FAILED;
    if (weir_id_parse(weir_str_of(cli->arguments[1]), &arena, &id, &error) != 0) {
        cli_fail("%s", weir_error_text(&error));
    } else {
        struct service_options service = cli_service_options(cli);
        result = describe(service.registry, kind, id.type, format);
        registry_free(service.registry);
    }
    weir_error_free(&error);
    weir_arena_free(&arena);
    return result;
}
