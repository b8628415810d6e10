// SPDX-License-Identifier: Apache-2.0
/*
 * Every worker beats once a second, by a timer of its loop; a thread of its own looks whether they all do, and tells
 * the supervisor so.
 * What it says about a worker that hangs comes from that thread's stack: whatever called a component's code,
 * its library is on it.
 */
#include <config.h>

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <weir/sys/worker.h>

#include "core/service/service.h"
#include "core/service/supervisor.h"
#include "core/service/watchdog.h"

#define BEAT INT64_C(1000000000)
#define LOOK INT64_C(250000000)
#define FRAMES 64

struct heart {
    struct weir_timer timer;
    atomic_uint beats;
    pthread_t thread;
    pid_t tid;
    clockid_t cpu_clock;
    /* Of the watchdog's thread. */
    unsigned seen;
    int64_t silent, cpu;
};

static struct {
    struct heart *hearts; /* by worker */
    unsigned count;
    int64_t limit;
    int64_t untold; /* since the last sign of life */
    pthread_t thread;
    sem_t over;
    atomic_int paused;
} watchdog;

/* --- the stack of a worker --- */

static struct {
    void *frames[FRAMES];
    int count;
    sem_t taken;
} stack;

static int stack_signal(void)
{
    return SIGRTMIN + 5;
}

static void take_stack(int number)
{
    (void)number;
    stack.count = backtrace(stack.frames, FRAMES);
    sem_post(&stack.taken);
}

/* KIND/TYPE of a plugin's path, or NULL when the path is not a plugin's. */
static const char *plugin_of(const char *path)
{
    static const char *const kinds[] = { "/receivers/", "/processors/", "/exporters/", "/connectors/",
                                         "/extensions/" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(kinds); i++) {
        const char *found = strstr(path, kinds[i]);
        if (found && !strchr(found + strlen(kinds[i]), '/'))
            return found + 1;
    }
    return NULL;
}

/* The component whose code is the innermost on the stack, without ".so". */
static void name_component(char *out, size_t size)
{
    snprintf(out, size, "weir itself");
    for (int i = 0; i < stack.count; i++) {
        Dl_info info;
        const char *plugin =
            dladdr(stack.frames[i], &info) && info.dli_fname ? plugin_of(info.dli_fname) : NULL;
        if (plugin) {
            snprintf(out, size, "%.*s", (int)strcspn(plugin, "."), plugin);
            return;
        }
    }
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec time = { 0, 0 };
    clock_gettime(clock, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* The worker holds a lock that looking at it needs, the allocator's for one. */
static void end_blindly(int number)
{
    static const char line[] = "Error: a worker hangs, and its stack cannot be read: this process ends\n";
    (void)number;
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    _exit(EXIT_HUNG);
}

static void set_time_limit(void)
{
    struct sigaction action = { .sa_handler = end_blindly };
    sigset_t alarms;
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
    alarm(2);
}

/* Not by way of the log: the worker may hold its lock. */
_Noreturn static void give_up(unsigned worker)
{
    const struct heart *heart = &watchdog.hearts[worker];
    char component[128];
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec++;
    set_time_limit();
    (void)backtrace(stack.frames, 1); /* loads its library, which the signal's handler must not */
    if (pthread_kill(heart->thread, stack_signal()) == 0)
        sem_timedwait(&stack.taken, &deadline);
    name_component(component, sizeof component);
    fprintf(
        stderr,
        "Error: worker %u has been in one callback for %.1f s, in the code of %s: this process cannot go on "
        "and ends\n",
        worker, (double)heart->silent / 1e9, component);
    fflush(stderr);
    backtrace_symbols_fd(stack.frames, stack.count, STDERR_FILENO);
    _exit(EXIT_HUNG);
}

/* --- looking --- */

/* The state letter of a thread in /proc; 'S' when that is not known. */
static char thread_state(pid_t tid)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    const char *end = strrchr(text, ')');
    return end && end[1] == ' ' ? end[2] : 'S';
}

/* How much of `elapsed` counts: not the time that it waited for a CPU, for a disk, or for a debugger. */
static int64_t time_of_its_own(struct heart *heart, int64_t elapsed)
{
    int64_t before = heart->cpu;
    heart->cpu = read_clock(heart->cpu_clock);
    switch (thread_state(heart->tid)) {
    case 'R':
        return heart->cpu - before < elapsed ? heart->cpu - before : elapsed;
    case 'D':
    case 'T':
    case 't':
        return 0;
    default:
        /* Where this thread was late the whole process may have been stopped. */
        return elapsed < 2 * LOOK ? elapsed : LOOK;
    }
}

static void look(unsigned worker, int64_t elapsed)
{
    struct heart *heart = &watchdog.hearts[worker];
    unsigned beats = atomic_load_explicit(&heart->beats, memory_order_relaxed);
    if (beats != heart->seen || atomic_load(&watchdog.paused) > 0) {
        heart->seen = beats;
        heart->silent = 0;
        heart->cpu = read_clock(heart->cpu_clock);
        return;
    }
    heart->silent += time_of_its_own(heart, elapsed);
    if (heart->silent >= watchdog.limit)
        give_up(worker);
}

/* One that beats is silent for one beat, and as long as it takes to see it. */
static bool all_turn(void)
{
    for (unsigned i = 0; i < watchdog.count; i++)
        if (watchdog.hearts[i].silent >= 2 * BEAT)
            return false;
    return true;
}

static void tell_supervisor(int64_t elapsed)
{
    int64_t patience = supervisor_patience();
    watchdog.untold += elapsed;
    if (patience == 0 || watchdog.untold + LOOK < patience / 2 || !all_turn())
        return;
    supervisor_alive();
    watchdog.untold = 0;
}

static void *watch(void *unused)
{
    int64_t before = read_clock(CLOCK_MONOTONIC);
    (void)unused;
    pthread_setname_np(pthread_self(), "weir-watchdog");
    for (;;) {
        struct timespec pause = { 0, LOOK };
        nanosleep(&pause, NULL);
        if (sem_trywait(&watchdog.over) == 0)
            return NULL;
        int64_t now = read_clock(CLOCK_MONOTONIC);
        for (unsigned i = 0; i < watchdog.count; i++)
            look(i, now - before);
        tell_supervisor(now - before);
        before = now;
    }
}

/* --- the workers' side --- */

static void beat(struct weir_timer *timer)
{
    struct heart *heart = WEIR_CONTAINER_OF(timer, struct heart, timer);
    atomic_fetch_add_explicit(&heart->beats, 1, memory_order_relaxed);
    weir_timer_start(timer, BEAT);
}

static void start_beating(struct weir_worker *worker, void *unused)
{
    struct heart *heart = &watchdog.hearts[weir_worker_index(worker)];
    sigset_t mine;
    (void)unused;
    heart->thread = pthread_self();
    heart->tid = (pid_t)syscall(SYS_gettid);
    pthread_getcpuclockid(heart->thread, &heart->cpu_clock);
    sigemptyset(&mine);
    sigaddset(&mine, stack_signal());
    pthread_sigmask(SIG_UNBLOCK, &mine, NULL);
    weir_timer_init(&heart->timer, worker, beat);
    weir_timer_start(&heart->timer, BEAT);
}

static void stop_beating(struct weir_worker *worker, void *unused)
{
    (void)unused;
    weir_timer_stop(&watchdog.hearts[weir_worker_index(worker)].timer);
}

static bool start_thread(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&watchdog.thread, NULL, watch, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void watchdog_start(int64_t limit)
{
    if (limit == 0 && supervisor_patience() == 0)
        return;
    struct sigaction action = { .sa_handler = take_stack, .sa_flags = SA_RESTART };
    sem_init(&stack.taken, 0, 0);
    sem_init(&watchdog.over, 0, 0);
    sigaction(stack_signal(), &action, NULL);
    watchdog.limit = limit > 0 ? limit - LOOK : INT64_MAX; /* by the next look it is over */
    watchdog.untold = 0;
    watchdog.count = weir_worker_count();
    watchdog.hearts = weir_xcalloc(watchdog.count, sizeof *watchdog.hearts);
    weir_workers_run_all(start_beating, NULL);
    if (!start_thread()) {
        fputs("weir: cannot start the thread of the watchdog\n", stderr);
        abort();
    }
}

void watchdog_pause(void)
{
    atomic_fetch_add(&watchdog.paused, 1);
}

void watchdog_resume(void)
{
    atomic_fetch_sub(&watchdog.paused, 1);
}

void watchdog_stop(void)
{
    if (!watchdog.hearts)
        return;
    sem_post(&watchdog.over);
    pthread_join(watchdog.thread, NULL);
    weir_workers_run_all(stop_beating, NULL);
    sem_destroy(&watchdog.over);
    sem_destroy(&stack.taken);
    free(watchdog.hearts);
    watchdog.hearts = NULL;
}
