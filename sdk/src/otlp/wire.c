// SPDX-License-Identifier: Apache-2.0
/*
 * The part of the protobuf cursor that is too long to be inline.
 */
#include <config.h>

#include <weir/wire.h>

const uint8_t *weir_wire_varint(const uint8_t *at, const uint8_t *end, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && at < end; shift += 7) {
        uint8_t byte = *at++;
        value |= (uint64_t)(byte & 0x7f) << shift; /* the tenth byte gives one bit, the rest falls off */
        if (byte < 0x80) {
            *out = value;
            return at;
        }
    }
    return NULL;
}
