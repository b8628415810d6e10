// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/loki/send.h"

#include <stdlib.h>

/* A request: of a tenant, or the batch as it is. */
struct exchange {
    struct weir_http_part part;
    struct weir_http_header headers[3];
};

/* One batch under way. */
struct transfer {
    struct weir_http_parts parts;
    const struct loki_shared *shared;
    struct loki_push push;
    struct loki_tenant *next; /* whose request has not been made yet */
    bool as_it_is;            /* a request of the whole batch is to be made, for the tenant: */
    struct weir_str tenant;
};

static struct transfer *transfer_of(struct weir_http_parts *parts)
{
    return WEIR_CONTAINER_OF(parts, struct transfer, parts);
}

static void free_transfer(struct weir_http_parts *parts)
{
    struct transfer *transfer = transfer_of(parts);
    loki_push_free(&transfer->push);
    free(transfer);
}

/* --- requests --- */

static void set_headers(const struct loki_shared *shared, struct exchange *exchange, struct weir_str tenant)
{
    struct weir_http_header *header = exchange->headers;
    *header++ = (struct weir_http_header){ WEIR_STR("content-type"), shared->config->encoding == LOKI_JSON
                                                                         ? WEIR_STR("application/json")
                                                                         : WEIR_STR("application/x-protobuf") };
    // That the push API's protobuf is snappy is said nowhere.
    if (shared->compression != WEIR_ENCODING_SNAPPY && shared->compression != WEIR_ENCODING_IDENTITY)
        *header++ = (struct weir_http_header){ WEIR_STR("content-encoding"),
                                               weir_str_of(weir_encoding_name(shared->compression)) };
    if (tenant.length == 0)
        tenant = shared->tenant;
    if (tenant.length)
        *header++ = (struct weir_http_header){ WEIR_STR("x-scope-orgid"), tenant };
    exchange->part.request.headers = exchange->headers;
    exchange->part.request.header_count = (size_t)(header - exchange->headers);
}

static bool add_push(struct transfer *transfer, struct loki_tenant *tenant, struct weir_slices *body)
{
    bool json = transfer->shared->config->encoding == LOKI_JSON;
    struct weir_buffer *packed =
        json ? loki_push_pack_json(&transfer->push, tenant) : loki_push_pack(&transfer->push, tenant);
    bool added = packed && weir_slices_add(body, packed, packed->data, packed->length);
    weir_buffer_unref(packed);
    return added;
}

/* The next tenant's streams, or the batch as it is. */
static int make_part(struct weir_http_parts *parts, struct weir_http_part *part, struct weir_error *error)
{
    struct transfer *transfer = transfer_of(parts);
    const struct loki_shared *shared = transfer->shared;
    struct loki_tenant *tenant = transfer->next;
    struct weir_slices *body = &part->request.body;
    bool good;
    if (!tenant && !transfer->as_it_is)
        return 0;
    part->request.url = &shared->url;
    part->request.timeout = shared->config->timeout.ns;
    if (tenant) {
        transfer->next = tenant->next;
        part->items = tenant->items;
        good = add_push(transfer, tenant, body);
    } else {
        transfer->as_it_is = false;
        part->items = weir_batch_items(parts->attempt->batch);
        good = weir_batch_encode(parts->attempt->batch, body);
    }
    set_headers(shared, WEIR_CONTAINER_OF(part, struct exchange, part), tenant ? tenant->name : transfer->tenant);
    if (!good)
        return weir_error_set(error, "out of memory");
    return weir_slices_deflate(body, shared->compression, 0, error) == 0 ? 1 : -1;
}

/* An entry that Loki has already and that comes again is the same entry twice, which Loki keeps once. */
static const struct weir_http_parts_type parts_type = {
    .part_size = sizeof(struct exchange),
    .refusal = "Loki answered with HTTP status",
    .splits = true,
    .make = make_part,
    .free = free_transfer,
};

/* --- a batch --- */

static void make_push(struct transfer *transfer)
{
    struct loki_skipped skipped = { 0 };
    uint64_t now = (uint64_t)weir_wall_clock();
    switch (loki_translate(&transfer->shared->rules, transfer->parts.attempt->batch, now, &transfer->push, &skipped)) {
    case LOKI_TRANSLATED:
        transfer->next = transfer->push.first;
        if (skipped.items)
            weir_http_parts_reject(&transfer->parts, skipped.items, weir_text_string(&skipped.reason));
        break;
    case LOKI_TOO_MUCH:
        weir_http_parts_too_large(&transfer->parts, "the lines come to more than 64 MiB");
        break;
    case LOKI_NO_MEMORY:
        weir_http_parts_fail(&transfer->parts, "out of memory");
    }
    weir_text_free(&skipped.reason);
}

static void take_tenant(struct transfer *transfer)
{
    struct weir_batch *batch = transfer->parts.attempt->batch;
    transfer->tenant = loki_configured_tenant(transfer->shared->config, batch);
    transfer->as_it_is = loki_is_tenant(transfer->tenant);
    if (!transfer->as_it_is)
        weir_http_parts_reject(&transfer->parts, weir_batch_items(batch), LOKI_NO_TENANT);
}

void loki_send(struct weir_shard *shard, struct weir_attempt *attempt)
{
    const struct loki_shared *shared = weir_instance_data(weir_shard_instance(shard));
    struct transfer *transfer = weir_xcalloc(1, sizeof(*transfer));
    weir_http_parts_init(&transfer->parts, &parts_type, shard, attempt, shared->parallel);
    transfer->shared = shared;
    if (shared->rules.mode == LOKI_OTLP)
        take_tenant(transfer);
    else
        make_push(transfer);
    weir_http_parts_send(&transfer->parts);
}
