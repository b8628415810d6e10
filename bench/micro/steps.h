// SPDX-License-Identifier: Apache-2.0
/*
 * Steps whose cost bench/micro/steps tells: each does some items' worth of one thing.
 */
#ifndef BENCH_MICRO_STEPS_H
#define BENCH_MICRO_STEPS_H

#include <stdlib.h>

#include <weir/batch.h>

struct step {
    const char *name;          /* NULL: the end of a list */
    int variant;               /* for functions that several steps share */
    void (*prepare)(int variant); /* before the first run */
    uint64_t (*run)(int variant); /* does the step some times over and returns how many items that were */
    void (*finish)(int variant);  /* after the last run */
};

extern const struct step codec_steps[], json_steps[], table_steps[], queue_steps[], journal_steps[];

#define REQUEST_ITEMS 100

/* An export request of REQUEST_ITEMS items, the same for the same number. */
struct weir_buffer *make_request(enum weir_signal signal, unsigned number);

static inline void *require(void *pointer)
{
    if (!pointer)
        abort();
    return pointer;
}

#endif
