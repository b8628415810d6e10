// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/send.h"

#include <stdlib.h>

#include <weir/compress.h>

/* Of an answer's body, what is told of it. */
#define ANSWER_SHOWN 1024

struct transfer;

/* One request on the wire. */
struct exchange {
    struct weir_http_request http;
    struct transfer *transfer;
    uint64_t items;
    bool busy;
};

/* One batch under way. */
struct transfer {
    const struct prw_shared *shared;
    struct weir_attempt *attempt;
    struct weir_http_client *client;
    struct weir_http_header headers[3];
    struct prw_request *requests, *next;
    struct exchange *exchanges; /* shared->parallel of them */
    size_t busy;
    uint64_t rejected; /* items */
    bool any_delivered;
    struct weir_text rejection;
    struct weir_result failure; /* retryable, of the first such answer */
    struct weir_text failure_text;
};

static void free_transfer(struct transfer *transfer)
{
    prw_requests_free(transfer->requests);
    for (size_t i = 0; i < transfer->shared->parallel; i++)
        weir_slices_free(&transfer->exchanges[i].http.body);
    weir_text_free(&transfer->rejection);
    weir_text_free(&transfer->failure_text);
    free(transfer->exchanges);
    free(transfer);
}

/* Every request has been answered, or need not be sent any more. Once one failed that may succeed later, all of the batch
 * comes again: what has been delivered already is the same sample twice, which the other side takes. */
static void finish(struct transfer *transfer)
{
    struct weir_attempt *attempt = transfer->attempt;
    if (transfer->failure.outcome == WEIR_RETRYABLE) {
        transfer->failure.reason = weir_text_string(&transfer->failure_text);
        weir_attempt_done(attempt, &transfer->failure);
    } else if (transfer->rejection.length && !transfer->any_delivered) {
        weir_attempt_done(attempt, &WEIR_RESULT_PERMANENT(weir_text_string(&transfer->rejection)));
    } else {
        struct weir_partial_success partial = { .rejected = (int64_t)transfer->rejected,
                                                .message = weir_text_view(&transfer->rejection) };
        weir_attempt_rejected(attempt, &partial);
        weir_attempt_done(attempt, &WEIR_RESULT_OK);
    }
    free_transfer(transfer);
}

/* --- answers --- */

static void fail(struct transfer *transfer, int status, int64_t retry_after, const char *reason)
{
    if (transfer->failure.outcome == WEIR_RETRYABLE)
        return;
    transfer->failure = (struct weir_result){ .outcome = WEIR_RETRYABLE, .retry_after = retry_after,
                                              .grpc_code = status ? weir_status_code_of_http(status) : 0 };
    weir_text_adds(&transfer->failure_text, reason);
}

static void reject(struct transfer *transfer, uint64_t items, const char *reason)
{
    transfer->rejected += items;
    if (transfer->rejection.length == 0)
        weir_text_adds(&transfer->rejection, reason);
}

static void refused(struct exchange *exchange, const struct weir_http_response *response)
{
    struct transfer *transfer = exchange->transfer;
    struct weir_text reason = { 0 };
    struct weir_str body = weir_str_trim(response->body);
    if (body.length > ANSWER_SHOWN)
        body.length = ANSWER_SHOWN;
    weir_text_addf(&reason, "remote write returned HTTP status %d: %.*s", response->status, WEIR_STR_ARG(body));
    if (response->status >= 500 || response->status == 429)
        fail(transfer, response->status, weir_http_retry_after(response), weir_text_string(&reason));
    else
        reject(transfer, exchange->items, weir_text_string(&reason));
    weir_text_free(&reason);
}

static void send_more(struct transfer *transfer);

static void on_done(struct weir_http_request *http, const struct weir_http_response *response)
{
    struct exchange *exchange = WEIR_CONTAINER_OF(http, struct exchange, http);
    struct transfer *transfer = exchange->transfer;
    weir_slices_clear(&http->body);
    exchange->busy = false;
    transfer->busy--;
    if (response->status == 0 && response->unauthenticated)
        reject(transfer, exchange->items, response->error);
    else if (response->status == 0)
        fail(transfer, 0, 0, response->error);
    else if (response->status >= 200 && response->status <= 299)
        transfer->any_delivered = true;
    else
        refused(exchange, response);
    send_more(transfer);
}

/* --- requests --- */

static int set_body(struct exchange *exchange, struct prw_request *request, struct weir_error *error)
{
    struct weir_slices plain = { 0 };
    struct weir_buffer *small = NULL;
    int result = -1;
    if (weir_slices_add(&plain, request->body, request->body->data, request->body->length)
        && weir_deflate(WEIR_ENCODING_SNAPPY, 0, &plain, &small, error) == 0)
        result = weir_slices_add(&exchange->http.body, small, small->data, small->length)
                     ? 0
                     : weir_error_set(error, "out of memory");
    weir_buffer_unref(small);
    weir_slices_free(&plain);
    weir_buffer_unref(request->body);
    request->body = NULL;
    return result;
}

static void start(struct transfer *transfer, struct exchange *exchange, struct prw_request *request)
{
    const struct prw_shared *shared = transfer->shared;
    struct weir_error error = WEIR_ERROR_INIT;
    exchange->http.method = "POST";
    exchange->http.url = &shared->url;
    exchange->http.headers = transfer->headers;
    exchange->http.header_count = WEIR_ARRAY_LENGTH(transfer->headers);
    exchange->http.context = weir_batch_context(transfer->attempt->batch);
    exchange->http.timeout = shared->config->timeout.ns;
    exchange->http.done = on_done;
    exchange->transfer = transfer;
    exchange->items = request->items;
    if (set_body(exchange, request, &error) < 0) {
        fail(transfer, 0, 0, weir_error_text(&error));
    } else {
        exchange->busy = true;
        transfer->busy++;
        weir_http_client_send(transfer->client, &exchange->http);
    }
    weir_error_free(&error);
}

static struct exchange *idle_exchange(struct transfer *transfer)
{
    for (size_t i = 0; i < transfer->shared->parallel; i++) {
        if (!transfer->exchanges[i].busy)
            return &transfer->exchanges[i];
    }
    return NULL;
}

static void send_more(struct transfer *transfer)
{
    struct exchange *exchange;
    while (transfer->next && transfer->failure.outcome != WEIR_RETRYABLE && (exchange = idle_exchange(transfer))) {
        struct prw_request *request = transfer->next;
        transfer->next = request->next;
        start(transfer, exchange, request);
    }
    if (transfer->busy == 0)
        finish(transfer);
}

/* --- a batch --- */

static void set_headers(struct transfer *transfer)
{
    bool second = transfer->shared->config->message == PRW_V2;
    transfer->headers[0] = (struct weir_http_header){ WEIR_STR("content-encoding"), WEIR_STR("snappy") };
    transfer->headers[1] = (struct weir_http_header){
        WEIR_STR("content-type"), second ? WEIR_STR("application/x-protobuf;proto=io.prometheus.write.v2.Request")
                                         : WEIR_STR("application/x-protobuf")
    };
    transfer->headers[2] = (struct weir_http_header){ WEIR_STR("x-prometheus-remote-write-version"),
                                                      second ? WEIR_STR("2.0.0") : WEIR_STR("0.1.0") };
}

static bool make_requests(struct transfer *transfer)
{
    const struct prw_config *config = transfer->shared->config;
    struct series_set set = { 0 };
    struct prw_skipped skipped = { 0 };
    bool good = prw_translate(&transfer->shared->rules, transfer->attempt->batch, &set, &skipped)
                && prw_requests_make((enum prw_message)config->message, &set, transfer->shared->most,
                                     config->send_metadata, &transfer->requests);
    transfer->next = transfer->requests;
    if (good && skipped.items)
        reject(transfer, skipped.items, weir_text_string(&skipped.reason));
    transfer->any_delivered = good && !transfer->requests && !skipped.items;
    weir_text_free(&skipped.reason);
    series_free(&set);
    return good;
}

void prw_send(struct weir_shard *shard, struct weir_attempt *attempt)
{
    const struct prw_shared *shared = weir_instance_data(weir_shard_instance(shard));
    struct prw_shard *own = weir_shard_data(shard);
    struct transfer *transfer = weir_xcalloc(1, sizeof(*transfer));
    transfer->shared = shared;
    transfer->attempt = attempt;
    transfer->client = own->client;
    transfer->exchanges = weir_xcalloc(shared->parallel, sizeof(*transfer->exchanges));
    set_headers(transfer);
    if (!make_requests(transfer))
        fail(transfer, 0, 0, "out of memory");
    send_more(transfer);
}
