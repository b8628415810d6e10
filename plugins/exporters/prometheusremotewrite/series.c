// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/series.h"

#include <stdlib.h>

#include <weir/hash.h>

uint64_t series_hash(const struct weir_prometheus_label *labels, size_t count)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++)
        hash += weir_hash(weir_hash(0, labels[i].name), labels[i].value);
    return hash;
}

static bool has_labels(const struct series *series, const struct weir_prometheus_label *labels, size_t count)
{
    if (series->label_count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!weir_str_equal(series->labels[i].name, labels[i].name)
            || !weir_str_equal(series->labels[i].value, labels[i].value))
            return false;
    }
    return true;
}

static void place(struct series_set *set, struct series *series)
{
    size_t at = series->hash & (set->table_size - 1);
    while (set->table[at])
        at = (at + 1) & (set->table_size - 1);
    set->table[at] = series;
}

/* Keeps the table at most half full. The old one stays in the arena: all of them together are no larger than twice the
 * last. */
static bool make_room(struct series_set *set)
{
    if ((set->count + 1) * 2 <= set->table_size)
        return true;
    size_t size = set->table_size ? set->table_size * 2 : 64;
    struct series **table = weir_arena_calloc(&set->arena, size, sizeof(struct series *));
    if (!table)
        return false;
    set->table = table;
    set->table_size = size;
    for (struct series *series = set->first; series; series = series->next)
        place(set, series);
    return true;
}

struct series *series_find(struct series_set *set, struct weir_prometheus_label *labels, size_t label_count,
                           uint64_t hash, struct family *family)
{
    if (!make_room(set))
        return NULL;
    for (size_t at = hash & (set->table_size - 1); set->table[at]; at = (at + 1) & (set->table_size - 1)) {
        if (set->table[at]->hash == hash && has_labels(set->table[at], labels, label_count))
            return set->table[at];
    }
    struct series *series = weir_arena_calloc(&set->arena, 1, sizeof(*series));
    if (!series)
        return NULL;
    series->hash = hash;
    series->labels = labels;
    series->label_count = label_count;
    series->family = family;
    *(set->last ? &set->last->next : &set->first) = series;
    set->last = series;
    set->count++;
    place(set, series);
    return series;
}

/* Room for one more element; the array moves within the arena. */
static bool grow(struct weir_arena *arena, void **items, size_t count, size_t *capacity, size_t size)
{
    size_t more = *capacity ? *capacity * 2 : 1;
    if (count < *capacity)
        return true;
    void *moved = weir_arena_calloc(arena, more, size);
    if (!moved)
        return false;
    if (count)
        memcpy(moved, *items, count * size);
    *items = moved;
    *capacity = more;
    return true;
}

bool series_add_sample(struct series_set *set, struct series *series, const struct sample *sample)
{
    void *items = series->samples;
    if (!grow(&set->arena, &items, series->sample_count, &series->sample_capacity, sizeof(*sample)))
        return false;
    series->samples = items;
    series->samples[series->sample_count++] = *sample;
    return true;
}

bool series_add_exemplar(struct series_set *set, struct series *series, const struct exemplar *exemplar)
{
    void *items = series->exemplars;
    if (!grow(&set->arena, &items, series->exemplar_count, &series->exemplar_capacity, sizeof(*exemplar)))
        return false;
    series->exemplars = items;
    series->exemplars[series->exemplar_count++] = *exemplar;
    return true;
}

static int compare_samples(const void *a, const void *b)
{
    const struct sample *left = a, *right = b;
    return (left->timestamp > right->timestamp) - (left->timestamp < right->timestamp);
}

static int compare_exemplars(const void *a, const void *b)
{
    const struct exemplar *left = a, *right = b;
    return (left->timestamp > right->timestamp) - (left->timestamp < right->timestamp);
}

static bool same(const struct sample *a, const struct sample *b)
{
    return a->timestamp == b->timestamp && !a->native && !b->native && memcmp(&a->value, &b->value, sizeof(a->value)) == 0;
}

static void sort_samples(struct series *series)
{
    size_t kept = 0;
    qsort(series->samples, series->sample_count, sizeof(*series->samples), compare_samples);
    for (size_t i = 1; i < series->sample_count; i++) {
        if (!same(&series->samples[kept], &series->samples[i]))
            series->samples[++kept] = series->samples[i];
    }
    series->sample_count = kept + 1;
}

void series_sort(struct series_set *set)
{
    for (struct series *series = set->first; series; series = series->next) {
        if (series->sample_count > 1)
            sort_samples(series);
        if (series->exemplar_count > 1)
            qsort(series->exemplars, series->exemplar_count, sizeof(*series->exemplars), compare_exemplars);
    }
}

void series_free(struct series_set *set)
{
    weir_arena_free(&set->arena);
    *set = (struct series_set){ 0 };
}
