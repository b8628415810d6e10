// SPDX-License-Identifier: Apache-2.0
/*
 * Inside of the connection layer.
 */
#ifndef WEIR_NET_STATE_H
#define WEIR_NET_STATE_H

#include <stdatomic.h>

#include <uv.h>

#include "sdk/src/loop/loop.h"
#include "sdk/src/net/address.h"
#include "sdk/src/net/cause.h"
#include "sdk/src/net/conn.h"

/* What one read takes at most when the layer above has no place of its own: more than a usual OTLP request.
 */
#define WEIR_NET_RECEIVE ((size_t)65536)

/* What all connections of one worker share. */
struct weir_net {
    struct weir_worker *worker;
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    uv_idle_t no_wait; /* active while the list below is not empty, so that polling does not wait */
    struct weir_conn *todo_first, *todo_last;
    uint8_t *received;          /* WEIR_NET_RECEIVE bytes; content lives during one callback only */
    uint8_t *plain;             /* the same for what TLS has decrypted; NULL until needed */
    uint8_t *record;            /* small ranges, put together before they are encrypted; NULL until needed */
    struct weir_buffer *cipher; /* what TLS has encrypted during one call; NULL until needed */
    struct weir_name *names;    /* that connections of this worker go to: resolve.c */
};

/* The state of the connection layer on this worker; made when first asked for. */
struct weir_net *weir_net_of(struct weir_worker *worker);

/* A socket that the loop watches. Freed by itself some turns after weir_socket_close. */
struct weir_socket {
    uv_poll_t poll;
    int fd;
    int watched; /* UV_READABLE | UV_WRITABLE */
    void (*ready)(void *owner, int events);
    void *owner;
};

/* Takes over the non-blocking `fd`; NULL, with the fd closed, when the loop does not want it. */
struct weir_socket *weir_socket_new(struct weir_net *net, int fd, void (*ready)(void *owner, int events),
                                    void *owner);
void weir_socket_watch(struct weir_socket *socket, int events);
/* Closes the fd at once; `ready` is not called any more. Accepts NULL. */
void weir_socket_close(struct weir_socket *socket);

enum weir_conn_state {
    WEIR_CONN_CONNECTING,
    WEIR_CONN_HANDSHAKE,
    WEIR_CONN_OPEN,
    WEIR_CONN_FINISHING, /* flushes, then waits for the peer's end */
    WEIR_CONN_CLOSED,    /* waits for its last event */
};

struct weir_dial;
struct weir_tls_session;

struct weir_conn {
    const struct weir_conn_events *events;
    void *user;
    struct weir_net *net;
    struct weir_socket *socket;
    enum weir_conn_state state;
    bool listed;      /* on the worker's list of things to do */
    bool want_flush;  /* bytes were queued */
    bool want_open;   /* connected at once; `opened` is due */
    bool want_resume; /* bytes that came before the pause are due */
    bool wrote;       /* `drained` is due when the queue falls */
    bool blocked;     /* the kernel takes no more for now */
    bool paused;      /* by the user */
    bool ended;       /* the peer has ended its side */
    bool end_sent;    /* we have ended ours */
    bool blamed;      /* `cause` is set */
    enum weir_cause cause;
    struct weir_conn *todo_next;

    struct weir_slices out; /* ranges[out_first] is the next to be sent; earlier ones are gone */
    size_t out_first;
    struct weir_buffer *tail;   /* where small copies are put together */
    struct weir_buffer *cipher; /* encrypted bytes that the kernel did not take; NULL: none */
    size_t cipher_sent;
    struct weir_buffer *stash; /* received while paused */
    size_t low_mark;

    struct weir_timer deadline; /* the user's */
    struct weir_timer guard;    /* connect, handshake, finish; in between, of accepted ones: the peer reads */
    uint64_t received, sent;
    uint64_t received_most; /* FINISHING: what is read and thrown away ends there */
    uint64_t read; /* what the peer had read when the guard began to watch its reading */

    struct weir_tls_session *tls; /* NULL: plain */
    struct weir_dial *dial;       /* until connected */
    struct weir_acceptor *acceptor;
    struct weir_conn *next, **link; /* among those of the acceptor */

    struct weir_sockaddr *address; /* the peer's */
    char *peer;
    enum weir_conn_reason reason;
    char *text;
};

/* --- conn.c --- */

struct weir_conn *weir_conn_new(struct weir_worker *worker, const struct weir_conn_events *events,
                                void *user);
/* Puts the connection on the list of those that want something done at the end of this turn. */
void weir_conn_todo(struct weir_conn *conn);
/* Does it: called for each connection on the list. */
void weir_conn_step(struct weir_conn *conn);
/* Has an open socket: the connection's own from now on; false when the loop does not want it (conn is
 * closed). */
bool weir_conn_attach(struct weir_conn *conn, int fd);
/* Connected: begins the handshake with `context` or, where it is NULL, tells `opened`. */
void weir_conn_established(struct weir_conn *conn, struct weir_tls_context *context, const char *server_name);
/* The handshake is over. */
void weir_conn_opened(struct weir_conn *conn);
/* Closes for a reason; the first one counts. */
void weir_conn_shut(struct weir_conn *conn, enum weir_conn_reason reason, const char *format, ...)
    WEIR_PRINTF(3, 4);
/* Watches the socket for what the connection now waits for. */
void weir_conn_watch(struct weir_conn *conn);

/* --- read.c --- */

/* The socket is readable. */
void weir_conn_receive(struct weir_conn *conn);
/* Hands on what is left in the stash. */
void weir_conn_unstash(struct weir_conn *conn);
/* Keeps received bytes until the connection is resumed. */
void weir_conn_stash(struct weir_conn *conn, const uint8_t *bytes, size_t length);
/* The peer has ended its side. */
void weir_conn_peer_ended(struct weir_conn *conn);

/* --- write.c --- */

/* Sends what is queued, as far as the kernel takes it. */
void weir_conn_send(struct weir_conn *conn);
/* Hands bytes to the kernel: how many it took, 0 when it is full or the connection had to be closed. */
size_t weir_conn_push(struct weir_conn *conn, struct iovec *ranges, size_t count);
/* Drops the first `bytes` of the queue. */
void weir_conn_advance(struct weir_conn *conn, size_t bytes);

/* --- connect.c --- */

void weir_dial_ready(struct weir_conn *conn);
void weir_dial_free(struct weir_dial *dial);
/* The guard's time is up while connecting. */
void weir_dial_late(struct weir_conn *conn);

/* --- accept.c --- */

/* The connection is gone. */
void weir_acceptor_leave(struct weir_acceptor *acceptor, struct weir_conn *conn);

#endif
