// SPDX-License-Identifier: Apache-2.0
/*
 * The inside of the otlp_http exporter.
 */
#ifndef OTLP_HTTP_H
#define OTLP_HTTP_H

#include <weir/http_exporter.h>

struct otlp_http_config {
    struct weir_http_client_options client;
    struct weir_sender_options sender;
    char *endpoint;
    char *signal_endpoints[WEIR_SIGNALS];
    int encoding; /* enum weir_otlp_format */
    struct weir_duration timeout;
    int compression; /* enum weir_encoding */
    struct otlp_http_compression_params {
        int64_t level;
    } compression_params;
};

/* One batch under way. */
struct otlp_http_transfer {
    struct weir_http_request request;
    const struct otlp_http_config *config;
    struct weir_attempt *attempt;
    struct weir_http_header headers[2];
};

/* Ends the transfer's attempt as the server's answer says, and frees the transfer. */
void otlp_http_answered(struct otlp_http_transfer *transfer, const struct weir_http_response *response);
/* Ends it with a result of our own. */
void otlp_http_finish(struct otlp_http_transfer *transfer, const struct weir_result *result);

#endif
