// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of the loki exporter (contrib-receivers-exporters 6).
 */
#ifndef LOKI_OPTIONS_H
#define LOKI_OPTIONS_H

#include <weir/http_exporter.h>

#include "plugins/exporters/loki/hints.h"

/* What is sent, and how it is made. */
enum loki_mode {
    LOKI_HINTED, /* the push API; labels from hints */
    LOKI_MAPPED, /* the push API; labels from `labels`, as old versions have it */
    LOKI_OTLP,   /* the native intake of OTLP */
};

enum loki_format {
    LOKI_FORMAT_BODY,
    LOKI_FORMAT_JSON,
};

/* Of the push API's requests. */
enum loki_encoding {
    LOKI_PROTO,
    LOKI_JSON,
};

enum loki_tenant_source {
    LOKI_TENANT_STATIC,
    LOKI_TENANT_CONTEXT,
    LOKI_TENANT_ATTRIBUTE,
};

/* `compression` when it is not given: the mode's own. */
#define LOKI_COMPRESSION_UNSET (-1)

struct loki_config {
    struct weir_http_client_options client;
    struct weir_sender_options sender;
    char *endpoint;
    struct weir_duration timeout;
    int encoding;    /* enum loki_encoding */
    int compression; /* enum weir_encoding, or LOKI_COMPRESSION_UNSET */
    struct loki_default_labels defaults;
    bool labels_on;
    struct loki_mapping {
        struct weir_pairs attributes; /* attribute and label; an empty label is the attribute's name */
        struct weir_pairs resource;
        struct weir_pairs record;
    } labels;
    int format; /* enum loki_format */
    char *tenant_id;
    bool tenant_on;
    struct loki_tenant_options {
        int source; /* enum loki_tenant_source */
        char *value;
    } tenant;
};

extern const struct weir_option_table loki_table;

/* Which mode the keys come to: an endpoint whose path ends in /otlp is the native intake. */
enum loki_mode loki_mode(const struct loki_config *config);

/* What requests are compressed with. */
enum weir_encoding loki_compression(const struct loki_config *config);

/* The path that the native intake's base URL is asked at: "v1/logs", or "" if the endpoint has it already. */
const char *loki_otlp_path(const struct loki_config *config);

#endif
