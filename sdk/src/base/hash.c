// SPDX-License-Identifier: Apache-2.0
/*
 * Folded multiplication: the 128 bits of a product, upper half on lower half, mix eight bytes at a time (the principle of
 * wyhash and of aHash's fallback). With a secret in each step a sender cannot look for collisions.
 */
#include <config.h>

#include <time.h>

#include <sys/random.h>

#include <weir/hash.h>

/* Odd, with the bits spread: the fraction of the golden ratio. */
#define SPREAD UINT64_C(0x9e3779b97f4a7c15)

static struct {
    uint64_t start, factor;
} secret;

static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

__attribute__((constructor)) static void choose_secret(void)
{
    if (getrandom(&secret, sizeof(secret), GRND_NONBLOCK) != sizeof(secret)) {
        struct timespec now; // early in boot: better than what everybody knows
        clock_gettime(CLOCK_REALTIME, &now);
        secret.start = fold((uint64_t)now.tv_nsec ^ SPREAD, (uint64_t)(uintptr_t)&now ^ SPREAD);
        secret.factor = fold((uint64_t)now.tv_sec ^ SPREAD, secret.start);
    }
    secret.factor |= 1;
}

uint64_t weir_hash(uint64_t before, struct weir_str bytes)
{
    uint64_t hash = fold(before ^ secret.start ^ bytes.length, SPREAD), word;
    size_t at = 0;
    for (; bytes.length - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, bytes.data + at, sizeof(word));
        hash = fold(hash ^ word, secret.factor);
    }
    if (at < bytes.length) {
        word = 0;
        memcpy(&word, bytes.data + at, bytes.length - at);
        hash = fold(hash ^ word, secret.factor);
    }
    return fold(hash ^ secret.start, SPREAD);
}
