// SPDX-License-Identifier: Apache-2.0
/* Heads and chunks. */
#include <config.h>

#include <stdlib.h>

#include <weir/hash.h>
#include <weir/memory.h>

#include "plugins/processors/tail_sampling/field.h"
#include "plugins/processors/tail_sampling/store.h"

#define LISTS_LEAST 64

void head_parts_hash(struct head_parts *parts)
{
    parts->hash = weir_hash(weir_hash(0, parts->group), parts->scope);
}

struct head_parts head_parts_of(const struct head *head)
{
    const char *bytes = (const char *)head->bytes;
    return (struct head_parts){
        .group = weir_str_make(bytes, head->group_length),
        .scope = weir_str_make(bytes + head->group_length, head->scope_length),
        .group_plain = head->group_plain,
        .scope_plain = head->scope_plain,
        .hash = head->hash,
    };
}

static bool has_parts(const struct head *head, const struct head_parts *parts)
{
    struct head_parts own = head_parts_of(head);
    return own.hash == parts->hash && weir_str_equal(own.group, parts->group) &&
           weir_str_equal(own.scope, parts->scope);
}

static size_t head_cost(const struct head *head)
{
    return (sizeof *head + head->group_length + head->scope_length + 8 + 15) & ~(size_t)15;
}

static bool grow_lists(struct store *store)
{
    size_t count = store->list_count ? store->list_count * 2 : LISTS_LEAST;
    struct head **lists = calloc(count, sizeof *lists);
    if (!lists)
        return store->list_count > 0;
    for (size_t i = 0; i < store->list_count; i++)
        while (store->lists[i]) {
            struct head *head = store->lists[i];
            store->lists[i] = head->next;
            head->next = lists[head->hash & (count - 1)];
            lists[head->hash & (count - 1)] = head;
        }
    free(store->lists);
    store->lists = lists;
    store->list_count = count;
    return true;
}

static struct head *new_head(struct store *store, const struct head_parts *parts)
{
    if (store->head_count >= store->list_count && !grow_lists(store))
        return NULL;
    struct head *head = malloc(sizeof *head + parts->group.length + parts->scope.length);
    if (!head)
        return NULL;
    struct head **list = &store->lists[parts->hash & (store->list_count - 1)];
    *head = (struct head){
        .next = *list,
        .hash = parts->hash,
        .references = 1,
        .group_length = (uint32_t)parts->group.length,
        .scope_length = (uint32_t)parts->scope.length,
        .group_plain = parts->group_plain,
        .scope_plain = parts->scope_plain,
    };
    if (parts->group.length > 0)
        memcpy(head->bytes, parts->group.data, parts->group.length);
    if (parts->scope.length > 0)
        memcpy(head->bytes + parts->group.length, parts->scope.data, parts->scope.length);
    *list = head;
    store->head_count++;
    store->head_bytes += head_cost(head);
    weir_memory_reserve(head_cost(head));
    return head;
}

/* The head with these parts, with one more reference; NULL when memory is out. */
static struct head *head_get(struct store *store, const struct head_parts *parts)
{
    struct head *head = store->list_count ? store->lists[parts->hash & (store->list_count - 1)] : NULL;
    while (head && !has_parts(head, parts))
        head = head->next;
    if (!head)
        return new_head(store, parts);
    head->references++;
    return head;
}

static void head_put(struct store *store, struct head *head)
{
    if (--head->references > 0)
        return;
    struct head **at = &store->lists[head->hash & (store->list_count - 1)];
    while (*at != head)
        at = &(*at)->next;
    *at = head->next;
    store->head_count--;
    store->head_bytes -= head_cost(head);
    weir_memory_release(head_cost(head));
    free(head);
}

void store_init(struct store *store)
{
    *store = (struct store){ NULL, 0, 0, 0, { 0 } };
    slabs_init(&store->slabs);
}

void store_free(struct store *store)
{
    free(store->lists);
    slabs_free(&store->slabs);
    store_init(store);
}

static void chunk_free(struct store *store, struct chunk *chunk)
{
    if (chunk->slab == NO_SLAB)
        free(chunk);
    else
        slab_give(&store->slabs, chunk->slab, chunk);
}

struct chunk *chunk_new(struct store *store, const struct head_parts *parts, uint32_t length)
{
    uint32_t slab = NO_SLAB;
    size_t size = chunk_size(length);
    struct chunk *chunk = size <= SLAB_MOST ? slab_take(&store->slabs, size, &slab) : malloc(size);
    if (!chunk)
        return NULL;
    *chunk = (struct chunk){ .head = head_get(store, parts), .length = length, .slab = slab };
    if (!chunk->head) {
        chunk_free(store, chunk);
        return NULL;
    }
    weir_memory_reserve(chunk_cost(chunk));
    return chunk;
}

static size_t scope_payload(const struct chunk *chunk)
{
    return (size_t)chunk->head->scope_length + chunk->length;
}

/* Of the chunk and those joined to it. */
static size_t group_payload(const struct chunk *chunk, const struct chunk **end)
{
    size_t payload = (size_t)chunk->head->group_length + field_size(scope_payload(chunk));
    for (chunk = chunk->next; chunk && chunk->joined; chunk = chunk->next)
        payload += field_size(scope_payload(chunk));
    *end = chunk;
    return payload;
}

size_t chunks_size(const struct chunk *first)
{
    size_t size = 0;
    while (first)
        size += field_size(group_payload(first, &first));
    return size;
}

static uint8_t *put(uint8_t *at, const uint8_t *bytes, size_t length)
{
    if (length > 0)
        memcpy(at, bytes, length);
    return at + length;
}

uint8_t *chunks_write(const struct chunk *first, uint8_t *at)
{
    while (first) {
        const struct chunk *end = NULL;
        size_t payload = group_payload(first, &end);
        *at++ = 0x0a; /* TracesData.resource_spans */
        at = put_varint(at, payload);
        at = put(at, first->head->bytes, first->head->group_length);
        for (; first != end; first = first->next) {
            const struct head *head = first->head;
            *at++ = 0x12; /* ResourceSpans.scope_spans */
            at = put_varint(at, scope_payload(first));
            at = put(at, head->bytes + head->group_length, head->scope_length);
            at = put(at, first->data, first->length);
        }
    }
    return at;
}

void chunks_free(struct store *store, struct chunk *first)
{
    while (first) {
        struct chunk *next = first->next;
        weir_memory_release(chunk_cost(first));
        head_put(store, first->head);
        chunk_free(store, first);
        first = next;
    }
}
