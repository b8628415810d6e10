// SPDX-License-Identifier: Apache-2.0
/*
 * The backward writer, and values, attributes, resources and scopes.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/otlp/write.h"

#define LEAST 4096u

bool otlp_writer_grow(struct otlp_writer *writer, size_t more)
{
    size_t written = otlp_written(writer), need, capacity;
    if (writer->failed)
        return false;
    if (!weir_size_add(written, more, &need) || !weir_size_mul(need, 2, &capacity)) {
        writer->failed = true;
        return false;
    }
    capacity = capacity < LEAST ? LEAST : capacity;
    uint8_t *start = malloc(capacity);
    if (!start) {
        writer->failed = true;
        return false;
    }
    if (written > 0)
        memcpy(start + capacity - written, writer->at, written);
    free(writer->start);
    writer->start = start;
    writer->end = start + capacity;
    writer->at = writer->end - written;
    return true;
}

static void write_attribute(struct otlp_writer *writer, uint32_t number,
                            const struct weir_attribute *attribute, unsigned depth)
{
    size_t before = otlp_written(writer);
    if (attribute->value.type != WEIR_VALUE_EMPTY) {
        otlp_write_value(writer, &attribute->value, depth);
        otlp_write_wrap(writer, 2, before);
    }
    otlp_write_string(writer, 1, attribute->key);
    otlp_write_wrap(writer, number, before);
}

static void write_list(struct otlp_writer *writer, uint32_t number, const struct weir_attributes *attributes,
                       unsigned depth)
{
    for (size_t i = attributes->count; i > 0; i--)
        write_attribute(writer, number, &attributes->items[i - 1], depth);
}

void otlp_write_attributes(struct otlp_writer *writer, uint32_t number,
                           const struct weir_attributes *attributes)
{
    write_list(writer, number, attributes, 0);
}

static void write_array(struct otlp_writer *writer, const struct weir_values *array, unsigned depth)
{
    for (size_t i = array->count; i > 0; i--) {
        size_t before = otlp_written(writer);
        otlp_write_value(writer, &array->items[i - 1], depth);
        otlp_write_wrap(writer, 1, before);
    }
}

/* What is nested deeper than anybody reads is left out. */
void otlp_write_value(struct otlp_writer *writer, const struct weir_value *value, unsigned depth)
{
    size_t before = otlp_written(writer);
    if (++depth > WEIR_BATCH_MAX_DEPTH)
        return;
    switch (value->type) {
    case WEIR_VALUE_EMPTY:
        break;
    case WEIR_VALUE_STRING:
        otlp_write_string_always(writer, 1, value->string);
        break;
    case WEIR_VALUE_BOOL:
        otlp_write_varint_always(writer, 2, value->boolean);
        break;
    case WEIR_VALUE_INT:
        otlp_write_varint_always(writer, 3, (uint64_t)value->integer);
        break;
    case WEIR_VALUE_DOUBLE:
        otlp_write_fixed64_always(writer, 4, otlp_double_bits(value->number));
        break;
    case WEIR_VALUE_ARRAY:
        write_array(writer, &value->array, depth);
        otlp_write_wrap(writer, 5, before);
        break;
    case WEIR_VALUE_MAP:
        write_list(writer, 1, &value->map, depth);
        otlp_write_wrap(writer, 6, before);
        break;
    case WEIR_VALUE_BYTES:
        otlp_write_string_always(writer, 7, value->string);
        break;
    }
}

static void write_strings(struct otlp_writer *writer, uint32_t number, const struct weir_str *strings,
                          size_t count)
{
    for (size_t i = count; i > 0; i--)
        otlp_write_string_always(writer, number, strings[i - 1]);
}

void otlp_write_resource(struct otlp_writer *writer, const struct weir_resource *resource)
{
    for (size_t i = resource->entity_ref_count; i > 0; i--) {
        const struct weir_entity_ref *ref = &resource->entity_refs[i - 1];
        size_t before = otlp_written(writer);
        write_strings(writer, 4, ref->description_keys, ref->description_key_count);
        write_strings(writer, 3, ref->id_keys, ref->id_key_count);
        otlp_write_string(writer, 2, ref->type);
        otlp_write_string(writer, 1, ref->schema_url);
        otlp_write_wrap(writer, 3, before);
    }
    otlp_write_varint(writer, 2, resource->dropped_attributes_count);
    otlp_write_attributes(writer, 1, &resource->attributes);
}

void otlp_write_scope(struct otlp_writer *writer, const struct weir_scope *scope)
{
    otlp_write_varint(writer, 4, scope->dropped_attributes_count);
    otlp_write_attributes(writer, 3, &scope->attributes);
    otlp_write_string(writer, 2, scope->version);
    otlp_write_string(writer, 1, scope->name);
}
