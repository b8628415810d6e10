// SPDX-License-Identifier: Apache-2.0
/*
 * The one connection layer: TCP and unix sockets, with or without TLS, accepted or connected. The HTTP
 * servers and clients stand on it. Private to libweir.
 *
 * A connection lives on one worker and everything about it happens on that worker's thread. All calls may be
 * made from inside any event. Events are never nested: a call made by the user does not bring an event before
 * it returns.
 */
#ifndef WEIR_NET_CONN_H
#define WEIR_NET_CONN_H

#include <weir/buffer.h>
#include <weir/error.h>
#include <weir/net.h>
#include <weir/tls.h>
#include <weir/worker.h>

struct weir_conn;

enum weir_conn_reason {
    WEIR_CONN_LOCAL,     /* weir_conn_close or weir_conn_finish */
    WEIR_CONN_EOF,       /* the peer ended its side */
    WEIR_CONN_RESET,     /* read or write error */
    WEIR_CONN_TIMEOUT,   /* the deadline passed */
    WEIR_CONN_CONNECT,   /* no address answered, or the name is unknown */
    WEIR_CONN_TLS,       /* handshake or record error */
    WEIR_CONN_NO_MEMORY, /* the system has none left for what was to be queued */
};

/* What happens to a connection. Every member but `data` and `closed` may be NULL. */
struct weir_conn_events {
    /* Connected or accepted, the TLS handshake done, ALPN known. First event, at most once. */
    void (*opened)(struct weir_conn *conn);
    /*
     * Asks where the next received bytes shall go, so that a body is received straight into its buffer: sets
     * *length (up to which it writes there) and returns the place; NULL (or *length 0): use the worker's own
     * 64 KiB. `hint` is what the layer would take. The place must stay valid until the `data` that follows,
     * or until `closed`; `data` is then called with bytes == the place. May be asked without `data`
     * following.
     */
    void *(*room)(struct weir_conn *conn, size_t hint, size_t *length);
    /* Bytes came (length > 0); valid during the call, and all of them count as taken. */
    void (*data)(struct weir_conn *conn, const uint8_t *bytes, size_t length);
    /* The peer has ended its side; we can still write. NULL: the connection is closed with WEIR_CONN_EOF. */
    void (*ended)(struct weir_conn *conn);
    /* After weir_conn_write: the queue fell to the low mark or below (0 unless set). */
    void (*drained)(struct weir_conn *conn);
    /* The deadline passed. NULL: the connection is closed with WEIR_CONN_TIMEOUT. */
    void (*expired)(struct weir_conn *conn);
    /* The last event, exactly once, also when `opened` never came; the connection is freed after it. `text`
     * says what happened, for logs and errors ("connect to h:p: Connection refused"). */
    void (*closed)(struct weir_conn *conn, enum weir_conn_reason reason, const char *text);
};

/* --- outgoing --- */

struct weir_connect_options {
    const struct weir_endpoint *endpoint; /* copied */
    struct weir_tls_context *tls;         /* a client context; NULL: plain */
    const char *server_name;              /* SNI and the name to verify; NULL: the endpoint's host */
    int64_t timeout; /* nanoseconds for lookup, connect and handshake together; 0: 20 s */
    const struct weir_conn_events *events;
    void *user;
};

/* Starts to connect; tries the name's addresses in order. Never NULL: failures arrive as `closed`. */
struct weir_conn *weir_connect(struct weir_worker *worker, const struct weir_connect_options *options);

/* --- an open connection --- */

void weir_conn_set_events(struct weir_conn *conn, const struct weir_conn_events *events, void *user);
void *weir_conn_user(const struct weir_conn *conn);

/* "h2", "http/1.1", ... as the handshake settled it; "" when nothing was settled or there is no TLS. */
const char *weir_conn_alpn(const struct weir_conn *conn);
bool weir_conn_is_tls(const struct weir_conn *conn);
/* True after `opened`, until it is closing. */
bool weir_conn_is_open(const struct weir_conn *conn);
/* The peer as text: "127.0.0.1:4711", "[::1]:4711", "@" or a path for unix sockets; owned by the connection.
 */
const char *weir_conn_peer(struct weir_conn *conn);
/* Bytes on the wire since the start, TLS included. */
uint64_t weir_conn_received(const struct weir_conn *conn);
uint64_t weir_conn_sent(const struct weir_conn *conn);

/*
 * Queues bytes; all that is queued within one turn of the loop leaves in as few system calls as possible at
 * its end. References on the buffers are taken and dropped once sent; ranges without a buffer must stay valid
 * until `drained` with an empty queue, or `closed`. Nothing is sent after weir_conn_finish or
 * weir_conn_close: then the bytes are ignored.
 */
void weir_conn_write(struct weir_conn *conn, const struct weir_slices *slices);
/* The same for one range of a buffer. */
void weir_conn_write_range(struct weir_conn *conn, struct weir_buffer *buffer, const void *data,
                           size_t length);
/* The same for a copy of the bytes (small ones: headers, control frames); copies of one turn are put
 * together. */
void weir_conn_write_copy(struct weir_conn *conn, const void *data, size_t length);
/* Goes on in TLS as a client, on an open plain connection on which all that was written has been sent and the peer
 * says nothing before the handshake (a proxy's tunnel). `opened` comes a second time. 20 s for the handshake. */
void weir_conn_start_tls(struct weir_conn *conn, struct weir_tls_context *context, const char *server_name);
/* Bytes written and not yet with the kernel. */
size_t weir_conn_queued(const struct weir_conn *conn);
/* `drained` comes when the queue falls to so many bytes. */
void weir_conn_set_low_mark(struct weir_conn *conn, size_t bytes);

/* Stops and restarts `room`, `data` and `ended`: backpressure to the peer. Paused connections still write. */
void weir_conn_pause(struct weir_conn *conn);
void weir_conn_resume(struct weir_conn *conn);

/* One deadline, `delay` nanoseconds from now; negative: none. Setting it again moves it. */
void weir_conn_set_deadline(struct weir_conn *conn, int64_t delay);

/* The worker's clock (weir_worker_now). */
int64_t weir_conn_now(const struct weir_conn *conn);

/* Closes at once; what is queued is lost. `closed` follows in a later turn, no other event does. */
void weir_conn_close(struct weir_conn *conn);
/* Sends what is queued, ends our side, waits a moment for the peer to end its own (so that no reset overtakes
 * what was sent), then closes. Only `closed` follows. A peer that does not read is cut off after 5 s. */
void weir_conn_finish(struct weir_conn *conn);

/* --- incoming --- */

/* An address that is bound, with one socket for each worker (SO_REUSEPORT; a unix socket is shared). */
struct weir_listener;
/* The part of a listener that accepts on one worker. */
struct weir_acceptor;

struct weir_bind_options {
    const struct weir_endpoint *endpoint;
    int backlog;              /* 0: the system's maximum */
    unsigned max_connections; /* on all workers together; more wait in the backlog; 0: three quarters
                               * of the file descriptors that connections may have */
    bool first_worker_only;   /* one socket, for worker 0: one nobody accepts from would leave clients waiting */
};

/* Resolves and binds; nothing is accepted yet. 0, or -1 with `error` set ("listen tcp 127.0.0.1:4317: bind:
 * address already in use"). Main thread, in a component's start. */
int weir_bind(const struct weir_bind_options *options, struct weir_listener **out, struct weir_error *error);

/* The actual address, as text ("127.0.0.1:4317", "[::]:4318", "/run/x.sock") and as port. Any thread. */
const char *weir_listener_address(const struct weir_listener *listener);
uint16_t weir_listener_port(const struct weir_listener *listener);
/* Connections now open, on all workers. Any thread. */
unsigned weir_listener_connections(const struct weir_listener *listener);

/* Frees the listener and removes a unix socket's path; accepts NULL. Main thread; all acceptors are gone. */
void weir_listener_free(struct weir_listener *listener);

struct weir_accept_options {
    struct weir_tls_context *tls; /* a server context; NULL: plain */
    int64_t handshake_timeout;    /* nanoseconds; 0: 10 s */
    const struct weir_conn_events *events;
    /* A connection came in, before its handshake: may give it its own user pointer and deadline; NULL
     * allowed. */
    void (*accepted)(struct weir_acceptor *acceptor, struct weir_conn *conn);
    /* After weir_acceptor_close, when its last connection is gone; the acceptor is freed after it. */
    void (*closed)(struct weir_acceptor *acceptor);
    void *user; /* the acceptor's, and the connections' until set otherwise */
};

/* Starts to accept on this worker. 0, or -1 with `error` set. The worker's thread. */
int weir_listen(struct weir_worker *worker, struct weir_listener *listener,
                const struct weir_accept_options *options, struct weir_acceptor **out,
                struct weir_error *error);
void *weir_acceptor_user(const struct weir_acceptor *acceptor);

/* Calls `call` for each connection of the acceptor that is not closing (to tell them to finish). */
void weir_acceptor_each(struct weir_acceptor *acceptor, void (*call)(struct weir_conn *conn, void *argument),
                        void *argument);
/* Stops accepting; open connections go on. `closed` follows in a later turn, once all of them are gone. */
void weir_acceptor_close(struct weir_acceptor *acceptor);
/* Closes each connection of the acceptor, those that are finishing too; of what they had queued, what the kernel takes
 * at once is sent. */
void weir_acceptor_end(struct weir_acceptor *acceptor);

#endif
