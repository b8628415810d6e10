// SPDX-License-Identifier: Apache-2.0
/*
 * Batches from bytes and back, and the same telemetry by way of structs. What fails ends the test.
 */
#ifndef WEIR_OTLP_TESTS_BATCHES_H
#define WEIR_OTLP_TESTS_BATCHES_H

#include "sdk/src/otlp/tests/oracle.h"

/* NULL if the bytes are refused. */
struct weir_batch *batch_try(enum weir_signal signal, const void *data, size_t length,
                             struct weir_error *error);
struct weir_batch *batch_of(enum weir_signal signal, const void *data, size_t length);

/* The encoded request in one piece, whose size is checked. */
struct weir_buffer *batch_bytes(struct weir_batch *batch);

/* Ends the process unless the other codec reads the same from both. */
void batch_same_as(struct weir_batch *batch, const void *data, size_t length);
void batch_same(struct weir_batch *batch, struct weir_batch *other);

/* What the other codec finds in the batch. */
struct oracle_items batch_items(struct weir_batch *batch);

/* Asks for every struct there is. */
void batch_walk(struct weir_batch *batch);

/* Opens every `every`th node for editing, and changes nothing. */
void batch_touch(struct weir_batch *batch, struct oracle_random *random, size_t every);

/* A batch made of structs with what the request has. */
struct weir_batch *batch_make(enum weir_signal signal, ProtobufCMessage *request);

#endif
