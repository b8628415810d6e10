// SPDX-License-Identifier: Apache-2.0
/*
 * YAML text to config trees, over the events of libyaml.
 */
#include <config.h>

#include <yaml.h>

#include "sdk/yaml/scalar.h"
#include "sdk/yaml/yaml.h"

/* Nodes that aliases and merge keys may copy in one document, so that a few lines cannot fill the memory. */
enum { ALIAS_NODES_MAX = 100000 };

struct anchor {
    struct weir_str name;
    struct weir_node *node;
    bool open; /* its node is still being read */
    struct anchor *next;
};

struct reader {
    yaml_parser_t parser;
    struct weir_arena *arena;
    struct yaml_source source;
    const char *complaint;
    struct weir_problems *problems;
    struct anchor *anchors; /* the last one first */
    size_t budget;
};

static struct weir_place place_of(const struct reader *reader, yaml_mark_t mark)
{
    if (!reader->source.lines)
        return (struct weir_place){ reader->source.name, 0, 0 };
    return (struct weir_place){ reader->source.name, (unsigned)mark.line + 1, (unsigned)mark.column + 1 };
}

static void fail_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    bool reading = parser->error == YAML_READER_ERROR;
    struct weir_place place = place_of(reader, reading ? parser->mark : parser->problem_mark);
    const char *problem = parser->problem ? parser->problem : "out of memory";
    /* Where the scanner stands is what it could not read. */
    bool tab = parser->error == YAML_SCANNER_ERROR && parser->buffer.pointer < parser->buffer.last &&
               *parser->buffer.pointer == '\t';
    if (parser->context && !reading)
        weir_problem_add(reader->problems, place, "", "%syaml: line %zu: %s (%s that starts at line %zu)%s",
                         reader->complaint, parser->problem_mark.line + 1, problem, parser->context,
                         parser->context_mark.line + 1, tab ? ": a tab, where YAML takes only spaces" : "");
    else
        weir_problem_add(reader->problems, place, "", "%syaml: %s", reader->complaint, problem);
}

static bool next_event(struct reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event))
        return true;
    fail_syntax(reader);
    return false;
}

static void remember(struct reader *reader, const yaml_char_t *name, struct weir_node *node)
{
    struct anchor *anchor = weir_arena_calloc(reader->arena, 1, sizeof(*anchor));
    if (!name || !anchor)
        return;
    anchor->name = tree_copy_text(reader->arena, weir_str_of((const char *)name));
    anchor->node = node;
    anchor->open = true;
    anchor->next = reader->anchors;
    reader->anchors = anchor;
}

/* The newest anchor of that name counts: YAML lets a later one take the place of an earlier one. */
static struct anchor *find_anchor(struct reader *reader, const char *name)
{
    struct anchor *anchor = reader->anchors;
    while (anchor && !weir_str_is(anchor->name, name))
        anchor = anchor->next;
    return anchor;
}

static void close_anchor(struct reader *reader, const struct weir_node *node)
{
    for (struct anchor *anchor = reader->anchors; anchor; anchor = anchor->next) {
        if (anchor->node == node)
            anchor->open = false;
    }
}

static struct weir_node *read_alias(struct reader *reader, const yaml_event_t *event, unsigned depth)
{
    const char *name = (const char *)event->data.alias.anchor;
    struct weir_place place = place_of(reader, event->start_mark);
    const struct anchor *anchor = find_anchor(reader, name);
    if (!anchor) {
        weir_problem_add(reader->problems, place, "", "%syaml: unknown anchor '%s' referenced",
                         reader->complaint, name);
        return NULL;
    }
    if (anchor->open) {
        weir_problem_add(reader->problems, place, "", "%syaml: anchor '%s' value contains itself",
                         reader->complaint, name);
        return NULL;
    }
    struct weir_node *copy = tree_copy(reader->arena, anchor->node, depth, &reader->budget);
    if (!copy) {
        weir_problem_add(reader->problems, place, "", "%syaml: document contains excessive aliasing",
                         reader->complaint);
        return NULL;
    }
    copy->key = WEIR_STR_NONE;
    return copy;
}

/* Makes a node what its explicit tag says; a tag of the user's own leaves a string. */
static void apply_tag(struct reader *reader, struct weir_node *node, const char *tag)
{
    static const struct {
        const char *tag;
        enum weir_node_type type;
    } known[] = {
        { YAML_NULL_TAG, WEIR_NODE_NULL },  { YAML_BOOL_TAG, WEIR_NODE_BOOL },
        { YAML_INT_TAG, WEIR_NODE_INT },    { YAML_FLOAT_TAG, WEIR_NODE_DOUBLE },
        { YAML_STR_TAG, WEIR_NODE_STRING }, { YAML_TIMESTAMP_TAG, WEIR_NODE_TIMESTAMP },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(known); i++) {
        if (strcmp(tag, known[i].tag) != 0 || known[i].type == WEIR_NODE_STRING)
            continue;
        scalar_resolve(node);
        if (known[i].type == WEIR_NODE_DOUBLE && node->type == WEIR_NODE_INT) {
            node->type = WEIR_NODE_DOUBLE;
            node->number = (double)node->integer;
        }
        if (node->type != known[i].type)
            weir_problem_add(reader->problems, node->place, "", "yaml: cannot decode `%.*s` as a %s",
                             WEIR_STR_ARG(node->raw), tag);
        return;
    }
    if (strcmp(tag, "tag:yaml.org,2002:binary") == 0)
        weir_problem_add(reader->problems, node->place, "", "yaml: the tag !!binary is not supported");
}

static struct weir_node *read_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct weir_node *node = tree_new(reader->arena, WEIR_NODE_STRING, place_of(reader, event->start_mark));
    const char *tag = (const char *)event->data.scalar.tag;
    node->raw = tree_copy_text(
        reader->arena, weir_str_make((const char *)event->data.scalar.value, event->data.scalar.length));
    node->text = node->raw;
    if (memchr(node->raw.data, '\0', node->raw.length + 1) != node->raw.data + node->raw.length)
        weir_problem_add(reader->problems, node->place, "", "yaml: a value must not hold the character NUL");
    else if (tag && strcmp(tag, "!") != 0)
        apply_tag(reader, node, tag);
    else if (!tag && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        scalar_resolve(node);
    remember(reader, event->data.scalar.anchor, node);
    close_anchor(reader, node);
    return node;
}

static struct weir_node *read_node(struct reader *reader, const yaml_event_t *event, unsigned depth);

static struct weir_node *read_list(struct reader *reader, const yaml_event_t *start, unsigned depth)
{
    struct weir_node *list = tree_new(reader->arena, WEIR_NODE_LIST, place_of(reader, start->start_mark));
    remember(reader, start->data.sequence_start.anchor, list);
    for (;;) {
        yaml_event_t event;
        if (!next_event(reader, &event))
            return NULL;
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        struct weir_node *item = end ? NULL : read_node(reader, &event, depth + 1);
        yaml_event_delete(&event);
        if (end)
            break;
        if (!item)
            return NULL;
        tree_append(list, item);
    }
    close_anchor(reader, list);
    return list;
}

/* Adds what "<<" brings to a map: keys that the map has already, or an earlier merge brought, stay. */
static void merge_into(struct reader *reader, struct weir_node *map, struct weir_node *value)
{
    if (value->type == WEIR_NODE_LIST) {
        for (struct weir_node *next, *item = value->first; item; item = next) {
            next = item->next;
            if (item->type == WEIR_NODE_MAP)
                merge_into(reader, map, item);
            else
                weir_problem_add(reader->problems, item->place, "",
                                 "yaml: map merge requires map or sequence of "
                                 "maps as the value");
        }
        return;
    }
    if (value->type != WEIR_NODE_MAP) {
        weir_problem_add(reader->problems, value->place, "",
                         "yaml: map merge requires map or sequence of maps as the value");
        return;
    }
    for (struct weir_node *next, *child = value->first; child; child = next) {
        next = child->next;
        if (!tree_find(map, child->key))
            tree_append(map, child);
    }
}

/* Reads a key; false if it cannot be one. */
static bool read_key(struct reader *reader, const yaml_event_t *event, struct weir_node *map, bool *merge,
                     struct weir_str *key)
{
    struct weir_place place = place_of(reader, event->start_mark);
    *merge = false;
    if (event->type == YAML_ALIAS_EVENT) {
        const struct anchor *anchor = find_anchor(reader, (const char *)event->data.alias.anchor);
        if (anchor && anchor->node->type != WEIR_NODE_LIST && anchor->node->type != WEIR_NODE_MAP) {
            *key = anchor->node->raw;
            return true;
        }
    }
    if (event->type != YAML_SCALAR_EVENT) {
        weir_problem_add(reader->problems, place, "", "yaml: a key must be a text, not a list or a map");
        return false;
    }
    struct weir_node *scalar = read_scalar(reader, event);
    *key = scalar->raw;
    *merge = weir_str_is(*key, "<<") && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    const struct weir_node *there = *merge ? NULL : tree_find(map, *key);
    if (there)
        weir_problem_add(reader->problems, place, "", "mapping key \"%.*s\" already defined at line %u",
                         WEIR_STR_ARG(*key), there->key_place.line);
    return true;
}

/* Reads one key with its value into the map; false if the text cannot be read any further. `*end`: no more.
 */
static bool read_entry(struct reader *reader, struct weir_node *map, struct weir_node *merges, unsigned depth,
                       bool *end)
{
    yaml_event_t event;
    if (!next_event(reader, &event))
        return false;
    *end = event.type == YAML_MAPPING_END_EVENT;
    struct weir_place key_place = place_of(reader, event.start_mark);
    struct weir_str key = WEIR_STR_NONE;
    bool merge = false;
    bool good = *end || read_key(reader, &event, map, &merge, &key);
    yaml_event_delete(&event);
    if (*end || !good || !next_event(reader, &event))
        return *end;

    struct weir_node *value = read_node(reader, &event, depth + 1);
    yaml_event_delete(&event);
    if (!value)
        return false;
    value->key = key;
    value->key_place = key_place;
    if (merge)
        tree_append(merges, value);
    else if (!tree_find(map, key))
        tree_append(map, value);
    return true;
}

static struct weir_node *read_map(struct reader *reader, const yaml_event_t *start, unsigned depth)
{
    struct weir_node *map = tree_new(reader->arena, WEIR_NODE_MAP, place_of(reader, start->start_mark));
    struct weir_node merges = { .type = WEIR_NODE_LIST };
    remember(reader, start->data.mapping_start.anchor, map);
    for (bool end = false; !end;) {
        if (!read_entry(reader, map, &merges, depth, &end))
            return NULL;
    }
    for (struct weir_node *next, *value = merges.first; value; value = next) {
        next = value->next;
        merge_into(reader, map, value);
    }
    tree_split_keys(reader->arena, map, reader->problems);
    close_anchor(reader, map);
    return map;
}

static struct weir_node *read_node(struct reader *reader, const yaml_event_t *event, unsigned depth)
{
    if (depth > TREE_DEPTH_MAX) {
        weir_problem_add(reader->problems, place_of(reader, event->start_mark), "",
                         "%syaml: nested deeper than %d levels", reader->complaint, TREE_DEPTH_MAX);
        return NULL;
    }
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        return read_list(reader, event, depth);
    case YAML_MAPPING_START_EVENT:
        return read_map(reader, event, depth);
    default:
        return read_alias(reader, event, depth);
    }
}

static struct weir_node *read_document(struct reader *reader)
{
    struct weir_place start = { reader->source.name, reader->source.lines, reader->source.lines };
    for (;;) {
        yaml_event_t event;
        if (!next_event(reader, &event))
            return NULL;
        yaml_event_type_t type = event.type;
        struct weir_node *root = NULL;
        if (type == YAML_STREAM_END_EVENT)
            root = tree_new(reader->arena, WEIR_NODE_NULL, start);
        else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT)
            root = read_node(reader, &event, 0);
        yaml_event_delete(&event);
        if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT)
            return root;
    }
}

struct weir_node *yaml_read(struct weir_arena *arena, struct weir_str text, struct yaml_source source,
                            const char *complaint, struct weir_problems *problems)
{
    struct reader reader = { .arena = arena,
                             .source = source,
                             .complaint = complaint,
                             .problems = problems,
                             .budget = ALIAS_NODES_MAX };
    if (!yaml_parser_initialize(&reader.parser)) {
        weir_problem_add(problems, (struct weir_place){ source.name, 0, 0 }, "", "out of memory");
        return NULL;
    }
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)(text.data ? text.data : ""),
                                 text.length);
    struct weir_node *root = read_document(&reader);
    yaml_parser_delete(&reader.parser);

    if (root && tree_depth(root) > TREE_DEPTH_MAX) {
        weir_problem_add(problems, root->place, "", "%syaml: nested deeper than %d levels", complaint,
                         TREE_DEPTH_MAX);
        return NULL;
    }
    return root;
}
