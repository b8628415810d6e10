// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "sdk/src/otlp/field.h"
#include "sdk/src/otlp/rules.h"

void otlp_pass_start(struct otlp_pass *pass, const struct otlp_rule *rules, size_t count, uint32_t number)
{
    *pass = (struct otlp_pass){ .rules = rules, .count = count, .number = number };
    for (size_t i = 0; i < count; i++) {
        pass->lengths |= UINT64_C(1) << rules[i].key.length % 64;
        pass->all_added += rules[i].added.data ? weir_wire_bytes_size(rules[i].added.length) : 0;
    }
}

/* The rule for the attribute; count: none. */
static size_t find_rule(const struct otlp_pass *pass, struct weir_str attribute)
{
    struct weir_str key = otlp_key_of(attribute);
    for (size_t i = 0; i < pass->count; i++) {
        if (weir_str_equal(key, pass->rules[i].key))
            return i;
    }
    return pass->count;
}

/* The length of the field at `p`, if it takes but a glance to tell that no rule is about it; 0: look closer. */
static inline size_t unconcerned(const struct otlp_pass *pass, const uint8_t *p, size_t left)
{
    if (left < 9 || p[0] >= 0x80)
        return 0;
    switch (p[0] & 7) {
    case WEIR_WIRE_VARINT:
        return p[1] < 0x80 ? 2 : 0;
    case WEIR_WIRE_FIXED64:
        return 9;
    case WEIR_WIRE_FIXED32:
        return 5;
    case WEIR_WIRE_BYTES:
        break;
    default:
        return 0;
    }
    size_t length = p[1];
    if (length >= 0x80 || length + 2 > left)
        return 0;
    if (p[0] >> 3 != pass->number)
        return length + 2;
    // A KeyValue of a short key and, right behind it, a short value that is all the rest.
    size_t key = p[3];
    if (p[2] != OTLP_KEY_1 || key + 4 > length || p[4 + key] != OTLP_KEY_2 || p[5 + key] != length - key - 4)
        return 0;
    return pass->lengths >> key % 64 & 1 ? 0 : length + 2;
}

/* The next attribute that a rule is about. */
static inline bool next_concerned(const struct otlp_pass *pass, struct weir_cursor *cursor, struct otlp_field *field,
                                  size_t *rule)
{
    for (;;) {
        size_t length = unconcerned(pass, cursor->at, weir_cursor_left(cursor));
        if (length > 0) {
            cursor->at += length;
            continue;
        }
        if (!otlp_next_field(cursor, field))
            return false;
        *rule = field->number == pass->number ? find_rule(pass, field->payload) : pass->count;
        if (*rule < pass->count)
            return true;
    }
}

static void find_present(struct otlp_pass *pass, struct weir_str message)
{
    struct weir_cursor cursor = otlp_fields(message);
    struct otlp_field field;
    size_t at;
    while (next_concerned(pass, &cursor, &field, &at)) {
        const struct otlp_rule *rule = &pass->rules[at];
        bool first = !(pass->present >> at & 1);
        pass->present |= UINT64_C(1) << at;
        if (rule->remove || (rule->put.data && first)) {
            pass->moved = true;
            pass->size -= field.length;
            pass->size += rule->remove ? 0 : weir_wire_bytes_size(rule->put.length);
        }
    }
}

static bool appends(const struct otlp_pass *pass, size_t at)
{
    const struct otlp_rule *rule = &pass->rules[at];
    return rule->added.data && (rule->remove || !(pass->present >> at & 1));
}

bool otlp_pass_measure(struct otlp_pass *pass, struct weir_str message)
{
    pass->present = 0;
    pass->moved = false;
    pass->size = message.length;
    find_present(pass, message);
    bool changed = pass->moved;
    for (size_t i = 0; i < pass->count; i++) {
        if (!appends(pass, i))
            continue;
        pass->size += weir_wire_bytes_size(pass->rules[i].added.length);
        changed = true;
    }
    return changed;
}

static uint8_t *put_attribute(const struct otlp_pass *pass, uint8_t *at, struct weir_str attribute)
{
    *at++ = (uint8_t)(pass->number << 3 | WEIR_WIRE_BYTES);
    at = weir_wire_put_varint(at, attribute.length);
    memcpy(at, attribute.data, attribute.length);
    return at + attribute.length;
}

static uint8_t *copy_range(uint8_t *out, const uint8_t *from, const uint8_t *to)
{
    size_t length = (size_t)(to - from);
    if (length > 0)
        memcpy(out, from, length);
    return out + length;
}

/* Copies the fields, but for those that are replaced or removed. */
static uint8_t *copy_fields(const struct otlp_pass *pass, uint8_t *out, struct weir_str message)
{
    struct weir_cursor cursor = otlp_fields(message);
    const uint8_t *from = cursor.at; /* what is not copied yet */
    struct otlp_field field;
    uint64_t replaced = 0;
    size_t at;
    while (next_concerned(pass, &cursor, &field, &at)) {
        const struct otlp_rule *rule = &pass->rules[at];
        bool replace = !rule->remove && rule->put.data && !(replaced >> at & 1);
        if (!rule->remove && !replace)
            continue;
        out = copy_range(out, from, field.start);
        from = cursor.at;
        if (replace) {
            replaced |= UINT64_C(1) << at;
            out = put_attribute(pass, out, rule->put);
        }
    }
    return copy_range(out, from, cursor.end);
}

uint8_t *otlp_pass_write(const struct otlp_pass *pass, uint8_t *out, struct weir_str message)
{
    const struct weir_cursor all = otlp_fields(message);
    out = pass->moved ? copy_fields(pass, out, message) : copy_range(out, all.at, all.end);
    for (size_t i = 0; i < pass->count; i++) {
        if (appends(pass, i))
            out = put_attribute(pass, out, pass->rules[i].added);
    }
    return out;
}
