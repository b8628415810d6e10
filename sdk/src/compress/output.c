// SPDX-License-Identifier: Apache-2.0
/* Output that grows up to a cap, with leave asked before each step. */
#include <config.h>

#include "sdk/src/compress/codec.h"

#define FIRST_STEP ((size_t)4096)
#define FREE_OUTPUT ((size_t)65536)

static size_t cap_of(const struct weir_inflate_limits *limits, size_t in_length)
{
    size_t cap = limits->max_output, by_ratio = 0;
    if (limits->max_ratio == 0 || !weir_size_mul(in_length, limits->max_ratio, &by_ratio))
        return cap;
    if (by_ratio < FREE_OUTPUT)
        by_ratio = FREE_OUTPUT;
    return by_ratio < cap ? by_ratio : cap;
}

static enum weir_inflate_status grow(struct output *output, size_t more)
{
    const struct weir_inflate_limits *limits = output->limits;
    if (limits->grow && !limits->grow(limits->user, more))
        return WEIR_INFLATE_REFUSED;
    return weir_buffer_reserve(output->buffer, more) ? WEIR_INFLATE_OK : WEIR_INFLATE_FAILED;
}

enum weir_inflate_status output_start(struct output *output, const struct weir_inflate_limits *limits,
                                      size_t in_length, size_t guess)
{
    output->limits = limits;
    output->cap = cap_of(limits, in_length);
    if (guess > output->cap)
        guess = output->cap;
    if (guess > 0 && limits->grow && !limits->grow(limits->user, guess + 1))
        return WEIR_INFLATE_REFUSED;
    output->buffer = weir_buffer_new(guess + 1); // at least a place to point to
    return output->buffer ? WEIR_INFLATE_OK : WEIR_INFLATE_FAILED;
}

enum weir_inflate_status output_need(struct output *output, size_t need, uint8_t **place)
{
    struct weir_buffer *buffer = output->buffer;
    if (need > output->cap - (buffer->length < output->cap ? buffer->length : output->cap))
        return WEIR_INFLATE_TOO_LARGE;
    if (buffer->capacity - buffer->length < need) {
        enum weir_inflate_status status = grow(output, need);
        if (status != WEIR_INFLATE_OK)
            return status;
    }
    *place = buffer->data + buffer->length;
    return WEIR_INFLATE_OK;
}

enum weir_inflate_status output_room(struct output *output, uint8_t **place, size_t *room)
{
    struct weir_buffer *buffer = output->buffer;
    if (buffer->length > output->cap)
        return WEIR_INFLATE_TOO_LARGE;
    size_t left = output->cap - buffer->length; /* one byte more may come and be noticed */
    if (buffer->capacity == buffer->length) {
        size_t step = buffer->length < FIRST_STEP ? FIRST_STEP : buffer->length;
        if (step > left)
            step = left + 1;
        enum weir_inflate_status status = grow(output, step);
        if (status != WEIR_INFLATE_OK)
            return status;
    }
    *place = buffer->data + buffer->length;
    *room = buffer->capacity - buffer->length;
    if (*room > left && *room - left > 1)
        *room = left + 1;
    return WEIR_INFLATE_OK;
}
