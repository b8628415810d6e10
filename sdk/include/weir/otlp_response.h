// SPDX-License-Identifier: Apache-2.0
/*
 * The small messages that answer an OTLP export, in both encodings: Export*ServiceResponse
 * (opentelemetry/proto/collector/.../v1) and google.rpc.Status with RetryInfo (google/rpc/status.proto,
 * google/rpc/error_details.proto).
 */
#ifndef WEIR_OTLP_RESPONSE_H
#define WEIR_OTLP_RESPONSE_H

#include <weir/arena.h>
#include <weir/buffer.h>
#include <weir/error.h>

WEIR_BEGIN

enum weir_otlp_format {
    WEIR_OTLP_PROTOBUF, /* application/x-protobuf, and all of gRPC */
    WEIR_OTLP_JSON,     /* application/json */
};

/* No RetryInfo at all, which says something else than a delay of zero. */
#define WEIR_NO_RETRY_DELAY ((int64_t)-1)

struct weir_rpc_status {
    int32_t code; /* a gRPC status code */
    struct weir_str message;
    int64_t retry_delay_ns; /* or WEIR_NO_RETRY_DELAY */
};

/* Appends a status; retry_delay_ns < 0 leaves RetryInfo out. false, with `out` unchanged, when memory is out.
 * Any thread. */
WEIR_EXPORT bool weir_status_encode(enum weir_otlp_format format, int32_t code, struct weir_str message,
                                    int64_t retry_delay_ns, struct weir_buffer *out) WEIR_MUST_USE;

/* Reads a status, which may come from anybody; the message is a copy in `arena`. Details other than RetryInfo are
 * skipped, a negative delay counts as zero. 0, or -1 with `error` set. Any thread. */
WEIR_EXPORT int weir_status_decode(enum weir_otlp_format format, const void *data, size_t length,
                                   struct weir_arena *arena, struct weir_rpc_status *out,
                                   struct weir_error *error) WEIR_MUST_USE;

/* The gRPC status code that stands for the HTTP status of an answer without google.rpc.Status, as upstream maps it;
 * Unknown for those that have none. Any thread. */
WEIR_EXPORT int weir_status_code_of_http(int http_status);

/* What a server says of an export that it accepted; nothing rejected and no message: all of it. */
struct weir_partial_success {
    int64_t rejected; /* spans, data points, log records or profiles */
    struct weir_str message;
};

/* Appends an Export*ServiceResponse; `partial` is NULL for full success, which upstream writes as an empty partial
 * success (0a 00, {"partialSuccess":{}}), and so does weir. false, with `out` unchanged, when memory is out.
 * Any thread. */
WEIR_EXPORT bool weir_response_encode(enum weir_otlp_format format, enum weir_signal signal,
                                      const struct weir_partial_success *partial,
                                      struct weir_buffer *out) WEIR_MUST_USE;

/* Reads a response, which may come from anybody; the message is a copy in `arena`. No bytes at all are a response in
 * protobuf and none in JSON. 0, or -1 with `error` set. Any thread. */
WEIR_EXPORT int weir_response_decode(enum weir_otlp_format format, enum weir_signal signal, const void *data,
                                     size_t length, struct weir_arena *arena, struct weir_partial_success *out,
                                     struct weir_error *error) WEIR_MUST_USE;

WEIR_END

#endif
