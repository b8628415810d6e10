// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/2 on a connection, for servers and clients: nghttp2 with weir's limits, whole header lists, and
 * message bodies that are sent without a copy. Private to libweir.
 *
 * The owner of the connection feeds what arrives to h2_session_receive, calls h2_session_flush when the
 * connection has drained, and is told about streams through h2_callbacks. Callbacks may submit, reset and
 * shut down, but not free the session. All on the connection's worker.
 */
#ifndef WEIR_H2_SESSION_H
#define WEIR_H2_SESSION_H

#include <nghttp2/nghttp2.h>

#include <weir/buffer.h>

#include "sdk/src/http/headers.h"
#include "sdk/src/net/conn.h"

struct h2_session;

/* One request and its answer. Made by a peer's HEADERS (server) or by h2_session_request (client); freed
 * behind `closed`. */
struct h2_stream {
    struct h2_session *session;
    void *user; /* the owner's; NULL at first on servers */
    int32_t id;
    struct headers headers;  /* received, with pseudo headers; servers: gone when `headers` has returned */
    struct headers trailers; /* received */

    /* Private. */
    bool head_done; /* later header blocks are trailers */
    bool remote_ended;
    bool local_ended;
    bool sending;  /* answered, and not all of it is sent */
    size_t held;   /* bytes of the header lists */
    int64_t moved; /* when the request's body last went on */
    struct weir_slices out; /* the body to be sent */
    size_t out_range;
    size_t out_offset;
    size_t out_left;
    int64_t headed;                        /* when the peer's header list was whole */
    struct weir_http_header *out_trailers; /* with their texts */
    size_t out_trailer_count;
    bool has_out_trailers;
    struct h2_stream *previous;
    struct h2_stream *next;
};

struct h2_callbacks {
    /* The header list is whole: `end` when no body follows. Clients: interim (1xx) answers are left out. */
    void (*headers)(struct h2_stream *stream, bool end);
    /* Bytes of the body; valid during the call. */
    void (*data)(struct h2_stream *stream, const uint8_t *bytes, size_t length);
    /* The peer has sent all; follows data or trailers, not a `headers` with `end`. */
    void (*end)(struct h2_stream *stream);
    /* The stream is over and freed after the call; error_code is NGHTTP2_NO_ERROR when both sides ended in
     * order. Also called for what is left by h2_session_free. */
    void (*closed)(struct h2_stream *stream, uint32_t error_code);
    /* A PING came; ack: the answer to h2_session_ping. NULL allowed. */
    void (*ping)(struct h2_session *session, bool ack);
    /* The peer's GOAWAY: streams above `last` were not processed and are closed with NGHTTP2_REFUSED_STREAM.
     * NULL allowed. */
    void (*goaway)(struct h2_session *session, int32_t last, uint32_t error_code, struct weir_str debug);
    /* Nothing more will be read or written, or the peer broke the protocol (`error` says how, else NULL): the
     * owner finishes the connection, with what is queued. Once, as the last thing of a receive or flush. */
    void (*over)(struct h2_session *session, const char *error);
};

/* Windows: enough for one stream to fill a fast link, small enough that a connection cannot take the memory.
 */
#define H2_STREAM_WINDOW (1 << 20)
#define H2_CONNECTION_WINDOW (16 << 20)
#define H2_DEFAULT_STREAMS 1000
#define H2_MAX_HEADER_LIST (64 << 10)

/* Servers: bytes of header lists of all requests under way together. Beyond it, a list may have H2_HEADERS_SMALL;
 * a request with more is refused, to be tried again. */
#define H2_HEADERS_HELD ((size_t)1 << 20)
#define H2_HEADERS_SMALL ((size_t)2 << 10)
/* Servers: a request whose body does not go on for this long, while others on its connection do, is reset. */
#define H2_STALL_TIME (300 * INT64_C(1000000000))

struct h2_config {
    bool server;
    int64_t header_time;    /* servers: for header lists to arrive, nanoseconds; 0: a minute */
    int64_t body_time;      /* servers: for a whole body; 0: a minute of silence, and 512 bytes a second on average */
    uint32_t max_streams;   /* servers: at one time; 0: H2_DEFAULT_STREAMS */
    size_t max_header_list; /* bytes as struct headers counts them; 0: H2_MAX_HEADER_LIST */
    const struct h2_callbacks *callbacks;
    void *user;
};

/* A session on an open connection; queues the preface and SETTINGS. NULL when memory is out. */
struct h2_session *h2_session_new(struct weir_conn *conn, const struct h2_config *config) WEIR_MUST_USE;
/* Ends it: `closed` is called for every stream (error NGHTTP2_CANCEL). Sends nothing. Accepts NULL. Not from
 * within a callback. */
void h2_session_free(struct h2_session *session);
void *h2_session_user(const struct h2_session *session);
struct weir_conn *h2_session_conn(const struct h2_session *session);

/* Takes what the connection received. Calls back, and queues what is to be answered. */
void h2_session_receive(struct h2_session *session, const uint8_t *bytes, size_t length);
/* Queues what waits to be sent, as far as the connection's queue has room; for the connection's `drained`,
 * too. */
void h2_session_flush(struct h2_session *session);

/* Streams that are not closed. */
size_t h2_session_streams(const struct h2_session *session);

/* Servers: when h2_session_check has to be called, on the connection's clock; INT64_MAX: never. Changes with whatever
 * is received or sent. */
int64_t h2_session_due(const struct h2_session *session);
/* Ends a connection whose client is late (GOAWAY, `over`), and resets requests that stall: false when it was ended. */
bool h2_session_check(struct h2_session *session);
/* Clients: whether one more stream may be opened now (the peer's limit, no GOAWAY, ids left). */
bool h2_session_can_request(const struct h2_session *session);

/* Client: opens a stream; `headers` begin with the pseudo headers; the ranges of `body` (may be NULL) are
 * taken over and the list left empty. NULL when memory or stream ids are out. */
struct h2_stream *h2_session_request(struct h2_session *session, const struct weir_http_header *headers,
                                     size_t count, struct weir_slices *body, void *user) WEIR_MUST_USE;

/* Server: answers; `headers` begin with :status. `body` as above; `trailers` (NULL: none) are copied. Without
 * body and trailers the headers end the stream. A request that is not whole by then is reset with
 * NGHTTP2_NO_ERROR behind the answer (RFC 9113, 8.1). The stream may be closed and freed when this returns;
 * it is reset when memory is out. */
void h2_stream_respond(struct h2_stream *stream, const struct weir_http_header *headers, size_t count,
                       struct weir_slices *body, const struct weir_http_header *trailers,
                       size_t trailer_count);

/* Ends the stream with RST_STREAM; `closed` comes with that code, perhaps before this returns. */
void h2_stream_reset(struct h2_stream *stream, uint32_t error_code);

/* Sends a PING; one at a time (false: one is under way, or memory is out). */
bool h2_session_ping(struct h2_session *session);

/* Graceful end. Servers: announces GOAWAY, a round trip later (or at h2_session_refuse) refuses newer
 * streams, lets those under way end, then `over`. Clients: no more requests, then `over`. */
void h2_session_shutdown(struct h2_session *session);
/* Servers: does not wait for that round trip any longer. */
void h2_session_refuse(struct h2_session *session);
/* GOAWAY with an error and at once `over`. */
void h2_session_terminate(struct h2_session *session, uint32_t error_code, const char *debug);

#endif
