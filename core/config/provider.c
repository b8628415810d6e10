// SPDX-License-Identifier: Apache-2.0
/*
 * Configuration text from files, the environment, the URI itself and HTTP.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/config/fetch.h"
#include "core/config/provider.h"
#include "sdk/yaml/tree.h"

/* No configuration is as long; keeps a path to an endless device from filling the memory. */
enum { FILE_MAX = 16 * 1024 * 1024 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* [A-Za-z][A-Za-z0-9+.-]+ */
static bool is_scheme(struct weir_str name)
{
    if (name.length < 2 || !is_letter(name.data[0]))
        return false;
    for (size_t i = 1; i < name.length; i++) {
        char c = name.data[i];
        if (!is_letter(c) && !is_digit(c) && c != '+' && c != '.' && c != '-')
            return false;
    }
    return true;
}

struct uri uri_parse(struct weir_str text)
{
    static const struct {
        const char *name;
        enum scheme scheme;
    } known[] = {
        { "file", SCHEME_FILE }, { "env", SCHEME_ENV },    { "yaml", SCHEME_YAML },
        { "http", SCHEME_HTTP }, { "https", SCHEME_HTTP }, { "dir", SCHEME_DIR },
    };
    const char *colon = text.length ? memchr(text.data, ':', text.length) : NULL;
    size_t length = colon ? (size_t)(colon - text.data) : 0;
    struct uri uri = { SCHEME_NONE, weir_str_make(text.data, length), text };
    if (!colon || !is_scheme(uri.name))
        return uri;
    uri.scheme = SCHEME_UNKNOWN;
    uri.rest = weir_str_make(colon + 1, text.length - length - 1);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(known); i++) {
        if (weir_str_is(uri.name, known[i].name))
            uri.scheme = known[i].scheme;
    }
    return uri;
}

/* Reads until the end; -1 with errno set, EFBIG when there is too much. */
static int read_all(int fd, struct weir_text *text)
{
    char chunk[16384];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got == 0)
            return 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (text->length + (size_t)got > FILE_MAX) {
            errno = EFBIG;
            return -1;
        }
        weir_text_add(text, chunk, (size_t)got);
    }
}

static int get_file(struct weir_str path, struct weir_text *text, struct weir_error *error)
{
    char *name = weir_str_dup(path);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || read_all(fd, text) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (failed)
        weir_error_errno(error, failed, "unable to read the file file:%s", name);
    free(name);
    return failed ? -1 : 0;
}

static bool is_variable(struct weir_str name)
{
    if (name.length == 0 || (!is_letter(name.data[0]) && name.data[0] != '_'))
        return false;
    for (size_t i = 1; i < name.length; i++) {
        if (!is_letter(name.data[i]) && !is_digit(name.data[i]) && name.data[i] != '_')
            return false;
    }
    return true;
}

static int get_variable(struct weir_str rest, struct weir_text *text, struct provided *out,
                        struct weir_error *error)
{
    struct weir_str name = rest;
    struct weir_str preset = WEIR_STR_NONE;
    bool has_preset = false;
    for (size_t i = 0; i + 1 < rest.length && !has_preset; i++) {
        if (rest.data[i] != ':' || rest.data[i + 1] != '-')
            continue;
        name.length = i;
        preset = weir_str_make(rest.data + i + 2, rest.length - i - 2);
        has_preset = true;
    }
    if (!is_variable(name))
        return weir_error_set(error,
                              "environment variable \"%.*s\" has invalid name: must match regex "
                              "^[a-zA-Z_][a-zA-Z0-9_]*$",
                              WEIR_STR_ARG(name));
    char *variable = weir_str_dup(name);
    const char *value = getenv(variable);
    free(variable);
    if (value)
        weir_text_adds(text, value);
    else
        weir_text_add(text, preset.data ? preset.data : "", preset.length);
    out->unset = !value && !has_preset;
    out->empty = !value && has_preset && preset.length == 0;
    out->null = value ? value[0] == '\0' : !has_preset;
    return 0;
}

static int get_http(struct weir_str whole, struct weir_text *text, struct weir_error *error)
{
    char *uri = weir_str_dup(whole);
    int result = config_fetch(uri, text, error);
    free(uri);
    return result;
}

int provider_get(const struct provider *provider, const struct uri *uri, struct weir_str whole,
                 struct provided *out, struct weir_error *error)
{
    struct weir_text text = { 0 };
    struct provided provided = { 0 };
    int result = 0;
    if (provider->closed && (uri->scheme == SCHEME_FILE || uri->scheme == SCHEME_HTTP ||
                             uri->scheme == SCHEME_DIR))
        return weir_error_set(error, "scheme \"%.*s\" is not allowed here", WEIR_STR_ARG(uri->name));
    if (uri->scheme == SCHEME_DIR)
        return weir_error_set(error, "a folder is no value: scheme \"dir\" is for --config");
    if (uri->scheme == SCHEME_FILE)
        result = get_file(uri->rest, &text, error);
    else if (uri->scheme == SCHEME_ENV)
        result = get_variable(uri->rest, &text, &provided, error);
    else if (uri->scheme == SCHEME_HTTP)
        result = get_http(whole, &text, error);
    else
        weir_text_add(&text, uri->rest.data, uri->rest.length);
    if (result == 0) {
        provided.text = tree_copy_text(provider->arena, weir_text_view(&text));
        *out = provided;
    }
    weir_text_free(&text);
    return result;
}
