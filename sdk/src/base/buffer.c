// SPDX-License-Identifier: Apache-2.0
/*
 * Reference-counted bytes.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/buffer.h>

/* Up to this size the bytes stand behind the structure, in one piece of memory with it. It is wasted once the buffer
 * outgrows it. */
#define INSIDE_MAX ((size_t)64 << 10)

static uint8_t *inside(struct weir_buffer *buffer)
{
    return (uint8_t *)(buffer + 1);
}

struct weir_buffer *weir_buffer_new(size_t capacity)
{
    bool whole = capacity <= INSIDE_MAX;
    struct weir_buffer *buffer = malloc(sizeof(*buffer) + (whole ? capacity : 0));
    if (!buffer)
        return NULL;
    uint8_t *data = capacity == 0 ? NULL : whole ? inside(buffer) : malloc(capacity);
    if (capacity > 0 && !data) {
        free(buffer);
        return NULL;
    }
    *buffer = (struct weir_buffer){ data, 0, capacity, 1 };
    return buffer;
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
    if (buffer->data != inside(buffer))
        free(buffer->data);
    free(buffer);
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
    bool moves = buffer->data == inside(buffer);
    uint8_t *data = realloc(moves ? NULL : buffer->data, capacity);
    if (!data)
        return false;
    if (moves && buffer->length > 0)
        memcpy(data, buffer->data, buffer->length);
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
