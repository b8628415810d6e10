// SPDX-License-Identifier: Apache-2.0
/*
 * What the connection layer shows of itself: for the collector's own main program, not for components.
 */
#ifndef WEIR_SYS_NET_H
#define WEIR_SYS_NET_H

#include <weir/base.h>

WEIR_BEGIN

/* Lets the process have as many file descriptors as the system allows it. Main thread, before anything listens. */
WEIR_EXPORT void weir_descriptors_raise(void);

/* Takes the listening sockets that the process was started with (LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES,
 * sd_listen_fds(3)), and the variables out of the environment: who binds the address of one gets it from now on, as
 * often as it likes. Main thread, before anything listens; once. */
WEIR_EXPORT void weir_inherit_sockets(void);

/* One of them. */
struct weir_inherited_view {
    const char *name;    /* "unknown" where it was given none */
    const char *address; /* NULL: what was passed is no listening stream socket */
    bool used;           /* somebody has bound its address */
};

/* Calls visit for each. Main thread. */
WEIR_EXPORT void weir_inherited_visit(void (*visit)(const struct weir_inherited_view *view, void *argument),
                                      void *argument);

/* Why accepted connections ended, as metrics name it ("client", "rapid_reset", ...); NULL past the last. Any thread. */
#define WEIR_CLOSE_REASONS 24
WEIR_EXPORT const char *weir_close_reason(size_t index);

/* One address that is or was listened on. Numbers only grow but `open`. */
struct weir_listener_view {
    const char *address; /* "127.0.0.1:4317" */
    uint64_t open;       /* connections now */
    uint64_t accepted;
    uint64_t closed[WEIR_CLOSE_REASONS]; /* by the index of weir_close_reason */
    uint64_t pauses_full;                /* times accepting stopped at max_connections */
    uint64_t pauses_descriptors;         /* times it stopped for want of file descriptors */
};

/* Calls visit for each address. Main thread. */
WEIR_EXPORT void weir_listener_visit(void (*visit)(const struct weir_listener_view *view, void *argument),
                                     void *argument);

WEIR_END

#endif
