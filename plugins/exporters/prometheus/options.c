// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheus/options.h"

static const struct weir_option conversion_rows[] = {
    WEIR_OPTION(struct prom_conversion, enabled, "enabled",
                .doc = "Give every series the attributes of its resource as labels."),
    WEIR_OPTION(struct prom_conversion, exclude_service_attributes, "exclude_service_attributes",
                .doc = "But for service.name, service.namespace and service.instance.id."),
    WEIR_OPTION_END,
};
static const struct weir_option_table conversion_table = { conversion_rows, sizeof(struct prom_conversion), NULL };

static void check(const void *group, struct weir_checker *checker)
{
    const struct prom_config *config = group;
    struct weir_text name = { 0 };
    if (!config->server.endpoint || !*config->server.endpoint)
        weir_check_fail(checker, "endpoint", "expecting a non-blank address to run the Prometheus metrics handler");
    if (weir_check_given(checker, "add_metric_suffixes"))
        weir_check_warn(checker, "add_metric_suffixes",
                        "has no effect; translation_strategy says how names are made");
    for (size_t i = 0; i < config->const_labels.count; i++) {
        if (!weir_prometheus_label_name(WEIR_PROMETHEUS_LABEL_SCRAPED, weir_str_of(config->const_labels.items[i].name),
                                        &name))
            weir_check_fail(checker, "const_labels", "\"%s\" has no letter or digit to name a label with",
                            config->const_labels.items[i].name);
    }
    weir_text_free(&name);
}

static const struct weir_option_value strategies[] = {
    { "UnderscoreEscapingWithSuffixes", WEIR_PROMETHEUS_ESCAPED_SUFFIXED },
    { "UnderscoreEscapingWithoutSuffixes", WEIR_PROMETHEUS_ESCAPED },
    { "NoUTF8EscapingWithSuffixes", WEIR_PROMETHEUS_UTF8_SUFFIXED },
    { "NoTranslation", WEIR_PROMETHEUS_UNCHANGED },
    { "", WEIR_PROMETHEUS_ESCAPED_SUFFIXED },
    { NULL, 0 },
};

static const struct weir_option rows[] = {
    WEIR_HTTP_SERVER_OPTIONS(struct prom_config, server, NULL, "true"),
    WEIR_OPTION(struct prom_config, name_space, "namespace", .doc = "Stands before the name of each metric."),
    WEIR_OPTION(struct prom_config, const_labels, "const_labels",
                .doc = "Labels of every series but target_info; a series that has one of them itself is left out."),
    WEIR_OPTION(struct prom_config, send_timestamps, "send_timestamps",
                .doc = "Print with each value when it was measured."),
    WEIR_OPTION(struct prom_config, metric_expiration, "metric_expiration", .preset = "5m", .bounded = true,
                .max = INT64_MAX, .doc = "How long a series is shown after its last data point."),
    WEIR_OPTION_GROUP(struct prom_config, conversion, "resource_to_telemetry_conversion", &conversion_table,
                      .doc = "Attributes of resources as labels."),
    WEIR_OPTION(struct prom_config, enable_open_metrics, "enable_open_metrics",
                .doc = "Serve OpenMetrics, with exemplars and creation times, to those who ask for it."),
    WEIR_OPTION(struct prom_config, add_metric_suffixes, "add_metric_suffixes", .preset = "true",
                .doc = "Without effect: translation_strategy has taken its place."),
    WEIR_OPTION(struct prom_config, strategy, "translation_strategy", .preset = "UnderscoreEscapingWithSuffixes",
                .values = strategies, .doc = "How names of metrics and labels are made."),
    WEIR_OPTION(struct prom_config, without_scope_info, "without_scope_info", .doc = "No labels of the scope."),
    WEIR_OPTION_INLINE(struct prom_config, sender, &weir_sender_queue_table),
    WEIR_OPTION_END,
};
const struct weir_option_table prom_table = { rows, sizeof(struct prom_config), check };
