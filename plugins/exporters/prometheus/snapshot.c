// SPDX-License-Identifier: Apache-2.0
/* References to all that is in a store. */
#include <config.h>

#include "plugins/exporters/prometheus/store_parts.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Room for `more` elements behind `count`. */
static bool reserve(void **items, size_t count, size_t *capacity, size_t more, size_t size)
{
    size_t wanted = count + more, bytes;
    if (wanted <= *capacity)
        return true;
    if (wanted < *capacity * 2)
        wanted = *capacity * 2;
    void *moved = weir_size_mul(wanted, size, &bytes) ? realloc(*items, bytes) : NULL;
    if (!moved)
        return false;
    *items = moved;
    *capacity = wanted;
    return true;
}

static bool take_part(const struct part *part, struct snapshot *out)
{
    void *items = out->entries;
    if (!reserve(&items, out->count, &out->capacity, part->series.count, sizeof(*out->entries)))
        return false;
    out->entries = items;
    for (size_t i = 0; i < part->series.size; i++) {
        for (struct link *link = part->series.slots[i]; link; link = link->next) {
            struct series *series = WEIR_CONTAINER_OF(link, struct series, link);
            atomic_fetch_add_explicit(&series->references, 1, memory_order_relaxed);
            out->entries[out->count++] = (struct snapshot_entry){ .series = series,
                                                                  .family = family_ref(series->family),
                                                                  .value = value_ref(series->value) };
        }
    }
    return true;
}

static bool take_targets(const struct store *store, struct snapshot *out)
{
    void *items = out->targets;
    if (!reserve(&items, 0, &out->target_capacity, store->targets.count, sizeof(struct target *)))
        return false;
    out->targets = items;
    for (size_t i = 0; i < store->targets.size; i++) {
        for (struct link *link = store->targets.slots[i]; link; link = link->next) {
            struct target *target = WEIR_CONTAINER_OF(link, struct target, link);
            atomic_fetch_add_explicit(&target->references, 1, memory_order_relaxed);
            out->targets[out->target_count++] = target;
        }
    }
    return true;
}

bool store_snapshot(struct store *store, struct snapshot *out)
{
    bool good = true;
    *out = (struct snapshot){ 0 };
    for (size_t i = 0; good && i < PARTS; i++) {
        struct part *part = &store->parts[i];
        pthread_mutex_lock(&part->lock);
        good = take_part(part, out);
        pthread_mutex_unlock(&part->lock);
    }
    if (good) {
        pthread_mutex_lock(&store->target_lock);
        good = take_targets(store, out);
        pthread_mutex_unlock(&store->target_lock);
    }
    if (!good)
        snapshot_free(out);
    return good;
}

void snapshot_free(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++) {
        series_unref(snapshot->entries[i].series);
        family_unref(snapshot->entries[i].family);
        value_unref(snapshot->entries[i].value);
    }
    for (size_t i = 0; i < snapshot->target_count; i++)
        target_unref(snapshot->targets[i]);
    free(snapshot->entries);
    free(snapshot->targets);
    *snapshot = (struct snapshot){ 0 };
}
