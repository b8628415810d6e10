// SPDX-License-Identifier: Apache-2.0
/*
 * A batch of OTLP metrics as series (contrib-receivers-exporters 5.4).
 */
#ifndef PROMETHEUSREMOTEWRITE_TRANSLATE_H
#define PROMETHEUSREMOTEWRITE_TRANSLATE_H

#include <weir/batch.h>

#include "plugins/exporters/prometheusremotewrite/options.h"
#include "plugins/exporters/prometheusremotewrite/series.h"

/* The configuration made ready, for all workers. */
struct prw_rules {
    const struct prw_config *config;
    enum weir_prometheus_strategy strategy;
    enum weir_prometheus_label_rule label_rule;
    struct weir_str name_space;
    struct weir_arena arena; /* of the labels */
    struct weir_prometheus_label *external;
    size_t external_count;
};
void prw_rules_init(struct prw_rules *rules, const struct prw_config *config);
void prw_rules_free(struct prw_rules *rules);

/* What could not be translated. */
struct prw_skipped {
    uint64_t items;
    struct weir_text reason; /* of the first */
};

/* Fills `set` with the batch's series, sorted. What they point to lives as long as batch and set. False when memory is
 * out. The batch's worker. */
bool prw_translate(const struct prw_rules *rules, struct weir_batch *batch, struct series_set *set,
                   struct prw_skipped *skipped);

#endif
