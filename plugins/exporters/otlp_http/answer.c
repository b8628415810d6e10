// SPDX-License-Identifier: Apache-2.0
/*
 * What an answer means for the batch (collector-core 6.2, right-hand table of 4.4).
 */
#include <config.h>

#include <stdlib.h>

#include <weir/grpc_client.h>

#include "plugins/exporters/otlp_http/otlp_http.h"

void otlp_http_finish(struct otlp_http_transfer *transfer, const struct weir_result *result)
{
    struct weir_attempt *attempt = transfer->attempt;
    weir_slices_free(&transfer->request.body);
    free(transfer);
    weir_attempt_done(attempt, result);
}

/* 413: it is smaller batches that are wanted. */
static void too_large(struct otlp_http_transfer *transfer, const struct weir_result *result)
{
    struct weir_attempt *attempt = transfer->attempt;
    weir_slices_free(&transfer->request.body);
    free(transfer);
    weir_attempt_too_large(attempt, result);
}

static bool is_retryable(int status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

static void refused(struct otlp_http_transfer *transfer, const struct weir_http_response *response)
{
    struct weir_result result = { .outcome = is_retryable(response->status) ? WEIR_RETRYABLE : WEIR_PERMANENT,
                                  .grpc_code = weir_status_code_of_http(response->status),
                                  .retry_after = weir_http_retry_after(response) };
    struct weir_text reason = { 0 };
    if (result.outcome == WEIR_PERMANENT) {
        weir_text_adds(&reason, "Permanent error: ");
    } else if (result.retry_after > 0) {
        weir_text_adds(&reason, "Throttle (");
        weir_duration_print((struct weir_duration){ result.retry_after }, &reason);
        weir_text_adds(&reason, "), error: ");
    }
    weir_text_addf(
        &reason,
        "rpc error: code = %s desc = error exporting items, request to %s responded with HTTP Status Code %d",
        weir_grpc_code_name(result.grpc_code), transfer->request.url->text, response->status);
    struct weir_arena arena = { 0 };
    struct weir_rpc_status status;
    if (response->status >= 400 && response->body.length > 0 &&
        weir_str_is(weir_http_response_header(response, "content-type"), "application/x-protobuf") &&
        weir_status_decode(WEIR_OTLP_PROTOBUF, response->body.data, response->body.length, &arena, &status,
                           NULL) == 0)
        weir_text_addf(&reason, ", Message=%.*s, Details=[]", WEIR_STR_ARG(status.message));
    result.reason = weir_text_string(&reason);
    if (response->status == 413)
        too_large(transfer, &result);
    else
        otlp_http_finish(transfer, &result);
    weir_arena_free(&arena);
    weir_text_free(&reason);
}

/* The format that the answer says it has; false: none that we read. */
static bool format_of(const struct weir_http_response *response, enum weir_otlp_format *out)
{
    struct weir_str type = weir_http_response_header(response, "content-type");
    *out = weir_str_is(type, "application/json") ? WEIR_OTLP_JSON : WEIR_OTLP_PROTOBUF;
    return weir_str_is(type, "application/json") || weir_str_is(type, "application/x-protobuf");
}

static void accepted(struct otlp_http_transfer *transfer, const struct weir_http_response *response)
{
    struct weir_arena arena = { 0 };
    struct weir_partial_success partial = { 0 };
    struct weir_error error = WEIR_ERROR_INIT;
    enum weir_signal signal = weir_batch_signal(transfer->attempt->batch);
    enum weir_otlp_format format;
    if (response->body.length == 0 || !format_of(response, &format) ||
        weir_response_decode(format, signal, response->body.data, response->body.length, &arena, &partial,
                             &error) == 0) {
        weir_attempt_rejected(transfer->attempt, &partial);
        otlp_http_finish(transfer, &WEIR_RESULT_OK);
    } else {
        char *reason =
            weir_xasprintf("Permanent error: error parsing %s response body: %s",
                           format == WEIR_OTLP_JSON ? "json" : "protobuf", weir_error_text(&error));
        otlp_http_finish(transfer, &WEIR_RESULT_PERMANENT(reason));
        free(reason);
    }
    weir_arena_free(&arena);
    weir_error_free(&error);
}

void otlp_http_answered(struct otlp_http_transfer *transfer, const struct weir_http_response *response)
{
    if (response->status == 0)
        otlp_http_finish(transfer, response->unauthenticated ? &WEIR_RESULT_PERMANENT(response->error)
                                                             : &WEIR_RESULT_RETRYABLE(response->error));
    else if (response->status >= 200 && response->status <= 299)
        accepted(transfer, response);
    else
        refused(transfer, response);
}
