// SPDX-License-Identifier: Apache-2.0
/*
 * The account of memory: each thread counts in its own place, and whoever asks adds them up.
 */
#include <config.h>

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <sys/sysinfo.h>

#include <weir/memory.h>

#include "sdk/src/loop/loop.h"

/* One for each thread that ever counted; never freed, because what a thread reserved outlives it. */
struct counter {
    _Alignas(64) _Atomic int64_t bytes; /* negative when others' bytes were released here */
    atomic_bool taken; /* by a living thread; otherwise the next new thread goes on with it */
    struct counter *next;
};

static _Atomic(struct counter *) counters;
static _Thread_local struct counter *mine;
static pthread_key_t leaving;
static pthread_once_t leaving_once = PTHREAD_ONCE_INIT;

static void leave(void *argument)
{
    struct counter *counter = argument;
    atomic_store(&counter->taken, false);
}

static void make_leaving(void)
{
    pthread_key_create(&leaving, leave);
}

static struct counter *take_free(void)
{
    for (struct counter *c = atomic_load(&counters); c; c = c->next) {
        bool free_one = false;
        if (atomic_compare_exchange_strong(&c->taken, &free_one, true))
            return c;
    }
    return NULL;
}

static struct counter *join(void)
{
    pthread_once(&leaving_once, make_leaving);
    struct counter *counter = take_free();
    if (!counter) {
        counter = aligned_alloc(64, sizeof(*counter));
        if (!counter)
            abort();
        atomic_init(&counter->bytes, 0);
        atomic_init(&counter->taken, true);
        counter->next = atomic_load(&counters);
        while (!atomic_compare_exchange_weak(&counters, &counter->next, counter))
            ;
    }
    pthread_setspecific(leaving, counter);
    mine = counter;
    return counter;
}

static void count(int64_t bytes)
{
    struct counter *counter = mine ? mine : join();
    // Only this thread writes here: no locked instruction is needed.
    int64_t before = atomic_load_explicit(&counter->bytes, memory_order_relaxed);
    atomic_store_explicit(&counter->bytes, before + bytes, memory_order_relaxed);
}

void weir_memory_reserve(size_t bytes)
{
    count((int64_t)bytes);
}

void weir_memory_release(size_t bytes)
{
    count(-(int64_t)bytes);
}

size_t weir_memory_reserved(void)
{
    int64_t sum = 0;
    for (struct counter *c = atomic_load(&counters); c; c = c->next)
        sum += atomic_load_explicit(&c->bytes, memory_order_relaxed);
    // A release may be seen before the reservation it belongs to.
    return sum > 0 ? (size_t)sum : 0;
}

size_t weir_memory_allocated(void)
{
    struct mallinfo2 info = mallinfo2();
    size_t known = info.uordblks + info.hblkhd;
    // Another allocator in malloc's place may leave mallinfo2 at zero.
    size_t reserved = weir_memory_reserved();
    return known > reserved ? known : reserved;
}

uint64_t weir_memory_total(void)
{
    struct sysinfo info;
    uint64_t machine = sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit : UINT64_MAX;
    uint64_t limit = weir_cgroup_memory("");
    return limit < machine ? limit : machine;
}
