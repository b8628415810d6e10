// SPDX-License-Identifier: Apache-2.0
/* `weir print-config`: the configuration as it takes effect, defaults filled in, secrets masked. */
#include <config.h>

#include <string.h>

#include <weir/describe.h>

#include "core/cli/cli.h"

static void dump_entry(struct weir_dump *dump, struct weir_config *config, struct registry *registry,
                       const struct weir_entry *entry, struct weir_problems *problems)
{
    struct weir_error error = WEIR_ERROR_INIT;
    const struct weir_component *component = registry_find(registry, entry->kind, entry->id.type, &error);
    weir_dump_key(dump, weir_str_of(entry->id.text));
    if (!component) {
        weir_problem_add(problems, entry->place, entry->path, "%s", weir_error_text(&error));
        weir_dump_node(dump, entry->node);
    } else if (!component->options) {
        weir_dump_begin_map(dump);
        weir_dump_end(dump);
    } else {
        void *group = weir_config_decode_component(config, entry, component->options, problems);
        weir_options_dump(component->options, group, dump);
    }
    weir_error_free(&error);
}

static void dump_config(struct weir_dump *dump, struct weir_config *config, struct registry *registry,
                        struct weir_problems *problems)
{
    weir_dump_begin_map(dump);
    for (int kind = 0; kind < WEIR_KINDS; kind++) {
        const struct weir_entries *entries = &config->entries[kind];
        if (entries->count == 0)
            continue;
        weir_dump_key(dump, weir_str_of(weir_kind_name((enum weir_kind)kind, true)));
        weir_dump_begin_map(dump);
        for (size_t i = 0; i < entries->count; i++)
            dump_entry(dump, config, registry, &entries->items[i], problems);
        weir_dump_end(dump);
    }
    weir_dump_key(dump, WEIR_STR("service"));
    weir_dump_node(dump, weir_node_get(config->root, "service"));
    weir_dump_end(dump);
}

static int print(struct cli *cli, bool json, bool reveal)
{
    struct service_options service = cli_service_options(cli);
    struct weir_problems problems = { 0 };
    struct weir_text text = { 0 };
    struct weir_dump dump = { .text = &text, .json = json, .reveal = reveal };
    struct weir_config *config = weir_config_load(&service.source, &problems);
    dump_config(&dump, config, service.registry, &problems);
    bool good = problems.errors == 0 || !cli->validate;
    if (good) {
        fputs(weir_text_string(&text), stdout);
        if (text.length > 0 && text.data[text.length - 1] != '\n')
            putchar('\n');
    }
    weir_text_clear(&text);
    weir_problems_print(&problems, &text);
    fputs(weir_text_string(&text), stderr);
    weir_text_free(&text);
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
        return cli_fail("invalid mode \"%s\": redacted or unredacted", mode);
    if (strcmp(format, "yaml") != 0 && strcmp(format, "json") != 0)
        return cli_fail("invalid format \"%s\": yaml or json", format);
    return print(cli, strcmp(format, "json") == 0, strcmp(mode, "unredacted") == 0);
}
