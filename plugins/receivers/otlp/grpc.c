// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP/gRPC (OTLP specification; collector-core 4.5).
 */
#include <config.h>

#include <stdlib.h>

#include "plugins/receivers/otlp/receiver.h"

/* Answers with a status, and RetryInfo where the destination asked for time. */
static void respond_status(struct weir_grpc_call *call, const struct otlp_answer *answer)
{
    struct weir_buffer *details = answer->retry_delay >= 0 ? weir_buffer_new(64) : NULL;
    bool encoded = details && weir_status_encode(WEIR_OTLP_PROTOBUF, answer->code,
                                                 weir_str_of(answer->message), answer->retry_delay, details);
    weir_grpc_fail(call, answer->code, answer->message, encoded ? details->data : NULL,
                   encoded ? details->length : 0);
    weir_buffer_unref(details);
}

static void respond_success(struct weir_grpc_call *call)
{
    static const uint8_t empty_partial_success[] = { 0x0a, 0x00 };
    weir_grpc_reply(call, empty_partial_success, sizeof(empty_partial_success));
}

static void done(struct weir_ack *ack, const struct weir_result *result)
{
    struct otlp_request *request = WEIR_CONTAINER_OF(ack, struct otlp_request, ack);
    struct otlp_answer answer = otlp_answer_of(result);
    if (result->outcome == WEIR_OK)
        respond_success(request->call);
    else
        respond_status(request->call, &answer);
}

static struct otlp_request *request_of(struct weir_grpc_call *call)
{
    struct otlp_request *request = weir_grpc_call_data(call);
    if (request)
        return request;
    const struct otlp_shard *own = weir_grpc_call_user(call);
    request = weir_xcalloc(1, sizeof(*request));
    request->ack.done = done;
    request->shard = own->shard;
    request->signal = (enum weir_signal)weir_grpc_call_tag(call);
    request->format = WEIR_OTLP_PROTOBUF;
    request->call = call;
    weir_grpc_call_set_data(call, request);
    return request;
}

static bool admit(struct weir_grpc_call *call, size_t bytes)
{
    struct otlp_request *request = request_of(call);
    struct weir_result refusal = WEIR_RESULT_RETRYABLE("");
    if (otlp_request_admit(request, bytes, &refusal))
        return true;
    struct otlp_answer answer = otlp_answer_of(&refusal);
    weir_shard_refuse(request->shard, request->signal, request->admitted + bytes, "memory");
    respond_status(call, &answer);
    return false;
}

static struct weir_context *context_of(const struct weir_grpc_call *call)
{
    const struct otlp_shard *own = weir_grpc_call_user(call);
    size_t count = 0;
    const struct weir_http_header *metadata = weir_grpc_call_metadata(call, &count);
    if (!own->receiver->options->protocols.grpc.server.include_metadata)
        count = 0;
    size_t attribute_count = 0;
    const struct weir_metadata *attributes = weir_grpc_call_attributes(call, &attribute_count);
    return otlp_context("grpc", weir_grpc_call_peer(call), metadata, count, attributes, attribute_count);
}

static void refuse_bytes(struct weir_grpc_call *call, const struct weir_error *error)
{
    struct otlp_request *request = request_of(call);
    char *message =
        weir_xasprintf("grpc: failed to unmarshal the received message: %s", weir_error_text(error));
    weir_shard_refuse(request->shard, request->signal, request->admitted, "malformed");
    weir_grpc_fail(call, WEIR_GRPC_INTERNAL, message, NULL, 0);
    free(message);
}

static void request_whole(struct weir_grpc_call *call)
{
    struct otlp_request *request = request_of(call);
    struct weir_buffer *message = weir_grpc_call_message(call);
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_batch *batch =
        weir_batch_from_bytes(request->signal, message, message->data, message->length, &error);
    if (!batch) {
        refuse_bytes(call, &error);
    } else if (weir_batch_items(batch) == 0) {
        weir_batch_unref(batch);
        respond_success(call);
    } else {
        int64_t deadline = weir_grpc_call_deadline(call);
        request->ack.deadline = deadline == INT64_MAX ? 0 : deadline;
        otlp_request_send(request, batch, message->length, context_of(call));
    }
    weir_error_free(&error);
}

static void refused(struct weir_grpc_call *call, int code, const char *message)
{
    const struct otlp_shard *own = weir_grpc_call_user(call);
    const struct otlp_request *request = weir_grpc_call_data(call);
    int signal = weir_grpc_call_tag(call);
    bool unknown = code == WEIR_GRPC_UNAUTHENTICATED || code == WEIR_GRPC_PERMISSION_DENIED;
    (void)message;
    if (signal >= 0)
        weir_shard_refuse(own->shard, (enum weir_signal)signal, request ? request->admitted : 0,
                          unknown                          ? "unauthenticated"
                          : code == WEIR_GRPC_UNAVAILABLE ? "overload"
                                                          : "malformed");
}

static void release(struct weir_grpc_call *call)
{
    otlp_request_free(weir_grpc_call_data(call));
}

const struct weir_grpc_handler otlp_grpc_handler = {
    .admit = admit,
    .request = request_whole,
    .refused = refused,
    .release = release,
};
