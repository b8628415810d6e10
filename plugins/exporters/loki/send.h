// SPDX-License-Identifier: Apache-2.0
/*
 * Sending one batch: a request for each tenant, several at a time, and what their answers come to.
 */
#ifndef LOKI_SEND_H
#define LOKI_SEND_H

#include "plugins/exporters/loki/translate.h"

/* What all workers share. */
struct loki_shared {
    const struct loki_config *config;
    struct loki_rules rules;
    struct weir_url url;
    enum weir_encoding compression;         /* of requests */
    size_t parallel;                        /* requests of a batch at a time */
    struct weir_http_client_options client; /* the configured ones, less X-Scope-OrgID */
    struct weir_pair *headers;              /* of `client` */
    struct weir_str tenant;                 /* X-Scope-OrgID of the configured headers; empty: none */
    struct weir_sender_options sender_options;
};

/* weir_send. */
void loki_send(struct weir_shard *shard, struct weir_attempt *attempt);

#endif
