// SPDX-License-Identifier: Apache-2.0
/*
 * A process that works on a journal dies at each fail point, also twice in a row: what it had been told is safe, and had
 * not settled, is there.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/src/base/failpoint.h"
#include "sdk/src/journal/tests/rig.h"
#include "tests/unit/suite.h"

#ifdef WEIR_FAILPOINTS

#define RECORDS 120
#define ROUNDS 4 /* processes that work on one directory */
#define ALL (RECORDS * ROUNDS)

/* What the processes leave to the judge. */
struct notes {
    volatile bool safe[ALL];    // the append has been answered
    volatile bool settled[ALL]; // the end has been called for
    unsigned seen[ALL];
};
static struct notes *notes;

static struct weir_journal *open_small(const char *directory)
{
    struct weir_journal_options options = {
        .directory = directory, .segment_bytes = 12000, .max_attempts = 100
    };
    return rig_open_with(&options);
}

static uint64_t returned = UINT64_MAX;

static void take_and_end(struct weir_journal *journal)
{
    struct rig_take take = { .keep = false };
    if (!rig_take(journal, &take))
        return;
    if (take.bad)
        _exit(3);
    enum weir_journal_end end = WEIR_JOURNAL_SETTLED;
    if (take.number % 11 == 0)
        end = WEIR_JOURNAL_DEAD;
    if (take.number % 7 == 0 && take.number != returned)
        end = WEIR_JOURNAL_RETURNED;
    returned = take.number; // once
    if (take.number < ALL && end == WEIR_JOURNAL_SETTLED)
        notes->settled[take.number] = true;
    weir_journal_survived(journal, take.sequence);
    weir_journal_settle(journal, take.sequence, end);
}

static void end_appended(struct weir_journal *journal, const struct rig_append *append)
{
    enum weir_journal_end end = append->number % 3 == 0 ? WEIR_JOURNAL_RETURNED : WEIR_JOURNAL_SETTLED;
    if (end == WEIR_JOURNAL_SETTLED)
        notes->settled[append->number] = true;
    weir_journal_settle(journal, append->append.sequence, end);
}

static void work(const char *directory, int round, const char *points)
{
    struct rig_append appends[4];
    weir_failpoint_arm(points);
    if (weir_workers_create(1, WEIR_CLOCK_SYSTEM, NULL) != 0)
        _exit(3);
    struct weir_journal *journal = open_small(directory);
    struct weir_journal_counts counts;
    weir_journal_counts(journal, &counts);
    for (uint64_t i = 0; round == 2 && i < counts.records; i++) // so that what is appended can be taken at once
        take_and_end(journal);
    for (uint64_t i = 0; i < RECORDS; i += 4) {
        for (uint64_t j = 0; j < 4; j++)
            (i < RECORDS / 3 ? rig_append_take_start : rig_append_start)(
                journal, &appends[j], (uint64_t)round * RECORDS + i + j, 1000 + 10 * i, j % 2 == 0);
        for (int j = 0; j < 4; j++) {
            rig_wait(&appends[j].ended);
            notes->safe[appends[j].number] = appends[j].status == 0;
            if (appends[j].append.taken)
                end_appended(journal, &appends[j]);
        }
        for (int j = 0; j < 3; j++)
            take_and_end(journal);
    }
    if (round > 0) // the first one leaves as if it had been killed
        weir_journal_unref(journal);
    _exit(0);
}

static bool see(const struct weir_journal_found *found, void *user)
{
    (void)user;
    uint64_t number = 0;
    if (found->state != WEIR_JOURNAL_IS_WAITING)
        return true;
    memcpy(&number, found->record.data, 8);
    if (number < ALL)
        notes->seen[number]++;
    return true;
}

static void judge(const char *directory)
{
    if (weir_workers_create(1, WEIR_CLOCK_SYSTEM, NULL) != 0)
        _exit(3);
    struct weir_journal *journal = open_small(directory);
    rig_drain(journal, notes->seen, ALL);
    weir_journal_unref(journal);
    weir_journal_walk(directory, WEIR_JOURNAL_DEAD_LETTER, see, NULL, NULL);
    _exit(0);
}

/* The signal that ended the child, 0: it ended by itself, and well. */
static int child(void (*run)(const char *directory, int round, const char *points), const char *directory,
                 int round, const char *points)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 2);
        run(directory, round, points);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        return WTERMSIG(status);
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    return 0;
}

static void run_judge(const char *directory, int round, const char *points)
{
    (void)round;
    (void)points;
    judge(directory);
}

/* A file that the next start has to set aside. */
static void plant(const char *directory, const char *text)
{
    char *path = weir_xasprintf("%s/0000000000000000.seg", directory);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    free(path);
}

/* Dies at the point's n-th passing in the second process and again in the third. Whether it died at all. */
static bool crash_at(const char *name, int n)
{
    char *directory = rig_directory();
    char *points = weir_xasprintf("%s=crash@%d", name, n);
    bool died = false;
    memset(notes, 0, sizeof(*notes));
    ck_assert_int_eq(child(work, directory, 0, NULL), 0);
    plant(directory, "no segment at all, but longer than the 64 bytes that the header of a segment takes");
    for (int round = 1; round < ROUNDS; round++) {
        int signal = child(work, directory, round, round < ROUNDS - 1 ? points : NULL);
        ck_assert(signal == 0 || signal == SIGKILL);
        died |= signal == SIGKILL;
    }
    ck_assert_int_eq(child(run_judge, directory, 0, NULL), 0);
    for (unsigned i = 0; i < ALL; i++)
        ck_assert_msg(!notes->safe[i] || notes->settled[i] || notes->seen[i] > 0, "%s: record %u is lost", points,
                      i);
    free(points);
    rig_remove(directory);
    return died;
}

static unsigned points, crashes;

static void try_point(const char *name, void *user)
{
    (void)user;
    if (strncmp(name, "journal.", 8) != 0 || strncmp(name, "journal.io.", 11) == 0)
        return;
    points++;
    bool died = crash_at(name, 1);
    died |= crash_at(name, 2);
    died |= crash_at(name, 9);
    ck_assert_msg(died, "%s was never passed", name);
    crashes++;
}

START_TEST(nothing_safe_is_lost_at_any_point)
{
    notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    weir_failpoint_each(try_point, NULL);
    printf("%u crash points, each twice in a row\n", points);
    ck_assert_uint_ge(points, 12);
    ck_assert_uint_eq(points, crashes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal crashes");
    TCase *tcase = tcase_create("crashes");
    tcase_set_timeout(tcase, 300);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, nothing_safe_is_lost_at_any_point);
    return run_suite(suite);
}

#else

int main(void)
{
    puts("needs --enable-failpoints");
    return 77;
}

#endif
