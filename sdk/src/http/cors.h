// SPDX-License-Identifier: Apache-2.0
/*
 * Cross-origin requests of browsers (Fetch standard, section 3.2), decided as upstream's library does
 * (collector-core 4.3). Private to libweir.
 */
#ifndef WEIR_HTTP_CORS_H
#define WEIR_HTTP_CORS_H

#include <weir/http_server.h>

#include "sdk/src/http/headers.h"

/* True for OPTIONS with Access-Control-Request-Method: to be answered with 204 and the headers of
 * cors_preflight. */
bool cors_is_preflight(struct weir_str method, const struct headers *request);

/* Adds the headers of the answer to a preflight request. */
void cors_preflight(const struct weir_cors_options *cors, const struct headers *request,
                    struct headers *answer);

/* Adds the headers of the answer to any other request. */
void cors_actual(const struct weir_cors_options *cors, struct weir_str method, const struct headers *request,
                 struct headers *answer);

#endif
