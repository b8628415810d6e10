// SPDX-License-Identifier: Apache-2.0
/*
 * Fail points: named places where a test has the process die, an operation fail, or time pass. They are there only
 * after `./configure --enable-failpoints`; otherwise WEIR_FAILPOINT is the constant 0. Private to libweir.
 *
 * Armed by the environment, WEIR_FAILPOINTS="NAME=ACTION[@N[+]],...":
 *
 *     journal.after_write=crash        SIGKILL to itself, there
 *     journal.sync=error:EIO@2         the second passing gives EIO
 *     journal.sync=error:ENOSPC@2+     so do all that follow
 *     journal.sync=delay:50            milliseconds, at each passing
 *     sender.send=crash~poison         where the bytes at hand have "poison" in them (WEIR_FAILPOINT_BYTES)
 *
 * WEIR_FAILPOINTS=list prints the names of all, one a line, and ends the process, as soon as libweir is loaded.
 */
#ifndef WEIR_BASE_FAILPOINT_H
#define WEIR_BASE_FAILPOINT_H

#include <weir/base.h>

#ifdef WEIR_FAILPOINTS

/* 0, or the errno that the point was armed with. `data` may be NULL. Any thread. */
WEIR_EXPORT int weir_failpoint_hit(const char *name, const void *data, size_t length);
/* Replaces what the environment said; for tests. NULL disarms all. No other thread passes a point meanwhile. */
WEIR_EXPORT void weir_failpoint_arm(const char *points);
/* Calls each(name) for every point of libweir, sorted. */
WEIR_EXPORT void weir_failpoint_each(void (*each)(const char *name, void *user), void *user);

#define WEIR_FAILPOINT_BYTES(name, data, length)                                                           \
    __extension__({                                                                                        \
        static const char *const failpoint_ __attribute__((section("weir_failpoints"), used)) = (name);    \
        weir_failpoint_hit(failpoint_, (data), (length));                                                  \
    })
#else
#define WEIR_FAILPOINT_BYTES(name, data, length) 0
#endif

/* The same without bytes. As a statement: (void)WEIR_FAILPOINT("part.place"); */
#define WEIR_FAILPOINT(name) WEIR_FAILPOINT_BYTES(name, NULL, 0)

#endif
