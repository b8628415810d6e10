// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of `auth:` (collector-core 4.2, 4.3 and 6), and the extension that they name.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/auth/auth.h"

static void check_auth(const void *group, struct weir_checker *checker)
{
    const struct weir_auth_options *options = group;
    if (!options->authenticator.id)
        weir_check_fail(checker, "authenticator", "the id of an authenticator extension is required");
}

#define AUTHENTICATOR(offered, what)                                           \
    WEIR_OPTION(struct weir_auth_options, authenticator, "authenticator",      \
                .doc = "The extension that authenticates, such as bearertokenauth.", \
                .interface = (offered), .noun = (what))

static const struct weir_option client_rows[] = {
    AUTHENTICATOR(WEIR_AUTH_CLIENT, "client authenticator"),
    WEIR_OPTION_END,
};
const struct weir_option_table weir_auth_client_table = { client_rows, sizeof(struct weir_auth_options), check_auth };

static const struct weir_option server_rows[] = {
    AUTHENTICATOR(WEIR_AUTH_SERVER, "server authenticator"),
    WEIR_OPTION_END,
};
const struct weir_option_table weir_auth_server_table = { server_rows, sizeof(struct weir_auth_options), check_auth };

static const struct weir_option http_server_rows[] = {
    AUTHENTICATOR(WEIR_AUTH_SERVER, "server authenticator"),
    WEIR_OPTION(struct weir_auth_options, request_params, "request_params",
                .doc = "Query parameters that the extension sees as headers, before those of the same name."),
    WEIR_OPTION_END,
};
const struct weir_option_table weir_auth_http_server_table = { http_server_rows, sizeof(struct weir_auth_options),
                                                               check_auth };

int auth_find(const struct weir_auth_options *options, struct weir_instance *user, const char *interface,
              const char *side, struct weir_instance **extension, const void **functions, struct weir_error *error)
{
    const char *id = options->authenticator.id;
    if (!id)
        return weir_error_set(error, "no authenticator is named");
    if (!user)
        return weir_error_set(error, "failed to resolve authenticator \"%s\": this %s has no extensions", id, side);
    char *what = weir_xasprintf("%s authenticator", side);
    int result = weir_instance_extension(user, id, interface, what, extension, functions, error);
    free(what);
    return result == 0 ? 0 : weir_error_prefix(error, "failed to resolve authenticator \"%s\"", id);
}
