// SPDX-License-Identifier: Apache-2.0
/*
 * Actions on keys that some telemetry has, or has not, drawn by chance from a seed.
 */
#ifndef WEIR_ACTION_TESTS_RANDOM_ACTIONS_H
#define WEIR_ACTION_TESTS_RANDOM_ACTIONS_H

#include "sdk/src/action/action.h"
#include "sdk/src/otlp/tests/batches.h"

#define KEYS 32

struct keys {
    struct weir_str items[KEYS];
    size_t count;
};

#define FOR_EACH_ENTRY(batch, e)                                                                    \
    for (struct weir_group *g = weir_batch_first_group(batch); g; g = weir_group_next(g))           \
        for (struct weir_scope_group *s = weir_group_first_scope(g); s; s = weir_scope_group_next(s)) \
            for (struct weir_entry *e = weir_scope_group_first(s); e; e = weir_entry_next(e))

/* Two keys that are not there. */
struct keys keys_new(void);
void keys_add(struct keys *keys, const struct weir_attributes *attributes);
/* Those and the keys of all items, as long as there is room. */
void keys_find(struct weir_batch *batch, struct keys *keys);

/* One to eight actions that have rules; ended by actions_free. */
void actions_make(struct weir_actions *actions, struct oracle_random *random, const struct keys *keys);
void actions_free(struct weir_actions *actions);

#endif
