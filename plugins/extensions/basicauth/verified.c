// SPDX-License-Identifier: Apache-2.0
/*
 * Verified credentials: a table of keyed digests, by a key that never leaves the process; a digest covers the hash, too,
 * so that a changed list forgets by itself.
 */
#include <config.h>

#include <stdlib.h>
#include <time.h>

#include <sys/random.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "plugins/extensions/basicauth/htpasswd.h"
#include "plugins/extensions/basicauth/verified.h"

#define SLOTS 1024
#define DIGEST 32
/* Behind a wrong password, no other is worked out for so many times as long as that took. */
#define REST 9

struct slot {
    uint8_t digest[DIGEST];
    bool used;
    bool right;
};

struct verified {
    uint8_t key[DIGEST];
    int64_t rests_until;
    struct slot slots[SLOTS];
};

struct verified *verified_new(void)
{
    struct verified *verified = weir_xcalloc(1, sizeof(*verified));
    if (getrandom(verified->key, sizeof(verified->key), 0) == (ssize_t)sizeof(verified->key))
        return verified;
    free(verified);
    return NULL;
}

void verified_free(struct verified *verified)
{
    if (verified)
        explicit_bzero(verified, sizeof(*verified));
    free(verified);
}

static bool make_digest(const struct verified *verified, struct weir_str user, const char *hash, const char *password,
                        uint8_t out[DIGEST])
{
    struct weir_text text = { .data = NULL };
    unsigned length = 0;
    // None of the three holds a NUL.
    weir_text_add(&text, user.data, user.length);
    weir_text_addc(&text, '\0');
    weir_text_adds(&text, hash);
    weir_text_addc(&text, '\0');
    weir_text_adds(&text, password);
    bool ok = HMAC(EVP_sha256(), verified->key, (int)sizeof(verified->key), (const uint8_t *)text.data, text.length,
                   out, &length) != NULL &&
              length == DIGEST;
    explicit_bzero(text.data, text.length);
    weir_text_free(&text);
    return ok;
}

static int64_t time_used(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

enum verified_answer verified_check(struct verified *verified, struct weir_str user, const char *hash,
                                    const char *password, int64_t now)
{
    uint8_t digest[DIGEST];
    if (!htpasswd_is_slow(hash))
        return htpasswd_matches(hash, password) ? VERIFIED_RIGHT : VERIFIED_WRONG;
    if (!make_digest(verified, user, hash, password, digest))
        return VERIFIED_WRONG;
    struct slot *slot = &verified->slots[(digest[0] | (size_t)digest[1] << 8) % SLOTS];
    if (slot->used && memcmp(slot->digest, digest, DIGEST) == 0)
        return slot->right ? VERIFIED_RIGHT : VERIFIED_WRONG;
    if (now < verified->rests_until)
        return VERIFIED_LATER;
    int64_t before = time_used();
    bool right = htpasswd_matches(hash, password);
    if (!right)
        verified->rests_until = now + (time_used() - before) * (REST + 1);
    // A wrong one does not push out a right one: it is cheaper to wait for.
    if (right || !slot->used || !slot->right) {
        memcpy(slot->digest, digest, DIGEST);
        slot->right = right;
        slot->used = true;
    }
    return right ? VERIFIED_RIGHT : VERIFIED_WRONG;
}
