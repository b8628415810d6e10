// SPDX-License-Identifier: Apache-2.0
/*
 * Which proxy a destination is reached through: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as Go's clients read
 * them.
 */
#ifndef WEIR_SDK_HTTP_PROXY_H
#define WEIR_SDK_HTTP_PROXY_H

#include <weir/url.h>

/* Read once, unchanging after that. */
struct weir_proxies {
    bool has_http, has_https;
    struct weir_url http;  /* for http:// destinations */
    struct weir_url https; /* for https:// destinations, and for gRPC */
    char *no_proxy;
    bool fixed; /* from proxy_url: for everything, NO_PROXY or not */
};

/* From the environment; `getenv_like` is getenv, or a test's own. -1 with `error` set. */
int weir_proxies_from_environment(struct weir_proxies *proxies, const char *(*getenv_like)(const char *name),
                                  struct weir_error *error);
/* One proxy for everything. -1 with `error` set. */
int weir_proxies_from_url(struct weir_proxies *proxies, const char *proxy_url, struct weir_error *error);
void weir_proxies_free(struct weir_proxies *proxies);

/* The proxy for a destination; NULL: none. */
const struct weir_url *weir_proxies_pick(const struct weir_proxies *proxies, bool https, const char *host,
                                         uint16_t port);

/* "Basic <base64 of userinfo>"; the caller frees. */
char *weir_basic_credentials(const char *userinfo);

#endif
