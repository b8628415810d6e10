// SPDX-License-Identifier: Apache-2.0
/*
 * Appending whole records. What one process writes to one path goes through one descriptor, whoever writes: on reload
 * an instance and its successor do so side by side.
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

#include "plugins/exporters/file/writer.h"

struct shared_file {
    struct shared_file *next;
    char *path;
    unsigned references;  /* under all_lock */
    pthread_mutex_t lock; /* of what follows */
    int file;             /* -1: could not be opened again */
    off_t length;
};

struct writer {
    struct writer_options options;
    struct shared_file *shared;
};

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct shared_file *all;

static int open_file(struct shared_file *shared, bool keep, struct weir_error *error)
{
    struct stat status;
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (keep ? 0 : O_TRUNC);
    shared->file = open(shared->path, flags, 0644);
    if (shared->file < 0)
        return weir_error_errno(error, errno, "open %s", shared->path);
    shared->length = fstat(shared->file, &status) == 0 ? status.st_size : 0;
    return 0;
}

static void free_file(struct shared_file *shared)
{
    if (shared->file >= 0)
        close(shared->file);
    pthread_mutex_destroy(&shared->lock);
    free(shared->path);
    free(shared);
}

static struct shared_file *new_file(const char *path, bool keep, struct weir_error *error)
{
    struct shared_file *shared = weir_xcalloc(1, sizeof *shared);
    shared->path = weir_xstrdup(path);
    pthread_mutex_init(&shared->lock, NULL);
    if (open_file(shared, keep, error) == 0)
        return shared;
    free_file(shared);
    return NULL;
}

static struct shared_file *find_or_open(const char *path, bool keep, struct weir_error *error)
{
    struct shared_file *shared = all;
    while (shared && strcmp(shared->path, path) != 0)
        shared = shared->next;
    if (!shared && (shared = new_file(path, keep, error))) {
        shared->next = all;
        all = shared;
    }
    if (shared)
        shared->references++;
    return shared;
}

static void leave_all(const struct shared_file *shared)
{
    struct shared_file **link = &all;
    while (*link != shared)
        link = &(*link)->next;
    *link = shared->next;
}

struct writer *writer_open(const struct writer_options *options, struct weir_error *error)
{
    pthread_mutex_lock(&all_lock);
    /* A file under rotation goes on where it was: it is rotated by size, not by restarts. */
    struct shared_file *shared = find_or_open(options->path, options->append || options->rotate, error);
    pthread_mutex_unlock(&all_lock);
    if (!shared)
        return NULL;
    struct writer *writer = weir_xcalloc(1, sizeof *writer);
    writer->options = *options;
    writer->options.path = shared->path;
    writer->shared = shared;
    return writer;
}

void writer_close(struct writer *writer)
{
    if (!writer)
        return;
    pthread_mutex_lock(&all_lock);
    bool last = --writer->shared->references == 0;
    if (last)
        leave_all(writer->shared);
    pthread_mutex_unlock(&all_lock);
    if (last)
        free_file(writer->shared);
    free(writer);
}

static int rotate(const struct writer *writer, struct weir_error *error)
{
    int64_t now = writer->options.wall_clock();
    char *backup = rotate_backup_name(writer->options.path, now, writer->options.local_time);
    int result = rename(writer->options.path, backup);
    if (result != 0) {
        weir_error_errno(error, errno, "rename %s to %s", writer->options.path, backup);
    } else {
        close(writer->shared->file);
        result = open_file(writer->shared, true, error);
        rotate_prune(&writer->options, now);
    }
    free(backup);
    return result;
}

/* Bytes of the record that were written; fewer than all on failure, with errno set. */
static size_t write_ranges(int file, const struct weir_slices *record)
{
    size_t done = 0, first = 0, skip = 0;
    while (first < record->count) {
        struct iovec window[64];
        size_t count = 0;
        for (; count < WEIR_ARRAY_LENGTH(window) && first + count < record->count; count++)
            window[count] = record->ranges[first + count];
        window[0].iov_base = (char *)window[0].iov_base + skip;
        window[0].iov_len -= skip;
        ssize_t n = writev(file, window, (int)count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return done;
        done += (size_t)n;
        for (size_t left = (size_t)n + skip; first < record->count; first++) {
            if (left < record->ranges[first].iov_len) {
                skip = left;
                break;
            }
            left -= record->ranges[first].iov_len;
            skip = 0;
        }
    }
    return done;
}

static bool is_over(const struct writer *writer, const struct weir_slices *record)
{
    uint64_t length = (uint64_t)writer->shared->length;
    return writer->options.rotate && length > 0 && length + record->bytes > writer->options.max_bytes;
}

static int append(const struct writer *writer, const struct weir_slices *record, struct weir_error *error)
{
    struct shared_file *shared = writer->shared;
    if (shared->file < 0 && open_file(shared, true, error) != 0)
        return -1;
    if (is_over(writer, record) && rotate(writer, error) != 0)
        return -1;
    size_t written = write_ranges(shared->file, record);
    if (written == record->bytes) {
        shared->length += (off_t)written;
        return 0;
    }
    weir_error_errno(error, errno, "write %s", shared->path);
    /* Half a record would spoil the next one. */
    if (written > 0 && ftruncate(shared->file, shared->length) != 0)
        shared->length += (off_t)written;
    return -1;
}

int writer_append(struct writer *writer, const struct weir_slices *record, struct weir_error *error)
{
    pthread_mutex_lock(&writer->shared->lock);
    int result = append(writer, record, error);
    pthread_mutex_unlock(&writer->shared->lock);
    return result;
}
