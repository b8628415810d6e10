// SPDX-License-Identifier: Apache-2.0
/* Extensions that components name in their options: each must run, and be of the kind that is needed. */
#include <config.h>

#include <string.h>

#include "core/graph/build.h"
#include "core/graph/node.h"

static const char *noun_of(const struct weir_reference_use *use)
{
    return use->row->noun ? use->row->noun : "extension";
}

static void check_listed(void *user, const struct weir_reference_use *use)
{
    const struct builder *b = user;
    if (!uses_include(&b->config->extensions, use->id))
        weir_problem_add(b->problems, use->place, use->path, "%s \"%s\" not found: it is not among service::extensions",
                         noun_of(use), use->id);
}

static void check_offer(void *user, const struct weir_reference_use *use)
{
    struct builder *b = user;
    const struct prepared *prepared = builder_find(b, WEIR_EXTENSION, use->id);
    const struct weir_component *component = prepared->component;
    if (use->row->interface &&
        (!component->offer || !component->offer(prepared->node->node->instance, use->row->interface)))
        weir_problem_add(b->problems, use->place, use->path, "extension \"%s\" is not a %s", use->id, noun_of(use));
}

static bool is_used(const struct plan_nodes *nodes, const struct prepared *prepared)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (nodes->items[i]->prepared == prepared)
            return true;
    return false;
}

/* An entry that no pipeline uses may name what it likes. */
static void each_reference(struct builder *b, void (*visit)(void *user, const struct weir_reference_use *use))
{
    for (int kind = 0; kind < WEIR_KINDS; kind++)
        for (size_t i = 0; i < b->config->entries[kind].count; i++) {
            const struct prepared *prepared = &b->prepared[kind][i];
            if (prepared->component && prepared->component->options &&
                (is_used(&b->nodes, prepared) || is_used(&b->extensions, prepared)))
                weir_options_references(prepared->component->options, prepared->entry->node, prepared->entry->path,
                                        prepared->options, visit, b);
        }
}

void builder_check_references(struct builder *b)
{
    each_reference(b, check_listed);
}

void builder_check_offers(struct builder *b)
{
    each_reference(b, check_offer);
}
