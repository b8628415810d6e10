// SPDX-License-Identifier: Apache-2.0
/*
 * One call: from its headers to the whole message, and the answer. Texts of errors are upstream's
 * (collector-core 4.5).
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "sdk/src/grpc/server.h"
#include "sdk/src/grpc/text.h"

#define DEFAULT_MESSAGE_MIB 4

/* The names of grpc-encoding. */
static const struct {
    const char *name;
    enum weir_encoding encoding;
} encodings[] = {
    { "", WEIR_ENCODING_IDENTITY }, { "identity", WEIR_ENCODING_IDENTITY },
    { "gzip", WEIR_ENCODING_GZIP }, { "snappy", WEIR_ENCODING_SNAPPY_FRAMED },
    { "zstd", WEIR_ENCODING_ZSTD },
};

static struct weir_str name_of(enum weir_encoding encoding)
{
    size_t i = 0;
    while (encodings[i].encoding != encoding)
        i++;
    return weir_str_of(encodings[i].name);
}

static const struct weir_grpc_handler *handler_of(const struct weir_grpc_call *call)
{
    return grpc_site_of(call->server)->handler;
}

static size_t message_max(const struct weir_grpc_call *call)
{
    int64_t mib = grpc_site_of(call->server)->options->max_recv_msg_size_mib;
    return (size_t)(mib > 0 ? mib : DEFAULT_MESSAGE_MIB) << 20;
}

static void call_free(struct weir_grpc_call *call)
{
    const struct weir_grpc_handler *handler = handler_of(call);
    struct server *server = &call->server->server;
    if (handler->release)
        handler->release(call);
    weir_buffer_unref(call->message);
    headers_free(&call->metadata);
    server_end_request(server, call);
}

/* Ends a stretch of code that needed the call. */
static void leave(struct weir_grpc_call *call)
{
    call->busy--;
    if (call->answered && call->busy == 0)
        call_free(call);
}

void grpc_call_detach(struct weir_grpc_call *call)
{
    call->stream = NULL;
    if (!call->delivered) {
        call->answered = true;
        if (call->busy == 0)
            call_free(call);
    }
}

/* --- answers --- */

/* Before the stream is answered, and perhaps freed: what is sent shows the client that it may ping again. */
static void sending(struct h2_stream *stream)
{
    struct grpc_connection *connection = h2_session_user(stream->session);
    connection->forgive_strikes = true;
}

/* A status without a message, in one HEADERS frame. */
static void send_status(struct h2_stream *stream, const char *http_status, int code, const char *message,
                        const void *details, size_t length)
{
    struct weir_text encoded = { .data = NULL };
    struct weir_text binary = { .data = NULL };
    char number[16];
    snprintf(number, sizeof(number), "%d", code);
    grpc_message_encode(message, &encoded);
    grpc_binary_encode(details, length, &binary);
    struct weir_http_header headers[5] = {
        { WEIR_STR(":status"), weir_str_of(http_status) },
        { WEIR_STR("content-type"), WEIR_STR("application/grpc") },
        { WEIR_STR("grpc-status"), weir_str_of(number) },
        { WEIR_STR("grpc-message"), weir_str_of(weir_text_string(&encoded)) },
        { WEIR_STR("grpc-status-details-bin"), weir_text_view(&binary) },
    };
    sending(stream);
    h2_stream_respond(stream, headers, length > 0 ? 5 : 4, NULL, NULL, 0);
    weir_text_free(&encoded);
    weir_text_free(&binary);
}

void weir_grpc_fail(struct weir_grpc_call *call, int code, const char *message, const void *details,
                    size_t length)
{
    struct h2_stream *stream = call->stream;
    call->busy++;
    if (stream && !call->answered) {
        stream->user = NULL;
        call->stream = NULL;
        send_status(stream, "200", code, message ? message : "", details, length);
    }
    call->answered = true;
    leave(call);
}

/* The server's own refusal: the handler hears of it. */
static void refuse(struct weir_grpc_call *call, int code, const char *format, ...) WEIR_PRINTF(3, 4);
static void refuse(struct weir_grpc_call *call, int code, const char *format, ...)
{
    struct weir_text text = { .data = NULL };
    va_list arguments;
    if (call->answered)
        return;
    va_start(arguments, format);
    weir_text_vaddf(&text, format, arguments);
    va_end(arguments);
    if (handler_of(call)->refused)
        handler_of(call)->refused(call, code, weir_text_string(&text));
    weir_grpc_fail(call, code, weir_text_string(&text), NULL, 0);
    weir_text_free(&text);
}

/* Prefix and message as one buffer, compressed as asked; NULL when memory is out. */
static struct weir_buffer *frame_message(enum weir_encoding encoding, const void *message, size_t length)
{
    struct weir_buffer *packed = NULL;
    struct weir_slices in = { .ranges = NULL };
    if (encoding != WEIR_ENCODING_IDENTITY &&
        (!weir_slices_add(&in, NULL, message, length) || weir_deflate(encoding, 0, &in, &packed, NULL) != 0))
        packed = NULL;
    weir_slices_free(&in);
    if (encoding != WEIR_ENCODING_IDENTITY && !packed)
        return NULL;
    const void *data = packed ? packed->data : message;
    size_t size = packed ? packed->length : length;
    uint8_t prefix[GRPC_PREFIX] = { packed != NULL, (uint8_t)(size >> 24), (uint8_t)(size >> 16),
                                    (uint8_t)(size >> 8), (uint8_t)size };
    struct weir_buffer *framed = weir_buffer_new(sizeof(prefix) + size);
    if (framed &&
        (!weir_buffer_append(framed, prefix, sizeof(prefix)) || !weir_buffer_append(framed, data, size))) {
        weir_buffer_unref(framed);
        framed = NULL;
    }
    weir_buffer_unref(packed);
    return framed;
}

/* The reply's bytes, from the server's memory of the last one where that was the same. The caller's
 * reference. */
static struct weir_buffer *reply_bytes(struct weir_grpc_server *server, enum weir_encoding encoding,
                                       const void *message, size_t length)
{
    struct weir_buffer *last = server->replies[encoding].message;
    if (last && last->length == length && (length == 0 || memcmp(last->data, message, length) == 0))
        return weir_buffer_ref(server->replies[encoding].framed);
    struct weir_buffer *framed = frame_message(encoding, message, length);
    struct weir_buffer *copy = framed ? weir_buffer_copy(message, length) : NULL;
    if (copy) {
        weir_buffer_unref(last);
        weir_buffer_unref(server->replies[encoding].framed);
        server->replies[encoding].message = copy;
        server->replies[encoding].framed = weir_buffer_ref(framed);
    }
    return framed;
}

static void send_reply(struct weir_grpc_call *call, const void *message, size_t length)
{
    struct h2_stream *stream = call->stream;
    enum weir_encoding encoding = call->encoding;
    struct weir_slices body = { .ranges = NULL };
    struct weir_buffer *framed = reply_bytes(call->server, encoding, message, length);
    struct weir_str name = name_of(encoding);
    struct weir_http_header headers[3] = {
        { WEIR_STR(":status"), WEIR_STR("200") },
        { WEIR_STR("content-type"), WEIR_STR("application/grpc") },
        { WEIR_STR("grpc-encoding"), name },
    };
    static const struct weir_http_header trailers[1] = { { { "grpc-status", 11 }, { "0", 1 } } };
    size_t count = encoding == WEIR_ENCODING_IDENTITY ? 2 : 3;
    sending(stream);
    if (framed && weir_slices_add(&body, framed, framed->data, framed->length))
        h2_stream_respond(stream, headers, count, &body, trailers, 1);
    else
        h2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
    weir_slices_free(&body);
    weir_buffer_unref(framed);
}

void weir_grpc_reply(struct weir_grpc_call *call, const void *message, size_t length)
{
    call->busy++;
    if (call->stream && !call->answered) {
        call->stream->user = NULL;
        send_reply(call, message, length);
    }
    call->stream = NULL;
    call->answered = true;
    leave(call);
}

/* --- the request's headers --- */

/* "application/grpc" alone, or with a subtype behind + or ;. */
static bool is_grpc(struct weir_str type)
{
    static const struct weir_str base = { "application/grpc", 16 };
    if (type.length < base.length || !weir_str_equal_nocase(weir_str_make(type.data, base.length), base))
        return false;
    return type.length == base.length || type.data[base.length] == '+' || type.data[base.length] == ';';
}

/* Metadata is what is not the protocol's own. */
static bool is_reserved(struct weir_str name)
{
    static const char *const reserved[] = { "te",           "grpc-message-type", "grpc-encoding",
                                            "grpc-message", "grpc-status",       "grpc-timeout" };
    if (name.length > 0 && name.data[0] == ':')
        return true;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(reserved); i++) {
        if (weir_str_is(name, reserved[i]))
            return true;
    }
    return false;
}

static bool take_metadata(struct weir_grpc_call *call, const struct headers *headers)
{
    struct weir_str authority = headers_get(headers, ":authority");
    bool ok = true;
    for (size_t i = 0; ok && i < headers->count; i++) {
        if (!is_reserved(headers->items[i].name))
            ok = headers_add(&call->metadata, headers->items[i].name, headers->items[i].value);
    }
    if (ok && authority.data && !headers_get(headers, "host").data)
        ok = headers_add(&call->metadata, WEIR_STR("host"), authority);
    return ok;
}

/* Finds the method of "/service/method"; else refuses the call. */
static bool find_method(struct weir_grpc_call *call, struct weir_str path)
{
    const struct weir_grpc_method *methods = grpc_site_of(call->server)->methods;
    struct weir_str name = path;
    if (name.length > 0 && name.data[0] == '/')
        name = weir_str_make(name.data + 1, name.length - 1);
    const char *slash = name.length > 0 ? memrchr(name.data, '/', name.length) : NULL;
    if (!slash) {
        refuse(call, WEIR_GRPC_UNIMPLEMENTED, "malformed method name: \"%.*s\"", WEIR_STR_ARG(path));
        return false;
    }
    struct weir_str service = weir_str_make(name.data, (size_t)(slash - name.data));
    struct weir_str method = weir_str_make(slash + 1, name.length - service.length - 1);
    bool known = false;
    for (const struct weir_grpc_method *row = methods; row->service; row++) {
        if (!weir_str_is(service, row->service))
            continue;
        known = true;
        if (weir_str_is(method, row->method)) {
            call->method = row;
            return true;
        }
    }
    if (known)
        refuse(call, WEIR_GRPC_UNIMPLEMENTED, "unknown method %.*s for service %.*s", WEIR_STR_ARG(method),
               WEIR_STR_ARG(service));
    else
        refuse(call, WEIR_GRPC_UNIMPLEMENTED, "unknown service %.*s", WEIR_STR_ARG(service));
    return false;
}

static bool find_encoding(struct weir_grpc_call *call, struct weir_str name)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(encodings); i++) {
        if (weir_str_is(name, encodings[i].name)) {
            call->encoding = encodings[i].encoding;
            return true;
        }
    }
    refuse(call, WEIR_GRPC_UNIMPLEMENTED, "grpc: Decompressor is not installed for grpc-encoding \"%.*s\"",
           WEIR_STR_ARG(name));
    return false;
}

/* What is no gRPC request at all is answered before there is a call. */
static bool check_protocol(struct h2_stream *stream)
{
    struct weir_str type = headers_get(&stream->headers, "content-type");
    struct weir_str method = headers_get(&stream->headers, ":method");
    struct weir_str timeout = headers_get(&stream->headers, "grpc-timeout");
    struct weir_text message = { .data = NULL };
    const char *http_status = NULL;
    int code = WEIR_GRPC_INTERNAL;
    int64_t ns = 0;
    if (!is_grpc(type)) {
        http_status = "415";
        code = WEIR_GRPC_INVALID_ARGUMENT;
        weir_text_addf(&message, "invalid gRPC request content-type \"%.*s\"", WEIR_STR_ARG(type));
    } else if (!weir_str_is(method, "POST")) {
        http_status = "405";
        weir_text_addf(&message, "Received a HEADERS frame with :method \"%.*s\" which should be POST",
                       WEIR_STR_ARG(method));
    } else if (timeout.data && !grpc_timeout_parse(timeout, &ns)) {
        http_status = "400";
        weir_text_addf(&message, "malformed grpc-timeout: \"%.*s\"", WEIR_STR_ARG(timeout));
    }
    if (http_status)
        send_status(stream, http_status, code, weir_text_string(&message), NULL, 0);
    weir_text_free(&message);
    return !http_status;
}

static int64_t deadline_of(struct weir_grpc_server *server, const struct headers *headers)
{
    int64_t timeout = 0, deadline = INT64_MAX;
    struct weir_str text = headers_get(headers, "grpc-timeout");
    if (!text.data || !grpc_timeout_parse(text, &timeout) ||
        __builtin_add_overflow(weir_worker_now(server->server.worker), timeout, &deadline))
        return INT64_MAX;
    return deadline;
}

static bool keep_attributes(struct weir_grpc_call *call, const struct weir_auth_verdict *verdict)
{
    if (verdict->attribute_count == 0)
        return true;
    call->attributes =
        weir_arena_calloc(&call->metadata.arena, verdict->attribute_count, sizeof(*call->attributes));
    if (!call->attributes)
        return false;
    memcpy(call->attributes, verdict->attributes, verdict->attribute_count * sizeof(*call->attributes));
    call->attribute_count = verdict->attribute_count;
    return true;
}

/* Who is not known does not get any further. */
static bool authenticate(struct weir_grpc_call *call)
{
    struct weir_auth_verdict verdict;
    if (!auth_server_check(&grpc_site_of(call->server)->auth, &call->metadata, WEIR_STR_NONE, call->peer,
                           &call->metadata.arena, &verdict))
        refuse(call, verdict.grpc_code, "%s", verdict.message);
    else if (!keep_attributes(call, &verdict))
        refuse(call, WEIR_GRPC_UNAUTHENTICATED, "out of memory");
    return !call->answered;
}

void grpc_call_begin(struct grpc_connection *connection, struct h2_stream *stream)
{
    if (!check_protocol(stream))
        return;
    struct weir_grpc_call *call = server_begin_request(&connection->server->server, sizeof(*call));
    if (!call) {
        h2_stream_reset(stream, NGHTTP2_REFUSED_STREAM);
        return;
    }
    memset(call, 0, offsetof(struct weir_grpc_call, room));
    headers_use(&call->metadata, &call->room);
    call->server = connection->server;
    call->stream = stream;
    call->deadline = deadline_of(call->server, &stream->headers);
    stream->user = call;
    call->busy++;
    call->peer = weir_arena_copy(&call->metadata.arena, weir_str_of(weir_conn_peer(connection->conn)));
    if (!take_metadata(call, &stream->headers))
        refuse(call, WEIR_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    else if (find_method(call, headers_get(&stream->headers, ":path")) && authenticate(call))
        (void)find_encoding(call, headers_get(&stream->headers, "grpc-encoding"));
    leave(call);
}

/* --- the message --- */

static bool admit(struct weir_grpc_call *call, size_t bytes)
{
    const struct weir_grpc_handler *handler = handler_of(call);
    if (!handler->admit || bytes == 0 || handler->admit(call, bytes))
        return true;
    refuse(call, WEIR_GRPC_UNAVAILABLE, "no room for the request");
    return false;
}

/* The prefix is whole: has the message admitted and makes room for it. */
static void begin_message(struct weir_grpc_call *call)
{
    const uint8_t *prefix = call->prefix;
    size_t length = (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 | prefix[4];
    if (prefix[0] > 1) {
        refuse(call, WEIR_GRPC_INTERNAL, "grpc: received unexpected payload format %u", prefix[0]);
    } else if (length > message_max(call)) {
        refuse(call, WEIR_GRPC_RESOURCE_EXHAUSTED, "grpc: received message larger than max (%zu vs. %zu)",
               length, message_max(call));
    } else if (prefix[0] == 1 && call->encoding == WEIR_ENCODING_IDENTITY) {
        refuse(call, WEIR_GRPC_INTERNAL, "grpc: compressed flag set with identity or empty encoding");
    } else if (admit(call, length)) {
        call->compressed = prefix[0] == 1;
        call->expected = length;
        call->message = weir_buffer_new(length);
        if (!call->message)
            refuse(call, WEIR_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    }
}

static void take_bytes(struct weir_grpc_call *call, const uint8_t *bytes, size_t length)
{
    while (length > 0 && call->prefix_length < GRPC_PREFIX) {
        call->prefix[call->prefix_length++] = *bytes++;
        length--;
        if (call->prefix_length == GRPC_PREFIX)
            begin_message(call);
    }
    if (length == 0 || call->answered)
        return;
    if (length > call->expected - call->message->length) {
        refuse(call, WEIR_GRPC_INTERNAL, "grpc: more than one message in a unary call");
        return;
    }
    memcpy(call->message->data + call->message->length, bytes, length);
    call->message->length += length;
}

void grpc_call_data(struct weir_grpc_call *call, const uint8_t *bytes, size_t length)
{
    call->busy++;
    take_bytes(call, bytes, length);
    leave(call);
}

static bool grow_inflated(void *user, size_t more)
{
    return admit(user, more);
}

static bool inflate_message(struct weir_grpc_call *call)
{
    struct weir_buffer *in = call->message;
    struct weir_buffer *out = NULL;
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_inflate_limits limits = { .max_output = message_max(call),
                                          .grow = grow_inflated,
                                          .user = call };
    enum weir_inflate_status status = weir_inflate(
        call->encoding, weir_str_make((const char *)in->data, in->length), &limits, &out, &error);
    switch (status) {
    case WEIR_INFLATE_OK:
        weir_buffer_unref(in);
        call->message = out;
        break;
    case WEIR_INFLATE_TOO_LARGE:
        refuse(call, WEIR_GRPC_RESOURCE_EXHAUSTED,
               "grpc: received message after decompression larger than max %zu", message_max(call));
        break;
    case WEIR_INFLATE_BAD:
    case WEIR_INFLATE_FAILED:
        refuse(call, WEIR_GRPC_INTERNAL, "grpc: failed to decompress the received message: %s",
               weir_error_text(&error));
        break;
    case WEIR_INFLATE_REFUSED:
        break;
    }
    weir_error_free(&error);
    return status == WEIR_INFLATE_OK;
}

void grpc_call_end(struct weir_grpc_call *call)
{
    bool whole = call->message && call->message->length == call->expected;
    call->busy++;
    if (!whole)
        refuse(call, WEIR_GRPC_INTERNAL, "%s",
               call->prefix_length == 0 ? "grpc: no message in a unary call" : "unexpected EOF");
    if (whole && call->compressed)
        whole = inflate_message(call);
    if (whole && !call->answered) {
        call->delivered = true;
        handler_of(call)->request(call);
    }
    leave(call);
}

/* --- what handlers see --- */

int weir_grpc_call_tag(const struct weir_grpc_call *call)
{
    return call->method ? call->method->tag : -1;
}

struct weir_buffer *weir_grpc_call_message(const struct weir_grpc_call *call)
{
    return call->delivered ? call->message : NULL;
}

const struct weir_http_header *weir_grpc_call_metadata(const struct weir_grpc_call *call, size_t *count)
{
    *count = call->metadata.count;
    return call->metadata.items;
}

struct weir_str weir_grpc_call_peer(const struct weir_grpc_call *call)
{
    return call->peer;
}

const struct weir_metadata *weir_grpc_call_attributes(const struct weir_grpc_call *call, size_t *count)
{
    *count = call->attribute_count;
    return call->attributes;
}

int64_t weir_grpc_call_deadline(const struct weir_grpc_call *call)
{
    return call->deadline;
}

void *weir_grpc_call_user(const struct weir_grpc_call *call)
{
    return call->server->server.user;
}

bool weir_grpc_call_alive(const struct weir_grpc_call *call)
{
    return call->stream != NULL;
}

void weir_grpc_call_set_data(struct weir_grpc_call *call, void *data)
{
    call->data = data;
}

void *weir_grpc_call_data(const struct weir_grpc_call *call)
{
    return call->data;
}
