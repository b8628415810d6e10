// SPDX-License-Identifier: Apache-2.0
/* One GET, waited for. */
#include <config.h>

#include <weir/http_client.h>
#include <weir/sys/worker.h>

#include "core/service/fetch.h"

#define TIMEOUT (INT64_C(30) * 1000000000)
#define TURN_MS 1000

struct fetch {
    struct weir_http_request request;
    struct weir_text *body;
    struct weir_error *error;
    int status; /* -1: failed, see error */
    bool done;
};

static void take_response(struct weir_http_request *request, const struct weir_http_response *response)
{
    struct fetch *fetch = WEIR_CONTAINER_OF(request, struct fetch, request);
    fetch->done = true;
    fetch->status = -1;
    if (response->status == 0) {
        weir_error_set(fetch->error, "%s", response->error);
    } else if (response->truncated) {
        weir_error_set(fetch->error, "the answer has more than %d bytes", WEIR_HTTP_RESPONSE_BODY_MAX);
    } else {
        fetch->status = response->status;
        weir_text_add(fetch->body, response->body.data, response->body.length);
    }
}

struct terms {
    int64_t timeout;
    bool any_certificate;
};

static int get(const struct weir_http_transport *transport, const struct weir_url *url, int64_t timeout,
               struct weir_text *body, struct weir_error *error)
{
    struct weir_worker *worker = weir_worker_at(0);
    struct weir_http_client *client = weir_http_client_new(worker, transport);
    struct fetch fetch = {
        .request = { .method = "GET", .url = url, .timeout = timeout, .done = take_response },
        .body = body,
        .error = error,
    };
    weir_http_client_send(client, &fetch.request);
    while (!fetch.done)
        weir_worker_turn(worker, TURN_MS);
    weir_http_client_free(client);
    weir_worker_turn(worker, 0); /* lets what was closed go */
    return fetch.status;
}

static int get_with_defaults(const struct weir_url *url, const struct terms *terms, struct weir_text *body,
                             struct weir_error *error)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    struct weir_http_client_options options;
    weir_options_decode(&weir_http_client_table, NULL, "", &options, &arena, &problems);
    options.tls.insecure_skip_verify = terms->any_certificate;
    struct weir_http_transport *transport = weir_http_transport_new(&options, url->https, NULL, error);
    int status = transport ? get(transport, url, terms->timeout, body, error) : -1;
    weir_http_transport_free(transport);
    weir_problems_free(&problems);
    weir_arena_free(&arena);
    return status;
}

static int fetch(const char *uri, const struct terms *terms, struct weir_text *body, struct weir_error *error)
{
    struct weir_url url = { 0 };
    bool own_worker = weir_worker_count() == 0;
    if (weir_url_parse(uri, &url, error) != 0)
        return -1;
    int status = -1;
    if (!own_worker || weir_workers_create(1, WEIR_CLOCK_SYSTEM, error) == 0) {
        status = get_with_defaults(&url, terms, body, error);
        if (own_worker)
            weir_workers_destroy();
    }
    weir_url_free(&url);
    return status;
}

int fetch_over_http(const char *uri, struct weir_text *body, struct weir_error *error)
{
    return fetch(uri, &(struct terms){ .timeout = TIMEOUT }, body, error);
}

int fetch_from_anyone(const char *uri, int64_t timeout, struct weir_text *body, struct weir_error *error)
{
    return fetch(uri, &(struct terms){ timeout, .any_certificate = true }, body, error);
}
