// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as what a peer of the gRPC client says. The first byte says where the input is cut into two
 * sends.
 */
#include <config.h>

#include <stdio.h>

#include <weir/grpc_client.h>

#include "tests/fuzz/fuzz_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char endpoint[32];
static struct weir_grpc_client_options options = { .endpoint = endpoint, .tls = { .insecure = true } };
static struct weir_grpc_target *target;
static int listener;
static bool done;

static void on_done(struct weir_grpc_request *request, const struct weir_grpc_response *response)
{
    (void)request;
    if (done || response->body.length > WEIR_GRPC_RESPONSE_MAX || response->retry_delay < 0)
        abort();
    done = true;
}

static void start(void)
{
    uint16_t port;
    if (weir_workers_create(1, WEIR_CLOCK_MANUAL, NULL) != 0)
        abort();
    listener = fuzz_listen(&port);
    unsetenv("HTTPS_PROXY");
    unsetenv("https_proxy");
    snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%u", (unsigned)port);
    if (!(target = weir_grpc_target_new(&options, NULL, NULL)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!target)
        start();
    struct weir_worker *worker = weir_worker_at(0);
    struct weir_grpc_client *client = weir_grpc_client_new(worker, target);
    struct weir_grpc_request request = { .path = "/a.Service/Call",
                                         .timeout = 100000000000,
                                         .done = on_done };
    if (!weir_slices_add(&request.message, NULL, "message", 7))
        abort();
    done = false;
    weir_grpc_client_send(client, &request);
    fuzz_answer(worker, listener, data, size, &done);
    weir_slices_free(&request.message);
    weir_grpc_client_free(client);
    fuzz_settle(worker);
    return 0;
}
