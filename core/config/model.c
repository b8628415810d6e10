// SPDX-License-Identifier: Apache-2.0
/*
 * The model of a configuration: its sections and the components in them.
 */
#include <config.h>

#include <stdlib.h>

#include "core/config/model.h"

static const char *const section_names[] = { "receivers",  "processors", "exporters", "connectors",
                                             "extensions", "service",    NULL };

const char *model_section_name(enum weir_kind kind)
{
    return section_names[kind];
}

static const char *next_name(void *cursor)
{
    const char *const **next = cursor;
    return **next ? *(*next)++ : NULL;
}

const char *model_nearest_section(const char *name)
{
    const char *const *next = section_names;
    return weir_nearest_name(name, next_name, &next);
}

void model_unknown_key(const struct weir_node *child, const char *path, const char *const *known,
                       struct weir_problems *problems)
{
    const char *const *next = known;
    const char *nearest = weir_nearest_name(child->key.data, next_name, &next);
    struct weir_text hint = { 0 };
    if (nearest) {
        weir_text_addf(&hint, " (did you mean \"%s\"?)", nearest);
    } else {
        for (next = known; *next; next++)
            weir_text_addf(&hint, "%s%s", next == known ? " (known keys: " : ", ", *next);
        weir_text_addc(&hint, ')');
    }
    weir_problem_add(problems, child->key_place, path, "has invalid keys: %s%s", child->key.data,
                     weir_text_string(&hint));
    weir_text_free(&hint);
}

bool model_is_map(const struct weir_node *node, const char *path, struct weir_problems *problems)
{
    if (!node || node->type == WEIR_NODE_NULL || node->broken)
        return false;
    if (node->type == WEIR_NODE_MAP)
        return true;
    weir_problem_add(problems, node->place, path, "expected a map or struct, got \"%s\"",
                     weir_node_type_name(node->type));
    return false;
}

static const char *make_path(struct weir_arena *arena, const char *section, const char *id)
{
    char *path = weir_xasprintf("%s::%s", section, id);
    const char *copy = tree_copy_text(arena, weir_str_of(path)).data;
    free(path);
    return copy;
}

static void add_entry(struct weir_config *config, enum weir_kind kind, const struct weir_node *child,
                      struct weir_problems *problems)
{
    const char *section = section_names[kind];
    struct weir_entries *entries = &config->entries[kind];
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_id id;
    if (weir_id_parse(child->key, &config->arena, &id, &error) < 0) {
        weir_problem_add(problems, child->key_place, section, "%s", weir_error_text(&error));
        weir_error_free(&error);
        return;
    }
    if (weir_config_find(config, kind, id.text)) {
        weir_problem_add(problems, child->key_place, section, "duplicate name \"%s\"", id.text);
        return;
    }
    struct weir_entry *entry = &entries->items[entries->count++];
    entry->kind = kind;
    entry->id = id;
    entry->node = child;
    entry->place = child->key_place;
    entry->path = make_path(&config->arena, section, id.text);
}

static void add_section(struct weir_config *config, enum weir_kind kind, const struct weir_node *section,
                        struct weir_problems *problems)
{
    if (!model_is_map(section, section_names[kind], problems))
        return;
    config->entries[kind].items =
        tree_must(weir_arena_calloc(&config->arena, section->count + 1, sizeof(struct weir_entry)));
    for (const struct weir_node *child = section->first; child; child = child->next)
        add_entry(config, kind, child, problems);
}

void model_build(struct weir_config *config, struct weir_problems *problems)
{
    const struct weir_node *root = config->root;
    for (const struct weir_node *child = root ? root->first : NULL; child; child = child->next) {
        bool known = false;
        for (size_t i = 0; section_names[i]; i++)
            known = known || weir_str_is(child->key, section_names[i]);
        if (!known)
            model_unknown_key(child, "", section_names, problems);
    }
    for (int kind = 0; kind < WEIR_KINDS; kind++)
        add_section(config, (enum weir_kind)kind, weir_node_get(root, section_names[kind]), problems);
    model_service(config, weir_node_get(root, "service"), problems);
    model_check(config, problems);
}
