// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheus/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <weir/worker.h>

#define PARTS 64

/* A hash table of chains. */
struct table {
    struct link **slots;
    size_t size; /* a power of two, or 0 */
    size_t count;
};

struct part {
    pthread_mutex_t lock;
    struct store *store;
    struct table families;
    struct table series;
};

struct store {
    struct store *next; /* of those that are open */
    char *key;
    size_t key_length;
    _Atomic unsigned references;
    _Atomic uint64_t sequence;
    _Atomic size_t count; /* of series */
    uint64_t seed;
    struct part parts[PARTS];
    pthread_mutex_t target_lock;
    struct table targets;
};

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static struct store *open_stores;

/* --- tables --- */

static bool table_grow(struct table *table)
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

static bool table_add(struct table *table, struct link *link)
{
    if (table->count >= table->size && !table_grow(table))
        return false;
    struct link **slot = &table->slots[link->hash & (table->size - 1)];
    link->next = *slot;
    *slot = link;
    table->count++;
    return true;
}

static struct link *table_chain(const struct table *table, uint64_t hash)
{
    return table->size ? table->slots[hash & (table->size - 1)] : NULL;
}

static void table_remove(struct table *table, struct link *link)
{
    struct link **at = &table->slots[link->hash & (table->size - 1)];
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    table->count--;
}

/* Removes what `drop` says yes to, which has given it up then. */
static void table_filter(struct table *table, bool (*drop)(void *user, struct link *link), void *user)
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

/* --- references --- */

static void family_unref(struct family *family)
{
    if (family && atomic_fetch_sub_explicit(&family->references, 1, memory_order_acq_rel) == 1)
        free(family);
}

static struct family *family_ref(struct family *family)
{
    atomic_fetch_add_explicit(&family->references, 1, memory_order_relaxed);
    return family;
}

static void series_unref(struct series *series)
{
    if (atomic_fetch_sub_explicit(&series->references, 1, memory_order_acq_rel) == 1)
        free(series);
}

/* The table's reference, and what the series has. */
static void series_drop(struct series *series)
{
    family_unref(series->family);
    value_unref(series->value);
    series->family = NULL;
    series->value = NULL;
    series_unref(series);
}

static void target_unref(struct target *target)
{
    if (atomic_fetch_sub_explicit(&target->references, 1, memory_order_acq_rel) == 1)
        free(target);
}

/* --- life --- */

static struct store *new_store(struct weir_str key)
{
    struct store *store = weir_xcalloc(1, sizeof(*store));
    store->key = weir_str_dup(key);
    store->key_length = key.length;
    /* Not to be guessed from outside, so that nobody can choose identities that meet in one chain. */
    store->seed = ((uint64_t)weir_wall_clock() ^ (uint64_t)(uintptr_t)store) * 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < PARTS; i++) {
        pthread_mutex_init(&store->parts[i].lock, NULL);
        store->parts[i].store = store;
    }
    pthread_mutex_init(&store->target_lock, NULL);
    return store;
}

struct store *store_open(struct weir_str key)
{
    pthread_mutex_lock(&open_lock);
    struct store *store = open_stores;
    while (store && !weir_str_equal(weir_str_make(store->key, store->key_length), key))
        store = store->next;
    if (!store) {
        store = new_store(key);
        store->next = open_stores;
        open_stores = store;
    }
    atomic_fetch_add(&store->references, 1);
    pthread_mutex_unlock(&open_lock);
    return store;
}

struct store *store_ref(struct store *store)
{
    atomic_fetch_add(&store->references, 1);
    return store;
}

static bool drop_series(void *user, struct link *link)
{
    (void)user;
    series_drop(WEIR_CONTAINER_OF(link, struct series, link));
    return true;
}

static bool drop_family(void *user, struct link *link)
{
    (void)user;
    family_unref(WEIR_CONTAINER_OF(link, struct family, link));
    return true;
}

static bool drop_target(void *user, struct link *link)
{
    (void)user;
    target_unref(WEIR_CONTAINER_OF(link, struct target, link));
    return true;
}

static void free_store(struct store *store)
{
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &store->parts[i];
        table_filter(&part->series, drop_series, NULL);
        table_filter(&part->families, drop_family, NULL);
        free(part->series.slots);
        free(part->families.slots);
        pthread_mutex_destroy(&part->lock);
    }
    table_filter(&store->targets, drop_target, NULL);
    free(store->targets.slots);
    pthread_mutex_destroy(&store->target_lock);
    free(store->key);
    free(store);
}

void store_unref(struct store *store)
{
    if (!store)
        return;
    pthread_mutex_lock(&open_lock);
    bool last = atomic_fetch_sub(&store->references, 1) == 1;
    if (last) {
        struct store **at = &open_stores;
        while (*at != store)
            at = &(*at)->next;
        *at = store->next;
    }
    pthread_mutex_unlock(&open_lock);
    if (last)
        free_store(store);
}

/* --- putting points in --- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    __extension__ unsigned __int128 product = (unsigned __int128)(hash ^ word) * 0x9fb21c651e98df25u;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t store_hash(const struct store *store, struct weir_str text)
{
    uint64_t hash = store->seed ^ text.length, word;
    size_t at = 0;
    for (; text.length - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, text.data + at, sizeof(word));
        hash = mix(hash, word);
    }
    word = 0;
    if (at < text.length)
        memcpy(&word, text.data + at, text.length - at);
    return mix(mix(hash, word), store->seed >> 1);
}

struct part *store_lock(struct store *store, struct weir_str metric_name)
{
    struct part *part = &store->parts[store_hash(store, metric_name) % PARTS];
    pthread_mutex_lock(&part->lock);
    return part;
}

void store_unlock(struct part *part)
{
    pthread_mutex_unlock(&part->lock);
}

struct family *part_find_family(struct part *part, struct weir_str key)
{
    uint64_t hash = store_hash(part->store, key);
    for (struct link *link = table_chain(&part->families, hash); link; link = link->next) {
        struct family *family = WEIR_CONTAINER_OF(link, struct family, link);
        if (link->hash == hash && weir_str_equal(family->key, key))
            return family;
    }
    return NULL;
}

/* A structure of `size` bytes and room for three texts behind it. */
static void *allocate(size_t size, size_t a, size_t b, size_t c)
{
    size_t total;
    if (!weir_size_add(a, b, &total) || !weir_size_add(total, c, &total) || !weir_size_add(total, size, &total))
        return NULL;
    return calloc(1, total);
}

/* Copies the text to where `at` is, and moves that on. */
static struct weir_str place(char **at, struct weir_str text)
{
    char *start = *at;
    if (text.length)
        memcpy(start, text.data, text.length);
    *at += text.length;
    return weir_str_make(start, text.length);
}

struct family *part_add_family(struct part *part, struct weir_str key, enum weir_prometheus_type type,
                               struct weir_str name, struct weir_str help)
{
    struct family *family = allocate(sizeof(*family), key.length, name.length, help.length);
    if (!family)
        return NULL;
    char *at = (char *)(family + 1);
    family->link.hash = store_hash(part->store, key);
    family->references = 1;
    family->sequence = atomic_fetch_add(&part->store->sequence, 1);
    family->type = type;
    family->key = place(&at, key);
    family->name = place(&at, name);
    family->help = place(&at, help);
    if (!table_add(&part->families, &family->link)) {
        free(family);
        return NULL;
    }
    return family;
}

struct series *part_find_series(struct part *part, struct weir_str key)
{
    uint64_t hash = store_hash(part->store, key);
    for (struct link *link = table_chain(&part->series, hash); link; link = link->next) {
        struct series *series = WEIR_CONTAINER_OF(link, struct series, link);
        if (link->hash == hash && weir_str_equal(series->key, key))
            return series;
    }
    return NULL;
}

struct series *part_add_series(struct part *part, struct weir_str key, struct weir_str labels, struct weir_str clash)
{
    struct series *series = allocate(sizeof(*series), key.length, labels.length, clash.length);
    if (!series)
        return NULL;
    char *at = (char *)(series + 1);
    series->link.hash = store_hash(part->store, key);
    series->references = 1;
    series->sequence = atomic_fetch_add(&part->store->sequence, 1);
    series->key = place(&at, key);
    series->labels = labels.data ? place(&at, labels) : WEIR_STR_NONE;
    series->clash = place(&at, clash);
    if (!table_add(&part->series, &series->link)) {
        free(series);
        return NULL;
    }
    atomic_fetch_add(&part->store->count, 1);
    return series;
}

void part_remove_series(struct part *part, struct series *series)
{
    table_remove(&part->series, &series->link);
    atomic_fetch_sub(&part->store->count, 1);
    series_drop(series);
}

void series_set(struct series *series, struct family *family, struct value *value, int64_t now)
{
    if (series->family != family) {
        family_unref(series->family);
        series->family = family_ref(family);
    }
    value_unref(series->value);
    series->value = value;
    series->updated = now;
}

static struct target *find_target(const struct store *store, uint64_t hash, struct weir_str key)
{
    for (struct link *link = table_chain(&store->targets, hash); link; link = link->next) {
        struct target *target = WEIR_CONTAINER_OF(link, struct target, link);
        if (link->hash == hash && weir_str_equal(target->key, key))
            return target;
    }
    return NULL;
}

static bool add_target(struct store *store, uint64_t hash, struct weir_str key, struct weir_str labels, int64_t now)
{
    struct target *target = allocate(sizeof(*target), key.length, labels.length, 0);
    if (!target)
        return false;
    char *at = (char *)(target + 1);
    target->link.hash = hash;
    target->references = 1;
    target->updated = now;
    target->key = place(&at, key);
    target->labels = place(&at, labels);
    if (table_add(&store->targets, &target->link))
        return true;
    free(target);
    return false;
}

bool store_set_target(struct store *store, struct weir_str key, struct weir_str labels, int64_t now)
{
    uint64_t hash = store_hash(store, key);
    bool good = true;
    pthread_mutex_lock(&store->target_lock);
    struct target *target = find_target(store, hash, key);
    if (target && weir_str_equal(target->labels, labels)) {
        target->updated = now;
    } else {
        if (target) {
            table_remove(&store->targets, &target->link);
            target_unref(target);
        }
        good = add_target(store, hash, key, labels, now);
    }
    pthread_mutex_unlock(&store->target_lock);
    return good;
}

/* --- taking them out --- */

struct expiry {
    struct store *store;
    int64_t now;
    int64_t expiration;
};

static bool is_over(const struct expiry *expiry, int64_t updated)
{
    return expiry->now - updated > expiry->expiration;
}

static bool expire_series(void *user, struct link *link)
{
    const struct expiry *expiry = user;
    struct series *series = WEIR_CONTAINER_OF(link, struct series, link);
    if (!is_over(expiry, series->updated))
        return false;
    atomic_fetch_sub(&expiry->store->count, 1);
    series_drop(series);
    return true;
}

/* Those that no series has any more, nor a page. */
static bool expire_family(void *user, struct link *link)
{
    struct family *family = WEIR_CONTAINER_OF(link, struct family, link);
    (void)user;
    if (atomic_load(&family->references) > 1)
        return false;
    family_unref(family);
    return true;
}

static bool expire_target(void *user, struct link *link)
{
    struct target *target = WEIR_CONTAINER_OF(link, struct target, link);
    if (!is_over(user, target->updated))
        return false;
    target_unref(target);
    return true;
}

void store_expire(struct store *store, int64_t now, int64_t expiration)
{
    struct expiry expiry = { store, now, expiration };
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &store->parts[i];
        pthread_mutex_lock(&part->lock);
        table_filter(&part->series, expire_series, &expiry);
        table_filter(&part->families, expire_family, NULL);
        pthread_mutex_unlock(&part->lock);
    }
    pthread_mutex_lock(&store->target_lock);
    table_filter(&store->targets, expire_target, &expiry);
    pthread_mutex_unlock(&store->target_lock);
}

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

size_t store_count(const struct store *store)
{
    return atomic_load(&store->count);
}
