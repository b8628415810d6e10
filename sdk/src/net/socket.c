// SPDX-License-Identifier: Apache-2.0
/*
 * A socket that the loop watches.
 */
#include <config.h>

#include <stdlib.h>
#include <unistd.h>

#include "sdk/src/net/state.h"

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct weir_socket *socket = WEIR_CONTAINER_OF(poll, struct weir_socket, poll);
    if (status < 0) {
        // The socket has an error pending and libuv has stopped watching: the next call on it will say which.
        events = socket->watched;
        socket->watched = 0;
    }
    if (socket->owner)
        socket->ready(socket->owner, events);
}

static void on_closed(uv_handle_t *handle)
{
    free(WEIR_CONTAINER_OF(handle, struct weir_socket, poll));
}

struct weir_socket *weir_socket_new(struct weir_net *net, int fd, void (*ready)(void *owner, int events),
                                    void *owner)
{
    struct weir_socket *socket = weir_xcalloc(1, sizeof(*socket));
    if (uv_poll_init_socket(&net->worker->loop, &socket->poll, fd) != 0) {
        close(fd);
        free(socket);
        return NULL;
    }
    socket->fd = fd;
    socket->ready = ready;
    socket->owner = owner;
    return socket;
}

void weir_socket_watch(struct weir_socket *socket, int events)
{
    if (socket->watched == events)
        return;
    socket->watched = events;
    if (events)
        uv_poll_start(&socket->poll, events, on_poll);
    else
        uv_poll_stop(&socket->poll);
}

void weir_socket_close(struct weir_socket *socket)
{
    if (!socket)
        return;
    socket->owner = NULL;
    uv_close((uv_handle_t *)&socket->poll, on_closed);
    close(socket->fd);
    socket->fd = -1;
}
