// SPDX-License-Identifier: Apache-2.0
/*
 * Config trees: making, copying, and keys with "::" in them.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "sdk/yaml/tree.h"

void *tree_must(void *piece)
{
    if (!piece) {
        fputs("weir: out of memory while reading the configuration\n", stderr);
        abort();
    }
    return piece;
}

struct weir_node *tree_new(struct weir_arena *arena, enum weir_node_type type, struct weir_place place)
{
    struct weir_node *node = tree_must(weir_arena_calloc(arena, 1, sizeof(*node)));
    node->type = type;
    node->place = place;
    node->raw = WEIR_STR("");
    node->text = WEIR_STR("");
    return node;
}

struct weir_str tree_copy_text(struct weir_arena *arena, struct weir_str text)
{
    struct weir_str copy = weir_arena_copy(arena, text);
    (void)tree_must((void *)(uintptr_t)copy.data);
    return copy;
}

void tree_append(struct weir_node *parent, struct weir_node *child)
{
    child->next = NULL;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

struct weir_node *tree_find(struct weir_node *map, struct weir_str key)
{
    for (struct weir_node *child = map->first; child; child = child->next) {
        if (weir_str_equal(child->key, key))
            return child;
    }
    return NULL;
}

void tree_become(struct weir_node *node, const struct weir_node *from)
{
    struct weir_node old = *node;
    *node = *from;
    node->key = old.key;
    node->key_place = old.key_place;
    node->next = old.next;
}

struct weir_node *tree_copy(struct weir_arena *arena, const struct weir_node *node, unsigned depth,
                            size_t *budget)
{
    if (depth > TREE_DEPTH_MAX || *budget == 0)
        return NULL;
    (*budget)--;
    struct weir_node *copy = tree_new(arena, node->type, node->place);
    *copy = *node;
    copy->first = copy->last = copy->next = NULL;
    copy->count = 0;
    for (const struct weir_node *child = node->first; child; child = child->next) {
        struct weir_node *made = tree_copy(arena, child, depth + 1, budget);
        if (!made)
            return NULL;
        tree_append(copy, made);
    }
    return copy;
}

unsigned tree_depth(const struct weir_node *node)
{
    unsigned deepest = 0;
    for (const struct weir_node *child = node->first; child; child = child->next) {
        unsigned depth = tree_depth(child) + 1;
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

/* Adds a child whose key is a single name; maps that are there already take in its children. */
static void insert(struct weir_node *map, struct weir_node *child, struct weir_problems *problems)
{
    struct weir_node *there = tree_find(map, child->key);
    if (!there) {
        tree_append(map, child);
    } else if (there->type == WEIR_NODE_MAP && child->type == WEIR_NODE_MAP) {
        for (struct weir_node *next, *grandchild = child->first; grandchild; grandchild = next) {
            next = grandchild->next;
            insert(there, grandchild, problems);
        }
    } else {
        weir_problem_add(problems, child->key_place, "", "mapping key \"%s\" already defined at line %u",
                         child->key.data, there->key_place.line);
    }
}

/* Counts the names in a key; 1 if it is a plain name or one of its parts is empty. */
static size_t count_parts(const char *key)
{
    size_t count = 1;
    for (const char *end = strstr(key, "::"); end; end = strstr(key, "::")) {
        if (end == key || end[2] == '\0')
            return 1;
        key = end + 2;
        count++;
    }
    return count;
}

/* Puts the child below maps for all but the last name of its key. */
static struct weir_node *nest(struct weir_arena *arena, struct weir_node *child)
{
    struct weir_node *outer = NULL;
    struct weir_node *inner = NULL;
    const char *key = child->key.data;
    for (const char *end = strstr(key, "::"); end; end = strstr(key, "::")) {
        struct weir_node *map = tree_new(arena, WEIR_NODE_MAP, child->key_place);
        map->key = tree_copy_text(arena, weir_str_make(key, (size_t)(end - key)));
        map->key_place = child->key_place;
        if (inner)
            tree_append(inner, map);
        else
            outer = map;
        inner = map;
        key = end + 2;
    }
    child->key = tree_copy_text(arena, weir_str_of(key));
    tree_append(inner, child);
    return outer;
}

void tree_split_keys(struct weir_arena *arena, struct weir_node *map, struct weir_problems *problems)
{
    enum { PARTS_MAX = 32 };
    bool any = false;
    for (const struct weir_node *child = map->first; child; child = child->next)
        any = any || strstr(child->key.data, "::");
    if (!any)
        return;
    struct weir_node *child = map->first;
    map->first = map->last = NULL;
    map->count = 0;
    for (struct weir_node *next; child; child = next) {
        next = child->next;
        size_t parts = count_parts(child->key.data);
        if (parts > PARTS_MAX)
            weir_problem_add(problems, child->key_place, "", "key with more than %d parts", PARTS_MAX);
        else
            insert(map, parts > 1 ? nest(arena, child) : child, problems);
    }
}
