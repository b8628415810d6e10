// SPDX-License-Identifier: Apache-2.0
/*
 * Loads a configuration: every --config and --set retrieved, merged and expanded.
 */
#include <config.h>

#include <stdlib.h>

#include "core/config/config.h"
#include "core/config/expand.h"
#include "core/config/model.h"
#include "core/config/merge.h"
#include "sdk/yaml/yaml.h"

#define NO_MAP "retrieved value (type=%s) cannot be used as a Conf"
#define NO_YAML                                                                                            \
    "retrieved value (type=string) cannot be used as a Conf: assuming string type since contents are not " \
    "valid YAML: "

struct loader {
    struct weir_config *config;
    const struct weir_config_source *source;
    struct provider provider;
    struct weir_problems *problems;
    struct weir_node *root;
    bool in_folder;  /* the texts are drop-ins: they add to lists, they do not replace them */
    bool incomplete; /* a text could not be read: what it holds would only be reported as missing */
};

/* Lays one retrieved text over what is there. */
static void add_text(struct loader *loader, struct weir_str text, struct yaml_source source)
{
    struct weir_node *node = yaml_read(&loader->config->arena, text, source, NO_YAML, loader->problems);
    loader->incomplete = loader->incomplete || !node;
    if (!node)
        return;
    if (node->type == WEIR_NODE_NULL)
        node->type = WEIR_NODE_MAP; /* an empty text says nothing */
    if (node->type != WEIR_NODE_MAP) {
        weir_problem_add(loader->problems, node->place, "", NO_MAP, weir_node_type_name(node->type));
        loader->incomplete = true;
        return;
    }
    struct merge_rules rules = { .append_lists = loader->in_folder || loader->source->gates.append_lists };
    if (loader->root)
        tree_merge(loader->root, node, &rules);
    else
        loader->root = node;
}

/* What the places of a text's nodes call it: a file by its path, all else by its URI. */
static const char *source_name(struct loader *loader, const struct uri *uri, const char *whole)
{
    struct weir_str name = uri->scheme == SCHEME_FILE ? uri->rest : weir_str_of(whole);
    return tree_copy_text(&loader->config->arena, name).data;
}

static void miss(struct loader *loader, const struct weir_error *error)
{
    loader->incomplete = true;
    weir_problem_add(loader->problems, (struct weir_place){ NULL, 0, 0 }, "",
                     "cannot retrieve the configuration: %s", weir_error_text(error));
}

static void add_provided(struct loader *loader, const struct uri *uri, const char *text)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct provided provided = { 0 };
    if (provider_get(&loader->provider, uri, weir_str_of(text), &provided, &error) < 0) {
        miss(loader, &error);
    } else {
        if (provided.unset)
            weir_warning_add(loader->problems, (struct weir_place){ NULL, 0, 0 }, "",
                             "Configuration references unset environment variable \"%.*s\"",
                             WEIR_STR_ARG(uri->rest));
        struct yaml_source source = { source_name(loader, uri, text), uri->scheme != SCHEME_YAML };
        add_text(loader, provided.text, source);
    }
    weir_error_free(&error);
}

static void add_file(const char *path, void *argument)
{
    const struct uri uri = { SCHEME_FILE, WEIR_STR("file"), weir_str_of(path) };
    add_provided(argument, &uri, path);
}

/* An empty folder is a configuration that says nothing. */
static void add_folder(struct loader *loader, const char *path)
{
    struct weir_error error = WEIR_ERROR_INIT;
    add_text(loader, WEIR_STR(""), (struct yaml_source){ path, true });
    loader->in_folder = true;
    if (folder_each(path, add_file, loader, &error) < 0)
        miss(loader, &error);
    loader->in_folder = false;
    weir_error_free(&error);
}

static void add_uri(struct loader *loader, const char *text)
{
    struct uri uri = uri_parse(weir_str_of(text));
    if (uri.scheme == SCHEME_NONE)
        uri.scheme = SCHEME_FILE;
    if (uri.scheme == SCHEME_UNKNOWN) {
        loader->incomplete = true;
        weir_problem_add(
            loader->problems, (struct weir_place){ NULL, 0, 0 }, "",
            "unsupported scheme on URI \"%s\", expected file:, dir:, env:, yaml:, http: or https:", text);
    } else if (uri.scheme == SCHEME_DIR && !loader->provider.closed) {
        add_folder(loader, tree_copy_text(&loader->config->arena, uri.rest).data);
    } else {
        add_provided(loader, &uri, text);
    }
}

/* a.b=c is yaml:a::b: c */
static void add_set(struct loader *loader, const char *set)
{
    struct yaml_source source = { weir_xasprintf("--set %s", set), false };
    char *name = (char *)(uintptr_t)source.name;
    source.name = tree_copy_text(&loader->config->arena, weir_str_of(name)).data;
    free(name);
    const char *equal = strchr(set, '=');
    if (!equal) {
        weir_problem_add(loader->problems, (struct weir_place){ source.name, 0, 0 }, "",
                         "missing equal sign");
        return;
    }
    struct weir_text text = { 0 };
    for (const char *c = set; c < equal; c++) {
        if (*c == '.')
            weir_text_adds(&text, "::");
        else
            weir_text_addc(&text, *c);
    }
    weir_text_addf(&text, ": %s", equal + 1);
    add_text(loader, weir_text_view(&text), source);
    weir_text_free(&text);
}

struct weir_config *weir_config_load(const struct weir_config_source *source, struct weir_problems *problems)
{
    struct weir_config *config = weir_xcalloc(1, sizeof(*config));
    struct loader loader = { .config = config, .source = source, .problems = problems };
    loader.provider = (struct provider){ .arena = &config->arena, .closed = source->closed };
    config->references = 1;
    config->gates = source->gates;

    if (source->uri_count == 0)
        weir_problem_add(problems, (struct weir_place){ NULL, 0, 0 }, "",
                         "at least one config flag must be provided");
    for (size_t i = 0; i < source->uri_count; i++)
        add_uri(&loader, source->uris[i]);
    for (size_t i = 0; i < source->set_count; i++)
        add_set(&loader, source->sets[i]);
    if (loader.root)
        expand_tree(&loader.provider, loader.root, problems);
    config->root = loader.root;
    if (source->uri_count > 0 && !loader.incomplete)
        model_build(config, problems);
    else
        telemetry_decode(NULL, &config->arena, &config->telemetry, problems);
    return config;
}

struct weir_config *weir_config_ref(struct weir_config *config)
{
    config->references++;
    return config;
}

void weir_config_free(struct weir_config *config)
{
    if (!config || --config->references > 0)
        return;
    weir_arena_free(&config->arena);
    free(config);
}

const struct weir_entry *weir_config_find(const struct weir_config *config, enum weir_kind kind,
                                          const char *id)
{
    const struct weir_entries *entries = &config->entries[kind];
    for (size_t i = 0; i < entries->count; i++) {
        if (strcmp(entries->items[i].id.text, id) == 0)
            return &entries->items[i];
    }
    return NULL;
}

void *weir_config_decode_component(struct weir_config *config, const struct weir_entry *entry,
                                   const struct weir_option_table *table, struct weir_problems *problems)
{
    static const struct weir_option no_options[] = { WEIR_OPTION_END };
    static const struct weir_option_table no_table = { no_options, 1, NULL };
    if (!table)
        table = &no_table;
    void *group = tree_must(weir_arena_calloc(&config->arena, 1, table->size));
    (void)weir_options_decode(table, entry->node, entry->path, group, &config->arena, problems);
    return group;
}
