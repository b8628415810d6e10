// SPDX-License-Identifier: Apache-2.0
/*
 * How results become statuses of gRPC and HTTP (collector-core 4.4).
 */
#include <config.h>

#include "plugins/receivers/otlp/receiver.h"

static int http_of_code(int code)
{
    switch (code) {
    case WEIR_GRPC_CANCELLED:
    case WEIR_GRPC_DEADLINE_EXCEEDED:
    case WEIR_GRPC_ABORTED:
    case WEIR_GRPC_OUT_OF_RANGE:
    case WEIR_GRPC_UNAVAILABLE:
    case WEIR_GRPC_DATA_LOSS:
        return 503;
    case WEIR_GRPC_RESOURCE_EXHAUSTED:
        return 429;
    case WEIR_GRPC_INVALID_ARGUMENT:
        return 400;
    case WEIR_GRPC_UNAUTHENTICATED:
        return 401;
    case WEIR_GRPC_PERMISSION_DENIED:
        return 403;
    case WEIR_GRPC_UNIMPLEMENTED:
        return 404;
    default:
        return 500;
    }
}

struct otlp_answer otlp_answer_of(const struct weir_result *result)
{
    struct otlp_answer answer = {
        .code = result->grpc_code,
        .retry_delay = result->retry_after > 0 ? result->retry_after : WEIR_NO_RETRY_DELAY,
        .message = result->reason ? result->reason : "",
    };
    if (answer.code == WEIR_GRPC_OK)
        answer.code = result->outcome == WEIR_PERMANENT ? WEIR_GRPC_INTERNAL : WEIR_GRPC_UNAVAILABLE;
    answer.http_status = http_of_code(answer.code);
    return answer;
}
