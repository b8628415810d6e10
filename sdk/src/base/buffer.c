// SPDX-License-Identifier: Apache-2.0
/*
 * Reference-counted bytes.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "sdk/src/base/buffer.h"

/* Up to WEIR_BUFFER_WHOLE the bytes stand behind the structure, in one piece of memory with it. They are wasted once
 * the buffer outgrows them. */
struct memory {
    _Alignas(16) struct weir_buffer buffer;
    bool whole;
};

static struct memory *memory_of(struct weir_buffer *buffer)
{
    return WEIR_CONTAINER_OF(buffer, struct memory, buffer);
}

struct weir_buffer *weir_buffer_new(size_t capacity)
{
    bool whole = capacity <= WEIR_BUFFER_WHOLE;
    struct memory *memory = malloc(sizeof(*memory) + (whole ? capacity : 0));
    if (!memory)
        return NULL;
    uint8_t *data = capacity == 0 ? NULL : whole ? (uint8_t *)(memory + 1) : malloc(capacity);
    if (capacity > 0 && !data) {
        free(memory);
        return NULL;
    }
    *memory = (struct memory){ { data, 0, capacity, 1 }, whole };
    return &memory->buffer;
}

void buffer_narrow(struct weir_buffer *buffer, const uint8_t *data, size_t length)
{
    size_t offset = (size_t)(data - buffer->data);
    buffer->data += offset;
    buffer->capacity -= offset;
    buffer->length = length;
}

struct weir_buffer *weir_buffer_copy(const void *data, size_t length)
{
    struct weir_buffer *buffer = weir_buffer_new(length);
    if (buffer && length > 0) {
        memcpy(buffer->data, data, length);
        buffer->length = length;
    }
    return buffer;
}

struct weir_buffer *weir_buffer_ref(struct weir_buffer *buffer)
{
    __atomic_add_fetch(&buffer->references, 1, __ATOMIC_RELAXED);
    return buffer;
}

void weir_buffer_unref(struct weir_buffer *buffer)
{
    // Release: this thread's reads come before the free(); acquire: so do everybody else's.
    if (!buffer || __atomic_sub_fetch(&buffer->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    struct memory *memory = memory_of(buffer);
    if (!memory->whole)
        free(buffer->data);
    free(memory);
}

bool weir_buffer_reserve(struct weir_buffer *buffer, size_t more)
{
    size_t need, capacity;
    if (!weir_size_add(buffer->length, more, &need))
        return false;
    if (need <= buffer->capacity)
        return true;
    if (!weir_size_mul(buffer->capacity, 2, &capacity) || capacity < need)
        capacity = need;
    struct memory *memory = memory_of(buffer);
    uint8_t *data = realloc(memory->whole ? NULL : buffer->data, capacity);
    if (!data)
        return false;
    if (memory->whole && buffer->length > 0)
        memcpy(data, buffer->data, buffer->length);
    memory->whole = false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool weir_buffer_append(struct weir_buffer *buffer, const void *data, size_t length)
{
    if (!weir_buffer_reserve(buffer, length))
        return false;
    if (length > 0)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    return true;
}
