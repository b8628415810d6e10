// SPDX-License-Identifier: Apache-2.0
/*
 * Receiving into memory that a request can keep.
 */
#include <config.h>

#include "sdk/src/base/buffer.h"
#include "sdk/src/http/inbox.h"

#define SIZE_MIN ((size_t)16 << 10)
#define SIZE_FIRST ((size_t)64 << 10)
/* Requests after which sizes of before no longer count. */
#define WINDOW 64

uint8_t *inbox_room(struct inbox *inbox, size_t *length)
{
    if (!inbox->buffer) {
        inbox->buffer = weir_buffer_new(inbox->size ? inbox->size : SIZE_FIRST);
        inbox->taken = false;
    }
    if (!inbox->buffer)
        return NULL;
    *length = inbox->buffer->capacity;
    return inbox->buffer->data;
}

struct weir_buffer *inbox_take(struct inbox *inbox, const uint8_t *bytes, size_t length)
{
    struct weir_buffer *buffer = inbox->buffer;
    if (!buffer || inbox->taken || length < buffer->capacity / 2 || length > buffer->capacity)
        return NULL;
    uintptr_t start = (uintptr_t)buffer->data, at = (uintptr_t)bytes;
    if (at < start || at - start > buffer->capacity - length)
        return NULL;
    inbox->taken = true;
    buffer_narrow(buffer, bytes, length);
    return weir_buffer_ref(buffer);
}

void inbox_settle(struct inbox *inbox)
{
    if (!inbox->taken && (!inbox->buffer || inbox->size == 0 || inbox->buffer->capacity == inbox->size))
        return;
    weir_buffer_unref(inbox->buffer);
    inbox->buffer = NULL;
    inbox->taken = false;
}

void inbox_saw(struct inbox *inbox, uint64_t size)
{
    // An eighth more, in steps, so that small differences do not matter. Beyond the largest inbox, what a first read
    // does not take is received into a buffer of its own.
    size_t wanted = size > WEIR_BUFFER_WHOLE ? SIZE_FIRST : ((size_t)size + (size_t)size / 8 + 4095) & ~(size_t)4095;
    if (wanted > WEIR_BUFFER_WHOLE)
        wanted = WEIR_BUFFER_WHOLE;
    if (wanted < SIZE_MIN)
        wanted = SIZE_MIN;
    if (wanted > inbox->largest)
        inbox->largest = wanted;
    inbox->seen++;
    if (inbox->seen == WINDOW || inbox->largest > inbox->size)
        inbox->size = inbox->largest;
    if (inbox->seen == WINDOW)
        inbox->seen = inbox->largest = 0;
}

void inbox_free(struct inbox *inbox)
{
    weir_buffer_unref(inbox->buffer);
    *inbox = (struct inbox){ .buffer = NULL };
}
