// SPDX-License-Identifier: Apache-2.0
/* What makes a node what it is. */
#include <config.h>

#include <inttypes.h>

#include "core/graph/build.h"

static void add_text(struct weir_text *text, const char *string)
{
    weir_text_addf(text, "%zu:%s", strlen(string), string);
}

char *builder_identity(const struct plan_node *node)
{
    const struct weir_entry *entry = node->prepared->entry;
    struct weir_text text = { 0 };
    weir_text_addf(&text, "%d %" PRIxPTR " ", (int)entry->kind, (uintptr_t)node->prepared->component);
    add_text(&text, entry->id.text);
    if (node->pipeline) {
        add_text(&text, node->pipeline->id.text);
        weir_text_addf(&text, "%d ", (int)node->pipeline->ack);
    }
    weir_config_canonical(entry->node, &text);
    return weir_text_steal(&text);
}
