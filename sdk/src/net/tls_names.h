// SPDX-License-Identifier: Apache-2.0
/*
 * Names that the `tls:` groups use.
 */
#ifndef WEIR_NET_TLS_NAMES_H
#define WEIR_NET_TLS_NAMES_H

/* "1.0" to "1.3" as 10 to 13; 0: unknown. */
int weir_tls_version(const char *name);
/* OpenSSL's name of a curve; NULL: unknown. */
const char *weir_tls_group_name(const char *name);

#endif
