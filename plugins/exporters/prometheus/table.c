// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheus/table.h"

#include <stdlib.h>

static bool grow(struct table *table)
{
    size_t size = table->size ? table->size * 2 : 16;
    struct link **slots = calloc(size, sizeof(*slots));
    if (!slots)
        return table->size > 0;
    for (size_t i = 0; i < table->size; i++) {
        struct link *next;
        for (struct link *link = table->slots[i]; link; link = next) {
            struct link **slot = &slots[link->hash & (size - 1)];
            next = link->next;
            link->next = *slot;
            *slot = link;
        }
    }
    free(table->slots);
    table->slots = slots;
    table->size = size;
    return true;
}

bool table_add(struct table *table, struct link *link)
{
    if (table->count >= table->size && !grow(table))
        return false;
    struct link **slot = &table->slots[link->hash & (table->size - 1)];
    link->next = *slot;
    *slot = link;
    table->count++;
    return true;
}

struct link *table_chain(const struct table *table, uint64_t hash)
{
    return table->size ? table->slots[hash & (table->size - 1)] : NULL;
}

void table_remove(struct table *table, struct link *link)
{
    struct link **at = &table->slots[link->hash & (table->size - 1)];
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    table->count--;
}

void table_filter(struct table *table, bool (*drop)(void *user, struct link *link), void *user)
{
    for (size_t i = 0; i < table->size; i++) {
        struct link **at = &table->slots[i], *link;
        while ((link = *at)) {
            struct link *next = link->next;
            if (drop(user, link)) {
                *at = next;
                table->count--;
            } else
                at = &link->next;
        }
    }
}
