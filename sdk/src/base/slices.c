// SPDX-License-Identifier: Apache-2.0
/*
 * Lists of byte ranges for writev.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/buffer.h>

static bool grow(struct weir_slices *slices)
{
    size_t capacity, bytes;
    if (!weir_size_mul(slices->capacity ? slices->capacity : 4, 2, &capacity) ||
        !weir_size_mul(capacity, sizeof(*slices->ranges) + sizeof(*slices->buffers), &bytes))
        return false;
    // One block: the ranges, and the buffers behind them.
    struct iovec *ranges = malloc(bytes);
    if (!ranges)
        return false;
    struct weir_buffer **buffers = (struct weir_buffer **)(ranges + capacity);
    if (slices->count > 0) {
        memcpy(ranges, slices->ranges, slices->count * sizeof(*ranges));
        memcpy(buffers, slices->buffers, slices->count * sizeof(struct weir_buffer *));
    }
    free(slices->ranges);
    slices->ranges = ranges;
    slices->buffers = buffers;
    slices->capacity = capacity;
    return true;
}

bool weir_slices_add(struct weir_slices *slices, struct weir_buffer *buffer, const void *data,
                     size_t length)
{
    size_t bytes;
    if (length == 0)
        return true;
    if (!weir_size_add(slices->bytes, length, &bytes))
        return false;
    if (slices->count == slices->capacity && !grow(slices))
        return false;
    // writev() only reads, though struct iovec cannot say so.
    slices->ranges[slices->count] =
        (struct iovec){ .iov_base = (void *)(uintptr_t)data, .iov_len = length };
    slices->buffers[slices->count] = buffer ? weir_buffer_ref(buffer) : NULL;
    slices->count++;
    slices->bytes = bytes;
    return true;
}

void weir_slices_copy(const struct weir_slices *slices, void *out)
{
    uint8_t *at = out;
    for (size_t i = 0; i < slices->count; i++) {
        memcpy(at, slices->ranges[i].iov_base, slices->ranges[i].iov_len);
        at += slices->ranges[i].iov_len;
    }
}

struct weir_buffer *weir_slices_join(const struct weir_slices *slices)
{
    struct weir_buffer *buffer = weir_buffer_new(slices->bytes);
    if (!buffer)
        return NULL;
    weir_slices_copy(slices, buffer->data);
    buffer->length = slices->bytes;
    return buffer;
}

void weir_slices_clear(struct weir_slices *slices)
{
    for (size_t i = 0; i < slices->count; i++)
        weir_buffer_unref(slices->buffers[i]);
    slices->count = 0;
    slices->bytes = 0;
}

void weir_slices_free(struct weir_slices *slices)
{
    weir_slices_clear(slices);
    free(slices->ranges);
    *slices = (struct weir_slices){ NULL, NULL, 0, 0, 0 };
}
