// SPDX-License-Identifier: Apache-2.0
/*
 * Which records were being sent when the process died, and how often that has happened to each: a file beside the
 * journal's, written through memory, so that it holds after a crash and costs no system call. A record that was being
 * sent during three crashes in a row is poison. An attempt that ends, however it ends, acquits the record.
 */
#ifndef WEIR_SENDER_DISK_ATTEMPTS_H
#define WEIR_SENDER_DISK_ATTEMPTS_H

#include <weir/logger.h>

#define DISK_ATTEMPTS_FILE "attempts"
#define DISK_ATTEMPTS_MAX 3

struct disk_attempts;

/* Reads what the last process left in the directory. Never NULL: without the file (a full disk, said in the log)
 * nothing is known and nothing kept. Main thread. */
struct disk_attempts *disk_attempts_open(const char *directory, struct weir_logger *logger);
/* Accepts NULL. Main thread. */
void disk_attempts_close(struct disk_attempts *attempts);

/* How many processes died while they sent the record. Any thread. */
unsigned disk_attempts_of(struct disk_attempts *attempts, uint64_t sequence);

/* An attempt begins: the slot to end it with, -1 when none is free and the attempt is not kept. Any thread. */
int disk_attempts_begin(struct disk_attempts *attempts, uint64_t sequence);
/* It has ended, without a crash. Any thread. */
void disk_attempts_end(struct disk_attempts *attempts, int slot);
/* Forgets a record that is no longer there. Any thread. */
void disk_attempts_forget(struct disk_attempts *attempts, uint64_t sequence);

#endif
