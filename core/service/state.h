// SPDX-License-Identifier: Apache-2.0
/* The service while it runs, for the files that make it up. */
#ifndef WEIR_CORE_SERVICE_STATE_H
#define WEIR_CORE_SERVICE_STATE_H

#include <uv.h>

#include "core/graph/graph.h"
#include "core/service/service.h"
#include "core/service/telemetry.h"

struct service {
    const struct service_options *options;
    struct weir_config *config;
    struct graph *graph;
    struct telemetry *telemetry;
    struct telemetry_context context;
    struct reload_counts reloads;
    struct weir_logger *logger;
    char *uuid;
    uv_signal_t signals[3];
    bool runs;     /* it is not only validated */
    bool watching; /* the signals */
    bool stopping;
    bool reload_wanted;
    int64_t ready_since; /* wall clock; 0: not ready */
    struct weir_task fatal;
    _Atomic bool fatal_posted;
    const struct weir_instance *fatal_instance;
    char *fatal_reason;
};

/* Reads the configuration again and puts what changed into effect; says in the log and in the notice what became of it.
 * Main thread, outside of the loop. */
void service_reload(struct service *service);

/* Tells the supervisor that the service is ready. Main thread. */
void service_tell_running(const struct service *service);

/* Writes what an answer to a client of each pipeline means. */
void service_log_promises(const struct service *service);

#endif
