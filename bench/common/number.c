// SPDX-License-Identifier: Apache-2.0
/*
 * Item numbers and their checksums.
 */
#include <config.h>

#include <isa-l/crc.h>

#include "bench/common/number.h"

static uint32_t add(uint32_t crc, const char *data, size_t length)
{
    static const unsigned char end[1] = { 0 };
    crc = crc32_gzip_refl(crc, (const unsigned char *)data, length);
    return crc32_gzip_refl(crc, end, 1);
}

uint32_t number_base(struct weir_str run, struct weir_str producer)
{
    return add(add(0, run.data, run.length), producer.data, producer.length);
}

uint32_t number_crc(uint32_t base, const char *digits, struct weir_str text)
{
    return add(add(base, digits, NUMBER_SEQ_DIGITS), text.data, text.length);
}

void number_print(uint64_t value, char *out, size_t digits)
{
    while (digits > 0) {
        out[--digits] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
}

bool number_parse(struct weir_str text, size_t digits, uint64_t *out)
{
    uint64_t value = 0;
    if (text.length != digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        char c = text.data[i];
        bool digit = c >= '0' && c <= '9';
        if (!digit && !(c >= 'a' && c <= 'f'))
            return false;
        value = value << 4 | (uint64_t)(digit ? c - '0' : c - 'a' + 10);
    }
    *out = value;
    return true;
}
