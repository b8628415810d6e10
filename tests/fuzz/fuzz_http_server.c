// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes into a connection of an HTTP/1.1 server. The first byte says where the input is cut into two
 * sends.
 */
#include <config.h>

#include <stdio.h>

#include <weir/http_server.h>

#include "tests/fuzz/fuzz_peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct weir_worker *worker;
static char name[64];

static bool admit(struct weir_http_exchange *exchange, size_t bytes)
{
    (void)exchange;
    return bytes <= 1 << 16;
}

static void request(struct weir_http_exchange *exchange)
{
    struct weir_str path = weir_http_exchange_path(exchange);
    struct weir_buffer *body = weir_http_exchange_body(exchange);
    size_t count = 0;
    (void)weir_http_exchange_headers(exchange, &count);
    if (body->length > 0 && body->data[body->length - 1] == 'x')
        weir_http_respond(exchange, 204, NULL, 0, NULL);
    else
        weir_http_respond_text(exchange, 200, "text/plain", path);
}

static const struct weir_http_handler handler = { .admit = admit, .request = request };

static void start(void)
{
    static char transport[] = "unix", any[] = "*";
    static char *origins[] = { any };
    static struct weir_http_server_options options = {
        .endpoint = name,
        .transport = transport,
        .keep_alives_enabled = true,
        .max_request_body_size = 1 << 18,
        .idle_timeout = { INT64_C(60000000000) },
        .cors_on = true,
        .cors = { .allowed_origins = { origins, 1, true } },
    };
    struct weir_error error = WEIR_ERROR_INIT;
    snprintf(name, sizeof(name), "@weir-fuzz-http-%ld", (long)getpid());
    if (weir_workers_create(1, WEIR_CLOCK_MANUAL, &error) != 0)
        abort();
    worker = weir_worker_at(0);
    struct weir_http_site *site = weir_http_site_open(&options, &handler, NULL, NULL, &error);
    if (!site || !weir_http_server_start(site, worker, NULL, &error)) {
        fprintf(stderr, "%s\n", weir_error_text(&error));
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!worker)
        start();
    if (size == 0)
        return 0;
    size_t cut = data[0];
    data++;
    size--;
    if (cut > size)
        cut = size;
    int fd = fuzz_connect(name);
    fuzz_send(worker, fd, data, cut);
    fuzz_send(worker, fd, data + cut, size - cut);
    fuzz_finish(worker, fd);
    return 0;
}
