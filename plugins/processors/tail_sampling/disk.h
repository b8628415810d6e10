// SPDX-License-Identifier: Apache-2.0
/*
 * Undecided traces on disk, with `storage`: written when the collector stops, read when it starts. They then wait for
 * their decision as if their spans had come anew, for what belongs to them may have been held up by the restart, too.
 *
 * A journal (weir/journal.h) in the instance's directory; a record is an OTLP request of whole traces.
 */
#ifndef TAIL_SAMPLING_DISK_H
#define TAIL_SAMPLING_DISK_H

#include <weir/component.h>

struct tail;
struct tail_shard;
struct disk;

/* Once the pipelines run: opens the journal and begins to take in what is there. NULL, with the reason in the log and the
 * instance's status, when that cannot be. Main thread. */
struct disk *disk_open(struct tail *tail);
/* Accepts NULL. Main thread, in stop. */
void disk_close(struct disk *disk);

/* Writes the shard's pending traces and takes them out of its table; those that somebody waits for are refused. */
void disk_save(struct tail_shard *own);
/* What is taken in goes back. On worker 0, which stops. */
void disk_interrupt(struct disk *disk);

#endif
