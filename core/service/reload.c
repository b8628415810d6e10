// SPDX-License-Identifier: Apache-2.0
/* Reload: the configuration read again, and what changed in it put into effect; or nothing at all. */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "core/service/notice.h"
#include "core/service/state.h"
#include "core/service/supervisor.h"

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void refuse(struct service *service, const char *text)
{
    service->reloads.refused++;
    service->reloads.last_done = false;
    supervisor_tell("READY=1", "Running with the configuration before: the new one was refused: %s", text);
    notice_end(NOTICE_REFUSED, text);
}

static void log_problem(struct service *service, const struct weir_problem *problem)
{
    const struct weir_problems one = { .items = (struct weir_problem *)(uintptr_t)problem, .count = 1 };
    struct weir_text text = { 0 };
    weir_problems_print(&one, &text);
    struct weir_str line = weir_str_trim(weir_text_view(&text));
    weir_log(service->logger, problem->warning ? WEIR_WARN : WEIR_ERROR, "Configuration problem",
             WEIR_F_STR("problem", line));
    weir_text_free(&text);
}

static void log_problems(struct service *service, struct weir_problems *problems)
{
    weir_problems_sort(problems);
    for (size_t i = 0; i < problems->count; i++)
        log_problem(service, &problems->items[i]);
}

static void refuse_config(struct service *service, const struct weir_problems *problems)
{
    struct weir_text text = { 0 };
    weir_log(service->logger, WEIR_ERROR, "Configuration not reloaded, the one before runs on",
             WEIR_F_UINT("errors", problems->errors));
    weir_text_addf(&text, "invalid configuration: %zu error%s\n", problems->errors, problems->errors == 1 ? "" : "s");
    weir_problems_print(problems, &text);
    refuse(service, weir_text_string(&text));
    weir_text_free(&text);
}

static void refuse_start(struct service *service, const struct weir_error *error)
{
    weir_log(service->logger, WEIR_ERROR, "Configuration not reloaded, the one before runs on",
             WEIR_F_TEXT("error", weir_error_text(error)));
    refuse(service, weir_error_text(error));
}

static void succeed(struct service *service, enum notice_outcome outcome, const char *text)
{
    service->reloads.done++;
    service->reloads.last_done = true;
    service->reloads.last = weir_wall_clock();
    service_tell_running(service);
    notice_end(outcome, text);
}

static void use_config(struct service *service, struct weir_config *config)
{
    weir_config_free(service->config);
    service->config = weir_config_ref(config);
}

static struct telemetry *prepare_telemetry(struct service *service, struct weir_config *config,
                                           struct weir_error *error)
{
    struct telemetry *telemetry = telemetry_open(config, &service->context, error);
    if (telemetry && telemetry_open_endpoints(telemetry, &service->context, service->telemetry, error) != 0) {
        telemetry_close(telemetry, false);
        return NULL;
    }
    return telemetry;
}

/* Everything that can fail comes before anything that changes what runs. */
static int put_into_effect(struct service *service, struct weir_config *config, struct graph_change *change,
                           struct weir_error *error)
{
    struct telemetry *telemetry = NULL;
    if (!telemetry_is_same(service->telemetry, config) && !(telemetry = prepare_telemetry(service, config, error))) {
        graph_discard(change);
        return -1;
    }
    if (graph_apply(change, error) != 0) {
        telemetry_close(telemetry, false);
        return -1;
    }
    if (telemetry) {
        telemetry_use(telemetry, service->telemetry);
        service->telemetry = telemetry;
    }
    use_config(service, config);
    return 0;
}

static void change_over(struct service *service, struct weir_config *config, struct graph_change *change,
                        int64_t began)
{
    struct weir_error error = WEIR_ERROR_INIT;
    size_t started = 0, stopped = 0;
    bool graph_changes = !graph_change_is_empty(change);
    graph_change_count(change, &started, &stopped);
    if (!graph_changes && telemetry_is_same(service->telemetry, config)) {
        graph_discard(change);
        weir_log(service->logger, WEIR_INFO, "Configuration is unchanged");
        succeed(service, NOTICE_UNCHANGED, "the configuration is unchanged");
    } else if (put_into_effect(service, config, change, &error) == 0) {
        char *text = weir_xasprintf("reloaded: %zu component instance%s started, %zu stopped", started,
                                    started == 1 ? "" : "s", stopped);
        weir_log(service->logger, WEIR_INFO, "Configuration reloaded", WEIR_F_UINT("started", started),
                 WEIR_F_UINT("stopped", stopped), WEIR_F_DOUBLE("seconds", (double)(now() - began) / 1e9));
        if (graph_changes)
            service_log_promises(service);
        succeed(service, NOTICE_RELOADED, text);
        free(text);
    } else {
        refuse_start(service, &error);
    }
    weir_error_free(&error);
}

/* The time is that of CLOCK_MONOTONIC: it tells the supervisor which of its signals this answers. */
static void tell_reloading(int64_t began)
{
    char *state = weir_xasprintf("RELOADING=1\nMONOTONIC_USEC=%" PRId64, began / 1000);
    supervisor_tell(state, "Reading the configuration again");
    free(state);
}

void service_reload(struct service *service)
{
    struct weir_problems problems = { 0 };
    int64_t began = now();
    notice_begin();
    tell_reloading(began);
    weir_log(service->logger, WEIR_INFO, "Reloading the configuration");
    struct weir_config *config = weir_config_load(&service->options->source, &problems);
    struct graph_change *change = graph_plan(service->graph, config, &problems);
    log_problems(service, &problems);
    if (change)
        change_over(service, config, change, began);
    else
        refuse_config(service, &problems);
    weir_config_free(config);
    weir_problems_free(&problems);
}
