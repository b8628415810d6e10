// SPDX-License-Identifier: Apache-2.0
/*
 * One unary call on the wire: request headers, the length-prefixed message, and what the answer says.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/otlp_response.h>

#include "sdk/src/base/encoding.h"
#include "sdk/src/grpc/client.h"
#include "sdk/src/grpc/text.h"

#define PREFIX 5

static const char *encoding_name(int encoding)
{
    return encoding == WEIR_ENCODING_SNAPPY_FRAMED ? "snappy"
                                                   : weir_encoding_name((enum weir_encoding)encoding);
}

static bool encoding_of(struct weir_str name, enum weir_encoding *out)
{
    static const enum weir_encoding known[] = { WEIR_ENCODING_GZIP, WEIR_ENCODING_SNAPPY_FRAMED,
                                                WEIR_ENCODING_ZSTD };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(known); i++) {
        if (weir_str_is(name, encoding_name((int)known[i]))) {
            *out = known[i];
            return true;
        }
    }
    return false;
}

static bool add(struct headers *out, const char *name, const char *value)
{
    return headers_add(out, weir_str_of(name), weir_str_of(value));
}

/* Metadata whose name ends in "-bin" travels as base64. */
static bool add_metadata(struct headers *out, struct weir_str name, struct weir_str value)
{
    if (name.length <= 4 || memcmp(name.data + name.length - 4, "-bin", 4) != 0)
        return headers_add(out, name, value);
    struct weir_text encoded = { 0 };
    grpc_binary_encode(value.data, value.length, &encoded);
    bool added = headers_add(out, name, weir_text_view(&encoded));
    weir_text_free(&encoded);
    return added;
}

static bool has_metadata(const struct weir_grpc_request *request, struct weir_str name)
{
    for (size_t i = 0; i < request->metadata_count; i++)
        if (weir_str_equal_nocase(request->metadata[i].key, name))
            return true;
    return false;
}

/* What the options and the request set, as it is written in them. */
static bool collect_configured(const struct weir_grpc_stream *stream, struct headers *out)
{
    const struct weir_grpc_request *request = stream->request;
    const struct weir_pairs *pairs = &stream->client->target->options->headers.pairs;
    bool ok = true;
    for (size_t i = 0; ok && i < pairs->count; i++)
        if (!has_metadata(request, weir_str_of(pairs->items[i].name)))
            ok = add(out, pairs->items[i].name, pairs->items[i].value);
    for (size_t i = 0; ok && i < request->metadata_count; i++)
        ok = headers_add(out, request->metadata[i].key, request->metadata[i].value);
    return ok;
}

int weir_grpc_call_authenticate(struct weir_grpc_stream *stream, struct weir_error *error)
{
    const struct auth_client *auth = &stream->client->target->auth;
    if (!auth->extension)
        return 0;
    if (!collect_configured(stream, &stream->headers.configured))
        return weir_error_set(error, "out of memory");
    return auth_client_apply(auth, stream->request->context, &stream->headers, error);
}

static bool add_all(struct headers *out, const struct headers *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (!add_metadata(out, from->items[i].name, from->items[i].value))
            return false;
    return true;
}

bool weir_grpc_call_headers(const struct weir_grpc_stream *stream, struct headers *out)
{
    const struct weir_grpc_request *request = stream->request;
    const struct weir_grpc_target *target = stream->client->target;
    bool ok = add(out, ":method", "POST") && add(out, ":scheme", target->tls ? "https" : "http") &&
              add(out, ":path", request->path) && add(out, ":authority", target->authority) &&
              add(out, "content-type", "application/grpc") && add(out, "user-agent", target->user_agent) &&
              add(out, "te", "trailers") && add(out, "grpc-accept-encoding", "gzip,zstd,snappy");
    if (ok && target->options->compression != WEIR_ENCODING_IDENTITY)
        ok = add(out, "grpc-encoding", encoding_name(target->options->compression));
    if (ok && request->timeout > 0) {
        char text[24];
        weir_grpc_timeout_print(request->timeout, text);
        ok = add(out, "grpc-timeout", text);
    }
    if (ok && target->auth.extension)
        return add_all(out, &stream->headers.configured) && add_all(out, &stream->headers.added);
    struct headers configured = { 0 };
    ok = ok && collect_configured(stream, &configured) && add_all(out, &configured);
    headers_free(&configured);
    return ok;
}

static bool add_slices(struct weir_slices *out, const struct weir_slices *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (!weir_slices_add(out, from->buffers[i], from->ranges[i].iov_base, from->ranges[i].iov_len))
            return false;
    return true;
}

int weir_grpc_call_body(const struct weir_grpc_stream *stream, struct weir_slices *out,
                        struct weir_error *error)
{
    const struct weir_grpc_request *request = stream->request;
    enum weir_encoding encoding = (enum weir_encoding)stream->client->target->options->compression;
    struct weir_buffer *compressed = NULL;
    if (encoding != WEIR_ENCODING_IDENTITY && !request->compressed &&
        weir_deflate(encoding, 0, &request->message, &compressed, error) < 0)
        return -1;
    size_t length = compressed ? compressed->length : request->message.bytes;
    if (length > UINT32_MAX) {
        weir_buffer_unref(compressed);
        return weir_error_set(error, "the message is larger than 4 GiB");
    }
    uint8_t prefix[PREFIX] = { encoding != WEIR_ENCODING_IDENTITY, (uint8_t)(length >> 24),
                               (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length };
    struct weir_buffer *head = weir_buffer_copy(prefix, PREFIX);
    bool ok = head && weir_slices_add(out, head, head->data, PREFIX);
    if (ok)
        ok = compressed ? weir_slices_add(out, compressed, compressed->data, compressed->length)
                        : add_slices(out, &request->message);
    weir_buffer_unref(head);
    weir_buffer_unref(compressed);
    return ok ? 0 : weir_error_set(error, "out of memory");
}

static uint32_t prefix_length(const struct weir_buffer *received)
{
    const uint8_t *p = received->data + 1;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool weir_grpc_call_receive(struct weir_grpc_stream *stream, const uint8_t *bytes, size_t length)
{
    if (!stream->received)
        stream->received = weir_buffer_new(length > 256 ? length : 256);
    struct weir_buffer *received = stream->received;
    if (!received || length > (size_t)WEIR_GRPC_RESPONSE_MAX + PREFIX - received->length ||
        !weir_buffer_append(received, bytes, length)) {
        weir_grpc_stream_finish(stream, WEIR_GRPC_RESOURCE_EXHAUSTED,
                                "grpc: received message larger than max (%d)", WEIR_GRPC_RESPONSE_MAX);
        return false;
    }
    if (received->length >= PREFIX && prefix_length(received) > WEIR_GRPC_RESPONSE_MAX) {
        weir_grpc_stream_finish(stream, WEIR_GRPC_RESOURCE_EXHAUSTED,
                                "grpc: received message larger than max (%lu vs. %d)",
                                (unsigned long)prefix_length(received), WEIR_GRPC_RESPONSE_MAX);
        return false;
    }
    return true;
}

/* Takes the one message of an answer that is OK. */
static void take_message(struct weir_grpc_stream *stream, const struct h2_stream *h2)
{
    struct weir_buffer *received = stream->received;
    if (!received) {
        weir_grpc_stream_finish(stream, WEIR_GRPC_INTERNAL, "the server sent no message");
        return;
    }
    if (received->length < PREFIX || received->data[0] > 1 ||
        prefix_length(received) != received->length - PREFIX) {
        weir_grpc_stream_finish(stream, WEIR_GRPC_INTERNAL,
                                "the server did not send exactly one whole message");
        return;
    }
    if (received->data[0] == 1) {
        enum weir_encoding encoding;
        struct weir_str name = headers_get(&h2->headers, "grpc-encoding");
        struct weir_inflate_limits limits = { .max_output = WEIR_GRPC_RESPONSE_MAX };
        struct weir_error error = WEIR_ERROR_INIT;
        struct weir_str message = weir_str_make((char *)received->data + PREFIX, received->length - PREFIX);
        if (!encoding_of(name, &encoding))
            weir_grpc_stream_finish(stream, WEIR_GRPC_INTERNAL,
                                    "grpc: compressed flag set with unknown encoding \"%.*s\"",
                                    WEIR_STR_ARG(name));
        else if (weir_inflate(encoding, message, &limits, &stream->body, &error) != WEIR_INFLATE_OK)
            weir_grpc_stream_finish(stream, WEIR_GRPC_INTERNAL,
                                    "grpc: failed to decompress the received message: %s",
                                    weir_error_text(&error));
        else
            weir_grpc_stream_finish(stream, WEIR_GRPC_OK, "%s", "");
        weir_error_free(&error);
        return;
    }
    weir_grpc_stream_finish(stream, WEIR_GRPC_OK, "%s", "");
}

static void take_details(struct weir_grpc_stream *stream, struct weir_str encoded)
{
    if (encoded.length == 0)
        return;
    stream->details = weir_grpc_base64_decode(encoded);
    if (!stream->details)
        return;
    struct weir_arena arena = { 0 };
    struct weir_rpc_status status;
    if (weir_status_decode(WEIR_OTLP_PROTOBUF, stream->details->data, stream->details->length, &arena,
                           &status, NULL) == 0 &&
        status.retry_delay_ns != WEIR_NO_RETRY_DELAY) {
        stream->has_retry_info = true;
        stream->retry_delay = status.retry_delay_ns;
    }
    weir_arena_free(&arena);
}

static bool is_grpc(struct weir_str type)
{
    static const struct weir_str prefix = { "application/grpc", 16 };
    return type.length >= prefix.length &&
           weir_str_equal_nocase(weir_str_make(type.data, prefix.length), prefix) &&
           (type.length == prefix.length || strchr("+;", type.data[prefix.length]));
}

void weir_grpc_call_end(struct weir_grpc_stream *stream, const struct h2_stream *h2)
{
    uint64_t http = 0, code = 0;
    (void)weir_str_to_u64(headers_get(&h2->headers, ":status"), &http);
    /* An error may come as headers only. */
    const struct headers *last =
        headers_get(&h2->trailers, "grpc-status").data ? &h2->trailers : &h2->headers;
    struct weir_str status = headers_get(last, "grpc-status");
    struct weir_str type = headers_get(&h2->headers, "content-type");
    if (http != 200 || !is_grpc(type)) {
        if (status.data && weir_str_to_u64(status, &code) && code > 0 && code <= INT32_MAX) {
            /* the server says what it means, whatever the rest looks like */
        } else {
            weir_grpc_stream_finish(
                stream, weir_grpc_code_of_http((unsigned)http),
                "unexpected HTTP status code received from server: %u; transport: received "
                "unexpected content-type \"%.*s\"",
                (unsigned)http, WEIR_STR_ARG(type));
            return;
        }
    } else if (!status.data || !weir_str_to_u64(status, &code) || code > INT32_MAX) {
        weir_grpc_stream_finish(stream, status.data ? WEIR_GRPC_UNKNOWN : WEIR_GRPC_INTERNAL,
                                status.data ? "malformed grpc-status: %.*s"
                                            : "server closed the stream without sending trailers%.*s",
                                WEIR_STR_ARG(status));
        return;
    }
    stream->answered = true;
    if (code == 0) {
        take_message(stream, h2);
        return;
    }
    char *message = percent_decode(headers_get(last, "grpc-message"));
    take_details(stream, headers_get(last, "grpc-status-details-bin"));
    weir_grpc_stream_finish(stream, (int)code, "%s", message);
    free(message);
}
