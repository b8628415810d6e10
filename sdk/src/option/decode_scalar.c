// SPDX-License-Identifier: Apache-2.0
/*
 * Single values: from a node of the tree to a field.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/id.h>

#include "sdk/src/option/decode.h"

/* A length of time in nanoseconds below which a bare number was probably meant in other units. */
#define UNIT_FORGOTTEN 1000000

static bool is_scalar(const struct weir_node *node)
{
    return node->type != WEIR_NODE_LIST && node->type != WEIR_NODE_MAP;
}

void decode_fail_type(struct decoder *decoder, const struct weir_node *node, const char *want)
{
    const char *hint = "";
    if (strcmp(want, "string") == 0 && is_scalar(node))
        hint = "; put it in quotes to make it a string";
    else if (node->type == WEIR_NODE_STRING && !node->expanded && node->raw.length > 0)
        hint = "; numbers and booleans are written without quotes";
    decode_fail(decoder, node, "expected type '%s', got unconvertible type '%s'%s", want,
                weir_node_type_name(node->type), hint);
}

bool decode_text(struct decoder *decoder, const struct weir_node *node, struct weir_str *out)
{
    if (node->type == WEIR_NODE_STRING && !node->expanded) {
        *out = node->text;
    } else if (node->expanded) {
        *out = node->raw; /* as it came from the provider: quotes and line ends stay */
    } else if (node->type == WEIR_NODE_NULL) {
        *out = WEIR_STR_NONE;
    } else {
        decode_fail_type(decoder, node, "string");
        return false;
    }
    return true;
}

static void add_limit(struct weir_text *text, const struct weir_option *row, int64_t limit)
{
    if (row->kind == WEIR_OPTION_KIND_DURATION)
        weir_duration_print((struct weir_duration){ limit }, text);
    else
        weir_text_addf(text, "%lld%s%s", (long long)limit, row->unit ? " " : "", row->unit ? row->unit : "");
}

static void fail_range(struct decoder *decoder, const struct weir_option *row, const struct weir_node *node)
{
    int64_t min = 0;
    int64_t max = 0;
    (void)option_range(row, &min, &max);
    struct weir_text text = { 0 };
    if (max == INT64_MAX)
        weir_text_adds(&text, "at least ");
    else
        weir_text_adds(&text, "between ");
    add_limit(&text, row, min);
    if (max != INT64_MAX) {
        weir_text_adds(&text, " and ");
        add_limit(&text, row, max);
    }
    decode_fail(decoder, node, "must be %s, got %.*s", weir_text_string(&text),
                WEIR_STR_ARG(node->raw.length ? node->raw : WEIR_STR("null")));
    weir_text_free(&text);
}

static bool out_of_range(const struct decoder *decoder, const struct weir_option *row, double value,
                         int64_t whole)
{
    int64_t min;
    int64_t max;
    if (decoder->off || !option_range(row, &min, &max))
        return false;
    if (row->kind == WEIR_OPTION_KIND_DOUBLE)
        return !(value >= (double)min && (max == INT64_MAX || value <= (double)max));
    return whole < min || whole > max;
}

/* An integer out of the node; a float loses its fraction, as upstream does, but not in silence. */
static bool decode_whole(struct decoder *decoder, const struct weir_node *node, const char *want,
                         int64_t *out)
{
    switch (node->type) {
    case WEIR_NODE_NULL:
        *out = 0;
        return true;
    case WEIR_NODE_INT:
        *out = node->integer;
        return true;
    case WEIR_NODE_DOUBLE:
        if (!(node->number > -9223372036854775808.0 && node->number < 9223372036854775808.0)) {
            decode_fail(decoder, node, "cannot be held in an integer, %.*s overflows int64",
                        WEIR_STR_ARG(node->raw));
            return false;
        }
        *out = (int64_t)node->number;
        if ((double)*out != node->number)
            weir_warning_add(decoder->problems, node->place, weir_text_string(&decoder->path),
                             "expected an integer, %.*s is cut to %lld", WEIR_STR_ARG(node->raw),
                             (long long)*out);
        return true;
    default:
        decode_fail_type(decoder, node, want);
        return false;
    }
}

static void decode_int(struct decoder *decoder, const struct weir_option *row, const struct weir_node *node,
                       int64_t *out)
{
    int64_t value;
    if (!decode_whole(decoder, node, "int", &value))
        return;
    if (out_of_range(decoder, row, 0, value))
        fail_range(decoder, row, node);
    else
        *out = value;
}

static void decode_double(struct decoder *decoder, const struct weir_option *row,
                          const struct weir_node *node, double *out)
{
    double value = 0;
    if (node->type == WEIR_NODE_INT) {
        value = (double)node->integer;
    } else if (node->type == WEIR_NODE_DOUBLE) {
        value = node->number;
    } else if (node->type != WEIR_NODE_NULL) {
        decode_fail_type(decoder, node, "float64");
        return;
    }
    if (out_of_range(decoder, row, value, 0))
        fail_range(decoder, row, node);
    else
        *out = value;
}

static void decode_duration(struct decoder *decoder, const struct weir_option *row,
                            const struct weir_node *node, struct weir_duration *out)
{
    struct weir_duration value = { 0 };
    if (node->type == WEIR_NODE_STRING) {
        if (!weir_duration_parse(node->text, &value)) {
            decode_fail(decoder, node,
                        "time: invalid duration \"%.*s\", expected a text like \"500ms\" or \"1m30s\"",
                        WEIR_STR_ARG(node->text));
            return;
        }
    } else if (!decode_whole(decoder, node, "time.Duration", &value.ns)) {
        return;
    } else if (value.ns > 0 && value.ns < UNIT_FORGOTTEN) {
        weir_warning_add(decoder->problems, node->place, weir_text_string(&decoder->path),
                         "%lld without a unit is nanoseconds; write \"%llds\" for seconds", (long long)value.ns,
                         (long long)value.ns);
    }
    if (out_of_range(decoder, row, 0, value.ns))
        fail_range(decoder, row, node);
    else
        *out = value;
}

static void decode_enum(struct decoder *decoder, const struct weir_option *row, const struct weir_node *node,
                        int *out)
{
    struct weir_str word;
    if (node->type == WEIR_NODE_NULL || !decode_text(decoder, node, &word) ||
        option_find_word(row, word, out) || decoder->off)
        return;
    struct weir_text words = { 0 };
    for (const struct weir_option_value *value = row->values; value->name; value++)
        weir_text_addf(&words, "%s%s", words.length ? ", " : "", value->name[0] ? value->name : "\"\"");
    const struct weir_option_value *next = row->values;
    char *given = weir_str_dup(word);
    const char *nearest = weir_nearest_name(given, option_next_word, &next);
    decode_fail(decoder, node, "unknown value \"%s\", expected one of %s%s%s%s", given,
                weir_text_string(&words), nearest ? " (did you mean \"" : "", nearest ? nearest : "",
                nearest ? "\"?)" : "");
    free(given);
    weir_text_free(&words);
}

static void decode_reference(struct decoder *decoder, const struct weir_node *node,
                             struct weir_reference *out)
{
    struct weir_str text;
    if (node->type == WEIR_NODE_NULL) {
        out->id = NULL;
        return;
    }
    if (!decode_text(decoder, node, &text))
        return;
    struct weir_id id;
    struct weir_error error = WEIR_ERROR_INIT;
    if (weir_id_parse(text, decoder->arena, &id, &error) < 0)
        decode_fail(decoder, node, "%s", weir_error_text(&error));
    else
        out->id = option_copy(decoder->arena, weir_str_of(id.text));
    weir_error_free(&error);
}

void decode_scalar(struct decoder *decoder, const struct weir_option *row, const struct weir_node *node,
                   char *field)
{
    void *to = field;
    struct weir_str text;
    switch (row->kind) {
    case WEIR_OPTION_KIND_BOOL:
        if (node->type == WEIR_NODE_BOOL || node->type == WEIR_NODE_NULL)
            *(bool *)to = node->type == WEIR_NODE_BOOL && node->boolean;
        else
            decode_fail_type(decoder, node, "bool");
        return;
    case WEIR_OPTION_KIND_INT:
        decode_int(decoder, row, node, to);
        return;
    case WEIR_OPTION_KIND_DOUBLE:
        decode_double(decoder, row, node, to);
        return;
    case WEIR_OPTION_KIND_DURATION:
        decode_duration(decoder, row, node, to);
        return;
    case WEIR_OPTION_KIND_ENUM:
        decode_enum(decoder, row, node, to);
        return;
    case WEIR_OPTION_KIND_REFERENCE:
        decode_reference(decoder, node, to);
        return;
    case WEIR_OPTION_KIND_SECRET:
        if (decode_text(decoder, node, &text))
            ((struct weir_secret *)to)->text = option_copy(decoder->arena, text);
        return;
    default:
        if (decode_text(decoder, node, &text))
            *(char **)to = option_copy(decoder->arena, text);
        return;
    }
}
