// SPDX-License-Identifier: Apache-2.0
/*
 * From the bytes of one message to its struct, with strings that point into the bytes and arrays from an
 * arena.
 *
 * Each function reads `bytes`, which were validated, on top of what *out holds, as protobuf merges messages;
 * start from zeros. false when memory is out.
 */
#ifndef WEIR_OTLP_DECODE_H
#define WEIR_OTLP_DECODE_H

#include <weir/telemetry.h>

bool otlp_decode_value(struct weir_arena *arena, struct weir_str bytes, struct weir_value *out);
bool otlp_decode_attribute(struct weir_arena *arena, struct weir_str bytes, struct weir_attribute *out);
bool otlp_decode_resource(struct weir_arena *arena, struct weir_str bytes, struct weir_resource *out);
bool otlp_decode_scope(struct weir_arena *arena, struct weir_str bytes, struct weir_scope *out);
bool otlp_decode_span(struct weir_arena *arena, struct weir_str bytes, struct weir_span *out);
bool otlp_decode_log_record(struct weir_arena *arena, struct weir_str bytes, struct weir_log_record *out);
bool otlp_decode_metric(struct weir_arena *arena, struct weir_str bytes, struct weir_metric *out);

#endif
