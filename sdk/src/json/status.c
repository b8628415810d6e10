// SPDX-License-Identifier: Apache-2.0
/*
 * google.rpc.Status: which encoding, and which code where an answer has none.
 */
#include <config.h>

#include <weir/flow.h>

#include "sdk/src/json/status.h"

bool weir_status_encode(enum weir_otlp_format format, int32_t code, struct weir_str message, int64_t retry_delay_ns,
                        struct weir_buffer *out)
{
    struct weir_rpc_status status = { code, message, retry_delay_ns };
    return format == WEIR_OTLP_JSON ? status_to_json(&status, out) : status_to_protobuf(&status, out);
}

int weir_status_decode(enum weir_otlp_format format, const void *data, size_t length, struct weir_arena *arena,
                       struct weir_rpc_status *out, struct weir_error *error)
{
    return format == WEIR_OTLP_JSON ? status_from_json(data, length, arena, out, error)
                                    : status_from_protobuf(data, length, arena, out, error);
}

int64_t status_delay(int64_t seconds, int64_t nanos)
{
    int64_t delay;
    if (seconds < 0 || nanos < 0)
        return 0;
    if (__builtin_mul_overflow(seconds, (int64_t)STATUS_NS_PER_SECOND, &delay) ||
        __builtin_add_overflow(delay, nanos, &delay))
        return INT64_MAX;
    return delay;
}

int weir_status_code_of_http(int http_status)
{
    switch (http_status) {
    case 400:
        return WEIR_GRPC_INVALID_ARGUMENT;
    case 401:
        return WEIR_GRPC_UNAUTHENTICATED;
    case 403:
        return WEIR_GRPC_PERMISSION_DENIED;
    case 404:
        return WEIR_GRPC_UNIMPLEMENTED;
    case 429:
        return WEIR_GRPC_RESOURCE_EXHAUSTED;
    case 502:
    case 503:
    case 504:
        return WEIR_GRPC_UNAVAILABLE;
    default:
        return WEIR_GRPC_UNKNOWN;
    }
}
