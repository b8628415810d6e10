// SPDX-License-Identifier: Apache-2.0
/*
 * What bench/micro/journal compares: stores of records on disk.
 */
#ifndef BENCH_MICRO_JOURNAL_H
#define BENCH_MICRO_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "bench/common/histogram.h"

/* A record: its number (8 bytes), then the same bytes in each. */
extern const uint8_t *record_tail;
extern size_t record_tail_length;

struct appending {
    unsigned clients;  /* each waits for its answer before it appends again */
    int64_t until;     /* monotonic nanoseconds */
    uint64_t most;     /* records */
    uint64_t first;    /* number of the first one */
    uint64_t done;     /* set: records that are on stable storage */
    struct histogram latency;
};

struct store {
    const char *name;
    /* `most`: bytes that it will have to hold. NULL: failed, and said so. */
    void *(*open)(const char *directory, uint64_t most);
    void (*close)(void *handle);
    void (*append)(void *handle, struct appending *appending);
    /* Takes and settles everything; how many records. */
    uint64_t (*drain)(void *handle);
    /* In a directory that is not open: see(number, whether the bytes are right) for each record. False: refused. */
    int (*read)(const char *directory, void (*see)(uint64_t number, int good));
    const char *file; /* that holds most of the data: a pattern for glob() */
};

extern const struct store segments_store, lmdb_store;

int64_t now(void);
/* See `struct store`. */
int record_is_good(const void *data, size_t length, uint64_t *number);

#endif
