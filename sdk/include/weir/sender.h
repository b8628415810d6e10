// SPDX-License-Identifier: Apache-2.0
/*
 * What exporters have in common around the sending of one batch (collector-core section 5).
 */
#ifndef WEIR_SENDER_H
#define WEIR_SENDER_H

#include <weir/component.h>
#include <weir/otlp_response.h>

WEIR_BEGIN

/* `sending_queue` and `retry_on_failure`, to be taken in with WEIR_OPTION_INLINE. This version has neither:
 * every batch is tried once and its sender told the result, which is what `enabled: false` means; nothing
 * else is accepted. */
struct weir_sender_options {
    struct weir_subtree sending_queue;
    struct weir_subtree retry_on_failure;
};
WEIR_EXPORT extern const struct weir_option_table weir_sender_table;

/* Reports a negative `timeout`. From a table's check. */
WEIR_EXPORT void weir_sender_check_timeout(struct weir_duration timeout, struct weir_checker *checker);

/*
 * A batch of `items` was accepted in part: logs what the server said, and enters what it rejected in the
 * ledger as dropped with the reason "partial_success". To be called before the batch's ack is completed with
 * WEIR_OK. Nothing happens when nothing was rejected and nothing said. The shard's worker.
 */
WEIR_EXPORT void weir_sender_partial_success(struct weir_shard *shard, enum weir_signal signal, size_t items,
                                             const struct weir_partial_success *partial);

/* Completes the ack; a result that is not WEIR_OK is logged as upstream does ("Exporting failed. Rejecting
 * data."). The shard's worker. */
WEIR_EXPORT void weir_sender_complete(struct weir_shard *shard, struct weir_ack *ack, size_t items,
                                      const struct weir_result *result);

WEIR_END

#endif
