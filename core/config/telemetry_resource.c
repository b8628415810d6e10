// SPDX-License-Identifier: Apache-2.0
/*
 * service::telemetry::resource: attributes of the collector itself.
 */
#include <config.h>

#include "core/config/telemetry_parts.h"
#include "sdk/yaml/tree.h"

#define PATH "service::telemetry::resource"

struct attribute {
    char *name;
    struct weir_subtree value;
    int type;
};

/* The types that a value may be said to have; what the YAML says counts. */
static const struct weir_option_value types[] = {
    { "", 0 },           { "string", 1 },    { "bool", 2 },
    { "int", 3 },        { "double", 4 },    { "string_array", 5 },
    { "bool_array", 6 }, { "int_array", 7 }, { "double_array", 8 },
    { NULL, 0 },
};
static const struct weir_option attribute_options[] = {
    WEIR_OPTION(struct attribute, name, "name", .required = true, .doc = "Name of the attribute."),
    WEIR_OPTION(struct attribute, value, "value", .required = true,
                .doc = "Its value: a scalar or a list of scalars."),
    WEIR_OPTION(struct attribute, type, "type", .preset = "", .values = types, .doc = "What the value is."),
    WEIR_OPTION_END,
};
static const struct weir_option_table attribute_table = { attribute_options, sizeof(struct attribute), NULL };

struct resource {
    struct weir_groups attributes;
    char *schema_url;
};

static const struct weir_option resource_options[] = {
    WEIR_OPTION_LIST(struct resource, attributes, "attributes", &attribute_table,
                     .doc = "Attributes of the collector."),
    WEIR_OPTION(struct resource, schema_url, "schema_url", .doc = "Schema that the attributes follow."),
    WEIR_OPTION_IGNORED("detectors", "resource detectors have no effect"),
    WEIR_OPTION_IGNORED("detection/development", "resource detection has no effect"),
    WEIR_OPTION_REFUSED("attributes_list", "attributes_list is not supported; use attributes"),
    WEIR_OPTION_END,
};
static const struct weir_option_table resource_table = { resource_options, sizeof(struct resource), NULL };

static bool is_declarative_key(struct weir_str key)
{
    for (const struct weir_option *row = resource_options; row->key; row++) {
        if (weir_str_is(key, row->key))
            return true;
    }
    return false;
}

static void add(struct weir_telemetry *out, const char *name, const struct weir_node *value)
{
    out->attributes[out->attribute_count++] = (struct weir_telemetry_attribute){ name, value };
}

/* attributes: [{name, value}] */
static void read_declarative(const struct weir_node *node, struct weir_arena *arena,
                             struct weir_telemetry *out, struct weir_problems *problems)
{
    struct resource resource;
    (void)weir_options_decode(&resource_table, node, PATH, &resource, arena, problems);
    out->schema_url = resource.schema_url;
    out->attributes =
        tree_must(weir_arena_calloc(arena, resource.attributes.count + 1, sizeof(*out->attributes)));
    const struct attribute *attributes = resource.attributes.items;
    for (size_t i = 0; i < resource.attributes.count; i++) {
        const struct weir_node *value = attributes[i].value.node;
        if (!value || value->broken)
            continue;
        bool good = value->type != WEIR_NODE_MAP;
        for (const struct weir_node *item = value->first; item; item = item->next)
            good = good && item->type != WEIR_NODE_MAP && item->type != WEIR_NODE_LIST;
        if (good)
            add(out, attributes[i].name, value);
        else
            weir_problem_add(problems, value->place, PATH "::attributes",
                             "the value of \"%s\" must be a scalar or a list of scalars", attributes[i].name);
    }
}

/* key: "text"; null removes an attribute that is there by default */
static void read_flat(const struct weir_node *node, struct weir_arena *arena, struct weir_telemetry *out,
                      struct weir_problems *problems)
{
    out->flat = true;
    out->attributes = tree_must(weir_arena_calloc(arena, node->count + 1, sizeof(*out->attributes)));
    for (const struct weir_node *child = node->first; child; child = child->next) {
        if (child->broken)
            continue;
        if (is_declarative_key(child->key))
            weir_problem_add(
                problems, child->key_place, PATH,
                "\"%s\" cannot stand beside attributes in the older form, \"key: value\"; write all of "
                "them as attributes: [{name: ..., value: ...}]",
                child->key.data);
        else if (child->type == WEIR_NODE_NULL && !child->expanded)
            add(out, child->key.data, NULL);
        else if (child->type == WEIR_NODE_STRING || child->expanded)
            add(out, child->key.data, child);
        else
            weir_problem_add(problems, child->place, PATH,
                             "legacy resource attribute \"%s\" must be string or null", child->key.data);
    }
}

void telemetry_resource(const struct weir_node *node, struct weir_arena *arena, struct weir_telemetry *out,
                        struct weir_problems *problems)
{
    if (!node || node->type == WEIR_NODE_NULL || node->broken)
        return;
    if (node->type != WEIR_NODE_MAP) {
        weir_problem_add(problems, node->place, PATH, "expected a map or struct, got \"%s\"",
                         weir_node_type_name(node->type));
        return;
    }
    bool declarative = true;
    for (const struct weir_node *child = node->first; child; child = child->next)
        declarative = declarative && is_declarative_key(child->key);
    if (declarative)
        read_declarative(node, arena, out, problems);
    else
        read_flat(node, arena, out, problems);
}
