// SPDX-License-Identifier: Apache-2.0
/*
 * The head of a request: the options' headers win over the request's own, and those over ours.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/http/client.h"

const char *weir_user_agent(void)
{
    static const char agent[] = "weir/" PACKAGE_VERSION " (linux/"
#if defined __x86_64__
                                "amd64"
#elif defined __aarch64__
                                "arm64"
#elif defined __arm__
                                "arm"
#elif defined __riscv
                                "riscv64"
#elif defined __powerpc64__
                                "ppc64le"
#elif defined __s390x__
                                "s390x"
#else
                                "unknown"
#endif
                                ")";
    return agent;
}

/* Headers that the connection makes, whatever anybody says. */
static bool is_ours(struct weir_str name)
{
    static const char *const ours[] = { "host",    "content-length",      "connection", "transfer-encoding",
                                        "upgrade", "proxy-authorization", "te",         "keep-alive",
                                        "trailer" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(ours); i++)
        if (weir_str_equal_nocase(name, weir_str_of(ours[i])))
            return true;
    return false;
}

static bool is_credential(struct weir_str name)
{
    static const char *const secret[] = { "authorization", "www-authenticate", "cookie", "cookie2" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(secret); i++)
        if (weir_str_equal_nocase(name, weir_str_of(secret[i])))
            return true;
    return false;
}

static const struct weir_pairs *options_headers(const struct weir_http_call *call)
{
    return &call->client->transport->options->headers.pairs;
}

static const char *find_option(const struct weir_http_call *call, struct weir_str name)
{
    const struct weir_pairs *pairs = options_headers(call);
    for (size_t i = 0; i < pairs->count; i++)
        if (weir_str_equal_nocase(weir_str_of(pairs->items[i].name), name))
            return pairs->items[i].value;
    return NULL;
}

struct weir_str weir_http_head_authority(const struct weir_http_call *call)
{
    const char *host = call->foreign ? NULL : find_option(call, WEIR_STR("host"));
    return weir_str_of(host && *host ? host : weir_http_call_url(call)->authority);
}

/* Adding fails only when memory is out, which for a few short lines ends the process like weir_xmalloc. */
static void add(struct headers *out, struct weir_str name, struct weir_str value)
{
    if (!headers_add(out, name, value))
        abort();
}

static bool allowed(const struct weir_http_call *call, struct weir_str name)
{
    return !is_ours(name) && !(call->foreign && is_credential(name));
}

/* What the options and the request set. */
static void collect_configured(const struct weir_http_call *call, struct headers *out)
{
    const struct weir_http_request *request = call->request;
    const struct weir_pairs *pairs = options_headers(call);
    for (size_t i = 0; i < pairs->count; i++)
        if (allowed(call, weir_str_of(pairs->items[i].name)))
            add(out, weir_str_of(pairs->items[i].name), weir_str_of(pairs->items[i].value));
    for (size_t i = 0; i < request->header_count; i++)
        if (allowed(call, request->headers[i].name) && !find_option(call, request->headers[i].name))
            add(out, request->headers[i].name, request->headers[i].value);
}

int weir_http_head_authenticate(struct weir_http_call *call, struct weir_error *error)
{
    const struct auth_client *auth = &call->client->transport->auth;
    if (!auth->extension)
        return 0;
    collect_configured(call, &call->headers.configured);
    return auth_client_apply(auth, call->request->context, &call->headers, error);
}

static void take(const struct weir_http_call *call, const struct headers *from, struct headers *out)
{
    for (size_t i = 0; i < from->count; i++)
        if (allowed(call, from->items[i].name))
            add(out, from->items[i].name, from->items[i].value);
}

void weir_http_head_collect(const struct weir_http_call *call, struct headers *out)
{
    if (call->client->transport->auth.extension) {
        take(call, &call->headers.configured, out);
        if (!call->foreign)
            take(call, &call->headers.added, out);
    } else {
        collect_configured(call, out);
    }
    if (!headers_get(out, "user-agent").data)
        add(out, WEIR_STR("user-agent"), weir_str_of(weir_user_agent()));
    const struct weir_url *url = weir_http_call_url(call);
    if (url->userinfo && !call->foreign && !headers_get(out, "authorization").data) {
        char *credentials = weir_basic_credentials(url->userinfo);
        add(out, WEIR_STR("authorization"), weir_str_of(credentials));
        free(credentials);
    }
}

void weir_http_head_print(const struct weir_http_call *call, struct weir_text *out)
{
    const struct weir_url *url = weir_http_call_url(call);
    const struct weir_url *proxy = call->origin->proxy;
    bool through_proxy = proxy && !url->https;
    weir_text_addf(out, "%s ", call->request->method);
    if (through_proxy)
        weir_text_addf(out, "http://%s", url->authority);
    weir_text_addf(out, "%s HTTP/1.1\r\nhost: %.*s\r\n", url->target,
                   WEIR_STR_ARG(weir_http_head_authority(call)));
    if (through_proxy && proxy->userinfo) {
        char *credentials = weir_basic_credentials(proxy->userinfo);
        weir_text_addf(out, "proxy-authorization: %s\r\n", credentials);
        free(credentials);
    }
    struct headers headers = { 0 };
    weir_http_head_collect(call, &headers);
    for (size_t i = 0; i < headers.count; i++) {
        weir_text_add(out, headers.items[i].name.data, headers.items[i].name.length);
        weir_text_add(out, ": ", 2);
        weir_text_add(out, headers.items[i].value.data, headers.items[i].value.length);
        weir_text_add(out, "\r\n", 2);
    }
    headers_free(&headers);
    if (call->request->body.bytes > 0 || strcmp(call->request->method, "POST") == 0)
        weir_text_addf(out, "content-length: %zu\r\n", call->request->body.bytes);
    if (call->client->transport->options->disable_keep_alives)
        weir_text_adds(out, "connection: close\r\n");
    weir_text_add(out, "\r\n", 2);
}

int weir_http_head_check(const struct weir_secret_pairs *headers, struct weir_error *error)
{
    for (size_t i = 0; i < headers->pairs.count; i++) {
        const struct weir_pair *pair = &headers->pairs.items[i];
        if (!header_name_valid(weir_str_of(pair->name)))
            return weir_error_set(error, "invalid header field name \"%s\"", pair->name);
        if (!header_value_valid(weir_str_of(pair->value)))
            return weir_error_set(error, "invalid header field value for \"%s\"%s", pair->name,
                                  strchr(pair->value, '\n') ? ": it has a line break, as most files have at their end"
                                                            : "");
    }
    return 0;
}
