// SPDX-License-Identifier: Apache-2.0
/*
 * Recording, failing, and making up what a power cut leaves.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/src/journal/io.h"
#include "sdk/src/journal/tests/disk.h"
#include "sdk/src/journal/tests/rig.h"

#define FDS 256

const char *const disk_call_names[DISK_CALLS] = {
    "open", "write", "read", "sync", "sync of a directory", "truncate", "allocate", "rename", "unlink",
};

/* A file, whatever its name is at the moment. */
struct file {
    char *name; // in the state that is being made up; NULL: it has none
    char *safe_name;
    uint8_t *data;
    size_t size, room;
    uint8_t *safe;
    size_t safe_size;
};

struct call {
    enum disk_call kind;
    unsigned file;
    uint64_t offset;
    uint8_t *data;
    size_t length;
    char *name, *to;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct call *calls;
static size_t call_count, call_room;
static unsigned file_of[FDS];
static uint64_t synced_of[FDS];
static unsigned file_count;
static struct {
    enum disk_call call;
    unsigned n, times;
    int errnum;
    bool failed, armed;
} fault;

static struct call *note(enum disk_call kind, unsigned file)
{
    if (call_count == call_room) {
        call_room = call_room ? 2 * call_room : 256;
        calls = weir_xrealloc(calls, call_room * sizeof(*calls));
    }
    calls[call_count] = (struct call){ .kind = kind, .file = file };
    return &calls[call_count++];
}

/* Whether this call fails; errno is set then. 2: it is to be cut short. */
static int fails(enum disk_call kind)
{
    if (!fault.armed || fault.call != kind || (fault.n > 1 && fault.n-- > 1))
        return 0;
    fault.failed = true;
    if (--fault.times == 0)
        fault.armed = false;
    errno = fault.errnum;
    return fault.errnum ? 1 : 2;
}

/* Numbers of files follow their inodes, so that an old file opened again is the same one. */
static ino_t inodes[4096];

static unsigned number_of(int fd)
{
    struct stat status;
    fstat(fd, &status);
    for (unsigned i = file_count; i-- > 0;)
        if (inodes[i] == status.st_ino)
            return i;
    inodes[file_count] = status.st_ino;
    return file_count++;
}

static int disk_open(int directory, const char *name, int flags, mode_t mode)
{
    pthread_mutex_lock(&lock);
    int fd = -1;
    if (!fails(DISK_OPEN)) {
        bool there = faccessat(directory, name, F_OK, 0) == 0;
        fd = openat(directory, name, flags, mode);
        if (fd >= 0 && fd < FDS) {
            if (!there)
                for (unsigned i = 0; i < file_count; i++) {
                    struct stat status;
                    fstat(fd, &status);
                    if (inodes[i] == status.st_ino)
                        inodes[i] = 0; // the inode of a file that is gone
                }
            file_of[fd] = number_of(fd);
            struct stat status;
            fstat(fd, &status);
            synced_of[fd] = there ? (uint64_t)status.st_size : 0;
            if (!there)
                note(DISK_OPEN, file_of[fd])->name = weir_xstrdup(name);
        }
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

static ssize_t disk_write(int fd, const struct iovec *ranges, int count, off_t offset)
{
    pthread_mutex_lock(&lock);
    ssize_t did = -1;
    int how = fails(DISK_WRITE);
    if (how != 1) {
        struct iovec first = { ranges->iov_base, ranges->iov_len / 2 + 1 };
        did = how == 2 ? pwritev(fd, &first, 1, offset) : pwritev(fd, ranges, count, offset);
    }
    if (did > 0) {
        struct call *call = note(DISK_WRITE, file_of[fd]);
        call->offset = (uint64_t)offset;
        call->length = (size_t)did;
        call->data = weir_xmalloc(call->length);
        size_t at = 0;
        for (int i = 0; i < count && at < call->length; i++) {
            size_t part = ranges[i].iov_len < call->length - at ? ranges[i].iov_len : call->length - at;
            memcpy(call->data + at, ranges[i].iov_base, part);
            at += part;
        }
    }
    pthread_mutex_unlock(&lock);
    return did;
}

static ssize_t disk_read(int fd, void *out, size_t length, off_t offset)
{
    pthread_mutex_lock(&lock);
    int how = fails(DISK_READ);
    pthread_mutex_unlock(&lock);
    return how == 1 ? -1 : pread(fd, out, how == 2 ? length / 2 + 1 : length, offset);
}

/* The kernel drops the pages that it could not write. */
static void lose_unsynced(int fd)
{
    static const uint8_t zeros[4096];
    struct stat status;
    fstat(fd, &status);
    for (uint64_t at = synced_of[fd]; at < (uint64_t)status.st_size;) {
        size_t part = (size_t)status.st_size - at < sizeof(zeros) ? (size_t)status.st_size - at : sizeof(zeros);
        if (pwrite(fd, zeros, part, (off_t)at) < 0)
            abort();
        at += part;
    }
}

static int disk_sync(int fd)
{
    pthread_mutex_lock(&lock);
    int how = fails(DISK_SYNC), saved = errno;
    if (how == 1) {
        lose_unsynced(fd);
    } else {
        struct stat status;
        fstat(fd, &status);
        synced_of[fd] = (uint64_t)status.st_size;
        note(DISK_SYNC, file_of[fd]);
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
    return how == 1 ? -1 : 0;
}

static int disk_sync_directory(int fd)
{
    (void)fd;
    pthread_mutex_lock(&lock);
    int how = fails(DISK_SYNC_DIRECTORY);
    if (how != 1)
        note(DISK_SYNC_DIRECTORY, 0);
    pthread_mutex_unlock(&lock);
    return how == 1 ? -1 : 0;
}

static int disk_truncate(int fd, off_t length)
{
    pthread_mutex_lock(&lock);
    int result = fails(DISK_TRUNCATE) == 1 ? -1 : ftruncate(fd, length);
    if (result == 0)
        note(DISK_TRUNCATE, file_of[fd])->offset = (uint64_t)length;
    pthread_mutex_unlock(&lock);
    return result;
}

static int disk_allocate(int fd, off_t length)
{
    (void)length;
    (void)fd;
    pthread_mutex_lock(&lock);
    int how = fails(DISK_ALLOCATE);
    pthread_mutex_unlock(&lock);
    return how == 1 ? -1 : 0;
}

static int disk_rename(int directory, const char *from, const char *to)
{
    pthread_mutex_lock(&lock);
    int result = fails(DISK_RENAME) == 1 ? -1 : renameat(directory, from, directory, to);
    if (result == 0) {
        struct call *call = note(DISK_RENAME, 0);
        call->name = weir_xstrdup(from);
        call->to = weir_xstrdup(to);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int disk_unlink(int directory, const char *name)
{
    pthread_mutex_lock(&lock);
    int result = fails(DISK_UNLINK) == 1 ? -1 : unlinkat(directory, name, 0);
    if (result == 0)
        note(DISK_UNLINK, 0)->name = weir_xstrdup(name);
    pthread_mutex_unlock(&lock);
    return result;
}

static const struct journal_io disk_io = {
    .open = disk_open,
    .pwritev = disk_write,
    .pread = disk_read,
    .fdatasync = disk_sync,
    .fsync = disk_sync_directory,
    .ftruncate = disk_truncate,
    .fallocate = disk_allocate,
    .rename = disk_rename,
    .unlink = disk_unlink,
    .close = close,
};

void disk_start(void)
{
    disk_stop();
    journal_io = &disk_io;
}

void disk_stop(void)
{
    journal_io = &journal_system_io;
    for (size_t i = 0; i < call_count; i++) {
        free(calls[i].data);
        free(calls[i].name);
        free(calls[i].to);
    }
    free(calls);
    calls = NULL;
    call_count = call_room = 0;
    file_count = 0;
    memset(inodes, 0, sizeof(inodes));
    memset(&fault, 0, sizeof(fault));
}

size_t disk_length(void)
{
    pthread_mutex_lock(&lock);
    size_t length = call_count;
    pthread_mutex_unlock(&lock);
    return length;
}

void disk_fail(enum disk_call call, unsigned n, int errnum, unsigned times)
{
    pthread_mutex_lock(&lock);
    fault.call = call;
    fault.n = n;
    fault.times = times;
    fault.errnum = errnum;
    fault.failed = false;
    fault.armed = times > 0;
    pthread_mutex_unlock(&lock);
}

bool disk_failed(void)
{
    pthread_mutex_lock(&lock);
    bool failed = fault.failed;
    pthread_mutex_unlock(&lock);
    return failed;
}

static uint64_t state;

static uint64_t any(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % below;
}

static void resize(struct file *file, size_t size)
{
    if (size > file->room) {
        file->room = 2 * size;
        file->data = weir_xrealloc(file->data, file->room);
    }
    if (size > file->size)
        memset(file->data + file->size, 0, size - file->size);
    file->size = size;
}

static void put(struct file *file, uint64_t offset, const uint8_t *data, size_t length)
{
    if (offset + length > file->size)
        resize(file, (size_t)offset + length);
    memcpy(file->data + offset, data, length);
}

/* As put, for the blocks that luck chooses. */
static void put_some(struct file *file, const struct call *call, size_t block)
{
    for (uint64_t at = call->offset; at < call->offset + call->length;) {
        uint64_t next = (at / block + 1) * block;
        if (next > call->offset + call->length)
            next = call->offset + call->length;
        if (any(2))
            put(file, at, call->data + (at - call->offset), (size_t)(next - at));
        at = next;
    }
}

/* Whether a later call, before `length`, makes call `i` safe. */
static bool is_safe(size_t i, size_t length)
{
    bool data = calls[i].kind == DISK_WRITE || calls[i].kind == DISK_TRUNCATE;
    for (size_t at = i + 1; at < length; at++)
        if (data ? calls[at].kind == DISK_SYNC && calls[at].file == calls[i].file
                 : calls[at].kind == DISK_SYNC_DIRECTORY)
            return true;
    return false;
}

static struct file *named(struct file *files, const char *name)
{
    for (unsigned i = 0; i < file_count; i++)
        if (files[i].name && strcmp(files[i].name, name) == 0)
            return &files[i];
    return NULL;
}

static void apply(struct file *files, const struct call *call, bool whole, size_t block)
{
    struct file *file = &files[call->file];
    if (call->kind == DISK_OPEN) {
        file->name = call->name;
    } else if (call->kind == DISK_UNLINK) {
        file = named(files, call->name);
        if (file)
            file->name = NULL;
    } else if (call->kind == DISK_RENAME) {
        file = named(files, call->name);
        if (file)
            file->name = call->to;
    } else if (call->kind == DISK_TRUNCATE) {
        resize(file, (size_t)call->offset);
    } else if (call->kind == DISK_WRITE && whole) {
        put(file, call->offset, call->data, call->length);
    } else if (call->kind == DISK_WRITE) {
        put_some(file, call, block);
    }
}

enum luck { NOTHING, EVERYTHING, FIRST, ANY };

static void make_state(struct file *files, size_t length, size_t block, enum luck luck)
{
    size_t until = length ? any(length) : 0;
    for (size_t i = 0; i < length; i++) {
        bool safe = is_safe(i, length), all = safe || luck == EVERYTHING || (luck == FIRST && i < until);
        if (all || (luck == ANY && (calls[i].kind == DISK_WRITE || any(2))))
            apply(files, &calls[i], all, block);
    }
}

void disk_synthesize(size_t length, size_t block, uint64_t seed, const char *directory)
{
    struct file *files = weir_xcalloc(file_count + 1, sizeof(*files));
    rig_empty(directory);
    state = seed * 0x9e3779b97f4a7c15u + 1;
    any(2);
    make_state(files, length, block, (enum luck)(seed % 4));
    for (unsigned i = 0; i < file_count; i++) {
        if (files[i].name) {
            char *path = weir_xasprintf("%s/%s", directory, files[i].name);
            int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
            if (fd < 0 || (files[i].size > 0 && write(fd, files[i].data, files[i].size) < 0))
                abort();
            close(fd);
            free(path);
        }
        free(files[i].data);
    }
    free(files);
}
