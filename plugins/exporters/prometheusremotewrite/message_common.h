// SPDX-License-Identifier: Apache-2.0
/*
 * What the messages of both versions have in common.
 */
#ifndef PROMETHEUSREMOTEWRITE_MESSAGE_COMMON_H
#define PROMETHEUSREMOTEWRITE_MESSAGE_COMMON_H

#include <weir/buffer.h>

#include "plugins/exporters/prometheusremotewrite/series.h"
#include "prompb.pb-c.h"

static inline ProtobufCBinaryData bytes_of(struct weir_str text)
{
    return (ProtobufCBinaryData){ .len = text.length, .data = (uint8_t *)(uintptr_t)text.data };
}

/* `count` pointers to as many messages of `size` bytes behind each other; NULL when memory is out. */
void *prw_pointers(struct weir_arena *arena, void *messages, size_t count, size_t size);

/* The native histograms among the samples; *count is their number. With `start`, their start is told. False when memory is
 * out. */
bool prw_histograms(const struct series *series, bool start, struct weir_arena *arena, Prompb__Histogram ***out,
                    size_t *count);

/* The message as it goes into a list of field number 1 to 15, in bytes. */
size_t prw_listed_size(const ProtobufCMessage *message);

struct weir_buffer *prw_pack(const ProtobufCMessage *message);

#endif
