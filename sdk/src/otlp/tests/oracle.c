// SPDX-License-Identifier: Apache-2.0
/*
 * Packing, pruning and flattening of protobuf-c messages.
 */
#include <config.h>

#include "sdk/src/otlp/tests/oracle.h"

#include <stdlib.h>
#include <string.h>

#include <weir/wire.h>

#include "opentelemetry/proto/collector/logs/v1/logs_service.pb-c.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb-c.h"
#include "opentelemetry/proto/collector/profiles/v1development/profiles_service.pb-c.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"

const ProtobufCMessageDescriptor *oracle_request(enum weir_signal signal)
{
    switch (signal) {
    case WEIR_TRACES:
        return &opentelemetry__proto__collector__trace__v1__export_trace_service_request__descriptor;
    case WEIR_METRICS:
        return &opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__descriptor;
    case WEIR_LOGS:
        return &opentelemetry__proto__collector__logs__v1__export_logs_service_request__descriptor;
    default:
        return &opentelemetry__proto__collector__profiles__v1development__export_profiles_service_request__descriptor;
    }
}

uint8_t *oracle_pack(const ProtobufCMessage *message, size_t *length)
{
    *length = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = weir_xmalloc(*length + 1);
    protobuf_c_message_pack(message, bytes);
    return bytes;
}

ProtobufCMessage *oracle_unpack(enum weir_signal signal, const void *data, size_t length)
{
    return protobuf_c_message_unpack(oracle_request(signal), NULL, length, data);
}

static void *member(ProtobufCMessage *message, unsigned offset)
{
    return (char *)message + offset;
}

static size_t repeated_count(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return *(size_t *)member(message, field->quantifier_offset);
}

static void prune_single(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    bool oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    if (oneof && *(uint32_t *)member(message, field->quantifier_offset) != field->id)
        return;
    ProtobufCMessage **child = member(message, field->offset);
    if (!*child)
        return;
    oracle_prune(*child);
    if (!oneof && protobuf_c_message_get_packed_size(*child) == 0) {
        protobuf_c_message_free_unpacked(*child, NULL);
        *child = NULL;
    }
}

/* An id of zeros is unset, as an empty one is. */
static void prune_id(ProtobufCBinaryData *id)
{
    for (size_t i = 0; i < id->len; i++) {
        if (id->data[i] != 0)
            return;
    }
    free(id->data);
    *id = (ProtobufCBinaryData){ 0, NULL };
}

static void prune_field(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (strcmp(field->name, "key_strindex") == 0) {
        *(int32_t *)member(message, field->offset) = 0;
    } else if (strcmp(field->name, "string_value_strindex") == 0) {
        uint32_t *value = member(message, field->quantifier_offset);
        *value = *value == field->id ? 0 : *value;
    } else if (field->type == PROTOBUF_C_TYPE_BYTES && strstr(field->name, "_id")) {
        prune_id(member(message, field->offset));
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE && field->label == PROTOBUF_C_LABEL_REPEATED) {
        ProtobufCMessage **children = *(ProtobufCMessage ***)member(message, field->offset);
        for (size_t i = 0; i < repeated_count(message, field); i++)
            oracle_prune(children[i]);
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        prune_single(message, field);
    }
}

void oracle_prune(ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->n_unknown_fields; i++)
        free(message->unknown_fields[i].data);
    free(message->unknown_fields);
    message->unknown_fields = NULL;
    message->n_unknown_fields = 0;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++)
        prune_field(message, &message->descriptor->fields[i]);
}

uint8_t *oracle_canonical(enum weir_signal signal, const void *data, size_t length, size_t *out)
{
    ProtobufCMessage *request = oracle_unpack(signal, data, length);
    if (!request)
        return NULL;
    oracle_prune(request);
    uint8_t *bytes = oracle_pack(request, out);
    protobuf_c_message_free_unpacked(request, NULL);
    return bytes;
}

bool oracle_repeats(const ProtobufCMessageDescriptor *descriptor, const void *data, size_t length)
{
    struct weir_cursor cursor = weir_cursor_make(data, length);
    uint64_t seen = 0;
    uint32_t number;
    enum weir_wire_type type;
    struct weir_str payload;
    while (weir_cursor_tag(&cursor, &number, &type)) {
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(descriptor, number);
        if (type != WEIR_WIRE_BYTES || !field || field->type != PROTOBUF_C_TYPE_MESSAGE) {
            if (!weir_cursor_skip(&cursor, type))
                return false;
            continue;
        }
        uint64_t bit = field->label == PROTOBUF_C_LABEL_REPEATED ? 0 : UINT64_C(1) << number % 64;
        if (!weir_cursor_bytes(&cursor, &payload) || (seen & bit) ||
            oracle_repeats(field->descriptor, payload.data, payload.length))
            return true;
        seen |= bit;
    }
    return false;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return (hash ^ length) * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t hash_message(uint64_t hash, const ProtobufCMessage *message)
{
    size_t length = 0;
    if (!message)
        return hash_bytes(hash, "", 0);
    uint8_t *bytes = oracle_pack(message, &length);
    hash = hash_bytes(hash, bytes, length);
    free(bytes);
    return hash;
}

static void add(struct oracle_items *items, uint64_t hash)
{
    if ((items->count & (items->count - 1)) == 0)
        items->hashes = weir_xrealloc(items->hashes, (items->count ? items->count * 2 : 1) * sizeof(hash));
    items->hashes[items->count++] = hash;
}

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessage *message, unsigned number)
{
    return protobuf_c_message_descriptor_get_field(message->descriptor, number);
}

static ProtobufCMessage *single(ProtobufCMessage *message, unsigned number)
{
    return *(ProtobufCMessage **)member(message, field_of(message, number)->offset);
}

static ProtobufCMessage **list(ProtobufCMessage *message, unsigned number, size_t *count)
{
    const ProtobufCFieldDescriptor *field = field_of(message, number);
    *count = repeated_count(message, field);
    return *(ProtobufCMessage ***)member(message, field->offset);
}

/* What a group or scope group says besides its children: field 1, a message, and field 3, a string. */
static uint64_t hash_head(uint64_t hash, ProtobufCMessage *message)
{
    hash = hash_message(hash, single(message, 1));
    const char *schema = *(char **)member(message, field_of(message, 3)->offset);
    return hash_bytes(hash, schema, strlen(schema));
}

/* One hash for each data point: that of the metric with this point only. */
static void flatten_metric(struct oracle_items *items, uint64_t hash, ProtobufCMessage *metric)
{
    static const unsigned data[] = { 5, 7, 9, 10, 11 };
    for (size_t d = 0; d < sizeof(data) / sizeof(data[0]); d++) {
        const ProtobufCFieldDescriptor *field = field_of(metric, data[d]);
        if (*(uint32_t *)member(metric, field->quantifier_offset) != field->id)
            continue;
        ProtobufCMessage *kind = single(metric, field->id);
        const ProtobufCFieldDescriptor *points = field_of(kind, 1);
        size_t *count = member(kind, points->quantifier_offset);
        ProtobufCMessage ***list_of = member(kind, points->offset);
        ProtobufCMessage **all = *list_of;
        size_t had = *count;
        *count = 1;
        for (size_t i = 0; i < had; i++) {
            *list_of = &all[i];
            add(items, hash_message(hash, metric));
        }
        *list_of = all;
        *count = had;
    }
}

struct oracle_items oracle_flatten(enum weir_signal signal, ProtobufCMessage *request)
{
    struct oracle_items items = { NULL, 0 };
    size_t groups, scopes, entries;
    ProtobufCMessage **group = list(request, 1, &groups);
    for (size_t g = 0; g < groups; g++) {
        uint64_t of_group = hash_head(UINT64_C(0xcbf29ce484222325), group[g]);
        ProtobufCMessage **scope = list(group[g], 2, &scopes);
        for (size_t s = 0; s < scopes; s++) {
            uint64_t of_scope = hash_head(of_group, scope[s]);
            ProtobufCMessage **entry = list(scope[s], 2, &entries);
            for (size_t e = 0; e < entries; e++) {
                if (signal == WEIR_METRICS)
                    flatten_metric(&items, of_scope, entry[e]);
                else
                    add(&items, hash_message(of_scope, entry[e]));
            }
        }
    }
    return items;
}

void oracle_items_join(struct oracle_items *to, struct oracle_items *from)
{
    for (size_t i = 0; i < from->count; i++)
        add(to, from->hashes[i]);
    oracle_items_free(from);
}

void oracle_items_free(struct oracle_items *items)
{
    free(items->hashes);
    *items = (struct oracle_items){ NULL, 0 };
}
