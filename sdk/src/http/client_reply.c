// SPDX-License-Identifier: Apache-2.0
/*
 * A response as it is received: headers and the first part of the body.
 */
#include <config.h>

#include <stdlib.h>
#include <time.h>

#include "sdk/src/http/client.h"

#define SECOND ((int64_t)1000000000)

void weir_http_reply_free(struct weir_http_reply *reply)
{
    headers_free(&reply->headers);
    weir_buffer_unref(reply->body);
    *reply = (struct weir_http_reply){ 0 };
}

bool weir_http_reply_add(struct weir_http_reply *reply, struct weir_str name, struct weir_str value)
{
    size_t size = HEADER_OVERHEAD;
    if (!weir_size_add(size, name.length, &size) || !weir_size_add(size, value.length, &size) ||
        !weir_size_add(size, reply->headers.bytes, &size) || size > WEIR_HTTP_REPLY_HEADERS_MAX)
        return false;
    return headers_add(&reply->headers, name, value);
}

static bool is_success(const struct weir_http_reply *reply)
{
    return reply->status >= 200 && reply->status < 300;
}

void weir_http_reply_begin(struct weir_http_call *call, int status)
{
    call->reply.status = status;
    if (call->request->begun && is_success(&call->reply))
        call->request->begun(call->request);
}

enum weir_http_take weir_http_reply_body(struct weir_http_call *call, const void *data, size_t length)
{
    struct weir_http_reply *reply = &call->reply;
    if (call->request->piece && is_success(reply)) {
        reply->truncated = length > 0 && !call->request->piece(call->request, weir_str_make(data, length));
        return reply->truncated ? WEIR_HTTP_FULL : WEIR_HTTP_TAKEN;
    }
    if (!reply->body && !(reply->body = weir_buffer_new(length < 4096 ? length : 4096)))
        return WEIR_HTTP_NO_MEMORY;
    size_t room = WEIR_HTTP_RESPONSE_BODY_MAX - reply->body->length;
    if (!weir_buffer_append(reply->body, data, length < room ? length : room))
        return WEIR_HTTP_NO_MEMORY;
    if (length > room)
        reply->truncated = true;
    return reply->truncated ? WEIR_HTTP_FULL : WEIR_HTTP_TAKEN;
}

struct weir_str weir_http_response_header(const struct weir_http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (weir_str_equal_nocase(response->headers[i].name, weir_str_of(name)))
            return response->headers[i].value;
    return WEIR_STR_NONE;
}

int64_t weir_http_retry_after(const struct weir_http_response *response)
{
    struct weir_str text = weir_str_trim(weir_http_response_header(response, "retry-after"));
    uint64_t seconds;
    if (response->status != 429 && response->status != 503)
        return 0;
    if (weir_str_to_u64(text, &seconds))
        return seconds < INT64_MAX / SECOND ? (int64_t)seconds * SECOND : INT64_MAX;
    struct tm date = { 0 };
    char *copy = weir_str_dup(text);
    const char *end = strptime(copy, "%a, %d %b %Y %H:%M:%S GMT", &date);
    int64_t wait = end && *end == '\0' ? (int64_t)timegm(&date) * SECOND - weir_wall_clock() : 0;
    free(copy);
    return wait > 0 ? wait : 0;
}
