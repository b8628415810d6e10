// SPDX-License-Identifier: Apache-2.0
/*
 * The ceiling of a collector over HTTP/1.1: a relay that looks at nothing. It reads a request whole, forwards
 * the bytes as they came, and answers with the bytes of the upstream's answer. Bare epoll, one thread, one
 * upstream connection for each connection of a client, no part of weir.
 *
 *     relay PORT UPSTREAM_PORT
 *
 * Both on 127.0.0.1; port 0 is any free one. Prints "http ADDRESS:PORT" when it listens and runs until it is
 * killed. It is a measuring stick for our own load on the loopback: requests need a Content-Length, and
 * whatever it does not expect closes the connection.
 */
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_SIZE 65536
#define MESSAGE_MAX ((size_t)64 << 20)
#define EVENTS 64

/* One direction: a message is read whole from one socket, then written whole to the other. */
struct flow {
    char *bytes;
    size_t capacity, length;
    size_t wanted; /* of the whole message; 0: its head has not come */
    size_t sent;
};

struct pair;

struct end {
    struct pair *pair;
    int socket;
};

struct pair {
    struct end client, upstream;
    struct flow request, response;
    bool dead;
    struct pair *next_dead;
};

static int poller, listener;
static struct sockaddr_in upstream_address;
static struct pair *dead_pairs; /* freed when all events of a turn are through */

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void close_pair(struct pair *pair)
{
    if (pair->dead)
        return;
    pair->dead = true;
    close(pair->client.socket);
    close(pair->upstream.socket);
    pair->next_dead = dead_pairs;
    dead_pairs = pair;
}

static void free_dead_pairs(void)
{
    while (dead_pairs) {
        struct pair *pair = dead_pairs;
        dead_pairs = pair->next_dead;
        free(pair->request.bytes);
        free(pair->response.bytes);
        free(pair);
    }
}

/* Room for `size` bytes. */
static bool make_room(struct flow *flow, size_t size)
{
    if (size <= flow->capacity)
        return true;
    char *bytes = size <= MESSAGE_MAX ? realloc(flow->bytes, size) : NULL;
    if (!bytes)
        return false;
    flow->bytes = bytes;
    flow->capacity = size;
    return true;
}

/* The value of Content-Length between `at` and `end`, which ends with a line feed; -1: there is none. */
static long content_length(const char *at, const char *end)
{
    static const char name[] = "content-length:";
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if ((size_t)(line_end - at) > sizeof name && strncasecmp(at, name, sizeof name - 1) == 0)
            return strtol(at + sizeof name - 1, NULL, 10);
        at = line_end + 1;
    }
    return -1;
}

/* Finds out how long the message is once its head is there; false: it has no length. */
static bool measure(struct flow *flow)
{
    const char *end = memmem(flow->bytes, flow->length, "\r\n\r\n", 4);
    if (!end)
        return true;
    size_t head = (size_t)(end - flow->bytes) + 4;
    long body = content_length(flow->bytes, flow->bytes + head);
    if (body < 0 || (size_t)body > MESSAGE_MAX - head)
        return false;
    flow->wanted = head + (size_t)body;
    return make_room(flow, flow->wanted);
}

/* Reads what is there; false: the connection is over. */
static bool receive(int socket, struct flow *flow)
{
    for (;;) {
        if (flow->wanted > 0 && flow->length >= flow->wanted)
            return flow->length ==
                   flow->wanted; /* nobody sends a second message before the first is answered */
        if (flow->length == flow->capacity && !make_room(flow, 2 * flow->capacity))
            return false;
        size_t room = flow->capacity - flow->length;
        ssize_t got = recv(socket, flow->bytes + flow->length, room, 0);
        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
        if (got == 0)
            return false;
        flow->length += (size_t)got;
        if (flow->wanted == 0 && !measure(flow))
            return false;
        if ((size_t)got < room && flow->wanted != flow->length)
            return true; /* that was all; the poller tells when there is more */
    }
}

/* Writes a message that is complete; false: the connection is over. */
static bool forward(int socket, struct flow *flow)
{
    while (flow->wanted > 0 && flow->length == flow->wanted) {
        ssize_t sent = send(socket, flow->bytes + flow->sent, flow->length - flow->sent, 0);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        flow->sent += (size_t)sent;
        if (flow->sent == flow->length)
            flow->length = flow->wanted = flow->sent = 0;
    }
    return true;
}

static void on_event(struct end *end, uint32_t events)
{
    struct pair *pair = end->pair;
    bool from_client = end == &pair->client;
    struct end *other = from_client ? &pair->upstream : &pair->client;
    struct flow *in = from_client ? &pair->request : &pair->response;
    struct flow *out = from_client ? &pair->response : &pair->request;
    bool alive = !pair->dead;
    if (alive && (events & EPOLLIN))
        alive = receive(end->socket, in) && forward(other->socket, in);
    if (alive && (events & EPOLLOUT))
        alive = forward(end->socket, out);
    if (!alive || (events & (EPOLLERR | EPOLLHUP)))
        close_pair(pair);
}

static void watch(struct end *end)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = end };
    int on = 1;
    setsockopt(end->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (epoll_ctl(poller, EPOLL_CTL_ADD, end->socket, &event) < 0)
        die("epoll_ctl");
}

static void on_accept(void)
{
    int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0)
        return;
    int upstream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pair *pair = calloc(1, sizeof *pair);
    if (!pair || !make_room(&pair->request, FIRST_SIZE) || !make_room(&pair->response, FIRST_SIZE))
        die("calloc");
    /* Blocking: on the loopback it is done at once. */
    if (connect(upstream, (struct sockaddr *)&upstream_address, sizeof upstream_address) < 0)
        die("connect to the upstream");
    if (fcntl(upstream, F_SETFL, O_NONBLOCK) < 0)
        die("fcntl");
    pair->client = (struct end){ pair, client };
    pair->upstream = (struct end){ pair, upstream };
    watch(&pair->client);
    watch(&pair->upstream);
}

static void open_listener(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) < 0 ||
        listen(listener, 4096) < 0 || getsockname(listener, (struct sockaddr *)&address, &length) < 0)
        die("listen");
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) < 0)
        die("epoll_ctl");
    printf("http 127.0.0.1:%u\n", ntohs(address.sin_port));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("Usage: relay PORT UPSTREAM_PORT\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    upstream_address = (struct sockaddr_in){ .sin_family = AF_INET,
                                             .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10)) };
    upstream_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        die("epoll_create1");
    open_listener((uint16_t)strtoul(argv[1], NULL, 10));
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                on_event(events[i].data.ptr, events[i].events);
            else
                on_accept();
        }
        free_dead_pairs();
    }
}
