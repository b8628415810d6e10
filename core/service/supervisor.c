// SPDX-License-Identifier: Apache-2.0
/*
 * Own code, not libsystemd: that is one sendto, and the library would map 0.8 MB and its own dependencies (lz4, zstd,
 * lzma, gcrypt, libcap) into each sidecar, which never meets a systemd.
 */
#include <config.h>

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <weir/str.h>

#include "core/service/supervisor.h"

static struct {
    struct sockaddr_un address;
    socklen_t length;
    int socket; /* 0: nobody listens */
    int64_t patience;
} supervisor;

static void read_patience(const char *usec, const char *pid)
{
    uint64_t value = 0, whose = 0;
    if (pid && (!weir_str_to_u64(weir_str_of(pid), &whose) || whose != (uint64_t)getpid()))
        return;
    if (usec && weir_str_to_u64(weir_str_of(usec), &value) && value <= INT64_MAX / 1000)
        supervisor.patience = (int64_t)value * 1000;
}

static int fail(const char *name, const char *reason)
{
    fprintf(stderr, "Warning: NOTIFY_SOCKET=%s: %s: nobody is told when weir is ready\n", name, reason);
    return -1;
}

static int open_socket(const char *name)
{
    size_t length = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || length >= sizeof(supervisor.address.sun_path))
        return fail(name, "no path and no abstract name of a unix socket");
    supervisor.address.sun_family = AF_UNIX;
    memcpy(supervisor.address.sun_path, name, length + 1);
    supervisor.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (name[0] == '@')
        supervisor.address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(name, strerror(errno));
    /* A supervisor that does not read shall not stop what it looks after. */
    struct timeval second = { .tv_sec = 1 };
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
    supervisor.socket = fd;
    return 0;
}

int supervisor_open(void)
{
    const char *name = getenv("NOTIFY_SOCKET");
    int result = name && *name ? open_socket(name) : 0;
    if (supervisor.socket > 0)
        read_patience(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return result;
}

static void send_text(const char *text, size_t length)
{
    /* Not connected: who restarts may bind its socket anew. */
    ssize_t sent = sendto(supervisor.socket, text, length, MSG_NOSIGNAL, (const struct sockaddr *)&supervisor.address,
                          supervisor.length);
    (void)sent; /* there is nobody else to tell */
}

void supervisor_tell(const char *state, const char *format, ...)
{
    struct weir_text text = { 0 };
    va_list arguments;
    if (supervisor.socket == 0)
        return;
    weir_text_addf(&text, "%s%sSTATUS=", state, *state ? "\n" : "");
    size_t status = text.length;
    va_start(arguments, format);
    weir_text_vaddf(&text, format, arguments);
    va_end(arguments);
    /* A line ends the status. */
    for (size_t i = status; i < text.length; i++)
        if (text.data[i] == '\n')
            text.data[i] = ' ';
    send_text(text.data, text.length);
    weir_text_free(&text);
}

int64_t supervisor_patience(void)
{
    return supervisor.patience;
}

void supervisor_alive(void)
{
    if (supervisor.socket > 0)
        send_text("WATCHDOG=1", strlen("WATCHDOG=1"));
}

void supervisor_close(void)
{
    if (supervisor.socket > 0)
        close(supervisor.socket);
    supervisor.socket = 0;
    supervisor.patience = 0;
}
