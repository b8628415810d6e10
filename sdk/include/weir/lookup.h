// SPDX-License-Identifier: Apache-2.0
/*
 * The addresses of a name, followed: for components that balance over them.
 */
#ifndef WEIR_LOOKUP_H
#define WEIR_LOOKUP_H

#include <weir/worker.h>

WEIR_BEGIN

/* One followed name. */
struct weir_lookup;

/*
 * Looks `host` up at once and then every `interval` (nanoseconds, at least 1 s), off the loop, and calls `looked` each time
 * with the addresses: "10.0.0.1", "[fd00::1]", valid during the call. When a lookup fails they are those that were last good
 * (none: count 0), and `error` says why ("no such host"); otherwise it is NULL. A number, or localhost, is its own address,
 * and told once. `looked` may come before this returns, and must not free the lookup. The worker's thread, as for what follows.
 */
WEIR_EXPORT struct weir_lookup *weir_lookup_new(struct weir_worker *worker, const char *host, int64_t interval,
                                                void (*looked)(void *user, const char *const *addresses, size_t count,
                                                               const char *error),
                                                void *user) WEIR_MUST_USE;
/* No call of `changed` comes any more. Accepts NULL. */
WEIR_EXPORT void weir_lookup_free(struct weir_lookup *lookup);

WEIR_END

#endif
