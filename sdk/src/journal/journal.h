// SPDX-License-Identifier: Apache-2.0
/*
 * What an open journal is made of. One thread of the journal's own reads and writes all of this; other threads only post
 * commands to it, and a second thread does nothing but sync what the first has written. Private to libweir.
 */
#ifndef WEIR_JOURNAL_JOURNAL_H
#define WEIR_JOURNAL_JOURNAL_H

#include <stdatomic.h>

#include <pthread.h>
#include <semaphore.h>

#include <weir/journal.h>

#include "sdk/src/base/failpoint.h"
#include "sdk/src/journal/format.h"
#include "sdk/src/journal/io.h"
#include "sdk/src/journal/wake.h"

#define CHUNK_BYTES ((size_t)1 << 20)     /* read at once */
#define GATHER_BYTES ((size_t)4 << 20)    /* written at once */
#define GATHER_RECORDS 256
#define RESERVE_BYTES ((uint64_t)256 << 10)
#define RECYCLE_BYTES ((uint64_t)4 << 20) /* a settled active segment beyond this is let go at once... */
#define IDLE_BYTES ((uint64_t)16 << 10)   /* ...and beyond this when the journal has nothing to do */
#define SEGMENT_RECORDS ((uint32_t)1 << 23)
#define STATE_SETTLED 0x80 /* of a record; the rest is its number of attempts */
#define RETRY_NS INT64_C(1000000000) /* until a failed read or dead letter is tried again */

struct segment {
    struct segment *next; /* later records */
    struct segment_header header;
    int fd, marks_fd;       /* -1: not open */
    uint64_t written;       /* end of the last whole record */
    uint64_t wanted;        /* somebody waits until this is on stable storage */
    uint64_t synced;        /* this much is */
    uint64_t file_bytes, marks_bytes;
    struct seal total;      /* of all records written */
    uint32_t left;          /* records that are neither settled nor lost */
    uint64_t items_left, bytes_left; /* theirs, as far as known */
    uint8_t *state;         /* of each record; NULL: nothing has happened to any */
    uint32_t state_room;
    struct mark *marks;     /* to be written */
    size_t mark_count, mark_room;
    bool sealed;            /* nothing is written to it any more */
    bool named;             /* its directory entry is on stable storage */
};

/* A record that is taken, or was returned and waits to be taken again. */
struct taken {
    struct taken *next;
    struct segment *segment;
    uint64_t sequence, offset, items;
    uint32_t length;
    unsigned attempts; /* before this take */
    bool counted;      /* this take is marked as an attempt */
};

enum command_kind {
    COMMAND_APPEND,
    COMMAND_TAKE,
    COMMAND_CANCEL,
    COMMAND_SETTLE,
    COMMAND_SURVIVED,
    COMMAND_SYNCED,
    COMMAND_CLOSE,
};

struct command {
    struct command *next;
    enum command_kind kind;
    enum weir_journal_end end;
    uint64_t number; /* sequence or ticket */
    void *object;
};

struct append_list {
    struct weir_journal_append *first, *last;
};

struct take_list {
    struct weir_journal_take *first, *last;
};

struct weir_journal {
    struct weir_journal *next; /* of this process */
    unsigned references;
    dev_t device;
    ino_t inode;

    char *path;
    int directory, lock;
    atomic_bool sync;
    _Atomic uint64_t max_bytes;
    uint64_t segment_bytes;
    unsigned max_attempts;
    struct weir_logger *logger;

    pthread_t thread;
    struct wake *wake;
    _Atomic(struct command *) commands; /* last one first */
    atomic_uint_fast64_t tickets;

    pthread_mutex_t counts_lock;
    struct weir_journal_counts published;
    struct weir_journal_lost published_lost;
    atomic_bool any_lost;

    /* The thread's own, as all that follows. */
    struct weir_journal_counts counts;
    struct weir_journal_lost lost; /* since the last journal_publish */
    struct segment *first, *last;
    struct segment *active; /* the last one while it may be written to, or NULL */
    uint64_t next_sequence;
    bool closing;
    int64_t retry_at; /* monotonic; 0: nothing is to be retried */
    int reserve;      /* a file that only keeps space for marks */
    bool reserve_used;

    struct append_list pending;  /* to be written */
    struct append_list waiting;  /* written, to be synced */
    struct append_list finished; /* to be told */
    struct take_list takes;      /* that wait */
    struct take_list served;     /* to be told */

    struct segment *reading; /* where the next record is, NULL: in the first segment from read_sequence on */
    uint64_t read_offset;
    uint64_t read_sequence;
    unsigned read_failures; /* in a row */
    struct weir_buffer *chunk;
    struct segment *chunk_segment;
    uint64_t chunk_offset;

    struct taken **taken; /* hash by sequence */
    size_t taken_room, taken_count;
    struct taken *returned; /* by sequence */
    struct taken *dead;     /* could not be written to the dead-letter file yet */
    int dead_letter;        /* its fd, -1: not open */
    uint64_t dead_letter_bytes;
    uint32_t dead_letter_salt;

    struct {
        pthread_t thread;
        bool started;
        sem_t wake;
        struct segment *segment; /* being synced; NULL: none, or to end */
        uint64_t end;
        bool name_too; /* and the directory */
        int result;
    } syncer;
};

/* segment.c */
struct segment *segment_new(uint64_t first);
void segment_free(struct segment *segment);
#define SEGMENT_NAME 32
void segment_name(const struct segment *segment, const char *ending, char out[SEGMENT_NAME]);
/* Opens the file to be read, if it is not open. 0 or an errno. */
int segment_open(struct weir_journal *journal, struct segment *segment);
/* A new active segment. 0 or an errno. */
int segment_begin(struct weir_journal *journal);
/* Ends the active segment: nothing is written to it any more. */
void segment_end(struct weir_journal *journal);
/* Takes the segment out of the list, off the disk and out of memory. */
void segment_remove(struct weir_journal *journal, struct segment *segment);
/* Renames the segment's file to NAME.damaged, and counts it. */
void segment_set_aside(struct weir_journal *journal, const char *name);
/* Removes the segments that have nothing left. */
void segments_reclaim(struct weir_journal *journal, bool idle);
/* Files of segments without anybody who reads or writes them are closed. */
void segment_close_files(struct segment *segment);

/* state.c: what became of records */
unsigned state_of(const struct segment *segment, uint32_t index);
void state_set(struct segment *segment, uint32_t index, unsigned state);
/* Notes a mark, to be written with marks_flush; changes the record's state. */
void state_mark(struct weir_journal *journal, struct segment *segment, uint32_t index, enum mark_kind kind);
/* The record is settled or lost: the counts of what is left. `items` and `bytes` as far as known. */
void state_leave(struct weir_journal *journal, struct segment *segment, uint32_t index, uint64_t items,
                 uint64_t bytes);
/* Applies a mark that was read. */
void state_apply(struct segment *segment, const struct mark *mark);
/* Writes what state_mark noted. */
void marks_flush(struct weir_journal *journal);
/* Takes the space back that a full disk left to the marks; false: there is none. */
bool reserve_refill(struct weir_journal *journal);

/* append.c */
void append_write(struct weir_journal *journal);
void append_list_add(struct append_list *list, struct weir_journal_append *append);
struct weir_journal_append *append_list_take(struct append_list *list);
void append_finish(struct weir_journal *journal, struct weir_journal_append *append, int status);
void append_tell(struct weir_journal *journal);
/* Has the appends of the list, whose sync failed, written again, or ended with `failed`. */
void append_retry(struct weir_journal *journal, struct append_list *list, int failed);

/* flush.c */
/* Has the next segment synced whose records somebody waits for, unless the syncer is at it. */
void flush_start(struct weir_journal *journal);
void flush_done(struct weir_journal *journal);
void flush_stop(struct weir_journal *journal);

/* read.c */
/* `length` bytes at the offset of a segment, in journal->chunk; 0, an errno, or -1: the segment ends before. */
int read_bytes(struct weir_journal *journal, struct segment *segment, uint64_t offset, size_t length,
               const uint8_t **out);
/* Where the next record header after `offset` of the segment is, whose sequence is at least `sequence`; the end, if
 * there is none. 0 or an errno. */
int read_resync(struct weir_journal *journal, struct segment *segment, uint64_t offset, uint64_t sequence,
                uint64_t *out);
/* Records `from` to `to` - 1 of the segment, as far as they are not settled, are lost. */
void read_lost(struct weir_journal *journal, struct segment *segment, uint64_t from, uint64_t to);
/* The next record that is neither settled nor taken: 1 and `out`; 0: none; an errno as a negative number. */
int read_next(struct weir_journal *journal, struct taken *out);
/* True if a record that is appended now is the next one to be handed out. There is an active segment. */
bool read_is_at_end(struct weir_journal *journal);
/* Goes past the record that was appended last, where read_is_at_end was true before it. */
void read_pass(struct weir_journal *journal);
/* The taken record's bytes; 0, an errno, or -1: damaged. */
int read_again(struct weir_journal *journal, const struct taken *taken, struct weir_journal_record *out);

/* take.c */
/* The append, which is in its segment from `offset` on, is taken by its caller. */
void take_appended(struct weir_journal *journal, struct weir_journal_append *append, uint64_t offset);
/* It is not, after all. */
void take_undo(struct weir_journal *journal, struct weir_journal_append *append);
void take_serve(struct weir_journal *journal);
void take_tell(struct weir_journal *journal);
void take_list_add(struct take_list *list, struct weir_journal_take *take);
void take_cancel(struct weir_journal *journal, const void *take, uint64_t ticket);
void take_settle(struct weir_journal *journal, uint64_t sequence, enum weir_journal_end end);
void take_survived(struct weir_journal *journal, uint64_t sequence);
void take_close(struct weir_journal *journal);
void take_retry(struct weir_journal *journal);

/* dead_letter.c */
/* Writes and syncs the record at the end of the dead-letter file. 0 or an errno. */
int dead_letter_add(struct weir_journal *journal, const struct weir_journal_record *record);

/* recover.c */
int recover(struct weir_journal *journal, struct weir_error *error);

/* journal.c */
int64_t journal_now(void);
void journal_fault(struct weir_journal *journal, const char *what, int errnum);
void journal_retry_later(struct weir_journal *journal);
void journal_publish(struct weir_journal *journal);
void journal_post(struct weir_journal *journal, enum command_kind kind, void *object, uint64_t number,
                  enum weir_journal_end end);

#endif
