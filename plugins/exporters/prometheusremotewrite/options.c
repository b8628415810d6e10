// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/options.h"

#include <weir/storage.h>

enum weir_prometheus_strategy prw_strategy(const struct prw_config *config)
{
    if (config->strategy != PRW_STRATEGY_UNSET)
        return (enum weir_prometheus_strategy)config->strategy;
    return config->add_metric_suffixes ? WEIR_PROMETHEUS_ESCAPED_SUFFIXED : WEIR_PROMETHEUS_ESCAPED;
}

static void check_queue(const void *group, struct weir_checker *checker)
{
    const struct prw_queue *queue = group;
    if (queue->queue_size < 0)
        weir_check_fail(checker, "queue_size", "remote write queue size can't be negative");
    else if (queue->enabled && queue->queue_size == 0)
        weir_check_fail(checker, "queue_size", "a 0 size queue will drop all the data");
    if (queue->num_consumers < 0)
        weir_check_fail(checker, "num_consumers", "remote write consumer number can't be negative");
}

static const struct weir_option queue_rows[] = {
    WEIR_OPTION(struct prw_queue, enabled, "enabled", .preset = "true",
                .doc = "Answer as soon as a batch is in the queue."),
    WEIR_OPTION(struct prw_queue, queue_size, "queue_size", .preset = "10000", .doc = "Batches that the queue holds."),
    WEIR_OPTION(struct prw_queue, num_consumers, "num_consumers", .preset = "5",
                .doc = "Requests of one batch under way at one time; batches go one behind the other."),
    WEIR_OPTION(struct prw_queue, storage, "storage",
                .doc = "The storage extension that keeps the queue on disk; without, it is in memory.",
                .interface = WEIR_STORAGE, .noun = "storage extension"),
    WEIR_OPTION_END,
};
static const struct weir_option_table queue_table = { queue_rows, sizeof(struct prw_queue), check_queue };

static const struct weir_option wal_rows[] = {
    WEIR_OPTION(struct prw_wal, directory, "directory", .required = true,
                .doc = "Keeps the queue on disk, in prom_remotewrite below this directory."),
    WEIR_OPTION_IGNORED("buffer_size", "the queue on disk is read as it is sent"),
    WEIR_OPTION_IGNORED("truncate_frequency", "the queue on disk gives back space as soon as it is delivered"),
    WEIR_OPTION_IGNORED("lag_record_frequency", "the queue's size is always in the metrics"),
    WEIR_OPTION_END,
};
static const struct weir_option_table wal_table = { wal_rows, sizeof(struct prw_wal), NULL };

static const struct weir_option conversion_rows[] = {
    WEIR_OPTION(struct weir_prometheus_conversion, enabled, "enabled",
                .doc = "Give every series the attributes of its resource as labels."),
    WEIR_OPTION(struct weir_prometheus_conversion, exclude_service_attributes, "exclude_service_attributes",
                .doc = "But for service.name, service.namespace and service.instance.id."),
    WEIR_OPTION_END,
};
static const struct weir_option_table conversion_table = { conversion_rows,
                                                           sizeof(struct weir_prometheus_conversion), NULL };

static const struct weir_option target_info_rows[] = {
    WEIR_OPTION(struct prw_target_info, enabled, "enabled", .preset = "true",
                .doc = "Send target_info, whose labels are the attributes of the resource."),
    WEIR_OPTION_END,
};
static const struct weir_option_table target_info_table = { target_info_rows, sizeof(struct prw_target_info), NULL };

static const struct weir_option retry_rows[] = { WEIR_SENDER_RETRY_ROWS("true", "50ms"), WEIR_OPTION_END };
static const struct weir_option_table retry_table = { retry_rows, sizeof(struct weir_retry_options),
                                                      weir_sender_check_retry };

static void check_labels(const struct prw_config *config, struct weir_checker *checker)
{
    for (size_t i = 0; i < config->external_labels.count; i++) {
        const struct weir_pair *pair = &config->external_labels.items[i];
        if (!*pair->name || !*pair->value)
            weir_check_fail(checker, "external_labels",
                            "prometheus remote write: external labels configuration contains an empty key or value");
    }
}

static void check(const void *group, struct weir_checker *checker)
{
    const struct prw_config *config = group;
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_url url;
    if (weir_url_parse(config->endpoint, &url, &error) < 0)
        weir_check_fail(checker, "endpoint", "endpoint must be a valid URL: %s", weir_error_text(&error));
    else
        weir_url_free(&url);
    if (config->compression && *config->compression && strcmp(config->compression, "snappy") != 0)
        weir_check_fail(checker, "compression", "compression type must be snappy");
    if (config->max_batch_size_bytes < 0)
        weir_check_fail(checker, "max_batch_size_bytes", "max_batch_byte_size must be greater than 0");
    if (weir_check_given(checker, "max_batch_request_parallelism") && config->max_batch_request_parallelism < 1)
        weir_check_fail(checker, "max_batch_request_parallelism",
                        "max_batch_request_parallelism can't be set to below 1");
    if (config->strategy >= WEIR_PROMETHEUS_UTF8_SUFFIXED && config->message == PRW_V1)
        weir_check_fail(checker, "translation_strategy",
                        "names with other characters than letters, digits and underscores need protobuf_message "
                        "io.prometheus.write.v2.Request");
    if (config->wal_on && config->queue.storage.id)
        weir_check_fail(checker, "wal", "the queue can be in one place only: wal, or the storage of remote_write_queue");
    if (config->wal_on && !config->queue.enabled)
        weir_check_fail(checker, "wal", "wal needs remote_write_queue");
    if (weir_check_given(checker, "add_metric_suffixes") && config->strategy != PRW_STRATEGY_UNSET)
        weir_check_warn(checker, "add_metric_suffixes", "has no effect beside translation_strategy");
    check_labels(config, checker);
    weir_sender_check_timeout(config->timeout, checker);
    weir_error_free(&error);
}

static const struct weir_option_value strategies[] = {
    { "", PRW_STRATEGY_UNSET },
    { "UnderscoreEscapingWithSuffixes", WEIR_PROMETHEUS_ESCAPED_SUFFIXED },
    { "UnderscoreEscapingWithoutSuffixes", WEIR_PROMETHEUS_ESCAPED },
    { "NoUTF8EscapingWithSuffixes", WEIR_PROMETHEUS_UTF8_SUFFIXED },
    { "NoTranslation", WEIR_PROMETHEUS_UNCHANGED },
    { NULL, 0 },
};

static const struct weir_option_value messages[] = {
    { "prometheus.WriteRequest", PRW_V1 },
    { "io.prometheus.write.v2.Request", PRW_V2 },
    { NULL, 0 },
};

static const struct weir_option rows[] = {
    WEIR_OPTION(struct prw_config, endpoint, "endpoint", .preset = "http://some.url:9411/api/prom/push",
                .doc = "URL that takes remote write."),
    WEIR_OPTION(struct prw_config, timeout, "timeout", .preset = "5s",
                .doc = "How long one request may take, answer included; 0: no limit."),
    WEIR_OPTION(struct prw_config, compression, "compression", .preset = "snappy",
                .doc = "Remote write knows snappy only."),
    WEIR_OPTION(struct prw_config, name_space, "namespace", .doc = "Stands before the name of each metric."),
    WEIR_OPTION(struct prw_config, external_labels, "external_labels",
                .doc = "Labels for each series that has none of the name."),
    WEIR_OPTION_GROUP(struct prw_config, queue, "remote_write_queue", &queue_table,
                      .doc = "The queue between the pipeline and the destination."),
    WEIR_OPTION_GROUP(struct prw_config, retry, "retry_on_failure", &retry_table,
                      .doc = "How what failed is sent again."),
    WEIR_OPTION(struct prw_config, max_batch_size_bytes, "max_batch_size_bytes", .preset = "3000000", .unit = "bytes",
                .doc = "Largest request before compression; 0: the default."),
    WEIR_OPTION(struct prw_config, max_batch_request_parallelism, "max_batch_request_parallelism",
                .doc = "Requests of one batch under way at one time, instead of num_consumers."),
    WEIR_OPTION_GROUP(struct prw_config, conversion, "resource_to_telemetry_conversion", &conversion_table,
                      .doc = "Attributes of resources as labels."),
    WEIR_OPTION_GROUP(struct prw_config, target_info, "target_info", &target_info_table,
                      .doc = "The series that tells of the resource."),
    WEIR_OPTION(struct prw_config, disable_scope_info, "disable_scope_info", .doc = "No labels of the scope."),
    WEIR_OPTION(struct prw_config, add_metric_suffixes, "add_metric_suffixes", .preset = "true",
                .doc = "Older key for translation_strategy: false is UnderscoreEscapingWithoutSuffixes."),
    WEIR_OPTION(struct prw_config, strategy, "translation_strategy", .preset = "", .values = strategies,
                .doc = "How names are made; without it UnderscoreEscapingWithSuffixes."),
    WEIR_OPTION(struct prw_config, send_metadata, "send_metadata",
                .doc = "Send type, help and unit of metrics in requests of their own (version 2 has them always)."),
    WEIR_OPTION(struct prw_config, message, "protobuf_message", .preset = "prometheus.WriteRequest", .values = messages,
                .doc = "Version of remote write, as its message."),
    WEIR_OPTION_OPTIONAL(struct prw_config, wal, wal_on, "wal", &wal_table, WEIR_NONE_OFF,
                         .doc = "The queue on disk, without a storage extension."),
    WEIR_OPTION_IGNORED("export_created_metric", "series of creation times are not sent any more"),
    WEIR_OPTION_INLINE(struct prw_config, client, &weir_http_client_table),
    WEIR_OPTION_END,
};
const struct weir_option_table prw_table = { rows, sizeof(struct prw_config), check };
