// SPDX-License-Identifier: Apache-2.0
/*
 * A disk under the journal's tests: it writes down what is done to files, so that what a power cut leaves of them can be
 * made up; and it can fail.
 */
#ifndef WEIR_JOURNAL_TESTS_DISK_H
#define WEIR_JOURNAL_TESTS_DISK_H

#include <weir/base.h>

enum disk_call {
    DISK_OPEN,
    DISK_WRITE,
    DISK_READ,
    DISK_SYNC,
    DISK_SYNC_DIRECTORY,
    DISK_TRUNCATE,
    DISK_ALLOCATE,
    DISK_RENAME,
    DISK_UNLINK,
    DISK_CALLS,
};
extern const char *const disk_call_names[DISK_CALLS];

/* Puts itself under the journal (no journal is open) and records from now on. */
void disk_start(void);
/* The system's own calls again; forgets everything. */
void disk_stop(void);

/* How many calls have been recorded; any thread. */
size_t disk_length(void);

/*
 * Makes up in `directory`, which is emptied, what is there after a power cut behind the first `length` calls: all that
 * was synced, and of the rest, in pieces of `block` bytes, what `seed` decides: nothing, all, the first part, or any.
 */
void disk_synthesize(size_t length, size_t block, uint64_t seed, const char *directory);

/* The n-th call of that kind (1 and up) from now on fails with `errnum`; 0: a write is cut short, once. `times`: so many
 * in a row. What a failed sync should have made safe is gone from the file. */
void disk_fail(enum disk_call call, unsigned n, int errnum, unsigned times);
/* Whether it has come to that. */
bool disk_failed(void);

#endif
