// SPDX-License-Identifier: Apache-2.0
/*
 * Status codes of gRPC, and how they and their texts travel in headers (PROTOCOL-HTTP2.md,
 * http-grpc-status-mapping.md).
 */
#include <config.h>

#include <stdio.h>

#include "sdk/src/base/encoding.h"
#include "sdk/src/grpc/client.h"

const char *weir_grpc_code_name(int code)
{
    static const char *const names[] = {
        "OK",       "Canceled",        "Unknown",          "InvalidArgument",   "DeadlineExceeded",
        "NotFound", "AlreadyExists",   "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
        "Aborted",  "OutOfRange",      "Unimplemented",    "Internal",          "Unavailable",
        "DataLoss", "Unauthenticated",
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

struct weir_buffer *weir_grpc_base64_decode(struct weir_str text)
{
    /* Padding is optional, and tolerated where it is wrong. */
    while (text.length > 0 && text.data[text.length - 1] == '=')
        text.length--;
    struct weir_buffer *out = weir_buffer_new(BASE64_DECODED_ROOM(text.length));
    if (out && !base64_decode(text, out->data, &out->length)) {
        weir_buffer_unref(out);
        return NULL;
    }
    return out;
}

void weir_grpc_timeout_print(int64_t ns, char out[24])
{
    static const struct {
        int64_t ns;
        char unit;
    } units[] = { { 1, 'n' },          { 1000, 'u' },        { 1000000, 'm' },
                  { 1000000000, 'S' }, { 60000000000, 'M' }, { 3600000000000, 'H' } };
    size_t unit = 0;
    /* Rounded up: the peer must not give up before we do. */
    while (unit + 1 < WEIR_ARRAY_LENGTH(units) && (ns - 1) / units[unit].ns + 1 > 99999999)
        unit++;
    snprintf(out, 24, "%lld%c", (long long)((ns - 1) / units[unit].ns + 1), units[unit].unit);
}
