// SPDX-License-Identifier: Apache-2.0
/*
 * Status codes of gRPC, and how they and their texts travel in headers (PROTOCOL-HTTP2.md,
 * http-grpc-status-mapping.md).
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "sdk/src/grpc/client.h"

const char *weir_grpc_code_name(int code)
{
    static const char *const names[] = {
        "OK",           "Canceled",         "Unknown",           "InvalidArgument",    "DeadlineExceeded",
        "NotFound",     "AlreadyExists",    "PermissionDenied",  "ResourceExhausted",  "FailedPrecondition",
        "Aborted",      "OutOfRange",       "Unimplemented",     "Internal",           "Unavailable",
        "DataLoss",     "Unauthenticated",
    };
    static _Thread_local char other[24];
    if (code >= 0 && (size_t)code < WEIR_ARRAY_LENGTH(names))
        return names[code];
    snprintf(other, sizeof other, "Code(%d)", code);
    return other;
}

int weir_grpc_code_of_http(unsigned status)
{
    switch (status) {
    case 400:
        return WEIR_GRPC_INTERNAL;
    case 401:
        return WEIR_GRPC_UNAUTHENTICATED;
    case 403:
        return WEIR_GRPC_PERMISSION_DENIED;
    case 404:
        return WEIR_GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return WEIR_GRPC_UNAVAILABLE;
    default:
        return WEIR_GRPC_UNKNOWN;
    }
}

int weir_grpc_code_of_h2(uint32_t error_code)
{
    switch (error_code) {
    case NGHTTP2_REFUSED_STREAM:
        return WEIR_GRPC_UNAVAILABLE;
    case NGHTTP2_CANCEL:
        return WEIR_GRPC_CANCELLED;
    case NGHTTP2_ENHANCE_YOUR_CALM:
    case NGHTTP2_FLOW_CONTROL_ERROR:
        return WEIR_GRPC_RESOURCE_EXHAUSTED;
    case NGHTTP2_INADEQUATE_SECURITY:
        return WEIR_GRPC_PERMISSION_DENIED;
    default:
        return WEIR_GRPC_INTERNAL;
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

char *weir_grpc_message_decode(struct weir_str text)
{
    char *out = weir_xmalloc(text.length + 1);
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        bool escape = text.data[i] == '%' && i + 2 < text.length && hex_value(text.data[i + 1]) >= 0 &&
                      hex_value(text.data[i + 2]) >= 0;
        char c = text.data[i];
        if (escape) {
            c = (char)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]));
            i += 2;
        }
        if (c != '\0')
            out[length++] = c;
    }
    out[length] = '\0';
    return out;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

struct weir_buffer *weir_grpc_base64_decode(struct weir_str text)
{
    while (text.length > 0 && text.data[text.length - 1] == '=')
        text.length--;
    struct weir_buffer *out = weir_buffer_new(text.length / 4 * 3 + 3);
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; out && i < text.length; i++) {
        int value = base64_value(text.data[i]);
        if (value < 0) {
            weir_buffer_unref(out);
            return NULL;
        }
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out->data[out->length++] = (uint8_t)(bits >> count);
        }
    }
    return out;
}

void weir_grpc_timeout_print(int64_t ns, char out[24])
{
    static const struct {
        int64_t ns;
        char unit;
    } units[] = { { 1, 'n' },          { 1000, 'u' },         { 1000000, 'm' },
                  { 1000000000, 'S' }, { 60000000000, 'M' }, { 3600000000000, 'H' } };
    size_t unit = 0;
    /* Rounded up: the peer must not give up before we do. */
    while (unit + 1 < WEIR_ARRAY_LENGTH(units) && (ns - 1) / units[unit].ns + 1 > 99999999)
        unit++;
    snprintf(out, 24, "%lld%c", (long long)((ns - 1) / units[unit].ns + 1), units[unit].unit);
}
