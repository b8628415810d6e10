// SPDX-License-Identifier: Apache-2.0
/*
 * Lines in logfmt: the pairs of the body, those of the record, the attributes flattened, written as
 * github.com/go-logfmt/logfmt does.
 */
#include <config.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugins/exporters/loki/line.h"
#include "plugins/exporters/loki/logfmt.h"

enum { TRACE_ID, SPAN_ID, SEVERITY, FLAGS, FIELDS };

struct writer {
    struct loki_line *line;
    const struct weir_log_record *log;
    struct weir_arena *arena;
    struct weir_text key;    /* of the value that is being flattened */
    bool pending[FIELDS];    /* fields of the record that are there and not written yet */
};

static const char *const field_keys[FIELDS] = { "traceID", "spanID", "severity", "flags" };

/* --- one pair --- */

/* Bytes of the character at `at` that a key must not hold, 0 when it is fine. */
static size_t odd_in_key(struct weir_str key, size_t at)
{
    unsigned char c = (unsigned char)key.data[at];
    if (c <= ' ' || c == '=' || c == '"')
        return 1;
    return key.length - at >= 3 && memcmp(key.data + at, "\xef\xbf\xbd", 3) == 0 ? 3 : 0;
}

static void add_key(struct loki_line *line, struct weir_str key)
{
    if (line->out->length > line->start)
        loki_line_addc(line, ' ');
    size_t before = line->out->length, from = 0, at = 0;
    while (at < key.length) {
        size_t odd = odd_in_key(key, at);
        if (odd)
            loki_line_add(line, weir_str_make(key.data + from, at - from));
        at += odd ? odd : 1;
        from = odd ? at : from;
    }
    if (at > from)
        loki_line_add(line, weir_str_make(key.data + from, at - from));
    if (!line->problem && line->out->length == before)
        line->problem = "an attribute's name has nothing that may stand in a logfmt key";
    loki_line_addc(line, '=');
}

static bool needs_quotes(struct weir_str text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= ' ' || c == '=' || c == '"' || c == 0x7f)
            return true;
    }
    return text.length >= 3 && memmem(text.data, text.length, "\xef\xbf\xbd", 3) != NULL;
}

static void add_text(struct loki_line *line, struct weir_str text)
{
    if (needs_quotes(text))
        loki_line_add_quoted(line, text, false);
    else
        loki_line_add(line, text);
}

/* As Go's %v: as few digits as read back the same, an exponent below 1e-4 and from 1e6. */
static void add_double(struct loki_line *line, double number)
{
    char text[40];
    if (isnan(number)) {
        loki_line_add(line, WEIR_STR("NaN"));
        return;
    }
    if (isinf(number)) {
        loki_line_add(line, number > 0 ? WEIR_STR("+Inf") : WEIR_STR("-Inf"));
        return;
    }
    int decimals = 0;
    for (; decimals <= 16; decimals++) {
        snprintf(text, sizeof(text), "%.*e", decimals, number);
        if (strtod(text, NULL) == number)
            break;
    }
    long exponent = strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent >= -4 && exponent < 6)
        snprintf(text, sizeof(text), "%.*f", decimals > exponent ? (int)(decimals - exponent) : 0, number);
    loki_line_add(line, weir_str_of(text));
}

/* In base64, whose padding wants quotes. */
static void add_bytes(struct loki_line *line, const struct weir_value *value)
{
    struct weir_text text = { 0 };
    weir_value_print(value, &text);
    add_text(line, weir_text_view(&text));
    weir_text_free(&text);
}

static void add_scalar(struct loki_line *line, const struct weir_value *value)
{
    switch (value->type) {
    case WEIR_VALUE_STRING:
        // What is not there is null without quotes.
        if (weir_str_is(value->string, "null"))
            loki_line_add(line, WEIR_STR("\"null\""));
        else
            add_text(line, value->string);
        break;
    case WEIR_VALUE_DOUBLE:
        add_double(line, value->number);
        break;
    case WEIR_VALUE_BYTES:
        add_bytes(line, value);
        break;
    default:
        loki_line_add_value(line, value);
    }
}

/* --- the record's own fields --- */

static void add_field(struct writer *writer, int field)
{
    writer->pending[field] = false;
    switch (field) {
    case TRACE_ID:
        loki_line_add_hex(writer->line, writer->log->trace_id);
        break;
    case SPAN_ID:
        loki_line_add_hex(writer->line, writer->log->span_id);
        break;
    case SEVERITY:
        add_text(writer->line, writer->log->severity_text);
        break;
    default:
        loki_line_add_number(writer->line, writer->log->flags);
    }
}

/* A pair of the body: the field's value, once, where it is called like one. */
static bool add_instead(struct writer *writer, struct weir_str key)
{
    for (int field = 0; field < FIELDS; field++) {
        if (writer->pending[field] && weir_str_is(key, field_keys[field])) {
            add_field(writer, field);
            return true;
        }
    }
    return false;
}

static void add_fields(struct writer *writer)
{
    for (int field = 0; field < FIELDS; field++) {
        if (!writer->pending[field])
            continue;
        add_key(writer->line, weir_str_of(field_keys[field]));
        add_field(writer, field);
    }
}

/* --- values --- */

static void add_pair(struct writer *writer, const struct weir_value *value, bool body)
{
    struct weir_str key = weir_text_view(&writer->key);
    add_key(writer->line, key);
    if (!body || !add_instead(writer, key))
        add_scalar(writer->line, value);
}

static void flatten(struct writer *writer, const struct weir_value *value, bool body);

/* What is below the current key, under `name`. */
static void flatten_below(struct writer *writer, struct weir_str name, const struct weir_value *value, bool body)
{
    size_t length = writer->key.length;
    if (length)
        weir_text_addc(&writer->key, '_');
    weir_text_add(&writer->key, name.data, name.length);
    flatten(writer, value, body);
    writer->key.length = length;
}

/* As deep as values are on the wire, which is WEIR_BATCH_MAX_DEPTH at most. */
static void flatten(struct writer *writer, const struct weir_value *value, bool body)
{
    char index[24];
    switch (value->type) {
    case WEIR_VALUE_EMPTY:
        break;
    case WEIR_VALUE_MAP:
        for (size_t i = 0; i < value->map.count && !writer->line->problem; i++)
            flatten_below(writer, value->map.items[i].key, &value->map.items[i].value, body);
        break;
    case WEIR_VALUE_ARRAY:
        for (size_t i = 0; i < value->array.count && !writer->line->problem; i++) {
            snprintf(index, sizeof(index), "%zu", i);
            flatten_below(writer, weir_str_of(index), &value->array.items[i], body);
        }
        break;
    default:
        add_pair(writer, value, body);
    }
}

static void add_named(struct writer *writer, const char *prefix, struct weir_str name, const struct weir_value *value)
{
    weir_text_clear(&writer->key);
    weir_text_adds(&writer->key, prefix);
    weir_text_add(&writer->key, name.data, name.length);
    flatten(writer, value, false);
}

/* --- the parts of a record --- */

static void add_parsed(struct writer *writer, struct weir_str text)
{
    struct logfmt logfmt = { .text = text, .arena = writer->arena };
    struct weir_str key, value;
    while (!writer->line->problem && logfmt_next(&logfmt, &key, &value)) {
        add_key(writer->line, key);
        if (!add_instead(writer, key))
            add_text(writer->line, value);
    }
}

static void add_body(struct writer *writer, const struct weir_value *body)
{
    weir_text_clear(&writer->key);
    if (body->type == WEIR_VALUE_STRING && logfmt_valid(body->string, writer->arena)) {
        add_parsed(writer, body->string);
        return;
    }
    if (body->type != WEIR_VALUE_MAP)
        weir_text_adds(&writer->key, body->type == WEIR_VALUE_ARRAY ? "body" : "msg");
    flatten(writer, body, true);
}

static void add_attributes(struct writer *writer, const char *prefix, const struct loki_attributes *attributes)
{
    for (size_t i = 0; i < attributes->count && !writer->line->problem; i++)
        add_named(writer, prefix, attributes->items[i]->key, &attributes->items[i]->value);
}

static void add_scope(struct writer *writer, const struct weir_scope *scope)
{
    if (!scope || scope->name.length == 0)
        return;
    struct weir_value name = weir_value_string(scope->name), version = weir_value_string(scope->version);
    add_named(writer, "instrumentation_scope_name", WEIR_STR_NONE, &name);
    if (scope->version.length)
        add_named(writer, "instrumentation_scope_version", WEIR_STR_NONE, &version);
    for (size_t i = 0; i < scope->attributes.count && !writer->line->problem; i++)
        add_named(writer, "instrumentation_scope_attribute_", scope->attributes.items[i].key,
                  &scope->attributes.items[i].value);
}

void loki_line_logfmt(struct loki_line *line, const struct loki_record *record, struct weir_arena *arena)
{
    const struct weir_log_record *log = record->log;
    struct writer writer = { .line = line, .log = log, .arena = arena };
    writer.pending[TRACE_ID] = loki_id_is_set(log->trace_id);
    writer.pending[SPAN_ID] = loki_id_is_set(log->span_id);
    writer.pending[SEVERITY] = log->severity_text.length > 0;
    writer.pending[FLAGS] = log->flags != 0;
    add_body(&writer, &log->body);
    add_fields(&writer);
    add_attributes(&writer, "attribute_", &record->attributes);
    add_attributes(&writer, "resource_", &record->resource);
    add_scope(&writer, record->scope);
    weir_text_free(&writer.key);
}
