// SPDX-License-Identifier: Apache-2.0
/*
 * Own code, not libsystemd, as in core/service/supervisor.c: three variables, and sockets from descriptor 3 on.
 */
#include <config.h>

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/sys/net.h>

#include "sdk/src/net/inherited.h"

#define FIRST_DESCRIPTOR 3

struct inherited {
    int fd; /* -1: unfit */
    struct weir_sockaddr address;
    char *text, *name;
    bool used;
};

static struct inherited *all;
static size_t count;

/* systemd's word for a socket without a name. */
static char *take_name(const char **names)
{
    if (!*names)
        return weir_xstrdup("unknown");
    size_t length = strcspn(*names, ":");
    char *name = weir_xstrndup(*names, length);
    *names = (*names)[length] ? *names + length + 1 : NULL;
    return name;
}

static bool has_option(int fd, int option, int wanted)
{
    int value = 0;
    socklen_t size = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == wanted;
}

static void take(struct inherited *inherited, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    inherited->fd = -1;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    inherited->address.length = sizeof(inherited->address.address);
    if (flags < 0 || !has_option(fd, SO_TYPE, SOCK_STREAM) || !has_option(fd, SO_ACCEPTCONN, 1) ||
        getsockname(fd, &inherited->address.address.any, &inherited->address.length) != 0 ||
        fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return;
    inherited->fd = fd;
    inherited->text = weir_sockaddr_text(&inherited->address);
}

void weir_inherit(int first, int number, const char *names)
{
    all = weir_xrealloc(all, (count + (size_t)number) * sizeof(*all));
    for (int i = 0; i < number; i++) {
        struct inherited *inherited = &all[count++];
        *inherited = (struct inherited){ .name = take_name(&names) };
        take(inherited, first + i);
    }
}

void weir_inherit_sockets(void)
{
    const char *pid = getenv("LISTEN_PID"), *number = getenv("LISTEN_FDS");
    uint64_t whose = 0, sockets = 0;
    /* No process has a million descriptors; the bound keeps a mistake from asking for the memory. */
    if (pid && number && weir_str_to_u64(weir_str_of(pid), &whose) && whose == (uint64_t)getpid() &&
        weir_str_to_u64(weir_str_of(number), &sockets) && sockets > 0 && sockets <= 1000000)
        weir_inherit(FIRST_DESCRIPTOR, (int)sockets, getenv("LISTEN_FDNAMES"));
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

int weir_inherited_find(const struct weir_sockaddr *address)
{
    for (size_t i = 0; i < count; i++) {
        if (all[i].fd < 0 || all[i].address.length != address->length ||
            memcmp(&all[i].address.address, &address->address, address->length) != 0)
            continue;
        all[i].used = true;
        return all[i].fd;
    }
    return -1;
}

const char *weir_inherited_at_port(uint16_t port)
{
    for (size_t i = 0; i < count && port != 0; i++)
        if (all[i].fd >= 0 && weir_sockaddr_port(&all[i].address) == port)
            return all[i].text;
    return NULL;
}

void weir_inherited_visit(void (*visit)(const struct weir_inherited_view *view, void *argument), void *argument)
{
    for (size_t i = 0; i < count; i++) {
        const struct weir_inherited_view view = { all[i].name, all[i].text, all[i].used };
        visit(&view, argument);
    }
}
