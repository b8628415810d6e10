// SPDX-License-Identifier: Apache-2.0
/* The options of basicauth. */
#ifndef WEIR_BASICAUTH_OPTIONS_H
#define WEIR_BASICAUTH_OPTIONS_H

#include <weir/option.h>

struct htpasswd_options {
    char *file;
    struct weir_secret inline_text;
};

struct client_options {
    char *username;
    char *username_file;
    struct weir_secret password;
    char *password_file;
};

struct basic_options {
    bool htpasswd_on;
    struct htpasswd_options htpasswd;
    bool client_on;
    struct client_options client;
};

extern const struct weir_option_table basic_table;

/* Whether a text was given, and is not empty. */
bool basic_given(const char *text);

#endif
