// SPDX-License-Identifier: Apache-2.0
/*
 * A bound address, shared by the acceptors of all workers.
 */
#ifndef WEIR_NET_LISTENER_H
#define WEIR_NET_LISTENER_H

#include "sdk/src/net/cause.h"
#include "sdk/src/net/state.h"

struct weir_listener {
    struct weir_endpoint endpoint;
    struct weir_sockaddr address; /* the actual one */
    char *text;
    bool bound;
    unsigned count;
    int *sockets; /* one for each worker; -1 once its acceptor has taken it */
    _Atomic int *accepting; /* the same sockets until their acceptors close them, then -1 */
    struct weir_instance *owner; /* whose start bound it; NULL: nobody's */
    struct weir_listener *next;  /* all there are, under a lock */
    struct weir_listener **link;
    unsigned max_connections;
    struct weir_counts *counts;
    atomic_uint connections;
};

/* True if another instance takes over, or may, so that clients need not notice the end of this one. Any worker, while
 * the owner exists. */
bool weir_listener_yields(const struct weir_listener *listener);

#endif
