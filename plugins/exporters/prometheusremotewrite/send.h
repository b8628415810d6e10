// SPDX-License-Identifier: Apache-2.0
/*
 * Sending one batch: its requests, several at a time, and what their answers come to.
 */
#ifndef PROMETHEUSREMOTEWRITE_SEND_H
#define PROMETHEUSREMOTEWRITE_SEND_H

#include "plugins/exporters/prometheusremotewrite/request.h"
#include "plugins/exporters/prometheusremotewrite/translate.h"

/* What all workers share. */
struct prw_shared {
    const struct prw_config *config;
    struct prw_rules rules;
    struct weir_url url;
    size_t most;        /* bytes of a request */
    size_t parallel;    /* requests of a batch at a time */
    struct weir_sender_options sender_options;
    struct weir_storage_place *place; /* of the wal; NULL: none */
};

/* weir_send. */
void prw_send(struct weir_shard *shard, struct weir_attempt *attempt);

#endif
