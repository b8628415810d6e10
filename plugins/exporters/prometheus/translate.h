// SPDX-License-Identifier: Apache-2.0
/*
 * A batch of OTLP metrics into the store (contrib-receivers-exporters 4.2 to 4.4).
 */
#ifndef PROMETHEUS_TRANSLATE_H
#define PROMETHEUS_TRANSLATE_H

#include <weir/batch.h>

#include "plugins/exporters/prometheus/options.h"
#include "plugins/exporters/prometheus/store.h"

/* The configuration made ready, for all workers. */
struct prom_rules {
    const struct prom_config *config;
    enum weir_prometheus_strategy strategy;
    enum weir_prometheus_label_rule label_rule;
    struct weir_str name_space;
    struct weir_arena arena;
    struct weir_prometheus_label *constant;
    size_t constant_count;
};
void prom_rules_init(struct prom_rules *rules, const struct prom_config *config);
void prom_rules_free(struct prom_rules *rules);

/* Adds what two instances must have in common for one to go on with the other's series. */
void prom_rules_key(const struct prom_rules *rules, struct weir_text *key);

/* Adds the name of target_info. */
void prom_target_name(const struct prom_rules *rules, struct weir_text *name);

/* Points that could not be put into the store. */
struct prom_skipped {
    uint64_t items;
    struct weir_text reason; /* of the first */
};

/* Puts the batch's points into the store; `now` is on the workers' clock. False when memory is out. The batch's worker. */
bool prom_translate(const struct prom_rules *rules, struct store *store, struct weir_batch *batch, int64_t now,
                    struct prom_skipped *skipped);

#endif
