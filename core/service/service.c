// SPDX-License-Identifier: Apache-2.0
/* Loading, running, shutting down. */
#include <config.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <weir/sys/net.h>
#include <weir/sys/worker.h>

#include "core/service/logging.h"
#include "core/service/notice.h"
#include "core/service/spare.h"
#include "core/service/state.h"
#include "core/service/supervisor.h"
#include "core/service/watchdog.h"

static const int watched_signals[] = { SIGTERM, SIGINT, SIGHUP };

void service_print_problems(struct weir_problems *problems)
{
    weir_problems_sort(problems);
    struct weir_text text = { 0 };
    if (problems->errors > 0)
        weir_text_addf(&text, "Error: invalid configuration: %zu error%s\n", problems->errors,
                       problems->errors == 1 ? "" : "s");
    weir_problems_print(problems, &text);
    fputs(weir_text_string(&text), stderr);
    weir_text_free(&text);
}

static void stop_on_fatal(struct weir_task *task)
{
    struct service *service = WEIR_CONTAINER_OF(task, struct service, fatal);
    if (!graph_is_live(service->graph, service->fatal_instance)) {
        /* A reload has taken it out meanwhile. */
        free(service->fatal_reason);
        service->fatal_reason = NULL;
        atomic_store(&service->fatal_posted, false);
        return;
    }
    weir_log(service->logger, WEIR_ERROR, "Asynchronous error received, terminating process",
             WEIR_F_TEXT("error", service->fatal_reason));
    service->stopping = true;
    weir_worker_stop(weir_worker_at(0));
}

static void instance_reports(struct weir_instance *instance, enum weir_status status, const char *reason)
{
    struct service *service = graph_context(instance);
    bool posted = false;
    if (status != WEIR_STATUS_FATAL_ERROR ||
        !atomic_compare_exchange_strong(&service->fatal_posted, &posted, true))
        return;
    service->fatal_reason = weir_xasprintf("%s: %s", weir_instance_id(instance), reason ? reason : "unknown");
    service->fatal_instance = instance;
    service->fatal.run = stop_on_fatal;
    weir_worker_post(weir_worker_at(0), &service->fatal);
}

static void tell_state(struct weir_instance *instance, struct weir_host_state *out)
{
    const struct service *service = graph_context(instance);
    *out = (struct weir_host_state){ .ready = service->ready_since != 0,
                                     .ready_since = service->ready_since,
                                     .instances_failing = graph_count_failing(service->graph) };
}

static const struct weir_host host = {
    .report = instance_reports,
    .state = tell_state,
};

static void signal_came(uv_signal_t *handle, int number)
{
    struct service *service = handle->data;
    if (number == SIGHUP) {
        weir_log(service->logger, WEIR_INFO, "Received signal from OS", WEIR_F_TEXT("signal", "hangup"));
        service->reload_wanted = true;
        weir_worker_stop(weir_worker_at(0));
        return;
    }
    if (service->stopping)
        _exit(128 + number);
    weir_log(service->logger, WEIR_INFO, "Received signal from OS",
             WEIR_F_TEXT("signal", number == SIGTERM ? "terminated" : "interrupt"));
    service->stopping = true;
    weir_worker_stop(weir_worker_at(0));
}

static void watch_signals(struct service *service)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(watched_signals); i++) {
        uv_signal_init(weir_worker_loop(weir_worker_at(0)), &service->signals[i]);
        service->signals[i].data = service;
        uv_signal_start(&service->signals[i], signal_came, watched_signals[i]);
        uv_unref((uv_handle_t *)&service->signals[i]);
    }
    service->watching = true;
}

static void unwatch_signals(struct service *service)
{
    for (size_t i = 0; service->watching && i < WEIR_ARRAY_LENGTH(watched_signals); i++)
        uv_close((uv_handle_t *)&service->signals[i], NULL);
    if (service->watching)
        weir_worker_turn(weir_worker_at(0), 0);
    service->watching = false;
}

/* Everything up to created instances. */
static int prepare(struct service *service)
{
    struct weir_problems problems = { 0 };
    struct weir_error error = WEIR_ERROR_INIT;
    unsigned workers = service->options->workers ? service->options->workers : weir_cpu_limit();
    weir_descriptors_raise();
    if (weir_workers_create(workers, WEIR_CLOCK_SYSTEM, &error) != 0) {
        fprintf(stderr, "Error: cannot create workers: %s\n", weir_error_text(&error));
        weir_error_free(&error);
        return -1;
    }
    if (service->runs)
        watch_signals(service);
    service->config = weir_config_load(&service->options->source, &problems);
    service->graph = graph_build(service->config, service->options->registry, &host, service, &problems);
    service_print_problems(&problems);
    weir_problems_free(&problems);
    return service->graph ? 0 : -1;
}

static void release(struct service *service)
{
    unwatch_signals(service);
    graph_free(service->graph);
    weir_config_free(service->config);
    weir_workers_destroy();
    weir_logger_free(service->logger);
    free(service->uuid);
    free(service->fatal_reason);
}

int service_validate(const struct service_options *options)
{
    struct service service = { .options = options };
    int result = prepare(&service) == 0 ? EXIT_STOPPED : EXIT_FAILED;
    release(&service);
    return result;
}

/* What an answer to a client of each pipeline means. */
void service_log_promises(const struct service *service)
{
    static const char *const meanings[] = {
        [WEIR_PROMISE_MEMORY] = "Pipeline answers as soon as a component holds the data",
        [WEIR_PROMISE_DISK] = "Pipeline answers when the data is on disk or its exporters have accepted it",
        [WEIR_PROMISE_SINK] = "Pipeline answers when its exporters have accepted the data",
    };
    for (size_t i = 0; i < service->config->pipeline_count; i++) {
        const struct weir_pipeline *pipeline = &service->config->pipelines[i];
        const struct graph_node *link;
        enum weir_promise promise = graph_promise(service->graph, pipeline, &link);
        weir_log(service->logger, WEIR_INFO, meanings[promise], WEIR_F_TEXT("pipeline", pipeline->id.text),
                 WEIR_F_TEXT("ack", weir_promise_name(pipeline->ack)),
                 WEIR_F_TEXT("weakest_link", link ? weir_instance_id(link->instance) : "none"));
    }
}

static int start(struct service *service, struct weir_error *error)
{
    service->logger = weir_logger_new(NULL);
    service->uuid = resource_make_uuid();
    service->graph->drain_timeout = service->options->drain_timeout;
    service->context = (struct telemetry_context){ service->graph, &service->reloads, service->logger, service->uuid };
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of the write */
    service->telemetry = telemetry_open(service->config, &service->context, error);
    if (!service->telemetry)
        return -1;
    telemetry_use_log(service->telemetry);
    weir_log(service->logger, WEIR_INFO, "Starting " PACKAGE_NAME "...", WEIR_F_TEXT("Version", PACKAGE_VERSION),
             WEIR_F_UINT("NumCPU", weir_cpu_limit()), WEIR_F_UINT("workers", weir_worker_count()));
    weir_workers_start();
    /* Before anything can hang a worker; a start may take its time. */
    watchdog_start(service->options->watchdog);
    watchdog_pause();
    if (telemetry_open_endpoints(service->telemetry, &service->context, NULL, error) != 0)
        return -1;
    return graph_start(service->graph, error);
}

/* What closing takes beyond draining. */
#define CLOSING_TIME (INT64_C(10) * 1000000000)

void service_tell_running(const struct service *service)
{
    size_t pipelines = service->config->pipeline_count;
    supervisor_tell("READY=1", "Running: %zu pipeline%s, %u worker%s", pipelines, pipelines == 1 ? "" : "s",
                    weir_worker_count(), weir_worker_count() == 1 ? "" : "s");
}

/* The supervisor leaves the time that may be needed for what is held, and no more. */
static void tell_stopping(const struct service *service)
{
    char *state = weir_xasprintf("STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRId64,
                                 (service->options->drain_timeout + CLOSING_TIME) / 1000);
    supervisor_tell(state, "Delivering what is held");
    free(state);
}

static void warn_of_unused(const struct weir_inherited_view *view, void *logger)
{
    if (!view->address)
        weir_log(logger, WEIR_WARN, "What weir was started with is no listening stream socket, and not used",
                 WEIR_F_TEXT("name", view->name));
    else if (!view->used)
        weir_log(logger, WEIR_WARN, "No component listens at the address of a socket that weir was started with",
                 WEIR_F_TEXT("name", view->name), WEIR_F_TEXT("address", view->address));
}

static void announce_ready(struct service *service)
{
    service->ready_since = weir_wall_clock();
    service->reloads.last_done = true;
    service->reloads.last = service->ready_since;
    notice_open();
    graph_announce(service->graph, true);
    service_log_promises(service);
    weir_inherited_visit(warn_of_unused, service->logger);
    service_tell_running(service);
    weir_log(service->logger, WEIR_INFO, "Everything is ready. Begin running and processing data.");
}

static void print_ledger(struct service *service)
{
    struct weir_text text = { 0 };
    weir_text_adds(&text, "ledger:\n");
    bool closes = graph_print_ledger(service->graph, &text);
    fputs(weir_text_string(&text), stderr);
    if (!closes)
        weir_log(service->logger, WEIR_ERROR, "The ledger does not close");
    weir_text_free(&text);
}

static void stop(struct service *service, bool ran)
{
    weir_log(service->logger, WEIR_INFO, "Starting shutdown...");
    if (ran)
        tell_stopping(service);
    service->ready_since = 0;
    graph_announce(service->graph, false);
    if (ran && !graph_drain(service->graph, service->options->drain_timeout))
        weir_log(service->logger, WEIR_WARN, "Shutdown deadline is over: what is still held is dropped",
                 WEIR_F_DOUBLE("seconds", (double)service->options->drain_timeout / 1e9));
    watchdog_stop();
    weir_log(service->logger, WEIR_INFO, "Stopping extensions...");
    graph_stop(service->graph);
    if (ran)
        print_ledger(service);
    if (service->telemetry)
        telemetry_close_endpoints(service->telemetry);
    notice_close();
    weir_log(service->logger, WEIR_INFO, "Shutdown complete.");
    telemetry_close(service->telemetry, true);
}

/* A reload turns the loop itself, so it happens between two runs. */
static void run(struct service *service)
{
    while (!service->stopping) {
        weir_worker_run(weir_worker_at(0));
        if (service->reload_wanted && !service->stopping) {
            service->reload_wanted = false;
            watchdog_pause();
            service_reload(service);
            watchdog_resume();
        }
    }
}

int service_run(const struct service_options *options)
{
    struct service service = { .options = options, .runs = true };
    struct weir_error error = WEIR_ERROR_INIT;
    int result = EXIT_FAILED;
    supervisor_open();
    weir_inherit_sockets();
    if (prepare(&service) == 0) {
        bool started = start(&service, &error) == 0;
        if (started) {
            watchdog_resume();
            announce_ready(&service);
            spare_start();
            run(&service);
            spare_stop();
            result = EXIT_STOPPED;
        } else {
            fprintf(stderr, "Error: %s\n", weir_error_text(&error));
            supervisor_tell("", "Not started: %s", weir_error_text(&error));
        }
        stop(&service, started);
    } else {
        supervisor_tell("", "Not started: the configuration is wrong, see the log");
    }
    release(&service);
    supervisor_close();
    weir_error_free(&error);
    return result;
}
