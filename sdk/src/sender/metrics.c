// SPDX-License-Identifier: Apache-2.0
/* The sender's metrics (collector-core 10.1). */
#include <config.h>

#include <weir/sys/host.h>

#include "sdk/src/flow/meter.h"
#include "sdk/src/sender/sender.h"

enum instrument {
    QUEUE_SIZE,
    QUEUE_CAPACITY,
    IN_FLIGHT,
    ENQUEUE_SIZE,
    ENQUEUE_BYTES,
    SEND_SIZE,
    SEND_BYTES,
    ENQUEUE_FAILED,
    SEND_FAILED = ENQUEUE_FAILED + WEIR_SIGNALS,
};

#define UNITS(name, level, doc) { (name), WEIR_HISTOGRAM, (level), "{unit}", (doc), weir_bounds_items, WEIR_BOUNDS_ITEMS }
#define BYTES(name, level, doc) { (name), WEIR_HISTOGRAM, (level), "By", (doc), weir_bounds_bytes, WEIR_BOUNDS_BYTES }
#define COUNTER(name, unit, doc) { (name), WEIR_COUNTER, WEIR_LEVEL_BASIC, (unit), (doc), NULL, 0 }
#define GAUGE(name, unit, doc) { (name), WEIR_GAUGE, WEIR_LEVEL_BASIC, (unit), (doc), NULL, 0 }

const struct weir_instrument weir_sender_metrics[] = {
    [QUEUE_SIZE] = GAUGE("exporter_queue_size", "{batch}",
                         "Current size of the retry queue (in batches), in units of the queue's sizer"),
    [QUEUE_CAPACITY] = GAUGE("exporter_queue_capacity", "{batch}",
                             "Fixed capacity of the retry queue (in batches), in units of the queue's sizer"),
    [IN_FLIGHT] = GAUGE("exporter_in_flight_requests", "{request}", "Number of requests currently being sent"),
    [ENQUEUE_SIZE] = UNITS("exporter_enqueue_size", WEIR_LEVEL_DETAILED, "Number of units in what was queued"),
    [ENQUEUE_BYTES] = BYTES("exporter_enqueue_size_bytes", WEIR_LEVEL_DETAILED, "Number of bytes in what was queued"),
    [SEND_SIZE] = UNITS("exporter_queue_batch_send_size", WEIR_LEVEL_DETAILED, "Number of units in the batch"),
    [SEND_BYTES] =
        BYTES("exporter_queue_batch_send_size_bytes", WEIR_LEVEL_DETAILED, "Number of bytes in batch that was sent"),
    [ENQUEUE_FAILED + WEIR_TRACES] = COUNTER("exporter_enqueue_failed_spans", "{span}",
                                             "Number of spans failed to be added to the sending queue."),
    [ENQUEUE_FAILED + WEIR_METRICS] =
        COUNTER("exporter_enqueue_failed_metric_points", "{datapoint}",
                "Number of metric points failed to be added to the sending queue."),
    [ENQUEUE_FAILED + WEIR_LOGS] = COUNTER("exporter_enqueue_failed_log_records", "{record}",
                                           "Number of log records failed to be added to the sending queue."),
    [ENQUEUE_FAILED + WEIR_PROFILES] =
        COUNTER("exporter_enqueue_failed_profile_samples", "{sample}",
                "Number of profile samples failed to be added to the sending queue."),
    [SEND_FAILED + WEIR_TRACES] =
        COUNTER("exporter_send_failed_spans", "{span}", "Number of spans in failed attempts to send to destination."),
    [SEND_FAILED + WEIR_METRICS] = COUNTER("exporter_send_failed_metric_points", "{datapoint}",
                                           "Number of metric points in failed attempts to send to destination."),
    [SEND_FAILED + WEIR_LOGS] = COUNTER("exporter_send_failed_log_records", "{record}",
                                        "Number of log records in failed attempts to send to destination."),
    [SEND_FAILED + WEIR_PROFILES] = COUNTER("exporter_send_failed_profile_samples", "{sample}",
                                            "Number of profile samples in failed attempts to send to destination."),
    { .name = NULL },
};

static double read_size(void *argument)
{
    struct sender_queue *queue = argument;
    return (double)queue->type->size(queue);
}

static double read_capacity(void *argument)
{
    return (double)((struct sender_queue *)argument)->options->queue_size;
}

static void create_for(struct weir_sender *sender, enum weir_signal signal)
{
    struct weir_instance *instance = sender->instance;
    struct sender_series *series = &sender->series[signal];
    struct weir_label type = { "data_type", weir_signal_name(signal) };
    size_t count = 0;
    const struct weir_label *labels = weir_instance_labels(instance, &count);
    series->in_flight = meter_series(instance, &weir_sender_metrics[IN_FLIGHT], &type, 1);
    series->send_failed = meter_series(instance, &weir_sender_metrics[SEND_FAILED + signal], labels, count);
    if (!sender->queues[signal])
        return;
    series->enqueue_failed = meter_series(instance, &weir_sender_metrics[ENQUEUE_FAILED + signal], NULL, 0);
    series->enqueue_size = meter_series(instance, &weir_sender_metrics[ENQUEUE_SIZE], NULL, 0);
    series->enqueue_bytes = meter_series(instance, &weir_sender_metrics[ENQUEUE_BYTES], NULL, 0);
    meter_observe(instance, &weir_sender_metrics[QUEUE_SIZE], &type, 1, read_size, sender->queues[signal]);
    meter_observe(instance, &weir_sender_metrics[QUEUE_CAPACITY], &type, 1, read_capacity, sender->queues[signal]);
    if (!sender->options->queue.batch_on)
        return;
    series->send_size = meter_series(instance, &weir_sender_metrics[SEND_SIZE], labels, count);
    series->send_bytes = meter_series(instance, &weir_sender_metrics[SEND_BYTES], labels, count);
}

void sender_metrics_create(struct weir_sender *sender)
{
    for (int signal = 0; signal < WEIR_SIGNALS; signal++)
        if (weir_instance_uses(sender->instance, (enum weir_signal)signal))
            create_for(sender, (enum weir_signal)signal);
}
