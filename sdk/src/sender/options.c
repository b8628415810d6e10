// SPDX-License-Identifier: Apache-2.0
/*
 * The keys `sending_queue` and `retry_on_failure` (collector-core 5.1).
 */
#include <config.h>

#include <weir/storage.h>

#include "sdk/src/option/decode.h"
#include "sdk/src/sender/sender.h"

/* --- retry_on_failure --- */

static void check_interval(struct weir_duration interval, const char *key, struct weir_checker *checker)
{
    if (interval.ns < 0)
        weir_check_fail(checker, key, "'%s' value must be greater than or equal to 0", key);
}

static void check_elapsed(const struct weir_retry_options *retry, struct weir_checker *checker)
{
    int64_t most = retry->max_elapsed_time.ns;
    if (most > 0 && most < retry->initial_interval.ns)
        weir_check_fail(checker, "max_elapsed_time", "'max_elapsed_time' must not be less than 'initial_interval'");
    else if (most > 0 && most < retry->max_interval.ns)
        weir_check_fail(checker, "max_elapsed_time", "'max_elapsed_time' must not be less than 'max_interval'");
}

void weir_sender_check_retry(const void *group, struct weir_checker *checker)
{
    const struct weir_retry_options *retry = group;
    if (!retry->enabled)
        return;
    check_interval(retry->initial_interval, "initial_interval", checker);
    check_interval(retry->max_interval, "max_interval", checker);
    check_interval(retry->max_elapsed_time, "max_elapsed_time", checker);
    check_elapsed(retry, checker);
    if (!(retry->multiplier >= 0))
        weir_check_fail(checker, "multiplier", "'multiplier' must be non-negative");
    if (!(retry->randomization_factor >= 0 && retry->randomization_factor <= 1))
        weir_check_fail(checker, "randomization_factor", "'randomization_factor' must be within [0, 1]");
}

static const struct weir_option retry_rows[] = { WEIR_SENDER_RETRY_ROWS("true", "5s"), WEIR_OPTION_END };
static const struct weir_option_table retry_table = { retry_rows, sizeof(struct weir_retry_options),
                                                      weir_sender_check_retry };

/* --- sending_queue.batch --- */

static const struct weir_option_value sizers[] = {
    { "requests", WEIR_SIZER_REQUESTS },
    { "items", WEIR_SIZER_ITEMS },
    { "bytes", WEIR_SIZER_BYTES },
    { NULL, 0 },
};

static void check_partition(const void *group, struct weir_checker *checker)
{
    weir_check_distinct(checker, "metadata_keys", &((const struct weir_queue_partition *)group)->metadata_keys);
}

static void check_batch(const void *group, struct weir_checker *checker)
{
    const struct weir_queue_batch_options *batch = group;
    if (batch->flush_timeout.ns <= 0)
        weir_check_fail(checker, "flush_timeout", "`flush_timeout` must be positive");
    if (batch->min_size < 0)
        weir_check_fail(checker, "min_size", "`min_size` must be non-negative");
    if (batch->max_size < 0)
        weir_check_fail(checker, "max_size", "`max_size` must be non-negative");
    else if (batch->max_size > 0 && batch->max_size < batch->min_size)
        weir_check_fail(checker, "max_size", "`max_size` must be greater or equal to `min_size`");
    if (batch->sizer == WEIR_SIZER_REQUESTS)
        weir_check_fail(checker, "sizer", "`batch` supports only `items` or `bytes` sizer, found \"requests\"");
}

static const struct weir_option partition_rows[] = {
    WEIR_OPTION(struct weir_queue_partition, metadata_keys, "metadata_keys",
                .doc = "Client metadata whose values keep batches apart and go on with them."),
    WEIR_OPTION_END,
};
static const struct weir_option_table partition_table = { partition_rows, sizeof(struct weir_queue_partition),
                                                          check_partition };

static const struct weir_option batch_rows[] = {
    WEIR_OPTION(struct weir_queue_batch_options, flush_timeout, "flush_timeout", .preset = "200ms",
                .doc = "Time after which a batch is sent, whatever its size."),
    WEIR_OPTION(struct weir_queue_batch_options, min_size, "min_size", .preset = "8192",
                .doc = "Size at which a batch is sent at once, in units of the sizer."),
    WEIR_OPTION(struct weir_queue_batch_options, max_size, "max_size", .preset = "0",
                .doc = "Largest batch, in units of the sizer; what is larger is split; 0: no limit."),
    WEIR_OPTION(struct weir_queue_batch_options, min_size, "min_size_items", .replaced_by = "min_size",
                .doc = "Old name of min_size."),
    WEIR_OPTION(struct weir_queue_batch_options, max_size, "max_size_items", .replaced_by = "max_size",
                .doc = "Old name of max_size."),
    WEIR_OPTION(struct weir_queue_batch_options, sizer, "sizer", .values = sizers,
                .doc = "What sizes are counted in: items or bytes; the default is items, or the queue's sizer if that "
                       "is given."),
    WEIR_OPTION_GROUP(struct weir_queue_batch_options, partition, "partition", &partition_table,
                      .doc = "Which batches are kept apart."),
    WEIR_OPTION_END,
};
static const struct weir_option_table batch_table = { batch_rows, sizeof(struct weir_queue_batch_options),
                                                      check_batch };

/* --- sending_queue --- */

/* `sizer: requests`, written out, is meant for the batches, too, where there is a section for them with keys. */
static bool batches_by_requests(const struct weir_queue_options *queue, const struct weir_checker *checker)
{
    const struct weir_node *batch = weir_node_get(checker->map, "batch");
    return queue->batch.sizer == WEIR_SIZER_UNSET && queue->sizer == WEIR_SIZER_REQUESTS &&
           weir_check_given(checker, "sizer") && batch && batch->type == WEIR_NODE_MAP;
}

static void check_queue_batch(const struct weir_queue_options *queue, struct weir_checker *checker)
{
    int sizer = sender_batch_sizer(queue);
    if (batches_by_requests(queue, checker))
        weir_check_fail(checker, "batch::sizer",
                        "`batch` supports only `items` or `bytes` sizer, found \"requests\": write it out in `batch`");
    else if (sizer == queue->sizer && queue->batch.min_size > queue->queue_size)
        weir_check_fail(checker, "batch::min_size", "`min_size` must be less than or equal to `queue_size`");
}

static void check_queue(const void *group, struct weir_checker *checker)
{
    const struct weir_queue_options *queue = group;
    if (queue->num_consumers <= 0)
        weir_check_fail(checker, "num_consumers", "`num_consumers` must be positive");
    if (queue->queue_size <= 0)
        weir_check_fail(checker, "queue_size", "`queue_size` must be positive");
    if (queue->storage.id && queue->wait_for_result)
        weir_check_fail(checker, "wait_for_result",
                        "`wait_for_result` is not supported with a persistent queue configured with `storage`");
    if (queue->batch_on)
        check_queue_batch(queue, checker);
}

int sender_batch_sizer(const struct weir_queue_options *queue)
{
    if (queue->batch.sizer != WEIR_SIZER_UNSET)
        return queue->batch.sizer;
    return queue->sizer == WEIR_SIZER_BYTES ? WEIR_SIZER_BYTES : WEIR_SIZER_ITEMS;
}

static const struct weir_option queue_rows[] = {
    WEIR_OPTION(struct weir_queue_options, num_consumers, "num_consumers", .preset = "10",
                .doc = "Most batches under way at one time, of each signal."),
    WEIR_OPTION(struct weir_queue_options, queue_size, "queue_size", .preset = "1000",
                .doc = "What the queue holds of each signal, in units of the sizer, batches under way included."),
    WEIR_OPTION(struct weir_queue_options, sizer, "sizer", .preset = "requests", .values = sizers,
                .doc = "What queue_size is counted in."),
    WEIR_OPTION(struct weir_queue_options, block_on_overflow, "block_on_overflow",
                .doc = "When the queue is full, let the client wait for room instead of refusing."),
    WEIR_OPTION(struct weir_queue_options, block_on_overflow, "blocking", .replaced_by = "block_on_overflow",
                .doc = "Old name of block_on_overflow."),
    WEIR_OPTION(struct weir_queue_options, wait_for_result, "wait_for_result",
                .doc = "Answer only when the destination has answered."),
    WEIR_OPTION(struct weir_queue_options, storage, "storage",
                .doc = "The storage extension that keeps the queue on disk; without, it is in memory.",
                .interface = WEIR_STORAGE, .noun = "storage extension"),
    WEIR_OPTION_OPTIONAL(struct weir_queue_options, batch, batch_on, "batch", &batch_table, WEIR_DEFAULT_OFF,
                         .doc = "Gathers what is in the queue into larger batches."),
    WEIR_OPTION_END,
};
static const struct weir_option_table queue_table = { queue_rows, sizeof(struct weir_queue_options), check_queue };

/* --- what exporters take in --- */

static const struct weir_option sender_rows[] = {
    WEIR_OPTION_OPTIONAL(struct weir_sender_options, queue, queue_on, "sending_queue", &queue_table, WEIR_SOME,
                         .doc = "The queue between the pipeline and the destination."),
    WEIR_OPTION_GROUP(struct weir_sender_options, retry, "retry_on_failure", &retry_table,
                      .doc = "How what failed is sent again."),
    WEIR_OPTION_END,
};
const struct weir_option_table weir_sender_table = { sender_rows, sizeof(struct weir_sender_options), NULL };

static const struct weir_option queue_only_rows[] = {
    WEIR_OPTION_OPTIONAL(struct weir_sender_options, queue, queue_on, "sending_queue", &queue_table, WEIR_DEFAULT_OFF,
                         .doc = "The queue between the pipeline and the destination."),
    WEIR_OPTION_END,
};
const struct weir_option_table weir_sender_queue_table = { queue_only_rows, sizeof(struct weir_sender_options), NULL };

void weir_sender_check_timeout(struct weir_duration timeout, struct weir_checker *checker)
{
    if (timeout.ns < 0)
        weir_check_fail(checker, "timeout", "'timeout' must be non-negative");
}
