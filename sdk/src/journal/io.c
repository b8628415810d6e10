// SPDX-License-Identifier: Apache-2.0
/*
 * The journal's calls on files.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "sdk/src/base/failpoint.h"
#include "sdk/src/journal/io.h"

static int system_open(int directory, const char *name, int flags, mode_t mode)
{
    return openat(directory, name, flags, mode);
}

static int system_allocate(int fd, off_t length)
{
    return fallocate(fd, 0, 0, length);
}

static int system_rename(int directory, const char *from, const char *to)
{
    return renameat(directory, from, directory, to);
}

static int system_unlink(int directory, const char *name)
{
    return unlinkat(directory, name, 0);
}

const struct journal_io journal_system_io = {
    .open = system_open,
    .pwritev = pwritev,
    .pread = pread,
    .fdatasync = fdatasync,
    .fsync = fsync,
    .ftruncate = ftruncate,
    .fallocate = system_allocate,
    .rename = system_rename,
    .unlink = system_unlink,
    .close = close,
};

const struct journal_io *journal_io = &journal_system_io;

int io_open(int directory, const char *name, int flags, mode_t mode, int *out)
{
    int failed = WEIR_FAILPOINT("journal.io.open");
    if (failed)
        return failed;
    int fd;
    do
        fd = journal_io->open(directory, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return errno;
    *out = fd;
    return 0;
}

int io_write(int fd, struct iovec *ranges, size_t count, uint64_t offset, size_t *written)
{
    size_t all = 0;
    int failed = WEIR_FAILPOINT("journal.io.write");
    while (count > 0 && !failed) {
        if (ranges->iov_len == 0) {
            ranges++, count--;
            continue;
        }
        int some = count > IOV_MAX ? IOV_MAX : (int)count;
        ssize_t did = journal_io->pwritev(fd, ranges, some, (off_t)(offset + all));
        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0) {
            failed = did < 0 ? errno : EIO;
            break;
        }
        all += (size_t)did;
        for (size_t left = (size_t)did; left > 0;) {
            size_t part = ranges->iov_len < left ? ranges->iov_len : left;
            ranges->iov_base = (uint8_t *)ranges->iov_base + part;
            ranges->iov_len -= part;
            left -= part;
            if (ranges->iov_len == 0)
                ranges++, count--;
        }
    }
    if (written)
        *written = all;
    return failed;
}

int io_read(int fd, void *out, size_t length, uint64_t offset, size_t *got)
{
    int failed = WEIR_FAILPOINT("journal.io.read");
    if (failed)
        return failed;
    size_t all = 0;
    while (all < length) {
        ssize_t did = journal_io->pread(fd, (uint8_t *)out + all, length - all, (off_t)(offset + all));
        if (did < 0 && errno == EINTR)
            continue;
        if (did < 0)
            return errno;
        if (did == 0)
            break;
        all += (size_t)did;
    }
    *got = all;
    return 0;
}

static int result_of(int status)
{
    return status == 0 ? 0 : errno;
}

int io_datasync(int fd)
{
    int failed = WEIR_FAILPOINT("journal.io.sync");
    return failed ? failed : result_of(journal_io->fdatasync(fd));
}

int io_sync_directory(int fd)
{
    int failed = WEIR_FAILPOINT("journal.io.sync_directory");
    return failed ? failed : result_of(journal_io->fsync(fd));
}

int io_truncate(int fd, uint64_t length)
{
    int failed = WEIR_FAILPOINT("journal.io.truncate");
    return failed ? failed : result_of(journal_io->ftruncate(fd, (off_t)length));
}

int io_allocate(int fd, uint64_t length)
{
    int failed = WEIR_FAILPOINT("journal.io.allocate");
    return failed ? failed : result_of(journal_io->fallocate(fd, (off_t)length));
}

int io_rename(int directory, const char *from, const char *to)
{
    int failed = WEIR_FAILPOINT("journal.io.rename");
    return failed ? failed : result_of(journal_io->rename(directory, from, to));
}

int io_unlink(int directory, const char *name)
{
    int failed = WEIR_FAILPOINT("journal.io.unlink");
    return failed ? failed : result_of(journal_io->unlink(directory, name));
}

void io_close(int fd)
{
    if (fd >= 0)
        journal_io->close(fd);
}
