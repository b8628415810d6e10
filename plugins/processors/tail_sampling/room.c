// SPDX-License-Identifier: Apache-2.0
/*
 * Room for traces: a number of them, and bytes. Where there is none the oldest go, or, with block_on_overflow, only those
 * that are decided do, and what comes waits for a tick. No trace can have more than an eighth of the bytes (intake.c).
 */
#include <config.h>

#include "plugins/processors/tail_sampling/tail.h"

/* A trace that may go for another; NO_TRACE: none. */
static uint32_t choose(const struct tail_shard *own, uint32_t spare)
{
    const struct table *table = &own->table;
    if (own->tail->config->block_on_overflow)
        return table->decided.first;
    if (table->oldest != NO_TRACE && table->oldest == spare)
        return table_at(table, spare)->newer;
    return table->oldest;
}

static void evict(struct tail_shard *own, uint32_t number)
{
    if (table_at(&own->table, number)->state != TRACE_PENDING) {
        tail_forget(own, number);
        return;
    }
    weir_series_add(own->tail->metrics.too_early, 1);
    tail_lose(own, number, "evicted");
}

static bool has_bytes(const struct tail_shard *own, size_t bytes)
{
    return own->most_bytes == 0 || table_bytes(&own->table) + bytes <= own->most_bytes;
}

bool tail_make_room(struct tail_shard *own, uint32_t number, size_t bytes)
{
    bool is_new = number == NO_TRACE;
    while ((is_new && own->table.count >= own->most_traces) || !has_bytes(own, bytes)) {
        uint32_t victim = choose(own, number);
        if (victim != NO_TRACE)
            evict(own, victim);
        else
            return own->table.count == !is_new || !own->tail->config->block_on_overflow;
    }
    return true;
}
