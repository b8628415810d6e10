// SPDX-License-Identifier: Apache-2.0
/*
 * Where configuration text comes from: file:, env:, yaml:, http: and https: URIs, and folders of files.
 */
#ifndef WEIR_CORE_CONFIG_PROVIDER_H
#define WEIR_CORE_CONFIG_PROVIDER_H

#include <weir/arena.h>
#include <weir/error.h>

enum scheme {
    SCHEME_NONE, /* the text has no scheme */
    SCHEME_UNKNOWN,
    SCHEME_FILE,
    SCHEME_ENV,
    SCHEME_YAML,
    SCHEME_HTTP, /* and https */
    SCHEME_DIR,  /* all files of a folder: as a --config only */
};

struct uri {
    enum scheme scheme;
    struct weir_str name; /* of the scheme */
    struct weir_str rest; /* behind the colon; the whole text without a scheme */
};

/* Splits at the first colon, if a scheme of at least two characters stands before it. */
struct uri uri_parse(struct weir_str text);

struct provided {
    bool null;            /* an environment variable that is unset or empty */
    bool unset;           /* an environment variable that is unset and has no default: worth a warning */
    bool empty;           /* an environment variable that is unset and has an empty default */
    struct weir_str text; /* NUL-terminated, in the arena */
};

struct provider {
    struct weir_arena *arena;
    bool closed; /* file:, http: and https: are refused */
};

/* Gets the text that a URI with a known scheme other than dir: names; -1 with the reason in `error`. `whole` is the URI as
 * written. */
int provider_get(const struct provider *provider, const struct uri *uri, struct weir_str whole,
                 struct provided *out, struct weir_error *error);

/* The files of a folder that are configuration, NAME.yaml without a dot at the beginning, by name: calls `add` with the
 * path of each. -1 with the reason in `error`. */
int folder_each(const char *path, void (*add)(const char *path, void *argument), void *argument,
                struct weir_error *error);

#endif
