// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as the answer to a request of the HTTP client. The first byte says where the input is cut into
 * two sends.
 */
#include <config.h>

#include <stdio.h>

#include <weir/http_client.h>

#include "tests/fuzz/fuzz_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char proxy[40];
static struct weir_http_client_options options;
static struct weir_http_transport *transport;
static struct weir_url url;
static int listener;
static bool done;

static void on_done(struct weir_http_request *request, const struct weir_http_response *response)
{
    (void)request;
    if (done || (response->status == 0) == (response->error == NULL) ||
        response->body.length > WEIR_HTTP_RESPONSE_BODY_MAX)
        abort();
    (void)weir_http_response_header(response, "retry-after");
    done = true;
}

static void start(void)
{
    uint16_t port;
    if (weir_workers_create(1, WEIR_CLOCK_MANUAL, NULL) != 0)
        abort();
    listener = fuzz_listen(&port);
    /* Through ourselves as the proxy, so that redirects lead nowhere else. */
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", (unsigned)port);
    options.proxy_url = proxy;
    if (weir_url_parse("http://collector.example/v1/traces", &url, NULL) != 0 ||
        !(transport = weir_http_transport_new(&options, false, NULL, NULL)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!transport)
        start();
    struct weir_worker *worker = weir_worker_at(0);
    struct weir_http_client *client = weir_http_client_new(worker, transport);
    struct weir_http_request request = {
        .method = "POST", .url = &url, .timeout = 100000000000, .done = on_done
    };
    if (!weir_slices_add(&request.body, NULL, "body", 4))
        abort();
    done = false;
    weir_http_client_send(client, &request);
    fuzz_answer(worker, listener, data, size, &done);
    weir_slices_free(&request.body);
    weir_http_client_free(client);
    fuzz_settle(worker);
    return 0;
}
