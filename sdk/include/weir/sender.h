// SPDX-License-Identifier: Apache-2.0
/*
 * The sender: what stands between an exporter's consume and the wire, the same for all exporters (collector-core
 * section 5): sending queue, in memory or on disk, batching in the queue, retrying with back-off, what is logged and
 * booked. An exporter supplies one function that tries to deliver one batch once; an instance has one sender.
 *
 *     create                 calls weir_sender_create
 *     start                  calls weir_sender_open, or is it
 *     worker_start           calls weir_sender_worker_start last, or is it
 *     consume, promise, held, drain, retire, export_state, import_state
 *                            are the functions below of these names
 *     worker_stop            calls weir_sender_worker_stop, then closes the exporter's own client: what is under way
 *                            comes back through weir_attempt_done and is kept or counted
 *     stop, destroy          call weir_sender_close, weir_sender_free
 *
 * The component has WEIR_HOLDS.
 */
#ifndef WEIR_SENDER_H
#define WEIR_SENDER_H

#include <weir/component.h>
#include <weir/otlp_response.h>

WEIR_BEGIN

/* What a size is counted in. */
enum weir_sizer {
    WEIR_SIZER_UNSET, /* of a batch: items, or that of its queue where it has been given */
    WEIR_SIZER_REQUESTS,
    WEIR_SIZER_ITEMS, /* spans, data points, log records, samples */
    WEIR_SIZER_BYTES, /* of the request in protobuf */
};

struct weir_storage_place;

struct weir_queue_batch_options {
    struct weir_duration flush_timeout;
    int64_t min_size;
    int64_t max_size; /* 0: no limit */
    int sizer;        /* enum weir_sizer */
    struct weir_queue_partition {
        struct weir_strings metadata_keys;
    } partition;
};

struct weir_queue_options {
    int64_t num_consumers;
    int64_t queue_size;
    int sizer; /* enum weir_sizer */
    bool block_on_overflow;
    bool wait_for_result;
    struct weir_reference storage;
    const struct weir_storage_place *place; /* instead of a storage: where an exporter's own keys want the queue */
    bool batch_on;
    struct weir_queue_batch_options batch;
};

struct weir_retry_options {
    bool enabled;
    struct weir_duration initial_interval;
    struct weir_duration max_interval;
    struct weir_duration max_elapsed_time; /* 0: for ever */
    double multiplier;
    double randomization_factor;
};

/* `sending_queue` and `retry_on_failure`, to be taken in with WEIR_OPTION_INLINE. */
struct weir_sender_options {
    bool ordered; /* batches leave the queue in the order they came, whichever worker took them: with num_consumers 1 they
                   * arrive so (no key, the exporter's to set) */
    bool queue_on;
    struct weir_queue_options queue;
    struct weir_retry_options retry;
};
WEIR_EXPORT extern const struct weir_option_table weir_sender_table;
/* Only `sending_queue`, off unless it is written; nothing is retried (the debug exporter). */
WEIR_EXPORT extern const struct weir_option_table weir_sender_queue_table;

/* The sender's metrics, which it feeds whatever the component's `metrics` are: those, for a component without rows of its
 * own. */
WEIR_EXPORT extern const struct weir_instrument weir_sender_metrics[];

/* The rows of `retry_on_failure`, for exporters whose defaults differ; the check is weir_sender_check_retry. */
/* clang-format off */
#define WEIR_SENDER_RETRY_ROWS(on, first)                                                                             \
    WEIR_OPTION(struct weir_retry_options, enabled, "enabled", .preset = (on),                                        \
                .doc = "Send again what failed and may succeed later."),                                              \
    WEIR_OPTION(struct weir_retry_options, initial_interval, "initial_interval", .preset = (first),                   \
                .doc = "Wait before the first retry, give or take randomization_factor."),                            \
    WEIR_OPTION(struct weir_retry_options, max_interval, "max_interval", .preset = "30s",                             \
                .doc = "Longest wait between retries, before randomization_factor."),                                 \
    WEIR_OPTION(struct weir_retry_options, max_elapsed_time, "max_elapsed_time", .preset = "5m",                      \
                .doc = "Time after the first try beyond which a batch is given up; 0: never."),                       \
    WEIR_OPTION(struct weir_retry_options, multiplier, "multiplier", .preset = "1.5",                                 \
                .doc = "Each wait is this many times the one before."),                                               \
    WEIR_OPTION(struct weir_retry_options, randomization_factor, "randomization_factor", .preset = "0.5",             \
                .doc = "Each wait is drawn from the interval times 1 minus this to 1 plus this.")
/* clang-format on */

/* What is wrong with a struct weir_retry_options. From a table's check, or as one. */
WEIR_EXPORT void weir_sender_check_retry(const void *group, struct weir_checker *checker);

/* Reports a negative `timeout`. From a table's check. */
WEIR_EXPORT void weir_sender_check_timeout(struct weir_duration timeout, struct weir_checker *checker);

/* One try to deliver one batch; the sender's, valid until weir_attempt_done. */
struct weir_attempt {
    struct weir_batch *batch; /* never empty; borrowed: read it, encode it, do not change or keep it */
    void *internal;
};

/* Tries once to deliver attempt->batch, and calls weir_attempt_done exactly once, now or later, on this worker. It is
 * called when the turn in which the batch came is over and its answers have been written: nobody waits while a batch is
 * serialised and compressed. */
typedef void weir_send(struct weir_shard *shard, struct weir_attempt *attempt);

/*
 * Ends an attempt. WEIR_OK: delivered (less what weir_attempt_rejected said). WEIR_RETRYABLE: comes again after the
 * back-off, at least result->retry_after later. WEIR_PERMANENT: dropped and counted, or refused where the client still
 * waits. The worker of the shard.
 */
WEIR_EXPORT void weir_attempt_done(struct weir_attempt *attempt, const struct weir_result *result);

/* Instead of weir_attempt_done, for a batch that is too large for the peer (413): the halves are sent by themselves; a
 * single item is refused permanently with `result`. */
WEIR_EXPORT void weir_attempt_too_large(struct weir_attempt *attempt, const struct weir_result *result);

/* Before weir_attempt_done with WEIR_OK: the peer took the batch in part (partial_success): logs what it said and counts
 * what it rejected as dropped. Nothing happens when nothing was rejected and nothing said. */
WEIR_EXPORT void weir_attempt_rejected(struct weir_attempt *attempt, const struct weir_partial_success *partial);

/* In create. `options` lives as long as the instance. Main thread. */
WEIR_EXPORT void weir_sender_create(struct weir_instance *instance, const struct weir_sender_options *options,
                                    weir_send *send);
/* In start: finds the storage and opens the queue on it; starts to take over what is there. 0, or -1 with `error` set.
 * Main thread. */
WEIR_EXPORT int weir_sender_open(struct weir_instance *instance, struct weir_error *error) WEIR_MUST_USE;
/* The worker's part: may send at once. Always 0. The shard's worker, as for what follows. */
WEIR_EXPORT int weir_sender_worker_start(struct weir_shard *shard, struct weir_error *error);
WEIR_EXPORT void weir_sender_consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack);
WEIR_EXPORT uint64_t weir_sender_held(struct weir_shard *shard, enum weir_signal signal);
/* Upstream's end: what waits in a memory queue gets one attempt each, without retries; a queue on disk keeps what is not
 * under way. After weir_sender_retire as well: then nothing is left to a successor any more. Reports weir_shard_drained
 * itself. */
WEIR_EXPORT void weir_sender_drain(struct weir_shard *shard);
/* Reload: attempts under way come to their end, clients who wait for a result get it; the rest is left to the
 * successor. */
WEIR_EXPORT void weir_sender_retire(struct weir_shard *shard);
/* Not where worker_start was never called. */
WEIR_EXPORT void weir_sender_worker_stop(struct weir_shard *shard);
/* In stop and destroy; nothing where there is no sender. Main thread, as for what follows. */
WEIR_EXPORT void weir_sender_close(struct weir_instance *instance);
WEIR_EXPORT void weir_sender_free(struct weir_instance *instance);
/* What the promise hook answers. */
WEIR_EXPORT enum weir_promise weir_sender_promise(struct weir_instance *instance, enum weir_promise asked);
/* Reload: the batches of the memory queue move from a retiring instance (after its worker_stop) to its successor (after
 * its worker_start); a queue on disk needs no moving. */
WEIR_EXPORT void *weir_sender_export(struct weir_instance *instance);
WEIR_EXPORT int weir_sender_import(struct weir_instance *instance, void *state, struct weir_error *error);

WEIR_END

#endif
