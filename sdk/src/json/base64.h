// SPDX-License-Identifier: Apache-2.0
/*
 * Bytes as text: base64 (RFC 4648) and hexadecimal.
 */
#ifndef WEIR_SRC_JSON_BASE64_H
#define WEIR_SRC_JSON_BASE64_H

#include <weir/str.h>

/* Room that base64_decode may need for `length` characters. */
#define BASE64_DECODED_ROOM(length) ((length) / 4 * 3 + 3)
/* Characters of base64_encode's text for `length` bytes. */
#define BASE64_ENCODED_LENGTH(length) (((length) + 2) / 3 * 4)

/* Decodes the standard or the URL alphabet, padded or not (what ProtoJSON lets a reader accept). Sets *length; false
 * on anything else. */
bool base64_decode(struct weir_str text, uint8_t *out, size_t *length);

/* Writes the standard alphabet with padding, without NUL. */
void base64_encode(struct weir_str bytes, char *out);

/* Decodes two hexadecimal digits, of either case, for each byte; false on anything else. */
bool hex_decode(struct weir_str text, uint8_t *out);

/* Writes two lower-case digits for each byte, without NUL. */
void hex_encode(struct weir_str bytes, char *out);

#endif
