// SPDX-License-Identifier: Apache-2.0
/*
 * One OTLP/gRPC export: a batch as a call of its signal's service, and what the answer means for the batch (collector-core
 * 4.4 and 6.1).
 */
#ifndef WEIR_OTLP_CALL_H
#define WEIR_OTLP_CALL_H

#include <weir/batch.h>
#include <weir/grpc_client.h>
#include <weir/otlp_response.h>

WEIR_BEGIN

/* Embed it in the state kept for it; zero-initialise, set `done`. It is the call's until `done` is called. */
struct weir_otlp_call {
    /* The outcome as the sender takes it, texts included; `partial` is what the peer said of a batch that it took, empty
     * otherwise. Both are valid during the call, which may free the structure. */
    void (*done)(struct weir_otlp_call *call, const struct weir_result *result,
                 const struct weir_partial_success *partial);

    struct weir_grpc_request request; /* private */
    enum weir_signal signal;          /* private */
};

/* Sends the batch, in the compression of `options` (the client's); `done` is called exactly once, later or, where memory is
 * out, before this returns. `timeout` is for the whole call, in nanoseconds; 0: none. The batch is only read. The client's
 * worker. */
WEIR_EXPORT void weir_otlp_call_send(struct weir_otlp_call *call, struct weir_grpc_client *client,
                                     const struct weir_grpc_client_options *options, struct weir_batch *batch,
                                     int64_t timeout);

WEIR_END

#endif
