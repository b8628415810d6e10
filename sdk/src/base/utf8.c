// SPDX-License-Identifier: Apache-2.0
/*
 * Validation of UTF-8.
 */
#include <config.h>

#include <string.h>

#include <weir/str.h>

#include "sdk/src/base/utf8.h"

static bool continues(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

size_t utf8_sequence(const unsigned char *data, size_t length)
{
    unsigned char lead = data[0];
    if (lead < 0x80)
        return 1;
    // RFC 3629 section 4: the lead byte decides the length and the range of the second byte.
    unsigned char low = 0x80, high = 0xbf;
    size_t need;
    if (lead >= 0xc2 && lead <= 0xdf) {
        need = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        need = 3;
        if (lead == 0xe0)
            low = 0xa0; // shorter ones are overlong
        else if (lead == 0xed)
            high = 0x9f; // above are surrogates
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        need = 4;
        if (lead == 0xf0)
            low = 0x90;
        else if (lead == 0xf4)
            high = 0x8f; // above U+10FFFF
    } else {
        return 0;
    }
    if (length < need || data[1] < low || data[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++)
        if (!continues(data[i]))
            return 0;
    return need;
}

bool weir_utf8_valid(const char *data, size_t length)
{
    const unsigned char *at = (const unsigned char *)data;
    size_t left = length;
    while (left > 0) {
        // Nearly everything in telemetry is ASCII: eight bytes at a time.
        while (left >= 8) {
            uint64_t word;
            memcpy(&word, at, sizeof(word));
            if (word & 0x8080808080808080)
                break;
            at += 8;
            left -= 8;
        }
        if (left == 0)
            break;
        size_t step = utf8_sequence(at, left);
        if (step == 0)
            return false;
        at += step;
        left -= step;
    }
    return true;
}
