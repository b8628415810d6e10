// SPDX-License-Identifier: Apache-2.0
/*
 * The parts of the protobuf cursor that are too long to be inline.
 */
#include <config.h>

#include <weir/wire.h>

bool weir_cursor_long_varint(struct weir_cursor *cursor, uint64_t *out)
{
    const uint8_t *at = cursor->at;
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && at < cursor->end; shift += 7) {
        uint8_t byte = *at++;
        value |= (uint64_t)(byte & 0x7f) << shift; /* the tenth byte gives one bit, the rest falls off */
        if (byte < 0x80) {
            *out = value;
            cursor->at = at;
            return true;
        }
    }
    return false;
}

bool weir_cursor_skip(struct weir_cursor *cursor, enum weir_wire_type type)
{
    uint64_t number;
    struct weir_str bytes;
    switch (type) {
    case WEIR_WIRE_VARINT:
        return weir_cursor_varint(cursor, &number);
    case WEIR_WIRE_FIXED64:
        return weir_cursor_take(cursor, 8, &bytes);
    case WEIR_WIRE_BYTES:
        return weir_cursor_bytes(cursor, &bytes);
    case WEIR_WIRE_FIXED32:
        return weir_cursor_take(cursor, 4, &bytes);
    case WEIR_WIRE_GROUP_START:
    case WEIR_WIRE_GROUP_END:
        break;
    }
    return false;
}
