// SPDX-License-Identifier: Apache-2.0
/*
 * What a record of the queue on disk holds: upstream's envelope (collector-core 5.3; pdata/xpdata/request), that is a
 * protobuf message {format_version fixed32 = 1, request_context = 2, data = 3} around the request's own bytes. A record
 * without the version in front is the bare request.
 */
#ifndef WEIR_SENDER_DISK_RECORD_H
#define WEIR_SENDER_DISK_RECORD_H

#include <weir/batch.h>

/* Puts the batch and what is known of its request into `out` (empty), the batch's bytes as slices. False when memory is
 * out. The batch's worker. */
bool disk_record_encode(struct weir_batch *batch, struct weir_slices *out);

/* The batch in `length` bytes at `data`, which `buffer` holds, with its context. NULL with `error` set: they are no
 * record, or memory is out. Any thread. */
struct weir_batch *disk_record_decode(enum weir_signal signal, struct weir_buffer *buffer, const uint8_t *data,
                                      size_t length, struct weir_error *error);

#endif
