// SPDX-License-Identifier: Apache-2.0
/*
 * Digests, made by OpenSSL, which is loaded only into processes that need one.
 */
#ifndef WEIR_DIGEST_H
#define WEIR_DIGEST_H

#include <weir/error.h>

WEIR_BEGIN

#define WEIR_SHA256_HEX 65 /* bytes of a digest as text, with its NUL */

/* Loads what digests are made with. 0, or -1 with `error` set ("weir-tls.so is not installed: ..."). As often as one
 * likes; in create or start, for it reads files. Any thread. */
WEIR_EXPORT int weir_digest_prepare(struct weir_error *error) WEIR_MUST_USE;

/* SHA-256 (FIPS 180-4, section 6.2) of the bytes, as 64 lower-case hexadecimal digits. After a weir_digest_prepare that
 * returned 0. false, with `out` untouched, when memory is out. Any thread. */
WEIR_EXPORT bool weir_sha256_hex(const void *data, size_t length, char out[WEIR_SHA256_HEX]) WEIR_MUST_USE;

WEIR_END

#endif
