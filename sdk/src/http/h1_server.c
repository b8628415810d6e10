// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/1.1 on a server's connection (RFC 9112): one request after the other, bodies received straight into
 * their buffers, what a client sends ahead kept until its turn.
 */
#include <config.h>

#include <http_parser.h>
#include <stdlib.h>

#include "sdk/src/http/server.h"
#include "sdk/src/net/cause.h"

/* Request line and headers, counted as struct headers does. */
#define HEAD_MAX (64 << 10)
/* Bytes that may come ahead while a request waits for its answer; then the connection is not read. */
#define AHEAD_MAX (64 << 10)
#define SECOND INT64_C(1000000000)
/* Bytes of answers that may wait for a client to read; then it gets no further ones. */
#define ANSWERS_MAX (64 << 10)
/* Ranges of an answer's body up to this size are copied behind its head. */
#define COPY_MAX 1024
/* Body bytes that are read and dropped behind an early answer, to keep the connection. */
#define DROP_MAX (256 << 10)

enum h1_state {
    H1_IDLE, /* no byte of the next request yet */
    H1_HEAD,
    H1_BODY,
    H1_WAIT, /* the request is whole */
};

struct h1_connection {
    struct server_peer peer;
    struct weir_http_server *server;
    struct weir_conn *conn;
    http_parser parser;
    enum h1_state state;
    bool first;                          /* the first request of the connection */
    struct weir_http_exchange *exchange; /* the current request until it is answered */
    bool answered;
    bool has_body;
    bool keep_alive;
    bool http_1_0;
    bool finished;     /* nothing more is read */
    bool ended;        /* the peer's side has ended */
    bool feeding;      /* the parser is at work further up the stack */
    bool unread;       /* the client has to read answers before it gets more */
    int refuse;        /* status for a head that cannot be served */
    size_t head_bytes; /* so far */
    struct weir_text url;
    struct weir_text name; /* of the header under way */
    struct weir_text value;
    bool in_value;
    int64_t started; /* when the first byte of the request came */
    int64_t headed;  /* when its headers were whole */
    int64_t body_by; /* when more of the body has to have come, where the configuration does not say */
    uint64_t dropped;
    struct weir_buffer *place; /* keeps what `room` gave valid */
    struct weir_text ahead;
};

/* --- deadlines --- */

static int64_t first_of(struct weir_duration a, struct weir_duration b, int64_t otherwise)
{
    return a.ns > 0 ? a.ns : b.ns > 0 ? b.ns : otherwise;
}

/* Bytes of a body came: it may go on for as long as they do. */
static void extend_body(struct h1_connection *h1, size_t bytes)
{
    int64_t latest = weir_conn_now(h1->conn) + GUARD_TIMEOUT;
    h1->body_by += (int64_t)bytes * (SECOND / GUARD_RATE);
    if (h1->body_by > latest)
        h1->body_by = latest;
}

static int64_t left_of(int64_t time, int64_t passed)
{
    return time > passed ? time - passed : 0;
}

static void set_deadline(struct h1_connection *h1)
{
    const struct weir_http_server_options *options =
        WEIR_CONTAINER_OF(h1->server->server.site, struct weir_http_site, site)->options;
    int64_t passed = weir_worker_now(h1->server->server.worker) - h1->started;
    int64_t delay = -1;
    switch (h1->state) {
    case H1_IDLE:
        if (!h1->first && weir_conn_queued(h1->conn) > 0) {
            // Not idle yet: the answer leaves, in the configured time or as long as the client reads.
            if (options->write_timeout.ns > 0)
                delay = left_of(options->write_timeout.ns, weir_conn_now(h1->conn) - h1->headed);
            break;
        }
        delay = h1->first ? first_of(options->read_header_timeout, options->read_timeout, GUARD_TIMEOUT)
                          : first_of(options->idle_timeout, options->read_timeout, IDLE_TIMEOUT);
        break;
    case H1_HEAD:
        delay = first_of(options->read_header_timeout, options->read_timeout, GUARD_TIMEOUT) - passed;
        break;
    case H1_BODY:
        delay = options->read_timeout.ns > 0 ? options->read_timeout.ns - passed
                                             : h1->body_by - weir_conn_now(h1->conn);
        break;
    case H1_WAIT:
        if (options->write_timeout.ns > 0)
            delay = options->write_timeout.ns;
        break;
    }
    bool arriving = h1->state == H1_HEAD || h1->state == H1_BODY;
    if (delay < 0 && arriving)
        delay = 0;
    // What does not come, or does not go on to arrive, must not hold up the end.
    bool quiescing = h1->server->server.quiescing;
    if (quiescing && arriving && delay > QUIESCE_TIMEOUT)
        delay = QUIESCE_TIMEOUT;
    if (quiescing && h1->state == H1_IDLE && delay > LINGER_TIMEOUT)
        delay = LINGER_TIMEOUT;
    weir_conn_set_deadline(h1->conn, delay);
}

/* --- the answer --- */

static void add_canonical(struct weir_text *text, struct weir_str name)
{
    size_t at = text->length;
    weir_text_add(text, name.data, name.length);
    for (bool start = true; at < text->length; at++) {
        char c = text->data[at];
        if (start && c >= 'a' && c <= 'z')
            text->data[at] = (char)(c - ('a' - 'A'));
        start = c == '-';
    }
}

/* No peer's bytes may break out of a header's line. */
static void add_value(struct weir_text *text, struct weir_str value)
{
    size_t at = text->length;
    weir_text_add(text, value.data, value.length);
    for (; at < text->length; at++) {
        char c = text->data[at];
        if (c == '\r' || c == '\n' || c == '\0')
            text->data[at] = ' ';
    }
}

static void add_status_line(struct weir_text *text, int status)
{
    const char digits[3] = { (char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10), (char)('0' + status % 10) };
    weir_text_adds(text, "HTTP/1.1 ");
    weir_text_add(text, digits, sizeof(digits));
    weir_text_add(text, " ", 1);
    weir_text_adds(text, weir_http_reason(status));
    weir_text_add(text, "\r\n", 2);
}

/* A small body goes with the head, in one piece. */
static void write_body(struct weir_conn *conn, struct weir_slices *body)
{
    for (size_t i = 0; i < body->count; i++) {
        const struct iovec *range = &body->ranges[i];
        if (body->buffers[i] && range->iov_len > COPY_MAX)
            weir_conn_write_range(conn, body->buffers[i], range->iov_base, range->iov_len);
        else
            weir_conn_write_copy(conn, range->iov_base, range->iov_len);
    }
}

static void stop_reading(struct h1_connection *h1)
{
    h1->finished = true;
    weir_conn_finish(h1->conn);
}

/* Whether the connection can serve another request behind an answer given now. */
static bool stays_open(const struct h1_connection *h1)
{
    if (!h1->keep_alive || h1->ended || h1->server->server.quiescing || h1->exchange->too_large)
        return false;
    if (h1->state == H1_WAIT)
        return true;
    const struct weir_http_exchange *exchange = h1->exchange;
    if (h1->state == H1_BODY && !h1->has_body)
        return true;
    return h1->state == H1_BODY && exchange->has_length && exchange->length <= DROP_MAX &&
           headers_get(&exchange->headers, "expect").length == 0;
}

static void feed_ahead(struct h1_connection *h1);

static void next_request(struct h1_connection *h1)
{
    if (!h1->keep_alive) {
        stop_reading(h1);
        return;
    }
    h1->state = H1_IDLE;
    h1->first = false;
    h1->answered = false;
    h1->dropped = 0;
    set_deadline(h1);
}

static void write_answer(struct weir_http_exchange *exchange, int status,
                         const struct weir_http_header *headers, size_t count, struct weir_slices *body)
{
    struct h1_connection *h1 = exchange->carrier;
    struct weir_text *text = &h1->server->head;
    h1->keep_alive = stays_open(h1);
    weir_text_clear(text);
    add_status_line(text, status);
    for (size_t i = 0; i < count; i++) {
        add_canonical(text, headers[i].name);
        weir_text_add(text, ": ", 2);
        add_value(text, headers[i].value);
        weir_text_add(text, "\r\n", 2);
    }
    if (!h1->keep_alive)
        weir_text_adds(text, "Connection: close\r\n");
    else if (h1->http_1_0)
        weir_text_adds(text, "Connection: keep-alive\r\n");
    weir_text_add(text, "\r\n", 2);
    weir_conn_write_copy(h1->conn, text->data, text->length);
    write_body(h1->conn, body);

    h1->exchange = NULL;
    h1->answered = true;
    if (!h1->keep_alive) {
        stop_reading(h1);
    } else if (h1->state == H1_WAIT) {
        next_request(h1);
        if (!h1->feeding)
            feed_ahead(h1);
    }
}

static const struct exchange_ops h1_ops = { write_answer };

/* Answers what is no request to a handler. */
static void refuse(struct h1_connection *h1, int status, const char *why)
{
    struct weir_text body = { .data = NULL };
    struct weir_text text = { .data = NULL };
    weir_text_addf(&body, "%d %s%s%s", status, weir_http_reason(status), *why ? ": " : "", why);
    weir_text_addf(&text,
                   "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
                   "Connection: close\r\n\r\n%s",
                   status, weir_http_reason(status), body.length, weir_text_string(&body));
    weir_conn_write_copy(h1->conn, text.data, text.length);
    weir_text_free(&text);
    weir_text_free(&body);
    struct weir_http_exchange *exchange = h1->exchange;
    h1->exchange = NULL;
    if (exchange)
        exchange_detach(exchange);
    stop_reading(h1);
}

/* --- the parser's callbacks; a negative value ends parsing --- */

static int on_begin(http_parser *parser)
{
    struct h1_connection *h1 = parser->data;
    h1->state = H1_HEAD;
    h1->started = weir_worker_now(h1->server->server.worker);
    h1->head_bytes = 0;
    h1->refuse = 0;
    h1->keep_alive = true;
    h1->in_value = false;
    weir_text_clear(&h1->url);
    weir_text_clear(&h1->name);
    weir_text_clear(&h1->value);
    h1->exchange = exchange_new(h1->server, h1->conn, &h1_ops, h1);
    set_deadline(h1);
    return h1->exchange ? 0 : -1;
}

/* Counts head bytes; false, with a status for the refusal, when they are too many. */
static bool count_head(struct h1_connection *h1, size_t length, int status)
{
    h1->head_bytes += length;
    if (h1->head_bytes <= HEAD_MAX)
        return true;
    h1->refuse = status;
    return false;
}

static int on_url(http_parser *parser, const char *at, size_t length)
{
    struct h1_connection *h1 = parser->data;
    if (!count_head(h1, length, 414))
        return -1;
    weir_text_add(&h1->url, at, length);
    return 0;
}

static bool finish_header(struct h1_connection *h1)
{
    bool ok = true;
    if (h1->in_value && h1->exchange && h1->state == H1_HEAD)
        ok = headers_add(&h1->exchange->headers, weir_text_view(&h1->name),
                         weir_str_trim(weir_text_view(&h1->value)));
    weir_text_clear(&h1->name);
    weir_text_clear(&h1->value);
    h1->in_value = false;
    return ok;
}

static int on_field(http_parser *parser, const char *at, size_t length)
{
    struct h1_connection *h1 = parser->data;
    size_t more = length;
    if (h1->in_value || h1->name.length == 0)
        more += HEADER_OVERHEAD;
    if (!count_head(h1, more, 431))
        return -1;
    if (h1->in_value && !finish_header(h1))
        return -1;
    weir_text_add(&h1->name, at, length);
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t length)
{
    struct h1_connection *h1 = parser->data;
    if (!count_head(h1, length, 431))
        return -1;
    h1->in_value = true;
    weir_text_add(&h1->value, at, length);
    return 0;
}

/* The path and query of an absolute target (RFC 9112, 3.2.2), or the target itself. */
static struct weir_str target_of(const struct weir_text *url)
{
    struct http_parser_url parts;
    struct weir_str whole = weir_text_view(url);
    http_parser_url_init(&parts);
    if (whole.length == 0 || whole.data[0] == '/' ||
        http_parser_parse_url(url->data, url->length, 0, &parts) != 0)
        return whole;
    if (!(parts.field_set & (1 << UF_PATH)))
        return weir_str_is(whole, "*") ? whole : WEIR_STR("/");
    size_t start = parts.field_data[UF_PATH].off;
    return weir_str_make(whole.data + start, whole.length - start);
}

/* What RFC 9112 has a server refuse and the parser lets pass: 0, or a status with its reason. */
static int check_head(struct h1_connection *h1, const char **why)
{
    const struct headers *headers = &h1->exchange->headers;
    struct weir_str coding = headers_get(headers, "transfer-encoding");
    struct weir_str expect = headers_get(headers, "expect");
    size_t hosts = 0;
    for (size_t i = 0; i < headers->count; i++)
        hosts += weir_str_is(headers->items[i].name, "host");
    *why = "";
    if (h1->parser.http_major != 1) {
        *why = "unsupported protocol version";
        return 505;
    }
    if (hosts > 1) {
        *why = "too many Host headers";
        return 400;
    }
    if (hosts == 0 && !h1->http_1_0) {
        *why = "missing required Host header";
        return 400;
    }
    if (coding.data && !weir_str_equal_nocase(coding, WEIR_STR("chunked"))) {
        *why = "unsupported transfer encoding";
        return 501;
    }
    if (expect.length > 0 && !weir_str_equal_nocase(expect, WEIR_STR("100-continue")))
        return 417;
    return 0;
}

static int on_headers(http_parser *parser)
{
    struct h1_connection *h1 = parser->data;
    const char *why = NULL;
    // "Upgrade" is an offer that a server may pass over; CONNECT has no meaning here.
    parser->upgrade = 0;
    h1->http_1_0 = parser->http_major == 1 && parser->http_minor == 0;
    struct weir_str method = weir_str_of(http_method_str((enum http_method)parser->method));
    if (!finish_header(h1) || !exchange_set_target(h1->exchange, method, target_of(&h1->url))) {
        h1->refuse = 400;
        return -1;
    }
    h1->refuse = check_head(h1, &why);
    if (h1->refuse) {
        refuse(h1, h1->refuse, why);
        return -1;
    }
    struct weir_http_exchange *exchange = h1->exchange;
    bool chunked = parser->flags & F_CHUNKED;
    exchange->has_length = (parser->flags & F_CONTENTLENGTH) && !chunked;
    exchange->length = exchange->has_length ? parser->content_length : 0;
    h1->has_body = chunked || exchange->length > 0;
    bool expects = h1->has_body && !h1->http_1_0 && headers_get(&exchange->headers, "expect").length > 0;
    h1->keep_alive = exchange_options(exchange)->keep_alives_enabled && http_should_keep_alive(parser);
    h1->state = H1_BODY;
    h1->headed = weir_conn_now(h1->conn);
    h1->body_by = h1->headed + GUARD_TIMEOUT;
    inbox_saw(&h1->server->inbox, h1->head_bytes + exchange->length);
    set_deadline(h1);
    if (exchange_begin(exchange, h1->has_body) && expects)
        weir_conn_write_copy(h1->conn, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    return h1->finished ? -1 : 0;
}

/* Leaves the body where it was received; false: it has to be copied. */
static bool keep_in_place(struct h1_connection *h1, const uint8_t *bytes, size_t length)
{
    struct weir_buffer *body =
        exchange_is_whole(h1->exchange, length) ? inbox_take(&h1->server->inbox, bytes, length) : NULL;
    if (body)
        exchange_give(h1->exchange, body);
    return body;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct h1_connection *h1 = parser->data;
    if (h1->exchange) {
        if (!keep_in_place(h1, (const uint8_t *)at, length))
            (void)exchange_body(h1->exchange, (const uint8_t *)at, length);
    } else {
        h1->dropped += length;
        if (h1->dropped > DROP_MAX)
            stop_reading(h1);
    }
    return h1->finished ? -1 : 0;
}

static int on_complete(http_parser *parser)
{
    struct h1_connection *h1 = parser->data;
    h1->state = H1_WAIT;
    http_parser_pause(parser, 1); // what follows waits for the answer
    return 0;
}

static const http_parser_settings parser_settings = {
    .on_message_begin = on_begin,
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

/* --- bytes --- */

static void parse_failed(struct h1_connection *h1)
{
    enum http_errno code = HTTP_PARSER_ERRNO(&h1->parser);
    if (h1->finished)
        return;
    if (h1->exchange && h1->state == H1_BODY) {
        exchange_fail(h1->exchange, 400, http_errno_description(code));
        if (!h1->finished)
            stop_reading(h1);
        return;
    }
    weir_conn_blame(h1->conn, WEIR_CAUSE_PROTOCOL);
    refuse(h1, h1->refuse ? h1->refuse : code == HPE_HEADER_OVERFLOW ? 431 : 400, "");
}

/* The request is whole: has it served, and the connection made ready for the next one if that was answered.
 */
static void serve(struct h1_connection *h1)
{
    set_deadline(h1);
    if (h1->exchange)
        (void)exchange_end(h1->exchange);
    else if (h1->answered && h1->state == H1_WAIT)
        next_request(h1);
}

/* Parses until the bytes end or a request waits for its answer; returns how many were used. */
static size_t feed(struct h1_connection *h1, const char *bytes, size_t length)
{
    size_t used = 0;
    h1->feeding = true;
    while (used < length && !h1->finished && h1->state != H1_WAIT) {
        used += http_parser_execute(&h1->parser, &parser_settings, bytes + used, length - used);
        enum http_errno code = HTTP_PARSER_ERRNO(&h1->parser);
        if (code == HPE_PAUSED)
            http_parser_pause(&h1->parser, 0);
        else if (code != HPE_OK)
            parse_failed(h1);
        if (!h1->finished && h1->state == H1_WAIT)
            serve(h1);
    }
    h1->feeding = false;
    if (!h1->finished && h1->state == H1_BODY) {
        extend_body(h1, used);
        set_deadline(h1);
    }
    return used;
}

/* Reads no more of a client that lets its answers wait, until it has read them: true when it is so. */
static bool wait_for_reader(struct h1_connection *h1)
{
    if (h1->finished || weir_conn_queued(h1->conn) <= ANSWERS_MAX)
        return false;
    h1->unread = true;
    weir_conn_pause(h1->conn);
    return true;
}

/* Goes on with what came ahead, once the request before it is answered. */
static void feed_ahead(struct h1_connection *h1)
{
    if (wait_for_reader(h1))
        return;
    if (h1->ahead.length > 0 && !h1->finished) {
        struct weir_text ahead = h1->ahead;
        h1->ahead = (struct weir_text){ .data = NULL };
        size_t used = feed(h1, ahead.data, ahead.length);
        if (used < ahead.length && !h1->finished)
            weir_text_add(&h1->ahead, ahead.data + used, ahead.length - used);
        weir_text_free(&ahead);
    }
    if (h1->ahead.length <= AHEAD_MAX && !h1->finished)
        weir_conn_resume(h1->conn);
}

static void receive(struct h1_connection *h1, const uint8_t *bytes, size_t length)
{
    size_t used = 0;
    if (h1->state != H1_WAIT)
        used = feed(h1, (const char *)bytes, length);
    weir_buffer_unref(h1->place);
    h1->place = NULL;
    if (used < length && !h1->finished) {
        weir_text_add(&h1->ahead, (const char *)bytes + used, length - used);
        if (h1->ahead.length > AHEAD_MAX)
            weir_conn_pause(h1->conn);
    }
    (void)wait_for_reader(h1);
}

static void data_event(struct weir_conn *conn, const uint8_t *bytes, size_t length)
{
    struct h1_connection *h1 = weir_conn_user(conn);
    struct inbox *inbox = &h1->server->inbox;
    if (!h1->finished)
        receive(h1, bytes, length);
    inbox_settle(inbox);
}

static void *room_event(struct weir_conn *conn, size_t hint, size_t *length)
{
    struct h1_connection *h1 = weir_conn_user(conn);
    (void)hint;
    if (h1->finished || h1->state == H1_WAIT)
        return NULL;
    if (h1->state != H1_BODY)
        return inbox_room(&h1->server->inbox, length);
    uint8_t *room = h1->exchange ? exchange_room(h1->exchange, length) : NULL;
    if (room) {
        weir_buffer_unref(h1->place);
        h1->place = weir_buffer_ref(h1->exchange->body);
    }
    return room;
}

static void ended_event(struct weir_conn *conn)
{
    struct h1_connection *h1 = weir_conn_user(conn);
    h1->ended = true;
    weir_conn_blame(conn, WEIR_CAUSE_CLIENT);
    if (h1->state != H1_WAIT)
        weir_conn_close(conn);
}

static void drained_event(struct weir_conn *conn)
{
    struct h1_connection *h1 = weir_conn_user(conn);
    if (h1->unread && !h1->finished) {
        h1->unread = false;
        feed_ahead(h1);
    }
    if (h1->state == H1_IDLE && !h1->finished)
        set_deadline(h1);
}

static enum weir_cause lateness(const struct h1_connection *h1)
{
    switch (h1->state) {
    case H1_IDLE:
        if (h1->server->server.quiescing)
            return WEIR_CAUSE_SERVER;
        return h1->first                           ? WEIR_CAUSE_HEADER
               : weir_conn_queued(h1->conn) > 0 ? WEIR_CAUSE_WRITE_TIMEOUT
                                                : WEIR_CAUSE_IDLE;
    case H1_HEAD:
        return WEIR_CAUSE_HEADER;
    case H1_BODY:
        return WEIR_CAUSE_BODY;
    default:
        return WEIR_CAUSE_WRITE_TIMEOUT;
    }
}

static void expired_event(struct weir_conn *conn)
{
    struct h1_connection *h1 = weir_conn_user(conn);
    weir_conn_blame(conn, lateness(h1));
    if (h1->exchange && h1->state == H1_BODY) {
        h1->keep_alive = false;
        exchange_fail(h1->exchange, 400, "i/o timeout");
    }
    if (!h1->finished)
        weir_conn_close(conn);
}

static void closed_event(struct weir_conn *conn, enum weir_conn_reason reason, const char *text)
{
    struct h1_connection *h1 = weir_conn_user(conn);
    (void)reason;
    (void)text;
    struct weir_http_exchange *exchange = h1->exchange;
    h1->exchange = NULL;
    if (exchange)
        exchange_detach(exchange);
    weir_buffer_unref(h1->place);
    weir_text_free(&h1->url);
    weir_text_free(&h1->name);
    weir_text_free(&h1->value);
    weir_text_free(&h1->ahead);
    free(h1);
}

static const struct weir_conn_events h1_events = {
    .room = room_event,
    .data = data_event,
    .ended = ended_event,
    .drained = drained_event,
    .expired = expired_event,
    .closed = closed_event,
};

static void quiesce(struct server_peer *peer)
{
    struct h1_connection *h1 = WEIR_CONTAINER_OF(peer, struct h1_connection, peer);
    if (h1->finished)
        return;
    // Before the answer, that will say that the connection closes; behind an early one, only bytes to drop come. A
    // request may be on its way to an idle connection: its client is to hear the same, where somebody takes over.
    if (h1->answered || (h1->state == H1_IDLE && !h1->server->server.patient))
        stop_reading(h1);
    else
        set_deadline(h1);
}

void h1_server_open(struct weir_http_server *server, struct weir_conn *conn)
{
    struct h1_connection *h1 = weir_xcalloc(1, sizeof(*h1));
    h1->peer.quiesce = quiesce;
    h1->server = server;
    h1->conn = conn;
    h1->first = true;
    h1->keep_alive = true;
    http_parser_init(&h1->parser, HTTP_REQUEST);
    h1->parser.data = h1;
    weir_conn_set_events(conn, &h1_events, h1);
    set_deadline(h1);
}
