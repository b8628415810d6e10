// SPDX-License-Identifier: Apache-2.0
/*
 * A journal: records on disk that are taken in the order in which they were appended, until each is settled. The
 * sending queue with `storage` stands on it; components that keep something else on disk, in the directory that
 * weir_storage_path gives them, use it as well.
 *
 * A directory holds one journal: append-only segments of records with checksums. Nothing in it is needed to start:
 * what cannot be read is set aside and counted, the rest is delivered. A record leaves the disk when it is settled; one
 * that was taken and not settled when the process ended comes again, with its attempts counted on.
 */
#ifndef WEIR_JOURNAL_H
#define WEIR_JOURNAL_H

#include <weir/buffer.h>
#include <weir/error.h>
#include <weir/logger.h>
#include <weir/worker.h>

WEIR_BEGIN

struct weir_journal_options {
    const char *directory;      /* made if it is not there, with its parents only where create_parents says so */
    unsigned directory_mode;    /* 0: 0750 */
    bool create_parents;
    bool sync;                  /* every append is synced before it is done, whether it asks or not */
    uint64_t max_bytes;         /* of all segments; 0: no limit but the disk's */
    uint64_t segment_bytes;     /* a new segment is begun beyond this; 0: 16 MiB */
    int64_t lock_timeout;       /* nanoseconds to wait for another process that has the directory open */
    unsigned max_attempts;      /* a record taken so often without being settled, by processes that then died, is poison:
                                   it goes to the dead-letter file; 0: 3; UINT32_MAX: attempts are not counted */
    struct weir_logger *logger; /* may be NULL */
};

/* One open journal. All functions: any thread unless said otherwise. */
struct weir_journal;

/* Opens the directory: reads what is there (segments' headers and checksums of what is not settled), sets damaged parts
 * aside. A directory that this process has open already is shared: one more reference on the same journal. 0, or -1
 * with `error` set: the directory cannot be used, or another process has it. Blocks; main thread. */
WEIR_EXPORT int weir_journal_open(const struct weir_journal_options *options, struct weir_journal **out,
                                  struct weir_error *error);
/* Has `sync` and `max_bytes` of an open journal be those of `options`. */
WEIR_EXPORT void weir_journal_configure(struct weir_journal *journal, const struct weir_journal_options *options);
/* Drops a reference; the last one writes and syncs what is pending, then closes. Every append is done and every take
 * has been ended by then. Accepts NULL. Blocks; main thread. */
WEIR_EXPORT void weir_journal_unref(struct weir_journal *journal);

/* What has become of records since the journal was opened, and what is in it. */
struct weir_journal_counts {
    uint64_t records, items, bytes; /* appended and not settled, in payload bytes; including those that are taken */
    uint64_t taken;                 /* records that are taken */
    uint64_t disk_bytes;            /* of all segments */
    uint64_t segments;
    uint64_t found_records, found_items; /* were there when the journal was opened */
    uint64_t damaged;                    /* records, or gaps whose number of records is not known, lost to damage */
    uint64_t set_aside;                  /* files that were renamed because they could not be read */
    uint64_t dead_records, dead_items;   /* moved to the dead-letter file since the journal was opened */
    uint64_t errors;                     /* write or sync failures */
};
/* Fills `out`. Any thread. */
WEIR_EXPORT void weir_journal_counts(const struct weir_journal *journal, struct weir_journal_counts *out);

/* Of what was in `records`, `items` and `bytes`: lost to damage that was found later. A record whose header cannot be read
 * tells its items once all others of its segment are settled. */
struct weir_journal_lost {
    uint64_t records, items, bytes;
};
/* What has been lost since the last call; false: nothing. */
WEIR_EXPORT bool weir_journal_lost(struct weir_journal *journal, struct weir_journal_lost *out);

/* One record to be appended. Embed it, zeroed; keep it in place until `done`. */
struct weir_journal_append {
    struct weir_slices payload; /* references are kept until done; emptied then */
    uint64_t items;
    bool sync; /* done only after the record is on stable storage (group commit: one fdatasync for all that wait) */
    /* The caller keeps the payload, and would go on with the record itself: if nothing older waits to be handed out, it is
     * taken by the time of `done`, as by weir_journal_take, without being read; `taken` says so. */
    bool take;
    bool taken; /* set before `done`; the caller then owes weir_journal_settle */
    /* `status`: 0, or an errno (ENOSPC, EIO, EFBIG for max_bytes): then the record is not in the journal and never will
     * be. On the worker given to weir_journal_append. */
    void (*done)(struct weir_journal_append *append, int status);
    uint64_t sequence; /* set before `done` */

    struct weir_worker *worker; /* the journal's own, as what follows */
    struct weir_journal_append *next;
    int status;
    unsigned tries;
    uint32_t checksum;
    void *segment;
    uint64_t end;
    struct weir_task task;
};
/* Appends in the order of the calls of one thread. `worker` is the caller's; what a worker asks of a journal is begun at the
 * end of this turn of its loop, all of it at once. */
WEIR_EXPORT void weir_journal_append(struct weir_journal *journal, struct weir_worker *worker,
                                     struct weir_journal_append *append);

struct weir_journal_record {
    uint64_t sequence;
    uint64_t items;
    unsigned attempts;          /* times it was taken before by processes that died with it */
    struct weir_buffer *buffer; /* holds the bytes; take a reference to keep them */
    const uint8_t *data;
    size_t length;
};

/* Asks for the next record. Embed it, zeroed; keep it in place until `done`. */
struct weir_journal_take {
    /* `record` is valid during the call; NULL: the take was cancelled. On the worker given to weir_journal_take. */
    void (*done)(struct weir_journal_take *take, const struct weir_journal_record *record);

    struct weir_worker *worker; /* the journal's own, as what follows */
    struct weir_journal_take *next;
    struct weir_journal_record record;
    uint64_t ticket;
    struct weir_task task;
};
/* Waits for a record whose append is done and that nobody has taken; takes are served in their order. That the record is taken is on disk
 * before `done` (in the file, not necessarily synced). */
WEIR_EXPORT void weir_journal_take(struct weir_journal *journal, struct weir_worker *worker,
                                   struct weir_journal_take *take);
/* Has a take that still waits end soon: `done` is called all the same, with NULL or with the record that came first. The
 * take's worker, before `done`. */
WEIR_EXPORT void weir_journal_take_cancel(struct weir_journal *journal, struct weir_journal_take *take);

enum weir_journal_end {
    WEIR_JOURNAL_SETTLED,  /* delivered, or dropped and counted: it leaves the disk */
    WEIR_JOURNAL_RETURNED, /* not tried or not finished: to be taken again, now by others or after a restart, before what
                              was appended later; the attempt does not count */
    WEIR_JOURNAL_DEAD,     /* to the dead-letter file, then as settled */
};
/* Ends what a take began. Never blocks; the mark on disk follows soon, a crash before that only makes a duplicate. */
WEIR_EXPORT void weir_journal_settle(struct weir_journal *journal, uint64_t sequence, enum weir_journal_end end);
/* The taken record has been tried and the process lived: this attempt does not count against it any more, whatever ends
 * the process later. To be called after each failed try, so that a record that merely waits for its backend is never
 * taken for poison. Never blocks. */
WEIR_EXPORT void weir_journal_survived(struct weir_journal *journal, uint64_t sequence);

/* The file of records that were given up, in a journal's directory. */
#define WEIR_JOURNAL_DEAD_LETTER "dead-letter"

enum weir_journal_state {
    WEIR_JOURNAL_IS_WAITING, /* not settled */
    WEIR_JOURNAL_IS_SETTLED, /* only waits for the rest of its segment */
    WEIR_JOURNAL_IS_DAMAGED, /* no record, or one whose checksum is wrong: `problem` */
};
struct weir_journal_found {
    const char *file; /* its name in the directory */
    uint64_t offset;
    enum weir_journal_state state;
    const char *problem;               /* NULL, or what is wrong with the bytes here */
    struct weir_journal_record record; /* data: valid during the call; zeroed where the header cannot be read */
};
/* Looks at all that is in the directory, in order, and changes nothing: each(found, user) is called for each record or
 * damage, and ends the walk by returning false. `file`: only that one (WEIR_JOURNAL_DEAD_LETTER); NULL: all segments. 0,
 * also when nothing is there, or -1 with `error` set: the directory or a file cannot be read. Does not take the lock: for
 * a journal that is in use the answer is a glimpse. Blocks; any thread. */
WEIR_EXPORT int weir_journal_walk(const char *directory, const char *file,
                                  bool (*each)(const struct weir_journal_found *found, void *user), void *user,
                                  struct weir_error *error);

/* Keeps every process from opening the directory's journal until the file descriptor *lock is closed. -1 with `error`
 * set: a process has it open, or no journal is there. Does not wait. Any thread. */
WEIR_EXPORT int weir_journal_lock(const char *directory, int *lock, struct weir_error *error);

/* Takes the records at these offsets (weir_journal_found, in ascending order) out of the dead-letter file, as one step; the
 * file goes with the last one. For who has the directory's lock. 0, or -1 with `error` set and nothing changed. Blocks. */
WEIR_EXPORT int weir_journal_dead_letter_remove(const char *directory, const uint64_t *offsets, size_t count,
                                                struct weir_error *error);

WEIR_END

#endif
