// SPDX-License-Identifier: Apache-2.0
/*
 * What HTTP servers and clients share.
 */
#ifndef WEIR_HTTP_H
#define WEIR_HTTP_H

#include <weir/str.h>

WEIR_BEGIN

/* A header field; names are in lower case where they come from a peer. */
struct weir_http_header {
    struct weir_str name;
    struct weir_str value;
};

/* The reason phrase of a status ("Not Found"), "" for one that is not in RFC 9110. Any thread. */
WEIR_EXPORT const char *weir_http_reason(int status);

WEIR_END

#endif
