// SPDX-License-Identifier: Apache-2.0
/*
 * Members of a tracestate (W3C Trace Context, section 3.3). Any thread.
 */
#ifndef WEIR_TRACESTATE_H
#define WEIR_TRACESTATE_H

#include <weir/str.h>

WEIR_BEGIN

/* True for a key, "vendor" or "tenant@vendor" (3.3.1.3.1). */
WEIR_EXPORT bool weir_tracestate_is_key(struct weir_str key);
/* True for a value: up to 256 printable characters without comma and equals sign, not ending in a space (3.3.1.3.2). */
WEIR_EXPORT bool weir_tracestate_is_value(struct weir_str value);

WEIR_END

#endif
