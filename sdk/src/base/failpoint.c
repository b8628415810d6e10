// SPDX-License-Identifier: Apache-2.0
/*
 * Fail points: reading what is armed, and doing it.
 */
#include <config.h>

#include "sdk/src/base/failpoint.h"

#ifdef WEIR_FAILPOINTS

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum action { CRASH, FAIL, DELAY };

struct armed {
    struct armed *next;
    char *name;
    enum action action;
    int value;      // errno, or milliseconds
    unsigned from;  // the passing that counts; 0: each
    bool onwards;   // so do those after it
    char *contains; // NULL: whatever the bytes are
    atomic_uint passed;
};

static struct armed *armed;
static pthread_once_t once = PTHREAD_ONCE_INIT;

// The linker's names for the ends of the section that the macro fills; weak, for there may be no point.
extern const char *const __start_weir_failpoints[] __attribute__((weak, visibility("hidden")));
extern const char *const __stop_weir_failpoints[] __attribute__((weak, visibility("hidden")));

static const struct {
    const char *name;
    int value;
} errors[] = {
    { "EIO", EIO },       { "ENOSPC", ENOSPC }, { "EDQUOT", EDQUOT }, { "EMFILE", EMFILE },
    { "ENOMEM", ENOMEM }, { "EACCES", EACCES }, { "EROFS", EROFS },   { "EAGAIN", EAGAIN },
    { "EINTR", EINTR },   { "ENOENT", ENOENT }, { "EPIPE", EPIPE },   { "ECONNRESET", ECONNRESET },
};

static void refuse(const char *text)
{
    fprintf(stderr, "weir: WEIR_FAILPOINTS: cannot make sense of \"%s\"\n", text);
    exit(2);
}

static int find_errno(const char *name)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(errors); i++)
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].value;
    refuse(name);
    return 0;
}

/* Cuts `text` at the first `mark`; what follows it, or NULL. */
static char *cut(char *text, char mark)
{
    char *at = strchr(text, mark);
    if (at)
        *at++ = '\0';
    return at;
}

static void arm_one(char *text)
{
    struct armed *point = weir_xcalloc(1, sizeof(*point));
    char *action = cut(text, '=');
    if (!action)
        refuse(text);
    char *contains = cut(action, '~');
    char *times = cut(contains ? contains : action, '@');
    char *value = cut(action, ':');
    if (times) {
        char *end;
        point->from = (unsigned)strtoul(times, &end, 10);
        point->onwards = *end == '+';
        if (point->from == 0 || end[point->onwards] != '\0')
            refuse(times);
    }
    point->contains = contains ? weir_xstrdup(contains) : NULL;
    point->name = weir_xstrdup(text);
    if (strcmp(action, "crash") == 0 && !value)
        point->action = CRASH;
    else if (strcmp(action, "error") == 0 && value)
        point->action = FAIL, point->value = find_errno(value);
    else if (strcmp(action, "delay") == 0 && value)
        point->action = DELAY, point->value = (int)strtoul(value, NULL, 10);
    else
        refuse(action);
    point->next = armed;
    armed = point;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void weir_failpoint_each(void (*each)(const char *name, void *user), void *user)
{
    size_t count = (size_t)(__stop_weir_failpoints - __start_weir_failpoints);
    const char **names = weir_xcalloc(count + 1, sizeof(*names));
    for (size_t i = 0; i < count; i++)
        names[i] = __start_weir_failpoints[i];
    qsort(names, count, sizeof(*names), by_name);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
            each(names[i], user);
    free(names);
}

static void print(const char *name, void *user)
{
    (void)user;
    puts(name);
}

void weir_failpoint_arm(const char *points)
{
    while (armed) {
        struct armed *next = armed->next;
        free(armed->name);
        free(armed->contains);
        free(armed);
        armed = next;
    }
    char *copy = weir_xstrdup(points ? points : "");
    for (char *at = copy; at && *at;) {
        char *next = cut(at, ',');
        arm_one(at);
        at = next;
    }
    free(copy);
}

static void read_environment(void)
{
    const char *points = getenv("WEIR_FAILPOINTS");
    if (points && !armed)
        weir_failpoint_arm(points);
}

__attribute__((constructor)) static void list_if_asked(void)
{
    const char *points = getenv("WEIR_FAILPOINTS");
    if (points && strcmp(points, "list") == 0) {
        weir_failpoint_each(print, NULL);
        fflush(stdout);
        _exit(0);
    }
}

static bool applies(struct armed *point, const char *name, const void *data, size_t length)
{
    if (strcmp(point->name, name) != 0)
        return false;
    if (point->contains && (!data || !memmem(data, length, point->contains, strlen(point->contains))))
        return false;
    unsigned passing = atomic_fetch_add(&point->passed, 1) + 1;
    return point->from == 0 || passing == point->from || (point->onwards && passing > point->from);
}

int weir_failpoint_hit(const char *name, const void *data, size_t length)
{
    pthread_once(&once, read_environment);
    for (struct armed *point = armed; point; point = point->next) {
        if (!applies(point, name, data, length))
            continue;
        if (point->action == FAIL)
            return point->value;
        if (point->action == CRASH) {
            fprintf(stderr, "weir: dies at fail point %s\n", name);
            kill(getpid(), SIGKILL);
            pause();
        }
        struct timespec delay = { point->value / 1000, point->value % 1000 * 1000000L };
        while (nanosleep(&delay, &delay) != 0)
            ;
    }
    return 0;
}

#endif
