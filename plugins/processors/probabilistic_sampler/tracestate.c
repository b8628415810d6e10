// SPDX-License-Identifier: Apache-2.0
/* Reading and writing tracestate. */
#include <config.h>

#include <weir/tracestate.h>

#include "plugins/processors/probabilistic_sampler/threshold.h"
#include "plugins/processors/probabilistic_sampler/tracestate.h"

#define TEXT_MAX 1024
#define OT_VALUE_MAX 256

/* Takes the part before the separator off the text; false once there is none left. */
static bool next_part(struct weir_str *rest, bool *more, char separator, struct weir_str *part)
{
    if (!*more)
        return false;
    size_t length = 0;
    while (length < rest->length && rest->data[length] != separator)
        length++;
    *part = (struct weir_str){ rest->data, length };
    *more = length < rest->length;
    size_t taken = length + *more;
    *rest = (struct weir_str){ rest->data + taken, rest->length - taken };
    return true;
}

/* The text on both sides of the first separator. */
static bool split(struct weir_str text, char separator, struct weir_str *left, struct weir_str *right)
{
    bool more = true;
    *right = text;
    next_part(right, &more, separator, left);
    return more;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_field_key(struct weir_str key)
{
    for (size_t i = 1; i < key.length; i++)
        if (!is_lower(key.data[i]) && !is_digit(key.data[i]))
            return false;
    return key.length > 0 && is_lower(key.data[0]);
}

static bool is_field_value(struct weir_str value)
{
    for (size_t i = 0; i < value.length; i++) {
        char c = value.data[i];
        bool upper = c >= 'A' && c <= 'Z';
        if (!is_lower(c) && !upper && !is_digit(c) && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

static const char *parse_field(struct weir_str field, struct tracestate *out)
{
    struct weir_str key, value;
    if (!split(field, ':', &key, &value) || !is_field_key(key) || !is_field_value(value))
        return "invalid OpenTelemetry tracestate";
    if (weir_str_is(key, "rv")) {
        out->has_randomness = true;
        return randomness_parse(value, &out->randomness) ? NULL : "r-value must have 14 hex digits";
    }
    if (weir_str_is(key, "th")) {
        out->has_threshold = true;
        return threshold_parse(value, &out->threshold) ? NULL : "t-value must have 1 to 14 hex digits";
    }
    if (out->field_count == TRACESTATE_FIELDS)
        return "OpenTelemetry tracestate has too many fields";
    out->fields[out->field_count++] = field;
    return NULL;
}

/* Of several, the last counts, as upstream has it. */
static const char *parse_ot(struct weir_str value, struct tracestate *out)
{
    struct weir_str field;
    out->has_randomness = out->has_threshold = false;
    out->field_count = 0;
    const char *problem = value.length > OT_VALUE_MAX ? "OpenTelemetry tracestate is too long" : NULL;
    bool more = true;
    while (!problem && next_part(&value, &more, ';', &field))
        problem = parse_field(field, out);
    return problem;
}

static const char *parse_member(struct weir_str member, struct tracestate *out)
{
    struct weir_str key, value;
    if (!split(member, '=', &key, &value) || !weir_tracestate_is_key(key) || !weir_tracestate_is_value(value))
        return "invalid W3C tracestate";
    if (weir_str_is(key, "ot"))
        return parse_ot(value, out);
    if (out->member_count == TRACESTATE_MEMBERS)
        return "W3C tracestate has too many members";
    out->members[out->member_count++] = member;
    return NULL;
}

const char *tracestate_parse(struct weir_str text, struct tracestate *out)
{
    struct weir_str member;
    const char *problem = text.length > TEXT_MAX ? "W3C tracestate is too long" : NULL;
    size_t members = 0;
    bool more = text.length > 0;
    *out = (struct tracestate){ .field_count = 0 };
    while (!problem && next_part(&text, &more, ',', &member)) {
        member = weir_str_trim(member);
        if (member.length == 0)
            continue; /* W3C allows empty members */
        problem = ++members >= TRACESTATE_MEMBERS ? "W3C tracestate has too many members" : parse_member(member, out);
    }
    return problem;
}

static void separate(struct weir_text *text, size_t start, char separator)
{
    if (text->length > start)
        weir_text_addc(text, separator);
}

static void print_ot(const struct tracestate *state, struct weir_text *text)
{
    weir_text_adds(text, "ot=");
    size_t start = text->length;
    if (state->has_randomness) {
        weir_text_adds(text, "rv:");
        randomness_print(state->randomness, text);
    }
    if (state->has_threshold) {
        separate(text, start, ';');
        weir_text_adds(text, "th:");
        threshold_print(state->threshold, text);
    }
    for (size_t i = 0; i < state->field_count; i++) {
        separate(text, start, ';');
        weir_text_add(text, state->fields[i].data, state->fields[i].length);
    }
}

void tracestate_print(const struct tracestate *state, struct weir_text *text)
{
    size_t start = text->length;
    if (state->has_randomness || state->has_threshold || state->field_count > 0)
        print_ot(state, text);
    for (size_t i = 0; i < state->member_count; i++) {
        separate(text, start, ',');
        weir_text_add(text, state->members[i].data, state->members[i].length);
    }
}
