// SPDX-License-Identifier: Apache-2.0
/*
 * What a store is made of: for store.c and snapshot.c.
 */
#ifndef PROMETHEUS_STORE_PARTS_H
#define PROMETHEUS_STORE_PARTS_H

#include <pthread.h>

#include "plugins/exporters/prometheus/store.h"

#define PARTS 64

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
    struct part parts[PARTS];
    pthread_mutex_t target_lock;
    struct table targets;
};

struct family *family_ref(struct family *family);
/* Each frees with the last reference; family_unref accepts NULL. */
void family_unref(struct family *family);
void series_unref(struct series *series);
void target_unref(struct target *target);

#endif
