// SPDX-License-Identifier: Apache-2.0
/*
 * google.rpc.Status in each of its encodings.
 */
#ifndef WEIR_SRC_JSON_STATUS_H
#define WEIR_SRC_JSON_STATUS_H

#include <weir/otlp_response.h>

#define STATUS_RETRY_INFO "type.googleapis.com/google.rpc.RetryInfo"
#define STATUS_NS_PER_SECOND 1000000000

/* As weir_status_encode and weir_status_decode, for one encoding. */
bool status_to_protobuf(const struct weir_rpc_status *status, struct weir_buffer *out);
int status_from_protobuf(const void *data, size_t length, struct weir_arena *arena, struct weir_rpc_status *out,
                         struct weir_error *error);
bool status_to_json(const struct weir_rpc_status *status, struct weir_buffer *out);
int status_from_json(const void *data, size_t length, struct weir_arena *arena, struct weir_rpc_status *out,
                     struct weir_error *error);

/* A delay of whole seconds and nanoseconds; what is negative becomes 0, what is too long the longest there is. */
int64_t status_delay(int64_t seconds, int64_t nanos);

/* True if the bytes are a sequence of whole protobuf fields without groups: fit to be shown to protobuf-c. */
bool status_is_framed(struct weir_str bytes);

#endif
