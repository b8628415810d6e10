// SPDX-License-Identifier: Apache-2.0
/*
 * Binding: an address that is taken or wrong is found here, on the main thread, before anything runs.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/src/flow/instance.h"
#include "sdk/src/net/inherited.h"
#include "sdk/src/net/listener.h"

/* All listeners of the process: the last user of one may be on any worker. */
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct weir_listener *all;

static void join_all(struct weir_listener *listener)
{
    pthread_mutex_lock(&all_lock);
    listener->next = all;
    listener->link = &all;
    if (all)
        all->link = &listener->next;
    all = listener;
    pthread_mutex_unlock(&all_lock);
}

/* True if no other one has the path of this one's socket. */
static bool leave_all(struct weir_listener *listener)
{
    bool last = true;
    pthread_mutex_lock(&all_lock);
    if (listener->link) {
        *listener->link = listener->next;
        if (listener->next)
            listener->next->link = listener->link;
    }
    for (const struct weir_listener *other = all; other; other = other->next)
        if (other->endpoint.path && listener->endpoint.path &&
            strcmp(other->endpoint.path, listener->endpoint.path) == 0)
            last = false;
    pthread_mutex_unlock(&all_lock);
    return last;
}

static int failed(struct weir_error *error, const struct weir_endpoint *endpoint, const char *call,
                  int errnum)
{
    return weir_error_set(error, "listen %s %s: %s: %s", weir_transport_name(endpoint->transport),
                          endpoint->name, call, weir_errno_text(errnum));
}

/* One address, as Go's net.Listen chooses it: the first of IPv4, or else the first. */
static int resolve(const struct weir_endpoint *endpoint, struct weir_sockaddr *out, struct weir_error *error)
{
    struct addrinfo hints = weir_address_hints(endpoint->transport), *list = NULL;
    bool any = endpoint->host[0] == '\0';
    hints.ai_flags |= AI_PASSIVE;
    if (any && endpoint->transport == WEIR_TCP)
        hints.ai_family = AF_INET6; // takes IPv4 too
    /* localhost is loopback, whatever a minimal image's resolver knows of it (RFC 6761, 6.3). */
    bool loopback = weir_str_equal_nocase(weir_str_of(endpoint->host), WEIR_STR("localhost"));
    if (loopback)
        hints.ai_flags &= ~AI_PASSIVE;
    int failure = getaddrinfo(any || loopback ? NULL : endpoint->host, "0", &hints, &list);
    if (failure != 0 || !list)
        return weir_error_set(error, "listen %s: lookup %s: %s", weir_transport_name(endpoint->transport),
                              endpoint->host, weir_lookup_text(failure));
    const struct addrinfo *chosen = list;
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        if (a->ai_family == AF_INET) {
            chosen = a;
            break;
        }
    }
    memcpy(&out->address, chosen->ai_addr, chosen->ai_addrlen);
    out->length = chosen->ai_addrlen;
    weir_sockaddr_set_port(out, endpoint->port);
    freeaddrinfo(list);
    return 0;
}

static void all_of_ipv4(struct weir_sockaddr *out, uint16_t port)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    memset(out, 0, sizeof(*out));
    memcpy(&out->address, &v4, sizeof(v4));
    out->length = sizeof(v4);
}

/* Accepted sockets inherit these. */
static void set_tcp_options(int fd)
{
    int on = 1, idle = 15;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle, sizeof(idle));
}

static int new_socket(struct weir_listener *listener)
{
    int family = listener->address.address.any.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, off = 0;
    if (fd < 0 || family == AF_UNIX)
        return fd;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    set_tcp_options(fd);
    if (family == AF_INET6) {
        bool only = listener->endpoint.transport == WEIR_TCP6;
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, only ? &on : &off, sizeof(on));
    }
    return fd;
}

static void share_port(int fd)
{
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
}

static int cannot_bind(struct weir_error *error, const struct weir_listener *listener, int errnum)
{
    const char *passed = weir_inherited_at_port(weir_sockaddr_port(&listener->address));
    if (errnum != EADDRINUSE || !passed)
        return failed(error, &listener->endpoint, "bind", errnum);
    return weir_error_set(error,
                          "listen %s %s: bind: %s: the process was started with a socket at %s, which is not this address",
                          weir_transport_name(listener->endpoint.transport), listener->endpoint.name,
                          weir_errno_text(errnum), passed);
}

/* The first socket: bound without SO_REUSEPORT, so that a port that somebody else has is an error, also when
 * it is another weir; `share`: it is one of this process that gives it up. */
static int bind_first(struct weir_listener *listener, int backlog, bool share, struct weir_error *error)
{
    const struct weir_endpoint *endpoint = &listener->endpoint;
    int fd = new_socket(listener);
    if (fd < 0 && errno == EAFNOSUPPORT && endpoint->transport == WEIR_TCP && endpoint->host[0] == '\0') {
        all_of_ipv4(&listener->address, endpoint->port);
        fd = new_socket(listener);
    }
    if (fd < 0)
        return failed(error, endpoint, "socket", errno);
    listener->sockets[0] = fd;
    if (share)
        share_port(fd);
    if (bind(fd, &listener->address.address.any, listener->address.length) != 0)
        return cannot_bind(error, listener, errno);
    listener->bound = true;
    if (endpoint->transport != WEIR_UNIX)
        share_port(fd);
    if (listen(fd, backlog) != 0)
        return failed(error, endpoint, errno == EADDRINUSE ? "bind" : "listen", errno);
    listener->address.length = sizeof(listener->address.address);
    if (getsockname(fd, &listener->address.address.any, &listener->address.length) != 0)
        return failed(error, endpoint, "getsockname", errno);
    return 0;
}

static int copy_socket(struct weir_listener *listener, unsigned index, int socket, struct weir_error *error)
{
    int copy = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    listener->sockets[index] = copy;
    return copy < 0 ? failed(error, &listener->endpoint, "dup", errno) : 0;
}

/* All workers take from the one queue: SO_REUSEPORT is for sockets of one user, and this one may be root's. */
static int use_inherited(struct weir_listener *listener, int socket, struct weir_error *error)
{
    if (listener->endpoint.transport != WEIR_UNIX)
        set_tcp_options(socket);
    for (unsigned i = 0; i < listener->count; i++)
        if (copy_socket(listener, i, socket, error) != 0)
            return -1;
    return 0;
}

/* The sockets of the other workers. */
static int bind_more(struct weir_listener *listener, unsigned index, int backlog, struct weir_error *error)
{
    const struct weir_endpoint *endpoint = &listener->endpoint;
    if (endpoint->transport == WEIR_UNIX)
        return copy_socket(listener, index, listener->sockets[0], error);
    int fd = new_socket(listener);
    if (fd < 0)
        return failed(error, endpoint, "socket", errno);
    listener->sockets[index] = fd;
    share_port(fd);
    if (bind(fd, &listener->address.address.any, listener->address.length) != 0)
        return failed(error, endpoint, "bind", errno);
    return listen(fd, backlog) != 0 ? failed(error, endpoint, "listen", errno) : 0;
}

static bool is_accepting(const struct weir_listener *listener)
{
    for (unsigned i = 0; i < listener->count; i++)
        if (atomic_load(&listener->accepting[i]) >= 0)
            return true;
    return false;
}

bool weir_listener_yields(const struct weir_listener *listener)
{
    return listener->owner && weir_instance_yields(listener->owner);
}

/* Only what still accepts is sure to have its owner. */
static bool is_yielding(const struct weir_listener *listener)
{
    return is_accepting(listener) && weir_listener_yields(listener);
}

static bool same_address(const struct weir_listener *one, const struct weir_listener *other)
{
    return one->endpoint.transport == other->endpoint.transport && one->address.length == other->address.length &&
           memcmp(&one->address.address, &other->address.address, one->address.length) == 0;
}

/* One at the same address that gives it up; `port`: there is one at another address with the same port. */
static const struct weir_listener *find_yielding(const struct weir_listener *listener, bool *port)
{
    const struct weir_listener *found = NULL;
    uint16_t wanted = weir_sockaddr_port(&listener->address);
    *port = false;
    pthread_mutex_lock(&all_lock);
    for (const struct weir_listener *other = all; other && !found; other = other->next) {
        if (!is_yielding(other))
            continue;
        if (same_address(listener, other))
            found = other;
        else if (wanted != 0 && weir_sockaddr_port(&other->address) == wanted)
            *port = true;
    }
    pthread_mutex_unlock(&all_lock);
    return found;
}

/* The sockets themselves, so that no connection that waits in their queues is lost. */
static int take_over(struct weir_listener *listener, const struct weir_listener *from, struct weir_error *error)
{
    unsigned shared = from->count < listener->count ? from->count : listener->count;
    for (unsigned i = 0; i < shared; i++) {
        int socket = atomic_load(&from->accepting[i]);
        int copy = socket >= 0 ? fcntl(socket, F_DUPFD_CLOEXEC, 0) : -1;
        if (copy < 0)
            return failed(error, &listener->endpoint, "dup", socket >= 0 ? errno : EBADF);
        listener->sockets[i] = copy;
    }
    listener->address = from->address;
    listener->bound = from->bound;
    return 0;
}

int weir_bind(const struct weir_bind_options *options, struct weir_listener **out, struct weir_error *error)
{
    struct weir_listener *listener = weir_xcalloc(1, sizeof(*listener));
    int backlog = options->backlog > 0 ? options->backlog : 65535; // the kernel cuts it to net.core.somaxconn
    weir_endpoint_copy(&listener->endpoint, options->endpoint);
    // Three quarters, so that a flooded address leaves connections to the others.
    listener->max_connections = options->max_connections > 0 ? options->max_connections
                                                             : (unsigned)weir_descriptors_line() / 4 * 3;
    listener->count = options->first_worker_only || weir_worker_count() == 0 ? 1 : weir_worker_count();
    listener->sockets = weir_xcalloc(listener->count, sizeof(int));
    listener->accepting = weir_xcalloc(listener->count, sizeof(*listener->accepting));
    listener->owner = weir_instance_starting();
    for (unsigned i = 0; i < listener->count; i++)
        listener->sockets[i] = -1;
    int result = 0;
    if (listener->endpoint.transport == WEIR_UNIX)
        weir_sockaddr_unix(&listener->endpoint, &listener->address);
    else
        result = resolve(&listener->endpoint, &listener->address, error);
    bool share = false;
    int inherited = result == 0 ? weir_inherited_find(&listener->address) : -1;
    const struct weir_listener *yielding = result == 0 ? find_yielding(listener, &share) : NULL;
    if (inherited >= 0)
        result = use_inherited(listener, inherited, error);
    else if (yielding)
        result = take_over(listener, yielding, error);
    else if (result == 0)
        result = bind_first(listener, backlog, share, error);
    for (unsigned i = 1; i < listener->count && result == 0; i++)
        if (listener->sockets[i] < 0)
            result = bind_more(listener, i, backlog, error);
    if (result != 0) {
        weir_listener_free(listener);
        return -1;
    }
    listener->text = weir_sockaddr_text(&listener->address);
    listener->counts = weir_counts_of(listener->text);
    for (unsigned i = 0; i < listener->count; i++)
        atomic_store(&listener->accepting[i], listener->sockets[i]);
    join_all(listener);
    *out = listener;
    return 0;
}

const char *weir_listener_address(const struct weir_listener *listener)
{
    return listener->text;
}

uint16_t weir_listener_port(const struct weir_listener *listener)
{
    return weir_sockaddr_port(&listener->address);
}

unsigned weir_listener_connections(const struct weir_listener *listener)
{
    return atomic_load(&listener->connections);
}

void weir_listener_free(struct weir_listener *listener)
{
    if (!listener)
        return;
    const char *path = listener->endpoint.path;
    if (leave_all(listener) && listener->bound && path && path[0] != '@')
        unlink(path);
    for (unsigned i = 0; i < listener->count; i++)
        if (listener->sockets[i] >= 0)
            close(listener->sockets[i]);
    weir_endpoint_free(&listener->endpoint);
    free(listener->sockets);
    free(listener->accepting);
    free(listener->text);
    free(listener);
}
