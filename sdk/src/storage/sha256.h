// SPDX-License-Identifier: Apache-2.0
/* SHA-256 (FIPS 180-4), for names only: nothing here keeps a secret. */
#ifndef WEIR_STORAGE_SHA256_H
#define WEIR_STORAGE_SHA256_H

#include <weir/base.h>

#define SHA256_HEX 65

/* The digest of the bytes in lower-case hexadecimal, NUL-terminated. Any thread. */
void sha256_hex(const void *data, size_t length, char out[SHA256_HEX]);

#endif
