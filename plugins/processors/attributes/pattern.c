// SPDX-License-Identifier: Apache-2.0
/* Texts to compare with. */
#include <config.h>

#include <stdlib.h>

#include "plugins/processors/attributes/pattern.h"

int pattern_init(struct pattern *pattern, const char *text, enum pattern_kind kind, struct weir_error *error)
{
    *pattern = (struct pattern){ .text = weir_str_of(text) };
    if (kind == PATTERN_STRICT)
        return 0;
    pattern->regex = weir_regex_new(pattern->text, error);
    return pattern->regex ? 0 : -1;
}

void pattern_free(struct pattern *pattern)
{
    weir_regex_free(pattern->regex);
}

bool pattern_matches(const struct pattern *pattern, struct weir_str text)
{
    return pattern->regex ? weir_regex_matches(pattern->regex, text) : weir_str_equal(pattern->text, text);
}

int patterns_init(struct patterns *patterns, const struct weir_strings *texts, enum pattern_kind kind,
                  struct weir_error *error)
{
    patterns->items = weir_xcalloc(texts->count + 1, sizeof *patterns->items);
    while (patterns->count < texts->count) {
        size_t at = patterns->count++;
        if (pattern_init(&patterns->items[at], texts->items[at], kind, error) != 0)
            return -1;
    }
    return 0;
}

void patterns_free(struct patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++)
        pattern_free(&patterns->items[i]);
    free(patterns->items);
}

bool patterns_match(const struct patterns *patterns, struct weir_str text)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (pattern_matches(&patterns->items[i], text))
            return true;
    return patterns->count == 0;
}
