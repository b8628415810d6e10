// SPDX-License-Identifier: Apache-2.0
/*
 * TLS on a connection. All calls do nothing, or are not made, for plain ones.
 */
#ifndef WEIR_NET_TLS_CONN_H
#define WEIR_NET_TLS_CONN_H

#include "sdk/src/net/state.h"

/* Begins the handshake: as a server with a server's context, otherwise as a client of `server_name`. */
void weir_tls_conn_start(struct weir_conn *conn, struct weir_tls_context *context, const char *server_name);
/* Encrypted bytes came in; none when the connection has been resumed. */
void weir_tls_conn_input(struct weir_conn *conn, const uint8_t *bytes, size_t length);
/* Encrypts and sends what is queued, as far as the kernel takes it. */
void weir_tls_conn_send(struct weir_conn *conn);
/* Tells the peer that nothing follows. */
void weir_tls_conn_end(struct weir_conn *conn);
void weir_tls_conn_free(struct weir_conn *conn);

#endif
