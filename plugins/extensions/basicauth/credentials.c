// SPDX-License-Identifier: Apache-2.0
/*
 * Basic credentials: one way to write them, and nothing else is read.
 */
#include <config.h>

#include <limits.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "plugins/extensions/basicauth/credentials.h"

static const struct weir_str prefix = { "Basic ", 6 };

/* Standard base64 with padding, as it would be written from what it holds. */
static bool decode(struct weir_str encoded, struct credentials *out)
{
    if (encoded.length == 0 || encoded.length % 4 != 0 || encoded.length > INT_MAX / 4)
        return false;
    char *text = weir_xmalloc(encoded.length + 1), *again = weir_xmalloc(encoded.length + 5);
    int length = EVP_DecodeBlock((uint8_t *)text, (const uint8_t *)encoded.data, (int)encoded.length);
    if (length > 0) {
        length -= (encoded.data[encoded.length - 1] == '=') + (encoded.data[encoded.length - 2] == '=');
        text[length] = '\0';
        EVP_EncodeBlock((uint8_t *)again, (const uint8_t *)text, length);
    }
    bool ok = length > 0 && weir_str_is(encoded, again);
    free(again);
    out->text = text;
    out->length = encoded.length;
    // A NUL would end the password early for whoever looks at it as a C string.
    return ok && strlen(text) == (size_t)length;
}

bool credentials_parse(struct weir_str header, struct credentials *out, const char **why)
{
    *out = (struct credentials){ .text = NULL };
    *why = "invalid authorization scheme prefix";
    if (header.length < prefix.length ||
        !weir_str_equal_nocase(weir_str_make(header.data, prefix.length), prefix))
        return false;
    *why = "invalid authorization format";
    out->raw = weir_str_make(header.data + prefix.length, header.length - prefix.length);
    char *colon = decode(out->raw, out) ? strchr(out->text, ':') : NULL;
    if (!colon) {
        credentials_free(out);
        return false;
    }
    out->user = weir_str_make(out->text, (size_t)(colon - out->text));
    out->password = colon + 1;
    return true;
}

void credentials_free(struct credentials *credentials)
{
    if (credentials->text)
        explicit_bzero(credentials->text, credentials->length);
    free(credentials->text);
    credentials->text = NULL;
}

char *credentials_print(const char *user, const char *password)
{
    char *plain = weir_xasprintf("%s:%s", user, password);
    size_t length = strlen(plain);
    char *out = weir_xmalloc(prefix.length + (length + 2) / 3 * 4 + 1);
    char *at = stpcpy(out, prefix.data);
    EVP_EncodeBlock((uint8_t *)at, (const uint8_t *)plain, (int)length);
    explicit_bzero(plain, length);
    free(plain);
    return out;
}
