// SPDX-License-Identifier: Apache-2.0
/*
 * Slots: at most num_consumers transfers of a signal are under way in the whole process. A lane that wants a slot and
 * gets none starves, until another lane hands it the next one that comes free, in turn. Sequentially consistent: whoever
 * starves looks for a slot again after saying so, and whoever frees one looks for the starving after freeing it.
 */
#include <config.h>

#include "sdk/src/sender/sender.h"

static struct slots *slots_of(const struct lane *lane)
{
    return &lane->base.sender->slots[lane->base.signal];
}

static bool try_take(struct slots *slots)
{
    int64_t taken = atomic_load(&slots->taken);
    while (taken < slots->limit)
        if (atomic_compare_exchange_weak(&slots->taken, &taken, taken + 1))
            return true;
    return false;
}

static bool take_grant(struct lane *lane)
{
    if (atomic_load_explicit(&lane->grants, memory_order_relaxed) == 0)
        return false;
    atomic_fetch_sub(&lane->grants, 1);
    return true;
}

/* True if it was starving. */
static bool feed(struct slots *slots, struct lane *lane)
{
    if (!atomic_exchange(&lane->starving, false))
        return false;
    atomic_fetch_sub(&slots->starving, 1);
    return true;
}

bool slots_take(struct lane *lane)
{
    struct slots *slots = slots_of(lane);
    if (slots->limit == 0 || take_grant(lane))
        return true;
    if (try_take(slots))
        return true;
    if (!atomic_exchange(&lane->starving, true))
        atomic_fetch_add(&slots->starving, 1);
    if (!try_take(slots))
        return false;
    feed(slots, lane);
    return true;
}

/* Hands a slot that is taken to the next lane that starves, behind `lane` in turn; false: none does. */
static bool hand_on(struct slots *slots, struct lane *lane)
{
    struct weir_sender *sender = lane->base.sender;
    for (unsigned i = 1; i <= sender->shard_count; i++) {
        struct sender_shard *shard = &sender->shards[(lane->base.index + i) % sender->shard_count];
        struct lane *other = &shard->lanes[lane->base.signal];
        if (!atomic_load(&other->starving) || !feed(slots, other))
            continue;
        atomic_fetch_add(&other->grants, 1);
        sender_post(&other->base);
        return true;
    }
    return false;
}

void slots_release(struct lane *lane)
{
    struct slots *slots = slots_of(lane);
    if (slots->limit == 0)
        return;
    do {
        if (atomic_load(&slots->starving) > 0 && hand_on(slots, lane))
            return;
        atomic_fetch_sub(&slots->taken, 1);
    } while (atomic_load(&slots->starving) > 0 && try_take(slots));
}

void slots_settle(struct lane *lane)
{
    struct slots *slots = slots_of(lane);
    if (slots->limit == 0 || (lane->due.first && !lane->stopped))
        return;
    if (atomic_load_explicit(&lane->starving, memory_order_relaxed))
        feed(slots, lane);
    while (take_grant(lane))
        slots_release(lane);
}
