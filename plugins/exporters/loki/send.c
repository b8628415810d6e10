// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/loki/send.h"

#include <stdlib.h>

/* Of an answer's body, what is told of it. */
#define ANSWER_SHOWN 1024

struct transfer;

/* One request: of a tenant, or the batch as it is. */
struct exchange {
    struct weir_http_request http;
    struct weir_http_header headers[3];
    struct transfer *transfer;
    uint64_t items;
    bool busy;
};

/* One batch under way. */
struct transfer {
    const struct loki_shared *shared;
    struct weir_attempt *attempt;
    struct weir_http_client *client;
    struct loki_push push;
    struct loki_tenant *next;   /* whose request has not been sent yet */
    struct exchange *exchanges; /* shared->parallel of them */
    size_t busy;
    uint64_t rejected; /* items */
    bool any_delivered;
    bool too_large;
    struct weir_text rejection;
    struct weir_result failure; /* retryable, of the first such answer */
    struct weir_text failure_text;
};

static void free_transfer(struct transfer *transfer)
{
    loki_push_free(&transfer->push);
    for (size_t i = 0; i < transfer->shared->parallel; i++)
        weir_slices_free(&transfer->exchanges[i].http.body);
    weir_text_free(&transfer->rejection);
    weir_text_free(&transfer->failure_text);
    free(transfer->exchanges);
    free(transfer);
}

/* Every request has been answered, or need not be sent any more. Once one failed that may succeed later, all of the batch
 * comes again, as do its halves when one was too large: an entry that Loki has already is the same entry twice, which Loki
 * keeps once. */
static void finish(struct transfer *transfer)
{
    struct weir_attempt *attempt = transfer->attempt;
    const char *rejection = weir_text_string(&transfer->rejection);
    if (transfer->failure.outcome == WEIR_RETRYABLE) {
        transfer->failure.reason = weir_text_string(&transfer->failure_text);
        weir_attempt_done(attempt, &transfer->failure);
    } else if (transfer->too_large) {
        weir_attempt_too_large(attempt, &WEIR_RESULT_PERMANENT(rejection));
    } else if (transfer->rejection.length && !transfer->any_delivered) {
        weir_attempt_done(attempt, &WEIR_RESULT_PERMANENT(rejection));
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

/* The body's first line. */
static struct weir_str first_line(struct weir_str body)
{
    body = weir_str_trim(body);
    if (body.length > ANSWER_SHOWN)
        body.length = ANSWER_SHOWN;
    const char *end = body.length ? memchr(body.data, '\n', body.length) : NULL;
    return weir_str_make(body.data, end ? (size_t)(end - body.data) : body.length);
}

static void refused(struct exchange *exchange, const struct weir_http_response *response)
{
    struct transfer *transfer = exchange->transfer;
    struct weir_text reason = { 0 };
    weir_text_addf(&reason, "Loki answered with HTTP status %d: %.*s", response->status,
                   WEIR_STR_ARG(first_line(response->body)));
    if (response->status >= 500 || response->status == 429) {
        fail(transfer, response->status, weir_http_retry_after(response), weir_text_string(&reason));
    } else {
        transfer->too_large = transfer->too_large || response->status == 413;
        reject(transfer, exchange->items, weir_text_string(&reason));
    }
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

static void set_headers(struct exchange *exchange, struct weir_str tenant)
{
    const struct loki_shared *shared = exchange->transfer->shared;
    struct weir_http_header *header = exchange->headers;
    *header++ = (struct weir_http_header){ WEIR_STR("content-type"), WEIR_STR("application/x-protobuf") };
    // The push API's protobuf is always snappy, and says so nowhere.
    if (shared->rules.mode == LOKI_OTLP && shared->encoding != WEIR_ENCODING_IDENTITY)
        *header++ = (struct weir_http_header){ WEIR_STR("content-encoding"),
                                               weir_str_of(weir_encoding_name(shared->encoding)) };
    if (tenant.length == 0)
        tenant = shared->tenant;
    if (tenant.length)
        *header++ = (struct weir_http_header){ WEIR_STR("x-scope-orgid"), tenant };
    exchange->http.headers = exchange->headers;
    exchange->http.header_count = (size_t)(header - exchange->headers);
}

static int compress(const struct loki_shared *shared, const struct weir_slices *plain, struct weir_slices *out,
                    struct weir_error *error)
{
    struct weir_buffer *small = NULL;
    if (weir_deflate(shared->encoding, 0, plain, &small, error) < 0)
        return -1;
    bool added = weir_slices_add(out, small, small->data, small->length);
    weir_buffer_unref(small);
    return added ? 0 : weir_error_set(error, "out of memory");
}

/* The tenant's streams, or the batch as it is. */
static int set_body(struct exchange *exchange, struct loki_tenant *tenant, struct weir_error *error)
{
    struct transfer *transfer = exchange->transfer;
    struct weir_slices plain = { 0 };
    struct weir_buffer *body = NULL;
    bool good;
    if (tenant) {
        body = loki_push_pack(&transfer->push, tenant);
        good = body && weir_slices_add(&plain, body, body->data, body->length);
    } else {
        good = weir_batch_encode(transfer->attempt->batch, &plain);
    }
    int result = good ? compress(transfer->shared, &plain, &exchange->http.body, error)
                      : weir_error_set(error, "out of memory");
    weir_buffer_unref(body);
    weir_slices_free(&plain);
    return result;
}

static void start(struct transfer *transfer, struct exchange *exchange, struct loki_tenant *tenant,
                  struct weir_str name, uint64_t items)
{
    const struct loki_shared *shared = transfer->shared;
    struct weir_error error = WEIR_ERROR_INIT;
    exchange->transfer = transfer;
    exchange->items = items;
    exchange->http.method = "POST";
    exchange->http.url = &shared->url;
    exchange->http.context = weir_batch_context(transfer->attempt->batch);
    exchange->http.timeout = shared->config->timeout.ns;
    exchange->http.done = on_done;
    set_headers(exchange, name);
    if (set_body(exchange, tenant, &error) < 0) {
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
    while (transfer->next && transfer->failure.outcome != WEIR_RETRYABLE && !transfer->too_large
           && (exchange = idle_exchange(transfer))) {
        struct loki_tenant *tenant = transfer->next;
        transfer->next = tenant->next;
        start(transfer, exchange, tenant, tenant->name, tenant->items);
    }
    if (transfer->busy == 0)
        finish(transfer);
}

/* --- a batch --- */

static void send_push(struct transfer *transfer)
{
    struct loki_skipped skipped = { 0 };
    uint64_t now = (uint64_t)weir_wall_clock();
    switch (loki_translate(&transfer->shared->rules, transfer->attempt->batch, now, &transfer->push, &skipped)) {
    case LOKI_TRANSLATED:
        transfer->next = transfer->push.first;
        if (skipped.items)
            reject(transfer, skipped.items, weir_text_string(&skipped.reason));
        break;
    case LOKI_TOO_MUCH:
        transfer->too_large = true;
        reject(transfer, 0, "the lines come to more than 64 MiB");
        break;
    case LOKI_NO_MEMORY:
        fail(transfer, 0, 0, "out of memory");
    }
    weir_text_free(&skipped.reason);
    send_more(transfer);
}

static void send_otlp(struct transfer *transfer)
{
    struct weir_batch *batch = transfer->attempt->batch;
    struct weir_str tenant = loki_configured_tenant(transfer->shared->config, batch);
    if (loki_is_tenant(tenant))
        start(transfer, &transfer->exchanges[0], NULL, tenant, weir_batch_items(batch));
    else
        reject(transfer, weir_batch_items(batch), LOKI_NO_TENANT);
    if (transfer->busy == 0)
        finish(transfer);
}

void loki_send(struct weir_shard *shard, struct weir_attempt *attempt)
{
    const struct loki_shared *shared = weir_instance_data(weir_shard_instance(shard));
    struct loki_shard *own = weir_shard_data(shard);
    struct transfer *transfer = weir_xcalloc(1, sizeof(*transfer));
    transfer->shared = shared;
    transfer->attempt = attempt;
    transfer->client = own->client;
    transfer->exchanges = weir_xcalloc(shared->parallel, sizeof(*transfer->exchanges));
    if (shared->rules.mode == LOKI_OTLP)
        send_otlp(transfer);
    else
        send_push(transfer);
}
