// SPDX-License-Identifier: Apache-2.0
/*
 * Configurations over HTTP, through the hook that the service sets.
 */
#include <config.h>

#include "core/config/fetch.h"

static weir_config_fetch *hook;

void weir_config_set_fetch(weir_config_fetch *fetch)
{
    hook = fetch;
}

int config_fetch(const char *uri, struct weir_text *body, struct weir_error *error)
{
    if (!hook)
        return weir_error_set(
            error, "failed to load resource from uri \"%s\": this program has no HTTP client", uri);
    int status = hook(uri, body, error);
    if (status < 0)
        return weir_error_prefix(error, "unable to download the file via HTTP GET for uri \"%s\"", uri);
    if (status != 200)
        return weir_error_set(error, "failed to load resource from uri \"%s\". status code: %d", uri, status);
    return 0;
}
