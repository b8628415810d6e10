// SPDX-License-Identifier: Apache-2.0
/*
 * Proxy rules of the environment (golang.org/x/net/http/httpproxy: what users of upstream's configs know).
 */
#include <config.h>

#include <arpa/inet.h>
#include <stdlib.h>

#include "sdk/src/base/encoding.h"
#include "sdk/src/http/proxy.h"

static const char *either(const char *(*getenv_like)(const char *name), const char *upper, const char *lower)
{
    const char *value = getenv_like(upper);
    if (!value || !*value)
        value = getenv_like(lower);
    return value && *value ? value : NULL;
}

/* A proxy may be written without a scheme. */
static int parse_proxy(const char *text, struct weir_url *out, struct weir_error *error)
{
    char *url = strstr(text, "://") ? weir_xstrdup(text) : weir_xasprintf("http://%s", text);
    int result = weir_url_parse(url, out, error);
    free(url);
    if (result < 0)
        return strstr(text, "://") && strncmp(text, "http", 4) != 0
                   ? weir_error_set(error, "only proxies with http:// are supported")
                   : -1;
    if (out->https) {
        weir_url_free(out);
        return weir_error_set(error, "proxies that are reached over TLS (https://) are not supported");
    }
    return 0;
}

int weir_proxies_from_environment(struct weir_proxies *proxies, const char *(*getenv_like)(const char *name),
                                  struct weir_error *error)
{
    struct weir_proxies read = { 0 };
    const char *http = either(getenv_like, "HTTP_PROXY", "http_proxy");
    const char *https = either(getenv_like, "HTTPS_PROXY", "https_proxy");
    const char *no_proxy = either(getenv_like, "NO_PROXY", "no_proxy");
    if (http && parse_proxy(http, &read.http, error) < 0)
        return weir_error_prefix(error, "environment variable HTTP_PROXY");
    read.has_http = http != NULL;
    if (https && parse_proxy(https, &read.https, error) < 0) {
        weir_proxies_free(&read);
        return weir_error_prefix(error, "environment variable HTTPS_PROXY");
    }
    read.has_https = https != NULL;
    read.no_proxy = no_proxy ? weir_xstrdup(no_proxy) : NULL;
    *proxies = read;
    return 0;
}

int weir_proxies_from_url(struct weir_proxies *proxies, const char *proxy_url, struct weir_error *error)
{
    struct weir_proxies read = { .fixed = true };
    if (parse_proxy(proxy_url, &read.http, error) < 0)
        return weir_error_prefix(error, "proxy_url");
    read.has_http = true;
    *proxies = read;
    return 0;
}

void weir_proxies_free(struct weir_proxies *proxies)
{
    weir_url_free(&proxies->http);
    weir_url_free(&proxies->https);
    free(proxies->no_proxy);
    *proxies = (struct weir_proxies){ 0 };
}

struct address {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    bool is_v4;
};

static bool parse_address(struct weir_str text, struct address *out)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.length == 0 || text.length >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    memcpy(out->bytes, mapped, sizeof mapped);
    if (inet_pton(AF_INET, copy, out->bytes + 12) == 1) {
        out->is_v4 = true;
        return true;
    }
    out->is_v4 = false;
    return inet_pton(AF_INET6, copy, out->bytes) == 1;
}

static bool is_loopback(const struct address *address)
{
    static const uint8_t v6[16] = { [15] = 1 };
    return address->is_v4 ? address->bytes[12] == 127 : memcmp(address->bytes, v6, sizeof v6) == 0;
}

static bool same_prefix(const struct address *a, const struct address *b, unsigned bits)
{
    for (unsigned i = 0; i < bits; i++)
        if ((a->bytes[i / 8] ^ b->bytes[i / 8]) >> (7 - i % 8) & 1)
            return false;
    return true;
}

/* "10.0.0.0/8" */
static bool matches_network(struct weir_str rule, const struct address *address)
{
    const char *slash = memchr(rule.data, '/', rule.length);
    if (!slash)
        return false;
    size_t length = (size_t)(slash - rule.data);
    struct address network;
    uint64_t bits;
    if (!parse_address(weir_str_make(rule.data, length), &network) || network.is_v4 != address->is_v4 ||
        !weir_str_to_u64(weir_str_make(slash + 1, rule.length - length - 1), &bits) ||
        bits > (network.is_v4 ? 32 : 128))
        return false;
    return same_prefix(&network, address, (unsigned)bits + (network.is_v4 ? 96 : 0));
}

/* Cuts ":port" off a rule; false when it has one and that is another port. A bare IPv6 address has none. */
static bool take_port(struct weir_str *rule, uint16_t port)
{
    struct weir_str host = *rule;
    struct weir_str digits = WEIR_STR_NONE;
    if (rule->data[0] == '[') {
        const char *close = memchr(rule->data, ']', rule->length);
        if (!close)
            return true;
        host = weir_str_make(rule->data + 1, (size_t)(close - rule->data) - 1);
        size_t after = (size_t)(close - rule->data) + 1;
        if (after < rule->length && rule->data[after] == ':')
            digits = weir_str_make(rule->data + after + 1, rule->length - after - 1);
    } else {
        const char *colon = memchr(rule->data, ':', rule->length);
        if (!colon || memchr(colon + 1, ':', rule->length - (size_t)(colon - rule->data) - 1))
            return true;
        host.length = (size_t)(colon - rule->data);
        digits = weir_str_make(colon + 1, rule->length - host.length - 1);
    }
    *rule = host;
    uint64_t number;
    return digits.length == 0 || (weir_str_to_u64(digits, &number) && number == port);
}

/* "example.com" stands for itself and all below it, ".example.com" and "*.example.com" for what is below. */
static bool matches_domain(struct weir_str rule, struct weir_str host)
{
    if (rule.length >= 2 && rule.data[0] == '*' && rule.data[1] == '.')
        rule = weir_str_make(rule.data + 1, rule.length - 1);
    bool below_only = rule.length > 0 && rule.data[0] == '.';
    if (!below_only && weir_str_equal_nocase(rule, host))
        return true;
    if (host.length <= rule.length)
        return false;
    size_t start = host.length - rule.length;
    return weir_str_equal_nocase(weir_str_make(host.data + start, rule.length), rule) &&
           (below_only || host.data[start - 1] == '.');
}

static bool rule_matches(struct weir_str rule, struct weir_str host, const struct address *address,
                         uint16_t port)
{
    if (weir_str_is(rule, "*"))
        return true;
    if (address && matches_network(rule, address))
        return true;
    if (!take_port(&rule, port) || rule.length == 0)
        return false;
    struct address own;
    if (parse_address(rule, &own))
        return address && memcmp(own.bytes, address->bytes, sizeof own.bytes) == 0;
    return !address && matches_domain(rule, host);
}

static bool is_exempt(const struct weir_proxies *proxies, struct weir_str host, uint16_t port)
{
    struct address address;
    bool is_address = parse_address(host, &address);
    if (weir_str_equal_nocase(host, WEIR_STR("localhost")) || (is_address && is_loopback(&address)))
        return true;
    const char *at = proxies->no_proxy ? proxies->no_proxy : "";
    while (*at) {
        size_t length = strcspn(at, ",");
        struct weir_str rule = weir_str_trim(weir_str_make(at, length));
        if (rule.length > 0 && rule_matches(rule, host, is_address ? &address : NULL, port))
            return true;
        at += length + (at[length] == ',');
    }
    return false;
}

const struct weir_url *weir_proxies_pick(const struct weir_proxies *proxies, bool https, const char *host,
                                         uint16_t port)
{
    if (proxies->fixed)
        return &proxies->http;
    if (!(https ? proxies->has_https : proxies->has_http) || is_exempt(proxies, weir_str_of(host), port))
        return NULL;
    return https ? &proxies->https : &proxies->http;
}

char *weir_basic_credentials(const char *userinfo)
{
    struct weir_text text = { 0 };
    weir_text_adds(&text, "Basic ");
    base64_add(&text, weir_str_of(userinfo), true);
    return weir_text_steal(&text);
}
