// SPDX-License-Identifier: Apache-2.0
/* The option table of basicauth (contrib-processors 7). */
#include <config.h>

#include "plugins/extensions/basicauth/options.h"

bool basic_given(const char *text)
{
    return text && *text;
}

static void check_htpasswd(const void *group, struct weir_checker *checker)
{
    const struct htpasswd_options *options = group;
    if (!basic_given(options->file) && !basic_given(options->inline_text.text))
        weir_check_fail(checker, "file", "no credential source provided");
}

static void check_client(const void *group, struct weir_checker *checker)
{
    const struct client_options *options = group;
    if (!basic_given(options->username) && !basic_given(options->username_file))
        weir_check_fail(checker, "username", "no credential source provided");
    if (options->username && strchr(options->username, ':'))
        weir_check_fail(checker, "username", "invalid authorization format: a username cannot hold a colon");
}

static void check_basic(const void *group, struct weir_checker *checker)
{
    const struct basic_options *options = group;
    if (options->htpasswd_on && options->client_on)
        weir_check_fail(checker, "client_auth", "only one of `htpasswd` or `client_auth` can be specified");
    if (!options->htpasswd_on && !options->client_on)
        weir_check_fail(checker, "htpasswd", "no credential source provided");
}

static const struct weir_option htpasswd_rows[] = {
    WEIR_OPTION(struct htpasswd_options, file, "file", .doc = "File of user:hash lines, which is followed."),
    WEIR_OPTION(struct htpasswd_options, inline_text, "inline",
                .doc = "The same as text; its users win over the file's."),
    WEIR_OPTION_END,
};
static const struct weir_option_table htpasswd_table = { htpasswd_rows, sizeof(struct htpasswd_options),
                                                         check_htpasswd };

static const struct weir_option client_rows[] = {
    WEIR_OPTION(struct client_options, username, "username", .doc = "The user's name."),
    WEIR_OPTION(struct client_options, username_file, "username_file",
                .doc = "File that holds the name, and is followed; wins over username."),
    WEIR_OPTION(struct client_options, password, "password", .doc = "The password."),
    WEIR_OPTION(struct client_options, password_file, "password_file",
                .doc = "File that holds the password, and is followed; wins over password."),
    WEIR_OPTION_REFUSED("aws_secrets_manager", "secrets of cloud services are not read; have them written to a file"),
    WEIR_OPTION_END,
};
static const struct weir_option_table client_table = { client_rows, sizeof(struct client_options), check_client };

static const struct weir_option basic_rows[] = {
    WEIR_OPTION_OPTIONAL(struct basic_options, htpasswd, htpasswd_on, "htpasswd", &htpasswd_table, WEIR_NONE_OFF,
                         .doc = "Servers: whom to let in."),
    WEIR_OPTION_OPTIONAL(struct basic_options, client, client_on, "client_auth", &client_table, WEIR_NONE_OFF,
                         .doc = "Clients: who we are."),
    WEIR_OPTION_END,
};
const struct weir_option_table basic_table = { basic_rows, sizeof(struct basic_options), check_basic };
