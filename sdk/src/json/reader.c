// SPDX-License-Identifier: Apache-2.0
/*
 * The reader's structure: objects, arrays, literals, skipping, problems.
 */
#include <config.h>

#include "sdk/src/json/token.h"

void weir_json_start(struct weir_json *json, const void *data, size_t length, struct weir_arena *arena,
                     unsigned max_depth)
{
    const char *start = length > 0 ? data : "";
    *json = (struct weir_json){
        .at = start,
        .end = start + length,
        .start = start,
        .arena = arena,
        .max_depth = max_depth < WEIR_JSON_MAX_DEPTH ? max_depth : WEIR_JSON_MAX_DEPTH,
    };
}

bool weir_json_fail(struct weir_json *json, const char *problem)
{
    if (!json->problem) {
        json->problem = problem;
        json->offset = (size_t)(json->at - json->start);
        // Nothing more is read, without anybody's having to ask for a problem.
        json->end = json->at;
    }
    return false;
}

int weir_json_error(const struct weir_json *json, struct weir_error *error)
{
    return weir_error_set(error, "%s at byte %zu", json->problem ? json->problem : "no problem", json->offset);
}

bool json_wanted(struct weir_json *json, const char *problem)
{
    json_skip_space(json);
    return weir_json_fail(json, json->at < json->end ? problem : "unexpected end of JSON");
}

enum weir_json_type weir_json_type(struct weir_json *json)
{
    switch (json_next(json)) {
    case 'n':
        return WEIR_JSON_NULL;
    case 't':
    case 'f':
        return WEIR_JSON_BOOL;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return WEIR_JSON_NUMBER;
    case '"':
        return WEIR_JSON_STRING;
    case '[':
        return WEIR_JSON_ARRAY;
    case '{':
        return WEIR_JSON_OBJECT;
    default:
        return WEIR_JSON_BAD;
    }
}

/* Steps into an array or object. */
static bool enter(struct weir_json *json, char open, const char *problem)
{
    if (json_next(json) != open)
        return json_wanted(json, problem);
    if (json->depth == json->max_depth)
        return weir_json_fail(json, "arrays and objects nested too deeply");
    json->at++;
    json->depth++;
    json->first = true;
    return true;
}

bool weir_json_object(struct weir_json *json)
{
    return enter(json, '{', "expected an object");
}

bool weir_json_member(struct weir_json *json, struct weir_str *key)
{
    return json->depth > 0 && json_advance(json, '}', "expected ',' or '}'") && json_key(json, key);
}

bool weir_json_array(struct weir_json *json)
{
    return enter(json, '[', "expected an array");
}

bool weir_json_element(struct weir_json *json)
{
    return json->depth > 0 && json_advance(json, ']', "expected ',' or ']'");
}

static bool literal(struct weir_json *json, const char *word, size_t length)
{
    if ((size_t)(json->end - json->at) < length || memcmp(json->at, word, length) != 0)
        return weir_json_fail(json, "expected a value");
    json->at += length;
    return true;
}

bool weir_json_bool(struct weir_json *json, bool *out)
{
    char c = json_next(json);
    if (c != 't' && c != 'f')
        return json_wanted(json, "expected true or false");
    if (!literal(json, c == 't' ? "true" : "false", c == 't' ? 4 : 5))
        return false;
    *out = c == 't';
    return true;
}

bool weir_json_null(struct weir_json *json)
{
    return json_next(json) == 'n' && literal(json, "null", 4);
}

/* Reads a value that is neither array nor object. */
static bool skip_scalar(struct weir_json *json)
{
    struct weir_str ignored;
    bool truth;
    switch (weir_json_type(json)) {
    case WEIR_JSON_NULL:
        return weir_json_null(json);
    case WEIR_JSON_BOOL:
        return weir_json_bool(json, &truth);
    case WEIR_JSON_NUMBER:
        return weir_json_number(json, &ignored);
    case WEIR_JSON_STRING:
        return weir_json_string(json, &ignored);
    default:
        return json_wanted(json, "expected a value");
    }
}

/* One step of skipping inside `in_object` or else an array: sets *entered when the next value opens one more level.
 * False when the level is at its end, or with a problem. */
static bool skip_step(struct weir_json *json, bool in_object, bool *entered)
{
    struct weir_str key;
    *entered = false;
    if (!(in_object ? weir_json_member(json, &key) : weir_json_element(json)))
        return false;
    char c = json_next(json);
    if (c == '{' || c == '[') {
        *entered = true;
        return enter(json, c, "");
    }
    return skip_scalar(json);
}

bool weir_json_skip(struct weir_json *json)
{
    // One bit for each level: it is an object. No recursion, so the depth costs no stack.
    uint64_t objects[WEIR_JSON_MAX_DEPTH / 64] = { 0 };
    unsigned level = json->depth;
    char c = json_next(json);
    if (c != '{' && c != '[')
        return skip_scalar(json);
    bool entered = enter(json, c, "");
    while (!json->problem && json->depth > level) {
        unsigned top = json->depth - 1;
        uint64_t bit = (uint64_t)1 << (top % 64);
        if (entered && json->at[-1] == '{')
            objects[top / 64] |= bit;
        else if (entered)
            objects[top / 64] &= ~bit;
        (void)skip_step(json, objects[top / 64] & bit, &entered);
    }
    return !json->problem;
}

bool weir_json_raw(struct weir_json *json, struct weir_str *out)
{
    (void)json_next(json);
    const char *start = json->at;
    if (!weir_json_skip(json))
        return false;
    *out = weir_str_make(start, (size_t)(json->at - start));
    return true;
}

bool weir_json_finish(struct weir_json *json)
{
    if (json->problem)
        return false;
    json_skip_space(json);
    if (json->depth > 0)
        return weir_json_fail(json, "unexpected end of JSON");
    return json->at == json->end || weir_json_fail(json, "unexpected text after the value");
}
