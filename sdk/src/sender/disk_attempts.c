// SPDX-License-Identifier: Apache-2.0
/*
 * The file is a header and slots of 16 bytes in the machine's own order: it never leaves the machine that crashed. A
 * slot is free while its `sequence` is 0; that word is written last, and cleared first.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sdk/src/sender/disk_attempts.h"

#define SLOTS 1023
#define MAGIC UINT64_C(0x317374706d657474) /* "ttempts1" */

struct slot {
    _Atomic uint64_t sequence; /* + 1; 0: free */
    _Atomic uint32_t crashes;  /* while it was being sent, before this process */
    _Atomic uint32_t sending;
};

struct file {
    uint64_t magic;
    uint64_t unused;
    struct slot slots[SLOTS];
};

struct suspect {
    uint64_t sequence;
    unsigned crashes;
    int slot;
};

struct disk_attempts {
    pthread_mutex_t lock;
    struct file *file; /* NULL: nothing is kept */
    struct suspect suspects[SLOTS];
    _Atomic size_t suspect_count;
    int free_slots[SLOTS];
    size_t free_count;
};

/* The whole file is on the disk before it is mapped: a full disk shall not kill who writes to it. */
static struct file *map_file(const char *directory, bool *fresh)
{
    struct file *file = NULL;
    char *path = weir_xasprintf("%s/%s", directory, DISK_ATTEMPTS_FILE);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    free(path);
    if (fd < 0)
        return NULL;
    int result = lseek(fd, 0, SEEK_END) == (off_t)sizeof *file ? 0 : ftruncate(fd, 0) == 0 ? 1 : -1;
    *fresh = result == 1;
    errno = result < 0 ? errno : posix_fallocate(fd, 0, sizeof *file);
    if (errno == 0)
        file = mmap(NULL, sizeof *file, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return file == MAP_FAILED ? NULL : file;
}

static void read_slot(struct disk_attempts *attempts, int index)
{
    struct slot *slot = &attempts->file->slots[index];
    uint64_t sequence = atomic_load(&slot->sequence);
    if (sequence == 0) {
        attempts->free_slots[attempts->free_count++] = index;
        return;
    }
    unsigned crashes = atomic_load(&slot->crashes) + (atomic_exchange(&slot->sending, 0) ? 1 : 0);
    atomic_store(&slot->crashes, crashes);
    attempts->suspects[attempts->suspect_count++] = (struct suspect){ sequence - 1, crashes, index };
}

struct disk_attempts *disk_attempts_open(const char *directory, struct weir_logger *logger)
{
    struct disk_attempts *attempts = weir_xcalloc(1, sizeof *attempts);
    bool fresh = false;
    pthread_mutex_init(&attempts->lock, NULL);
    attempts->file = map_file(directory, &fresh);
    if (!attempts->file) {
        weir_log(logger, WEIR_WARN, "Sending queue on disk: attempts are not counted, requests that crash the process "
                                    "will not be found out",
                 WEIR_F_TEXT("directory", directory), WEIR_F_TEXT("error", strerror(errno)));
        return attempts;
    }
    if (fresh || attempts->file->magic != MAGIC)
        memset(attempts->file, 0, sizeof *attempts->file);
    attempts->file->magic = MAGIC;
    for (int i = SLOTS; i-- > 0;)
        read_slot(attempts, i);
    return attempts;
}

void disk_attempts_close(struct disk_attempts *attempts)
{
    if (!attempts)
        return;
    if (attempts->file)
        munmap(attempts->file, sizeof *attempts->file);
    pthread_mutex_destroy(&attempts->lock);
    free(attempts);
}

/* With the lock. */
static struct suspect *find(struct disk_attempts *attempts, uint64_t sequence)
{
    for (size_t i = 0; i < attempts->suspect_count; i++)
        if (attempts->suspects[i].sequence == sequence)
            return &attempts->suspects[i];
    return NULL;
}

static void free_slot(struct disk_attempts *attempts, int index)
{
    struct slot *slot = &attempts->file->slots[index];
    atomic_store(&slot->sequence, 0);
    atomic_store(&slot->sending, 0);
    atomic_store(&slot->crashes, 0);
    attempts->free_slots[attempts->free_count++] = index;
}

static void acquit(struct disk_attempts *attempts, struct suspect *suspect)
{
    int slot = suspect->slot;
    *suspect = attempts->suspects[--attempts->suspect_count];
    free_slot(attempts, slot);
}

unsigned disk_attempts_of(struct disk_attempts *attempts, uint64_t sequence)
{
    if (atomic_load(&attempts->suspect_count) == 0)
        return 0;
    pthread_mutex_lock(&attempts->lock);
    const struct suspect *suspect = find(attempts, sequence);
    unsigned crashes = suspect ? suspect->crashes : 0;
    pthread_mutex_unlock(&attempts->lock);
    return crashes;
}

static int begin(struct disk_attempts *attempts, uint64_t sequence)
{
    const struct suspect *suspect = find(attempts, sequence);
    int index = -1;
    if (suspect)
        index = suspect->slot;
    else if (attempts->free_count > 0)
        index = attempts->free_slots[--attempts->free_count];
    if (index < 0)
        return -1;
    struct slot *slot = &attempts->file->slots[index];
    atomic_store(&slot->sending, 1);
    atomic_store(&slot->sequence, sequence + 1);
    return index;
}

int disk_attempts_begin(struct disk_attempts *attempts, uint64_t sequence)
{
    if (!attempts->file)
        return -1;
    pthread_mutex_lock(&attempts->lock);
    int slot = begin(attempts, sequence);
    pthread_mutex_unlock(&attempts->lock);
    return slot;
}

void disk_attempts_end(struct disk_attempts *attempts, int slot)
{
    if (slot < 0)
        return;
    pthread_mutex_lock(&attempts->lock);
    struct suspect *suspect = find(attempts, atomic_load(&attempts->file->slots[slot].sequence) - 1);
    if (suspect)
        acquit(attempts, suspect);
    else
        free_slot(attempts, slot);
    pthread_mutex_unlock(&attempts->lock);
}

void disk_attempts_forget(struct disk_attempts *attempts, uint64_t sequence)
{
    if (atomic_load(&attempts->suspect_count) == 0)
        return;
    pthread_mutex_lock(&attempts->lock);
    struct suspect *suspect = find(attempts, sequence);
    if (suspect)
        acquit(attempts, suspect);
    pthread_mutex_unlock(&attempts->lock);
}
