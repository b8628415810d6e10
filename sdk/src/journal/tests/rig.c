// SPDX-License-Identifier: Apache-2.0
/*
 * What the journal's tests share.
 */
#include <config.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sdk/src/journal/tests/rig.h"

static void die(const char *what)
{
    perror(what);
    abort();
}

char *rig_directory(void)
{
    // In memory where possible: these tests are about what is written, not about the disk.
    char shm[] = "/dev/shm/weir-journal-XXXXXX", tmp[] = "/tmp/weir-journal-XXXXXX";
    char *made = mkdtemp(shm);
    if (!made)
        made = mkdtemp(tmp);
    if (!made)
        die("mkdtemp");
    return weir_xstrdup(made);
}

void rig_empty(const char *directory)
{
    char path[512];
    DIR *list = opendir(directory);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    if (list)
        closedir(list);
}

void rig_remove(char *directory)
{
    rig_empty(directory);
    if (rmdir(directory) != 0)
        die(directory);
    free(directory);
}

static bool ends(const char *name, const char *ending)
{
    size_t length = strlen(name), tail = strlen(ending);
    return length >= tail && strcmp(name + length - tail, ending) == 0;
}

unsigned rig_files(const char *directory, const char *ending)
{
    unsigned count = 0;
    DIR *list = opendir(directory);
    for (struct dirent *entry; list && (entry = readdir(list));)
        count += ends(entry->d_name, ending);
    closedir(list);
    return count;
}

char *rig_file(const char *directory, const char *ending, bool last)
{
    char *found = NULL;
    DIR *list = opendir(directory);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        if (!ends(entry->d_name, ending))
            continue;
        char *path = weir_xasprintf("%s/%s", directory, entry->d_name);
        bool better = !found || (strcmp(path, found) > 0) == last;
        free(better ? found : path);
        if (better)
            found = path;
    }
    closedir(list);
    return found;
}

static void copy_file(const char *from, const char *to)
{
    char bytes[65536];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || out < 0)
        die(from);
    for (ssize_t got; (got = read(in, bytes, sizeof(bytes))) > 0;)
        if (write(out, bytes, (size_t)got) != got)
            die(to);
    close(in);
    close(out);
}

void rig_copy(const char *from, const char *to)
{
    char source[512], target[512];
    rig_empty(to);
    DIR *list = opendir(from);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        snprintf(source, sizeof(source), "%s/%s", from, entry->d_name);
        snprintf(target, sizeof(target), "%s/%s", to, entry->d_name);
        if (entry->d_name[0] != '.')
            copy_file(source, target);
    }
    closedir(list);
}

struct weir_journal *rig_open_with(const struct weir_journal_options *options)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_journal *journal;
    if (weir_journal_open(options, &journal, &error) == 0)
        return journal;
    fprintf(stderr, "%s\n", weir_error_text(&error));
    abort();
}

struct weir_journal *rig_open(const char *directory)
{
    struct weir_journal_options options = { .directory = directory };
    return rig_open_with(&options);
}

void rig_payload(uint64_t number, uint8_t *out, size_t length)
{
    uint64_t state = number * 0x9e3779b97f4a7c15u + 1;
    for (size_t i = 0; i < length; i++) {
        if (i < 8) {
            out[i] = (uint8_t)(number >> (8 * i));
            continue;
        }
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out[i] = (uint8_t)state;
    }
}

static void appended(struct weir_journal_append *append, int status)
{
    struct rig_append *rig = WEIR_CONTAINER_OF(append, struct rig_append, append);
    rig->status = status;
    rig->ended = true;
}

static void append_start(struct weir_journal *journal, struct rig_append *append, uint64_t number, size_t length,
                         bool sync, bool take)
{
    *append = (struct rig_append){ .number = number, .length = length, .append.take = take };
    struct weir_buffer *buffer = weir_buffer_new(length);
    buffer->length = length;
    rig_payload(number, buffer->data, length);
    size_t half = length / 2;
    if (!weir_slices_add(&append->append.payload, buffer, buffer->data, half) ||
        !weir_slices_add(&append->append.payload, buffer, buffer->data + half, length - half))
        abort();
    weir_buffer_unref(buffer);
    append->append.items = number % 7 + 1;
    append->append.sync = sync;
    append->append.done = appended;
    weir_journal_append(journal, weir_worker_current(), &append->append);
}

void rig_append_start(struct weir_journal *journal, struct rig_append *append, uint64_t number, size_t length,
                      bool sync)
{
    append_start(journal, append, number, length, sync, false);
}

void rig_append_take_start(struct weir_journal *journal, struct rig_append *append, uint64_t number, size_t length,
                           bool sync)
{
    append_start(journal, append, number, length, sync, true);
}

static bool wait_at_most(const bool *ended, int ms)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (!*ended) {
        weir_worker_turn(weir_worker_current(), 1);
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 > ms)
            return *ended;
    }
    return true;
}

void rig_wait(const bool *ended)
{
    if (!wait_at_most(ended, 30000)) {
        fprintf(stderr, "no answer from the journal\n");
        abort();
    }
}

int rig_append(struct weir_journal *journal, uint64_t number, size_t length, bool sync)
{
    struct rig_append append;
    rig_append_start(journal, &append, number, length, sync);
    rig_wait(&append.ended);
    return append.status;
}

static void took(struct weir_journal_take *take, const struct weir_journal_record *record)
{
    struct rig_take *rig = WEIR_CONTAINER_OF(take, struct rig_take, take);
    rig->ended = true;
    rig->got = record != NULL;
    if (!record)
        return;
    rig->sequence = record->sequence;
    rig->items = record->items;
    rig->attempts = record->attempts;
    rig->number = 0;
    for (size_t i = 0; i < 8 && i < record->length; i++)
        rig->number |= (uint64_t)record->data[i] << (8 * i);
    uint8_t *expected = weir_xmalloc(record->length + 1);
    rig_payload(rig->number, expected, record->length);
    rig->bad = record->length < 8 || memcmp(expected, record->data, record->length) != 0 ||
               record->items != rig->number % 7 + 1;
    free(expected);
    if (rig->keep)
        rig->buffer = weir_buffer_ref(record->buffer);
}

void rig_take_start(struct weir_journal *journal, struct rig_take *take)
{
    *take = (struct rig_take){ .take.done = took, .keep = take->keep };
    weir_journal_take(journal, weir_worker_current(), &take->take);
}

bool rig_take(struct weir_journal *journal, struct rig_take *take)
{
    struct weir_journal_counts counts;
    rig_take_start(journal, take);
    while (!wait_at_most(&take->ended, 10)) {
        // A take that is not served although there are records is worth waiting for.
        weir_journal_counts(journal, &counts);
        if (counts.records > counts.taken && wait_at_most(&take->ended, 5000))
            break;
        weir_journal_take_cancel(journal, &take->take);
        rig_wait(&take->ended);
    }
    return take->got;
}

size_t rig_drain(struct weir_journal *journal, unsigned *seen, size_t most)
{
    struct weir_journal_counts counts;
    struct rig_take take = { .keep = false };
    size_t count = 0;
    for (;;) {
        weir_journal_counts(journal, &counts);
        if (counts.records == 0 || !rig_take(journal, &take))
            return count;
        if (take.bad) {
            fprintf(stderr, "record %llu comes changed\n", (unsigned long long)take.number);
            abort();
        }
        if (seen && take.number < most)
            seen[take.number]++;
        weir_journal_settle(journal, take.sequence, WEIR_JOURNAL_SETTLED);
        count++;
    }
}
