// SPDX-License-Identifier: Apache-2.0
/* JSON text into a config tree, and that into a component's options. */
#include <config.h>

#include <weir/json.h>

#include "sdk/harness/options.h"

static const struct weir_place place = { "test", 1, 1 };

static bool read_value(struct weir_json *json, struct weir_arena *arena, struct weir_node *node);

static struct weir_node *add_child(struct weir_arena *arena, struct weir_node *parent)
{
    struct weir_node *child = weir_arena_calloc(arena, 1, sizeof *child);
    if (!child)
        return NULL;
    child->place = child->key_place = place;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
    return child;
}

static bool read_map(struct weir_json *json, struct weir_arena *arena, struct weir_node *node)
{
    struct weir_str key;
    node->type = WEIR_NODE_MAP;
    if (!weir_json_object(json))
        return false;
    while (weir_json_member(json, &key)) {
        struct weir_node *child = add_child(arena, node);
        child->key = weir_arena_copy(arena, key);
        if (!read_value(json, arena, child))
            return false;
    }
    return !weir_json_failed(json);
}

static bool read_list(struct weir_json *json, struct weir_arena *arena, struct weir_node *node)
{
    node->type = WEIR_NODE_LIST;
    if (!weir_json_array(json))
        return false;
    while (weir_json_element(json))
        if (!read_value(json, arena, add_child(arena, node)))
            return false;
    return !weir_json_failed(json);
}

static bool read_number(struct weir_json *json, struct weir_arena *arena, struct weir_node *node)
{
    struct weir_str text;
    if (!weir_json_number(json, &text))
        return false;
    node->raw = weir_arena_copy(arena, text);
    node->type = weir_str_to_i64(text, &node->integer) ? WEIR_NODE_INT : WEIR_NODE_DOUBLE;
    return node->type == WEIR_NODE_INT || weir_json_parse_double(text, &node->number);
}

static bool read_string(struct weir_json *json, struct weir_arena *arena, struct weir_node *node)
{
    struct weir_str text;
    node->type = WEIR_NODE_STRING;
    if (!weir_json_string(json, &text))
        return false;
    node->text = node->raw = weir_arena_copy(arena, text);
    return true;
}

/* Recursion ends at the reader's depth cap. */
static bool read_value(struct weir_json *json, struct weir_arena *arena, struct weir_node *node)
{
    switch (weir_json_type(json)) {
    case WEIR_JSON_OBJECT:
        return read_map(json, arena, node);
    case WEIR_JSON_ARRAY:
        return read_list(json, arena, node);
    case WEIR_JSON_STRING:
        return read_string(json, arena, node);
    case WEIR_JSON_NUMBER:
        return read_number(json, arena, node);
    case WEIR_JSON_BOOL:
        node->type = WEIR_NODE_BOOL;
        return weir_json_bool(json, &node->boolean);
    default:
        node->type = WEIR_NODE_NULL;
        return weir_json_null(json);
    }
}

static int read_options(const char *text, struct weir_arena *arena, struct weir_node *root, struct weir_error *error)
{
    struct weir_json json;
    weir_json_start(&json, text, strlen(text), arena, 32);
    root->place = place;
    if (read_value(&json, arena, root) && weir_json_finish(&json))
        return 0;
    return weir_json_error(&json, error);
}

int harness_decode(const struct weir_component *component, const char *text, struct weir_arena *arena, void **out,
                   struct weir_error *error)
{
    struct weir_problems problems = { 0 };
    struct weir_node *root = weir_arena_calloc(arena, 1, sizeof *root);
    if (text && read_options(text, arena, root, error) != 0)
        return -1;
    if (component->options) {
        *out = weir_arena_calloc(arena, 1, component->options->size);
        weir_options_decode(component->options, text ? root : NULL, component->type, *out, arena, &problems);
    }
    int result = problems.errors == 0 ? 0 : -1;
    if (result != 0) {
        struct weir_text all = { 0 };
        weir_problems_print(&problems, &all);
        weir_error_set(error, "%s", weir_text_string(&all));
        weir_text_free(&all);
    }
    weir_problems_free(&problems);
    return result;
}
