// SPDX-License-Identifier: Apache-2.0
/*
 * A view of bytes that somebody else owns, and a growing string.
 */
#ifndef WEIR_STR_H
#define WEIR_STR_H

#include <stdarg.h>
#include <string.h>

#include <weir/base.h>

WEIR_BEGIN

/* A view: not NUL-terminated, may hold any byte, lives as long as what it points into. */
struct weir_str {
    const char *data;
    size_t length;
};

#define WEIR_STR(literal) (WEIR_LITERAL(weir_str){ (literal), sizeof(literal) - 1 })
#define WEIR_STR_NONE (WEIR_LITERAL(weir_str){ NULL, 0 })
/* For printf("%.*s"): cut to what an int can say. */
#define WEIR_STR_ARG(s) ((int)((s).length > 0x7fffffff ? 0x7fffffff : (s).length)), ((s).data ? (s).data : "")

static inline struct weir_str weir_str_make(const char *data, size_t length)
{
    struct weir_str s = { data, length };
    return s;
}

/* A view of a C string; NULL gives the empty view. */
static inline struct weir_str weir_str_of(const char *text)
{
    return weir_str_make(text, text ? strlen(text) : 0);
}

static inline bool weir_str_equal(struct weir_str a, struct weir_str b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool weir_str_is(struct weir_str a, const char *text)
{
    return weir_str_equal(a, weir_str_of(text));
}

/* Compares without regard to the case of ASCII letters. Any thread. */
WEIR_EXPORT bool weir_str_equal_nocase(struct weir_str a, struct weir_str b);

/* Orders by bytes, then by length: <0, 0, >0. Any thread. */
WEIR_EXPORT int weir_str_compare(struct weir_str a, struct weir_str b);

/* The view without ASCII white space at both ends. Any thread. */
WEIR_EXPORT struct weir_str weir_str_trim(struct weir_str s);

/* A NUL-terminated copy that the caller frees; NUL bytes inside are kept. Never NULL. Any thread. */
WEIR_EXPORT char *weir_str_dup(struct weir_str s) WEIR_MALLOC;

/* Parses a decimal number that fills the whole view; false on anything else or overflow. Any thread. */
WEIR_EXPORT bool weir_str_to_u64(struct weir_str s, uint64_t *out);
WEIR_EXPORT bool weir_str_to_i64(struct weir_str s, int64_t *out);
WEIR_EXPORT bool weir_str_to_double(struct weir_str s, double *out);

/* True if the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). Any thread. */
WEIR_EXPORT bool weir_utf8_valid(const char *data, size_t length);

/*
 * A growing string of bytes, always followed by a NUL that does not count. Zero-initialise to start,
 * weir_text_free to end. One thread at a time. Growing never fails (it ends the process when memory is out),
 * so it is for text of our own making: errors, logs, documents; what a peer sizes goes into weir_buffer.
 */
struct weir_text {
    char *data;
    size_t length;
    size_t capacity;
};

/* Append: bytes, a C string, one character, what printf makes of the arguments. */
WEIR_EXPORT void weir_text_add(struct weir_text *text, const char *data, size_t length);
WEIR_EXPORT void weir_text_adds(struct weir_text *text, const char *string);
WEIR_EXPORT void weir_text_addc(struct weir_text *text, char c);
WEIR_EXPORT void weir_text_addf(struct weir_text *text, const char *format, ...) WEIR_PRINTF(2, 3);
WEIR_EXPORT void weir_text_vaddf(struct weir_text *text, const char *format, va_list arguments) WEIR_PRINTF(2, 0);
/* Adds `s` as the inside of a JSON string: quotes, control characters and bad UTF-8 escaped or replaced. */
WEIR_EXPORT void weir_text_add_json(struct weir_text *text, struct weir_str s);
/* Empties the text and keeps its memory. */
WEIR_EXPORT void weir_text_clear(struct weir_text *text);
WEIR_EXPORT void weir_text_free(struct weir_text *text);
/* The NUL-terminated content ("" when empty), owned by the text. */
WEIR_EXPORT const char *weir_text_string(const struct weir_text *text);
/* Hands the content to the caller, who frees it, and leaves the text empty. Never NULL. */
WEIR_EXPORT char *weir_text_steal(struct weir_text *text) WEIR_MUST_USE;

static inline struct weir_str weir_text_view(const struct weir_text *text)
{
    return weir_str_make(text->data, text->length);
}

WEIR_END

#endif
