// SPDX-License-Identifier: Apache-2.0
/*
 * JSON (RFC 8259): a pull reader that goes once over bytes in memory, and a writer into a buffer.
 *
 *     struct weir_json json;
 *     struct weir_str key;
 *     weir_json_start(&json, data, length, &arena, WEIR_JSON_DEPTH);
 *     if (weir_json_object(&json))
 *         while (weir_json_member(&json, &key)) {
 *             if (weir_str_is(key, "name"))
 *                 weir_json_string(&json, &name);
 *             else
 *                 weir_json_skip(&json);
 *         }
 *     if (!weir_json_finish(&json))
 *         return weir_json_error(&json, error);
 */
#ifndef WEIR_JSON_H
#define WEIR_JSON_H

#include <weir/arena.h>
#include <weir/buffer.h>
#include <weir/error.h>

WEIR_BEGIN

/* The usual cap on arrays and objects inside each other, and the most a reader can be given. */
#define WEIR_JSON_DEPTH 64
#define WEIR_JSON_MAX_DEPTH 1024
/* Longer strings and keys are refused, so that one value cannot take memory without bound. */
#define WEIR_JSON_MAX_STRING ((size_t)64 << 20)

enum weir_json_type {
    WEIR_JSON_BAD, /* the end of the bytes, or a character that starts no value */
    WEIR_JSON_NULL,
    WEIR_JSON_BOOL,
    WEIR_JSON_NUMBER,
    WEIR_JSON_STRING,
    WEIR_JSON_ARRAY,
    WEIR_JSON_OBJECT,
};

/*
 * A reader; all members are private. The first problem stays: from then on every call returns false (or
 * WEIR_JSON_BAD) and moves nothing, so a caller may check once, at the end. One thread at a time.
 */
struct weir_json {
    const char *at;
    const char *end;
    const char *start;
    struct weir_arena *arena;
    const char *problem;
    size_t offset;
    unsigned depth;
    unsigned max_depth;
    bool first; /* nothing was read yet of the innermost array or object */
};

/* Begins to read `length` bytes, which stay the caller's and must outlive every view that is read; what an escaped
 * string means is written to `arena`. `max_depth` is 1 to WEIR_JSON_MAX_DEPTH. */
WEIR_EXPORT void weir_json_start(struct weir_json *json, const void *data, size_t length, struct weir_arena *arena,
                                 unsigned max_depth);

/* What the next value is, without reading it. */
WEIR_EXPORT enum weir_json_type weir_json_type(struct weir_json *json);

/* Steps into an object; then weir_json_member reads the next key (escapes resolved) and stops before its value, which
 * must be read or skipped; false at the end of the object, which is then left. */
WEIR_EXPORT bool weir_json_object(struct weir_json *json);
WEIR_EXPORT bool weir_json_member(struct weir_json *json, struct weir_str *key);

/* Steps into an array; then weir_json_element stops before the next element; false at the end, which is then left. */
WEIR_EXPORT bool weir_json_array(struct weir_json *json);
WEIR_EXPORT bool weir_json_element(struct weir_json *json);

/* Reads a string: a view of the input when it has no escape, of the arena otherwise. UTF-8 is checked; a \u escape
 * that is half of a surrogate pair becomes U+FFFD, as in Go. */
WEIR_EXPORT bool weir_json_string(struct weir_json *json, struct weir_str *out);

/* Reads a number: its text as written, or its value where that fits; the integer forms refuse fractions and exponents,
 * all refuse what is out of range. */
WEIR_EXPORT bool weir_json_number(struct weir_json *json, struct weir_str *out);
WEIR_EXPORT bool weir_json_i64(struct weir_json *json, int64_t *out);
WEIR_EXPORT bool weir_json_u64(struct weir_json *json, uint64_t *out);
WEIR_EXPORT bool weir_json_double(struct weir_json *json, double *out);

/* Reads true or false. */
WEIR_EXPORT bool weir_json_bool(struct weir_json *json, bool *out);
/* Reads null if that comes next; false, without a problem, if something else does. */
WEIR_EXPORT bool weir_json_null(struct weir_json *json);

/* Reads any one value, checking it as strictly as the others, and forgets it. */
WEIR_EXPORT bool weir_json_skip(struct weir_json *json);
/* As weir_json_skip, and gives the bytes of the value as written. */
WEIR_EXPORT bool weir_json_raw(struct weir_json *json, struct weir_str *out);

/* True if everything was read well and only white space is left. */
WEIR_EXPORT bool weir_json_finish(struct weir_json *json);

/* Records a problem of the caller's own at the current place, unless there is one already; `problem` is kept, not
 * copied. Returns false. */
WEIR_EXPORT bool weir_json_fail(struct weir_json *json, const char *problem);
static inline bool weir_json_failed(const struct weir_json *json)
{
    return json->problem != NULL;
}
/* Sets `error` to "<problem> at byte <offset>"; returns -1. */
WEIR_EXPORT int weir_json_error(const struct weir_json *json, struct weir_error *error);

/* The value of a number's text (RFC 8259 grammar, nothing around it); false when it is no such number or does not fit
 * a double. Rounds to nearest, whatever the locale. Any thread. */
WEIR_EXPORT bool weir_json_parse_double(struct weir_str text, double *out);

/*
 * A writer appends one value to `out`, placing commas; zero-initialise, then set `out`. Keys and strings are escaped,
 * bad UTF-8 becomes U+FFFD. `failed` is set, and nothing is written from then on, when memory is out. The caller keeps
 * to the grammar: a key before each value in an object, every open closed. One thread at a time.
 */
struct weir_json_writer {
    struct weir_buffer *out;
    bool comma;
    bool failed;
};

/* What an object or array consists of. */
WEIR_EXPORT void weir_json_open_object(struct weir_json_writer *writer);
WEIR_EXPORT void weir_json_close_object(struct weir_json_writer *writer);
WEIR_EXPORT void weir_json_open_array(struct weir_json_writer *writer);
WEIR_EXPORT void weir_json_close_array(struct weir_json_writer *writer);
WEIR_EXPORT void weir_json_key(struct weir_json_writer *writer, struct weir_str key);

/* Scalars, and what is JSON already. */
WEIR_EXPORT void weir_json_put_string(struct weir_json_writer *writer, struct weir_str s);
WEIR_EXPORT void weir_json_put_i64(struct weir_json_writer *writer, int64_t value);
WEIR_EXPORT void weir_json_put_u64(struct weir_json_writer *writer, uint64_t value);
/* The shortest text that reads back as the same value, with an exponent below 1e-6 and from 1e21, as Go and
 * JavaScript write it; NaN and infinities as the strings "NaN", "Infinity", "-Infinity" (protobuf's JSON mapping). */
WEIR_EXPORT void weir_json_put_double(struct weir_json_writer *writer, double value);
WEIR_EXPORT void weir_json_put_bool(struct weir_json_writer *writer, bool value);
WEIR_EXPORT void weir_json_put_null(struct weir_json_writer *writer);
/* Bytes that are one JSON value already. */
WEIR_EXPORT void weir_json_put_raw(struct weir_json_writer *writer, struct weir_str json);

/* Writes the shortest text of a finite double as weir_json_put_double does, without NUL; returns its length. */
#define WEIR_JSON_DOUBLE_ROOM 32
WEIR_EXPORT size_t weir_json_format_double(char out[WEIR_JSON_DOUBLE_ROOM], double value);

WEIR_END

#endif
