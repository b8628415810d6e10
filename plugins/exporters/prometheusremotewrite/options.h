// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of the prometheusremotewrite exporter (contrib-receivers-exporters 5.1).
 */
#ifndef PROMETHEUSREMOTEWRITE_OPTIONS_H
#define PROMETHEUSREMOTEWRITE_OPTIONS_H

#include <weir/http_exporter.h>
#include <weir/prometheus.h>

enum prw_message {
    PRW_V1, /* prometheus.WriteRequest */
    PRW_V2, /* io.prometheus.write.v2.Request */
};

struct prw_queue {
    bool enabled;
    int64_t queue_size;
    int64_t num_consumers; /* requests of one batch at a time */
    struct weir_reference storage;
};

struct prw_wal {
    char *directory;
};

struct prw_config {
    struct weir_http_client_options client;
    char *endpoint;
    struct weir_duration timeout;
    char *compression;
    char *name_space;
    struct weir_pairs external_labels; /* names as they were written */
    struct prw_queue queue;
    struct weir_retry_options retry;
    int64_t max_batch_size_bytes;
    int64_t max_batch_request_parallelism; /* 0: num_consumers */
    struct weir_prometheus_conversion {
        bool enabled;
        bool exclude_service_attributes;
    } conversion;
    struct prw_target_info {
        bool enabled;
    } target_info;
    bool disable_scope_info;
    bool add_metric_suffixes;
    int strategy; /* enum weir_prometheus_strategy, or PRW_STRATEGY_UNSET */
    bool send_metadata;
    int message; /* enum prw_message */
    bool wal_on;
    struct prw_wal wal;
};
#define PRW_STRATEGY_UNSET (-1)

extern const struct weir_option_table prw_table;

/* The strategy that the two keys for it come to. */
enum weir_prometheus_strategy prw_strategy(const struct prw_config *config);

#endif
