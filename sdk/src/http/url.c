// SPDX-License-Identifier: Apache-2.0
/*
 * Taking URLs apart (RFC 3986).
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <weir/url.h>

#include "sdk/src/base/encoding.h"

/* A URL longer than this is a mistake; it keeps sums of lengths far from overflow. */
#define URL_MAX 16384

struct parts {
    bool https;
    struct weir_str userinfo;
    bool has_userinfo;
    struct weir_str host;
    bool bracketed;
    uint16_t port;
    struct weir_str rest; /* from the path on */
};

static bool take_scheme(struct weir_str *text, bool *https)
{
    static const struct {
        struct weir_str prefix;
        bool https;
    } schemes[] = { { { "http://", 7 }, false }, { { "https://", 8 }, true } };

    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(schemes); i++) {
        size_t length = schemes[i].prefix.length;
        if (text->length < length ||
            !weir_str_equal_nocase(weir_str_make(text->data, length), schemes[i].prefix))
            continue;
        *text = weir_str_make(text->data + length, text->length - length);
        *https = schemes[i].https;
        return true;
    }
    return false;
}

static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~!$&'()*+;=", c)) || (unsigned char)c >= 0x80;
}

static bool is_address_byte(char c)
{
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' ||
           c == '.' || c == '%';
}

static int split_host(struct weir_str authority, struct parts *parts, struct weir_error *error)
{
    size_t end;
    if (authority.length > 0 && authority.data[0] == '[') {
        const char *close = memchr(authority.data, ']', authority.length);
        if (!close)
            return weir_error_set(error, "missing ']' in host");
        end = (size_t)(close - authority.data) + 1;
        parts->host = weir_str_make(authority.data + 1, end - 2);
        parts->bracketed = true;
        for (size_t i = 0; i < parts->host.length; i++)
            if (!is_address_byte(parts->host.data[i]))
                return weir_error_set(error, "invalid character in the address of the host");
    } else {
        const char *colon = memchr(authority.data, ':', authority.length);
        end = colon ? (size_t)(colon - authority.data) : authority.length;
        parts->host = weir_str_make(authority.data, end);
        for (size_t i = 0; i < parts->host.length; i++)
            if (!is_host_byte(parts->host.data[i]))
                return weir_error_set(error, "invalid character in host name");
    }
    if (parts->host.length == 0)
        return weir_error_set(error, "no host in the URL");
    if (end == authority.length)
        return 0;
    struct weir_str port = weir_str_make(authority.data + end + 1, authority.length - end - 1);
    uint64_t number = 0;
    if (authority.data[end] != ':' ||
        (port.length > 0 && (port.length > 5 || !weir_str_to_u64(port, &number))))
        return weir_error_set(error, "invalid port \"%.*s\" after host", WEIR_STR_ARG(port));
    if (port.length > 0 && (number == 0 || number > 65535))
        return weir_error_set(error, "invalid port \"%.*s\" after host", WEIR_STR_ARG(port));
    if (port.length > 0)
        parts->port = (uint16_t)number;
    return 0;
}

static int split(struct weir_str text, struct parts *parts, struct weir_error *error)
{
    if (text.length > URL_MAX)
        return weir_error_set(error, "the URL is longer than %d bytes", URL_MAX);
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.data[i] <= 0x20 || text.data[i] == 0x7f)
            return weir_error_set(error, "the URL holds white space or a control character");
    if (!take_scheme(&text, &parts->https))
        return weir_error_set(error, "the URL must start with http:// or https://");
    parts->port = parts->https ? 443 : 80;

    size_t end = 0;
    while (end < text.length && !strchr("/?#", text.data[end]))
        end++;
    struct weir_str authority = weir_str_make(text.data, end);
    parts->rest = weir_str_make(text.data + end, text.length - end);
    for (size_t i = authority.length; i > 0; i--) {
        if (authority.data[i - 1] != '@')
            continue;
        parts->userinfo = weir_str_make(authority.data, i - 1);
        parts->has_userinfo = true;
        authority = weir_str_make(authority.data + i, authority.length - i);
        break;
    }
    const char *hash = parts->rest.length > 0 ? memchr(parts->rest.data, '#', parts->rest.length) : NULL;
    if (hash)
        parts->rest.length = (size_t)(hash - parts->rest.data);
    return split_host(authority, parts, error);
}

/* The path and query, with "/" for none and bytes outside ASCII escaped. */
static char *make_target(struct weir_str rest)
{
    struct weir_text text = { 0 };
    if (rest.length == 0 || rest.data[0] != '/')
        weir_text_addc(&text, '/');
    for (size_t i = 0; i < rest.length; i++) {
        if ((unsigned char)rest.data[i] >= 0x80)
            weir_text_addf(&text, "%%%02X", (unsigned char)rest.data[i]);
        else
            weir_text_addc(&text, rest.data[i]);
    }
    return weir_text_steal(&text);
}

static void build(const struct parts *parts, struct weir_url *out)
{
    struct weir_text authority = { 0 };
    weir_text_addf(&authority, parts->bracketed ? "[%.*s]" : "%.*s", WEIR_STR_ARG(parts->host));
    if (parts->port != (parts->https ? 443 : 80))
        weir_text_addf(&authority, ":%u", (unsigned)parts->port);
    out->https = parts->https;
    out->host = weir_str_dup(parts->host);
    out->port = parts->port;
    out->authority = weir_text_steal(&authority);
    out->target = make_target(parts->rest);
    out->userinfo = parts->has_userinfo ? percent_decode(parts->userinfo) : NULL;
    out->text = weir_xasprintf("http%s://%s%s", parts->https ? "s" : "", out->authority,
                               parts->rest.length > 0 ? out->target : "");
}

int weir_url_parse(const char *text, struct weir_url *out, struct weir_error *error)
{
    struct parts parts = { 0 };
    if (split(weir_str_of(text), &parts, error) < 0)
        return -1;
    build(&parts, out);
    return 0;
}

/* Removes "." and ".." segments from a path that starts with "/" (RFC 3986 section 5.2.4), in place. */
static void remove_dots(char *path)
{
    char *in = path;
    char *out = path;
    while (*in) {
        size_t length = 1 + strcspn(in + 1, "/");
        bool last = in[length] == '\0';
        if (length == 2 && in[1] == '.') {
            if (last)
                *out++ = '/';
        } else if (length == 3 && in[1] == '.' && in[2] == '.') {
            while (out > path && *--out != '/')
                ;
            if (last)
                *out++ = '/';
        } else {
            memmove(out, in, length);
            out += length;
        }
        in += length;
    }
    *out = '\0';
}

/* The base's path up to its last slash with a relative path behind it. */
static void merge_path(const struct weir_url *base, struct weir_str path, struct weir_text *out)
{
    struct weir_text merged = { 0 };
    if (path.data[0] != '/') {
        size_t end = strcspn(base->target, "?");
        while (end > 0 && base->target[end - 1] != '/')
            end--;
        weir_text_add(&merged, base->target, end);
    }
    weir_text_add(&merged, path.data, path.length);
    remove_dots(merged.data);
    weir_text_adds(out, merged.data);
    weir_text_free(&merged);
}

static bool has_scheme(struct weir_str reference)
{
    for (size_t i = 0; i < reference.length; i++) {
        if (reference.data[i] == ':')
            return i > 0;
        if (strchr("/?#", reference.data[i]))
            return false;
    }
    return false;
}

int weir_url_resolve(const struct weir_url *base, struct weir_str reference, struct weir_url *out,
                     struct weir_error *error)
{
    if (reference.length > URL_MAX)
        return weir_error_set(error, "the URL is longer than %d bytes", URL_MAX);
    if (reference.length > 0 && memchr(reference.data, '\0', reference.length))
        return weir_error_set(error, "the URL holds white space or a control character");
    struct weir_text text = { 0 };
    if (!has_scheme(reference)) {
        weir_text_addf(&text, "http%s:", base->https ? "s" : "");
        bool network = reference.length >= 2 && memcmp(reference.data, "//", 2) == 0;
        if (!network)
            weir_text_addf(&text, "//%s", base->authority);
        size_t path = 0;
        while (!network && path < reference.length && !strchr("?#", reference.data[path]))
            path++;
        if (path > 0)
            merge_path(base, weir_str_make(reference.data, path), &text);
        else if (!network)
            weir_text_add(&text, base->target,
                          reference.length > 0 && reference.data[0] == '?' ? strcspn(base->target, "?")
                                                                           : strlen(base->target));
        weir_text_add(&text, reference.data + path, reference.length - path);
    } else {
        weir_text_add(&text, reference.data, reference.length);
    }
    int result = weir_url_parse(weir_text_string(&text), out, error);
    weir_text_free(&text);
    return result;
}

void weir_url_free(struct weir_url *url)
{
    free(url->text);
    free(url->host);
    free(url->authority);
    free(url->target);
    free(url->userinfo);
    *url = (struct weir_url){ 0 };
}
