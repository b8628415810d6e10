// SPDX-License-Identifier: Apache-2.0
/*
 * The validator: framing, lengths, wire types, ids, UTF-8 and depth of a whole request, and its item count.
 *
 * It is the dearest step of a pipeline that only passes telemetry on, so the field loop goes through tables
 * by the first byte of the key, and runs of attributes with short keys and values take a short cut.
 */
#include <config.h>

#include "sdk/src/otlp/validate.h"

#include <weir/batch.h>

#include "sdk/src/otlp/ascii.h"
#include "sdk/src/otlp/schema.h"

struct check {
    const uint8_t *end; /* of the whole request: loads may look that far */
    size_t items;
    bool unusual;
    const char *reason; /* why it is refused, with the message and the place */
    unsigned message;
    const uint8_t *at;
};

static bool walk(struct check *check, unsigned message, const uint8_t *p, const uint8_t *end, unsigned depth);

static const uint8_t *refuse(struct check *check, const char *reason, unsigned message, const uint8_t *at)
{
    check->reason = reason;
    check->message = message;
    check->at = at;
    return NULL;
}

/* Behind a varint of at most `longest` bytes; NULL when it does not end in time. */
static inline const uint8_t *varint_end(const uint8_t *p, const uint8_t *end, size_t longest)
{
    if (p < end && *p < 0x80)
        return p + 1;
    if ((size_t)(end - p) > longest)
        end = p + longest;
    while (p < end) {
        if (*p++ < 0x80)
            return p;
    }
    return NULL;
}

/* Lengths and keys are of 32 bits in at most five bytes; NULL if larger or cut off. */
static const uint8_t *read_u32(const uint8_t *p, const uint8_t *end, uint32_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (p == end)
            return NULL;
        uint8_t byte = *p++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            if (value > UINT32_MAX)
                return NULL;
            *out = (uint32_t)value;
            return p;
        }
    }
    return NULL;
}

/* Why the field at `at` is no good, whose key or length is at `p`: too large, or something ends too soon. */
static const uint8_t *refuse_length(struct check *check, unsigned message, const uint8_t *at,
                                    const uint8_t *p, const uint8_t *end)
{
    uint32_t value;
    bool large = end - p >= 5 && !read_u32(p, end, &value);
    return refuse(check, large ? "a key or length of more than 32 bits" : "a field that is cut off", message,
                  at);
}

/* The payload's start, and its length, which fits; NULL otherwise. */
static inline const uint8_t *read_length(const uint8_t *p, const uint8_t *end, size_t *length)
{
    uint32_t value;
    if (p < end && *p < 0x80) {
        value = *p++;
    } else {
        p = read_u32(p, end, &value);
        if (!p)
            return NULL;
    }
    if (value > (size_t)(end - p))
        return NULL;
    *length = value;
    return p;
}

static bool packed_varints(const uint8_t *p, const uint8_t *end)
{
    while (p < end) {
        p = varint_end(p, end, 10);
        if (!p)
            return false;
    }
    return true;
}

/* An unknown field of any shape but a group. */
static const uint8_t *skip(struct check *check, unsigned message, unsigned type, const uint8_t *p,
                           const uint8_t *end)
{
    const uint8_t *next = NULL;
    size_t length = 0;
    switch (type) {
    case 0:
        next = varint_end(p, end, 10);
        break;
    case 1:
        next = end - p >= 8 ? p + 8 : NULL;
        break;
    case 2:
        next = read_length(p, end, &length);
        next = next ? next + length : NULL;
        break;
    case 5:
        next = end - p >= 4 ? p + 4 : NULL;
        break;
    default:
        return refuse(check, "a field of a wire type that OTLP does not have", message, p);
    }
    return next ? next : refuse_length(check, message, p, p, type == 2 ? end : p);
}

/* Instrumentation-library groups have the layout of scope groups, which are field 2. */
static const uint8_t *library_group(struct check *check, unsigned message, const uint8_t *p,
                                    const uint8_t *end)
{
    size_t length;
    const uint8_t *start = p;
    p = read_length(p, end, &length);
    if (!p)
        return refuse_length(check, message, start, start, end);
    check->unusual = true;
    unsigned scope_group = otlp_schema[message].action[2 << 3 | 2] - (unsigned)OTLP_DO_MESSAGE;
    return walk(check, scope_group, p, p + length, 0) ? p + length : NULL;
}

/* A field that the table does not show, its key at `p`: *action is what to do when the key is only
 * long-winded. */
static const uint8_t *look(struct check *check, unsigned message, const uint8_t *p, const uint8_t *end,
                           unsigned *action)
{
    const struct otlp_rules *rules = &otlp_schema[message];
    uint32_t key;
    const uint8_t *payload = read_u32(p, end, &key);
    if (!payload)
        return refuse_length(check, message, p, p, end);
    uint32_t field = key >> 3;
    if (field == 0)
        return refuse(check, "a field of number 0", message, p);
    if (key < 128 && rules->action[key]) {
        *action = rules->action[key];
        return payload;
    }
    if (field == OTLP_SPAN_FLAGS && (key & 7) == 5 && message == OTLP_SPAN) {
        *action = OTLP_DO_FIXED32;
        return payload;
    }
    bool group =
        message == OTLP_RESOURCE_SPANS || message == OTLP_RESOURCE_METRICS || message == OTLP_RESOURCE_LOGS;
    if ((field < 32 && (rules->known & 1u << field)) ||
        (group && field == OTLP_LIBRARY_GROUPS && (key & 7) != 2))
        return refuse(check, "a known field of the wrong wire type", message, p);
    if (group && field == OTLP_LIBRARY_GROUPS)
        return library_group(check, message, payload, end);
    return skip(check, message, key & 7, payload, end);
}

/*
 * The short cut: steps over fields of the one-byte key `key` that are KeyValues of a short key and, behind it, one short
 * string, number or bool, as everybody writes them. It ends at the first field that is not just that, or not right:
 * that takes the long way.
 */
static inline const uint8_t *short_key_values(const struct check *check, uint8_t key, const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 8 && p[0] == key && p[2] == 0x0a) {
        size_t length = p[1], name = p[3];
        if (length >= 0x80 || length > (size_t)(end - p) - 2 || name + 6 > length)
            break;
        const uint8_t *value = p + 4 + name, *next = p + 2 + length;
        size_t left = length - name - 4;
        if (value[0] != 0x12 || value[1] != left)
            break;
        size_t text = name;
        if (value[2] == 0x0a && value[3] == left - 2)
            text = length - 2; // keys and lengths between the two strings are ASCII, too
        else if (value[2] == 0x10 || value[2] == 0x18 ? varint_end(value + 3, next, 10) != next
                                                      : value[2] != 0x21 || left != 9)
            break;
        if (!otlp_ascii_63(p + 4, text, check->end))
            break;
        p = next;
    }
    return p;
}

/* A length-delimited field's payload of `length` bytes at `p`. */
static inline bool payload(struct check *check, unsigned message, unsigned action, const uint8_t *p,
                           size_t length, unsigned depth)
{
    switch (action) {
    case OTLP_DO_BYTES:
        return true;
    case OTLP_DO_STRING:
        return otlp_utf8(p, length, check->end) || refuse(check, "a string that is not UTF-8", message, p);
    case OTLP_DO_TRACE_ID:
        return length == 16 || length == 0 || refuse(check, "an id that is not of 16 bytes", message, p);
    case OTLP_DO_SPAN_ID:
        return length == 8 || length == 0 || refuse(check, "an id that is not of 8 bytes", message, p);
    case OTLP_DO_PACKED_FIXED64:
        return length % 8 == 0 || refuse(check, "packed numbers that are cut off", message, p);
    case OTLP_DO_PACKED_VARINT:
        return packed_varints(p, p + length) || refuse(check, "packed numbers that are cut off", message, p);
    default:
        return walk(check, action - OTLP_DO_MESSAGE, p, p + length, depth);
    }
}

/* The one known field whose key is of two bytes, complete. */
static inline bool is_span_flags(unsigned message, const uint8_t *p, const uint8_t *end)
{
    return message == OTLP_SPAN && end - p >= 6 && p[0] == (0x80 | (OTLP_SPAN_FLAGS << 3 & 0x78) | 5) &&
           p[1] == OTLP_SPAN_FLAGS >> 4;
}

/* The fields of one message. Recursion follows the messages' nesting and `depth`, the nesting of values. */
static bool walk(struct check *check, unsigned message, const uint8_t *p, const uint8_t *end, unsigned depth)
{
    const struct otlp_rules *rules = &otlp_schema[message];
    unsigned data_fields = 0;
    if (message == OTLP_VALUE && ++depth > WEIR_BATCH_MAX_DEPTH)
        return refuse(check, "values that are nested too deeply", message, p);
    check->items += rules->items;
    while (p < end) {
        const uint8_t *key = p;
        unsigned action = *p < 0x80 ? rules->action[*p] : (unsigned)OTLP_DO_LOOK;
        if (action == OTLP_DO_KEY_VALUE) {
            p = short_key_values(check, *key, p, end);
            if (p > key)
                continue;
            action = OTLP_DO_MESSAGE + OTLP_KEY_VALUE;
        }
        p++;
        if (action == OTLP_DO_LOOK) {
            if (is_span_flags(message, key, end)) {
                p = key + 6;
                continue;
            }
            p = look(check, message, key, end, &action);
            if (!p)
                return false;
            if (action == OTLP_DO_KEY_VALUE)
                action = OTLP_DO_MESSAGE + OTLP_KEY_VALUE;
        }
        switch (action) {
        case OTLP_DO_LOOK: /* an unknown field, skipped */
            continue;
        case OTLP_DO_VARINT:
            p = varint_end(p, end, 10);
            break;
        case OTLP_DO_FIXED64:
            p = end - p >= 8 ? p + 8 : NULL;
            break;
        case OTLP_DO_FIXED32:
            p = end - p >= 4 ? p + 4 : NULL;
            break;
        default: {
            size_t length = 0;
            const uint8_t *start = p;
            p = read_length(p, end, &length);
            if (!p)
                return refuse_length(check, message, key, start, end);
            if (!payload(check, message, action, p, length, depth))
                return false;
            p += length;
            data_fields += action >= OTLP_DO_MESSAGE + OTLP_GAUGE && action <= OTLP_DO_MESSAGE + OTLP_SUMMARY;
            break;
        }
        }
        if (!p)
            return refuse(check, "a field that is cut off", message, key);
    }
    if (data_fields > 1)
        check->unusual = true;
    return true;
}

bool otlp_validate(enum weir_signal signal, const void *data, size_t length, struct otlp_summary *out,
                   struct weir_error *error)
{
    static const unsigned requests[WEIR_SIGNALS] = { OTLP_TRACES, OTLP_METRICS, OTLP_LOGS, OTLP_PROFILES };
    if (length > INT32_MAX) {
        weir_error_set(error, "the request is larger than protobuf's 2 GiB");
        return false;
    }
    const uint8_t *start = length > 0 ? data : (const uint8_t *)"";
    struct check check = { .end = start + length };
    if (length > 0 && !walk(&check, requests[signal], start, check.end, 0)) {
        weir_error_set(error, "%s has %s (byte %zu)", otlp_schema[check.message].name, check.reason,
                       (size_t)(check.at - start));
        return false;
    }
    out->items = check.items;
    out->unusual = check.unusual;
    return true;
}
