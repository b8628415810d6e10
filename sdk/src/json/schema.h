// SPDX-License-Identifier: Apache-2.0
/*
 * The messages of OTLP traces, metrics and logs as tables, from which both directions of OTLP/JSON work
 * (opentelemetry-proto 1.x; protobuf's ProtoJSON mapping with OTLP's changes: hex ids, integer enums).
 */
#ifndef WEIR_SRC_JSON_SCHEMA_H
#define WEIR_SRC_JSON_SCHEMA_H

#include <weir/str.h>
#include <weir/wire.h>

enum schema_kind {
    SCHEMA_STRING,
    SCHEMA_BYTES,    /* base64 */
    SCHEMA_TRACE_ID, /* 16 bytes, as hex */
    SCHEMA_SPAN_ID,  /* 8 bytes, as hex */
    SCHEMA_MESSAGE,
    SCHEMA_BOOL,
    SCHEMA_ENUM,
    SCHEMA_INT32,
    SCHEMA_UINT32,
    SCHEMA_SINT32, /* zigzag */
    SCHEMA_INT64,
    SCHEMA_UINT64,
    SCHEMA_FIXED32,
    SCHEMA_DOUBLE,
    SCHEMA_FIXED64,
    SCHEMA_SFIXED64,
};

/* Field flags. */
#define SCHEMA_REPEATED 1
#define SCHEMA_ONEOF 2    /* of the message's one oneof: has presence, and excludes its siblings */
#define SCHEMA_OPTIONAL 4 /* has presence */
#define SCHEMA_ALWAYS 8   /* a message that JSON output shows even when absent, as upstream does */

/* The names of an enum whose numbers are 0, 1, 2, ... */
struct schema_enum {
    const char *const *names;
    size_t count;
};

struct schema_message;

struct schema_field {
    const char *key; /* as it stands in JSON: "name": with quotes and colon */
    uint64_t head;   /* its first eight bytes as they lie in memory, or as many as it has */
    uint64_t mask;   /* those bytes' bits */
    uint64_t tail;   /* its last eight bytes, where it has more */
    uint8_t number;
    uint8_t kind;
    uint8_t flags;
    uint8_t name_length; /* without quotes and colon */
    struct schema_message *message;
    const struct schema_enum *names;
};

#define SCHEMA_MAX_FIELDS 16
#define SCHEMA_MAX_NUMBER 16

/* Fields stand in the order of the .proto file, which is the order of JSON output. What follows `is_item` is computed
 * by schema_request, as are the fields' `head`, `mask` and `tail`. */
struct schema_message {
    struct schema_field *fields;
    uint8_t count;
    uint8_t length_bytes; /* of the length prefix to expect of it */
    bool is_item;         /* a span, data point or log record */
    uint8_t slot;         /* its place among all messages */
    uint16_t always;      /* bit i: field i is SCHEMA_ALWAYS */
    uint16_t oneof;
    uint16_t singles; /* messages that are not repeated */
    uint8_t by_number[SCHEMA_MAX_NUMBER + 1]; /* index + 1; 0: no such field */
};

#define SCHEMA_MESSAGES 34

extern struct schema_message schema_any_value, schema_key_value;

/* The message of an export request; NULL for profiles, which have no table. Any thread. */
const struct schema_message *schema_request(enum weir_signal signal);

/* The wire type of one value of the kind. */
static inline enum weir_wire_type schema_wire_type(enum schema_kind kind)
{
    if (kind <= SCHEMA_MESSAGE)
        return WEIR_WIRE_BYTES;
    if (kind == SCHEMA_FIXED32)
        return WEIR_WIRE_FIXED32;
    return kind >= SCHEMA_DOUBLE ? WEIR_WIRE_FIXED64 : WEIR_WIRE_VARINT;
}

/* Of the key as it stands in JSON. */
static inline size_t schema_key_length(const struct schema_field *field)
{
    return (size_t)field->name_length + 3;
}

/* Kinds whose repeated values are packed. */
static inline bool schema_is_number(enum schema_kind kind)
{
    return kind > SCHEMA_MESSAGE;
}

#endif
