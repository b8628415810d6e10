// SPDX-License-Identifier: Apache-2.0
/* The collector's own metrics: the ledger and the process as upstream's otelcol_* families, and weir's own. */
#ifndef WEIR_CORE_SERVICE_METRICS_H
#define WEIR_CORE_SERVICE_METRICS_H

#include "core/graph/graph.h"
#include "core/service/exposition.h"

/* Fills the exposition with everything that `level` shows. Main thread. */
void metrics_collect(struct exposition *exposition, const struct graph *graph, enum weir_meter_level level);

/* weir_tls_certificate_expiry_days. Main thread. */
void metrics_collect_certificates(struct exposition *exposition);

/* Reloads so far. */
struct reload_counts {
    uint64_t done;    /* the configuration asked for runs, also where it was the one before */
    uint64_t refused; /* the one before runs on */
    bool last_done;
    int64_t last; /* wall clock, nanoseconds since 1970; of the last one that was done, first of all the start */
};
void metrics_collect_reloads(struct exposition *exposition, const struct reload_counts *reloads);

/* The process's own families (collector-core 10.1, process_*). */
void metrics_collect_process(struct exposition *exposition);

/* Connections to the addresses that are listened on. Main thread. */
void metrics_collect_listeners(struct exposition *exposition);

#endif
