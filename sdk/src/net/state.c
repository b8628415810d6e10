// SPDX-License-Identifier: Apache-2.0
/*
 * What the connections of one worker share: buffers to receive into, and the list of those that want
 * something done once all that the kernel had to say in this turn has been heard. Writes are gathered that
 * way, and no user's call leads to an event before it returns.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/net/resolve.h"
#include "sdk/src/net/state.h"

static void run_todo(struct weir_net *net)
{
    struct weir_conn *conn = net->todo_first;
    net->todo_first = net->todo_last = NULL;
    while (conn) {
        struct weir_conn *next = conn->todo_next;
        conn->listed = false;
        weir_conn_step(conn);
        conn = next;
    }
}

static void skip_wait(uv_idle_t *idle)
{
    (void)idle; // an active idle handle is what keeps the loop from waiting
}

static void before_poll(uv_prepare_t *handle)
{
    struct weir_net *net = handle->data;
    if (!net->todo_first)
        return;
    // Events may now be told for which somebody turns the loop: it must not fall asleep on them.
    uv_idle_start(&net->no_wait, skip_wait);
    run_todo(net);
}

static void after_poll(uv_check_t *handle)
{
    struct weir_net *net = handle->data;
    run_todo(net);
    if (!net->todo_first)
        uv_idle_stop(&net->no_wait);
}

static void net_close(struct weir_worker *worker)
{
    struct weir_net *net = worker->net;
    while (net->todo_first)
        run_todo(net);
    weir_resolve_close(worker);
    uv_close((uv_handle_t *)&net->before_poll, NULL);
    uv_close((uv_handle_t *)&net->after_poll, NULL);
    uv_close((uv_handle_t *)&net->no_wait, NULL);
    uv_run(&worker->loop, UV_RUN_NOWAIT);
    weir_buffer_unref(net->cipher);
    free(net->received);
    free(net->plain);
    free(net->record);
    free(net);
    worker->net = NULL;
}

struct weir_net *weir_net_of(struct weir_worker *worker)
{
    if (worker->net)
        return worker->net;
    struct weir_net *net = weir_xcalloc(1, sizeof(*net));
    net->worker = worker;
    net->received = weir_xmalloc(WEIR_NET_RECEIVE);
    uv_prepare_init(&worker->loop, &net->before_poll);
    uv_check_init(&worker->loop, &net->after_poll);
    uv_idle_init(&worker->loop, &net->no_wait);
    net->before_poll.data = net->after_poll.data = net;
    uv_prepare_start(&net->before_poll, before_poll);
    uv_check_start(&net->after_poll, after_poll);
    worker->net = net;
    worker->net_close = net_close;
    return net;
}
