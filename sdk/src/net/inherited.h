// SPDX-License-Identifier: Apache-2.0
/*
 * Listening sockets that the process was started with: socket activation, sd_listen_fds(3).
 */
#ifndef WEIR_NET_INHERITED_H
#define WEIR_NET_INHERITED_H

#include "sdk/src/net/address.h"

/* The descriptor of the inherited socket at this address, marked as used, or -1. It stays open as long as the process
 * does, and is whoever's that listens there; take a copy. Main thread. */
int weir_inherited_find(const struct weir_sockaddr *address);

/* The address of one with this port (not 0), as text, or NULL. Main thread. */
const char *weir_inherited_at_port(uint16_t port);

/* As weir_inherit_sockets does with what the environment says: `count` sockets from the descriptor `first` on, with
 * `names` (colons between them, or NULL). Main thread. */
void weir_inherit(int first, int count, const char *names);

#endif
