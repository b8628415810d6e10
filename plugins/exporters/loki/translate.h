// SPDX-License-Identifier: Apache-2.0
/*
 * Log records as entries of Loki's streams.
 */
#ifndef LOKI_TRANSLATE_H
#define LOKI_TRANSLATE_H

#include <weir/batch.h>

#include "plugins/exporters/loki/mapping.h"
#include "plugins/exporters/loki/options.h"
#include "plugins/exporters/loki/push.h"

/* What the configuration comes to; made once, unchanging from then on. */
struct loki_rules {
    const struct loki_config *config;
    enum loki_mode mode;
    struct loki_map map;
};

void loki_rules_init(struct loki_rules *rules, const struct loki_config *config);
void loki_rules_free(struct loki_rules *rules);

/* Records that cannot be sent. */
struct loki_skipped {
    uint64_t items;
    struct weir_text reason; /* of the first */
};

enum loki_translated {
    LOKI_TRANSLATED,
    LOKI_TOO_MUCH, /* the lines are more than LOKI_PUSH_MAX together: each has all of its resource */
    LOKI_NO_MEMORY,
};

/* Bytes that one batch may come to, unless it is a single record. */
#define LOKI_PUSH_MAX ((size_t)64 << 20)

/* Adds the batch's records to `push`. `now` is the time of records without one. Owner's worker. */
enum loki_translated loki_translate(const struct loki_rules *rules, struct weir_batch *batch, uint64_t now,
                                    struct loki_push *push, struct loki_skipped *skipped);

/* The tenant that the configuration names, perhaps by the batch's context; empty when there is none. */
struct weir_str loki_configured_tenant(const struct loki_config *config, struct weir_batch *batch);

/* True if the tenant may stand in a header; LOKI_NO_TENANT says why it must not. */
bool loki_is_tenant(struct weir_str tenant);
#define LOKI_NO_TENANT "a tenant with characters other than printable ASCII, or with more than 256"

#endif
