// SPDX-License-Identifier: Apache-2.0
/*
 * What became of the last reload, where another process of the same user can read it: a page of memory behind a file
 * descriptor of the collector (memfd_create(2), seen as /proc/PID/fd/N). It needs no path, no port and no rights
 * besides those for sending the signal.
 */
#ifndef WEIR_CORE_SERVICE_NOTICE_H
#define WEIR_CORE_SERVICE_NOTICE_H

#include <sys/types.h>

#include <weir/error.h>

enum notice_outcome {
    NOTICE_RELOADED,
    NOTICE_UNCHANGED, /* the configuration was the one that ran */
    NOTICE_REFUSED,   /* the one before runs on */
};

/* The collector's side. Main thread. A collector that cannot put it up runs without. */
void notice_open(void);
void notice_begin(void);
/* `text`: what is to be said of it, lines; as much as there is room for. */
void notice_end(enum notice_outcome outcome, const char *text);
void notice_close(void);

/* The other side: sends SIGHUP and waits, for at most `timeout_ms`, until a configuration that was read afterwards runs
 * or is refused. 0 with `outcome` and `text` (freed by the caller) set, or -1 with `error` set. */
int notice_reload(pid_t pid, int timeout_ms, enum notice_outcome *outcome, char **text, struct weir_error *error);

#endif
