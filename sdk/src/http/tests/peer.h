// SPDX-License-Identifier: Apache-2.0
/*
 * A server whose every byte the test decides: sockets of the test's own, read and written while worker 0's
 * loop turns.
 */
#ifndef WEIR_SDK_HTTP_TESTS_PEER_H
#define WEIR_SDK_HTTP_TESTS_PEER_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <weir/str.h>
#include <weir/sys/worker.h>

/* Waits for a condition at most ten seconds, turning the loop. */
#define PEER_WAIT(condition)                                                          \
    do {                                                                              \
        time_t give_up = time(NULL) + 10;                                             \
        while (!(condition)) {                                                        \
            ck_assert_msg(time(NULL) < give_up, "waited in vain for %s", #condition); \
            weir_worker_turn(weir_worker_at(0), 1);                                   \
        }                                                                             \
    } while (0)

static inline int peer_listen(uint16_t *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static inline int peer_try_accept(int listener)
{
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static inline int peer_accept(int listener)
{
    int fd = -1;
    PEER_WAIT((fd = peer_try_accept(listener)) >= 0);
    return fd;
}

/* Adds what has come to `text`; false once the other side has closed. */
static inline bool peer_read(int fd, struct weir_text *text)
{
    char buffer[65536];
    ssize_t length;
    while ((length = recv(fd, buffer, sizeof buffer, 0)) > 0)
        weir_text_add(text, buffer, (size_t)length);
    return length < 0 && errno == EAGAIN;
}

/* Reads until `mark` has come. */
static inline void peer_read_until(int fd, struct weir_text *text, const char *mark)
{
    PEER_WAIT((peer_read(fd, text), strstr(weir_text_string(text), mark) != NULL));
}

static inline void peer_write(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return; /* the client has gone, as some tests mean it to */
        if (sent > 0) {
            data += sent;
            length -= (size_t)sent;
        } else {
            weir_worker_turn(weir_worker_at(0), 1);
        }
    }
}

static inline void peer_say(int fd, const char *text)
{
    peer_write(fd, text, strlen(text));
}

/* Waits until the client has closed its side. */
static inline void peer_wait_closed(int fd)
{
    struct weir_text rest = { 0 };
    PEER_WAIT(!peer_read(fd, &rest));
    weir_text_free(&rest);
}

#endif
