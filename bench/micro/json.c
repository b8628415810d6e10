// SPDX-License-Identifier: Apache-2.0
/*
 * What OTLP/JSON costs for each span: reading the text, JSON to protobuf, and back. One thread, best of some rounds.
 *
 *     bench/micro/json [spans in a request] [rounds]
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <weir/json.h>

#include "sdk/src/json/otlp_codec.h"

static uint64_t now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void add_string(struct weir_text *text, const char *key, const char *value)
{
    weir_text_addf(text, "{\"key\":\"%s\",\"value\":{\"stringValue\":\"%s\"}},", key, value);
}

/* A server span with ten attributes, one of them a number. */
static void add_span(struct weir_text *text, unsigned i)
{
    uint64_t start = 1700000000000000000u + (uint64_t)i * 1000003u;
    weir_text_addf(text,
                   "{\"traceId\":\"%016" PRIx64 "%016x\",\"spanId\":\"%016x\",\"parentSpanId\":\"%016x\",\"name\":"
                   "\"GET /api/v1/items/{id}\",\"kind\":2,\"startTimeUnixNano\":\"%" PRIu64 "\","
                   "\"endTimeUnixNano\":\"%" PRIu64 "\",\"attributes\":[",
                   start, i + 1, i + 7, i + 3, start, start + 1234567);
    add_string(text, "http.request.method", "GET");
    add_string(text, "url.scheme", "https");
    add_string(text, "url.path", "/api/v1/items/4711");
    add_string(text, "server.address", "shop.example.com");
    add_string(text, "network.protocol.version", "1.1");
    add_string(text, "user_agent.original", "curl/7.88.1");
    add_string(text, "client.address", "203.0.113.7");
    add_string(text, "http.route", "/api/v1/items/{id}");
    weir_text_addf(text, "{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"200\"}}],\"status\":{}}");
}

static struct weir_text make_request(unsigned spans)
{
    struct weir_text text = { NULL, 0, 0 };
    weir_text_adds(&text, "{\"resourceSpans\":[{\"resource\":{\"attributes\":["
                          "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}}]},"
                          "\"scopeSpans\":[{\"scope\":{\"name\":\"bench\",\"version\":\"1.0\"},\"spans\":[");
    for (unsigned i = 0; i < spans; i++) {
        if (i > 0)
            weir_text_addc(&text, ',');
        add_span(&text, i);
    }
    weir_text_adds(&text, "]}]}]}");
    return text;
}

struct data {
    struct weir_text json;
    struct weir_buffer *protobuf;
    struct weir_buffer *out;
};

static bool skip(struct data *data)
{
    struct weir_arena arena = { 0 };
    struct weir_json json;
    weir_json_start(&json, data->json.data, data->json.length, &arena, WEIR_JSON_DEPTH);
    bool good = weir_json_skip(&json) && weir_json_finish(&json);
    weir_arena_free(&arena);
    return good;
}

static bool from_json(struct data *data)
{
    struct weir_buffer *out = otlp_json_to_protobuf(WEIR_TRACES, data->json.data, data->json.length, NULL);
    weir_buffer_unref(out);
    return out != NULL;
}

static bool to_json(struct data *data)
{
    data->out->length = 0;
    return otlp_protobuf_to_json(WEIR_TRACES, data->protobuf->data, data->protobuf->length, data->out, NULL);
}

/* Nanoseconds for each span, in the best round. */
static double measure(struct data *data, bool (*step)(struct data *), unsigned spans, unsigned rounds)
{
    uint64_t best = UINT64_MAX;
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t start = now();
        for (int i = 0; i < 20; i++)
            if (!step(data))
                abort();
        uint64_t taken = now() - start;
        best = taken < best ? taken : best;
    }
    return (double)best / 20 / spans;
}

int main(int argc, char **argv)
{
    unsigned spans = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100;
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 50;
    struct data data = { .json = make_request(spans), .out = weir_buffer_new(0) };
    data.protobuf = otlp_json_to_protobuf(WEIR_TRACES, data.json.data, data.json.length, NULL);
    if (!data.protobuf || !data.out)
        return 1;
    printf("%u spans a request: %zu B of JSON, %zu B of protobuf for each\n", spans, data.json.length / spans,
           data.protobuf->length / spans);
    printf("read JSON           %7.0f ns/span\n", measure(&data, skip, spans, rounds));
    printf("JSON to protobuf    %7.0f ns/span\n", measure(&data, from_json, spans, rounds));
    printf("protobuf to JSON    %7.0f ns/span\n", measure(&data, to_json, spans, rounds));
    weir_buffer_unref(data.protobuf);
    weir_buffer_unref(data.out);
    weir_text_free(&data.json);
    return 0;
}
