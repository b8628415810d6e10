// SPDX-License-Identifier: Apache-2.0
/*
 * Prints the effective configuration: components by their tables, the service from the model.
 */
#include <config.h>

#include "core/config/model.h"
#include "core/config/print.h"

static void key(struct weir_dump *dump, const char *name)
{
    weir_dump_key(dump, weir_str_of(name));
}

static void print_uses(const char *name, const struct weir_uses *uses, struct weir_dump *dump)
{
    key(dump, name);
    weir_dump_begin_list(dump);
    for (size_t i = 0; i < uses->count; i++)
        weir_dump_string(dump, weir_str_of(uses->items[i].id.text));
    weir_dump_end(dump);
}

static void print_pipelines(const struct weir_config *config, struct weir_dump *dump)
{
    key(dump, "pipelines");
    weir_dump_begin_map(dump);
    for (size_t i = 0; i < config->pipeline_count; i++) {
        const struct weir_pipeline *pipeline = &config->pipelines[i];
        key(dump, pipeline->id.text);
        weir_dump_begin_map(dump);
        print_uses("receivers", &pipeline->receivers, dump);
        print_uses("processors", &pipeline->processors, dump);
        print_uses("exporters", &pipeline->exporters, dump);
        key(dump, "ack");
        weir_dump_string(dump, weir_str_of(weir_promise_name(pipeline->ack)));
        weir_dump_end(dump);
    }
    weir_dump_end(dump);
}

static void print_entry(struct weir_config *config, const struct weir_entry *entry, weir_config_find_table *find,
                        void *context, struct weir_dump *dump, struct weir_problems *problems)
{
    const struct weir_option_table *table = NULL;
    key(dump, entry->id.text);
    if (!find(context, entry, &table)) {
        weir_dump_node(dump, NULL);
        return;
    }
    const void *group = weir_config_decode_component(config, entry, table, problems);
    if (table)
        weir_options_dump(table, group, dump);
    else
        weir_dump_node(dump, NULL);
}

void weir_config_print(struct weir_config *config, weir_config_find_table *find, void *context,
                       struct weir_dump *dump, struct weir_problems *problems)
{
    weir_dump_begin_map(dump);
    for (int kind = 0; kind < WEIR_KINDS; kind++) {
        const struct weir_entries *entries = &config->entries[kind];
        if (entries->count == 0)
            continue;
        key(dump, model_section_name((enum weir_kind)kind));
        weir_dump_begin_map(dump);
        for (size_t i = 0; i < entries->count; i++)
            print_entry(config, &entries->items[i], find, context, dump, problems);
        weir_dump_end(dump);
    }
    key(dump, "service");
    weir_dump_begin_map(dump);
    print_uses("extensions", &config->extensions, dump);
    print_pipelines(config, dump);
    key(dump, "telemetry");
    telemetry_print(&config->telemetry, dump);
    weir_dump_end(dump);
    weir_dump_end(dump);
}
