// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include <stdlib.h>

#include "sdk/src/action/tests/random_actions.h"
#include "tests/unit/suite.h"

void keys_add(struct keys *keys, const struct weir_attributes *attributes)
{
    for (size_t i = 0; i < attributes->count && keys->count < KEYS; i++) {
        if (attributes->items[i].key.length > 0)
            keys->items[keys->count++] = attributes->items[i].key;
    }
}

struct keys keys_new(void)
{
    return (struct keys){ .items = { WEIR_STR("new"), WEIR_STR("newer") }, .count = 2 };
}

static void add_keys_of_points(struct keys *keys, const struct weir_metric *metric)
{
    for (size_t i = 0; i < metric->point_count; i++)
        keys_add(keys, &metric->points[i].attributes);
}

void keys_find(struct weir_batch *batch, struct keys *keys)
{
    *keys = keys_new();
    FOR_EACH_ENTRY(batch, entry) {
        if (weir_batch_signal(batch) == WEIR_TRACES)
            keys_add(keys, &weir_entry_span(entry)->attributes);
        else if (weir_batch_signal(batch) == WEIR_METRICS)
            add_keys_of_points(keys, weir_entry_metric(entry));
        else
            keys_add(keys, &weir_entry_log_record(entry)->attributes);
    }
}

void actions_make(struct weir_actions *actions, struct oracle_random *random, const struct keys *keys)
{
    static const enum weir_action_kind kinds[] = { WEIR_ACTION_INSERT, WEIR_ACTION_UPDATE, WEIR_ACTION_UPSERT,
                                                   WEIR_ACTION_DELETE };
    *actions = (struct weir_actions){ .count = 1 + oracle_below(random, 8) };
    actions->items = weir_xcalloc(actions->count, sizeof(*actions->items));
    for (size_t i = 0; i < actions->count; i++) {
        actions->items[i] = (struct action){
            .kind = kinds[oracle_below(random, 4)],
            .key = keys->items[oracle_below(random, keys->count)],
            .has_value = true,
            .value = i % 2 ? weir_value_int((int64_t)i) : weir_value_string(WEIR_STR("of an action")),
        };
    }
    ck_assert(action_plan(actions));
    ck_assert_ptr_nonnull(actions->rules);
}

void actions_free(struct weir_actions *actions)
{
    free(actions->items);
    free(actions->rules);
    weir_arena_free(&actions->arena);
}
