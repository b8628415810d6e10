// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include <stdlib.h>

#include "sdk/src/otlp/field.h"
#include "sdk/src/otlp/rewrite.h"
#include "sdk/src/otlp/write.h"

static uint32_t attributes_number(const struct weir_entry *entry)
{
    return entry->scope->group->chunk->batch->signal == WEIR_TRACES ? 9 : 6;
}

bool otlp_can_rewrite(const struct weir_entry *entry)
{
    enum weir_signal signal = entry->scope->group->chunk->batch->signal;
    return (signal == WEIR_TRACES || signal == WEIR_LOGS) && !entry->changed;
}

struct weir_str otlp_rule_attribute(struct weir_arena *arena, const struct weir_attribute *attribute)
{
    struct otlp_writer writer = { NULL, NULL, NULL, false };
    const struct weir_attributes one = { .items = (struct weir_attribute *)(uintptr_t)attribute, .count = 1 };
    otlp_write_attributes(&writer, 1, &one);
    struct otlp_slice field = { writer.at, NULL, otlp_written(&writer) };
    struct weir_str bytes = writer.failed ? WEIR_STR_NONE : weir_arena_copy(arena, otlp_slice_payload(&field));
    free(writer.start);
    return bytes;
}

/* Makes *raw what the rules make of it: a field of key `key`, whose payload is the message. *changed tells whether that is
 * something else. */
static bool rewrite(struct otlp_pass *pass, struct otlp_chunk *chunk, uint8_t key, struct otlp_slice *raw, bool *changed)
{
    struct weir_str message = otlp_slice_payload(raw);
    struct weir_buffer *buffer;
    *changed = otlp_pass_measure(pass, message);
    if (!*changed)
        return true;
    size_t size = weir_wire_bytes_size(pass->size);
    uint8_t *bytes = otlp_chunk_fresh(chunk, size, &buffer);
    if (!bytes)
        return false;
    *raw = (struct otlp_slice){ bytes, buffer, size };
    *bytes++ = key;
    otlp_pass_write(pass, weir_wire_put_varint(bytes, pass->size), message);
    return true;
}

bool otlp_rewrite(struct weir_entry *entry, const struct otlp_rule *rules, size_t count)
{
    struct otlp_pass pass;
    struct otlp_slice raw = entry->raw;
    bool changed;
    otlp_pass_start(&pass, rules, count, attributes_number(entry));
    if (!rewrite(&pass, entry->scope->group->chunk, OTLP_KEY_2, &raw, &changed))
        return false;
    if (changed)
        otlp_entry_replace(entry, raw);
    return true;
}

bool otlp_can_rewrite_resource(struct weir_group *group)
{
    return otlp_open_group(group) && !group->resource.changed;
}

bool otlp_rewrite_resource(struct weir_group *group, const struct otlp_rule *rules, size_t count)
{
    struct otlp_pass pass;
    struct otlp_slice raw = group->resource.raw;
    bool changed;
    otlp_pass_start(&pass, rules, count, 1);
    if (!rewrite(&pass, group->chunk, OTLP_KEY_1, &raw, &changed))
        return false;
    if (changed)
        otlp_resource_replace(group, raw);
    return true;
}
