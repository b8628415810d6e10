// SPDX-License-Identifier: Apache-2.0
/* A list of texts or expressions, any of which may match. */
#ifndef ATTRIBUTES_PATTERN_H
#define ATTRIBUTES_PATTERN_H

#include <weir/option.h>
#include <weir/regex.h>

enum pattern_kind {
    PATTERN_STRICT,
    PATTERN_REGEXP,
};

/* One text to compare with. */
struct pattern {
    struct weir_str text;
    struct weir_regex *regex; /* NULL: as it is */
};

struct patterns {
    struct pattern *items;
    size_t count;
};

/* `text` is kept. -1 with `error` set when it is no expression. */
int pattern_init(struct pattern *pattern, const char *text, enum pattern_kind kind, struct weir_error *error);
void pattern_free(struct pattern *pattern);
bool pattern_matches(const struct pattern *pattern, struct weir_str text);

/* The same for a list; what was made so far is freed by patterns_free. */
int patterns_init(struct patterns *patterns, const struct weir_strings *texts, enum pattern_kind kind,
                  struct weir_error *error);
void patterns_free(struct patterns *patterns);
/* True if any matches, and for an empty list. */
bool patterns_match(const struct patterns *patterns, struct weir_str text);

#endif
