// SPDX-License-Identifier: Apache-2.0
/*
 * Fuzzes configurations: YAML bytes are loaded, every component is decoded with a table of all kinds of rows,
 * and what came out is printed and described. Files and HTTP are closed.
 */
#include <config.h>

#include "core/config/config.h"
#include "core/config/print.h"

struct inner {
    int64_t size;
    char *name;
};
struct element {
    char *key;
    struct weir_subtree rest;
};
struct rich {
    bool flag;
    int64_t count;
    double ratio;
    char *text;
    int mode;
    struct weir_duration timeout;
    struct weir_secret password;
    struct weir_strings names;
    struct weir_pairs labels;
    struct weir_secret_pairs headers;
    struct weir_reference storage;
    struct inner some, off, none, inlined;
    bool some_on, off_on, none_on;
    struct weir_groups list, map;
};

static const struct weir_option_value modes[] = { { "basic", 0 }, { "normal", 1 }, { NULL, 0 } };
static const struct weir_option inner_options[] = {
    WEIR_OPTION(struct inner, size, "size", .preset = "7", .min = 1, .max = 100, .doc = "Size."),
    WEIR_OPTION(struct inner, name, "name", .required = true, .doc = "Name."),
    WEIR_OPTION_END,
};
static const struct weir_option_table inner_table = { inner_options, sizeof(struct inner), NULL };
static const struct weir_option inlined_options[] = {
    WEIR_OPTION(struct inner, size, "limit", .doc = "Limit."),
    WEIR_OPTION_END,
};
static const struct weir_option_table inlined_table = { inlined_options, sizeof(struct inner), NULL };
static const struct weir_option element_options[] = {
    WEIR_OPTION(struct element, rest, "rest", .doc = "Rest."),
    WEIR_OPTION_END,
};
static const struct weir_option_table element_table = { element_options, sizeof(struct element), NULL };
static const struct weir_option rich_options[] = {
    WEIR_OPTION(struct rich, flag, "flag", .preset = "true", .doc = "Flag."),
    WEIR_OPTION(struct rich, count, "count", .preset = "3", .bounded = true, .doc = "Count."),
    WEIR_OPTION(struct rich, ratio, "ratio", .bounded = true, .max = 1, .doc = "Ratio."),
    WEIR_OPTION(struct rich, text, "text", .doc = "Text."),
    WEIR_OPTION(struct rich, mode, "mode", .values = modes, .nocase = true, .doc = "Mode."),
    WEIR_OPTION(struct rich, timeout, "timeout", .preset = "5s", .bounded = true, .doc = "Timeout."),
    WEIR_OPTION(struct rich, password, "password", .doc = "Password."),
    WEIR_OPTION(struct rich, names, "names", .preset = "a,b", .doc = "Names."),
    WEIR_OPTION(struct rich, labels, "labels", .doc = "Labels."),
    WEIR_OPTION(struct rich, headers, "headers", .doc = "Headers."),
    WEIR_OPTION(struct rich, storage, "storage", .doc = "Storage."),
    WEIR_OPTION_OPTIONAL(struct rich, some, some_on, "some", &inner_table, WEIR_SOME, .doc = "Some."),
    WEIR_OPTION_OPTIONAL(struct rich, off, off_on, "off", &inner_table, WEIR_DEFAULT_OFF, .doc = "Off."),
    WEIR_OPTION_OPTIONAL(struct rich, none, none_on, "none", &inner_table, WEIR_NONE_OFF, .doc = "None."),
    WEIR_OPTION_INLINE(struct rich, inlined, &inlined_table),
    WEIR_OPTION_LIST(struct rich, list, "list", &element_table, .doc = "List."),
    WEIR_OPTION_MAP(struct rich, map, "map", &element_table, struct element, key, .doc = "Map."),
    WEIR_OPTION_REFUSED("thrift", "thrift is not supported"),
    WEIR_OPTION_END,
};
static const struct weir_option_table rich_table = { rich_options, sizeof(struct rich), NULL };

static bool find_table(void *context, const struct weir_entry *entry, const struct weir_option_table **table)
{
    (void)context;
    (void)entry;
    *table = &rich_table;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_problems problems = { 0 };
    struct weir_text text = { 0 };
    weir_text_adds(&text, "yaml:");
    weir_text_add(&text, (const char *)data, size);
    const char *uri = weir_text_string(&text);
    struct weir_config_source source = { .uris = &uri, .uri_count = 1, .closed = true };
    source.gates.append_lists = true;
    struct weir_config *config = weir_config_load(&source, &problems);

    struct weir_text printed = { 0 };
    struct weir_dump dump = { .text = &printed, .json = size % 2 == 0 };
    weir_config_print(config, find_table, NULL, &dump, &problems);
    weir_problems_print(&problems, &printed);
    weir_text_free(&printed);
    weir_text_free(&text);
    weir_problems_free(&problems);
    weir_config_free(config);
    return 0;
}
