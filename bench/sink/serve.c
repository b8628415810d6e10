// SPDX-License-Identifier: Apache-2.0
/*
 * The servers: every request is counted, refused or answered late, as the command line says.
 */
#include <config.h>

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include <uv.h>

#include <weir/grpc_server.h>
#include <weir/http_server.h>
#include <weir/otlp_json.h>
#include <weir/sys/worker.h>

#include "bench/sink/sink.h"

#define MESSAGE_MIB 256

struct serving {
    const struct sink_options *options;
    struct sink_counts *counts;
    struct weir_grpc_server_options grpc_options;
    struct weir_http_server_options http_options;
    struct weir_grpc_site *grpc_site;
    struct weir_http_site *http_site;
    struct weir_grpc_server *grpc_server;
    struct weir_http_server *http_server;
    struct weir_timer progress;
    uv_signal_t stop_signals[2];
    uint64_t random, items_at_progress;
};

/* An answer that is due; exactly one of call and exchange is set. */
struct answer {
    struct weir_timer timer;
    struct weir_grpc_call *call;
    struct weir_http_exchange *exchange;
    const struct sink_options *options;
    enum weir_otlp_format format;
    enum weir_signal signal;
    bool refuse;
    char *malformed; /* what is wrong with the request */
};

static bool is_json(struct weir_http_exchange *exchange)
{
    struct weir_str type = weir_http_exchange_header(exchange, "content-type");
    return type.length >= 16 &&
           weir_str_equal_nocase(weir_str_make(type.data, 16), WEIR_STR("application/json"));
}

static void answer_grpc(struct answer *answer, struct weir_buffer *body)
{
    const struct sink_options *options = answer->options;
    if (answer->malformed) {
        weir_grpc_fail(answer->call, WEIR_GRPC_INTERNAL, answer->malformed, NULL, 0);
    } else if (answer->refuse) {
        bool details = options->retry_after >= 0 &&
                       weir_status_encode(WEIR_OTLP_PROTOBUF, options->fail_code,
                                          WEIR_STR("refused by weir-sink"), options->retry_after, body);
        weir_grpc_fail(answer->call, options->fail_code, "refused by weir-sink", body->data,
                       details ? body->length : 0);
    } else {
        if (!weir_response_encode(WEIR_OTLP_PROTOBUF, answer->signal, NULL, body))
            body->length = 0;
        weir_grpc_reply(answer->call, body->data, body->length);
    }
}

static void answer_http(struct answer *answer, struct weir_buffer *body)
{
    const struct sink_options *options = answer->options;
    struct weir_http_header headers[2] = {
        { WEIR_STR("content-type"), answer->format == WEIR_OTLP_JSON ? WEIR_STR("application/json")
                                                                     : WEIR_STR("application/x-protobuf") },
    };
    char seconds[24];
    int status = answer->malformed ? 400 : answer->refuse ? options->fail_status : 200;
    size_t count = 1;
    bool made =
        status == 200
            ? weir_response_encode(answer->format, answer->signal, NULL, body)
            : weir_status_encode(
                  answer->format, answer->malformed ? WEIR_GRPC_INVALID_ARGUMENT : options->fail_code,
                  weir_str_of(answer->malformed ? answer->malformed : "refused by weir-sink"), -1, body);
    if (answer->refuse && options->retry_after >= 0) {
        snprintf(seconds, sizeof seconds, "%lld", (long long)(options->retry_after / 1000000000));
        headers[count++] = (struct weir_http_header){ WEIR_STR("retry-after"), weir_str_of(seconds) };
    }
    struct weir_slices slices = { 0 };
    if (made && !weir_slices_add(&slices, body, body->data, body->length))
        status = 500;
    weir_http_respond(answer->exchange, status, headers, count, &slices);
    weir_slices_free(&slices);
}

static void answer_now(struct weir_timer *timer)
{
    struct answer *answer = WEIR_CONTAINER_OF(timer, struct answer, timer);
    struct weir_buffer *body = weir_buffer_new(256);
    if (!body)
        abort(); /* 256 bytes */
    if (answer->call)
        answer_grpc(answer, body);
    else
        answer_http(answer, body);
    weir_buffer_unref(body);
    free(answer->malformed);
    free(answer);
}

static bool is_refused(struct serving *serving)
{
    const struct sink_options *options = serving->options;
    if (serving->counts->requests <= options->fail_first)
        return true;
    serving->random = serving->random * 6364136223846793005u + 1442695040888963407u;
    return (double)(serving->random >> 11) / (double)(UINT64_C(1) << 53) < options->fail_rate;
}

/* Counts the request, and answers it now or after the delay. */
static void take(struct serving *serving, struct answer *answer, struct weir_buffer *body)
{
    struct sink_counts *counts = serving->counts;
    struct weir_error error = WEIR_ERROR_INIT;
    counts->requests++;
    counts->bytes += body->length;
    answer->options = serving->options;
    answer->refuse = is_refused(serving);
    if (serving->options->latency && answer->format == WEIR_OTLP_PROTOBUF)
        sink_take_latency(counts, weir_str_make((const char *)body->data, body->length));
    if (answer->refuse) {
        counts->refused++;
    } else if (!serving->options->discard) {
        struct weir_batch *batch =
            answer->format == WEIR_OTLP_JSON
                ? weir_batch_from_json(answer->signal, body->data, body->length, &error)
                : weir_batch_from_bytes(answer->signal, body, body->data, body->length, &error);
        if (batch)
            sink_take(counts, batch);
        else
            counts->malformed++;
        if (!batch)
            answer->malformed = weir_xstrdup(weir_error_text(&error));
        weir_batch_unref(batch);
    }
    weir_error_free(&error);
    weir_timer_init(&answer->timer, weir_worker_at(0), answer_now);
    if (serving->options->delay > 0)
        weir_timer_start(&answer->timer, serving->options->delay);
    else
        answer_now(&answer->timer);
}

static void on_call(struct weir_grpc_call *call)
{
    struct answer *answer = weir_xcalloc(1, sizeof *answer);
    answer->call = call;
    answer->signal = (enum weir_signal)weir_grpc_call_tag(call);
    take(weir_grpc_call_user(call), answer, weir_grpc_call_message(call));
}

static void on_request(struct weir_http_exchange *exchange)
{
    static const char *const paths[WEIR_SIGNALS] = { "/v1/traces", "/v1/metrics", "/v1/logs",
                                                     "/v1development/profiles" };
    struct weir_str path = weir_http_exchange_path(exchange);
    for (int i = 0; i < WEIR_SIGNALS; i++) {
        if (!weir_str_is(path, paths[i]))
            continue;
        struct answer *answer = weir_xcalloc(1, sizeof *answer);
        answer->exchange = exchange;
        answer->signal = (enum weir_signal)i;
        answer->format = is_json(exchange) ? WEIR_OTLP_JSON : WEIR_OTLP_PROTOBUF;
        take(weir_http_exchange_user(exchange), answer, weir_http_exchange_body(exchange));
        return;
    }
    struct serving *serving = weir_http_exchange_user(exchange);
    if (serving->options->discard && weir_str_is(weir_http_exchange_method(exchange), "POST")) {
        serving->counts->requests++;
        serving->counts->bytes += weir_http_exchange_body(exchange)->length;
        weir_http_respond_text(exchange, 204, NULL, WEIR_STR_NONE);
        return;
    }
    weir_http_respond_text(exchange, 404, "text/plain", WEIR_STR("404 page not found\n"));
}

/* --- life --- */

static const struct weir_grpc_method methods[] = {
    { "opentelemetry.proto.collector.trace.v1.TraceService", "Export", WEIR_TRACES },
    { "opentelemetry.proto.collector.metrics.v1.MetricsService", "Export", WEIR_METRICS },
    { "opentelemetry.proto.collector.logs.v1.LogsService", "Export", WEIR_LOGS },
    { "opentelemetry.proto.collector.profiles.v1development.ProfilesService", "Export", WEIR_PROFILES },
    { NULL, NULL, 0 },
};
static const struct weir_grpc_handler grpc_handler = { .request = on_call };
static const struct weir_http_handler http_handler = { .request = on_request };

static void on_signal(uv_signal_t *handle, int number)
{
    (void)handle;
    (void)number;
    weir_worker_stop(weir_worker_at(0));
}

static void on_progress(struct weir_timer *timer)
{
    struct serving *serving = WEIR_CONTAINER_OF(timer, struct serving, progress);
    sink_report_progress(serving->counts, serving->items_at_progress,
                         (double)serving->options->interval / 1e9);
    serving->items_at_progress = sink_items(serving->counts);
    weir_timer_start(timer, serving->options->interval);
}

static void set_tls(struct weir_tls_server_options *tls, bool *on, const struct sink_options *options)
{
    *on = options->cert != NULL;
    tls->common.cert_file = (char *)(uintptr_t)options->cert;
    tls->common.key_file = (char *)(uintptr_t)options->key;
}

static int open_grpc(struct serving *serving, struct weir_error *error)
{
    serving->grpc_options.endpoint = (char *)(uintptr_t)serving->options->grpc;
    serving->grpc_options.max_recv_msg_size_mib = MESSAGE_MIB;
    set_tls(&serving->grpc_options.tls, &serving->grpc_options.tls_on, serving->options);
    serving->grpc_site =
        weir_grpc_site_open(&serving->grpc_options, methods, &grpc_handler, NULL, NULL, error);
    if (!serving->grpc_site)
        return -1;
    serving->grpc_server = weir_grpc_server_start(serving->grpc_site, weir_worker_at(0), serving, error);
    if (!serving->grpc_server)
        return -1;
    printf("grpc %s\n", weir_grpc_site_address(serving->grpc_site));
    return 0;
}

static int open_http(struct serving *serving, struct weir_error *error)
{
    serving->http_options.endpoint = (char *)(uintptr_t)serving->options->http;
    serving->http_options.max_request_body_size = (int64_t)MESSAGE_MIB << 20;
    serving->http_options.keep_alives_enabled = true;
    set_tls(&serving->http_options.tls, &serving->http_options.tls_on, serving->options);
    serving->http_site = weir_http_site_open(&serving->http_options, &http_handler, NULL, NULL, error);
    if (!serving->http_site)
        return -1;
    serving->http_server = weir_http_server_start(serving->http_site, weir_worker_at(0), serving, error);
    if (!serving->http_server)
        return -1;
    printf("http %s\n", weir_http_site_address(serving->http_site));
    return 0;
}

static void close_servers(struct serving *serving)
{
    weir_grpc_server_stop(serving->grpc_server);
    weir_http_server_stop(serving->http_server);
    for (int i = 0; i < 50; i++) /* the connections' last events, and answers that are due */
        weir_worker_turn(weir_worker_at(0), 1);
    weir_grpc_site_close(serving->grpc_site);
    weir_http_site_close(serving->http_site);
}

int sink_serve(struct sink_options *options, struct sink_counts *counts, struct weir_error *error)
{
    static const int signals[2] = { SIGINT, SIGTERM };
    struct serving serving = { .options = options, .counts = counts, .random = (uint64_t)time(NULL) };
    int status = options->grpc ? open_grpc(&serving, error) : 0;
    if (status == 0 && options->http)
        status = open_http(&serving, error);
    if (status == 0) {
        fflush(stdout);
        for (int i = 0; i < 2; i++) {
            uv_signal_init(weir_worker_loop(weir_worker_at(0)), &serving.stop_signals[i]);
            uv_signal_start(&serving.stop_signals[i], on_signal, signals[i]);
        }
        weir_timer_init(&serving.progress, weir_worker_at(0), on_progress);
        if (options->interval > 0)
            weir_timer_start(&serving.progress, options->interval);
        if (options->control)
            sink_control_start(options, counts);
        weir_worker_run(weir_worker_at(0));
        if (options->control)
            sink_control_stop();
        weir_timer_stop(&serving.progress);
        for (int i = 0; i < 2; i++)
            uv_close((uv_handle_t *)&serving.stop_signals[i], NULL);
    }
    close_servers(&serving);
    return status;
}
