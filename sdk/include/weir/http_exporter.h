// SPDX-License-Identifier: Apache-2.0
/*
 * What exporters over HTTP have in common, on top of the sender: a client for each worker, and the delivery of one batch
 * as several requests.
 */
#ifndef WEIR_HTTP_EXPORTER_H
#define WEIR_HTTP_EXPORTER_H

#include <weir/compress.h>
#include <weir/http_client.h>
#include <weir/sender.h>

WEIR_BEGIN

/* In start, after weir_sender_create: makes what the clients share and opens the sender. `options` lives as long as the
 * instance; `https`: some URL needs it. 0, or -1 with `error` set. Main thread. */
WEIR_EXPORT int weir_http_exporter_start(struct weir_instance *instance, const struct weir_http_client_options *options,
                                         bool https, struct weir_error *error) WEIR_MUST_USE;
/* The hooks worker_start, worker_stop and stop; the shard's data is the client, a struct weir_http_client. */
WEIR_EXPORT int weir_http_exporter_worker_start(struct weir_shard *shard, struct weir_error *error);
WEIR_EXPORT void weir_http_exporter_worker_stop(struct weir_shard *shard);
WEIR_EXPORT void weir_http_exporter_stop(struct weir_instance *instance);

struct weir_http_parts;

/* One request of a batch; the exporter's own structure begins with it. */
struct weir_http_part {
    struct weir_http_request request;
    uint64_t items;
    struct weir_http_parts *parts;
    bool busy;
};

struct weir_http_parts_type {
    size_t part_size;    /* of the exporter's structure */
    const char *refusal; /* begins what is told of an answer that is none of 2xx: "Loki answered with HTTP status" */
    bool splits;         /* 413: the halves of the batch are sent by themselves, nothing is refused yet */
    /* Makes the next request: url, headers, timeout and body (which is empty) of part->request, and part->items. 1; 0
     * where there is no more; -1 with `error` set: all of the batch comes again later. */
    int (*make)(struct weir_http_parts *parts, struct weir_http_part *part, struct weir_error *error);
    /* The attempt is over: frees the structure around `parts`. */
    void (*free)(struct weir_http_parts *parts);
};

/*
 * A batch under way as several requests. Embed it in the state kept for the batch. What the answers come to: one that may
 * be otherwise later (5xx, 429, none at all) makes all of the batch come again, so the peer must bear to get twice what it
 * has already; any other but 2xx drops the items of its request, or refuses the batch where nothing was delivered.
 */
struct weir_http_parts {
    const struct weir_http_parts_type *type;
    struct weir_attempt *attempt;
    struct weir_http_client *client;
    size_t parallel;
    unsigned char *slots; /* `parallel` parts */
    size_t busy;
    bool ended, delivered, too_large;
    uint64_t rejected; /* items */
    struct weir_text rejection;
    struct weir_result failure; /* the first that is retryable */
    struct weir_text failure_text;
};

/* In the function that sends: sets the structure up for at most `parallel` requests at a time. The shard's worker, as for
 * all that follows. */
WEIR_EXPORT void weir_http_parts_init(struct weir_http_parts *parts, const struct weir_http_parts_type *type,
                                      struct weir_shard *shard, struct weir_attempt *attempt, size_t parallel);
/* Before weir_http_parts_send: items that cannot be sent; the first reason is the one that is told. */
WEIR_EXPORT void weir_http_parts_reject(struct weir_http_parts *parts, uint64_t items, const char *reason);
/* Before weir_http_parts_send: the batch cannot be sent now, or not as a whole. No request is made then. */
WEIR_EXPORT void weir_http_parts_fail(struct weir_http_parts *parts, const char *reason);
WEIR_EXPORT void weir_http_parts_too_large(struct weir_http_parts *parts, const char *reason);
/* Makes and sends the requests, and ends the attempt when all are answered, perhaps at once. */
WEIR_EXPORT void weir_http_parts_send(struct weir_http_parts *parts);

WEIR_END

#endif
