// SPDX-License-Identifier: Apache-2.0
/*
 * Bytes as text: base64 (RFC 4648), hexadecimal and percent-encoding (RFC 3986, 2.1).
 */
#ifndef WEIR_BASE_ENCODING_H
#define WEIR_BASE_ENCODING_H

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

/* Adds the standard alphabet to `text`. */
void base64_add(struct weir_text *text, struct weir_str bytes, bool padded);

/* The value of a hexadecimal digit of either case; -1: it is none. */
int hex_value(char c);

/* Decodes two hexadecimal digits, of either case, for each byte; false on anything else. */
bool hex_decode(struct weir_str text, uint8_t *out);

/* Writes two lower-case digits for each byte, without NUL. */
void hex_encode(struct weir_str bytes, char *out);

/* Adds the bytes with all but the unreserved characters escaped (RFC 3986, 2.3): fit for a query. */
void percent_add(struct weir_text *text, struct weir_str bytes);

/* Resolves %-escapes; what is not one stays as it is, and NUL is left out. The caller frees. */
char *percent_decode(struct weir_str text);

#endif
