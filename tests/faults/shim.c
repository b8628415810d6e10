// SPDX-License-Identifier: Apache-2.0
/*
 * A library for LD_PRELOAD that fails, shortens or records calls of the C library, and shifts the wall clock.
 *
 * WEIR_SHIM           rules, separated by ';', each of parts separated by ',':
 *                     call=NAME   one of the calls below; needed
 *                     nth=N       the first call that is met, counted from 1; default 1
 *                     times=N     how many in a row; default 1; 0: all that follow
 *                     every=N     and so again every N calls
 *                     errno=N     what it fails with (getaddrinfo: its EAI_ number, negative)
 *                     short=N     write calls: no more than N bytes are written, no error
 *                     lose=1      sync calls that fail: what was appended to the file since it was opened or last
 *                                 synced is zeroed, as pages are lost that the kernel could not write
 *                     path=TEXT   only files whose path has TEXT in it
 *                     kill=1      SIGKILL instead of the call
 *                     delay=MS    before the call, which is done all the same
 * WEIR_SHIM_CONTROL   a file of struct control, mapped: the rules count only while it is armed (without it,
 *                     always), it says how often rules were met, and by how much the wall clock is off
 * WEIR_SHIM_RECORD    a file that every change of a file is appended to (those with WEIR_SHIM_RECORD_PATH in
 *                     their path): a line 'CALL OFFSET LENGTH RESULT PATH[<TAB>PATH]', and behind a write's
 * its LENGTH bytes and a newline; LENGTH is what was written
 *
 * The process's children inherit all of it.
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define RULES 32

/* faultlib/shim.py knows this layout. */
struct control {
    _Atomic uint32_t armed;
    _Atomic uint32_t met;          /* calls that a rule took effect on */
    _Atomic int64_t wall_shift;    /* nanoseconds */
    _Atomic uint64_t calls[RULES]; /* that a rule's name and path matched, by rule */
};

struct rule {
    char call[24];
    char path[256];
    uint64_t nth, times, every;
    int error;
    long limit; /* -1: none */
    bool kill, lose;
    unsigned delay;
};

static struct rule rules[RULES];
static size_t rule_count;
static struct control own_control = { .armed = 1 };
static struct control *control = &own_control;
static int record_fd = -1;
static const char *record_path;
static pthread_mutex_t record_lock = PTHREAD_MUTEX_INITIALIZER;

/* --- the rules --- */

static void set_part(struct rule *rule, const char *name, const char *value)
{
    if (strcmp(name, "call") == 0)
        snprintf(rule->call, sizeof rule->call, "%s", value);
    else if (strcmp(name, "path") == 0)
        snprintf(rule->path, sizeof rule->path, "%s", value);
    else if (strcmp(name, "nth") == 0)
        rule->nth = strtoull(value, NULL, 10);
    else if (strcmp(name, "times") == 0)
        rule->times = strtoull(value, NULL, 10);
    else if (strcmp(name, "every") == 0)
        rule->every = strtoull(value, NULL, 10);
    else if (strcmp(name, "errno") == 0)
        rule->error = (int)strtol(value, NULL, 10);
    else if (strcmp(name, "short") == 0)
        rule->limit = strtol(value, NULL, 10);
    else if (strcmp(name, "lose") == 0)
        rule->lose = value[0] == '1';
    else if (strcmp(name, "kill") == 0)
        rule->kill = value[0] == '1';
    else if (strcmp(name, "delay") == 0)
        rule->delay = (unsigned)strtoul(value, NULL, 10);
}

static void read_rule(const char *text, size_t length, struct rule *rule)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%.*s", (int)length, text);
    *rule = (struct rule){ .nth = 1, .times = 1, .limit = -1 };
    char *rest = copy, *part;
    while ((part = strsep(&rest, ","))) {
        char *equals = strchr(part, '=');
        if (equals) {
            *equals = '\0';
            set_part(rule, part, equals + 1);
        }
    }
}

static int raw_open(const char *path, int flags, mode_t mode)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

__attribute__((constructor)) static void set_up(void)
{
    const char *text = getenv("WEIR_SHIM"), *path = getenv("WEIR_SHIM_CONTROL");
    while (text && *text && rule_count < RULES) {
        size_t length = strcspn(text, ";");
        read_rule(text, length, &rules[rule_count++]);
        text += length + (text[length] == ';');
    }
    int fd = path ? raw_open(path, O_RDWR | O_CLOEXEC, 0) : -1;
    if (fd >= 0) {
        void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (mapped != MAP_FAILED)
            control = mapped;
        syscall(SYS_close, fd);
    }
    const char *record = getenv("WEIR_SHIM_RECORD");
    record_path = getenv("WEIR_SHIM_RECORD_PATH");
    if (record)
        record_fd = raw_open(record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void path_of(int fd, char out[PATH_MAX])
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, out, PATH_MAX - 1);
    out[length > 0 ? length : 0] = '\0';
}

static bool path_matches(const struct rule *rule, int fd, const char *path)
{
    char found[PATH_MAX];
    if (!rule->path[0])
        return true;
    if (!path && fd >= 0) {
        path_of(fd, found);
        path = found;
    }
    return path && strstr(path, rule->path);
}

static bool is_due(const struct rule *rule, uint64_t number)
{
    if (number < rule->nth)
        return false;
    uint64_t since = rule->every ? (number - rule->nth) % rule->every : number - rule->nth;
    return rule->times == 0 || since < rule->times;
}

/* The rule that this call meets, or NULL. `path` is NULL where the call has a descriptor instead. */
static const struct rule *meet(const char *call, int fd, const char *path)
{
    const struct rule *met = NULL;
    if (rule_count == 0 || !atomic_load(&control->armed))
        return NULL;
    int saved = errno;
    for (size_t i = 0; i < rule_count; i++) {
        const struct rule *rule = &rules[i];
        if (strcmp(rule->call, call) != 0 || !path_matches(rule, fd, path))
            continue;
        uint64_t number = atomic_fetch_add(&control->calls[i], 1) + 1;
        if (is_due(rule, number))
            met = rule;
    }
    errno = saved;
    if (!met)
        return NULL;
    atomic_fetch_add(&control->met, 1);
    if (met->kill)
        syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    if (met->delay) {
        struct timespec pause = { met->delay / 1000, (long)(met->delay % 1000) * 1000000 };
        nanosleep(&pause, NULL);
    }
    return met;
}

/* true when the call has to fail; errno is set. */
static bool fails(const struct rule *rule)
{
    if (!rule || rule->error == 0)
        return false;
    errno = rule->error;
    return true;
}

#define REAL(name)                 \
    static __typeof__(name) *real; \
    if (!real)                     \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

/* --- the record --- */

static void put(const void *data, size_t length)
{
    for (const char *at = data; length > 0;) {
        ssize_t written = syscall(SYS_write, record_fd, at, length);
        if (written <= 0)
            return;
        at += written;
        length -= (size_t)written;
    }
}

static bool is_recorded(const char *path)
{
    return record_fd >= 0 && (!record_path || strstr(path, record_path));
}

/* `second` is the other path of a rename, `bytes` what was written. */
static void record(const char *call, int64_t offset, long result, const char *path, const char *second,
                   const struct iovec *bytes, int count)
{
    char line[4 * PATH_MAX + 128];
    int saved = errno;
    size_t left = bytes && result > 0 ? (size_t)result : 0;
    int length = snprintf(line, sizeof line, "%s %lld %zu %ld %s%s%s\n", call, (long long)offset, left,
                          result, path, second ? "\t" : "", second ? second : "");
    pthread_mutex_lock(&record_lock);
    put(line, (size_t)length);
    for (int i = 0; left > 0 && i < count; i++) {
        size_t piece = bytes[i].iov_len < left ? bytes[i].iov_len : left;
        put(bytes[i].iov_base, piece);
        left -= piece;
    }
    if (bytes && result > 0)
        put("\n", 1);
    pthread_mutex_unlock(&record_lock);
    errno = saved;
}

static void record_fd_call(const char *call, int fd, int64_t offset, long result, const struct iovec *bytes,
                           int count)
{
    char path[PATH_MAX];
    if (record_fd < 0)
        return;
    int saved = errno;
    path_of(fd, path);
    errno = saved;
    if (is_recorded(path))
        record(call, offset, result, path, NULL, bytes, count);
}

static void record_path_call(const char *call, long result, const char *path, const char *second)
{
    if (record_fd >= 0 && (is_recorded(path) || (second && is_recorded(second))))
        record(call, 0, result, path, second, NULL, 0);
}

/* --- writing --- */

/* Where a write without an offset goes. */
static int64_t position(int fd)
{
    struct stat status;
    if (record_fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return -1;
    return fcntl(fd, F_GETFL) & O_APPEND ? (int64_t)status.st_size : (int64_t)lseek(fd, 0, SEEK_CUR);
}

static size_t shortened(const struct rule *rule, size_t length)
{
    return rule && rule->limit >= 0 && (size_t)rule->limit < length ? (size_t)rule->limit : length;
}

/* A copy of `from` that is no longer than the rule says; returns how many are used. */
static int shorten(const struct rule *rule, const struct iovec *from, int count, struct iovec *to)
{
    size_t left = shortened(rule, SIZE_MAX);
    int used = 0;
    for (; used < count && left > 0; used++) {
        to[used] = from[used];
        if (to[used].iov_len > left)
            to[used].iov_len = left;
        left -= to[used].iov_len;
    }
    return used > 0 ? used : 1;
}

EXPORT ssize_t write(int fd, const void *data, size_t length)
{
    const struct rule *rule = meet("write", fd, NULL);
    if (fails(rule))
        return -1;
    int64_t at = position(fd);
    ssize_t result = syscall(SYS_write, fd, data, shortened(rule, length));
    struct iovec bytes = { (void *)(uintptr_t)data, length };
    if (at >= 0)
        record_fd_call("write", fd, at, result, &bytes, 1);
    return result;
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
    const struct rule *rule = meet("pwrite", fd, NULL);
    if (fails(rule))
        return -1;
    ssize_t result = syscall(SYS_pwrite64, fd, data, shortened(rule, length), offset);
    struct iovec bytes = { (void *)(uintptr_t)data, length };
    record_fd_call("pwrite", fd, offset, result, &bytes, 1);
    return result;
}

EXPORT ssize_t writev(int fd, const struct iovec *bytes, int count)
{
    struct iovec fewer[IOV_MAX];
    const struct rule *rule = meet("writev", fd, NULL);
    if (fails(rule))
        return -1;
    if (rule && rule->limit >= 0 && count > 0 && count <= IOV_MAX) {
        count = shorten(rule, bytes, count, fewer);
        bytes = fewer;
    }
    int64_t at = position(fd);
    ssize_t result = syscall(SYS_writev, fd, bytes, count);
    if (at >= 0)
        record_fd_call("writev", fd, at, result, bytes, count);
    return result;
}

EXPORT ssize_t pwritev64(int fd, const struct iovec *bytes, int count, off64_t offset)
{
    struct iovec fewer[IOV_MAX];
    const struct rule *rule = meet("pwritev", fd, NULL);
    if (fails(rule))
        return -1;
    if (rule && rule->limit >= 0 && count > 0 && count <= IOV_MAX) {
        count = shorten(rule, bytes, count, fewer);
        bytes = fewer;
    }
    ssize_t result = syscall(SYS_pwritev, fd, bytes, count, (unsigned long)offset, 0UL);
    record_fd_call("pwritev", fd, offset, result, bytes, count);
    return result;
}

/* Programs without large-file macros come by these names; on this architecture they are the same. */
EXPORT ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
    return pwrite64(fd, data, length, offset);
}

EXPORT ssize_t pwritev(int fd, const struct iovec *bytes, int count, off_t offset)
{
    return pwritev64(fd, bytes, count, offset);
}

#define FDS 4096
static _Atomic int64_t safe[FDS]; /* so much of the file is on stable storage */

static void note_safe(int fd)
{
    struct stat status;
    if (fd >= 0 && fd < FDS && fstat(fd, &status) == 0)
        atomic_store(&safe[fd], (int64_t)status.st_size);
}

static void lose_unsafe(int fd)
{
    static const char zeros[4096];
    struct stat status;
    if (fd < 0 || fd >= FDS || fstat(fd, &status) < 0)
        return;
    for (int64_t at = atomic_load(&safe[fd]); at < (int64_t)status.st_size;) {
        size_t piece = sizeof zeros - (size_t)at % sizeof zeros;
        if ((int64_t)piece > (int64_t)status.st_size - at)
            piece = (size_t)((int64_t)status.st_size - at);
        if (syscall(SYS_pwrite64, fd, zeros, piece, at) <= 0)
            return;
        at += (int64_t)piece;
    }
}

static bool sync_fails(const struct rule *rule, int fd)
{
    if (!rule || rule->error == 0)
        return false;
    if (rule->lose)
        lose_unsafe(fd);
    return fails(rule);
}

EXPORT int fsync(int fd)
{
    if (sync_fails(meet("fsync", fd, NULL), fd))
        return -1;
    int result = (int)syscall(SYS_fsync, fd);
    if (result == 0)
        note_safe(fd);
    record_fd_call("fsync", fd, 0, result, NULL, 0);
    return result;
}

EXPORT int fdatasync(int fd)
{
    if (sync_fails(meet("fdatasync", fd, NULL), fd))
        return -1;
    int result = (int)syscall(SYS_fdatasync, fd);
    if (result == 0)
        note_safe(fd);
    record_fd_call("fdatasync", fd, 0, result, NULL, 0);
    return result;
}

EXPORT int ftruncate64(int fd, off64_t length)
{
    if (fails(meet("ftruncate", fd, NULL)))
        return -1;
    int result = (int)syscall(SYS_ftruncate, fd, length);
    record_fd_call("ftruncate", fd, length, result, NULL, 0);
    return result;
}

EXPORT int ftruncate(int fd, off_t length)
{
    return ftruncate64(fd, length);
}

EXPORT int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
    if (fails(meet("fallocate", fd, NULL)))
        return -1;
    int result = (int)syscall(SYS_fallocate, fd, mode, offset, length);
    record_fd_call("fallocate", fd, offset + length, result, NULL, 0);
    return result;
}

EXPORT int fallocate(int fd, int mode, off_t offset, off_t length)
{
    return fallocate64(fd, mode, offset, length);
}

/* Unlike fallocate, it returns the error. */
EXPORT int posix_fallocate64(int fd, off64_t offset, off64_t length)
{
    return fallocate64(fd, 0, offset, length) < 0 ? errno : 0;
}

EXPORT int posix_fallocate(int fd, off_t offset, off_t length)
{
    return posix_fallocate64(fd, offset, length);
}

/* --- names --- */

EXPORT int rename(const char *from, const char *to)
{
    if (fails(meet("rename", -1, from)))
        return -1;
    int result = (int)syscall(SYS_rename, from, to);
    record_path_call("rename", result, from, to);
    return result;
}

/* A path that stands below an open folder, whole. */
static const char *whole(int folder, const char *path, char out[2 * PATH_MAX])
{
    char above[PATH_MAX];
    if (folder == AT_FDCWD || path[0] == '/' || record_fd < 0)
        return path;
    path_of(folder, above);
    snprintf(out, 2 * PATH_MAX, "%s/%s", above, path);
    return out;
}

EXPORT int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    char whole_from[2 * PATH_MAX], whole_to[2 * PATH_MAX];
    if (fails(meet("rename", -1, from)))
        return -1;
    int result = (int)syscall(SYS_renameat, from_fd, from, to_fd, to);
    record_path_call("rename", result, whole(from_fd, from, whole_from), whole(to_fd, to, whole_to));
    return result;
}

EXPORT int unlink(const char *path)
{
    if (fails(meet("unlink", -1, path)))
        return -1;
    int result = (int)syscall(SYS_unlink, path);
    record_path_call("unlink", result, path, NULL);
    return result;
}

EXPORT int unlinkat(int fd, const char *path, int flags)
{
    if (fails(meet("unlink", -1, path)))
        return -1;
    char whole_path[2 * PATH_MAX];
    int result = (int)syscall(SYS_unlinkat, fd, path, flags);
    record_path_call("unlink", result, whole(fd, path, whole_path), NULL);
    return result;
}

static int open_with(int folder, const char *path, int flags, mode_t mode)
{
    if (fails(meet("open", -1, path)))
        return -1;
    int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    if ((flags & O_ACCMODE) != O_RDONLY)
        note_safe(fd);
    if (fd >= 0 && flags & O_CREAT)
        record_fd_call("create", fd, 0, 0, NULL, 0);
    return fd;
}

/* open's third argument is there when a file may be made. */
#define MODE_OF(flags)                   \
    mode_t mode = 0;                     \
    va_list rest;                        \
    va_start(rest, flags);               \
    if (flags & (O_CREAT | __O_TMPFILE)) \
        mode = va_arg(rest, mode_t);     \
    va_end(rest)

EXPORT int open(const char *path, int flags, ...)
{
    MODE_OF(flags);
    return open_with(AT_FDCWD, path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...)
{
    MODE_OF(flags);
    return open_with(AT_FDCWD, path, flags, mode);
}

EXPORT int openat(int folder, const char *path, int flags, ...)
{
    MODE_OF(flags);
    return open_with(folder, path, flags, mode);
}

EXPORT int openat64(int folder, const char *path, int flags, ...)
{
    MODE_OF(flags);
    return open_with(folder, path, flags, mode);
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    if (fails(meet("mkdir", -1, path)))
        return -1;
    int result = (int)syscall(SYS_mkdir, path, mode);
    record_path_call("mkdir", result, path, NULL);
    return result;
}

/* --- network --- */

EXPORT int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    if (fails(meet("connect", -1, "")))
        return -1;
    return (int)syscall(SYS_connect, fd, address, length);
}

EXPORT int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    if (fails(meet("accept", -1, "")))
        return -1;
    return (int)syscall(SYS_accept4, fd, address, length, flags);
}

EXPORT int socket(int domain, int type, int protocol)
{
    if (fails(meet("socket", -1, "")))
        return -1;
    return (int)syscall(SYS_socket, domain, type, protocol);
}

EXPORT int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found)
{
    REAL(getaddrinfo);
    const struct rule *rule = meet("getaddrinfo", -1, node);
    if (rule && rule->error != 0)
        return rule->error;
    return real(node, service, hints, found);
}

/* --- memory (a sanitizer brings its own) --- */

#ifndef WITH_SANITIZER

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

EXPORT void *malloc(size_t size)
{
    return fails(meet("malloc", -1, NULL)) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
    return fails(meet("malloc", -1, NULL)) ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *old, size_t size)
{
    return fails(meet("malloc", -1, NULL)) ? NULL : __libc_realloc(old, size);
}

#endif

/* --- the wall clock --- */

static int shifted(clockid_t clock, struct timespec *out)
{
    REAL(clock_gettime);
    int result = real(clock, out);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t second = 1000000000, shift = atomic_load(&control->wall_shift);
        int64_t nanoseconds = (int64_t)out->tv_nsec + shift % second;
        out->tv_sec += (time_t)(shift / second);
        if (nanoseconds < 0) {
            nanoseconds += second;
            out->tv_sec--;
        } else if (nanoseconds >= second) {
            nanoseconds -= second;
            out->tv_sec++;
        }
        out->tv_nsec = (long)nanoseconds;
    }
    return result;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *out)
{
    return shifted(clock, out);
}

EXPORT int timespec_get(struct timespec *out, int base)
{
    return base == TIME_UTC && shifted(CLOCK_REALTIME, out) == 0 ? base : 0;
}

EXPORT int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    if (shifted(CLOCK_REALTIME, &now) < 0)
        return -1;
    *out = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
    return 0;
}

EXPORT time_t time(time_t *out)
{
    struct timespec now = { 0, 0 };
    (void)shifted(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
