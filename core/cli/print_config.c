// SPDX-License-Identifier: Apache-2.0
/* `weir print-config`: the configuration as it takes effect, defaults filled in, secrets masked. */
#include <config.h>

#include <string.h>

#include "core/cli/cli.h"
#include "core/config/print.h"

struct finder {
    struct registry *registry;
    struct weir_problems *problems;
};

static bool find_table(void *context, const struct weir_entry *entry, const struct weir_option_table **table)
{
    struct finder *finder = context;
    struct weir_error error = WEIR_ERROR_INIT;
    const struct weir_component *component = registry_find(finder->registry, entry->kind, entry->id.type, &error);
    if (!component)
        weir_problem_add(finder->problems, entry->place, entry->path, "%s (for id: \"%s\")", weir_error_text(&error),
                         entry->id.text);
    else
        *table = component->options;
    weir_error_free(&error);
    return component != NULL;
}

static int print(struct cli *cli, bool json, bool reveal)
{
    struct service_options service = cli_service_options(cli);
    struct weir_problems problems = { 0 };
    struct weir_text text = { 0 };
    struct weir_dump dump = { .text = &text, .json = json, .reveal = reveal };
    struct weir_config *config = weir_config_load(&service.source, &problems);
    struct finder finder = { service.registry, &problems };
    weir_config_print(config, find_table, &finder, &dump, &problems);
    bool good = problems.errors == 0 || !cli->validate;
    if (good) {
        fputs(weir_text_string(&text), stdout);
        if (text.length > 0 && text.data[text.length - 1] != '\n')
            putchar('\n');
    }
    weir_text_free(&text);
    service_print_problems(&problems);
    weir_problems_free(&problems);
    weir_config_free(config);
    registry_free(service.registry);
    return good ? EXIT_STOPPED : EXIT_FAILED;
}

int cli_print_config(struct cli *cli)
{
    const char *mode = cli->mode ? cli->mode : "redacted";
    const char *format = cli->format ? cli->format : "yaml";
    if (cli->uri_count == 0)
        return cli_fail("at least one config flag must be provided");
    if (strcmp(mode, "redacted") != 0 && strcmp(mode, "unredacted") != 0)
        return cli_usage("invalid mode \"%s\": redacted or unredacted", mode);
    if (strcmp(format, "yaml") != 0 && strcmp(format, "json") != 0)
        return cli_usage("invalid format \"%s\": yaml or json", format);
    return print(cli, strcmp(format, "json") == 0, strcmp(mode, "unredacted") == 0);
}
