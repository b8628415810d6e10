// SPDX-License-Identifier: Apache-2.0
/*
 * Percent-encoding, base64 and timeouts of gRPC's headers.
 */
#include <config.h>

#include "sdk/src/base/encoding.h"
#include "sdk/src/grpc/text.h"

void grpc_message_encode(const char *message, struct weir_text *out)
{
    for (const unsigned char *at = (const unsigned char *)message; *at; at++) {
        if (*at >= 0x20 && *at <= 0x7e && *at != '%')
            weir_text_addc(out, (char)*at);
        else
            weir_text_addf(out, "%%%02X", *at);
    }
}

void grpc_binary_encode(const void *data, size_t length, struct weir_text *out)
{
    base64_add(out, weir_str_make(data, length), false);
}

bool grpc_timeout_parse(struct weir_str text, int64_t *out)
{
    static const struct {
        char unit;
        int64_t ns;
    } units[] = {
        { 'H', INT64_C(3600000000000) }, { 'M', INT64_C(60000000000) }, { 'S', INT64_C(1000000000) },
        { 'm', INT64_C(1000000) },       { 'u', INT64_C(1000) },        { 'n', INT64_C(1) },
    };
    uint64_t number = 0;
    if (text.length < 2 || text.length > 9 ||
        !weir_str_to_u64(weir_str_make(text.data, text.length - 1), &number))
        return false;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(units); i++) {
        if (text.data[text.length - 1] != units[i].unit)
            continue;
        // 8 digits of hours are more than 64 bits of nanoseconds: as good as for ever.
        if (__builtin_mul_overflow((int64_t)number, units[i].ns, out))
            *out = INT64_MAX;
        return true;
    }
    return false;
}
