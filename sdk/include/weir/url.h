// SPDX-License-Identifier: Apache-2.0
/*
 * Absolute http and https URLs, taken apart (RFC 3986, RFC 9110 section 4.2).
 */
#ifndef WEIR_URL_H
#define WEIR_URL_H

#include <weir/error.h>

WEIR_BEGIN

/* Unchanging once parsed, so that any thread may read it. Every text is owned by the structure. */
struct weir_url {
    char *text; /* the whole, as it is shown in errors: without user and password */
    bool https;
    char *host;      /* name or address; an IPv6 address without its brackets */
    uint16_t port;   /* as written, or the scheme's: 80, 443 */
    char *authority; /* for the Host header and :authority: host, and the port when it is not the scheme's */
    char *target;    /* path and query, at least "/"; the fragment is left out */
    char *userinfo;  /* "user:password" with %-escapes resolved; NULL: none */
};

/* Fills `out` from an absolute URL; -1, with `out` untouched and `error` set, when it is none, has another
 * scheme, or holds bytes that do not belong in one. Any thread. */
WEIR_EXPORT int weir_url_parse(const char *text, struct weir_url *out, struct weir_error *error);

/* Fills `out` from a URL or a relative reference (RFC 3986 section 5.2), such as a Location header. Any
 * thread. */
WEIR_EXPORT int weir_url_resolve(const struct weir_url *base, struct weir_str reference, struct weir_url *out,
                                 struct weir_error *error);

/* Frees what parsing made and zeroes the structure. */
WEIR_EXPORT void weir_url_free(struct weir_url *url);

WEIR_END

#endif
