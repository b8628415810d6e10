// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP requests through our codec and protobuf-c, and attributes put and deleted in their bytes and in their structs. The
 * first byte names the signal.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "sdk/src/action/action.h"
#include "sdk/src/otlp/tests/batches.h"
#include "sdk/src/otlp/tests/compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The attributes of the entry, or of its first data point. */
static const struct weir_attributes *attributes_of(enum weir_signal signal, struct weir_entry *entry)
{
    if (signal == WEIR_TRACES)
        return &weir_entry_span(entry)->attributes;
    if (signal == WEIR_LOGS)
        return &weir_entry_log_record(entry)->attributes;
    const struct weir_metric *metric = weir_entry_metric(entry);
    return metric->point_count > 0 ? &metric->points->attributes : NULL;
}

/* Makes the first keys of the batch's attributes those of the actions; such as an action can have. */
static void take_keys(struct weir_batch *batch, struct action *items, size_t count)
{
    size_t taken = 0;
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group)) {
        for (struct weir_scope_group *scope = weir_group_first_scope(group); scope; scope = weir_scope_group_next(scope)) {
            for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = weir_entry_next(entry)) {
                const struct weir_attributes *attributes = attributes_of(weir_batch_signal(batch), entry);
                for (size_t i = 0; attributes && i < attributes->count && taken < count; i++) {
                    if (attributes->items[i].key.length > 0)
                        items[taken++].key = attributes->items[i].key;
                }
            }
        }
    }
}

static void apply(const struct weir_actions *actions, struct weir_batch *batch)
{
    if (!weir_actions_apply_all(actions, batch))
        abort();
    weir_batch_commit(batch);
}

static void rewrite(enum weir_signal signal, const uint8_t *data, size_t size)
{
    const struct weir_value one = { .type = WEIR_VALUE_BOOL };
    struct action items[] = {
        { .kind = WEIR_ACTION_DELETE, .key = WEIR_STR("gone") },
        { .kind = WEIR_ACTION_UPSERT, .key = WEIR_STR("k"), .has_value = true, .value = one },
        { .kind = WEIR_ACTION_INSERT, .key = WEIR_STR("new"), .has_value = true, .value = one },
    };
    struct weir_batch *as_bytes = batch_of(signal, data, size), *as_structs = batch_of(signal, data, size);
    struct weir_batch *looked_at = batch_of(signal, data, size);
    take_keys(looked_at, items, size % 3);
    struct weir_actions planned = { .items = items, .count = WEIR_ARRAY_LENGTH(items) }, unplanned = planned;
    if (!action_plan(&planned) || !planned.rules)
        abort();
    if (size % 2 == 0)
        batch_walk(as_bytes);
    apply(&planned, as_bytes);
    apply(&unplanned, as_structs);
    if (!oracle_repeats(oracle_request(signal), data, size))
        batch_same(as_bytes, as_structs);
    batch_walk(as_bytes);
    weir_batch_unref(as_bytes);
    weir_batch_unref(as_structs);
    weir_batch_unref(looked_at);
    free(planned.rules);
    weir_arena_free(&planned.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum weir_signal signal = size > 0 ? (enum weir_signal)(data[0] % WEIR_SIGNALS) : WEIR_PROFILES;
    if (size > 0 && compare_codecs(signal, data + 1, size - 1) && signal != WEIR_PROFILES)
        rewrite(signal, data + 1, size - 1);
    return 0;
}
