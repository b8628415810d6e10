// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include <stdlib.h>

#include <weir/otlp_call.h>

static const char *const paths[WEIR_SIGNALS] = {
    [WEIR_TRACES] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    [WEIR_METRICS] = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    [WEIR_LOGS] = "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    [WEIR_PROFILES] = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
};

static bool is_retryable(const struct weir_grpc_response *response)
{
    switch (response->code) {
    case WEIR_GRPC_CANCELLED:
    case WEIR_GRPC_DEADLINE_EXCEEDED:
    case WEIR_GRPC_ABORTED:
    case WEIR_GRPC_OUT_OF_RANGE:
    case WEIR_GRPC_UNAVAILABLE:
    case WEIR_GRPC_DATA_LOSS:
        return true;
    case WEIR_GRPC_RESOURCE_EXHAUSTED:
        return response->has_retry_info; /* without, the batch is too large and stays so */
    default:
        return false;
    }
}

static void finish(struct weir_otlp_call *call, const struct weir_result *result,
                   const struct weir_partial_success *partial)
{
    weir_slices_free(&call->request.message);
    call->done(call, result, partial);
}

static void accepted(struct weir_otlp_call *call, const struct weir_grpc_response *response)
{
    struct weir_arena arena = { 0 };
    struct weir_partial_success partial = { 0 };
    struct weir_error error = WEIR_ERROR_INIT;
    if (weir_response_decode(WEIR_OTLP_PROTOBUF, call->signal, response->body.data, response->body.length, &arena, &partial,
                             &error) == 0) {
        finish(call, &WEIR_RESULT_OK, &partial);
    } else {
        char *reason =
            weir_xasprintf("Permanent error: rpc error: code = Internal desc = grpc: failed to unmarshal "
                           "the received message: %s",
                           weir_error_text(&error));
        finish(call, &(struct weir_result){ WEIR_PERMANENT, WEIR_GRPC_INTERNAL, 0, reason }, &partial);
        free(reason);
    }
    weir_arena_free(&arena);
    weir_error_free(&error);
}

static void refused(struct weir_otlp_call *call, const struct weir_grpc_response *response)
{
    struct weir_text reason = { 0 };
    struct weir_partial_success nothing = { 0 };
    struct weir_result result = { .outcome = is_retryable(response) ? WEIR_RETRYABLE : WEIR_PERMANENT,
                                  .grpc_code = response->code };
    if (result.outcome == WEIR_PERMANENT) {
        weir_text_adds(&reason, "Permanent error: ");
    } else if (response->has_retry_info && response->retry_delay > 0) {
        result.retry_after = response->retry_delay;
        weir_text_adds(&reason, "Throttle (");
        weir_duration_print((struct weir_duration){ response->retry_delay }, &reason);
        weir_text_adds(&reason, "), error: ");
    }
    weir_text_addf(&reason, "rpc error: code = %s desc = %.*s", weir_grpc_code_name(response->code),
                   WEIR_STR_ARG(response->message));
    result.reason = weir_text_string(&reason);
    finish(call, &result, &nothing);
    weir_text_free(&reason);
}

static void on_done(struct weir_grpc_request *request, const struct weir_grpc_response *response)
{
    struct weir_otlp_call *call = WEIR_CONTAINER_OF(request, struct weir_otlp_call, request);
    if (response->code == WEIR_GRPC_OK)
        accepted(call, response);
    else
        refused(call, response);
}

void weir_otlp_call_send(struct weir_otlp_call *call, struct weir_grpc_client *client,
                         const struct weir_grpc_client_options *options, struct weir_batch *batch, int64_t timeout)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_partial_success nothing = { 0 };
    call->signal = weir_batch_signal(batch);
    call->request = (struct weir_grpc_request){
        .path = paths[call->signal],
        .compressed = true,
        .context = weir_batch_context(batch),
        .timeout = timeout,
        .done = on_done,
    };
    if (!weir_batch_encode(batch, &call->request.message))
        weir_error_set(&error, "out of memory");
    else if (weir_slices_deflate(&call->request.message, (enum weir_encoding)options->compression, 0, &error) == 0)
        weir_grpc_client_send(client, &call->request);
    if (weir_error_is_set(&error))
        finish(call, &WEIR_RESULT_RETRYABLE(weir_error_text(&error)), &nothing);
    weir_error_free(&error);
}
