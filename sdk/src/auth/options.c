// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of `auth:` (collector-core 4.2, 4.3 and 6).
 */
#include <config.h>

#include <weir/auth.h>

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
