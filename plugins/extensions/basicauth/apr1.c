// SPDX-License-Identifier: Apache-2.0
/*
 * Apache's variant of MD5-crypt (httpd: "Password Formats", apr_md5_encode), which libcrypt does not have: a thousand
 * rounds of MD5 over password, salt and the round before, written in crypt's own base64.
 */
#include <config.h>

#include <string.h>

#include <openssl/evp.h>

#include "plugins/extensions/basicauth/htpasswd.h"

#define MAGIC "$apr1$"
#define SALT_MAX 8
#define DIGEST 16
#define ROUNDS 1000

/* The digest of several pieces. */
struct piece {
    const void *data;
    size_t length;
};

static bool digest(EVP_MD_CTX *context, const struct piece *pieces, size_t count, uint8_t out[DIGEST])
{
    bool ok = EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1;
    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestUpdate(context, pieces[i].data, pieces[i].length) == 1;
    return ok && EVP_DigestFinal_ex(context, out, NULL) == 1;
}

static bool first_round(EVP_MD_CTX *context, struct piece password, struct piece salt, uint8_t state[DIGEST])
{
    uint8_t inner[DIGEST];
    bool ok = digest(context, (struct piece[]){ password, salt, password }, 3, inner) &&
              EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1 &&
              EVP_DigestUpdate(context, password.data, password.length) == 1 &&
              EVP_DigestUpdate(context, MAGIC, strlen(MAGIC)) == 1 &&
              EVP_DigestUpdate(context, salt.data, salt.length) == 1;
    for (size_t left = password.length; ok && left > 0;) {
        size_t step = left < DIGEST ? left : DIGEST;
        ok = EVP_DigestUpdate(context, inner, step) == 1;
        left -= step;
    }
    for (size_t bits = password.length; ok && bits > 0; bits >>= 1)
        ok = EVP_DigestUpdate(context, bits & 1 ? "" : (const char *)password.data, 1) == 1;
    return ok && EVP_DigestFinal_ex(context, state, NULL) == 1;
}

static bool later_round(EVP_MD_CTX *context, unsigned round, struct piece password, struct piece salt,
                        uint8_t state[DIGEST])
{
    struct piece last = { state, DIGEST };
    struct piece pieces[4];
    size_t count = 0;
    pieces[count++] = round & 1 ? password : last;
    if (round % 3)
        pieces[count++] = salt;
    if (round % 7)
        pieces[count++] = password;
    pieces[count++] = round & 1 ? last : password;
    return digest(context, pieces, count, state);
}

static char *put64(char *at, unsigned value, int count)
{
    static const char alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (; count > 0; count--) {
        *at++ = alphabet[value & 63];
        value >>= 6;
    }
    return at;
}

static void print(struct weir_str salt, const uint8_t state[DIGEST], char out[APR1_ROOM])
{
    static const uint8_t order[][3] = { { 0, 6, 12 }, { 1, 7, 13 }, { 2, 8, 14 }, { 3, 9, 15 }, { 4, 10, 5 } };
    char *at = stpcpy(out, MAGIC);
    memcpy(at, salt.data, salt.length);
    at += salt.length;
    *at++ = '$';
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(order); i++)
        at = put64(at, (unsigned)state[order[i][0]] << 16 | (unsigned)state[order[i][1]] << 8 | state[order[i][2]], 4);
    at = put64(at, state[11], 2);
    *at = '\0';
}

bool apr1_crypt(const char *password, struct weir_str salt, char out[APR1_ROOM])
{
    uint8_t state[DIGEST];
    if (salt.length > SALT_MAX)
        salt.length = SALT_MAX;
    struct piece key = { password, strlen(password) }, grain = { salt.data, salt.length };
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context && first_round(context, key, grain, state);
    for (unsigned round = 0; ok && round < ROUNDS; round++)
        ok = later_round(context, round, key, grain, state);
    EVP_MD_CTX_free(context);
    if (ok)
        print(salt, state, out);
    return ok;
}
