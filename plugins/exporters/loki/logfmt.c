// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/loki/logfmt.h"

#include <weir/json.h>

static bool fail(struct logfmt *logfmt)
{
    logfmt->failed = true;
    return false;
}

/* U+FFFD, which no key may hold. */
static bool has_replacement(struct weir_str text)
{
    return text.length >= 3 && memmem(text.data, text.length, "\xef\xbf\xbd", 3) != NULL;
}

/* Where the run of characters ends that are no blank, quote or equals sign. */
static size_t word_end(const struct logfmt *logfmt)
{
    size_t at = logfmt->at;
    while (at < logfmt->text.length) {
        unsigned char c = (unsigned char)logfmt->text.data[at];
        if (c <= ' ' || c == '=' || c == '"' || c == '\'')
            break;
        at++;
    }
    return at;
}

static struct weir_str take(struct logfmt *logfmt, size_t end)
{
    struct weir_str taken = weir_str_make(logfmt->text.data + logfmt->at, end - logfmt->at);
    logfmt->at = end;
    return taken;
}

/* Behind the key: 0 at the end of the text. */
static char here(const struct logfmt *logfmt)
{
    return logfmt->at < logfmt->text.length ? logfmt->text.data[logfmt->at] : '\0';
}

/* A value in double quotes with backslashes is a string of JSON. */
static bool unescape(struct logfmt *logfmt, struct weir_str quoted, struct weir_str *value)
{
    struct weir_json json;
    weir_json_start(&json, quoted.data, quoted.length, logfmt->arena, 1);
    return weir_json_string(&json, value) && weir_json_finish(&json);
}

static bool quoted_value(struct logfmt *logfmt, char quote, struct weir_str *value)
{
    bool escapes = false;
    size_t end = logfmt->at + 1;
    for (;; end++) {
        if (end >= logfmt->text.length)
            return fail(logfmt);
        if (logfmt->text.data[end] == quote)
            break;
        if (logfmt->text.data[end] == '\\' && quote == '"') {
            escapes = true;
            end++;
        }
    }
    struct weir_str quoted = take(logfmt, end + 1);
    if (escapes)
        return unescape(logfmt, quoted, value) || fail(logfmt);
    *value = weir_str_make(quoted.data + 1, quoted.length - 2);
    return true;
}

/* Behind the equals sign. */
static bool read_value(struct logfmt *logfmt, struct weir_str *value)
{
    char c = here(logfmt);
    if (c == '"' || c == '\'')
        return quoted_value(logfmt, c, value);
    *value = take(logfmt, word_end(logfmt));
    c = here(logfmt);
    return (c != '=' && c != '"' && c != '\'') || fail(logfmt);
}

bool logfmt_next(struct logfmt *logfmt, struct weir_str *key, struct weir_str *value)
{
    while (logfmt->at < logfmt->text.length && (unsigned char)logfmt->text.data[logfmt->at] <= ' ')
        logfmt->at++;
    if (logfmt->failed || logfmt->at >= logfmt->text.length)
        return false;
    *key = take(logfmt, word_end(logfmt));
    *value = WEIR_STR("");
    char c = here(logfmt);
    if (c == '"' || c == '\'' || key->length == 0 || has_replacement(*key))
        return fail(logfmt);
    if (c != '=')
        return true;
    logfmt->at++;
    return read_value(logfmt, value);
}

bool logfmt_valid(struct weir_str text, struct weir_arena *arena)
{
    struct logfmt logfmt = { .text = text, .arena = arena };
    struct weir_str key, value;
    while (logfmt_next(&logfmt, &key, &value))
        continue;
    return !logfmt.failed;
}
