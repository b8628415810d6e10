// SPDX-License-Identifier: Apache-2.0
/*
 * Between opening a journal and its thread.
 */
#ifndef WEIR_JOURNAL_DIRECTORY_H
#define WEIR_JOURNAL_DIRECTORY_H

struct weir_journal;

/* The thread starts, with what recover() found; it ends, with everything written. */
void journal_start(struct weir_journal *journal);
void journal_stop(struct weir_journal *journal);

#endif
