// SPDX-License-Identifier: Apache-2.0
/*
 * CORS: which origins, methods and headers a browser may use.
 */
#include <config.h>

#include <stdio.h>

#include "sdk/src/http/cors.h"

#define REQUEST_METHOD "access-control-request-method"
#define REQUEST_HEADERS "access-control-request-headers"

static void add(struct headers *answer, const char *name, struct weir_str value)
{
    if (!headers_add(answer, weir_str_of(name), value))
        return; // without memory the browser gets no leave, which is safe
}

/* `pattern` has at most one "*", which stands for any text. */
static bool matches(struct weir_str pattern, struct weir_str text)
{
    const char *star = memchr(pattern.data, '*', pattern.length);
    if (!star)
        return weir_str_equal_nocase(pattern, text);
    struct weir_str before = weir_str_make(pattern.data, (size_t)(star - pattern.data));
    struct weir_str after = weir_str_make(star + 1, pattern.length - before.length - 1);
    return text.length >= before.length + after.length &&
           weir_str_equal_nocase(before, weir_str_make(text.data, before.length)) &&
           weir_str_equal_nocase(after, weir_str_make(text.data + text.length - after.length, after.length));
}

static bool any_origin(const struct weir_cors_options *cors)
{
    for (size_t i = 0; i < cors->allowed_origins.count; i++) {
        if (strcmp(cors->allowed_origins.items[i], "*") == 0)
            return true;
    }
    return false;
}

static bool origin_allowed(const struct weir_cors_options *cors, struct weir_str origin)
{
    if (origin.length == 0)
        return false;
    for (size_t i = 0; i < cors->allowed_origins.count; i++) {
        if (matches(weir_str_of(cors->allowed_origins.items[i]), origin))
            return true;
    }
    return false;
}

static bool method_allowed(struct weir_str method)
{
    return weir_str_is(method, "GET") || weir_str_is(method, "POST") || weir_str_is(method, "HEAD") ||
           weir_str_is(method, "OPTIONS");
}

static bool header_allowed(const struct weir_cors_options *cors, struct weir_str name)
{
    static const char *const usual[] = { "accept", "content-type", "x-requested-with" };
    for (size_t i = 0; i < cors->allowed_headers.count; i++) {
        const char *allowed = cors->allowed_headers.items[i];
        if (strcmp(allowed, "*") == 0 || weir_str_equal_nocase(weir_str_of(allowed), name))
            return true;
    }
    for (size_t i = 0; cors->allowed_headers.count == 0 && i < WEIR_ARRAY_LENGTH(usual); i++) {
        if (weir_str_equal_nocase(weir_str_of(usual[i]), name))
            return true;
    }
    return false;
}

/* `list` is the value of Access-Control-Request-Headers. */
static bool headers_allowed(const struct weir_cors_options *cors, struct weir_str list)
{
    while (list.length > 0) {
        const char *comma = memchr(list.data, ',', list.length);
        size_t length = comma ? (size_t)(comma - list.data) : list.length;
        struct weir_str name = weir_str_trim(weir_str_make(list.data, length));
        if (name.length > 0 && !header_allowed(cors, name))
            return false;
        size_t step = comma ? length + 1 : length;
        list = weir_str_make(list.data + step, list.length - step);
    }
    return true;
}

static void allow_origin(const struct weir_cors_options *cors, struct weir_str origin, struct headers *answer)
{
    add(answer, "access-control-allow-origin", any_origin(cors) ? WEIR_STR("*") : origin);
}

bool cors_is_preflight(struct weir_str method, const struct headers *request)
{
    return weir_str_is(method, "OPTIONS") && headers_get(request, REQUEST_METHOD).length > 0;
}

void cors_preflight(const struct weir_cors_options *cors, const struct headers *request,
                    struct headers *answer)
{
    struct weir_str origin = headers_get(request, "origin");
    struct weir_str method = headers_get(request, REQUEST_METHOD);
    struct weir_str names = headers_get(request, REQUEST_HEADERS);
    add(answer, "vary", WEIR_STR("Origin, Access-Control-Request-Method, Access-Control-Request-Headers"));
    if (!origin_allowed(cors, origin) || !method_allowed(method) || !headers_allowed(cors, names))
        return;
    allow_origin(cors, origin, answer);
    add(answer, "access-control-allow-methods", method);
    if (names.length > 0)
        add(answer, "access-control-allow-headers", names);
    add(answer, "access-control-allow-credentials", WEIR_STR("true"));
    if (cors->max_age != 0) {
        char age[24];
        snprintf(age, sizeof(age), "%lld", (long long)(cors->max_age > 0 ? cors->max_age : 0));
        add(answer, "access-control-max-age", weir_str_of(age));
    }
}

static void expose_headers(const struct weir_cors_options *cors, struct headers *answer)
{
    struct weir_text names = { .data = NULL };
    for (size_t i = 0; i < cors->exposed_headers.count; i++) {
        if (i > 0)
            weir_text_adds(&names, ", ");
        weir_text_adds(&names, cors->exposed_headers.items[i]);
    }
    if (names.length > 0)
        add(answer, "access-control-expose-headers", weir_text_view(&names));
    weir_text_free(&names);
}

void cors_actual(const struct weir_cors_options *cors, struct weir_str method, const struct headers *request,
                 struct headers *answer)
{
    struct weir_str origin = headers_get(request, "origin");
    add(answer, "vary", WEIR_STR("Origin"));
    if (!origin_allowed(cors, origin) || !method_allowed(method))
        return;
    allow_origin(cors, origin, answer);
    expose_headers(cors, answer);
    add(answer, "access-control-allow-credentials", WEIR_STR("true"));
}
