// SPDX-License-Identifier: Apache-2.0
/* What an instance has under way that ends by itself: its host waits for it before it stops the instance. */
#include <config.h>

#include <weir/sys/worker.h>

#include "sdk/src/flow/instance.h"

/* Where the host frees instances, so that it cannot be between the count and what follows. */
static void rest(struct weir_task *task)
{
    struct weir_instance *instance = WEIR_CONTAINER_OF(task, struct weir_instance, rest);
    if (atomic_fetch_sub(&instance->busy, 1) == 1 && instance->host->rested)
        instance->host->rested(instance);
}

/* Whoever is the last keeps its count until the task has run: no other is the last meanwhile. */
void weir_instance_busy(struct weir_instance *instance, bool busy)
{
    unsigned count = atomic_load(&instance->busy);
    if (busy) {
        atomic_fetch_add(&instance->busy, 1);
        return;
    }
    while (count > 1)
        if (atomic_compare_exchange_weak(&instance->busy, &count, count - 1))
            return;
    instance->rest.run = rest;
    weir_worker_post(weir_worker_at(0), &instance->rest);
}

bool weir_instance_is_busy(const struct weir_instance *instance)
{
    return atomic_load(&instance->busy) > 0;
}
