// SPDX-License-Identifier: Apache-2.0
/*
 * What must fit together in a configuration: references and pipelines.
 */
#include <config.h>

#include "core/config/model.h"

struct check {
    const struct weir_config *config;
    struct weir_problems *problems;
};

/* Gives weir_nearest_name the ids of one or two kinds. */
struct candidates {
    const struct weir_config *config;
    enum weir_kind kinds[2];
    size_t kind;
    size_t index;
};

static const char *next_candidate(void *cursor)
{
    struct candidates *candidates = cursor;
    for (; candidates->kind < 2; candidates->kind++, candidates->index = 0) {
        const struct weir_entries *entries =
            &candidates->config->entries[candidates->kinds[candidates->kind]];
        if (candidates->index < entries->count)
            return entries->items[candidates->index++].id.text;
    }
    return NULL;
}

/* The section that has a component of this name; NULL if none has. */
static const char *section_with(const struct weir_config *config, const char *id)
{
    for (int kind = 0; kind < WEIR_KINDS; kind++)
        if (weir_config_find(config, (enum weir_kind)kind, id))
            return model_section_name((enum weir_kind)kind);
    return NULL;
}

/* Reports each use of what neither kind has. */
static void check_uses(const struct check *check, const struct weir_uses *uses, const char *path,
                       const char *what, enum weir_kind kind, enum weir_kind other)
{
    for (size_t i = 0; i < uses->count; i++) {
        const struct weir_use *use = &uses->items[i];
        if (weir_config_find(check->config, kind, use->id.text) ||
            weir_config_find(check->config, other, use->id.text))
            continue;
        struct candidates candidates = { check->config, { kind, other }, 0, 0 };
        const char *nearest = weir_nearest_name(use->id.text, next_candidate, &candidates);
        const char *section = section_with(check->config, use->id.text);
        if (section)
            weir_problem_add(check->problems, use->place, path,
                             "references %s \"%s\" which is not configured (it stands among the %s)", what,
                             use->id.text, section);
        else
            weir_problem_add(check->problems, use->place, path,
                             "references %s \"%s\" which is not configured%s%s%s", what, use->id.text,
                             nearest ? " (did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?)" : "");
    }
}

static void check_ambiguous(const struct check *check)
{
    static const struct {
        enum weir_kind kind;
        const char *name;
    } others[] = { { WEIR_EXPORTER, "exporter" }, { WEIR_RECEIVER, "receiver" } };
    const struct weir_entries *connectors = &check->config->entries[WEIR_CONNECTOR];
    for (size_t i = 0; i < connectors->count; i++) {
        const struct weir_entry *connector = &connectors->items[i];
        const char *id = connector->id.text;
        for (size_t j = 0; j < WEIR_ARRAY_LENGTH(others); j++) {
            if (weir_config_find(check->config, others[j].kind, id))
                weir_problem_add(check->problems, connector->place, connector->path,
                                 "ambiguous ID: Found both \"%s\" %s and \"%s\" connector. Change one of the "
                                 "components' IDs to eliminate ambiguity (e.g. rename \"%s\" connector to "
                                 "\"%s/connector\")",
                                 id, others[j].name, id, id, id);
        }
    }
}

/* False for what has been reported as no map. */
static bool is_map_or_null(const struct weir_node *node)
{
    return !node || (!node->broken && (node->type == WEIR_NODE_NULL || node->type == WEIR_NODE_MAP));
}

/* Lists that were given but could not be read have been reported. */
static bool is_missing(const struct weir_node *pipeline, const char *key, const struct weir_uses *uses)
{
    const struct weir_node *list = weir_node_get(pipeline, key);
    if (uses->count > 0 || (list && list->broken))
        return false;
    return !list || list->type == WEIR_NODE_NULL || (list->type == WEIR_NODE_LIST && list->count == 0) ||
           (list->type == WEIR_NODE_STRING && list->text.length == 0);
}

static void check_pipeline(const struct check *check, const struct weir_pipeline *pipeline)
{
    const struct weir_node *node = pipeline->node;
    bool readable = is_map_or_null(node);
    if (readable && is_missing(node, "receivers", &pipeline->receivers))
        weir_problem_add(check->problems, pipeline->place, pipeline->path, "must have at least one receiver");
    if (readable && is_missing(node, "exporters", &pipeline->exporters))
        weir_problem_add(check->problems, pipeline->place, pipeline->path, "must have at least one exporter");
    check_uses(check, &pipeline->receivers, pipeline->path, "receiver", WEIR_RECEIVER, WEIR_CONNECTOR);
    check_uses(check, &pipeline->processors, pipeline->path, "processor", WEIR_PROCESSOR, WEIR_PROCESSOR);
    check_uses(check, &pipeline->exporters, pipeline->path, "exporter", WEIR_EXPORTER, WEIR_CONNECTOR);
}

/* True if the section was not written, or holds nothing; a misspelt one has been reported and counts as
 * written. */
static bool section_empty(const struct weir_config *config, const char *section)
{
    const struct weir_node *node = weir_node_get(config->root, section);
    for (const struct weir_node *child = config->root->first; child && !node; child = child->next) {
        const char *meant = model_nearest_section(child->key.data);
        if (meant && strcmp(meant, section) == 0)
            return false;
    }
    return !node || node->type == WEIR_NODE_NULL || (node->type == WEIR_NODE_MAP && node->count == 0);
}

static void check_sections(const struct check *check)
{
    const struct weir_config *config = check->config;
    struct weir_place place = config->root ? config->root->place : (struct weir_place){ NULL, 0, 0 };
    if (config->gates.allow_no_pipelines)
        return;
    if (section_empty(config, "receivers"))
        weir_problem_add(check->problems, place, "", "no receiver configuration specified in config");
    if (section_empty(config, "exporters"))
        weir_problem_add(check->problems, place, "", "no exporter configuration specified in config");
    const struct weir_node *service = weir_node_get(config->root, "service");
    const struct weir_node *pipelines = weir_node_get(service, "pipelines");
    bool readable = is_map_or_null(service) && is_map_or_null(pipelines);
    if (readable && (service || section_empty(config, "service")) && (!pipelines || pipelines->count == 0))
        weir_problem_add(check->problems,
                         pipelines ? pipelines->place
                         : service ? service->place
                                   : place,
                         "service::pipelines", "service must have at least one pipeline");
}

void model_check(const struct weir_config *config, struct weir_problems *problems)
{
    struct check check = { config, problems };
    if (!config->root || config->root->count == 0) {
        struct weir_place place = config->root ? config->root->place : (struct weir_place){ NULL, 0, 0 };
        weir_problem_add(problems, place, "", "empty configuration file");
        return;
    }
    check_sections(&check);
    check_ambiguous(&check);
    check_uses(&check, &config->extensions, "service::extensions", "extension", WEIR_EXTENSION,
               WEIR_EXTENSION);

    for (size_t i = 0; i < config->pipeline_count; i++)
        check_pipeline(&check, &config->pipelines[i]);
}
