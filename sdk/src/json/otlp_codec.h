// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP/JSON to OTLP protobuf and back, on bytes.
 */
#ifndef WEIR_SRC_JSON_OTLP_CODEC_H
#define WEIR_SRC_JSON_OTLP_CODEC_H

#include <weir/buffer.h>
#include <weir/error.h>

#include "sdk/src/otlp/validate.h"

/* The protobuf form of one JSON export request, in a new buffer; NULL with `error` set. It is what otlp_validate takes, and
 * *out is what that would say of it, but that `unusual` may be set where nothing is. Any thread. */
struct weir_buffer *otlp_json_to_protobuf(enum weir_signal signal, const void *data, size_t length,
                                          struct otlp_summary *out, struct weir_error *error);

/* Appends the JSON form of one protobuf export request; false with `error` set, and `out` as it was, when the bytes are
 * none or memory is out. Any thread. */
bool otlp_protobuf_to_json(enum weir_signal signal, const void *data, size_t length, struct weir_buffer *out,
                           struct weir_error *error);

#endif
