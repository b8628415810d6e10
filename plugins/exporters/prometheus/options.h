// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of the prometheus exporter (contrib-receivers-exporters 4.1).
 */
#ifndef PROMETHEUS_OPTIONS_H
#define PROMETHEUS_OPTIONS_H

#include <weir/http_server.h>
#include <weir/prometheus.h>
#include <weir/sender.h>

struct prom_conversion {
    bool enabled;
    bool exclude_service_attributes;
};

struct prom_config {
    struct weir_http_server_options server;
    struct weir_sender_options sender; /* its queue only */
    char *name_space;
    struct weir_pairs const_labels;
    bool send_timestamps;
    struct weir_duration metric_expiration;
    struct prom_conversion conversion;
    bool enable_open_metrics;
    bool add_metric_suffixes;
    int strategy; /* enum weir_prometheus_strategy */
    bool without_scope_info;
};

extern const struct weir_option_table prom_table;

#endif
