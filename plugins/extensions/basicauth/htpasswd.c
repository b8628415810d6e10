// SPDX-License-Identifier: Apache-2.0
/*
 * htpasswd files (httpd: "Password Formats") and the hashes that they hold.
 */
#include <config.h>

#include <crypt.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include <weir/auth.h>

#include "plugins/extensions/basicauth/htpasswd.h"

#define SHA1_LENGTH 20

struct entry {
    char *user;
    char *hash;
};

struct htpasswd {
    struct entry *entries; /* sorted by user */
    size_t count;
};

/* --- kinds of hashes --- */

enum family { FAMILY_CRYPT, FAMILY_APR1, FAMILY_SHA, FAMILY_SSHA, FAMILY_PLAIN, FAMILY_UNKNOWN };

struct kind {
    const char *prefix;
    enum family family;
    size_t tail; /* characters behind the last $, or behind the prefix when exact; 0: not checked */
    bool exact;
};

/* What libcrypt calls each is in crypt(5). */
static const struct kind kinds[] = {
    { "$2a$", FAMILY_CRYPT, 53, false },  { "$2b$", FAMILY_CRYPT, 53, false }, { "$2y$", FAMILY_CRYPT, 53, false },
    { "$1$", FAMILY_CRYPT, 22, false },   { "$5$", FAMILY_CRYPT, 43, false },  { "$6$", FAMILY_CRYPT, 86, false },
    { "$y$", FAMILY_CRYPT, 43, false },   { "$gy$", FAMILY_CRYPT, 43, false }, { "$7$", FAMILY_CRYPT, 43, false },
    { "$apr1$", FAMILY_APR1, 22, false }, { "{SHA}", FAMILY_SHA, 28, true },   { "{SSHA}", FAMILY_SSHA, 0, true },
};

static const struct kind plain = { "", FAMILY_PLAIN, 0, true };
static const struct kind unknown = { "", FAMILY_UNKNOWN, 0, true };

static const struct kind *kind_of(const char *hash)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(kinds); i++)
        if (strncmp(hash, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return &kinds[i];
    // To take a hash of an unknown kind for a password would let in whoever has read the file.
    return hash[0] == '$' || hash[0] == '{' ? &unknown : &plain;
}

/* Base64 with padding, nothing else; the length, or -1. `out` has room for 3/4 of the text, rounded up. */
static int decode64(const char *text, uint8_t *out)
{
    size_t length = strlen(text);
    if (length == 0 || length % 4 != 0 || length > 4096)
        return -1;
    int got = EVP_DecodeBlock(out, (const uint8_t *)text, (int)length);
    return got < 0 ? -1 : got - (text[length - 1] == '=') - (text[length - 2] == '=');
}

static bool is_whole(const char *hash)
{
    const struct kind *kind = kind_of(hash);
    uint8_t raw[3 * 1024];
    const char *behind = hash + strlen(kind->prefix);
    if (kind->family == FAMILY_UNKNOWN || !*behind)
        return false;
    if (!kind->exact)
        behind = strrchr(hash, '$') + 1;
    if (kind->tail > 0 && strlen(behind) != kind->tail)
        return false;
    if (kind->family == FAMILY_SHA)
        return decode64(behind, raw) == SHA1_LENGTH;
    return kind->family != FAMILY_SSHA || (strlen(behind) < 4096 && decode64(behind, raw) >= SHA1_LENGTH);
}

bool htpasswd_is_slow(const char *hash)
{
    return kind_of(hash)->family == FAMILY_CRYPT || kind_of(hash)->family == FAMILY_APR1;
}

static bool same(const char *a, const char *b)
{
    return weir_auth_equal(weir_str_of(a), weir_str_of(b));
}

static bool matches_crypt(const char *hash, const char *password)
{
    struct crypt_data *data = weir_xcalloc(1, sizeof(*data));
    // Not crypt_r: AddressSanitizer has its own, which is lost where libcrypt comes with a plugin.
    const char *made = crypt_rn(password, hash, data, (int)sizeof(*data));
    bool matches = made && same(made, hash);
    explicit_bzero(data, sizeof(*data));
    free(data);
    return matches;
}

static bool matches_apr1(const char *hash, const char *password)
{
    const char *salt = hash + strlen("$apr1$");
    const char *end = strchr(salt, '$');
    char made[APR1_ROOM];
    return end && apr1_crypt(password, weir_str_make(salt, (size_t)(end - salt)), made) && same(made, hash);
}

/* SHA-1 of the password and what stands behind the digest: a salt, or nothing. */
static bool matches_sha(const char *encoded, const char *password)
{
    uint8_t raw[3 * 1024], digest[EVP_MAX_MD_SIZE];
    int length = strlen(encoded) < 4096 ? decode64(encoded, raw) : -1;
    if (length < SHA1_LENGTH)
        return false;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context && EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1 &&
              EVP_DigestUpdate(context, password, strlen(password)) == 1 &&
              EVP_DigestUpdate(context, raw + SHA1_LENGTH, (size_t)length - SHA1_LENGTH) == 1 &&
              EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    return ok && weir_auth_equal(weir_str_make((char *)digest, SHA1_LENGTH), weir_str_make((char *)raw, SHA1_LENGTH));
}

bool htpasswd_matches(const char *hash, const char *password)
{
    const struct kind *kind = kind_of(hash);
    switch (kind->family) {
    case FAMILY_CRYPT:
        return matches_crypt(hash, password);
    case FAMILY_APR1:
        return matches_apr1(hash, password);
    case FAMILY_SHA:
    case FAMILY_SSHA:
        return matches_sha(hash + strlen(kind->prefix), password);
    case FAMILY_PLAIN:
        return same(hash, password);
    case FAMILY_UNKNOWN:
        break;
    }
    return false;
}

/* --- lists --- */

/* The last line for a user comes first. */
struct line {
    struct entry entry;
    size_t number;
};

static int compare_lines(const void *a, const void *b)
{
    const struct line *left = a, *right = b;
    int order = strcmp(left->entry.user, right->entry.user);
    return order ? order : left->number < right->number ? 1 : -1;
}

static void entry_free(struct entry *entry)
{
    if (entry->hash)
        explicit_bzero(entry->hash, strlen(entry->hash));
    free(entry->hash);
    free(entry->user);
}

static bool parse_line(struct weir_str text, struct entry *out)
{
    const char *colon = memchr(text.data, ':', text.length);
    if (!colon || colon == text.data || memchr(text.data, '\0', text.length))
        return false;
    size_t user = (size_t)(colon - text.data);
    out->user = weir_str_dup(weir_str_make(text.data, user));
    out->hash = weir_str_dup(weir_str_make(colon + 1, text.length - user - 1));
    if (is_whole(out->hash))
        return true;
    entry_free(out);
    return false;
}

/* Sorts, and keeps the last line for each user. */
static struct htpasswd *make_list(struct line *lines, size_t count)
{
    struct htpasswd *list = weir_xcalloc(1, sizeof(*list));
    list->entries = weir_xcalloc(count ? count : 1, sizeof(*list->entries));
    if (count > 0)
        qsort(lines, count, sizeof(*lines), compare_lines);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(lines[i].entry.user, list->entries[list->count - 1].user) == 0)
            entry_free(&lines[i].entry);
        else
            list->entries[list->count++] = lines[i].entry;
    }
    return list;
}

struct htpasswd *htpasswd_parse(struct weir_str text, struct weir_error *error)
{
    struct line *lines = NULL;
    size_t count = 0, room = 0, number = 1;
    bool ok = true;
    for (; ok && text.length > 0; number++) {
        const char *end = memchr(text.data, '\n', text.length);
        size_t length = end ? (size_t)(end - text.data) : text.length;
        struct weir_str line = weir_str_trim(weir_str_make(text.data, length));
        size_t step = end ? length + 1 : length;
        text = weir_str_make(text.data + step, text.length - step);
        if (line.length == 0 || line.data[0] == '#')
            continue;
        if (count == room) {
            room = room ? 2 * room : 16;
            lines = weir_xrealloc(lines, room * sizeof(*lines));
        }
        lines[count] = (struct line){ .number = number };
        ok = parse_line(line, &lines[count].entry);
        count += ok;
        if (!ok)
            weir_error_set(error, "line %zu is no user:hash with a hash that is known and whole", number);
    }
    struct htpasswd *list = make_list(lines, count);
    free(lines);
    if (ok)
        return list;
    htpasswd_free(list);
    return NULL;
}

void htpasswd_free(struct htpasswd *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        entry_free(&list->entries[i]);
    free(list->entries);
    free(list);
}

size_t htpasswd_count(const struct htpasswd *list)
{
    return list->count;
}

const char *htpasswd_find(const struct htpasswd *list, struct weir_str user)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = weir_str_compare(weir_str_of(list->entries[middle].user), user);
        if (order == 0)
            return list->entries[middle].hash;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
