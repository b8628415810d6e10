// SPDX-License-Identifier: Apache-2.0
/*
 * A response as it is received: headers and the first part of the body.
 */
#include <config.h>

#include "sdk/src/http/client.h"

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

enum weir_http_take weir_http_reply_body(struct weir_http_reply *reply, const void *data, size_t length)
{
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
