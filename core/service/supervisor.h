// SPDX-License-Identifier: Apache-2.0
/*
 * What started weir and looks after it, systemd above all, hears how far it is: the protocol of sd_notify(3), lines in a
 * datagram to the socket that NOTIFY_SOCKET names.
 */
#ifndef WEIR_CORE_SUPERVISOR_H
#define WEIR_CORE_SUPERVISOR_H

#include <stdint.h>

#include <weir/base.h>

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment. 0, or -1 with a warning
 * on stderr: nothing is told then. Main thread, before there are others. */
int supervisor_open(void);

/* Tells `state`, lines such as "READY=1" or "", and the rest as what a person shall read of it ("systemctl status");
 * does nothing without a supervisor. Any thread; may wait for a second. */
void supervisor_tell(const char *state, const char *format, ...) WEIR_PRINTF(2, 3);

/* How long it waits for a sign of life before it ends this process, in nanoseconds; 0: for ever. Any thread. */
int64_t supervisor_patience(void);

/* A sign of life. Any thread. */
void supervisor_alive(void);

void supervisor_close(void);

#endif
