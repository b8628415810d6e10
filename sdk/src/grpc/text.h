// SPDX-License-Identifier: Apache-2.0
/*
 * The texts in gRPC's headers (PROTOCOL-HTTP2.md). Private to sdk/src/grpc.
 */
#ifndef WEIR_GRPC_TEXT_H
#define WEIR_GRPC_TEXT_H

#include <weir/str.h>

/* Adds a message as grpc-message carries it: percent-encoded but for printable ASCII. */
void grpc_message_encode(const char *message, struct weir_text *out);

/* Adds bytes as a -bin header carries them: base64 without padding. */
void grpc_binary_encode(const void *data, size_t length, struct weir_text *out);

/* Reads grpc-timeout (1 to 8 digits and one of H M S m u n) as nanoseconds; false on anything else. */
bool grpc_timeout_parse(struct weir_str text, int64_t *out);

#endif
