// SPDX-License-Identifier: Apache-2.0
/*
 * The HTTP side: /metrics. Pages are made on libuv's thread pool, so that a large one holds up no telemetry.
 */
#ifndef PROMETHEUS_SERVE_H
#define PROMETHEUS_SERVE_H

#include <weir/component.h>

#include "plugins/exporters/prometheus/translate.h"

struct page_job;

/* The part of an instance on the worker that serves. */
struct serving {
    struct weir_shard *shard;
    const struct prom_config *config;
    struct store *store;
    struct weir_str target_name;
    struct weir_http_server *server;
    struct page_job *jobs; /* pages that are being made */
};

extern const struct weir_http_handler serve_handler; /* the user is the struct serving */

/* Pages under way are answered without it from now on. */
void serve_leave(struct serving *serving);

#endif
