// SPDX-License-Identifier: Apache-2.0
/*
 * Attribute lists.
 */
#include <config.h>

#include <weir/value.h>

static struct weir_attribute *find(const struct weir_attributes *attributes, struct weir_str key)
{
    for (size_t i = 0; i < attributes->count; i++) {
        if (weir_str_equal(attributes->items[i].key, key))
            return &attributes->items[i];
    }
    return NULL;
}

const struct weir_value *weir_attributes_get(const struct weir_attributes *attributes, struct weir_str key)
{
    const struct weir_attribute *attribute = find(attributes, key);
    return attribute ? &attribute->value : NULL;
}

static bool grow(struct weir_attributes *attributes, struct weir_arena *arena)
{
    size_t capacity = attributes->count < 4 ? 8 : attributes->count * 2;
    struct weir_attribute *items = weir_arena_calloc(arena, capacity, sizeof(*items));
    if (!items)
        return false;
    if (attributes->count > 0)
        memcpy(items, attributes->items, attributes->count * sizeof(*items));
    attributes->items = items;
    attributes->capacity = capacity;
    return true;
}

bool weir_attributes_set(struct weir_attributes *attributes, struct weir_arena *arena, struct weir_str key,
                         struct weir_value value)
{
    struct weir_attribute *attribute = find(attributes, key);
    if (!attribute) {
        if (attributes->count >= attributes->capacity && !grow(attributes, arena))
            return false;
        attribute = &attributes->items[attributes->count++];
        attribute->key = key;
    }
    attribute->value = value;
    return true;
}

bool weir_attributes_remove(struct weir_attributes *attributes, struct weir_str key)
{
    size_t kept = 0;
    for (size_t i = 0; i < attributes->count; i++) {
        if (!weir_str_equal(attributes->items[i].key, key))
            attributes->items[kept++] = attributes->items[i];
    }
    bool removed = kept < attributes->count;
    attributes->count = kept;
    return removed;
}
