// SPDX-License-Identifier: Apache-2.0
/*
 * What the fuzz targets of clients share: a server on a TCP port, on the same thread as the client, that
 * takes one connection after the other and answers each with the next part of the input.
 */
#ifndef WEIR_FUZZ_ANSWER_H
#define WEIR_FUZZ_ANSWER_H

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/sys/worker.h>

/* Longer than any time that a client waits. */
#define FUZZ_PATIENCE INT64_C(200000000000)

static inline int fuzz_listen(uint16_t *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        abort();
    *port = ntohs(address.sin_port);
    return fd;
}

/* Ends without lingering, so that no port is left behind by thousands of runs. */
static inline void fuzz_hang_up(int fd)
{
    struct linger at_once = { .l_onoff = 1 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
}

/* Takes connections and answers them until `done` says that the client has its result. */
static inline void fuzz_answer(struct weir_worker *worker, int listener, const uint8_t *data, size_t size,
                               const bool *done)
{
    size_t cut = size > 0 ? (size_t)data[0] * (size - 1) / 256 : 0;
    const uint8_t *at = size > 0 ? data + 1 : data;
    size_t left = size > 0 ? size - 1 : 0;
    for (int connection = 0; connection < 20 && !*done; connection++) {
        int fd = -1;
        for (int i = 0; i < 50 && fd < 0 && !*done; i++) {
            fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            weir_worker_turn(worker, 0);
            weir_worker_advance(worker, 1000000000);
        }
        if (fd < 0)
            continue;
        weir_worker_turn(worker, 0);
        weir_worker_turn(worker, 0);
        while (left > 0) {
            size_t part = cut > 0 && cut < left ? cut : left;
            if (send(fd, at, part, MSG_NOSIGNAL) <= 0)
                break;
            at += part;
            left -= part;
            cut = 0;
            weir_worker_turn(worker, 0);
            weir_worker_turn(worker, 0);
            weir_worker_advance(worker, 1);
        }
        shutdown(fd, SHUT_WR);
        for (int i = 0; i < 4 && !*done; i++) {
            weir_worker_turn(worker, 0);
            weir_worker_advance(worker, 1);
        }
        fuzz_hang_up(fd);
    }
    for (int i = 0; i < 50 && !*done; i++) {
        weir_worker_advance(worker, FUZZ_PATIENCE);
        weir_worker_turn(worker, 0);
    }
    if (!*done)
        abort(); /* a request has to end, whatever the peer does */
}

static inline void fuzz_settle(struct weir_worker *worker)
{
    for (int i = 0; i < 4; i++) {
        weir_worker_turn(worker, 0);
        weir_worker_advance(worker, 10000000000);
    }
}

#endif
