// SPDX-License-Identifier: Apache-2.0
/*
 * For tools that work on the directory of a collector that does not run: keeping others out, and taking records out of
 * the dead-letter file.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/src/journal/journal.h"

#define NEW_FILE WEIR_JOURNAL_DEAD_LETTER ".new"

int weir_journal_lock(const char *directory, int *lock, struct weir_error *error)
{
    char *path = weir_xasprintf("%s/lock", directory);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 ? errno : 0;
    free(path);
    if (failed)
        return weir_error_errno(error, failed, "cannot open the lock file in %s", directory);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *lock = fd;
        return 0;
    }
    failed = errno;
    close(fd);
    if (failed == EWOULDBLOCK)
        return weir_error_set(error, "%s is in use by another process", directory);
    return weir_error_errno(error, failed, "cannot lock %s", directory);
}

/* How many bytes the record at `offset` takes, up to where the next one begins; 0: there is none. */
static size_t record_bytes(const struct weir_buffer *bytes, uint64_t offset)
{
    struct record_header header;
    if (offset > bytes->length || bytes->length - offset < RECORD_HEADER ||
        !record_header_read(bytes->data + offset, &header))
        return 0;
    size_t left = bytes->length - (size_t)offset - RECORD_HEADER;
    return header.length <= left ? RECORD_HEADER + (size_t)header.length : 0;
}

/* The bytes without those of the records; `offsets` ascend. */
static void cut(struct weir_buffer *bytes, const uint64_t *offsets, size_t count)
{
    size_t to = 0, from = 0;
    for (size_t i = 0; i <= count; i++) {
        const size_t end = i < count ? (size_t)offsets[i] : bytes->length;
        const size_t skip = i < count ? record_bytes(bytes, end) : 0;
        if (i < count && (skip == 0 || end < from))
            continue;
        for (; from < end; from++)
            bytes->data[to++] = bytes->data[from];
        from = end + skip;
    }
    bytes->length = to;
}

static int read_whole(int directory, struct weir_buffer **out)
{
    struct stat status;
    int fd;
    int failed = io_open(directory, WEIR_JOURNAL_DEAD_LETTER, O_RDONLY, 0, &fd);
    if (failed)
        return failed;
    struct weir_buffer *bytes = fstat(fd, &status) == 0 ? weir_buffer_new((size_t)status.st_size) : NULL;
    failed = bytes ? io_read(fd, bytes->data, bytes->capacity, 0, &bytes->length) : ENOMEM;
    io_close(fd);
    if (failed)
        weir_buffer_unref(bytes);
    else
        *out = bytes;
    return failed;
}

static int write_whole(int directory, const struct weir_buffer *bytes)
{
    struct iovec range = { bytes->data, bytes->length };
    int fd;
    int failed = io_open(directory, NEW_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0640, &fd);
    if (failed)
        return failed;
    failed = io_write(fd, &range, 1, 0, NULL);
    if (!failed)
        failed = io_datasync(fd);
    io_close(fd);
    return failed ? failed : io_rename(directory, NEW_FILE, WEIR_JOURNAL_DEAD_LETTER);
}

static int replace(int directory, const uint64_t *offsets, size_t count)
{
    struct weir_buffer *bytes;
    int failed = read_whole(directory, &bytes);
    if (failed)
        return failed;
    cut(bytes, offsets, count);
    failed = bytes->length > SEGMENT_HEADER ? write_whole(directory, bytes)
                                            : io_unlink(directory, WEIR_JOURNAL_DEAD_LETTER);
    weir_buffer_unref(bytes);
    return failed ? failed : io_sync_directory(directory);
}

int weir_journal_dead_letter_remove(const char *directory, const uint64_t *offsets, size_t count,
                                    struct weir_error *error)
{
    int fd = -1;
    int failed = count > 0 ? io_open(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0, &fd) : 0;
    if (count > 0 && !failed)
        failed = replace(fd, offsets, count);
    io_close(fd);
    return failed ? weir_error_errno(error, failed, "cannot change the dead-letter file in %s", directory) : 0;
}
