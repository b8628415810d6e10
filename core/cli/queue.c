// SPDX-License-Identifier: Apache-2.0
/* weir queue list|verify|export|replay DIR: looks into the queues on disk of a collector that does not run. */
#include <config.h>

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/sys/queue.h>

#include "core/cli/queue.h"

/* --- finding them --- */

static bool is_queue(const char *path)
{
    char *lock = weir_xasprintf("%s/lock", path);
    bool found = access(lock, F_OK) == 0;
    free(lock);
    return found;
}

static int signal_of(const char *name)
{
    const char *end = strrchr(name, '_');
    for (int signal = 0; end && signal < WEIR_SIGNALS; signal++)
        if (strcmp(end + 1, weir_signal_name((enum weir_signal)signal)) == 0)
            return signal;
    return -1;
}

static int add(struct queues *queues, const char *path, struct weir_error *error)
{
    struct queue queue = { .lock = -1 };
    if (weir_journal_lock(path, &queue.lock, error) != 0)
        return -1;
    queue.path = weir_xstrdup(path);
    const char *slash = strrchr(queue.path, '/');
    queue.name = slash ? slash + 1 : queue.path;
    queue.signal = signal_of(queue.name);
    queues->items = weir_xrealloc(queues->items, (queues->count + 1) * sizeof *queues->items);
    queues->items[queues->count++] = queue;
    return 0;
}

static int add_those_in(struct queues *queues, const char *directory, struct weir_error *error)
{
    struct dirent **names = NULL;
    int result = 0, count = scandir(directory, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *path = weir_xasprintf("%s/%s", directory, names[i]->d_name);
        if (result == 0 && names[i]->d_name[0] != '.' && is_queue(path))
            result = add(queues, path, error);
        free(path);
        free(names[i]);
    }
    free(names);
    return result;
}

int queues_open(const char *directory, struct queues *out, struct weir_error *error)
{
    struct queues queues = { 0 };
    char *path = realpath(directory, NULL);
    if (!path)
        return weir_error_set(error, "cannot find the directory %s", directory);
    int result = is_queue(path) ? add(&queues, path, error) : add_those_in(&queues, path, error);
    if (result == 0 && queues.count == 0)
        result = weir_error_set(error, "there is no queue in %s", directory);
    if (result == 0)
        *out = queues;
    else
        queues_close(&queues);
    free(path);
    return result;
}

void queues_close(struct queues *queues)
{
    for (size_t i = 0; i < queues->count; i++) {
        if (queues->items[i].lock >= 0)
            close(queues->items[i].lock);
        free(queues->items[i].path);
    }
    free(queues->items);
    *queues = (struct queues){ 0 };
}

bool queue_request(const struct queue *queue, const struct weir_journal_record *record, struct queued_request *out,
                   struct weir_error *error)
{
    *out = (struct queued_request){ .queue = queue, .record = record };
    if (queue->signal < 0)
        weir_error_set(error, "the name of %s does not end with a signal: rename it to ..._traces, _metrics, _logs "
                              "or _profiles",
                       queue->path);
    else if (!weir_queue_request(record->data, record->length, &out->bytes))
        weir_error_set(error, "%s: record %" PRIu64 " is no request", queue->name, record->sequence);
    else
        return true;
    return false;
}

/* --- list --- */

struct sums {
    uint64_t records, items, bytes, damaged;
};

static bool sum(const struct weir_journal_found *found, void *user)
{
    struct sums *sums = user;
    if (found->state == WEIR_JOURNAL_IS_DAMAGED)
        sums->damaged++;
    if (found->state != WEIR_JOURNAL_IS_WAITING)
        return true;
    sums->records++;
    sums->items += found->record.items;
    sums->bytes += found->record.length;
    return true;
}

static int list_one(const struct queue *queue, struct weir_error *error)
{
    struct sums waiting = { 0 }, dead = { 0 };
    if (weir_journal_walk(queue->path, NULL, sum, &waiting, error) != 0 ||
        weir_journal_walk(queue->path, WEIR_JOURNAL_DEAD_LETTER, sum, &dead, error) != 0)
        return -1;
    printf("%-40s %10" PRIu64 " %12" PRIu64 " %14" PRIu64 " %6" PRIu64 " %8" PRIu64 "\n", queue->name,
           waiting.records, waiting.items, waiting.bytes, dead.records, waiting.damaged + dead.damaged);
    return 0;
}

static int list(const struct cli *cli, struct queues *queues)
{
    struct weir_error error = WEIR_ERROR_INIT;
    int result = EXIT_STOPPED;
    (void)cli;
    printf("%-40s %10s %12s %14s %6s %8s\n", "QUEUE", "REQUESTS", "ITEMS", "BYTES", "DEAD", "DAMAGED");
    for (size_t i = 0; result == EXIT_STOPPED && i < queues->count; i++)
        if (list_one(&queues->items[i], &error) != 0)
            result = cli_fail("%s", weir_error_text(&error));
    weir_error_free(&error);
    return result;
}

/* --- verify --- */

struct check {
    const struct queue *queue;
    uint64_t good, bad;
};

static void complain(struct check *check, const struct weir_journal_found *found, const char *problem)
{
    check->bad++;
    printf("%s/%s, byte %" PRIu64 ": %s\n", check->queue->name, found->file, found->offset, problem);
}

static bool check_record(const struct weir_journal_found *found, void *user)
{
    struct check *check = user;
    struct weir_error error = WEIR_ERROR_INIT;
    struct queued_request request;
    struct weir_batch *batch = NULL;
    if (found->state == WEIR_JOURNAL_IS_DAMAGED)
        complain(check, found, found->problem);
    if (found->state != WEIR_JOURNAL_IS_WAITING)
        return true;
    if (queue_request(check->queue, &found->record, &request, &error))
        batch = weir_batch_from_bytes((enum weir_signal)check->queue->signal, found->record.buffer,
                                      request.bytes.data, request.bytes.length, &error);
    if (batch && weir_batch_items(batch) == found->record.items)
        check->good++;
    else
        complain(check, found, batch ? "the number of items is wrong" : weir_error_text(&error));
    weir_batch_unref(batch);
    weir_error_free(&error);
    return true;
}

static int verify(const struct cli *cli, struct queues *queues)
{
    struct weir_error error = WEIR_ERROR_INIT;
    int result = EXIT_STOPPED;
    (void)cli;
    for (size_t i = 0; i < queues->count; i++) {
        struct check check = { .queue = &queues->items[i] };
        if (weir_journal_walk(check.queue->path, NULL, check_record, &check, &error) != 0 ||
            weir_journal_walk(check.queue->path, WEIR_JOURNAL_DEAD_LETTER, check_record, &check, &error) != 0) {
            result = cli_fail("%s", weir_error_text(&error));
            break;
        }
        printf("%s: %" PRIu64 " good, %" PRIu64 " bad\n", check.queue->name, check.good, check.bad);
        if (check.bad > 0)
            result = EXIT_FAILED;
    }
    weir_error_free(&error);
    return result;
}

/* --- the command --- */

static const struct {
    const char *name;
    int (*run)(const struct cli *cli, struct queues *queues);
} actions[] = { { "list", list },
              { "verify", verify },
              { "export", queue_export },
              { "replay", queue_replay } };

int cli_queue(struct cli *cli)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct queues queues;
    size_t i = 0;
    while (cli->argument_count == 2 && i < WEIR_ARRAY_LENGTH(actions) &&
           strcmp(actions[i].name, cli->arguments[0]) != 0)
        i++;
    if (cli->argument_count != 2 || i == WEIR_ARRAY_LENGTH(actions))
        return cli_usage("queue takes what to do, list, verify, export or replay, and a directory");
    if (queues_open(cli->arguments[1], &queues, &error) != 0) {
        cli_fail("%s", weir_error_text(&error));
        weir_error_free(&error);
        return EXIT_FAILED;
    }
    int result = actions[i].run(cli, &queues);
    queues_close(&queues);
    return result;
}
