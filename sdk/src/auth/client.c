// SPDX-License-Identifier: Apache-2.0
/*
 * Clients' side of authentication: what an authenticator makes of a request's headers.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/auth/auth.h"

int auth_client_find(struct auth_client *auth, const struct weir_auth_options *options, struct weir_instance *user,
                     struct weir_error *error)
{
    struct weir_instance *extension = NULL;
    const void *functions = NULL;
    if (auth_find(options, user, WEIR_AUTH_CLIENT, "client", &extension, &functions, error) != 0)
        return -1;
    *auth = (struct auth_client){ extension, functions };
    return 0;
}

int auth_client_apply(const struct auth_client *auth, const struct weir_context *context,
                      struct weir_auth_headers *headers, struct weir_error *error)
{
    int result = auth->functions->headers(auth->extension, context, headers, error);
    if (headers->failure) {
        weir_error_free(error);
        return weir_error_set(error, "%s", headers->failure);
    }
    return result;
}

void auth_headers_free(struct weir_auth_headers *headers)
{
    headers_free(&headers->configured);
    headers_free(&headers->added);
    free(headers->failure);
    headers->failure = NULL;
}

static bool has(const struct headers *list, struct weir_str name)
{
    for (size_t i = 0; i < list->count; i++)
        if (weir_str_equal_nocase(list->items[i].name, name))
            return true;
    return false;
}

static void drop(struct headers *list, struct weir_str name)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!weir_str_equal_nocase(list->items[i].name, name))
            list->items[kept++] = list->items[i];
    list->count = kept;
}

bool weir_auth_header_has(const struct weir_auth_headers *headers, struct weir_str name)
{
    return has(&headers->configured, name) || has(&headers->added, name);
}

void weir_auth_header_remove(struct weir_auth_headers *headers, struct weir_str name)
{
    drop(&headers->configured, name);
    drop(&headers->added, name);
}

/* The value is not shown: it may be a secret. */
static void fail(struct weir_auth_headers *headers, const char *what, struct weir_str name)
{
    struct weir_text text = { .data = NULL };
    weir_text_addf(&text, "%s \"", what);
    weir_text_add_json(&text, name);
    weir_text_addc(&text, '"');
    free(headers->failure);
    headers->failure = weir_text_steal(&text);
}

void weir_auth_header_set(struct weir_auth_headers *headers, struct weir_str name, struct weir_str value)
{
    if (!header_name_valid(name))
        fail(headers, "invalid header field name", name);
    else if (!header_value_valid(value))
        fail(headers, "invalid header field value for", name);
    else {
        weir_auth_header_remove(headers, name);
        if (!headers_add(&headers->added, name, value))
            fail(headers, "out of memory for", name);
    }
}
