// SPDX-License-Identifier: Apache-2.0
/*
 * What the journal's tests share: a directory, a journal, and calls that wait for their answers.
 */
#ifndef WEIR_JOURNAL_TESTS_RIG_H
#define WEIR_JOURNAL_TESTS_RIG_H

#include <weir/journal.h>
#include <weir/sys/worker.h>

/* A fresh directory, to be removed with rig_remove. */
char *rig_directory(void);
void rig_remove(char *directory);
/* Removes what is in it. */
void rig_empty(const char *directory);
/* Names in the directory that end so. */
unsigned rig_files(const char *directory, const char *ending);
/* One of them, to be freed: the first in order, or the last. NULL: there is none. */
char *rig_file(const char *directory, const char *ending, bool last);
/* As `cp -r`. */
void rig_copy(const char *from, const char *to);

/* Opens it, or ends the process. */
struct weir_journal *rig_open(const char *directory);
struct weir_journal *rig_open_with(const struct weir_journal_options *options);

/* The payload of record `number`: `length` bytes that only that record has. */
void rig_payload(uint64_t number, uint8_t *out, size_t length);

struct rig_append {
    struct weir_journal_append append;
    uint64_t number;
    size_t length;
    bool ended;
    int status;
};
/* Asks for record `number`; items are number % 7 + 1. */
void rig_append_start(struct weir_journal *journal, struct rig_append *append, uint64_t number, size_t length,
                      bool sync);
/* The same, and takes the record if it is the next one. */
void rig_append_take_start(struct weir_journal *journal, struct rig_append *append, uint64_t number, size_t length,
                           bool sync);
void rig_wait(const bool *ended);
/* Appends and waits: the status. */
int rig_append(struct weir_journal *journal, uint64_t number, size_t length, bool sync);

struct rig_take {
    struct weir_journal_take take;
    bool ended;
    bool got;         /* a record, not a cancellation */
    uint64_t number;  /* of the record; its payload has been checked */
    bool bad;         /* the payload is none of rig_payload */
    uint64_t sequence, items;
    unsigned attempts;
    struct weir_buffer *buffer; /* a reference, if keep was set before */
    bool keep;
};
void rig_take_start(struct weir_journal *journal, struct rig_take *take);
/* Takes and waits; false: none comes within some time. */
bool rig_take(struct weir_journal *journal, struct rig_take *take);
/* Takes, checks and settles whatever there is; how many. seen[number]++ for numbers below `most`. */
size_t rig_drain(struct weir_journal *journal, unsigned *seen, size_t most);

#endif
