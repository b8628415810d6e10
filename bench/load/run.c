// SPDX-License-Identifier: Apache-2.0
/*
 * The load itself: connections, requests under way, and the pace.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include <weir/grpc_client.h>
#include <weir/http_client.h>
#include <weir/otlp_response.h>
#include <weir/sys/worker.h>

#include "bench/load/load.h"

#define SECOND ((int64_t)1000000000)
#define ERROR_PAUSE \
    (SECOND / 100) /* after a request without an answer, so that a dead server is not hammered */

struct run;

/* A producer: one connection with its own numbers. */
struct connection {
    struct run *run;
    struct weir_grpc_client *grpc;
    struct weir_http_client *http;
    char producer[PRODUCER_DIGITS + 1];
    uint32_t base;
    uint64_t next_seq;
};

/* One request under way. */
struct slot {
    struct connection *connection;
    struct slot *next_free;
    struct weir_grpc_request grpc;
    struct weir_http_request http;
    const struct body *body;
    uint64_t first;
    int64_t begun; /* when it was due */
};

struct run {
    const struct load_options *options;
    struct load_result *result;
    struct weir_grpc_client_options grpc_options;
    struct weir_grpc_target *target;
    struct weir_http_client_options http_options;
    struct weir_http_transport *transport;
    struct weir_url urls[WEIR_SIGNALS];
    struct weir_http_header headers[2];
    struct connection *connections;
    struct slot *slots, *free_slots;
    struct body *bodies;        /* of all signals in turn */
    struct weir_buffer **ready; /* fixed bodies, compressed */
    size_t body_count;
    FILE *obligations;
    struct weir_timer tick, progress;
    uv_poll_t pace; /* with --rate: a timer exact to microseconds; the loop's own are to milliseconds */
    int pace_fd;
    uv_signal_t stop_signals[2];
    int64_t started, paused_until, last_progress;
    uint64_t items_at_progress;
    size_t in_flight;
    bool stopping;
};

static int64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static double cpu_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* --- answers --- */

static void count_error(struct load_result *result, struct weir_str text)
{
    for (size_t i = 0; i < result->error_count; i++) {
        if (weir_str_is(text, result->errors[i].text)) {
            result->errors[i].count++;
            return;
        }
    }
    if (result->error_count < WEIR_ARRAY_LENGTH(result->errors))
        result->errors[result->error_count++] = (struct load_error){ weir_str_dup(text), 1 };
}

static void write_down(struct slot *slot, const char *what)
{
    struct run *run = slot->connection->run;
    if (run->obligations)
        fprintf(run->obligations, "%s %s %s %s %llu %zu\n", what, run->options->run,
                slot->connection->producer, weir_signal_name(slot->body->signal),
                (unsigned long long)slot->first, slot->body->item_count);
}

static void send_due(struct run *run);

static void finish_if_done(struct run *run)
{
    if (run->stopping && run->in_flight == 0)
        weir_worker_stop(weir_worker_at(0));
}

static void give_back(struct slot *slot)
{
    struct run *run = slot->connection->run;
    histogram_add(&run->result->latency, clock_now() - slot->begun);
    weir_slices_clear(&slot->grpc.message);
    weir_slices_clear(&slot->http.body);
    slot->next_free = run->free_slots;
    run->free_slots = slot;
    run->in_flight--;
    send_due(run);
    finish_if_done(run);
}

static void accepted(struct slot *slot, enum weir_otlp_format format, struct weir_str body)
{
    struct load_result *result = slot->connection->run->result;
    struct weir_arena arena = { 0 };
    struct weir_partial_success partial = { 0 };
    uint64_t items = slot->body->item_count, rejected = 0;
    if (body.length > 0 &&
        weir_response_decode(format, slot->body->signal, body.data, body.length, &arena, &partial, NULL) ==
            0 &&
        partial.rejected > 0)
        rejected = (uint64_t)partial.rejected < items ? (uint64_t)partial.rejected : items;
    if (rejected > 0)
        count_error(result, partial.message);
    result->requests_ok++;
    result->items_acknowledged += items - rejected;
    result->items_rejected += rejected;
    write_down(slot, rejected > 0 ? "partial" : "ack");
    weir_arena_free(&arena);
    give_back(slot);
}

/* The server said no. */
static void refused(struct slot *slot, struct weir_str why)
{
    struct load_result *result = slot->connection->run->result;
    count_error(result, why);
    result->requests_refused++;
    result->items_refused += slot->body->item_count;
    write_down(slot, "refused");
    give_back(slot);
}

/* No answer: what became of the items is not known. */
static void unanswered(struct slot *slot, struct weir_str why)
{
    struct run *run = slot->connection->run;
    count_error(run->result, why);
    run->result->requests_unknown++;
    run->result->items_unknown += slot->body->item_count;
    run->paused_until = clock_now() + ERROR_PAUSE;
    write_down(slot, "unknown");
    give_back(slot);
}

static void on_grpc_done(struct weir_grpc_request *request, const struct weir_grpc_response *response)
{
    struct slot *slot = WEIR_CONTAINER_OF(request, struct slot, grpc);
    if (response->code == WEIR_GRPC_OK) {
        accepted(slot, WEIR_OTLP_PROTOBUF, response->body);
        return;
    }
    char *why =
        weir_xasprintf("%s: %.*s", weir_grpc_code_name(response->code), WEIR_STR_ARG(response->message));
    if (response->answered)
        refused(slot, weir_str_of(why));
    else
        unanswered(slot, weir_str_of(why));
    free(why);
}

static void on_http_done(struct weir_http_request *request, const struct weir_http_response *response)
{
    struct slot *slot = WEIR_CONTAINER_OF(request, struct slot, http);
    enum weir_otlp_format format =
        slot->connection->run->options->protocol == LOAD_JSON ? WEIR_OTLP_JSON : WEIR_OTLP_PROTOBUF;
    if (response->status == 0) {
        unanswered(slot, weir_str_of(response->error));
    } else if (response->status / 100 == 2) {
        accepted(slot, format, response->body);
    } else {
        char *why = weir_xasprintf("HTTP %d", response->status);
        refused(slot, weir_str_of(why));
        free(why);
    }
}

/* --- requests --- */

static struct weir_buffer *compress(const struct run *run, struct weir_buffer *bytes)
{
    struct weir_slices slices = { 0 };
    struct weir_buffer *small = NULL;
    if (run->options->compression == WEIR_ENCODING_IDENTITY)
        return bytes;
    if (weir_slices_add(&slices, bytes, bytes->data, bytes->length))
        (void)weir_deflate(run->options->compression, 0, &slices, &small, NULL);
    weir_slices_free(&slices);
    weir_buffer_unref(bytes);
    return small;
}

/* What goes out as request number `index`: the caller's own reference. */
static struct weir_buffer *make_bytes(struct run *run, const struct slot *slot, size_t index)
{
    const struct connection *connection = slot->connection;
    if (run->ready[index])
        return weir_buffer_ref(run->ready[index]);
    struct weir_buffer *bytes =
        body_number(slot->body, connection->producer, connection->base, slot->first, slot->begun);
    return bytes ? compress(run, bytes) : NULL;
}

static bool send_one(struct run *run, int64_t due)
{
    struct slot *slot = run->free_slots;
    struct load_result *result = run->result;
    struct connection *connection = slot->connection;
    size_t index = result->requests % run->body_count;
    slot->body = &run->bodies[index];
    slot->first = connection->next_seq;
    slot->begun = due;
    struct weir_buffer *bytes = make_bytes(run, slot, index);
    struct weir_slices *out = run->target ? &slot->grpc.message : &slot->http.body;
    bool ready = bytes && weir_slices_add(out, bytes, bytes->data, bytes->length);
    if (ready) {
        connection->next_seq += slot->body->item_count;
        run->free_slots = slot->next_free;
        run->in_flight++;
        result->requests++;
        result->items += slot->body->item_count;
        result->bytes += bytes->length;
        result->plain_bytes += slot->body->bytes->length;
        if (run->target)
            weir_grpc_client_send(connection->grpc, &slot->grpc);
        else
            weir_http_client_send(connection->http, &slot->http);
    }
    weir_buffer_unref(bytes);
    return ready;
}

static void stop(struct run *run)
{
    run->stopping = true;
    weir_timer_stop(&run->tick);
    finish_if_done(run);
}

/* The path of a slot's next signal. */
static void aim(struct run *run, struct slot *slot)
{
    static const char *const paths[WEIR_SIGNALS] = {
        [WEIR_TRACES] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        [WEIR_METRICS] = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        [WEIR_LOGS] = "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    };
    enum weir_signal signal = run->bodies[run->result->requests % run->body_count].signal;
    slot->grpc.path = paths[signal];
    slot->http.url = &run->urls[signal];
}

static void wait_until(const struct run *run, int64_t due)
{
    struct itimerspec when = { .it_value = { .tv_sec = due / SECOND, .tv_nsec = due % SECOND } };
    timerfd_settime(run->pace_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

/* Sends all that is due and has a free slot. */
static void send_due(struct run *run)
{
    const struct load_options *options = run->options;
    int64_t now = clock_now();
    while (!run->stopping && run->free_slots && now >= run->paused_until) {
        if ((options->count > 0 && run->result->items >= options->count) ||
            (options->duration > 0 && now - run->started >= options->duration)) {
            stop(run);
            return;
        }
        int64_t due = now;
        if (options->rate > 0) {
            due = run->started + (int64_t)((double)run->result->items / options->rate * (double)SECOND);
            if (due > now) {
                wait_until(run, due);
                return;
            }
        }
        aim(run, run->free_slots);
        if (!send_one(run, due)) {
            count_error(run->result, WEIR_STR("out of memory"));
            stop(run);
        }
    }
}

static void on_pace(uv_poll_t *poll, int status, int events)
{
    struct run *run = poll->data;
    uint64_t times;
    (void)status;
    (void)events;
    if (read(run->pace_fd, &times, sizeof times) > 0)
        send_due(run);
}

static void on_tick(struct weir_timer *timer)
{
    struct run *run = WEIR_CONTAINER_OF(timer, struct run, tick);
    weir_timer_start(timer, ERROR_PAUSE);
    send_due(run);
    int64_t late = clock_now() - run->started;
    if (!run->stopping && run->options->duration > 0 && late >= run->options->duration)
        stop(run);
}

static void on_progress(struct weir_timer *timer)
{
    struct run *run = WEIR_CONTAINER_OF(timer, struct run, progress);
    int64_t now = clock_now();
    run->result->seconds = (double)(now - run->started) / 1e9;
    report_progress(run->options, run->result, run->items_at_progress,
                    (double)(now - run->last_progress) / 1e9);
    run->last_progress = now;
    run->items_at_progress = run->result->items_acknowledged;
    weir_timer_start(timer, SECOND);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct run *run = handle->data;
    (void)number;
    if (run->stopping)
        weir_worker_stop(weir_worker_at(0)); /* the second time: no more waiting */
    else
        stop(run);
}

/* --- setting up --- */

static int set_up_grpc(struct run *run, struct weir_error *error)
{
    const struct load_options *options = run->options;
    run->grpc_options.endpoint = (char *)(uintptr_t)options->endpoint;
    run->grpc_options.compression = (int)options->compression;
    run->grpc_options.wait_for_ready = true;
    run->grpc_options.balancer = WEIR_GRPC_PICK_FIRST;
    run->grpc_options.tls.insecure = !options->tls;
    run->grpc_options.tls.insecure_skip_verify = options->skip_verify;
    run->grpc_options.tls.common.ca_file = (char *)(uintptr_t)options->ca_file;
    run->grpc_options.headers.pairs =
        (struct weir_pairs){ (struct weir_pair *)(uintptr_t)options->headers, options->header_count };
    run->target = weir_grpc_target_new(&run->grpc_options, NULL, error);
    return run->target ? 0 : -1;
}

static int set_up_http(struct run *run, struct weir_error *error)
{
    static const char *const paths[WEIR_SIGNALS] = { "v1/traces", "v1/metrics", "v1/logs",
                                                     "v1development/profiles" };
    const struct load_options *options = run->options;
    size_t length = strlen(options->endpoint);
    for (int i = 0; i < WEIR_SIGNALS; i++) {
        char *text =
            weir_xasprintf("%s%s%s%s", strstr(options->endpoint, "://") ? "" : "http://", options->endpoint,
                           length > 0 && options->endpoint[length - 1] == '/' ? "" : "/", paths[i]);
        int result = weir_url_parse(text, &run->urls[i], error);
        free(text);
        if (result < 0)
            return -1;
    }
    run->http_options.max_idle_conns_per_host = options->in_flight;
    run->http_options.force_attempt_http2 = true;
    run->http_options.tls.insecure_skip_verify = options->skip_verify;
    run->http_options.tls.common.ca_file = (char *)(uintptr_t)options->ca_file;
    run->http_options.headers.pairs =
        (struct weir_pairs){ (struct weir_pair *)(uintptr_t)options->headers, options->header_count };
    run->headers[0] = (struct weir_http_header){
        WEIR_STR("content-type"),
        options->protocol == LOAD_JSON ? WEIR_STR("application/json") : WEIR_STR("application/x-protobuf"),
    };
    run->headers[1] = (struct weir_http_header){ WEIR_STR("content-encoding"),
                                                 weir_str_of(weir_encoding_name(options->compression)) };
    run->transport = weir_http_transport_new(&run->http_options, run->urls[0].https, NULL, error);
    return run->transport ? 0 : -1;
}

static int make_bodies(struct run *run, struct weir_error *error)
{
    const struct load_options *options = run->options;
    size_t count = (size_t)options->bodies * options->signal_count;
    run->bodies = weir_xcalloc(count, sizeof *run->bodies);
    run->ready = weir_xcalloc(count, sizeof *run->ready);
    for (size_t i = 0; i < count; i++) {
        struct body *body = &run->bodies[i];
        run->body_count++;
        if (!body_make(body, options, options->signals[i % options->signal_count], (unsigned)i))
            return weir_error_set(error, "the request bodies could not be made");
        if (body->fixed && !options->stamp && !(run->ready[i] = compress(run, weir_buffer_ref(body->bytes))))
            return weir_error_set(error, "the request bodies could not be compressed");
    }
    return 0;
}

static void make_slot(struct run *run, struct slot *slot, struct connection *connection)
{
    slot->connection = connection;
    slot->grpc = (struct weir_grpc_request){ .compressed = true,
                                             .timeout = run->options->timeout,
                                             .done = on_grpc_done };
    slot->http = (struct weir_http_request){ .method = "POST",
                                             .headers = run->headers,
                                             .header_count =
                                                 run->options->compression == WEIR_ENCODING_IDENTITY ? 1 : 2,
                                             .timeout = run->options->timeout,
                                             .done = on_http_done };
    slot->next_free = run->free_slots;
    run->free_slots = slot;
}

static void make_connections(struct run *run)
{
    const struct load_options *options = run->options;
    struct weir_worker *worker = weir_worker_at(0);
    run->connections = weir_xcalloc(options->connections, sizeof *run->connections);
    run->slots = weir_xcalloc((size_t)options->connections * options->in_flight, sizeof *run->slots);
    for (unsigned i = 0; i < options->connections; i++) {
        struct connection *connection = &run->connections[i];
        connection->run = run;
        number_print(options->producer + i, connection->producer, PRODUCER_DIGITS);
        connection->base = number_base(weir_str_of(options->run), weir_str_of(connection->producer));
        if (run->target)
            connection->grpc = weir_grpc_client_new(worker, run->target);
        else
            connection->http = weir_http_client_new(worker, run->transport);
    }
    for (size_t i = 0; i < (size_t)options->connections * options->in_flight; i++)
        make_slot(run, &run->slots[i], &run->connections[i % options->connections]);
}

static void close_all(struct run *run)
{
    const struct load_options *options = run->options;
    run->stopping = true;
    for (unsigned i = 0; run->connections && i < options->connections; i++) {
        weir_grpc_client_free(run->connections[i].grpc);
        weir_http_client_free(run->connections[i].http);
    }
    for (size_t i = 0; run->slots && i < (size_t)options->connections * options->in_flight; i++) {
        weir_slices_free(&run->slots[i].grpc.message);
        weir_slices_free(&run->slots[i].http.body);
    }
    for (size_t i = 0; i < run->body_count; i++) {
        body_free(&run->bodies[i]);
        weir_buffer_unref(run->ready[i]);
    }
    for (int i = 0; i < WEIR_SIGNALS; i++)
        weir_url_free(&run->urls[i]);
    free(run->bodies);
    free(run->ready);
    free(run->connections);
    free(run->slots);
    for (int i = 0; i < 50; i++) /* the connections' last events */
        weir_worker_turn(weir_worker_at(0), 1);
    weir_grpc_target_free(run->target);
    weir_http_transport_free(run->transport);
    if (run->obligations)
        fclose(run->obligations);
}

static void watch_signals(struct run *run)
{
    static const int numbers[2] = { SIGINT, SIGTERM };
    for (int i = 0; i < 2; i++) {
        run->stop_signals[i].data = run;
        uv_signal_init(weir_worker_loop(weir_worker_at(0)), &run->stop_signals[i]);
        uv_signal_start(&run->stop_signals[i], on_signal, numbers[i]);
    }
}

static int keep_pace(struct run *run, struct weir_error *error)
{
    run->pace_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (run->pace_fd < 0)
        return weir_error_errno(error, errno, "timerfd");
    run->pace.data = run;
    uv_poll_init(weir_worker_loop(weir_worker_at(0)), &run->pace, run->pace_fd);
    uv_poll_start(&run->pace, UV_READABLE, on_pace);
    return 0;
}

/* A further one must not end the process before it has said what became of the load. */
static void forget_signals(struct run *run)
{
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stops, NULL);
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&run->stop_signals[i], NULL);
}

int load_run(const struct load_options *options, struct load_result *result, struct weir_error *error)
{
    struct run run = { .options = options, .result = result };
    struct weir_worker *worker = weir_worker_at(0);
    int status = options->protocol == LOAD_GRPC ? set_up_grpc(&run, error) : set_up_http(&run, error);
    if (status == 0)
        status = weir_encoding_prepare(options->compression, error);
    if (status == 0)
        status = make_bodies(&run, error);
    if (status == 0 && options->obligations && !(run.obligations = fopen(options->obligations, "w")))
        status = weir_error_set(error, "cannot write %s", options->obligations);
    if (run.obligations)
        setvbuf(run.obligations, NULL, _IOLBF, 0); /* so that it can be read while the load goes on */
    if (status == 0)
        status = keep_pace(&run, error);
    if (status == 0) {
        make_connections(&run);
        watch_signals(&run);
        weir_timer_init(&run.tick, worker, on_tick);
        weir_timer_init(&run.progress, worker, on_progress);
        double cpu = cpu_now();
        run.started = run.last_progress = clock_now();
        weir_timer_start(&run.tick, 0);
        if (!options->quiet)
            weir_timer_start(&run.progress, SECOND);
        weir_worker_run(worker);
        result->seconds = (double)(clock_now() - run.started) / 1e9;
        result->cpu_seconds = cpu_now() - cpu;
        weir_timer_stop(&run.tick);
        weir_timer_stop(&run.progress);
        forget_signals(&run);
        uv_close((uv_handle_t *)&run.pace, NULL);
        close(run.pace_fd);
    }
    close_all(&run);
    return status;
}
