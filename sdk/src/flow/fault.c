// SPDX-License-Identifier: Apache-2.0
/*
 * Status of instances: what the component reports, and faults that last whatever else it reports.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/flow/instance.h"

struct fault {
    struct fault *next;
    const void *source;
    char *reason;
};

static _Thread_local struct weir_instance *starting;

int weir_instance_start(struct weir_instance *instance, struct weir_error *error)
{
    struct weir_instance *before = starting;
    starting = instance;
    int result = instance->component->start ? instance->component->start(instance, error) : 0;
    starting = before;
    return result;
}

struct weir_instance *weir_instance_starting(void)
{
    return starting;
}

static enum weir_status status_of(const struct weir_instance *instance, const char **reason)
{
    bool faulty = instance->faults && instance->status == WEIR_STATUS_RUNNING;
    *reason = faulty ? instance->faults->reason : instance->status_reason;
    return faulty ? WEIR_STATUS_RECOVERABLE_ERROR : instance->status;
}

/* Ends with the lock given back, for the host may ask for the status. */
static void tell_host(struct weir_instance *instance)
{
    const char *reason;
    enum weir_status status = status_of(instance, &reason);
    char *copy = reason ? weir_xstrdup(reason) : NULL;
    pthread_mutex_unlock(&instance->status_lock);
    if (instance->host->report)
        instance->host->report(instance, status, copy);
    free(copy);
}

void weir_instance_report(struct weir_instance *instance, enum weir_status status, const char *reason)
{
    pthread_mutex_lock(&instance->status_lock);
    instance->status = status;
    free(instance->status_reason);
    instance->status_reason = reason ? weir_xstrdup(reason) : NULL;
    tell_host(instance);
}

void weir_instance_fault(struct weir_instance *instance, const void *source, const char *reason)
{
    pthread_mutex_lock(&instance->status_lock);
    struct fault **at = &instance->faults;
    while (*at && (*at)->source != source)
        at = &(*at)->next;
    struct fault *fault = *at;
    if (fault) {
        *at = fault->next;
        free(fault->reason);
        free(fault);
    }
    if (reason) {
        struct fault *newest = weir_xcalloc(1, sizeof *newest);
        *newest = (struct fault){ instance->faults, source, weir_xstrdup(reason) };
        instance->faults = newest;
    }
    if (!fault && !reason)
        pthread_mutex_unlock(&instance->status_lock);
    else
        tell_host(instance);
}

void faults_free(struct weir_instance *instance)
{
    while (instance->faults) {
        struct fault *next = instance->faults->next;
        free(instance->faults->reason);
        free(instance->faults);
        instance->faults = next;
    }
}

enum weir_status weir_instance_status(struct weir_instance *instance, char **reason)
{
    const char *text;
    pthread_mutex_lock(&instance->status_lock);
    enum weir_status status = status_of(instance, &text);
    if (reason)
        *reason = text ? weir_xstrdup(text) : NULL;
    pthread_mutex_unlock(&instance->status_lock);
    return status;
}
