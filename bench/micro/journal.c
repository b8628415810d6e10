// SPDX-License-Identifier: Apache-2.0
/*
 * What a disk queue can stand on: weir's own segments, and LMDB where configure found it. Durable appends at group
 * commit, an outage that is stored and delivered, and pages that have gone bad. docs/developer/journal.md has numbers.
 *
 *     bench/micro/journal DIRECTORY [bytes of a record] [seconds] [MiB of the outage]
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <weir/base.h>

#include "bench/micro/journal.h"

#define MIB (1024.0 * 1024.0)
#define PAGE 4096
#define DAMAGES 200
#define DAMAGED_RECORDS 400

const uint8_t *record_tail;
size_t record_tail_length;

static const struct store *const stores[] = {
    &segments_store,
#ifdef HAVE_LMDB
    &lmdb_store,
#endif
};

int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

int record_is_good(const void *data, size_t length, uint64_t *number)
{
    if (length != 8 + record_tail_length || memcmp((const uint8_t *)data + 8, record_tail, record_tail_length) != 0)
        return 0;
    memcpy(number, data, 8);
    return 1;
}

static void make_record(size_t length)
{
    uint64_t state = 88172645463325252;
    uint8_t *bytes = weir_xmalloc(length);
    for (size_t i = 0; i < length; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (uint8_t)state;
    }
    record_tail = bytes;
    record_tail_length = length - 8;
}

/* Calls each(path) for the directory's files that match. */
static void each_file(const char *directory, const char *pattern, void (*each)(const char *path))
{
    DIR *list = opendir(directory);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        if (entry->d_name[0] == '.' || fnmatch(pattern, entry->d_name, 0) != 0)
            continue;
        char *path = weir_xasprintf("%s/%s", directory, entry->d_name);
        each(path);
        free(path);
    }
    if (list)
        closedir(list);
}

static void remove_file(const char *path)
{
    unlink(path);
}

/* An empty directory for the store, to be freed. */
static char *fresh(const char *parent, const struct store *store)
{
    char *path = weir_xasprintf("%s/%s", parent, store->name);
    if ((mkdir(parent, 0700) != 0 && errno != EEXIST) || (mkdir(path, 0700) != 0 && errno != EEXIST)) {
        perror(path);
        exit(1);
    }
    each_file(path, "*", remove_file);
    return path;
}

static void discard(char *path)
{
    each_file(path, "*", remove_file);
    rmdir(path);
    free(path);
}

static double used;

static void add_used(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0)
        used += (double)status.st_blocks * 512 / MIB;
}

/* MiB of disk that the directory takes. */
static double used_by(const char *directory)
{
    used = 0;
    each_file(directory, "*", add_used);
    return used;
}

/* Bytes that this process has had written to disks so far. */
static double written(void)
{
    char line[128];
    double bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "write_bytes: ", 13) == 0)
            bytes = strtod(line + 13, NULL);
    if (file)
        fclose(file);
    return bytes;
}

static void *open_or_exit(const struct store *store, const char *directory, double most)
{
    void *handle = store->open(directory, (uint64_t)most);
    if (!handle)
        exit(1);
    return handle;
}

static void measure_appends(const struct store *store, const char *parent, unsigned clients, double seconds)
{
    char *directory = fresh(parent, store);
    double most = 64 * 1024 * MIB;
    void *handle = open_or_exit(store, directory, most);
    double before = written();
    int64_t start = now();
    struct appending appending = { .clients = clients, .until = start + (int64_t)(seconds * 1e9), .most = UINT64_MAX };
    store->append(handle, &appending);
    double taken = (double)(now() - start) / 1e9, payload = (double)appending.done * (double)(record_tail_length + 8);
    printf("%-9s %7u %11.0f %8.1f %8.2f %8.2f %9.2f\n", store->name, clients, (double)appending.done / taken,
           payload / taken / MIB, (double)histogram_quantile(&appending.latency, 0.5) / 1e6,
           (double)histogram_quantile(&appending.latency, 0.99) / 1e6, (written() - before) / payload);
    fflush(stdout);
    store->close(handle);
    discard(directory);
}

static void measure_outage(const struct store *store, const char *parent, double bytes)
{
    char *directory = fresh(parent, store);
    void *handle = open_or_exit(store, directory, bytes);
    struct appending appending = { .clients = 64, .until = INT64_MAX };
    appending.most = (uint64_t)(bytes / (double)(record_tail_length + 8));
    store->append(handle, &appending);
    double full = used_by(directory);
    store->close(handle);
    int64_t start = now();
    handle = open_or_exit(store, directory, bytes);
    double opening = (double)(now() - start) / 1e6, before = written();
    start = now();
    uint64_t drained = store->drain(handle);
    double draining = (double)(now() - start) / 1e9, wrote = (written() - before) / MIB, empty = used_by(directory);
    store->close(handle);
    if (drained != appending.done)
        printf("%s lost records: %" PRIu64 " of %" PRIu64 "\n", store->name, appending.done - drained, appending.done);
    printf("%-9s %8.0f %8.1f %11.0f %12.1f %8.1f %8.1f\n", store->name, full, opening, (double)drained / draining,
           wrote, empty, used_by(directory));
    fflush(stdout);
    discard(directory);
}

static uint64_t state = 4711;

static uint64_t any(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % below;
}

static struct {
    unsigned good, wrong;
    int refused;
} *seen; /* by the child */

static void see(uint64_t number, int good)
{
    (void)number;
    if (good)
        seen->good++;
    else
        seen->wrong++;
}

static unsigned file_count;
static uint64_t chosen;
static char page[PAGE];
static uint64_t page_at;

static void count_file(const char *path)
{
    (void)path;
    file_count++;
}

/* Zeroes a page of the chosen file, or puts back what was there. */
static void swap_page(const char *path)
{
    char before[PAGE] = { 0 };
    struct stat status;
    if (chosen-- != 0)
        return;
    int fd = open(path, O_RDWR);
    if (fd < 0 || fstat(fd, &status) != 0)
        exit(1);
    if (page_at == UINT64_MAX)
        page_at = any((uint64_t)status.st_size / PAGE) * PAGE;
    if (pread(fd, before, PAGE, (off_t)page_at) < 0 || pwrite(fd, page, PAGE, (off_t)page_at) != PAGE)
        exit(1);
    memcpy(page, before, PAGE);
    close(fd);
}

static void read_in_child(const struct store *store, const char *directory, unsigned *died)
{
    int status;
    memset(seen, 0, sizeof(*seen));
    pid_t child = fork();
    if (child == 0) {
        seen->refused = !store->read(directory, see);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        exit(1);
    *died += WIFSIGNALED(status);
}

static void measure_damage(const struct store *store, const char *parent)
{
    char *directory = fresh(parent, store);
    void *handle = open_or_exit(store, directory, 64 * MIB);
    struct appending appending = { .clients = 8, .until = INT64_MAX, .most = DAMAGED_RECORDS };
    store->append(handle, &appending);
    store->close(handle);
    seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    file_count = 0;
    each_file(directory, store->file, count_file);
    unsigned died = 0, refused = 0, wrong = 0, lost = 0, most_lost = 0;
    for (int i = 0; i < DAMAGES; i++) {
        uint64_t file = any(file_count);
        page_at = UINT64_MAX;
        memset(page, 0, sizeof(page));
        chosen = file;
        each_file(directory, store->file, swap_page);
        read_in_child(store, directory, &died);
        refused += seen->refused != 0;
        wrong += seen->wrong;
        unsigned gone = DAMAGED_RECORDS - seen->good - seen->wrong;
        lost += gone;
        most_lost = gone > most_lost ? gone : most_lost;
        chosen = file;
        each_file(directory, store->file, swap_page);
    }
    printf("%-9s %8u %8u %14u %10.2f %9u\n", store->name, died, refused, wrong, (double)lost / DAMAGES, most_lost);
    fflush(stdout);
    munmap(seen, sizeof(*seen));
    discard(directory);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s DIRECTORY [bytes of a record] [seconds] [MiB of the outage]\n", argv[0]);
        return 2;
    }
    size_t length = argc > 2 ? strtoul(argv[2], NULL, 10) : 35000;
    double seconds = argc > 3 ? strtod(argv[3], NULL) : 5, outage = argc > 4 ? strtod(argv[4], NULL) : 512;
    size_t count = sizeof(stores) / sizeof(stores[0]);
    make_record(length < 9 ? 9 : length);
    printf("durable appends, %zu bytes each\n", record_tail_length + 8);
    puts("store     clients   appends/s    MiB/s   p50 ms   p99 ms  written/B");
    for (unsigned clients = 1; clients <= 512; clients *= 8)
        for (size_t i = 0; i < count; i++)
            measure_appends(stores[i], argv[1], clients, seconds);
    printf("\nan outage of %.0f MiB, then delivered\n", outage);
    puts("store     full MiB  open ms  records/s  written MiB  drained   closed");
    for (size_t i = 0; i < count; i++)
        measure_outage(stores[i], argv[1], outage * MIB);
    printf("\none page of %d records zeroed, %d times\n", DAMAGED_RECORDS, DAMAGES);
    puts("store       killed  refused  wrong records  lost, mean  at most");
    for (size_t i = 0; i < count; i++)
        measure_damage(stores[i], argv[1]);
    free((void *)(uintptr_t)record_tail);
    return 0;
}
