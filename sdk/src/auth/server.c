// SPDX-License-Identifier: Apache-2.0
/*
 * Servers' side of authentication. Whatever goes wrong is a refusal.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/flow.h>

#include "sdk/src/auth/auth.h"
#include "sdk/src/base/encoding.h"

int auth_server_find(struct auth_server *auth, const struct weir_auth_options *options, struct weir_instance *user,
                     struct weir_error *error)
{
    struct weir_instance *extension = NULL;
    const void *functions = NULL;
    if (auth_find(options, user, WEIR_AUTH_SERVER, "server", &extension, &functions, error) != 0)
        return -1;
    *auth = (struct auth_server){ extension, functions, &options->request_params };
    return 0;
}

/* A key or value of a query (application/x-www-form-urlencoded). */
static char *decode(struct weir_str text)
{
    char *spaced = weir_str_dup(text);
    for (char *at = spaced; at < spaced + text.length; at++)
        if (*at == '+')
            *at = ' ';
    char *decoded = percent_decode(weir_str_make(spaced, text.length));
    free(spaced);
    return decoded;
}

/* Adds the parameter's values as headers of its name; false: no memory. */
static bool add_param(struct weir_str query, struct weir_str name, struct headers *out)
{
    bool ok = true;
    while (query.length > 0 && ok) {
        const char *end = memchr(query.data, '&', query.length);
        size_t length = end ? (size_t)(end - query.data) : query.length;
        const char *equals = memchr(query.data, '=', length);
        size_t key_length = equals ? (size_t)(equals - query.data) : length;
        char *key = decode(weir_str_make(query.data, key_length));
        char *text = decode(equals ? weir_str_make(equals + 1, length - key_length - 1) : WEIR_STR(""));
        if (weir_str_is(name, key))
            ok = headers_add(out, name, weir_str_of(text));
        free(key);
        free(text);
        size_t step = end ? length + 1 : length;
        query = weir_str_make(query.data + step, query.length - step);
    }
    return ok;
}

/* Query parameters that stand for headers, then the headers that they do not replace. */
static bool merge(const struct auth_server *auth, const struct headers *headers, struct weir_str query,
                  struct headers *out)
{
    const struct weir_strings *names = auth->request_params;
    bool ok = true;
    for (size_t i = 0; ok && i < names->count; i++)
        ok = add_param(query, weir_str_of(names->items[i]), out);
    size_t params = out->count;
    for (size_t i = 0; ok && i < headers->count; i++) {
        bool replaced = false;
        for (size_t k = 0; k < params; k++)
            replaced |= weir_str_equal(out->items[k].name, headers->items[i].name);
        if (!replaced)
            ok = headers_add(out, headers->items[i].name, headers->items[i].value);
    }
    return ok;
}

static bool ask(const struct auth_server *auth, const struct headers *headers, struct weir_str peer,
                struct weir_auth_verdict *verdict)
{
    struct weir_auth_request request = { headers->items, headers->count, peer };
    return auth->functions->check(auth->extension, &request, verdict) && !verdict->failed;
}

bool auth_server_check(const struct auth_server *auth, const struct headers *headers, struct weir_str query,
                       struct weir_str peer, struct weir_arena *arena, struct weir_auth_verdict *verdict)
{
    bool allowed = false;
    *verdict = (struct weir_auth_verdict){ .arena = arena };
    if (!auth->extension)
        return true;
    if (auth->request_params->count == 0 || query.length == 0) {
        allowed = ask(auth, headers, peer, verdict);
    } else {
        struct headers merged = { .items = NULL };
        allowed = merge(auth, headers, query, &merged) && ask(auth, &merged, peer, verdict);
        headers_free(&merged);
    }
    if (allowed)
        return true;
    verdict->attribute_count = 0;
    if (!verdict->message)
        verdict->message = "authentication failed";
    if (verdict->grpc_code <= WEIR_GRPC_OK)
        verdict->grpc_code = WEIR_GRPC_UNAUTHENTICATED;
    return false;
}

/* --- for authenticators --- */

void weir_auth_verdict_add(struct weir_auth_verdict *verdict, struct weir_str key, struct weir_str value)
{
    struct weir_str name = weir_arena_copy(verdict->arena, key);
    struct weir_str text = weir_arena_copy(verdict->arena, value);
    if (!name.data || !text.data || verdict->attribute_count == WEIR_AUTH_ATTRIBUTES_MAX) {
        verdict->failed = true;
        return;
    }
    verdict->attributes[verdict->attribute_count++] = (struct weir_metadata){ name, text };
}

bool weir_auth_request_header(const struct weir_auth_request *request, const char *name, struct weir_str *value,
                              struct weir_auth_verdict *verdict)
{
    struct weir_str found = WEIR_STR_NONE;
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (weir_str_is(request->headers[i].name, name)) {
            found = request->headers[i].value;
            count++;
        }
    }
    if (found.length == 0 || count > 1) {
        verdict->message = count > 1 ? "more than one authorization header" : "missing or empty authorization header";
        return false;
    }
    *value = found;
    return true;
}

bool weir_auth_equal(struct weir_str a, struct weir_str b)
{
    unsigned char difference = a.length != b.length;
    for (size_t i = 0; i < a.length; i++) {
        unsigned char other = b.length > 0 ? (unsigned char)b.data[i % b.length] : 0;
        difference |= (unsigned char)((unsigned char)a.data[i] ^ other);
    }
    return *(volatile unsigned char *)&difference == 0 && a.length == b.length;
}
