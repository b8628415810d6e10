// SPDX-License-Identifier: Apache-2.0
/*
 * The inside of the gRPC client.
 *
 *     client    the calls of one worker to one target
 *       channel   one address of the target: connects, and tries again
 *         link      one HTTP/2 connection; an old one lives on beside its successor until its calls have
 * ended stream    one call
 *
 * A caller's `done` may free everything, the client included: calls are finished outside of all events
 * (weir_grpc_client_settle).
 */
#ifndef WEIR_SDK_GRPC_CLIENT_H
#define WEIR_SDK_GRPC_CLIENT_H

#include <weir/grpc_client.h>
#include <weir/net.h>

#include "sdk/src/http/client.h"
#include "sdk/src/http/h2_session.h"
#include "sdk/src/net/conn.h"
#include "sdk/src/net/pace.h"
#include "sdk/src/net/resolve.h"

struct weir_grpc_target {
    const struct weir_grpc_client_options *options;
    struct weir_endpoint endpoint;
    struct weir_tls_context *tls; /* NULL: plain */
    const char *server_name;      /* NULL: the endpoint's host */
    const char *authority;
    const char *user_agent;
    struct weir_proxies proxies;
    const struct weir_url *proxy; /* NULL: direct */
    weir_pace *pace;              /* of attempts while it is down */
    struct auth_client auth;
};

struct weir_grpc_link;
struct weir_grpc_channel;

/* One call under way. */
struct weir_grpc_stream {
    struct weir_grpc_client *client;
    struct weir_grpc_request *request;
    struct weir_grpc_stream *next, *previous; /* of client->streams */
    struct weir_grpc_stream *next_queued;     /* of client->waiting or client->finished */
    enum { WEIR_GRPC_STREAM_RUNS, WEIR_GRPC_STREAM_WAITS, WEIR_GRPC_STREAM_FINISHED } state;
    struct weir_grpc_link *link; /* while it runs */
    struct h2_stream *h2;
    struct weir_timer timeout;
    struct weir_auth_headers headers; /* with an authenticator: all that it has left or added */
    bool resent; /* once, after the peer said that it had not looked at it */

    struct weir_buffer *received; /* the length-prefixed message so far */

    /* What becomes of it. */
    int code;
    bool answered; /* the code is the peer's */
    char *message;
    struct weir_buffer *details;
    bool has_retry_info;
    int64_t retry_delay;
    struct weir_buffer *body; /* decompressed; NULL: it is in `received`, behind the prefix */
};

struct weir_grpc_queue {
    struct weir_grpc_stream *first, *last;
    size_t count;
};

/* One connection. */
struct weir_grpc_link {
    struct weir_grpc_client *client;        /* NULL: the client is gone */
    struct weir_grpc_channel *channel;      /* NULL: takes no more calls */
    struct weir_grpc_link *next, *previous; /* of client->links */
    struct weir_conn *conn;
    struct h2_session *session;
    struct weir_http_tunnel *tunnel;
    bool tunneled;
    bool answered;            /* bytes came: the peer speaks HTTP/2 */
    struct weir_timer health; /* silence, then the answer to a ping */
    bool pinged;
    char *going; /* why it ends */
};

enum weir_grpc_channel_state {
    WEIR_GRPC_CONNECTING,
    WEIR_GRPC_READY,
    WEIR_GRPC_BACKING_OFF,
};

/* One address. */
struct weir_grpc_channel {
    struct weir_grpc_client *client;
    struct weir_grpc_channel *next;
    struct weir_endpoint endpoint;
    enum weir_grpc_channel_state state;
    bool failed; /* since the last success */
    bool paced;  /* the next attempt has its turn */
    unsigned failures;
    int64_t started; /* of the last attempt to connect, on the worker's clock */
    struct weir_grpc_link *link;
    struct weir_grpc_link *fresh; /* takes the link's place once it is ready; NULL: none is needed */
    struct weir_timer retry, age;
    char *error; /* of the last attempt */
};

struct weir_grpc_client {
    struct weir_worker *worker;
    const struct weir_grpc_target *target;
    struct weir_grpc_stream *streams;
    size_t pending;
    struct weir_grpc_queue waiting, finished;
    struct weir_grpc_channel *channels, *turn; /* the next one in the round */
    struct weir_grpc_link *links;
    struct weir_resolve resolve; /* of a name whose addresses all have a channel */
    char *lookup_error;
    struct weir_timer settle;
    uint64_t random;
    bool settling, freed;
};

/* --- client.c --- */

/* Ends the stream, which has left its link or its queue, in weir_grpc_client_settle. */
void weir_grpc_stream_finish(struct weir_grpc_stream *stream, int code, const char *format, ...)
    WEIR_PRINTF(3, 4);
void weir_grpc_client_settle(struct weir_grpc_client *client);
/* Starts or fails what waits, as the channels now are. */
void weir_grpc_client_dispatch(struct weir_grpc_client *client);
/* The stream was not looked at by the peer: back into the queue, or failed the second time. */
void weir_grpc_stream_resend(struct weir_grpc_stream *stream, const char *why);

/* --- client_channel.c --- */

struct weir_grpc_channel *weir_grpc_channel_new(struct weir_grpc_client *client,
                                                const struct weir_endpoint *endpoint);
/* Lets the calls of its connection end. */
void weir_grpc_channel_free(struct weir_grpc_channel *channel);
/* What its link reports. */
void weir_grpc_channel_ready(struct weir_grpc_channel *channel, struct weir_grpc_link *link);
void weir_grpc_channel_lost(struct weir_grpc_channel *channel, struct weir_grpc_link *link, const char *why);
/* A pause before attempt number `failures`: 1 s, growing by 1.6 to 5 s, +-20 %. */
int64_t weir_grpc_backoff(struct weir_grpc_client *client, unsigned failures);

/* --- client_resolve.c --- */

/* Fills in the channels of the target, soon or at once. */
void weir_grpc_resolve_start(struct weir_grpc_client *client);
/* An address failed: the name may have others now. */
void weir_grpc_resolve_again(struct weir_grpc_client *client);
void weir_grpc_resolve_stop(struct weir_grpc_client *client);

/* --- client_link.c --- */

struct weir_grpc_link *weir_grpc_link_open(struct weir_grpc_channel *channel);
bool weir_grpc_link_has_room(const struct weir_grpc_link *link);
void weir_grpc_link_start(struct weir_grpc_link *link, struct weir_grpc_stream *stream);
void weir_grpc_link_abort(struct weir_grpc_link *link, struct weir_grpc_stream *stream);
/* Takes no more calls, closes when those under way have ended. */
void weir_grpc_link_retire(struct weir_grpc_link *link);
/* Closes at once. */
void weir_grpc_link_close(struct weir_grpc_link *link);

/* --- client_call.c: one call as HTTP/2 headers and messages --- */

/* Has the authenticator of the options, if there is one, make the call's metadata. 0, or -1 with `error` set. */
int weir_grpc_call_authenticate(struct weir_grpc_stream *stream, struct weir_error *error);
/* The request's headers; false when memory is out. */
bool weir_grpc_call_headers(const struct weir_grpc_stream *stream, struct headers *out);
/* The length-prefixed message; -1 with the stream not started and `error` set. */
int weir_grpc_call_body(const struct weir_grpc_stream *stream, struct weir_slices *out,
                        struct weir_error *error);
/* Bytes of the answer; false: too many, the stream is finished. */
bool weir_grpc_call_receive(struct weir_grpc_stream *stream, const uint8_t *bytes, size_t length);
/* The answer is whole. */
void weir_grpc_call_end(struct weir_grpc_stream *stream, const struct h2_stream *h2);

/* --- client_status.c: codes and what peers write them as --- */

int weir_grpc_code_of_http(unsigned status);
int weir_grpc_code_of_h2(uint32_t error_code);
/* Base64 with or without padding; NULL when it is none or memory is out. */
struct weir_buffer *weir_grpc_base64_decode(struct weir_str text);
/* grpc-timeout: at most 8 digits and a unit. */
void weir_grpc_timeout_print(int64_t ns, char out[24]);

#endif
