// SPDX-License-Identifier: Apache-2.0
/*
 * Queues of calls.
 */
#include <config.h>

#include "sdk/src/http/client.h"

void weir_http_queue_push(struct weir_http_queue *queue, struct weir_http_call *call)
{
    call->next_queued = NULL;
    if (queue->last)
        queue->last->next_queued = call;
    else
        queue->first = call;
    queue->last = call;
    queue->count++;
}

struct weir_http_call *weir_http_queue_pop(struct weir_http_queue *queue)
{
    struct weir_http_call *call = queue->first;
    if (!call)
        return NULL;
    queue->first = call->next_queued;
    if (!queue->first)
        queue->last = NULL;
    queue->count--;
    return call;
}

void weir_http_queue_remove(struct weir_http_queue *queue, struct weir_http_call *call)
{
    struct weir_http_call *before = NULL;
    for (struct weir_http_call *at = queue->first; at; before = at, at = at->next_queued) {
        if (at != call)
            continue;
        if (before)
            before->next_queued = call->next_queued;
        else
            queue->first = call->next_queued;
        if (queue->last == call)
            queue->last = before;
        queue->count--;
        return;
    }
}
