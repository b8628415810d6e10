// SPDX-License-Identifier: Apache-2.0
/* One GET, waited for: configurations from HTTP servers, and whether a collector is well. */
#ifndef WEIR_CORE_SERVICE_FETCH_H
#define WEIR_CORE_SERVICE_FETCH_H

#include "core/config/fetch.h"

/* A weir_config_fetch with the SDK's HTTP client: on worker 0, before anything else runs there, or on a worker of its
 * own where there is none yet. Waits for at most 30 s, and takes at most WEIR_HTTP_RESPONSE_BODY_MAX bytes. */
weir_config_fetch fetch_over_http;

/* The same with a patience of its own, in nanoseconds, and from a server that may have any certificate. */
int fetch_from_anyone(const char *uri, int64_t timeout, struct weir_text *body, struct weir_error *error);

#endif
