// SPDX-License-Identifier: Apache-2.0
/*
 * What single steps of the codec, the tables and the queues cost per item. Pinned, in CPU time of this thread, the best
 * of some rounds:
 *
 *     taskset -c 1 bench/micro/steps [words in the names of steps]...
 *
 * With --count each step calls counted() once, for callgrind to count its instructions (bench/micro/compare), and prints
 * the items that this was.
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/micro/steps.h"

#define ROUNDS 15
#define ROUND_SECONDS 0.02

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Other processes only ever add to a round. */
static void measure(const struct step *step)
{
    double best = 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = seconds(), taken = 0;
        uint64_t items = 0;
        while (taken < ROUND_SECONDS) {
            items += step->run(step->variant);
            taken = seconds() - start;
        }
        best = taken / (double)items < best ? taken / (double)items : best;
    }
    printf("%-48s %9.1f ns/item\n", step->name, best * 1e9);
}

/* Known to callgrind by its name. */
uint64_t counted(const struct step *step);
__attribute__((noinline)) uint64_t counted(const struct step *step)
{
    return step->run(step->variant);
}

static void take(const struct step *step, bool counting)
{
    step->prepare(step->variant);
    step->run(step->variant); /* what only the first run has to do */
    if (counting)
        printf("%s\t%" PRIu64 "\n", step->name, counted(step));
    else
        measure(step);
    fflush(stdout);
    step->finish(step->variant);
}

static bool is_meant(const struct step *step, char **words, int count)
{
    for (int i = 0; i < count; i++)
        if (strstr(step->name, words[i]))
            return true;
    return count == 0;
}

int main(int argc, char **argv)
{
    static const struct step *const lists[] = { codec_steps, json_steps, table_steps, queue_steps, journal_steps };
    bool counting = argc > 1 && strcmp(argv[1], "--count") == 0;
    if (argc > 1 && strcmp(argv[1], "--build") == 0)
        return puts(BUILD) < 0;
    /* What the journal takes depends on how its thread and ours meet. */
    size_t count = WEIR_ARRAY_LENGTH(lists) - counting;
    for (size_t i = 0; i < count; i++)
        for (const struct step *step = lists[i]; step->name; step++)
            if (is_meant(step, argv + 1 + counting, argc - 1 - counting))
                take(step, counting);
    return 0;
}
