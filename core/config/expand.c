// SPDX-License-Identifier: Apache-2.0
/*
 * Expansion of ${...}: innermost first, in the order and with the escapes of the OpenTelemetry Collector's
 * confmap.
 */
#include <config.h>

#include <stdlib.h>

#include "core/config/expand.h"
#include "sdk/yaml/yaml.h"

enum { PASSES_MAX = 1000, EXPANDED_MAX = 16 * 1024 * 1024 };

/* A value on its way: `written` says for each byte whether the author wrote it or an expansion brought it in,
 * which must not be scanned. */
struct value {
    struct weir_text text;
    struct weir_text written;
};

struct expander {
    const struct provider *provider;
    struct weir_problems *problems;
    struct weir_text path;
    struct weir_node *node; /* whose value is being expanded */
};

enum outcome {
    DONE,     /* nothing left to expand */
    REPLACED, /* look again */
    TYPED,    /* the value was one ${...}: the node has its new content */
    FAILED,
};

static void fail(struct expander *expander, const char *format, ...) WEIR_PRINTF(2, 3);

static void fail(struct expander *expander, const char *format, ...)
{
    struct weir_text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    weir_text_vaddf(&text, format, arguments);
    va_end(arguments);
    weir_problem_add(expander->problems, expander->node->place, weir_text_string(&expander->path), "%s",
                     weir_text_string(&text));
    weir_text_free(&text);
    expander->node->broken = true;
}

static bool is_written(const struct value *value, size_t at, const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        if (at + i >= value->text.length || value->text.data[at + i] != text[i] ||
            !value->written.data[at + i])
            return false;
    }
    return true;
}

/* Finds the first "}" with a "${" before it, and the last such "${"; false if there is none. */
static bool find_candidate(const struct value *value, size_t *start, size_t *end)
{
    bool opened = false;
    for (size_t i = 0; i < value->text.length; i++) {
        if (is_written(value, i, "${")) {
            opened = true;
            *start = i;
        } else if (opened && is_written(value, i, "}")) {
            *end = i + 1;
            return true;
        }
    }
    return false;
}

/* An odd number of "$" before the "${" makes it literal. */
static bool is_escaped(const struct value *value, size_t start)
{
    size_t dollars = 0;
    while (dollars < start && is_written(value, start - dollars - 1, "$"))
        dollars++;
    return dollars % 2 == 1;
}

static void copy_range(struct value *to, const struct value *from, size_t start, size_t end)
{
    weir_text_add(&to->text, from->text.data + start, end - start);
    weir_text_add(&to->written, from->written.data + start, end - start);
}

static void value_free(struct value *value)
{
    weir_text_free(&value->text);
    weir_text_free(&value->written);
}

/* Puts `with` in the place of every repeat of value[start, end) that the author wrote. */
static void replace(struct value *value, size_t start, size_t end, struct weir_str with)
{
    struct value result = { 0 };
    char *old = weir_str_dup(weir_str_make(value->text.data + start, end - start));
    size_t length = end - start;
    for (size_t at = 0; at < value->text.length;) {
        bool here = at == start || (value->text.length - at >= length && is_written(value, at, old));
        if (!here) {
            copy_range(&result, value, at, at + 1);
            at++;
            continue;
        }
        weir_text_add(&result.text, with.data, with.length);
        for (size_t i = 0; i < with.length; i++)
            weir_text_addc(&result.written, '\0');
        at += length;
    }
    free(old);
    value_free(value);
    *value = result;
}

/* Gives the node the value that the text means as YAML; text that is no YAML is a string. */
static void take_typed(struct expander *expander, const struct provided *provided, struct weir_str uri)
{
    struct weir_arena *arena = expander->provider->arena;
    struct weir_node *node = expander->node;
    struct weir_problems ignored = { 0 };
    struct yaml_source source = { tree_copy_text(arena, uri).data, true };
    struct weir_node *read = NULL;
    if (!provided->null)
        read = yaml_read(arena, provided->text, source, "", &ignored);
    if (!read || ignored.errors > 0) {
        read = tree_new(arena, provided->null ? WEIR_NODE_NULL : WEIR_NODE_STRING, node->place);
        read->text = provided->text;
    }
    /* A variable that is unset but has an empty default is an empty string, not null. */
    if (provided->empty) {
        read->type = WEIR_NODE_STRING;
        read->text = provided->text;
    }
    weir_problems_free(&ignored);
    read->place = node->place;
    read->raw = provided->text;
    read->expanded = true;
    tree_become(node, read);
}

static void hint_default(struct weir_str uri, const struct uri *parsed, struct weir_text *hint)
{
    if (memchr(uri.data, '-', uri.length) && parsed->rest.length > 0)
        weir_text_addf(hint, "; a default is written as ${env:NAME:-default}");
}

/* Gets what `uri` (the inside of ${...}) stands for. */
static bool get(struct expander *expander, struct weir_str uri, struct provided *out)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_text hint = { 0 };
    struct uri parsed = uri_parse(uri);
    bool colon = uri.length > 0 && memchr(uri.data, ':', uri.length);
    if (!colon) {
        parsed.scheme = SCHEME_ENV;
        parsed.rest = uri;
    }
    if (parsed.scheme == SCHEME_NONE || parsed.scheme == SCHEME_UNKNOWN)
        hint_default(uri, &parsed, &hint);
    if (parsed.scheme == SCHEME_NONE)
        weir_error_set(&error, "invalid uri: \"%.*s\"%s", WEIR_STR_ARG(uri), weir_text_string(&hint));
    else if (parsed.scheme == SCHEME_UNKNOWN)
        weir_error_set(&error, "scheme \"%.*s\" is not supported for uri \"%.*s\"%s",
                       WEIR_STR_ARG(parsed.name), WEIR_STR_ARG(uri), weir_text_string(&hint));
    else
        (void)provider_get(expander->provider, &parsed, uri, out, &error);
    bool good = !weir_error_is_set(&error);
    if (!good)
        fail(expander, "%s", weir_error_text(&error));
    else if (out->unset)
        weir_warning_add(expander->problems, expander->node->place, weir_text_string(&expander->path),
                         "Configuration references unset environment variable \"%.*s\"",
                         WEIR_STR_ARG(parsed.rest));
    weir_error_free(&error);
    weir_text_free(&hint);
    return good;
}

static enum outcome expand_once(struct expander *expander, struct value *value)
{
    size_t start = 0;
    size_t end = 0;
    if (!find_candidate(value, &start, &end) || is_escaped(value, start))
        return DONE;
    struct weir_str uri = weir_str_make(value->text.data + start + 2, end - start - 3);
    for (size_t i = start + 2; i < end; i++) {
        if (is_written(value, i, "$")) {
            fail(expander, "the uri \"%.*s\" contains unsupported characters ('$')", WEIR_STR_ARG(uri));
            return FAILED;
        }
    }
    struct provided provided = { 0 };
    if (!get(expander, uri, &provided))
        return FAILED;
    if (start == 0 && end == value->text.length) {
        take_typed(expander, &provided, uri);
        return TYPED;
    }
    replace(value, start, end, provided.text);
    if (value->text.length > EXPANDED_MAX) {
        fail(expander, "the expanded value is longer than %d bytes", EXPANDED_MAX);
        return FAILED;
    }
    return REPLACED;
}

/* Every "$$" that the author wrote becomes "$". */
static struct weir_str unescape(struct weir_arena *arena, const struct value *value)
{
    struct weir_text text = { 0 };
    for (size_t i = 0; i < value->text.length; i++) {
        weir_text_addc(&text, value->text.data[i]);
        if (is_written(value, i, "$$"))
            i++;
    }
    struct weir_str copy = tree_copy_text(arena, weir_text_view(&text));
    weir_text_free(&text);
    return copy;
}

static void expand_string(struct expander *expander, struct weir_node *node)
{
    if (!memchr(node->text.data, '$', node->text.length + 1))
        return;
    struct value value = { 0 };
    weir_text_add(&value.text, node->text.data, node->text.length);
    for (size_t i = 0; i < node->text.length; i++)
        weir_text_addc(&value.written, '\1');

    expander->node = node;
    enum outcome outcome = REPLACED;
    for (unsigned pass = 0; outcome == REPLACED; pass++) {
        outcome = expand_once(expander, &value);
        if (outcome == REPLACED && pass == PASSES_MAX) {
            fail(expander, "too many recursive expansions");
            outcome = FAILED;
        }
    }
    if (outcome == DONE) {
        node->text = unescape(expander->provider->arena, &value);
        node->raw = node->text;
    }
    value_free(&value);
}

static void expand_node(struct expander *expander, struct weir_node *node)
{
    if (node->type == WEIR_NODE_STRING) {
        expand_string(expander, node);
        return;
    }
    size_t index = 0;
    for (struct weir_node *child = node->first; child; child = child->next, index++) {
        size_t length = expander->path.length;
        if (node->type == WEIR_NODE_MAP)
            weir_text_addf(&expander->path, "%s%s", length ? "::" : "", child->key.data);
        else
            weir_text_addf(&expander->path, "[%zu]", index);
        expand_node(expander, child);
        expander->path.length = length;
        expander->path.data[length] = '\0';
    }
}

void expand_tree(const struct provider *provider, struct weir_node *root, struct weir_problems *problems)
{
    struct expander expander = { .provider = provider, .problems = problems };
    expand_node(&expander, root);
    weir_text_free(&expander.path);
}
