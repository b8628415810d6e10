// SPDX-License-Identifier: Apache-2.0
/*
 * From the headers of a request to its whole, inflated body, with everything that may refuse it on the way.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <weir/flow.h>

#include "sdk/src/http/cors.h"
#include "sdk/src/http/exchange.h"

#define DEFAULT_BODY_MAX (20 << 20)
/* The first step in which a body of unknown length is admitted; each further step doubles. */
#define BODY_STEP 16384

static const struct weir_http_site *site_of(const struct weir_http_exchange *exchange)
{
    return WEIR_CONTAINER_OF(exchange->server->server.site, struct weir_http_site, site);
}

const struct weir_http_server_options *exchange_options(const struct weir_http_exchange *exchange)
{
    return site_of(exchange)->options;
}

static const struct weir_http_handler *handler_of(const struct weir_http_exchange *exchange)
{
    return site_of(exchange)->handler;
}

static size_t body_max(const struct weir_http_exchange *exchange)
{
    int64_t max = exchange_options(exchange)->max_request_body_size;
    return max > 0 ? (size_t)max : DEFAULT_BODY_MAX;
}

struct weir_http_exchange *exchange_new(struct weir_http_server *server, struct weir_conn *conn,
                                        const struct exchange_ops *ops, void *carrier)
{
    struct weir_http_exchange *exchange = server_begin_request(&server->server, sizeof(*exchange));
    if (!exchange)
        return NULL;
    memset(exchange, 0, offsetof(struct weir_http_exchange, room));
    headers_use(&exchange->headers, &exchange->room);
    exchange->server = server;
    exchange->ops = ops;
    exchange->carrier = carrier;
    exchange->peer = weir_arena_copy(&exchange->headers.arena, weir_str_of(weir_conn_peer(conn)));
    return exchange;
}

bool exchange_set_target(struct weir_http_exchange *exchange, struct weir_str method, struct weir_str target)
{
    struct weir_arena *arena = &exchange->headers.arena;
    exchange->method = weir_arena_copy(arena, method);
    target = weir_arena_copy(arena, target);
    if (!exchange->method.data || !target.data)
        return false;
    const char *mark = memchr(target.data, '?', target.length);
    exchange->path = target;
    if (mark) {
        exchange->path.length = (size_t)(mark - target.data);
        exchange->query = weir_str_make(mark + 1, target.length - exchange->path.length - 1);
    }
    return target.length > 0 && (target.data[0] == '/' || weir_str_is(target, "*"));
}

static void exchange_free(struct weir_http_exchange *exchange)
{
    const struct weir_http_handler *handler = handler_of(exchange);
    struct server *server = &exchange->server->server;
    if (handler->release)
        handler->release(exchange);
    weir_buffer_unref(exchange->body);
    headers_free(&exchange->headers);
    server_end_request(server, exchange);
}

void exchange_forget(struct server *base)
{
    struct weir_http_server *server = WEIR_CONTAINER_OF(base, struct weir_http_server, server);
    weir_text_free(&server->head);
    inbox_free(&server->inbox);
}

/* Ends a call that needed the exchange; true if it goes on. */
static bool leave(struct weir_http_exchange *exchange)
{
    exchange->busy--;
    if (!exchange->answered)
        return true;
    if (exchange->busy == 0)
        exchange_free(exchange);
    return false;
}

void exchange_detach(struct weir_http_exchange *exchange)
{
    exchange->ops = NULL;
    exchange->carrier = NULL;
    if (!exchange->delivered) {
        exchange->answered = true;
        if (exchange->busy == 0)
            exchange_free(exchange);
    }
}

/* --- the answer --- */

static struct weir_str date_of(struct weir_http_server *server)
{
    static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    int64_t second = weir_wall_clock() / 1000000000;
    if (second != server->date_second) {
        time_t now = (time_t)second;
        struct tm tm;
        gmtime_r(&now, &tm);
        snprintf(server->date, sizeof(server->date), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                 days[tm.tm_wday % 7], tm.tm_mday % 100, months[tm.tm_mon % 12], (tm.tm_year + 1900) % 10000,
                 tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
        server->date_second = second;
    }
    return weir_str_of(server->date);
}

static bool add_configured(const struct weir_http_server_options *options, struct headers *list)
{
    size_t own = list->count;
    for (size_t i = 0; i < options->response_headers.count; i++) {
        struct weir_str name = weir_str_of(options->response_headers.items[i].name);
        bool given = false;
        for (size_t k = 0; k < own; k++)
            given |= weir_str_equal_nocase(list->items[k].name, name);
        if (!given && !headers_lend(list, name, weir_str_of(options->response_headers.items[i].value)))
            return false;
    }
    return true;
}

static bool has_content(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

/* The decimal digits at the end of the room that they have. */
static struct weir_str decimal(size_t value, char room[24])
{
    size_t at = 24;
    do
        room[--at] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    return weir_str_make(room + at, 24 - at);
}

/* The whole header list of the answer, its length in decimal included. */
static bool make_headers(struct weir_http_exchange *exchange, int status,
                         const struct weir_http_header *headers, size_t count, struct weir_str length,
                         struct headers *list)
{
    const struct weir_http_server_options *options = exchange_options(exchange);
    for (size_t i = 0; i < count; i++) {
        if (!headers_lend(list, headers[i].name, headers[i].value))
            return false;
    }
    if (has_content(status) && !headers_lend(list, WEIR_STR("content-length"), length))
        return false;
    if (!headers_lend(list, WEIR_STR("date"), date_of(exchange->server)))
        return false;
    if (options->cors_on && options->cors.allowed_origins.count > 0) {
        if (cors_is_preflight(exchange->method, &exchange->headers))
            cors_preflight(&options->cors, &exchange->headers, list);
        else
            cors_actual(&options->cors, exchange->method, &exchange->headers, list);
    }
    return add_configured(options, list);
}

/* What is left in `body` is the caller's. */
static void respond(struct weir_http_exchange *exchange, int status, const struct weir_http_header *headers,
                    size_t count, struct weir_slices *body)
{
    struct headers_room room;
    char digits[24];
    struct headers list = { .items = NULL };
    headers_use(&list, &room);
    exchange->busy++;
    if (!exchange->answered && exchange->ops) {
        // Out of memory: an answer without headers still is one.
        bool made = make_headers(exchange, status, headers, count, decimal(body->bytes, digits), &list);
        if (!made)
            weir_slices_clear(body);
        if (!has_content(status) || weir_str_is(exchange->method, "HEAD"))
            weir_slices_clear(body);
        exchange->ops->answer(exchange, made ? status : 503, list.items, made ? list.count : 0, body);
    }
    exchange->answered = true;
    exchange->ops = NULL;
    headers_free(&list);
    (void)leave(exchange);
}

void weir_http_respond(struct weir_http_exchange *exchange, int status,
                       const struct weir_http_header *headers, size_t count, struct weir_slices *body)
{
    struct weir_slices none = { .ranges = NULL };
    if (!body)
        body = &none;
    respond(exchange, status, headers, count, body);
    weir_slices_free(body);
}

void weir_http_respond_text(struct weir_http_exchange *exchange, int status, const char *content_type,
                            struct weir_str text)
{
    struct weir_http_header header = { WEIR_STR("content-type"), weir_str_of(content_type) };
    struct iovec range = { (void *)(uintptr_t)text.data, content_type ? text.length : 0 };
    struct weir_buffer *borrowed = NULL;
    struct weir_slices body = { &range, &borrowed, range.iov_len > 0, 1, range.iov_len };
    respond(exchange, status, &header, content_type ? 1 : 0, &body);
}

void exchange_fail(struct weir_http_exchange *exchange, int status, const char *message)
{
    const struct weir_http_handler *handler = handler_of(exchange);
    if (exchange->answered)
        return;
    exchange->busy++;
    if (handler->fail) {
        handler->fail(exchange, status, message);
    } else {
        struct weir_text text = { .data = NULL };
        weir_text_addf(&text, "%s\n", message);
        weir_http_respond_text(exchange, status, "text/plain; charset=utf-8", weir_text_view(&text));
        weir_text_free(&text);
    }
    (void)leave(exchange);
}

/* --- the request --- */

/* The algorithm of Content-Encoding if the configuration takes it. */
static bool find_encoding(const struct weir_http_exchange *exchange, struct weir_str name,
                          enum weir_encoding *out)
{
    const struct weir_strings *list = &exchange_options(exchange)->compression_algorithms;
    bool listed = !list->present;
    for (size_t i = 0; i < list->count; i++)
        listed |= weir_str_is(name, list->items[i]);
    return listed && weir_encoding_find(name, out);
}

static bool check_encoding(struct weir_http_exchange *exchange)
{
    const struct weir_strings *list = &exchange_options(exchange)->compression_algorithms;
    struct weir_str name = headers_get(&exchange->headers, "content-encoding");
    if (list->present && list->count == 0)
        return true; // the body is passed on as it is
    if (find_encoding(exchange, name, &exchange->encoding))
        return true;
    char *message = weir_xasprintf("unsupported Content-Encoding: %.*s", WEIR_STR_ARG(name));
    exchange_fail(exchange, 400, message);
    free(message);
    return false;
}

/* Has the handler agree to `more` bytes. */
static bool admit(struct weir_http_exchange *exchange, size_t more)
{
    const struct weir_http_handler *handler = handler_of(exchange);
    if (handler->admit && !handler->admit(exchange, more)) {
        if (!exchange->answered)
            exchange_fail(exchange, 503, "no room for the request");
        return false;
    }
    return true;
}

static bool make_room(struct weir_http_exchange *exchange, size_t size)
{
    exchange->body = weir_buffer_new(size);
    if (exchange->body)
        return true;
    exchange_fail(exchange, 503, "out of memory");
    return false;
}

static void fail_too_large(struct weir_http_exchange *exchange)
{
    exchange->too_large = true;
    exchange_fail(exchange, 400, "http: request body too large");
}

static bool begin_body(struct weir_http_exchange *exchange)
{
    if (!exchange->has_length)
        return true;
    if (exchange->length > body_max(exchange)) {
        fail_too_large(exchange);
        return false;
    }
    return admit(exchange, (size_t)exchange->length);
}

static bool keep_attributes(struct weir_http_exchange *exchange, const struct weir_auth_verdict *verdict)
{
    if (verdict->attribute_count == 0)
        return true;
    exchange->attributes = weir_arena_calloc(&exchange->headers.arena, verdict->attribute_count,
                                             sizeof(*exchange->attributes));
    if (!exchange->attributes)
        return false;
    memcpy(exchange->attributes, verdict->attributes, verdict->attribute_count * sizeof(*exchange->attributes));
    exchange->attribute_count = verdict->attribute_count;
    return true;
}

/* Who is not known does not get any further. */
static bool authenticate(struct weir_http_exchange *exchange)
{
    struct weir_auth_verdict verdict;
    if (auth_server_check(&site_of(exchange)->auth, &exchange->headers, exchange->query, exchange->peer,
                          &exchange->headers.arena, &verdict) &&
        keep_attributes(exchange, &verdict))
        return true;
    bool later = verdict.grpc_code == WEIR_GRPC_UNAVAILABLE;
    const char *message = verdict.message ? verdict.message : "out of memory";
    exchange_fail(exchange, later ? 503 : 401, later || handler_of(exchange)->fail ? message : "Unauthorized");
    return false;
}

bool exchange_begin(struct weir_http_exchange *exchange, bool has_body)
{
    const struct weir_http_server_options *options = exchange_options(exchange);
    const struct weir_http_handler *handler = handler_of(exchange);
    exchange->busy++;
    if (options->cors_on && options->cors.allowed_origins.count > 0 &&
        cors_is_preflight(exchange->method, &exchange->headers)) {
        weir_http_respond(exchange, 204, NULL, 0, NULL);
    } else if (authenticate(exchange) && check_encoding(exchange)) {
        if (handler->head)
            handler->head(exchange);
        if (!exchange->answered && has_body)
            (void)begin_body(exchange);
    }
    return leave(exchange);
}

/* Makes room for `more` bytes of a body, in steps that double where its length is not known. */
static bool grow(struct weir_http_exchange *exchange, size_t more)
{
    struct weir_buffer *body = exchange->body;
    if (!body && exchange->has_length && more <= exchange->length)
        return make_room(exchange, (size_t)exchange->length);
    size_t max = body_max(exchange);
    size_t have = body ? body->length : 0;
    if (more > max || have > max - more) {
        fail_too_large(exchange);
        return false;
    }
    size_t capacity = body ? body->capacity : 0;
    if (have + more <= capacity)
        return true;
    size_t wanted = capacity > max / 2 ? max : capacity * 2;
    if (wanted < BODY_STEP)
        wanted = BODY_STEP;
    if (wanted < have + more)
        wanted = have + more;
    if (!admit(exchange, wanted - capacity))
        return false;
    if (!body)
        return make_room(exchange, wanted);
    if (weir_buffer_reserve(body, wanted - have))
        return true;
    exchange_fail(exchange, 503, "out of memory");
    return false;
}

bool exchange_body(struct weir_http_exchange *exchange, const uint8_t *bytes, size_t length)
{
    exchange->busy++;
    if (length > 0 && grow(exchange, length)) {
        struct weir_buffer *body = exchange->body;
        if (bytes != body->data + body->length) // else received in place
            memcpy(body->data + body->length, bytes, length);
        body->length += length;
    }
    return leave(exchange);
}

bool exchange_is_whole(const struct weir_http_exchange *exchange, size_t length)
{
    return exchange->has_length && !exchange->body && length == exchange->length;
}

void exchange_give(struct weir_http_exchange *exchange, struct weir_buffer *body)
{
    exchange->body = body;
}

uint8_t *exchange_room(struct weir_http_exchange *exchange, size_t *length)
{
    if (!exchange->has_length || (exchange->body && exchange->body->length >= exchange->length))
        return NULL;
    exchange->busy++;
    bool ok = exchange->body || make_room(exchange, (size_t)exchange->length);
    if (!leave(exchange) || !ok)
        return NULL;
    *length = (size_t)exchange->length - exchange->body->length;
    return exchange->body->data + exchange->body->length;
}

static bool grow_inflated(void *user, size_t more)
{
    return admit(user, more);
}

/* Replaces the body by what it inflates to. */
static bool inflate_body(struct weir_http_exchange *exchange)
{
    struct weir_buffer *in = exchange->body;
    struct weir_buffer *out = NULL;
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_inflate_limits limits = {
        .max_output = body_max(exchange),
        .grow = grow_inflated,
        .user = exchange,
    };
    enum weir_inflate_status status = weir_inflate(
        exchange->encoding, weir_str_make((const char *)in->data, in->length), &limits, &out, &error);
    if (status == WEIR_INFLATE_OK) {
        weir_buffer_unref(in);
        exchange->body = out;
    } else if (status == WEIR_INFLATE_TOO_LARGE) {
        fail_too_large(exchange);
    } else if (status != WEIR_INFLATE_REFUSED) {
        exchange_fail(exchange, status == WEIR_INFLATE_BAD ? 400 : 503, weir_error_text(&error));
    }
    weir_error_free(&error);
    return status == WEIR_INFLATE_OK;
}

bool exchange_end(struct weir_http_exchange *exchange)
{
    const struct weir_http_handler *handler = handler_of(exchange);
    exchange->busy++;
    bool ok = exchange->body || (exchange->body = weir_buffer_new(0)) != NULL;
    if (!ok)
        exchange_fail(exchange, 503, "out of memory");
    if (ok && exchange->encoding != WEIR_ENCODING_IDENTITY && exchange->body->length > 0)
        ok = inflate_body(exchange);
    if (ok && !exchange->answered) {
        exchange->delivered = true;
        handler->request(exchange);
    }
    return leave(exchange);
}

/* --- what handlers see --- */

struct weir_str weir_http_exchange_method(const struct weir_http_exchange *exchange)
{
    return exchange->method;
}

struct weir_str weir_http_exchange_path(const struct weir_http_exchange *exchange)
{
    return exchange->path;
}

struct weir_str weir_http_exchange_query(const struct weir_http_exchange *exchange)
{
    return exchange->query;
}

struct weir_str weir_http_exchange_header(const struct weir_http_exchange *exchange, const char *name)
{
    return headers_get(&exchange->headers, name);
}

const struct weir_http_header *weir_http_exchange_headers(const struct weir_http_exchange *exchange,
                                                          size_t *count)
{
    *count = exchange->headers.count;
    return exchange->headers.items;
}

struct weir_buffer *weir_http_exchange_body(const struct weir_http_exchange *exchange)
{
    return exchange->delivered ? exchange->body : NULL;
}

struct weir_str weir_http_exchange_peer(const struct weir_http_exchange *exchange)
{
    return exchange->peer;
}

const struct weir_metadata *weir_http_exchange_attributes(const struct weir_http_exchange *exchange, size_t *count)
{
    *count = exchange->attribute_count;
    return exchange->attributes;
}

void *weir_http_exchange_user(const struct weir_http_exchange *exchange)
{
    return exchange->server->server.user;
}

bool weir_http_exchange_alive(const struct weir_http_exchange *exchange)
{
    return exchange->ops != NULL;
}

void weir_http_exchange_set_data(struct weir_http_exchange *exchange, void *data)
{
    exchange->data = data;
}

void *weir_http_exchange_data(const struct weir_http_exchange *exchange)
{
    return exchange->data;
}
