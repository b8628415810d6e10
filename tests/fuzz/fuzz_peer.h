// SPDX-License-Identifier: Apache-2.0
/*
 * What the fuzz targets of servers share: a client on a unix socket that sends the input and reads whatever
 * comes, on the same thread as the server.
 */
#ifndef WEIR_FUZZ_PEER_H
#define WEIR_FUZZ_PEER_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <weir/sys/worker.h>

/* Longer than any time for which a server waits for a silent client. */
#define FUZZ_PATIENCE INT64_C(400000000000)

static inline int fuzz_connect(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen(name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, name, length);
    address.sun_path[0] = '\0'; // the abstract namespace
    if (fd < 0 || connect(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) != 0)
        abort();
    return fd;
}

/* Reads what is there; false once the server has closed. */
static inline bool fuzz_read(int fd)
{
    char bytes[65536];
    ssize_t length = 0;
    while ((length = recv(fd, bytes, sizeof(bytes), 0)) > 0)
        ;
    return length < 0 && errno == EAGAIN;
}

static inline bool fuzz_turns(struct weir_worker *worker, int fd, int count)
{
    bool open = true;
    for (int i = 0; i < count && open; i++) {
        weir_worker_turn(worker, 0);
        open = fuzz_read(fd);
    }
    return open;
}

static inline void fuzz_send(struct weir_worker *worker, int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return;
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
        }
        if (!fuzz_turns(worker, fd, 2))
            return;
    }
}

/* The client falls silent; the server has to close in its time. */
static inline void fuzz_finish(struct weir_worker *worker, int fd)
{
    bool open = fuzz_turns(worker, fd, 8);
    for (int i = 0; i < 50 && open; i++) {
        weir_worker_advance(worker, FUZZ_PATIENCE);
        open = fuzz_turns(worker, fd, 4);
    }
    if (open)
        abort();
    close(fd);
    for (int i = 0; i < 4; i++)
        weir_worker_turn(worker, 0);
}

#endif
