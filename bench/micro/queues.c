// SPDX-License-Identifier: Apache-2.0
/* Queues: tasks posted to a worker, the sending queue in memory, the journal that the one on disk stands on. */
#include <config.h>

#include <dirent.h>
#include <unistd.h>

#include <weir/harness.h>
#include <weir/journal.h>
#include <weir/sender.h>
#include <weir/sys/worker.h>

#include "bench/micro/steps.h"

#define TASKS 1000u
#define BATCHES 200u
#define RECORDS 64u
#define RECORD_BYTES 4096u

static uint64_t done;

static void count_task(struct weir_task *task)
{
    (void)task;
    done++;
}

static void deliver(struct weir_shard *shard, struct weir_attempt *attempt)
{
    (void)shard;
    done++;
    weir_attempt_done(attempt, &WEIR_RESULT_OK);
}

struct config {
    struct weir_sender_options sender;
};

static const struct weir_option rows[] = {
    WEIR_OPTION_INLINE(struct config, sender, &weir_sender_table),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { rows, sizeof(struct config), NULL };

static int create(struct weir_instance *instance, struct weir_error *error)
{
    (void)error;
    weir_sender_create(instance, &((const struct config *)weir_instance_config(instance))->sender, deliver);
    return 0;
}

static const struct weir_component exporter = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "bench",
    .summary = "Delivers at once.",
    .stability = { WEIR_STABLE, WEIR_STABLE, WEIR_STABLE, WEIR_STABLE },
    .traits = WEIR_HOLDS,
    .options = &table,
    .metrics = weir_sender_metrics,
    .create = create,
    .start = weir_sender_open,
    .worker_start = weir_sender_worker_start,
    .consume = weir_sender_consume,
    .promise = weir_sender_promise,
    .held = weir_sender_held,
    .drain = weir_sender_drain,
    .worker_stop = weir_sender_worker_stop,
    .stop = weir_sender_close,
    .destroy = weir_sender_free,
};

static struct weir_harness *harness;

/* The harness brings the worker that all these steps run on. */
static void host(int variant)
{
    struct weir_error error = WEIR_ERROR_INIT;
    (void)variant;
    harness = require(weir_harness_new(&exporter, "", WEIR_TRACES, &error));
}

static void unhost(int variant)
{
    (void)variant;
    weir_harness_free(harness);
}

static uint64_t post(int variant)
{
    static struct weir_task tasks[TASKS];
    (void)variant;
    done = 0;
    for (unsigned i = 0; i < TASKS; i++) {
        tasks[i].run = count_task;
        weir_worker_post(weir_worker_current(), &tasks[i]);
    }
    weir_worker_advance(weir_worker_current(), 0);
    return done;
}

static struct weir_batch *batches[BATCHES];
static struct weir_buffer *request;

static void prepare_sending(int variant)
{
    host(variant);
    request = make_request(WEIR_TRACES, 0);
}

static void finish_sending(int variant)
{
    weir_buffer_unref(request);
    /* The ledger knows nothing of what came in past it. */
    struct weir_ledger ledger;
    weir_harness_ledger(harness, &ledger);
    weir_shard_make(weir_harness_shard(harness), WEIR_TRACES, (uint64_t)-weir_ledger_remainder(&ledger));
    unhost(variant);
}

static uint64_t send(int variant)
{
    (void)variant;
    done = 0;
    for (unsigned i = 0; i < BATCHES; i++) {
        batches[i] = require(
            weir_batch_from_checked(WEIR_TRACES, request, request->data, request->length, REQUEST_ITEMS));
        weir_sender_consume(weir_harness_shard(harness), batches[i], NULL);
    }
    weir_worker_advance(weir_worker_current(), 0);
    return done;
}

static struct weir_journal *journal;
static char directory[] = "/tmp/weir-bench-XXXXXX";

static void open_journal(int variant)
{
    struct weir_error error = WEIR_ERROR_INIT;
    host(variant);
    struct weir_journal_options options = { .directory = require(mkdtemp(directory)) };
    if (weir_journal_open(&options, &journal, &error) != 0)
        abort();
    request = require(weir_buffer_new(RECORD_BYTES));
    memset(request->data, 'x', RECORD_BYTES);
}

static void appended(struct weir_journal_append *append, int status)
{
    (void)append;
    if (status != 0)
        abort();
    done++;
}

static void took(struct weir_journal_take *take, const struct weir_journal_record *record)
{
    (void)take;
    if (!record)
        abort();
    weir_journal_settle(journal, record->sequence, WEIR_JOURNAL_SETTLED);
    done++;
}

static void wait_for(uint64_t all)
{
    while (done < all)
        weir_worker_turn(weir_worker_current(), -1);
}

/* One at a time, so that each goes the same way whatever the threads do; without syncs, which only the disk has to do
 * with. */
static uint64_t pass_through_journal(int variant)
{
    (void)variant;
    for (unsigned i = 0; i < RECORDS; i++) {
        struct weir_journal_append append = { .items = 1, .done = appended };
        struct weir_journal_take take = { .done = took };
        if (!weir_slices_add(&append.payload, request, request->data, RECORD_BYTES))
            abort();
        done = 0;
        weir_journal_append(journal, weir_worker_current(), &append);
        wait_for(1);
        weir_journal_take(journal, weir_worker_current(), &take);
        wait_for(2);
    }
    return RECORDS;
}

static void remove_directory(void)
{
    DIR *list = require(opendir(directory));
    for (struct dirent *entry; (entry = readdir(list));)
        if (entry->d_name[0] != '.' && unlinkat(dirfd(list), entry->d_name, 0) != 0)
            abort();
    closedir(list);
    rmdir(directory);
}

static void close_journal(int variant)
{
    weir_journal_unref(journal);
    weir_buffer_unref(request);
    remove_directory();
    unhost(variant);
}

const struct step queue_steps[] = {
    { "worker: post and run a task", 0, host, post, unhost },
    { "sending queue in memory: a request", 0, prepare_sending, send, finish_sending },
    { .name = NULL },
};

const struct step journal_steps[] = {
    { "journal: append, take, settle 4 KiB", 0, open_journal, pass_through_journal, close_journal },
    { .name = NULL },
};
