// SPDX-License-Identifier: Apache-2.0
/*
 * The short way through what nearly all fields are: length-delimited, with a key of one byte and a length of one or two.
 */
#ifndef WEIR_OTLP_BYTES_H
#define WEIR_OTLP_BYTES_H

#include <weir/wire.h>

/* The payload of such a field at `p`, all of it before `end`, with its length; NULL if the field is none such. */
static inline const uint8_t *otlp_short_bytes(const uint8_t *p, const uint8_t *end, size_t *length)
{
    if (end - p < 3 || p[0] < 8 || (p[0] & 0x87) != WEIR_WIRE_BYTES)
        return NULL;
    size_t size = p[1];
    p += 2;
    if (size >= 0x80) {
        size = (size & 0x7f) | (size_t)*p << 7;
        if (*p++ >= 0x80)
            return NULL;
    }
    if (size > (size_t)(end - p))
        return NULL;
    *length = size;
    return p;
}

#endif
