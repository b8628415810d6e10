// SPDX-License-Identifier: Apache-2.0
/* Appending whole records. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/exporters/file/writer.h"

struct writer {
    struct writer_options options;
    int file;
    off_t length;
};

static int open_file(struct writer *writer, bool keep, struct weir_error *error)
{
    struct stat status;
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (keep ? 0 : O_TRUNC);
    writer->file = open(writer->options.path, flags, 0644);
    if (writer->file < 0)
        return weir_error_errno(error, errno, "open %s", writer->options.path);
    writer->length = fstat(writer->file, &status) == 0 ? status.st_size : 0;
    return 0;
}

struct writer *writer_open(const struct writer_options *options, struct weir_error *error)
{
    struct writer *writer = weir_xcalloc(1, sizeof *writer);
    writer->options = *options;
    /* A file under rotation goes on where it was: it is rotated by size, not by restarts. */
    if (open_file(writer, options->append || options->rotate, error) != 0) {
        free(writer);
        return NULL;
    }
    return writer;
}

void writer_close(struct writer *writer)
{
    if (!writer)
        return;
    if (writer->file >= 0)
        close(writer->file);
    free(writer);
}

static int rotate(struct writer *writer, struct weir_error *error)
{
    int64_t now = writer->options.wall_clock();
    char *backup = rotate_backup_name(writer->options.path, now, writer->options.local_time);
    int result = rename(writer->options.path, backup);
    if (result != 0) {
        weir_error_errno(error, errno, "rename %s to %s", writer->options.path, backup);
    } else {
        close(writer->file);
        result = open_file(writer, true, error);
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

int writer_append(struct writer *writer, const struct weir_slices *record, struct weir_error *error)
{
    if (writer->file < 0 && open_file(writer, true, error) != 0)
        return -1;
    if (writer->options.rotate && writer->length > 0 &&
        (uint64_t)writer->length + record->bytes > writer->options.max_bytes && rotate(writer, error) != 0)
        return -1;
    size_t written = write_ranges(writer->file, record);
    if (written == record->bytes) {
        writer->length += (off_t)written;
        return 0;
    }
    weir_error_errno(error, errno, "write %s", writer->options.path);
    /* Half a record would spoil the next one. */
    if (written > 0 && ftruncate(writer->file, writer->length) != 0)
        writer->length += (off_t)written;
    return -1;
}
