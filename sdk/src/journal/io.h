// SPDX-License-Identifier: Apache-2.0
/*
 * All that a journal asks of the operating system's files, in one table, so that a test can record, fail or shorten
 * each call. Functions give 0 or an errno; interrupted calls are repeated, short ones continued.
 */
#ifndef WEIR_JOURNAL_IO_H
#define WEIR_JOURNAL_IO_H

#include <sys/types.h>
#include <sys/uio.h>

#include <weir/base.h>

struct journal_io {
    int (*open)(int directory, const char *name, int flags, mode_t mode);
    ssize_t (*pwritev)(int fd, const struct iovec *ranges, int count, off_t offset);
    ssize_t (*pread)(int fd, void *out, size_t length, off_t offset);
    int (*fdatasync)(int fd);
    int (*fsync)(int fd); /* of a directory */
    int (*ftruncate)(int fd, off_t length);
    int (*fallocate)(int fd, off_t length);
    int (*rename)(int directory, const char *from, const char *to);
    int (*unlink)(int directory, const char *name);
    int (*close)(int fd);
};

extern const struct journal_io journal_system_io;
/* What is used; tests replace it while no journal is open. */
extern const struct journal_io *journal_io;

int io_open(int directory, const char *name, int flags, mode_t mode, int *out);
/* Writes all ranges; changes them. *written, if asked for, says how much got there, also after an error. */
int io_write(int fd, struct iovec *ranges, size_t count, uint64_t offset, size_t *written);
/* Reads up to `length` bytes, fewer only at the end of the file. */
int io_read(int fd, void *out, size_t length, uint64_t offset, size_t *got);
int io_datasync(int fd);
int io_sync_directory(int fd);
int io_truncate(int fd, uint64_t length);
int io_allocate(int fd, uint64_t length);
int io_rename(int directory, const char *from, const char *to);
int io_unlink(int directory, const char *name);
/* Accepts -1. */
void io_close(int fd);

#endif
