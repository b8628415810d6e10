// SPDX-License-Identifier: Apache-2.0
/*
 * The text of what went wrong, gathered on the way up.
 */
#ifndef WEIR_ERROR_H
#define WEIR_ERROR_H

#include <weir/str.h>

WEIR_BEGIN

/* Zero-initialise to start; weir_error_free to end. One thread at a time. Functions that take one accept NULL,
 * for callers that do not care why. */
struct weir_error {
    struct weir_text text; /* empty: no error */
};

#define WEIR_ERROR_INIT { { NULL, 0, 0 } }

/* Replaces the text; returns -1, so that `return weir_error_set(...)` reports and fails in one line. */
WEIR_EXPORT int weir_error_set(struct weir_error *error, const char *format, ...) WEIR_PRINTF(2, 3);

/* Puts "<format>: " before the text, as the error passes a level that knows more; returns -1. */
WEIR_EXPORT int weir_error_prefix(struct weir_error *error, const char *format, ...) WEIR_PRINTF(2, 3);

/* As weir_error_set, with ": <strerror(errnum)>" behind; `errnum` is positive. Returns -1. */
WEIR_EXPORT int weir_error_errno(struct weir_error *error, int errnum, const char *format, ...) WEIR_PRINTF(3, 4);

/* The text, "" when there is none; owned by the error. */
WEIR_EXPORT const char *weir_error_text(const struct weir_error *error);

static inline bool weir_error_is_set(const struct weir_error *error)
{
    return error && error->text.length > 0;
}

/* Forgets the text and frees its memory; the error can be used again. */
WEIR_EXPORT void weir_error_free(struct weir_error *error);

WEIR_END

#endif
