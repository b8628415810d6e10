// SPDX-License-Identifier: Apache-2.0
/*
 * Names of metrics: words joined by underscores, with unit and kind behind them (contrib-receivers-exporters 4.3).
 */
#include <config.h>

#include <weir/prometheus.h>

#include "units.h"

enum weir_prometheus_type weir_prometheus_type_of(const struct weir_metric *metric)
{
    switch (metric->type) {
    case WEIR_METRIC_GAUGE:
        return WEIR_PROMETHEUS_GAUGE;
    case WEIR_METRIC_SUM:
        return metric->monotonic ? WEIR_PROMETHEUS_COUNTER : WEIR_PROMETHEUS_GAUGE;
    case WEIR_METRIC_HISTOGRAM:
    case WEIR_METRIC_EXPONENTIAL_HISTOGRAM:
        return WEIR_PROMETHEUS_HISTOGRAM;
    case WEIR_METRIC_SUMMARY:
        return WEIR_PROMETHEUS_SUMMARY;
    case WEIR_METRIC_EMPTY:
        break;
    }
    return WEIR_PROMETHEUS_UNKNOWN;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == ':';
}

static bool is_name_char(char c)
{
    return is_word_char(c) || c == '_';
}

/* Takes the next run of characters that belong off the front of `rest`. */
static bool next_token(struct weir_str *rest, bool (*belongs)(char c), struct weir_str *token)
{
    size_t from = 0, to;
    *token = WEIR_STR_NONE;
    if (rest->length == 0)
        return false;
    while (from < rest->length && !belongs(rest->data[from]))
        from++;
    for (to = from; to < rest->length && belongs(rest->data[to]);)
        to++;
    *token = weir_str_make(rest->data + from, to - from);
    *rest = weir_str_make(rest->data + to, rest->length - to);
    return to > from;
}

static bool has_token(struct weir_str name, struct weir_str wanted)
{
    struct weir_str token;
    while (next_token(&name, is_word_char, &token)) {
        if (weir_str_equal(token, wanted))
            return true;
    }
    return false;
}

static void add_token(struct weir_text *name, struct weir_str token)
{
    if (token.length == 0)
        return;
    if (name->length)
        weir_text_addc(name, '_');
    weir_text_add(name, token.data, token.length);
}

/* A unit as part of a name: its words with underscores between them. */
static void clean_unit(struct weir_str unit, struct weir_text *text)
{
    size_t last = unit.length;
    for (size_t i = 0; i < unit.length; i++) {
        if (is_word_char(unit.data[i])) {
            if (text->length && last + 1 < i)
                weir_text_addc(text, '_');
            weir_text_addc(text, unit.data[i]);
            last = i;
        }
    }
    /* what stands behind the last word leaves an underscore, too */
    if (text->length && last + 1 < unit.length)
        weir_text_addc(text, '_');
}

/* The word that the kind puts at the end of the name. */
static struct weir_str kind_word(const struct weir_metric *metric)
{
    enum weir_prometheus_type type = weir_prometheus_type_of(metric);
    if (type == WEIR_PROMETHEUS_COUNTER)
        return WEIR_STR("total");
    if (type == WEIR_PROMETHEUS_GAUGE && weir_str_is(metric->unit, "1"))
        return WEIR_STR("ratio");
    return WEIR_STR_NONE;
}

static void add_escaped_suffixed(const struct weir_metric *metric, struct weir_text *name)
{
    struct unit_words unit = unit_words_of(metric->unit);
    struct weir_str kind = kind_word(metric), rest = metric->name, token;
    struct weir_text main = { 0 }, per = { 0 };
    clean_unit(unit.main, &main);
    clean_unit(unit.per, &per);
    if (has_token(metric->name, weir_text_view(&main)))
        weir_text_clear(&main);
    if (has_token(metric->name, weir_text_view(&per)))
        weir_text_clear(&per);
    if (per.length && main.length && main.data[main.length - 1] == '_')
        main.length--;
    while (next_token(&rest, is_word_char, &token)) {
        if (kind.length == 0 || !weir_str_equal(token, kind)) /* it moves to the end */
            add_token(name, token);
    }
    add_token(name, weir_text_view(&main));
    if (per.length) {
        add_token(name, WEIR_STR("per"));
        add_token(name, weir_text_view(&per));
    }
    add_token(name, kind);
    weir_text_free(&main);
    weir_text_free(&per);
}

void weir_prometheus_unit(struct weir_str unit, struct weir_text *text)
{
    struct unit_words words = unit_words_of(unit);
    struct weir_text main = { 0 }, per = { 0 }, made = { 0 };
    clean_unit(words.main, &main);
    clean_unit(words.per, &per);
    add_token(&made, weir_text_view(&main));
    if (per.length) {
        add_token(&made, WEIR_STR("per"));
        add_token(&made, weir_text_view(&per));
    }
    weir_text_add(text, made.data, made.length);
    weir_text_free(&main);
    weir_text_free(&per);
    weir_text_free(&made);
}

static void add_escaped(struct weir_str from, struct weir_text *name)
{
    struct weir_str token;
    size_t start = name->length;
    while (next_token(&from, is_name_char, &token)) {
        if (name->length > start)
            weir_text_addc(name, '_');
        weir_text_add(name, token.data, token.length);
    }
}

static bool ends_with(struct weir_str name, struct weir_str suffix)
{
    return name.length >= suffix.length
           && weir_str_equal(weir_str_make(name.data + name.length - suffix.length, suffix.length), suffix);
}

/* The name without a suffix that will be put behind it anew. */
static struct weir_str without_suffix(struct weir_str name, struct weir_str suffix)
{
    if (suffix.length && name.length > suffix.length + 1 && ends_with(name, suffix))
        name.length -= suffix.length + 1;
    return name;
}

static void add_suffix(struct weir_text *name, const char *before, struct weir_str suffix)
{
    if (suffix.length) {
        weir_text_adds(name, before);
        weir_text_add(name, suffix.data, suffix.length);
    }
}

static void add_utf8_suffixed(const struct weir_metric *metric, struct weir_text *name)
{
    struct unit_words unit = unit_words_of(metric->unit);
    struct weir_str kind = kind_word(metric), stem = without_suffix(metric->name, kind);
    struct weir_text per = { 0 };
    add_suffix(&per, "per_", unit.per);
    stem = without_suffix(stem, weir_text_view(&per));
    weir_text_add(name, stem.data, stem.length);
    if (!ends_with(stem, unit.main))
        add_suffix(name, "_", unit.main);
    add_suffix(name, "_", weir_text_view(&per));
    add_suffix(name, "_", kind);
    weir_text_free(&per);
}

static bool only_underscores(const struct weir_text *name)
{
    for (size_t i = 0; i < name->length; i++) {
        if (name->data[i] != '_')
            return false;
    }
    return true;
}

int weir_prometheus_metric_name(enum weir_prometheus_strategy strategy, struct weir_str name_space,
                                const struct weir_metric *metric, struct weir_text *name, struct weir_error *error)
{
    struct weir_text made = { 0 };
    switch (strategy) {
    case WEIR_PROMETHEUS_ESCAPED_SUFFIXED:
        add_token(&made, name_space);
        add_escaped_suffixed(metric, &made);
        break;
    case WEIR_PROMETHEUS_ESCAPED:
        add_escaped(name_space, &made);
        if (name_space.length)
            weir_text_addc(&made, '_');
        add_escaped(metric->name, &made);
        break;
    case WEIR_PROMETHEUS_UTF8_SUFFIXED:
    case WEIR_PROMETHEUS_UNCHANGED:
        weir_text_add(&made, name_space.data, name_space.length);
        if (name_space.length)
            weir_text_addc(&made, '_');
        if (strategy == WEIR_PROMETHEUS_UTF8_SUFFIXED)
            add_utf8_suffixed(metric, &made);
        else
            weir_text_add(&made, metric->name.data, metric->name.length);
        break;
    }
    if (only_underscores(&made)) {
        weir_error_set(error, "metric name \"%.*s\" has no letter or digit", WEIR_STR_ARG(metric->name));
        weir_text_free(&made);
        return -1;
    }
    if (is_digit(made.data[0]) && strategy <= WEIR_PROMETHEUS_ESCAPED)
        weir_text_addc(name, '_');
    weir_text_add(name, made.data, made.length);
    weir_text_free(&made);
    return 0;
}
