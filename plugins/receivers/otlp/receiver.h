// SPDX-License-Identifier: Apache-2.0
/*
 * The otlp receiver: configuration, the parts on each worker, and requests on their way.
 */
#ifndef OTLP_RECEIVER_H
#define OTLP_RECEIVER_H

#include <weir/component.h>
#include <weir/context.h>
#include <weir/grpc_server.h>
#include <weir/http_server.h>
#include <weir/otlp_response.h>

struct otlp_grpc_options {
    struct weir_grpc_server_options server;
};

struct otlp_http_options {
    struct weir_http_server_options server;
    char *traces_url_path;
    char *metrics_url_path;
    char *logs_url_path;
};

struct otlp_options {
    struct otlp_protocols {
        bool grpc_on;
        struct otlp_grpc_options grpc;
        bool http_on;
        struct otlp_http_options http;
    } protocols;
};

extern const struct weir_option_table otlp_table;

/* The path part of a configured URL, with a leading "/"; the caller frees it. NULL: no valid URL. */
char *otlp_url_path(const char *url);

/* What all workers share. */
struct otlp_receiver {
    const struct otlp_options *options;
    char *paths[WEIR_SIGNALS];                         /* NULL: no pipeline uses the signal */
    struct weir_grpc_method methods[WEIR_SIGNALS + 1]; /* tags are signals */
    struct weir_grpc_site *grpc;
    struct weir_http_site *http;
};

/* The part on one worker. */
struct otlp_shard {
    struct weir_shard *shard;
    const struct otlp_receiver *receiver;
    struct weir_grpc_server *grpc;
    struct weir_http_server *http;
    unsigned draining; /* servers that are not drained yet */
};

/* One export request, from its headers to its answer. */
struct otlp_request {
    struct weir_ack ack;
    struct weir_shard *shard;
    enum weir_signal signal;
    enum weir_otlp_format format;
    struct weir_http_exchange *exchange; /* one of the two */
    struct weir_grpc_call *call;
    size_t admitted; /* bytes reserved and not given to a batch */
};

/* How a result is told to a client (collector-core 4.4). */
struct otlp_answer {
    int code; /* of google.rpc.Status and gRPC */
    int http_status;
    int64_t retry_delay; /* nanoseconds; WEIR_NO_RETRY_DELAY: no RetryInfo */
    const char *message;
};
struct otlp_answer otlp_answer_of(const struct weir_result *result);

/* Asks the pipelines for room; false: `refusal` says why. */
bool otlp_request_admit(struct otlp_request *request, size_t bytes, struct weir_result *refusal);
/* Gives back what was admitted, and frees the request. Accepts NULL. */
void otlp_request_free(struct otlp_request *request);
/* Sends the decoded batch down, with `body_length` bytes of what was admitted; request->ack follows, perhaps
 * before this returns. */
void otlp_request_send(struct otlp_request *request, struct weir_batch *batch, size_t body_length,
                       struct weir_context *context);
/* A context with the request's metadata if that is wanted, and what is known of the caller. */
struct weir_context *otlp_context(const char *transport, struct weir_str peer,
                                  const struct weir_http_header *headers, size_t count,
                                  const struct weir_metadata *attributes, size_t attribute_count);

extern const struct weir_http_handler otlp_http_handler;
extern const struct weir_grpc_handler otlp_grpc_handler;

#endif
