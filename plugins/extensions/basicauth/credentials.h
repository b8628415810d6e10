// SPDX-License-Identifier: Apache-2.0
/* Basic credentials (RFC 7617) as header values. */
#ifndef WEIR_BASICAUTH_CREDENTIALS_H
#define WEIR_BASICAUTH_CREDENTIALS_H

#include <weir/str.h>

/* What a header holds; freed by credentials_free. */
struct credentials {
    struct weir_str user;
    const char *password;
    struct weir_str raw; /* the base64 text, in the header's memory */
    char *text;          /* the memory of the first two */
    size_t length;
};

/* Takes "Basic <base64 of user:password>" apart; the scheme in any case. false with a constant text in *why. */
bool credentials_parse(struct weir_str header, struct credentials *out, const char **why);
void credentials_free(struct credentials *credentials);

/* The header's value; the caller frees. */
char *credentials_print(const char *user, const char *password);

#endif
