// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP/HTTP (OTLP specification; collector-core 4.4).
 */
#include <config.h>

#include <stdio.h>

#include <weir/otlp_json.h>

#include "plugins/receivers/otlp/receiver.h"

#define PROTOBUF "application/x-protobuf"
#define JSON "application/json"

static const char *type_of(enum weir_otlp_format format)
{
    return format == WEIR_OTLP_JSON ? JSON : PROTOBUF;
}

/* The media type of Content-Type without parameters; false: neither of the two. */
static bool find_format(struct weir_str type, enum weir_otlp_format *out)
{
    const char *semicolon = type.length > 0 ? memchr(type.data, ';', type.length) : NULL;
    if (semicolon)
        type.length = (size_t)(semicolon - type.data);
    type = weir_str_trim(type);
    bool json = weir_str_equal_nocase(type, WEIR_STR(JSON));
    *out = json ? WEIR_OTLP_JSON : WEIR_OTLP_PROTOBUF;
    return json || weir_str_equal_nocase(type, WEIR_STR(PROTOBUF));
}

static bool find_signal(const struct weir_http_exchange *exchange, enum weir_signal *out)
{
    const struct otlp_shard *own = weir_http_exchange_user(exchange);
    struct weir_str path = weir_http_exchange_path(exchange);
    for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
        if (own->receiver->paths[signal] && weir_str_is(path, own->receiver->paths[signal])) {
            *out = (enum weir_signal)signal;
            return true;
        }
    }
    return false;
}

/* --- answers --- */

/* Answers with a google.rpc.Status. */
static void respond_status(struct weir_http_exchange *exchange, enum weir_otlp_format format,
                           const struct otlp_answer *answer)
{
    struct weir_buffer *status = weir_buffer_new(64);
    struct weir_slices body = { .ranges = NULL };
    char seconds[24];
    struct weir_http_header headers[2] = { { WEIR_STR("content-type"), weir_str_of(type_of(format)) } };
    size_t count = 1;
    if (!status ||
        !weir_status_encode(format, answer->code, weir_str_of(answer->message), answer->retry_delay,
                            status) ||
        !weir_slices_add(&body, status, status->data, status->length))
        weir_slices_clear(&body);
    if (answer->retry_delay > 0 && (answer->http_status == 429 || answer->http_status == 503)) {
        // Whole seconds, and never sooner than the destination asked for.
        snprintf(seconds, sizeof(seconds), "%lld", (long long)((answer->retry_delay - 1) / 1000000000 + 1));
        headers[count++] = (struct weir_http_header){ WEIR_STR("retry-after"), weir_str_of(seconds) };
    }
    weir_http_respond(exchange, answer->http_status, headers, count, &body);
    weir_buffer_unref(status);
}

/* Upstream writes an empty partial success into every answer of success. */
static void respond_success(struct weir_http_exchange *exchange, enum weir_otlp_format format)
{
    static const char empty_partial_success[] = { 0x0a, 0x00 };
    struct weir_str text = format == WEIR_OTLP_JSON
                               ? WEIR_STR("{\"partialSuccess\":{}}")
                               : weir_str_make(empty_partial_success, sizeof(empty_partial_success));
    weir_http_respond_text(exchange, 200, type_of(format), text);
}

static void refuse_count(struct weir_http_exchange *exchange, const char *reason)
{
    const struct otlp_shard *own = weir_http_exchange_user(exchange);
    const struct otlp_request *request = weir_http_exchange_data(exchange);
    enum weir_signal signal = WEIR_TRACES;
    if (find_signal(exchange, &signal))
        weir_shard_refuse(own->shard, signal, request ? request->admitted : 0, reason);
}

/* The server cannot take the request: too large, broken, or in an encoding that is not known. */
static void fail(struct weir_http_exchange *exchange, int status, const char *message)
{
    struct weir_str type = weir_http_exchange_header(exchange, "content-type");
    enum weir_otlp_format format = WEIR_OTLP_JSON;
    refuse_count(exchange, status == 401 ? "unauthenticated" : status == 503 ? "overload" : "malformed");
    if (type.length > 0 && !find_format(type, &format)) {
        weir_http_respond_text(exchange, 500, JSON,
                               WEIR_STR("{\"code\": 13, \"message\": \"failed to marshal error message\"}"));
        return;
    }
    struct otlp_answer answer = {
        .code = weir_status_code_of_http(status),
        .http_status = status,
        .retry_delay = WEIR_NO_RETRY_DELAY,
        .message = message,
    };
    respond_status(exchange, format, &answer);
}

/* --- the way of a request --- */

static void done(struct weir_ack *ack, const struct weir_result *result)
{
    struct otlp_request *request = WEIR_CONTAINER_OF(ack, struct otlp_request, ack);
    struct otlp_answer answer = otlp_answer_of(result);
    if (result->outcome == WEIR_OK)
        respond_success(request->exchange, request->format);
    else
        respond_status(request->exchange, request->format, &answer);
}

static void head(struct weir_http_exchange *exchange)
{
    const struct otlp_shard *own = weir_http_exchange_user(exchange);
    enum weir_signal signal = WEIR_TRACES;
    enum weir_otlp_format format = WEIR_OTLP_PROTOBUF;
    if (!find_signal(exchange, &signal)) {
        weir_http_respond_text(exchange, 404, "text/plain; charset=utf-8", WEIR_STR("404 page not found\n"));
    } else if (!weir_str_is(weir_http_exchange_method(exchange), "POST")) {
        weir_http_respond_text(exchange, 405, "text/plain",
                               WEIR_STR("405 method not allowed, supported: [POST]"));
    } else if (!find_format(weir_http_exchange_header(exchange, "content-type"), &format)) {
        weir_http_respond_text(
            exchange, 415, "text/plain",
            WEIR_STR("415 unsupported media type, supported: [application/json, application/x-protobuf]"));
    } else {
        struct otlp_request *request = weir_xcalloc(1, sizeof(*request));
        request->ack.done = done;
        request->shard = own->shard;
        request->signal = signal;
        request->format = format;
        request->exchange = exchange;
        weir_http_exchange_set_data(exchange, request);
    }
}

static bool admit(struct weir_http_exchange *exchange, size_t bytes)
{
    struct otlp_request *request = weir_http_exchange_data(exchange);
    struct weir_result refusal = WEIR_RESULT_RETRYABLE("");
    if (otlp_request_admit(request, bytes, &refusal))
        return true;
    struct otlp_answer answer = otlp_answer_of(&refusal);
    weir_shard_refuse(request->shard, request->signal, request->admitted + bytes, "memory");
    respond_status(exchange, request->format, &answer);
    return false;
}

static struct weir_batch *decode(const struct otlp_request *request, struct weir_buffer *body,
                                 struct weir_error *error)
{
    if (request->format == WEIR_OTLP_JSON)
        return weir_batch_from_json(request->signal, body->data, body->length, error);
    return weir_batch_from_bytes(request->signal, body, body->data, body->length, error);
}

static struct weir_context *context_of(const struct weir_http_exchange *exchange)
{
    const struct otlp_shard *own = weir_http_exchange_user(exchange);
    size_t count = 0;
    const struct weir_http_header *headers = weir_http_exchange_headers(exchange, &count);
    if (!own->receiver->options->protocols.http.server.include_metadata)
        count = 0;
    size_t attribute_count = 0;
    const struct weir_metadata *attributes = weir_http_exchange_attributes(exchange, &attribute_count);
    return otlp_context("http", weir_http_exchange_peer(exchange), headers, count, attributes, attribute_count);
}

static void request_whole(struct weir_http_exchange *exchange)
{
    struct otlp_request *request = weir_http_exchange_data(exchange);
    struct weir_buffer *body = weir_http_exchange_body(exchange);
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_batch *batch = decode(request, body, &error);
    if (!batch) {
        fail(exchange, 400, weir_error_text(&error));
    } else if (weir_batch_items(batch) == 0) {
        weir_batch_unref(batch);
        respond_success(exchange, request->format);
    } else {
        otlp_request_send(request, batch, body->length, context_of(exchange));
    }
    weir_error_free(&error);
}

static void release(struct weir_http_exchange *exchange)
{
    otlp_request_free(weir_http_exchange_data(exchange));
}

const struct weir_http_handler otlp_http_handler = {
    .head = head,
    .admit = admit,
    .request = request_whole,
    .fail = fail,
    .release = release,
};
