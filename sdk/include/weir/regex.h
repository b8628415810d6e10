// SPDX-License-Identifier: Apache-2.0
/*
 * Regular expressions as configs write them: the syntax and meaning of RE2 (Go's regexp), matched by PCRE2 with limits,
 * so that no text can make a match take long.
 */
#ifndef WEIR_REGEX_H
#define WEIR_REGEX_H

#include <weir/error.h>
#include <weir/str.h>

WEIR_BEGIN

/* One compiled expression; unchanging, so that any thread may match with it. */
struct weir_regex;

/* NULL with `error` set, which names the place in the pattern. The caller frees with weir_regex_free. Any thread. */
WEIR_EXPORT struct weir_regex *weir_regex_new(struct weir_str pattern, struct weir_error *error) WEIR_MUST_USE;
/* Accepts NULL. No match is under way. */
WEIR_EXPORT void weir_regex_free(struct weir_regex *regex);

/* True if the expression matches anywhere in `text`, which need not be UTF-8. A match that would cost more than the
 * limit (10 million steps) is none. Any thread. */
WEIR_EXPORT bool weir_regex_matches(const struct weir_regex *regex, struct weir_str text);

/* Groups in parentheses, without the whole match; names are "" for those that have none. */
WEIR_EXPORT size_t weir_regex_group_count(const struct weir_regex *regex);
WEIR_EXPORT const char *weir_regex_group_name(const struct weir_regex *regex, size_t group);

/* As weir_regex_matches; fills groups[0 to group_count - 1] with views into `text`, empty for groups that took no part.
 * Any thread. */
WEIR_EXPORT bool weir_regex_search(const struct weir_regex *regex, struct weir_str text, struct weir_str *groups);

WEIR_END

#endif
