// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/1.1 as a client: one request, then its answer (RFC 9112).
 */
#include <config.h>

#include <http_parser.h>
#include <stdlib.h>

#include "sdk/src/http/client.h"

struct weir_http_h1 {
    struct weir_http_link *link;
    http_parser parser;
    struct weir_text name, value; /* the field that is being received */
    bool in_value;
    bool started;        /* a byte of the answer came */
    bool finished;       /* the answer is whole, or as much of it as is wanted */
    unsigned interim;    /* answers of 1xx so far */
    const char *refusal; /* why a callback stopped the parser */
};

static struct weir_http_call *call_of(http_parser *parser)
{
    struct weir_http_h1 *h1 = parser->data;
    return h1->link->call;
}

static int refuse(http_parser *parser, const char *why)
{
    struct weir_http_h1 *h1 = parser->data;
    h1->refusal = why;
    return 1;
}

static int end_field(http_parser *parser)
{
    struct weir_http_h1 *h1 = parser->data;
    if (!h1->in_value)
        return 0;
    h1->in_value = false;
    bool added = weir_http_reply_add(&call_of(parser)->reply, weir_text_view(&h1->name),
                                     weir_str_trim(weir_text_view(&h1->value)));
    weir_text_clear(&h1->name);
    weir_text_clear(&h1->value);
    return added ? 0 : refuse(parser, "server response headers exceeded 65536 bytes");
}

static int on_field(http_parser *parser, const char *data, size_t length)
{
    struct weir_http_h1 *h1 = parser->data;
    int result = end_field(parser);
    if (result)
        return result;
    if (h1->name.length + length > WEIR_HTTP_REPLY_HEADERS_MAX)
        return refuse(parser, "server response headers exceeded 65536 bytes");
    weir_text_add(&h1->name, data, length);
    return 0;
}

static int on_value(http_parser *parser, const char *data, size_t length)
{
    struct weir_http_h1 *h1 = parser->data;
    h1->in_value = true;
    if (h1->value.length + length > WEIR_HTTP_REPLY_HEADERS_MAX)
        return refuse(parser, "server response headers exceeded 65536 bytes");
    weir_text_add(&h1->value, data, length);
    return 0;
}

static int on_headers_complete(http_parser *parser)
{
    int result = end_field(parser);
    if (result)
        return result;
    if (parser->status_code == 101 || parser->status_code < 100)
        return refuse(parser, "unexpected status of the response");
    if (parser->status_code >= 200)
        weir_http_reply_begin(call_of(parser), (int)parser->status_code);
    return strcmp(call_of(parser)->request->method, "HEAD") == 0;
}

static int on_body(http_parser *parser, const char *data, size_t length)
{
    struct weir_http_h1 *h1 = parser->data;
    switch (weir_http_reply_body(call_of(parser), data, length)) {
    case WEIR_HTTP_NO_MEMORY:
        return refuse(parser, "out of memory");
    case WEIR_HTTP_FULL:
        h1->finished = true;
        http_parser_pause(parser, 1);
        return 0;
    case WEIR_HTTP_TAKEN:
        break;
    }
    return 0;
}

static int on_complete(http_parser *parser)
{
    struct weir_http_h1 *h1 = parser->data;
    if (parser->status_code < 200) { /* an interim answer: the real one follows */
        if (++h1->interim > WEIR_HTTP_INTERIM_MAX)
            return refuse(parser, "too many 1xx informational responses");
        weir_http_reply_free(&call_of(parser)->reply);
        return 0;
    }
    h1->finished = true;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

struct weir_http_h1 *weir_http_h1_new(struct weir_http_link *link)
{
    struct weir_http_h1 *h1 = weir_xcalloc(1, sizeof *h1);
    h1->link = link;
    return h1;
}

void weir_http_h1_free(struct weir_http_h1 *h1)
{
    if (!h1)
        return;
    weir_text_free(&h1->name);
    weir_text_free(&h1->value);
    free(h1);
}

void weir_http_h1_send(struct weir_http_h1 *h1, struct weir_http_call *call)
{
    http_parser_init(&h1->parser, HTTP_RESPONSE);
    h1->parser.data = h1;
    h1->started = false;
    h1->finished = false;
    h1->in_value = false;
    h1->interim = 0;
    h1->refusal = NULL;
    weir_text_clear(&h1->name);
    weir_text_clear(&h1->value);

    struct weir_text head = { 0 };
    weir_http_head_print(call, &head);
    weir_conn_write_copy(h1->link->conn, head.data, head.length);
    weir_text_free(&head);
    if (call->request->body.bytes > 0)
        weir_conn_write(h1->link->conn, &call->request->body);
}

bool weir_http_h1_answering(const struct weir_http_h1 *h1)
{
    return h1->started;
}

/* The answer is whole: the connection goes back, or away, and then the call ends. */
static void finish(struct weir_http_h1 *h1, bool reusable)
{
    struct weir_http_link *link = h1->link;
    struct weir_http_call *call = link->call;
    link->call = NULL;
    call->link = NULL;
    link->reused = true;
    if (reusable)
        weir_http_pool_ready(link);
    else
        weir_http_link_close(link, NULL);
    weir_http_call_complete(call);
}

void weir_http_h1_receive(struct weir_http_h1 *h1, const uint8_t *bytes, size_t length)
{
    struct weir_http_link *link = h1->link;
    if (!link->call) { /* nobody has asked */
        weir_http_link_close(link, NULL);
        return;
    }
    h1->started = true;
    size_t parsed = http_parser_execute(&h1->parser, &settings, (const char *)bytes, length);
    if (h1->finished) { /* paused right behind the last byte of the message */
        bool clean = parsed == length && weir_conn_queued(link->conn) == 0 && !link->call->reply.truncated;
        bool kept =
            http_should_keep_alive(&h1->parser) && !link->client->transport->options->disable_keep_alives;
        finish(h1, clean && kept);
        return;
    }
    if (h1->parser.http_errno != HPE_OK || h1->parser.upgrade) {
        const char *why = h1->refusal;
        if (!why)
            why = h1->parser.http_errno != HPE_OK
                      ? http_errno_description((enum http_errno)h1->parser.http_errno)
                      : "unexpected upgrade of the connection";
        char *reason = weir_xasprintf("malformed HTTP response: %s", why);
        weir_http_link_close(link, reason);
        free(reason);
    }
}

void weir_http_h1_ended(struct weir_http_h1 *h1)
{
    struct weir_http_link *link = h1->link;
    if (!link->call) {
        weir_http_link_close(link, NULL);
        return;
    }
    if (h1->started)
        http_parser_execute(&h1->parser, &settings, NULL, 0);
    if (h1->finished)
        finish(h1, false);
    else
        weir_http_link_close(link, "EOF");
}
