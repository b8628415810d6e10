// SPDX-License-Identifier: Apache-2.0
/*
 * A hash table of chains; what is in it embeds its link.
 */
#ifndef PROMETHEUS_TABLE_H
#define PROMETHEUS_TABLE_H

#include <weir/base.h>

struct link {
    struct link *next;
    uint64_t hash;
};

/* Zero-initialise; free `slots` in the end. */
struct table {
    struct link **slots;
    size_t size; /* a power of two, or 0 */
    size_t count;
};

/* False when memory is out. */
bool table_add(struct table *table, struct link *link);
/* The first link of those among which one with the hash would be. */
struct link *table_chain(const struct table *table, uint64_t hash);
void table_remove(struct table *table, struct link *link);
/* Removes what `drop` says yes to, which has given it up then. */
void table_filter(struct table *table, bool (*drop)(void *user, struct link *link), void *user);

#endif
