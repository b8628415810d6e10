// SPDX-License-Identifier: Apache-2.0
/*
 * File descriptors: connections take what they get, but never the last ones, so that exporters still connect and
 * queues still open their files when clients hold all others.
 */
#include <config.h>

#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sdk/src/net/cause.h"

/* An eighth is reserved, within these bounds. */
#define RESERVE_MIN 16
#define RESERVE_MAX 256

static int limit(void)
{
    struct rlimit rlimit;
    if (getrlimit(RLIMIT_NOFILE, &rlimit) != 0 || rlimit.rlim_cur > INT_MAX)
        return INT_MAX;
    return (int)rlimit.rlim_cur;
}

static int reserve_of(int descriptors)
{
    int reserve = descriptors / 8;
    return reserve < RESERVE_MIN ? RESERVE_MIN : reserve > RESERVE_MAX ? RESERVE_MAX : reserve;
}

void weir_descriptors_raise(void)
{
    struct rlimit rlimit;
    if (getrlimit(RLIMIT_NOFILE, &rlimit) == 0 && rlimit.rlim_cur < rlimit.rlim_max) {
        rlimit.rlim_cur = rlimit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &rlimit);
    }
}

int weir_descriptors_line(void)
{
    int all = limit();
    return all - reserve_of(all);
}

int weir_descriptors_last(void)
{
    int all = limit();
    return all - reserve_of(all) / 2;
}

bool weir_descriptors_left(int any)
{
    int next = fcntl(any, F_DUPFD_CLOEXEC, 0);
    if (next >= 0)
        close(next);
    return next >= 0 && next < weir_descriptors_line();
}
