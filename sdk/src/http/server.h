// SPDX-License-Identifier: Apache-2.0
/*
 * The protocols an HTTP server speaks: what `opened` hands a connection to. Private to sdk/src/http.
 */
#ifndef WEIR_HTTP_SERVER_PRIVATE_H
#define WEIR_HTTP_SERVER_PRIVATE_H

#include "sdk/src/http/exchange.h"

/* Time for headers to arrive, or for a body to go on, where the configuration sets no limit (docs/limits.md). */
#define GUARD_TIMEOUT INT64_C(60000000000)
/* Bytes that a body has to move a second, on average, beyond that time. */
#define GUARD_RATE 512
/* Time without a request, where the configuration sets no limit. */
#define IDLE_TIMEOUT INT64_C(600000000000)
/* The same for a request that is underway when the server drains. */
#define QUIESCE_TIMEOUT INT64_C(5000000000)
/* The same for the next request of a connection that has none, when another server takes over. */
#define LINGER_TIMEOUT INT64_C(1000000000)

/* Take over the connection and its events; close it when memory is out. */
void h1_server_open(struct weir_http_server *server, struct weir_conn *conn);
void h2_server_open(struct weir_http_server *server, struct weir_conn *conn);

#endif
