// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheus/store_parts.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <weir/hash.h>
#include <weir/worker.h>

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static struct store *open_stores;

/* --- references --- */

void family_unref(struct family *family)
{
    if (family && atomic_fetch_sub_explicit(&family->references, 1, memory_order_acq_rel) == 1)
        free(family);
}

struct family *family_ref(struct family *family)
{
    atomic_fetch_add_explicit(&family->references, 1, memory_order_relaxed);
    return family;
}

void series_unref(struct series *series)
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

void target_unref(struct target *target)
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

struct part *store_lock(struct store *store, struct weir_str metric_name)
{
    struct part *part = &store->parts[weir_hash(0, metric_name) % PARTS];
    pthread_mutex_lock(&part->lock);
    return part;
}

void store_unlock(struct part *part)
{
    pthread_mutex_unlock(&part->lock);
}

struct family *part_find_family(struct part *part, struct weir_str key)
{
    uint64_t hash = weir_hash(0, key);
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
    family->link.hash = weir_hash(0, key);
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
    uint64_t hash = weir_hash(0, key);
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
    series->link.hash = weir_hash(0, key);
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
    uint64_t hash = weir_hash(0, key);
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

size_t store_count(const struct store *store)
{
    return atomic_load(&store->count);
}
