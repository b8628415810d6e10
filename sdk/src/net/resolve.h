// SPDX-License-Identifier: Apache-2.0
/*
 * Names to addresses, for the connections that a worker makes. A name that is in use is looked up again every 30 s, and
 * soon after a connection to one of its addresses failed; a lookup that fails (no such host, no answer, an empty one)
 * leaves the addresses that were last good. Lookups run on threads of their own, so that a name server that hangs takes
 * no thread of libuv's pool and does not hold up the end of the process.
 */
#ifndef WEIR_NET_RESOLVE_H
#define WEIR_NET_RESOLVE_H

#include <weir/worker.h>

#include "sdk/src/net/address.h"

struct weir_name;

/* Somebody who wants to know the addresses of a name. Embed one, zeroed, with `answer` set. */
struct weir_resolve {
    /* Addresses (with the port of the asking), or, where none are known, count 0 and why: "no such host". Valid during
     * the call. */
    void (*answer)(struct weir_resolve *resolve, const struct weir_sockaddr *addresses, size_t count,
                   const char *error);
    bool once;  /* one answer is enough; otherwise one comes whenever the addresses change */
    bool every; /* an answer to each lookup, with why it failed and the addresses that were last good */

    struct weir_name *name; /* the resolver's own: NULL once over */
    uint16_t port;
    bool waits; /* has had no answer yet */
    bool due;   /* is to be told */
    struct weir_resolve *next, **link;
};

/* Asks for a host (not a number); `answer` may come before this returns. The worker's thread, as for all here. */
void weir_resolve_start(struct weir_worker *worker, const char *host, enum weir_transport transport, uint16_t port,
                        struct weir_resolve *resolve);
/* No answer comes any more. No effect on one that is over. */
void weir_resolve_stop(struct weir_resolve *resolve);
/* A connection to an address of that name failed: others may be right by now. */
void weir_resolve_suspect(struct weir_worker *worker, const char *host, enum weir_transport transport);

/* The host as addresses if it is a number or "localhost": count (the caller frees *out), 0 if it is a name. */
size_t weir_resolve_number(const char *host, enum weir_transport transport, uint16_t port, struct weir_sockaddr **out);

/* Frees all names of the worker, whose users are gone. */
void weir_resolve_close(struct weir_worker *worker);

#endif
