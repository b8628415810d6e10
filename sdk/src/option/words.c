// SPDX-License-Identifier: Apache-2.0
/*
 * Option rows in words.
 */
#include <config.h>

#include "sdk/src/option/decode.h"
#include "sdk/src/option/words.h"

const char *words_type(const struct weir_option *row)
{
    static const char *const names[] = {
        [WEIR_OPTION_KIND_BOOL] = "bool",
        [WEIR_OPTION_KIND_INT] = "int",
        [WEIR_OPTION_KIND_DOUBLE] = "float",
        [WEIR_OPTION_KIND_STRING] = "string",
        [WEIR_OPTION_KIND_ENUM] = "word",
        [WEIR_OPTION_KIND_SECRET] = "secret string",
        [WEIR_OPTION_KIND_DURATION] = "duration",
        [WEIR_OPTION_KIND_STRINGS] = "list of strings",
        [WEIR_OPTION_KIND_INTS] = "list of ints",
        [WEIR_OPTION_KIND_PAIRS] = "map of strings",
        [WEIR_OPTION_KIND_SECRET_PAIRS] = "map of secret strings",
        [WEIR_OPTION_KIND_SECRETS] = "list of secret strings",
        [WEIR_OPTION_KIND_REFERENCE] = "component id",
        [WEIR_OPTION_KIND_SUBTREE] = "any",
        [WEIR_OPTION_KIND_GROUP] = "section",
        [WEIR_OPTION_KIND_INLINE] = "section",
        [WEIR_OPTION_KIND_GROUP_LIST] = "list of sections",
        [WEIR_OPTION_KIND_GROUP_MAP] = "map of sections",
        [WEIR_OPTION_KIND_REFUSED] = "not supported",
        [WEIR_OPTION_KIND_IGNORED] = "no effect",
    };
    return row->kind < WEIR_ARRAY_LENGTH(names) && names[row->kind] ? names[row->kind] : "?";
}

bool words_has_keys(const struct weir_option *row)
{
    return row->table && row->kind != WEIR_OPTION_KIND_INLINE;
}

const char *words_preset(const struct weir_option *row)
{
    bool is_switch = row->kind == WEIR_OPTION_KIND_BOOL && !row->required && !row->replaced_by;
    return !row->preset && is_switch ? "false" : row->preset;
}

void words_default(const struct weir_option *row, struct weir_text *text)
{
    const char *preset = words_preset(row);
    if (row->required)
        weir_text_adds(text, "required");
    else if (preset)
        weir_text_addf(text, "default %s", preset[0] ? preset : "\"\"");
    else if (row->kind == WEIR_OPTION_KIND_GROUP && row->presence == WEIR_SOME)
        weir_text_adds(text, "on by default");
    else if (row->kind == WEIR_OPTION_KIND_GROUP && row->presence != WEIR_ALWAYS)
        weir_text_adds(text, "off by default");
}

static void add_limit(const struct weir_option *row, int64_t limit, struct weir_text *text)
{
    if (row->kind == WEIR_OPTION_KIND_DURATION)
        weir_duration_print((struct weir_duration){ limit }, text);
    else
        weir_text_addf(text, "%lld", (long long)limit);
}

void words_limits(const struct weir_option *row, struct weir_text *text)
{
    int64_t min;
    int64_t max;
    if (row->kind == WEIR_OPTION_KIND_ENUM) {
        weir_text_adds(text, "one of ");
        for (const struct weir_option_value *value = row->values; value && value->name; value++)
            weir_text_addf(text, "%s%s", value == row->values ? "" : ", ",
                           value->name[0] ? value->name : "\"\"");
    } else if (option_range(row, &min, &max)) {
        if (max == INT64_MAX) {
            weir_text_adds(text, "at least ");
            add_limit(row, min, text);
        } else {
            add_limit(row, min, text);
            weir_text_adds(text, " to ");
            add_limit(row, max, text);
        }
        if (row->unit)
            weir_text_addf(text, " %s", row->unit);
    } else if (row->unit) {
        weir_text_addf(text, "in %s", row->unit);
    }
}

void words_doc(const struct weir_option *row, struct weir_text *text)
{
    if (row->kind == WEIR_OPTION_KIND_REFUSED)
        weir_text_adds(text, "Refused: ");
    if (row->kind == WEIR_OPTION_KIND_IGNORED)
        weir_text_adds(text, "Accepted without effect: ");
    weir_text_adds(text, row->doc ? row->doc : "");
    if (row->replaced_by)
        weir_text_addf(text, " Deprecated: use %s.", row->replaced_by);
    if (row->since)
        weir_text_addf(text, " Since version %s.", row->since);
}
