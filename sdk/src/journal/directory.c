// SPDX-License-Identifier: Apache-2.0
/*
 * Opening and closing: the directory, its lock, and the journals that this process has open.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <weir/sys/host.h>

#include "sdk/src/journal/directory.h"
#include "sdk/src/journal/journal.h"

#define SEGMENT_BYTES ((uint64_t)16 << 20)
#define SEGMENT_LEAST ((uint64_t)64 << 10)
#define MAX_ATTEMPTS 3
#define LOCK_STEP_NS 20000000

static struct weir_journal *journals; // of this process
static pthread_mutex_t journals_lock = PTHREAD_MUTEX_INITIALIZER;

/* The directory's own name has to be on stable storage, too. */
static int sync_parent(const char *path)
{
    char *copy = weir_xstrdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = fd < 0 ? errno : fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
    if (fd >= 0)
        close(fd);
    free(copy);
    return failed;
}

static int make_directory(const char *path, mode_t mode)
{
    bool made = mkdir(path, mode) == 0;
    if (!made && errno != EEXIST)
        return errno;
    int failed = sync_parent(path);
    return made ? failed : 0; // of one that was there, the parent may be none of ours
}

static int make_parents(char *path, mode_t mode)
{
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        int failed = make_directory(path, mode);
        *at = '/';
        if (failed)
            return failed;
    }
    return 0;
}

static int open_directory(const struct weir_journal_options *options, int *out, struct weir_error *error)
{
    mode_t mode = options->directory_mode ? options->directory_mode : 0750;
    char *path = weir_xstrdup(options->directory);
    int failed = options->create_parents ? make_parents(path, mode) : 0;
    free(path);
    if (!failed)
        failed = make_directory(options->directory, mode);
    if (failed)
        return weir_error_errno(error, failed, "cannot make the directory %s", options->directory);
    int fd = open(options->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return weir_error_errno(error, errno, "cannot open the directory %s", options->directory);
    *out = fd;
    return 0;
}

/* Who has the lock, as far as the file says. */
static long holder_of(int lock)
{
    char text[32] = "";
    return pread(lock, text, sizeof(text) - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}

static int take_lock(struct weir_journal *journal, int64_t timeout, struct weir_error *error)
{
    char pid[32];
    journal->lock = openat(journal->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (journal->lock < 0)
        return weir_error_errno(error, errno, "cannot open the lock file in %s", journal->path);
    for (int64_t until = journal_now() + timeout; flock(journal->lock, LOCK_EX | LOCK_NB) != 0;) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return weir_error_errno(error, errno, "cannot lock %s", journal->path);
        if (journal_now() >= until)
            return weir_error_set(error, "%s is in use by another process (%ld)", journal->path,
                                  holder_of(journal->lock));
        nanosleep(&(struct timespec){ 0, LOCK_STEP_NS }, NULL);
    }
    // Only for the message above: a full disk is no reason not to start.
    int length = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(journal->lock, 0) == 0 && pwrite(journal->lock, pid, (size_t)length, 0) < 0)
        weir_log(journal->logger, WEIR_DEBUG, "The lock file does not say who holds it");
    return 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Small enough that a full queue or disk gets space back before all of it is delivered. */
static uint64_t choose_segment_bytes(const struct weir_journal *journal, uint64_t asked)
{
    struct statvfs disk;
    uint64_t bytes = asked > 0 ? asked : SEGMENT_BYTES;
    if (asked > 0)
        return asked;
    if (journal->max_bytes > 0)
        bytes = least(bytes, journal->max_bytes / 8);
    if (fstatvfs(journal->directory, &disk) == 0)
        bytes = least(bytes, (uint64_t)disk.f_blocks * disk.f_frsize / 16);
    return bytes < SEGMENT_LEAST ? SEGMENT_LEAST : bytes;
}

static void open_reserve(struct weir_journal *journal)
{
    journal->reserve = -1;
    int failed = io_open(journal->directory, "reserve", O_RDWR | O_CREAT, 0640, &journal->reserve);
    if (!failed)
        failed = io_allocate(journal->reserve, RESERVE_BYTES);
    journal->reserve_used = failed == ENOSPC || failed == EDQUOT;
}

static struct weir_journal *journal_new(const struct weir_journal_options *options)
{
    struct weir_journal *journal = weir_xcalloc(1, sizeof(*journal));
    journal->references = 1;
    journal->path = weir_xstrdup(options->directory);
    journal->max_attempts = options->max_attempts > 0 ? options->max_attempts : MAX_ATTEMPTS;
    journal->logger = weir_logger_ref(options->logger);
    journal->directory = journal->lock = journal->dead_letter = journal->reserve = -1;
    pthread_mutex_init(&journal->counts_lock, NULL);
    weir_journal_configure(journal, options);
    return journal;
}

void weir_journal_configure(struct weir_journal *journal, const struct weir_journal_options *options)
{
    atomic_store(&journal->sync, options->sync);
    atomic_store(&journal->max_bytes, options->max_bytes);
}

static void journal_free(struct weir_journal *journal)
{
    for (struct segment *segment = journal->first, *next; segment; segment = next) {
        next = segment->next;
        segment_free(segment);
    }
    weir_buffer_unref(journal->chunk);
    io_close(journal->reserve);
    if (journal->lock >= 0)
        close(journal->lock);
    if (journal->directory >= 0)
        close(journal->directory);
    pthread_mutex_destroy(&journal->counts_lock);
    weir_logger_free(journal->logger);
    free(journal->path);
    free(journal);
}

static int set_up(struct weir_journal *journal, const struct weir_journal_options *options,
                  struct weir_error *error)
{
    if (take_lock(journal, options->lock_timeout, error) != 0)
        return -1;
    (void)WEIR_FAILPOINT("journal.recover.locked");
    journal->segment_bytes = choose_segment_bytes(journal, options->segment_bytes);
    open_reserve(journal);
    if (recover(journal, error) != 0)
        return -1;
    journal_publish(journal);
    journal_start(journal);
    return 0;
}

static struct weir_journal *find_open(const struct stat *status)
{
    struct weir_journal *journal = journals;
    while (journal && (journal->device != status->st_dev || journal->inode != status->st_ino))
        journal = journal->next;
    return journal;
}

static int open_locked(const struct weir_journal_options *options, struct weir_journal **out,
                       struct weir_error *error)
{
    int fd = -1;
    struct stat status;
    if (open_directory(options, &fd, error) != 0)
        return -1;
    if (fstat(fd, &status) != 0) {
        weir_error_errno(error, errno, "cannot look at %s", options->directory);
        close(fd);
        return -1;
    }
    struct weir_journal *journal = find_open(&status);
    if (journal) {
        close(fd);
        journal->references++;
        *out = journal;
        return 0;
    }
    journal = journal_new(options);
    journal->directory = fd;
    journal->device = status.st_dev;
    journal->inode = status.st_ino;
    if (set_up(journal, options, error) != 0) {
        journal_free(journal);
        return -1;
    }
    journal->next = journals;
    journals = journal;
    *out = journal;
    return 0;
}

int weir_journal_open(const struct weir_journal_options *options, struct weir_journal **out,
                      struct weir_error *error)
{
    pthread_mutex_lock(&journals_lock);
    int result = open_locked(options, out, error);
    pthread_mutex_unlock(&journals_lock);
    return result;
}

void weir_journal_unref(struct weir_journal *journal)
{
    if (!journal)
        return;
    pthread_mutex_lock(&journals_lock);
    bool last = --journal->references == 0;
    if (last) {
        struct weir_journal **at = &journals;
        while (*at != journal)
            at = &(*at)->next;
        *at = journal->next;
        journal_stop(journal);
        journal->first = NULL;
        journal->chunk = NULL;
        journal_free(journal);
    }
    pthread_mutex_unlock(&journals_lock);
}
