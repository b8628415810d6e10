// SPDX-License-Identifier: Apache-2.0
/* The page that tells of the last reload. */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <weir/str.h>

#include "core/service/notice.h"

#define NAME "weir-reload"
#define LINK "/memfd:" NAME " (deleted)"
#define FORMAT 1
#define SIZE 65536
#define LOOK_MS 5

struct notice {
    uint32_t format;
    _Atomic uint64_t begun; /* reloads, counted from 1 */
    _Atomic uint64_t ended;
    int32_t outcome; /* enum notice_outcome, of the one that ended last */
    char text[];
};
#define TEXT_MAX (SIZE - sizeof(struct notice))

static struct notice *own;
static int own_file = -1;

void notice_open(void)
{
    own_file = memfd_create(NAME, MFD_CLOEXEC);
    if (own_file < 0 || ftruncate(own_file, SIZE) != 0)
        return;
    void *page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, own_file, 0);
    if (page == MAP_FAILED)
        return;
    own = page;
    own->format = FORMAT;
}

void notice_close(void)
{
    if (own)
        munmap(own, SIZE);
    if (own_file >= 0)
        close(own_file);
    own = NULL;
    own_file = -1;
}

void notice_begin(void)
{
    if (own)
        atomic_fetch_add(&own->begun, 1);
}

void notice_end(enum notice_outcome outcome, const char *text)
{
    if (!own)
        return;
    size_t length = strnlen(text, TEXT_MAX - 1);
    own->outcome = (int32_t)outcome;
    memcpy(own->text, text, length);
    own->text[length] = '\0';
    atomic_store(&own->ended, atomic_load(&own->begun));
}

/* The descriptor of the page among those of the process; -1: there is none. */
static int find_page(pid_t pid, struct weir_error *error)
{
    char *folder = weir_xasprintf("/proc/%ld/fd", (long)pid);
    int file = -1, failure = 0;
    DIR *entries = opendir(folder);
    failure = entries ? 0 : errno;
    for (struct dirent *entry = entries ? readdir(entries) : NULL; entry && file < 0; entry = readdir(entries)) {
        char *path = weir_xasprintf("%s/%s", folder, entry->d_name);
        char link[sizeof LINK] = "";
        if (readlink(path, link, sizeof link - 1) == (ssize_t)strlen(LINK) && strcmp(link, LINK) == 0)
            file = open(path, O_RDONLY | O_CLOEXEC);
        free(path);
    }
    if (entries)
        closedir(entries);
    free(folder);
    if (file >= 0)
        return file;
    if (failure == ENOENT)
        weir_error_set(error, "there is no process %ld", (long)pid);
    else if (failure != 0)
        weir_error_errno(error, failure, "cannot look at process %ld", (long)pid);
    else
        weir_error_set(error, "process %ld is not a collector that runs", (long)pid);
    return -1;
}

static const struct notice *open_page(pid_t pid, struct weir_error *error)
{
    int file = find_page(pid, error);
    if (file < 0)
        return NULL;
    void *page = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, file, 0);
    int failure = errno;
    close(file);
    if (page == MAP_FAILED) {
        weir_error_errno(error, failure, "cannot read from process %ld", (long)pid);
        return NULL;
    }
    const struct notice *notice = page;
    if (notice->format == FORMAT)
        return notice;
    munmap(page, SIZE);
    weir_error_set(error, "process %ld is a collector of another version: send it SIGHUP", (long)pid);
    return NULL;
}

static void wait_a_little(void)
{
    const struct timespec time = { 0, LOOK_MS * 1000000L };
    nanosleep(&time, NULL);
}

/* A reload that begins from now on reads the configuration as it is now: the first of them is waited for. */
static int signal_and_wait(const struct notice *notice, pid_t pid, int timeout_ms, struct weir_error *error)
{
    uint64_t before = atomic_load(&notice->begun);
    if (kill(pid, SIGHUP) != 0)
        return weir_error_errno(error, errno, "cannot signal process %ld", (long)pid);
    for (int left = timeout_ms; atomic_load(&notice->ended) <= before; left -= LOOK_MS) {
        if (kill(pid, 0) != 0 && errno == ESRCH)
            return weir_error_set(error, "process %ld has ended", (long)pid);
        if (left <= 0)
            return weir_error_set(error, "process %ld has not answered for %d s", (long)pid, timeout_ms / 1000);
        wait_a_little();
    }
    return 0;
}

int notice_reload(pid_t pid, int timeout_ms, enum notice_outcome *outcome, char **text, struct weir_error *error)
{
    const struct notice *notice = open_page(pid, error);
    if (!notice)
        return -1;
    int result = signal_and_wait(notice, pid, timeout_ms, error);
    if (result == 0) {
        *outcome = (enum notice_outcome)notice->outcome;
        *text = weir_str_dup(weir_str_make(notice->text, strnlen(notice->text, TEXT_MAX)));
    }
    munmap((void *)(uintptr_t)notice, SIZE);
    return result;
}
