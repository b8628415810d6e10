// SPDX-License-Identifier: Apache-2.0
/*
 * A connection of a gRPC server. By the first byte: any frames behind the preface, or any message in a call
 * that is well-formed up to there, in one of the encodings.
 */
#include <config.h>

#include <stdio.h>

#include <weir/grpc_server.h>

#include "tests/fuzz/fuzz_peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
static struct weir_worker *worker;
static char name[64];

static const struct weir_grpc_method methods[] = { { "a.B", "C", 0 }, { NULL, NULL, 0 } };

static bool admit(struct weir_grpc_call *call, size_t bytes)
{
    (void)call;
    return bytes <= 1 << 16;
}

static void request(struct weir_grpc_call *call)
{
    struct weir_buffer *message = weir_grpc_call_message(call);
    if (message->length % 2)
        weir_grpc_fail(call, WEIR_GRPC_UNAVAILABLE, "odd", message->data, message->length);
    else
        weir_grpc_reply(call, message->data, message->length);
}

static const struct weir_grpc_handler handler = { .admit = admit, .request = request };

static void start(void)
{
    static char transport[] = "unix";
    static struct weir_grpc_server_options options = {
        .endpoint = name,
        .transport = transport,
        .max_recv_msg_size_mib = 1,
        .keepalive_on = true,
        .keepalive = {
            .server_parameters_on = true,
            .server_parameters = {
                .max_connection_idle = { INT64_C(10000000000) },
                .max_connection_age = { INT64_C(100000000000) },
                .max_connection_age_grace = { INT64_C(10000000000) },
            },
        },
    };
    struct weir_error error = WEIR_ERROR_INIT;
    snprintf(name, sizeof(name), "@weir-fuzz-grpc-%ld", (long)getpid());
    if (weir_workers_create(1, WEIR_CLOCK_MANUAL, &error) != 0)
        abort();
    worker = weir_worker_at(0);
    struct weir_grpc_site *site = weir_grpc_site_open(&options, methods, &handler, NULL, NULL, &error);
    if (!site || !weir_grpc_server_start(site, worker, NULL, &error)) {
        fprintf(stderr, "%s\n", weir_error_text(&error));
        abort();
    }
}

static void add_frame(struct weir_text *out, uint8_t type, uint8_t flags, const void *payload, size_t length)
{
    const char head[9] = {
        (char)(length >> 16), (char)(length >> 8), (char)length, (char)type, (char)flags, 0, 0, 0, 1
    };
    weir_text_add(out, head, sizeof(head));
    weir_text_add(out, payload, length);
}

/* A literal field without indexing (RFC 7541, 6.2.2). */
static void add_field(struct weir_text *out, const char *field, const char *value)
{
    weir_text_addc(out, 0);
    weir_text_addc(out, (char)strlen(field));
    weir_text_adds(out, field);
    weir_text_addc(out, (char)strlen(value));
    weir_text_adds(out, value);
}

static void send_call(int fd, unsigned encoding, const uint8_t *data, size_t size)
{
    static const char *const encodings[] = { "identity", "gzip", "snappy", "zstd" };
    struct weir_text block = { .data = NULL };
    struct weir_text out = { .data = NULL };
    add_field(&block, ":method", "POST");
    add_field(&block, ":scheme", "http");
    add_field(&block, ":path", "/a.B/C");
    add_field(&block, ":authority", "a");
    add_field(&block, "content-type", "application/grpc");
    add_field(&block, "grpc-encoding", encodings[encoding]);
    add_frame(&out, 1, 4, block.data, block.length);
    while (size > 16384) {
        add_frame(&out, 0, 0, data, 16384);
        data += 16384;
        size -= 16384;
    }
    add_frame(&out, 0, 1, data, size);
    fuzz_send(worker, fd, (const uint8_t *)out.data, out.length);
    weir_text_free(&block);
    weir_text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!worker)
        start();
    if (size == 0)
        return 0;
    int fd = fuzz_connect(name);
    fuzz_send(worker, fd, preface, sizeof(preface));
    if (data[0] & 4)
        send_call(fd, data[0] & 3, data + 1, size - 1);
    else
        fuzz_send(worker, fd, data + 1, size - 1);
    fuzz_finish(worker, fd);
    return 0;
}
