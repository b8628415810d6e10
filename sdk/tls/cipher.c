// SPDX-License-Identifier: Apache-2.0
/*
 * Cipher suites by the names that Go and IANA give them, as configs do.
 */
#include <config.h>

#include <string.h>

#include "sdk/tls/internal.h"

/* Those that Go's crypto/tls knows; `insecure` as in its InsecureCipherSuites. */
static const struct {
    const char *name;
    const char *openssl; /* NULL: TLS 1.3, always on */
    bool insecure;
} ciphers[] = {
    { "TLS_AES_128_GCM_SHA256", NULL, false },
    { "TLS_AES_256_GCM_SHA384", NULL, false },
    { "TLS_CHACHA20_POLY1305_SHA256", NULL, false },
    { "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA", false },
    { "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA", false },
    { "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA", false },
    { "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA", false },
    { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", false },
    { "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384", false },
    { "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", false },
    { "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", false },
    { "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305", false },
    { "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", false },
    { "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA", true },
    { "TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA", true },
    { "TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256", true },
    { "TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256", true },
    { "TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384", true },
    { "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256", true },
    { "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256", true },
    /* Of these, OpenSSL has none in Debian's build: choosing one alone leaves nothing, which is an error. */
    { "TLS_RSA_WITH_RC4_128_SHA", "RC4-SHA", true },
    { "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "DES-CBC3-SHA", true },
    { "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", "ECDHE-ECDSA-RC4-SHA", true },
    { "TLS_ECDHE_RSA_WITH_RC4_128_SHA", "ECDHE-RSA-RC4-SHA", true },
    { "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "ECDHE-RSA-DES-CBC3-SHA", true },
};

bool weir_tls_cipher(const char *name, bool *insecure, const char **openssl)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(ciphers); i++) {
        if (strcmp(name, ciphers[i].name) == 0) {
            *insecure = ciphers[i].insecure;
            *openssl = ciphers[i].openssl;
            return true;
        }
    }
    return false;
}
