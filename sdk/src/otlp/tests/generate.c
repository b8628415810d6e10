// SPDX-License-Identifier: Apache-2.0
/*
 * Random OTLP requests, made by walking protobuf-c's descriptors.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "sdk/src/otlp/tests/oracle.h"

uint64_t oracle_next(struct oracle_random *random)
{
    uint64_t z = (random->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

size_t oracle_below(struct oracle_random *random, size_t below)
{
    return (size_t)(oracle_next(random) % below);
}

/* Mostly short and ASCII, as in life; now and then long, or of two to four bytes a character. */
static char *make_string(struct oracle_random *random)
{
    static const char *const characters[] = { "\u00e9", "\u20ac", "\U0001f600", "\xc2\x80", "\uffff" };
    size_t length = oracle_below(random, 40) == 0 ? oracle_below(random, 300) : oracle_below(random, 24);
    bool wide = oracle_below(random, 8) == 0;
    char *text = weir_xmalloc(length * 4 + 1);
    size_t at = 0;
    for (size_t i = 0; i < length; i++) {
        if (wide && oracle_below(random, 3) == 0)
            at = (size_t)(stpcpy(text + at, characters[oracle_below(random, 5)]) - text);
        else
            text[at++] = (char)(1 + oracle_below(random, 127));
    }
    text[at] = '\0';
    return text;
}

static ProtobufCBinaryData make_bytes(struct oracle_random *random, const char *name)
{
    size_t length = oracle_below(random, 20);
    const char *id = strstr(name, "_id");
    if (id && id[3] == '\0') {
        length = strstr(name, "span") ? 8 : 16;
        length = oracle_below(random, 5) == 0 ? 0 : length;
    }
    ProtobufCBinaryData bytes = { length, length ? weir_xmalloc(length) : NULL };
    for (size_t i = 0; i < length; i++)
        bytes.data[i] = (uint8_t)oracle_next(random);
    return bytes;
}

/* Numbers of every size, so that varints have every length. */
static uint64_t make_number(struct oracle_random *random)
{
    return oracle_next(random) >> oracle_below(random, 64);
}

static ProtobufCMessage *make_message(struct oracle_random *random,
                                      const ProtobufCMessageDescriptor *descriptor, unsigned depth);

static size_t size_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4;
    }
}

static void make_value(struct oracle_random *random, const ProtobufCFieldDescriptor *field, void *out,
                       unsigned depth)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        *(ProtobufCMessage **)out = make_message(random, field->descriptor, depth + 1);
    } else if (field->type == PROTOBUF_C_TYPE_STRING) {
        *(char **)out = make_string(random);
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        *(ProtobufCBinaryData *)out = make_bytes(random, field->name);
    } else if (field->type == PROTOBUF_C_TYPE_BOOL) {
        *(protobuf_c_boolean *)out = (protobuf_c_boolean)oracle_below(random, 2);
    } else {
        uint64_t number = make_number(random);
        memcpy(out, &number, size_of(field->type));
    }
}

static void make_list(struct oracle_random *random, const ProtobufCFieldDescriptor *field,
                      ProtobufCMessage *message, unsigned depth)
{
    static const unsigned most[] = { 4, 4, 8 }; /* groups, scope groups, entries */
    size_t count = oracle_below(random, depth < 3 ? most[depth] : 4);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        count = count > random->budget ? random->budget : count;
    if (count == 0)
        return;
    char *items = weir_xcalloc(count, size_of(field->type));
    for (size_t i = 0; i < count; i++)
        make_value(random, field, items + i * size_of(field->type), depth);
    *(size_t *)(void *)((char *)message + field->quantifier_offset) = count;
    *(void **)(void *)((char *)message + field->offset) = items;
}

static void make_field(struct oracle_random *random, const ProtobufCFieldDescriptor *field,
                       ProtobufCMessage *message, unsigned depth)
{
    bool nested = field->type == PROTOBUF_C_TYPE_MESSAGE;
    if (nested && (random->budget == 0 || depth > 20))
        return;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        make_list(random, field, message, depth);
        return;
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t *which = (uint32_t *)(void *)((char *)message + field->quantifier_offset);
        if (*which != 0 || oracle_below(random, 3) != 0)
            return;
        *which = field->id;
    } else if (oracle_below(random, 4) == 0) {
        return;
    }
    make_value(random, field, (char *)message + field->offset, depth);
}

static ProtobufCMessage *make_message(struct oracle_random *random,
                                      const ProtobufCMessageDescriptor *descriptor, unsigned depth)
{
    ProtobufCMessage *message = weir_xmalloc(descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, message);
    random->budget -= random->budget > 0;
    for (unsigned i = 0; i < descriptor->n_fields; i++)
        make_field(random, &descriptor->fields[i], message, depth);
    return message;
}

ProtobufCMessage *oracle_generate(struct oracle_random *random, enum weir_signal signal, size_t messages)
{
    random->budget = messages;
    return make_message(random, oracle_request(signal), 0);
}
