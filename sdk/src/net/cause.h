// SPDX-License-Identifier: Apache-2.0
/*
 * Why accepted connections end, and the counts of it for each address. docs/limits.md says what each limit is.
 */
#ifndef WEIR_NET_CAUSE_H
#define WEIR_NET_CAUSE_H

#include <stdatomic.h>

#include <weir/sys/net.h>

#include "sdk/src/net/conn.h"

enum weir_cause {
    WEIR_CAUSE_CLIENT,        /* the client ended it */
    WEIR_CAUSE_SERVER,        /* this side did, in order: an answer that ends the connection, a shutdown */
    WEIR_CAUSE_RESET,         /* read or write error */
    WEIR_CAUSE_TLS,           /* handshake or record error */
    WEIR_CAUSE_NO_MEMORY,     /* none was left for what was to be sent */
    WEIR_CAUSE_DESCRIPTORS,   /* accepted where only reserved file descriptors were left */
    WEIR_CAUSE_PROTOCOL,      /* what came was no HTTP */
    WEIR_CAUSE_HANDSHAKE,     /* the TLS handshake took too long */
    WEIR_CAUSE_HEADER,        /* so did the headers of a request */
    WEIR_CAUSE_BODY,          /* so did a body */
    WEIR_CAUSE_WRITE_TIMEOUT, /* write_timeout */
    WEIR_CAUSE_SLOW_READER,   /* the client does not read what it is sent */
    WEIR_CAUSE_STARVED,       /* the client opens no window for its answers */
    WEIR_CAUSE_IDLE,          /* no request for too long */
    WEIR_CAUSE_AGE,           /* max_connection_age */
    WEIR_CAUSE_KEEPALIVE,     /* a keepalive ping was not answered */
    WEIR_CAUSE_RAPID_RESET,   /* the floods of HTTP/2: requests made and taken back */
    WEIR_CAUSE_HEADER_LIST,   /* header lists that are too long */
    WEIR_CAUSE_CONTINUATION,
    WEIR_CAUSE_SETTINGS,
    WEIR_CAUSE_PING,
    WEIR_CAUSE_EMPTY_DATA,
    WEIR_CAUSE_WINDOW_UPDATE,
    WEIR_CAUSE_FRAMES, /* PRIORITY and frames of unknown types */
    WEIR_CAUSES,
};

_Static_assert(WEIR_CAUSES == WEIR_CLOSE_REASONS, "the public header counts them, too");

/* The counts of one address: found again when it is bound again, never freed. */
struct weir_counts {
    struct weir_counts *next;
    char *address;
    atomic_ullong accepted;
    atomic_ullong open;
    atomic_ullong closed[WEIR_CAUSES];
    atomic_ullong pauses_full;
    atomic_ullong pauses_descriptors;
};

/* Main thread. */
struct weir_counts *weir_counts_of(const char *address);

/* Says why the connection is about to end; the first call counts. Without one it is told from how it ended. */
void weir_conn_blame(struct weir_conn *conn, enum weir_cause cause);

/*
 * File descriptors are given out lowest first. Those from this one up are left to outputs, queues and what else
 * the process opens: connections do not get them. Any thread.
 */
int weir_descriptors_line(void);
/* The last ones, which not even a connection that came in a race with others may have. */
int weir_descriptors_last(void);
/* Whether the next descriptor is below the line; `any` is one that is open. */
bool weir_descriptors_left(int any);

#endif
