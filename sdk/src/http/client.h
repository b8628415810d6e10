// SPDX-License-Identifier: Apache-2.0
/*
 * The inside of the HTTP client: calls, the connections to one origin, and what runs on a connection.
 *
 * A caller's `done` may free everything, the client included. So an event of a connection puts its own house
 * in order first and completes a call last (weir_http_call_complete), or has that done later
 * (weir_http_call_fail).
 */
#ifndef WEIR_SDK_HTTP_CLIENT_H
#define WEIR_SDK_HTTP_CLIENT_H

#include <weir/http_client.h>

#include "sdk/src/auth/auth.h"
#include "sdk/src/http/h2_session.h"
#include "sdk/src/http/headers.h"
#include "sdk/src/http/proxy.h"
#include "sdk/src/net/conn.h"
#include "sdk/src/net/pace.h"
#include "sdk/src/net/resolve.h"

/* What a peer may send us: more is an error. */
#define WEIR_HTTP_REPLY_HEADERS_MAX 65536
#define WEIR_HTTP_REDIRECTS_MAX 10
#define WEIR_HTTP_INTERIM_MAX 100

struct weir_http_transport {
    const struct weir_http_client_options *options;
    struct weir_tls_context *tls; /* NULL: no https */
    struct weir_proxies proxies;
    struct auth_client auth;
    weir_pace *pace; /* of attempts to connect to what is down */
};

struct weir_http_origin;
struct weir_http_link;

/* Calls in the order they came. */
struct weir_http_queue {
    struct weir_http_call *first, *last;
    size_t count;
};

/* A response as it comes in. */
struct weir_http_reply {
    int status; /* 0: not even the status line is there */
    struct headers headers;
    struct weir_buffer *body; /* NULL: empty so far */
    bool truncated;
};

/* One request under way. */
struct weir_http_call {
    struct weir_http_client *client;
    struct weir_http_request *request;
    struct weir_http_call *next, *previous; /* of client->calls */
    struct weir_http_origin *origin;        /* where it waits or runs; NULL when it has failed */
    struct weir_http_call *next_queued;     /* of origin->waiting or client->finished */
    struct weir_http_link *link;            /* NULL: waits for a connection */
    struct h2_stream *stream;               /* on an HTTP/2 connection */
    struct weir_timer timeout;
    struct weir_url redirected; /* where redirects led */
    unsigned redirects;         /* 0: `redirected` is unset, the request's own URL counts */
    bool foreign;               /* redirected to another host: credentials stay behind */
    bool resent;                /* the kept connection was gone: on its second one */
    struct weir_auth_headers headers; /* with an authenticator: all that it has left or added */
    bool refused;                     /* by the authenticator */
    struct weir_http_reply reply;
    enum { WEIR_HTTP_CALL_RUNS, WEIR_HTTP_CALL_WAITS, WEIR_HTTP_CALL_FINISHED } state;
    char *failure; /* when finished: the error, NULL: there is a reply */
};

static inline const struct weir_url *weir_http_call_url(const struct weir_http_call *call)
{
    return call->redirects > 0 ? &call->redirected : call->request->url;
}

struct weir_http_client {
    struct weir_worker *worker;
    const struct weir_http_transport *transport;
    struct weir_http_call *calls;
    size_t pending;
    struct weir_http_origin *origins;
    size_t idle_links; /* of all origins */
    struct weir_http_queue finished;
    struct weir_timer settle;
    uint64_t random;
    bool settling; /* calls are being finished in a loop, which frees the client when `freed` */
    bool freed;
};

/* All connections to one scheme, host and port. */
struct weir_http_origin {
    struct weir_http_client *client;
    struct weir_http_origin *next;
    bool https;
    char *host;
    uint16_t port;
    const struct weir_url *proxy; /* NULL: direct */
    struct weir_http_queue waiting;
    struct weir_http_link *links; /* newest first */
    size_t link_count, opening_count, idle_count;
    enum {
        WEIR_HTTP_PROTOCOL_UNKNOWN,
        WEIR_HTTP_PROTOCOL_1,
        WEIR_HTTP_PROTOCOL_2,
    } protocol;
    unsigned failures;           /* connections in a row that failed, or were closed without a word */
    bool paced;                  /* the next attempt has its turn */
    struct weir_timer retry;     /* active: no new connection before it fires */
    struct weir_resolve resolve; /* of a name, once there was a connection */
};

enum weir_http_link_state {
    WEIR_HTTP_LINK_OPENING,
    WEIR_HTTP_LINK_IDLE,
    WEIR_HTTP_LINK_BUSY,
    WEIR_HTTP_LINK_MULTIPLEX, /* HTTP/2: takes calls side by side */
    WEIR_HTTP_LINK_GONE,      /* takes no calls; the origin has forgotten it */
};

/* One connection. */
struct weir_http_link {
    struct weir_http_origin *origin; /* NULL when gone */
    struct weir_http_client *client; /* NULL when gone */
    struct weir_http_link *next, *previous;
    struct weir_conn *conn;
    enum weir_http_link_state state;
    bool reused;                 /* has answered a call before */
    bool answered;               /* bytes came: somebody is there */
    bool retiring;               /* closed behind its call */
    int64_t retire_at;           /* on the worker's clock: another is to take its place */
    struct weir_timer idle;      /* idle_conn_timeout, HTTP/2 health pings */
    bool spare;                  /* idle, and one more than are kept */
    struct weir_http_call *call; /* HTTP/1 */
    struct weir_http_h1 *h1;
    struct weir_http_h2 *h2;
    struct weir_http_tunnel *tunnel; /* CONNECT is under way */
    bool tunneled;
};

/* --- client.c: calls --- */

/* Ends the call, which has left its connection, with its reply, or follows its redirect. */
void weir_http_call_complete(struct weir_http_call *call);
/* The same, in weir_http_client_settle. */
void weir_http_call_complete_soon(struct weir_http_call *call);
/* Ends the call, which has left its connection and its queue, with an error, in weir_http_client_settle. */
void weir_http_call_fail(struct weir_http_call *call, const char *format, ...) WEIR_PRINTF(2, 3);
/* Finishes what is due; also done in the next turn of the loop. */
void weir_http_client_settle(struct weir_http_client *client);

/* --- client_queue.c --- */

void weir_http_queue_push(struct weir_http_queue *queue, struct weir_http_call *call);
/* NULL: empty. */
struct weir_http_call *weir_http_queue_pop(struct weir_http_queue *queue);
void weir_http_queue_remove(struct weir_http_queue *queue, struct weir_http_call *call);

/* --- client_reply.c: what came --- */

void weir_http_reply_free(struct weir_http_reply *reply);
bool weir_http_reply_add(struct weir_http_reply *reply, struct weir_str name, struct weir_str value);
enum weir_http_take {
    WEIR_HTTP_TAKEN,
    WEIR_HTTP_FULL, /* as much as is wanted is there: nothing more needs to be read */
    WEIR_HTTP_NO_MEMORY,
};
/* The head of an answer is there, with this status. */
void weir_http_reply_begin(struct weir_http_call *call, int status);
/* Keeps what came, or hands it to the request's `piece`. */
enum weir_http_take weir_http_reply_body(struct weir_http_call *call, const void *data, size_t length);

/* --- client_pool.c: finding a connection for a call --- */

/* Starts the call on a connection that is there, or has it wait for a new one. */
void weir_http_pool_start(struct weir_http_call *call);
/* The call waits no longer. */
void weir_http_pool_leave(struct weir_http_call *call);
void weir_http_pool_free(struct weir_http_client *client);
/* What a connection reports: it can take calls (again); it will take no more. */
void weir_http_pool_ready(struct weir_http_link *link);
void weir_http_pool_gone(struct weir_http_link *link);
/* Asked when its idle time is over: whether it stays nevertheless, for it was short and the others have gone. */
bool weir_http_pool_keeps(struct weir_http_link *link);
/* No connection came about: fails what waits, and makes the next attempt wait. */
void weir_http_pool_refused(struct weir_http_origin *origin, const char *reason);

/* --- client_link.c: one connection --- */

/* Never NULL. */
struct weir_http_link *weir_http_link_open(struct weir_http_origin *origin);
/* Runs the call on an idle HTTP/1 or a multiplexing HTTP/2 connection. */
void weir_http_link_start(struct weir_http_link *link, struct weir_http_call *call);
/* Takes the call, unanswered, off the connection. */
void weir_http_link_abort(struct weir_http_link *link, struct weir_http_call *call);
/* Closes the connection; the origin forgets it at once. Calls that run on it fail with `reason`. */
void weir_http_link_close(struct weir_http_link *link, const char *reason);
/* Closes the connection once what is queued is sent; takes no more calls. */
void weir_http_link_finish(struct weir_http_link *link);
/* Closes the connection behind the calls under way; takes no more. */
void weir_http_link_retire(struct weir_http_link *link);
/* Retires it, with true, if it has become too old. */
bool weir_http_link_is_old(struct weir_http_link *link);
/* True if an HTTP/2 connection takes another call now. */
bool weir_http_link_has_room(const struct weir_http_link *link);

/* --- client_h1.c: HTTP/1.1 on a connection --- */

struct weir_http_h1 *weir_http_h1_new(struct weir_http_link *link);
void weir_http_h1_free(struct weir_http_h1 *h1);
void weir_http_h1_send(struct weir_http_h1 *h1, struct weir_http_call *call);
void weir_http_h1_receive(struct weir_http_h1 *h1, const uint8_t *bytes, size_t length);
/* The peer has ended its side, which completes an answer that has no length. */
void weir_http_h1_ended(struct weir_http_h1 *h1);
/* True once a byte of the answer is there. */
bool weir_http_h1_answering(const struct weir_http_h1 *h1);

/* --- client_h2.c: HTTP/2 on a connection --- */

struct weir_http_h2 *weir_http_h2_new(struct weir_http_link *link);
/* No more pings. Accepts NULL, as free does. */
void weir_http_h2_stop(struct weir_http_h2 *h2);
/* Every call that runs on it fails. */
void weir_http_h2_free(struct weir_http_h2 *h2);
void weir_http_h2_send(struct weir_http_h2 *h2, struct weir_http_call *call);
void weir_http_h2_receive(struct weir_http_h2 *h2, const uint8_t *bytes, size_t length);
void weir_http_h2_drained(struct weir_http_h2 *h2);
bool weir_http_h2_has_room(const struct weir_http_h2 *h2);
bool weir_http_h2_busy(const struct weir_http_h2 *h2);
void weir_http_h2_shutdown(struct weir_http_h2 *h2);
void weir_http_h2_abort(struct weir_http_h2 *h2, struct weir_http_call *call);

/* --- client_tunnel.c: CONNECT through a proxy --- */

/* Asks the proxy on `conn` for a tunnel. */
struct weir_http_tunnel *weir_http_tunnel_new(struct weir_conn *conn, const char *host, uint16_t port,
                                              const struct weir_url *proxy);
void weir_http_tunnel_free(struct weir_http_tunnel *tunnel);
/* Feeds what the proxy says: 1 when the tunnel stands, with what is behind bytes[*taken] from its other end;
 * 0 when more is needed; -1 with `error` set. */
int weir_http_tunnel_receive(struct weir_http_tunnel *tunnel, const uint8_t *bytes, size_t length,
                             size_t *taken, struct weir_error *error);

/* --- client_head.c: request headers --- */

/* The request line and the headers of HTTP/1.1, to the empty line. */
void weir_http_head_print(const struct weir_http_call *call, struct weir_text *out);
/* Has the authenticator of the options, if there is one, make the call's headers. 0, or -1 with `error` set. */
int weir_http_head_authenticate(struct weir_http_call *call, struct weir_error *error);
/* All headers but Host and Content-Length, names in lower case. */
void weir_http_head_collect(const struct weir_http_call *call, struct headers *out);
/* What goes into Host and :authority. */
struct weir_str weir_http_head_authority(const struct weir_http_call *call);
/* Checks the headers of the options. */
int weir_http_head_check(const struct weir_secret_pairs *headers, struct weir_error *error);

#endif
