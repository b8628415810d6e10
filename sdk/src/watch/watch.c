// SPDX-License-Identifier: Apache-2.0
/*
 * Following a file: it is looked at once an interval on libuv's thread pool. Polling sees what inotify does not:
 * network file systems, links of links as Kubernetes swaps them, files that come later.
 */
#include <config.h>

#include <stdlib.h>

#include <sys/stat.h>

#include <weir/hash.h>
#include <weir/watch.h>


#define SECOND INT64_C(1000000000)
/* Larger files are none of those that are followed. */
#define LIMIT ((size_t)16 << 20)
/* The clock of a file system's times is coarse: a file that is younger may change without its times changing. */
#define YOUNG (2 * SECOND)

/* What a content is known by. */
struct print {
    size_t length;
    uint64_t hash;
    bool given; /* false: there was none yet */
};

struct weir_watch {
    struct weir_timer timer;
    struct weir_job job;
    bool looking; /* the job runs */
    bool freed;
    char *path;
    int64_t interval;
    void (*changed)(void *user, struct weir_str content);
    void *user;

    struct print known;     /* what the user has been told, or was there at the start */
    struct print candidate; /* another content, seen once */

    /* The job's. */
    struct stat seen; /* of the look before; st_nlink 0: none */
    enum { UNCHANGED, GONE, READ } found;
    struct weir_text content;
};

static struct print print_of(struct weir_str content)
{
    return (struct print){ content.length, weir_hash(0, content), true };
}

static bool same_print(const struct print *a, const struct print *b)
{
    return a->given == b->given && a->length == b->length && a->hash == b->hash;
}

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * SECOND + time->tv_nsec;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_nlink != 0 && b->st_nlink != 0 && a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && nanoseconds(&a->st_mtim) == nanoseconds(&b->st_mtim) &&
           nanoseconds(&a->st_ctim) == nanoseconds(&b->st_ctim);
}

/* Off the loop: reads the file unless it is plainly the one of the look before. */
static void look(struct weir_job *job)
{
    struct weir_watch *watch = WEIR_CONTAINER_OF(job, struct weir_watch, job);
    struct stat now;
    watch->found = GONE;
    if (stat(watch->path, &now) != 0 || !S_ISREG(now.st_mode)) {
        watch->seen.st_nlink = 0;
        return;
    }
    if (same_file(&now, &watch->seen)) {
        watch->found = UNCHANGED;
        return;
    }
    if (weir_file_read(watch->path, LIMIT, &watch->content, NULL) == 0)
        watch->found = READ;
    watch->seen = now;
    int64_t age = weir_wall_clock() - nanoseconds(&now.st_ctim);
    if (watch->found == GONE || age < YOUNG)
        watch->seen.st_nlink = 0;
}

static void destroy(struct weir_watch *watch)
{
    weir_text_free(&watch->content);
    free(watch->path);
    free(watch);
}

/* True if the user is to be told; `next` is how long until the next look. */
static bool judge(struct weir_watch *watch, int64_t *next)
{
    if (watch->found == UNCHANGED && !watch->candidate.given)
        return false;
    struct print now = watch->found == READ ? print_of(weir_text_view(&watch->content)) : watch->candidate;
    if (watch->found == GONE || same_print(&now, &watch->known)) {
        watch->candidate.given = false;
        return false;
    }
    if (same_print(&now, &watch->candidate)) {
        watch->known = now;
        watch->candidate.given = false;
        return true;
    }
    watch->candidate = now;
    if (*next > SECOND)
        *next = SECOND;
    return false;
}

static void looked(struct weir_job *job)
{
    struct weir_watch *watch = WEIR_CONTAINER_OF(job, struct weir_watch, job);
    watch->looking = false;
    if (watch->freed) {
        destroy(watch);
        return;
    }
    int64_t next = watch->interval;
    bool tell = judge(watch, &next);
    weir_timer_start(&watch->timer, next);
    if (!tell) {
        // Kept while it waits for its second look, which may find the file as it was.
        if (!watch->candidate.given)
            weir_text_free(&watch->content);
        return;
    }
    // The user may free the watch in the call.
    struct weir_text content = watch->content;
    watch->content = (struct weir_text){ NULL, 0, 0 };
    watch->changed(watch->user, weir_text_view(&content));
    weir_text_free(&content);
}

static void due(struct weir_timer *timer)
{
    struct weir_watch *watch = WEIR_CONTAINER_OF(timer, struct weir_watch, timer);
    watch->looking = true;
    watch->job = (struct weir_job){ .work = look, .done = looked };
    weir_worker_offload(timer->worker, &watch->job);
}

struct weir_watch *weir_watch_new(const char *path, int64_t interval,
                                  void (*changed)(void *user, struct weir_str content), void *user)
{
    struct weir_watch *watch = weir_xcalloc(1, sizeof(*watch));
    watch->path = weir_xstrdup(path);
    watch->interval = interval > 0 ? interval : SECOND;
    watch->changed = changed;
    watch->user = user;
    look(&watch->job);
    if (watch->found == READ)
        watch->known = print_of(weir_text_view(&watch->content));
    weir_text_free(&watch->content);
    weir_timer_init(&watch->timer, weir_worker_current(), due);
    weir_timer_start(&watch->timer, watch->interval);
    return watch;
}

void weir_watch_free(struct weir_watch *watch)
{
    if (!watch)
        return;
    weir_timer_stop(&watch->timer);
    watch->freed = true;
    if (!watch->looking)
        destroy(watch);
}
