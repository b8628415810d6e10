// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP/JSON (OTLP specification: "JSON Protobuf Encoding"), to and from a batch.
 */
#ifndef WEIR_OTLP_JSON_H
#define WEIR_OTLP_JSON_H

#include <weir/batch.h>

WEIR_BEGIN

/*
 * A batch from one JSON export request of `signal`; `{}` is an empty batch. Lenient where upstream is: keys in camel
 * or snake case, enums as numbers or names, integers and doubles as numbers or strings, unknown keys skipped, null as
 * unset; a key given twice: the last one counts, lists are joined. All else is checked, and refused with `error` set to
 * what is wrong and at which byte. Profiles are refused: they have no JSON form here. The bytes are not needed
 * afterwards. NULL when refused or memory is out. Any thread.
 */
WEIR_EXPORT struct weir_batch *weir_batch_from_json(enum weir_signal signal, const void *data, size_t length,
                                                    struct weir_error *error) WEIR_MUST_USE;

/*
 * Appends the batch to `out` as one JSON object on one line, without a newline: keys in the order of the .proto files,
 * zero values left out except resource, scope, status, body, attribute values and exponential buckets, as upstream
 * writes it. false, with `out` as it was and `error` set, when memory is out, or for a profiles batch. Owner's worker.
 */
WEIR_EXPORT bool weir_batch_to_json(struct weir_batch *batch, struct weir_buffer *out,
                                    struct weir_error *error) WEIR_MUST_USE;

WEIR_END

#endif
