// SPDX-License-Identifier: Apache-2.0
/*
 * Reference-counted bytes.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/buffer.h>

struct weir_buffer *weir_buffer_new(size_t capacity)
{
    struct weir_buffer *buffer = calloc(1, sizeof(*buffer));
    if (!buffer)
        return NULL;
    if (capacity > 0) {
        buffer->data = malloc(capacity);
        if (!buffer->data) {
            free(buffer);
            return NULL;
        }
        buffer->capacity = capacity;
    }
    buffer->references = 1;
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
    uint8_t *data = realloc(buffer->data, capacity);
    if (!data)
        return false;
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
