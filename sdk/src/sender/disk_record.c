// SPDX-License-Identifier: Apache-2.0
/* Writing and reading the envelope (pdata/xpdata/request/internal/request.proto). */
#include <config.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <weir/context.h>
#include <weir/sys/queue.h>
#include <weir/wire.h>

#include "sdk/src/sender/disk_record.h"

#define FORMAT_VERSION 1
#define PORT_MAX 65535

enum { REQUEST_VERSION = 1, REQUEST_CONTEXT = 2, REQUEST_DATA = 3 };
enum { CONTEXT_METADATA = 2, CONTEXT_TCP = 4, CONTEXT_UNIX = 6 };
enum { TCP_IP = 1, TCP_PORT = 2, UNIX_NAME = 1 };
enum { PAIR_KEY = 1, PAIR_VALUE = 2 };
enum { ANY_STRING = 1, ANY_ARRAY = 5, ARRAY_VALUES = 1 };

/* --- writing --- */

static void put_varint(struct weir_text *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        weir_text_addc(out, (char)(value | 0x80));
    weir_text_addc(out, (char)value);
}

static void put_bytes(struct weir_text *out, unsigned field, struct weir_str bytes)
{
    put_varint(out, field << 3 | WEIR_WIRE_BYTES);
    put_varint(out, bytes.length);
    weir_text_add(out, bytes.data, bytes.length);
}

static void put_text(struct weir_text *out, unsigned field, struct weir_text *text)
{
    put_bytes(out, field, weir_text_view(text));
    weir_text_clear(text);
}

/* One key with all its values: {key, {array_value: {values: [{string_value}...]}}}. Returns how many there were. */
static size_t put_key(struct weir_text *out, const struct weir_metadata *metadata, size_t count)
{
    struct weir_text value = { 0 }, array = { 0 }, any = { 0 }, pair = { 0 };
    size_t values = 0;
    for (; values < count && weir_str_compare(metadata[values].key, metadata[0].key) == 0; values++) {
        put_bytes(&value, ANY_STRING, metadata[values].value);
        put_text(&array, ARRAY_VALUES, &value);
    }
    put_text(&any, ANY_ARRAY, &array);
    put_bytes(&pair, PAIR_KEY, metadata[0].key);
    put_text(&pair, PAIR_VALUE, &any);
    put_text(out, CONTEXT_METADATA, &pair);
    weir_text_free(&value);
    weir_text_free(&array);
    weir_text_free(&any);
    weir_text_free(&pair);
    return values;
}

/* The bytes of an address as text, "1.2.3.4" or "[::1]"; 0 if it is none. */
static size_t parse_ip(struct weir_str text, uint8_t out[16])
{
    char copy[INET6_ADDRSTRLEN] = "";
    bool brackets = text.length >= 2 && text.data[0] == '[' && text.data[text.length - 1] == ']';
    if (brackets)
        text = weir_str_make(text.data + 1, text.length - 2);
    if (text.length == 0 || text.length >= sizeof copy)
        return 0;
    memcpy(copy, text.data, text.length);
    if (brackets)
        return inet_pton(AF_INET6, copy, out) == 1 ? 16 : 0;
    return inet_pton(AF_INET, copy, out) == 1 ? 4 : 0;
}

static bool put_tcp(struct weir_text *out, struct weir_str peer)
{
    uint8_t ip[16];
    uint64_t port;
    const char *colon = peer.length > 0 ? memrchr(peer.data, ':', peer.length) : NULL;
    if (!colon || !weir_str_to_u64(weir_str_make(colon + 1, (size_t)(peer.data + peer.length - colon - 1)), &port))
        return false;
    size_t bytes = parse_ip(weir_str_make(peer.data, (size_t)(colon - peer.data)), ip);
    if (bytes == 0 || port > PORT_MAX)
        return false;
    struct weir_text address = { 0 };
    put_bytes(&address, TCP_IP, weir_str_make((const char *)ip, bytes));
    put_varint(&address, TCP_PORT << 3 | WEIR_WIRE_VARINT);
    put_varint(&address, port);
    put_text(out, CONTEXT_TCP, &address);
    weir_text_free(&address);
    return true;
}

static void put_peer(struct weir_text *out, struct weir_str peer)
{
    if (peer.length == 0 || put_tcp(out, peer))
        return;
    struct weir_text address = { 0 };
    put_bytes(&address, UNIX_NAME, peer);
    put_text(out, CONTEXT_UNIX, &address);
    weir_text_free(&address);
}

static void put_context(struct weir_text *out, const struct weir_context *context)
{
    struct weir_text text = { 0 };
    size_t count, at = 0;
    const struct weir_metadata *metadata = weir_context_metadata(context, &count);
    while (at < count)
        at += put_key(&text, metadata + at, count - at);
    put_peer(&text, weir_context_peer(context));
    if (text.length > 0)
        put_text(out, REQUEST_CONTEXT, &text);
    weir_text_free(&text);
}

bool disk_record_encode(struct weir_batch *batch, struct weir_slices *out)
{
    static const char version[] = { REQUEST_VERSION << 3 | WEIR_WIRE_FIXED32, FORMAT_VERSION, 0, 0, 0 };
    struct weir_text head = { 0 };
    weir_text_add(&head, version, sizeof version);
    put_context(&head, weir_batch_context(batch));
    put_varint(&head, REQUEST_DATA << 3 | WEIR_WIRE_BYTES);
    put_varint(&head, weir_batch_bytes(batch));
    struct weir_buffer *buffer = weir_buffer_copy(head.data, head.length);
    bool ok = buffer && weir_slices_add(out, buffer, buffer->data, buffer->length) && weir_batch_encode(batch, out);
    weir_buffer_unref(buffer);
    weir_text_free(&head);
    if (!ok)
        weir_slices_clear(out);
    return ok;
}

/* --- reading --- */

struct pairs {
    struct weir_metadata *items;
    size_t count, capacity;
};

static void add_pair(struct pairs *pairs, struct weir_str key, struct weir_str value)
{
    if (pairs->count == pairs->capacity) {
        pairs->capacity = pairs->capacity ? pairs->capacity * 2 : 8;
        pairs->items = weir_xrealloc(pairs->items, pairs->capacity * sizeof *pairs->items);
    }
    pairs->items[pairs->count++] = (struct weir_metadata){ key, value };
}

/* The next field of a message: its bytes where it has some. False at the end and where the message is broken (`broken`
 * is then true). */
struct field {
    uint32_t number;
    enum weir_wire_type type;
    struct weir_str bytes;
    uint64_t value;
};

static bool next_field(struct weir_cursor *cursor, struct field *field, bool *broken)
{
    uint32_t word = 0;
    *field = (struct field){ 0 };
    if (weir_cursor_left(cursor) == 0)
        return false;
    *broken = true;
    if (!weir_cursor_tag(cursor, &field->number, &field->type))
        return false;
    if (field->type == WEIR_WIRE_BYTES)
        *broken = !weir_cursor_bytes(cursor, &field->bytes);
    else if (field->type == WEIR_WIRE_VARINT)
        *broken = !weir_cursor_varint(cursor, &field->value);
    else if (field->type == WEIR_WIRE_FIXED32)
        *broken = !weir_cursor_fixed32(cursor, &word);
    else
        *broken = !weir_cursor_skip(cursor, field->type);
    if (field->type == WEIR_WIRE_FIXED32)
        field->value = word;
    return !*broken;
}

/* Adds the strings of an AnyValue: itself or, if it is an array, its elements. */
static bool read_any(struct pairs *pairs, struct weir_str key, struct weir_str bytes, bool inside)
{
    struct weir_cursor cursor = weir_cursor_make(bytes.data, bytes.length);
    struct field field;
    bool broken = false;
    while (next_field(&cursor, &field, &broken)) {
        if (field.number == ANY_STRING && field.type == WEIR_WIRE_BYTES)
            add_pair(pairs, key, field.bytes);
        if (field.number != ANY_ARRAY || field.type != WEIR_WIRE_BYTES || inside)
            continue;
        struct weir_cursor values = weir_cursor_make(field.bytes.data, field.bytes.length);
        while (next_field(&values, &field, &broken))
            if (field.number == ARRAY_VALUES && !read_any(pairs, key, field.bytes, true))
                return false;
        if (broken)
            return false;
    }
    return !broken;
}

static bool read_pair(struct pairs *pairs, struct weir_str bytes)
{
    struct weir_cursor cursor = weir_cursor_make(bytes.data, bytes.length);
    struct weir_str key = WEIR_STR_NONE, value = WEIR_STR_NONE;
    struct field field;
    bool broken = false;
    while (next_field(&cursor, &field, &broken)) {
        if (field.number == PAIR_KEY)
            key = field.bytes;
        else if (field.number == PAIR_VALUE)
            value = field.bytes;
    }
    return !broken && read_any(pairs, key, value, false);
}

/* "1.2.3.4:5" or "[::1]:5" for a TCP address. */
static bool read_tcp(struct weir_str bytes, struct weir_text *peer)
{
    struct weir_cursor cursor = weir_cursor_make(bytes.data, bytes.length);
    struct weir_str ip = WEIR_STR_NONE;
    uint64_t port = 0;
    struct field field;
    char text[INET6_ADDRSTRLEN];
    bool broken = false;
    while (next_field(&cursor, &field, &broken)) {
        if (field.number == TCP_IP)
            ip = field.bytes;
        else if (field.number == TCP_PORT)
            port = field.value;
    }
    if (!broken && (ip.length == 4 || ip.length == 16) &&
        inet_ntop(ip.length == 4 ? AF_INET : AF_INET6, ip.data, text, sizeof text))
        weir_text_addf(peer, ip.length == 4 ? "%s:%u" : "[%s]:%u", text, (unsigned)(port & PORT_MAX));
    return !broken;
}

static bool read_unix(struct weir_str bytes, struct weir_text *peer)
{
    struct weir_cursor cursor = weir_cursor_make(bytes.data, bytes.length);
    struct field field;
    bool broken = false;
    while (next_field(&cursor, &field, &broken))
        if (field.number == UNIX_NAME)
            weir_text_add(peer, field.bytes.data, field.bytes.length);
    return !broken;
}

/* What the request came with; NULL when there is nothing, or nothing that can be read: the telemetry counts more. */
static struct weir_context *read_context(struct weir_str bytes)
{
    struct weir_cursor cursor = weir_cursor_make(bytes.data, bytes.length);
    struct pairs pairs = { 0 };
    struct weir_text peer = { 0 };
    struct field field;
    bool broken = false, ok = true;
    while (ok && next_field(&cursor, &field, &broken)) {
        if (field.type != WEIR_WIRE_BYTES)
            continue;
        if (field.number == CONTEXT_METADATA)
            ok = read_pair(&pairs, field.bytes);
        else if (field.number == CONTEXT_TCP)
            ok = read_tcp(field.bytes, &peer);
        else if (field.number == CONTEXT_UNIX)
            ok = read_unix(field.bytes, &peer);
    }
    struct weir_context *context = NULL;
    if (ok && !broken && pairs.count + peer.length > 0)
        context = weir_context_new(NULL, weir_text_view(&peer), pairs.items, pairs.count);
    free(pairs.items);
    weir_text_free(&peer);
    return context;
}

struct envelope {
    struct weir_str context, data;
};

static bool open_envelope(const uint8_t *bytes, size_t length, struct envelope *out)
{
    struct weir_cursor cursor = weir_cursor_make(bytes, length);
    struct field field;
    bool broken = false, has_data = false;
    *out = (struct envelope){ WEIR_STR_NONE, weir_str_make((const char *)bytes, length) };
    if (length == 0 || bytes[0] != (REQUEST_VERSION << 3 | WEIR_WIRE_FIXED32))
        return true; /* the bare request, as it was before there were envelopes */
    while (next_field(&cursor, &field, &broken)) {
        if (field.number == REQUEST_VERSION && field.value != FORMAT_VERSION)
            return false;
        if (field.type != WEIR_WIRE_BYTES)
            continue;
        if (field.number == REQUEST_CONTEXT)
            out->context = field.bytes;
        has_data |= field.number == REQUEST_DATA;
        if (field.number == REQUEST_DATA)
            out->data = field.bytes;
    }
    return !broken && has_data;
}

bool weir_queue_request(const void *record, size_t length, struct weir_str *out)
{
    struct envelope envelope;
    if (!open_envelope(record, length, &envelope))
        return false;
    *out = envelope.data;
    return true;
}

struct weir_batch *disk_record_decode(enum weir_signal signal, struct weir_buffer *buffer, const uint8_t *data,
                                      size_t length, struct weir_error *error)
{
    struct envelope envelope;
    if (!open_envelope(data, length, &envelope)) {
        weir_error_set(error, "not a request of format version %d", FORMAT_VERSION);
        return NULL;
    }
    struct weir_batch *batch =
        weir_batch_from_bytes(signal, buffer, envelope.data.data, envelope.data.length, error);
    struct weir_context *context = batch ? read_context(envelope.context) : NULL;
    if (context)
        weir_batch_set_context(batch, context);
    weir_context_unref(context);
    return batch;
}
