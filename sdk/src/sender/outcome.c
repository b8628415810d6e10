// SPDX-License-Identifier: Apache-2.0
/*
 * What is logged and booked when a batch has been sent, or has not (collector-core 5.5 and 6.1).
 */
#include <config.h>

#include <weir/sender.h>

static struct weir_logger *logger_of(struct weir_shard *shard)
{
    return weir_instance_logger(weir_shard_instance(shard));
}

void weir_sender_partial_success(struct weir_shard *shard, enum weir_signal signal, size_t items,
                                 const struct weir_partial_success *partial)
{
    static const char *const names[WEIR_SIGNALS] = { "dropped_spans", "dropped_data_points",
                                                     "dropped_log_records", "dropped_profiles" };
    if (partial->rejected == 0 && partial->message.length == 0)
        return;
    weir_log(logger_of(shard), WEIR_WARN, "Partial success response", WEIR_F_STR("message", partial->message),
             WEIR_F_INT(names[signal], partial->rejected));
    if (partial->rejected > 0)
        weir_shard_drop(shard, signal,
                        (uint64_t)partial->rejected < items ? (uint64_t)partial->rejected : items,
                        "partial_success");
}

void weir_sender_complete(struct weir_shard *shard, struct weir_ack *ack, size_t items,
                          const struct weir_result *result)
{
    if (result->outcome != WEIR_OK)
        weir_log(logger_of(shard), WEIR_ERROR, "Exporting failed. Rejecting data.",
                 WEIR_F_TEXT("error", result->reason), WEIR_F_UINT("rejected_items", items));
    weir_ack_complete(ack, result);
}
