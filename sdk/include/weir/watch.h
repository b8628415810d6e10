// SPDX-License-Identifier: Apache-2.0
/*
 * Files that are followed: certificates, CAs, tokens, password files that somebody else rotates.
 */
#ifndef WEIR_WATCH_H
#define WEIR_WATCH_H

#include <weir/component.h>
#include <weir/error.h>
#include <weir/str.h>
#include <weir/worker.h>

WEIR_BEGIN

/* One followed file. */
struct weir_watch;

/*
 * Follows `path` (copied): looks once every `interval` (nanoseconds; 0: 1 s), off the loop, and calls changed(user,
 * content) whenever the content is another than before and has stayed the same for one interval (1 s at most), so that a
 * half-written file is not taken for a whole one. Follows symbolic links, replacements and changes in place. A file that
 * is gone, cannot be read, is not a regular one or is larger than 16 MiB is no change. "Before" begins with the call
 * (which reads the file once): make the watch first, then read the file, so that no change falls between the two.
 * `content` is valid during the call. The worker whose thread calls: `changed` comes there, and may free the watch.
 */
WEIR_EXPORT struct weir_watch *weir_watch_new(const char *path, int64_t interval,
                                              void (*changed)(void *user, struct weir_str content), void *user)
    WEIR_MUST_USE;
/* No call of `changed` comes any more. Accepts NULL. The same thread. */
WEIR_EXPORT void weir_watch_free(struct weir_watch *watch);

/* Reads a whole file of at most `limit` bytes; the caller frees with weir_text_free. 0, or -1 with `error` set ("open
 * /x: no such file or directory"). Blocks: at start, or off the loop. Any thread. */
WEIR_EXPORT int weir_file_read(const char *path, size_t limit, struct weir_text *out, struct weir_error *error);

/*
 * What an instance makes of a followed file and reads on every worker: a token, a list of passwords. The last value that
 * could be made stays in use; meanwhile the instance shows a fault.
 */
struct weir_followed;

struct weir_followed_options {
    const char *path; /* at most 1 MiB is read */
    struct weir_instance *instance;
    /* Makes a value of the content, at start and after every change. NULL with `error` set, which must not hold the
     * content, when it is none: an empty file, a half-written one. Main thread. */
    void *(*parse)(void *user, struct weir_str content, struct weir_error *error);
    void (*release)(void *value); /* any thread */
    void *user;
};

/* Reads the file and begins to follow it. NULL with `error` set. In start. */
WEIR_EXPORT struct weir_followed *weir_followed_new(const struct weir_followed_options *options,
                                                    struct weir_error *error) WEIR_MUST_USE;
/* The value; it does not change before the current call from the loop returns. Without locks. Any worker. */
WEIR_EXPORT const void *weir_followed_value(const struct weir_followed *followed);
/* Accepts NULL. In stop. */
WEIR_EXPORT void weir_followed_free(struct weir_followed *followed);

WEIR_END

#endif
