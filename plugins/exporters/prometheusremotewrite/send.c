// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/send.h"

#include <stdlib.h>

/* One batch under way. */
struct transfer {
    struct weir_http_parts parts;
    const struct prw_shared *shared;
    struct weir_http_header headers[3];
    struct prw_request *requests, *next;
};

static void free_transfer(struct weir_http_parts *parts)
{
    struct transfer *transfer = WEIR_CONTAINER_OF(parts, struct transfer, parts);
    prw_requests_free(transfer->requests);
    free(transfer);
}

/* --- requests --- */

static int set_body(struct weir_slices *body, struct prw_request *request, struct weir_error *error)
{
    bool added = weir_slices_add(body, request->body, request->body->data, request->body->length);
    weir_buffer_unref(request->body);
    request->body = NULL;
    return added ? weir_slices_deflate(body, WEIR_ENCODING_SNAPPY, 0, error) : weir_error_set(error, "out of memory");
}

static int make_part(struct weir_http_parts *parts, struct weir_http_part *part, struct weir_error *error)
{
    struct transfer *transfer = WEIR_CONTAINER_OF(parts, struct transfer, parts);
    struct prw_request *request = transfer->next;
    if (!request)
        return 0;
    transfer->next = request->next;
    part->items = request->items;
    part->request.url = &transfer->shared->url;
    part->request.headers = transfer->headers;
    part->request.header_count = WEIR_ARRAY_LENGTH(transfer->headers);
    part->request.timeout = transfer->shared->config->timeout.ns;
    return set_body(&part->request.body, request, error) == 0 ? 1 : -1;
}

/* What has been delivered already and comes again is the same sample twice, which the other side takes. */
static const struct weir_http_parts_type parts_type = {
    .part_size = sizeof(struct weir_http_part),
    .refusal = "remote write returned HTTP status",
    .make = make_part,
    .free = free_transfer,
};

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
    bool good = prw_translate(&transfer->shared->rules, transfer->parts.attempt->batch, &set, &skipped)
                && prw_requests_make((enum prw_message)config->message, &set, transfer->shared->most,
                                     config->send_metadata, &transfer->requests);
    transfer->next = transfer->requests;
    if (good && skipped.items)
        weir_http_parts_reject(&transfer->parts, skipped.items, weir_text_string(&skipped.reason));
    weir_text_free(&skipped.reason);
    series_free(&set);
    return good;
}

void prw_send(struct weir_shard *shard, struct weir_attempt *attempt)
{
    const struct prw_shared *shared = weir_instance_data(weir_shard_instance(shard));
    struct transfer *transfer = weir_xcalloc(1, sizeof(*transfer));
    weir_http_parts_init(&transfer->parts, &parts_type, shard, attempt, shared->parallel);
    transfer->shared = shared;
    set_headers(transfer);
    if (!make_requests(transfer))
        weir_http_parts_fail(&transfer->parts, "out of memory");
    weir_http_parts_send(&transfer->parts);
}
