// SPDX-License-Identifier: Apache-2.0
/*
 * One step through UTF-8 (RFC 3629).
 */
#ifndef WEIR_SRC_BASE_UTF8_H
#define WEIR_SRC_BASE_UTF8_H

#include <stddef.h>

/* Length of the well-formed sequence at `data`, of which `length` > 0 bytes are there; 0 if it is ill-formed. */
size_t utf8_sequence(const unsigned char *data, size_t length);

#endif
