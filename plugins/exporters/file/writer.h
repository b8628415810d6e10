// SPDX-License-Identifier: Apache-2.0
/* A file that whole records are appended to, with rotation. Blocking; any thread. */
#ifndef FILE_WRITER_H
#define FILE_WRITER_H

#include <weir/buffer.h>
#include <weir/error.h>

struct writer_options {
    const char *path;
    bool append;             /* keep what is there; otherwise the file is emptied when the process first opens it */
    bool rotate;
    uint64_t max_bytes;      /* rotation: size of one file */
    unsigned max_days;       /* rotation: age of backups; 0: any */
    unsigned max_backups;    /* rotation: 0: all */
    bool local_time;         /* rotation: names of backups */
    int64_t (*wall_clock)(void); /* nanoseconds since 1970 */
};

struct writer;

/* Opens the file, or shares it with the writers that have it open already; NULL with `error` set. `options` is copied. */
struct writer *writer_open(const struct writer_options *options, struct weir_error *error);
/* Appends one record, whole or not at all: what a failed write left behind is cut off again. -1 with `error` set. */
int writer_append(struct writer *writer, const struct weir_slices *record, struct weir_error *error);
/* Accepts NULL. */
void writer_close(struct writer *writer);

/* rotate.c: the name that the current file gets, "<base>-2006-01-02T15-04-05.000<ext>"; the caller frees. */
char *rotate_backup_name(const char *path, int64_t now, bool local_time);
/* Removes backups beyond the limits. Failures are left for the next time. */
void rotate_prune(const struct writer_options *options, int64_t now);

#endif
