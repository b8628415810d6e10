// SPDX-License-Identifier: Apache-2.0
/* service::telemetry, as a whole. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/service/logging.h"
#include "core/service/telemetry.h"

struct telemetry {
    struct weir_config *config;
    struct weir_pairs *resource;
    struct logging *logging;
    struct endpoints *endpoints;
};

static char *canonical(const struct weir_config *config)
{
    struct weir_text text = { 0 };
    weir_config_canonical(weir_node_get(weir_node_get(config->root, "service"), "telemetry"), &text);
    return weir_text_steal(&text);
}

bool telemetry_is_same(const struct telemetry *telemetry, const struct weir_config *config)
{
    char *now = canonical(telemetry->config), *then = canonical(config);
    bool same = strcmp(now, then) == 0;
    free(now);
    free(then);
    return same;
}

struct telemetry *telemetry_open(struct weir_config *config, const struct telemetry_context *context,
                                 struct weir_error *error)
{
    struct telemetry *telemetry = weir_xcalloc(1, sizeof *telemetry);
    telemetry->config = weir_config_ref(config);
    telemetry->resource = resource_new(&config->telemetry, context->uuid);
    telemetry->logging = logging_open(&config->telemetry, telemetry->resource, error);
    if (telemetry->logging)
        return telemetry;
    telemetry_close(telemetry, false);
    return NULL;
}

void telemetry_use_log(const struct telemetry *telemetry)
{
    logging_use(telemetry->logging);
}

int telemetry_open_endpoints(struct telemetry *telemetry, const struct telemetry_context *context,
                             const struct telemetry *before, struct weir_error *error)
{
    struct endpoint_view view = { context->graph, context->reloads, &telemetry->config->telemetry,
                                  telemetry->resource };
    telemetry->endpoints = endpoints_open(&view, before ? before->endpoints : NULL, context->logger, error);
    return telemetry->endpoints ? 0 : -1;
}

void telemetry_use(struct telemetry *telemetry, struct telemetry *before)
{
    endpoints_take_over(telemetry->endpoints, before->endpoints);
    before->endpoints = NULL;
    logging_use(telemetry->logging);
    telemetry_close(before, false);
}

void telemetry_close_endpoints(struct telemetry *telemetry)
{
    endpoints_close(telemetry->endpoints);
    telemetry->endpoints = NULL;
}

void telemetry_close(struct telemetry *telemetry, bool in_use)
{
    if (!telemetry)
        return;
    endpoints_close(telemetry->endpoints);
    if (in_use)
        logging_use(NULL);
    logging_close(telemetry->logging);
    resource_free(telemetry->resource);
    weir_config_free(telemetry->config);
    free(telemetry);
}
