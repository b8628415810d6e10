// SPDX-License-Identifier: Apache-2.0
/*
 * Encoding of spans and log records.
 */
#include <config.h>

#include "sdk/src/otlp/write.h"

static void write_event(struct otlp_writer *writer, const struct weir_span_event *event)
{
    size_t before = otlp_written(writer);
    otlp_write_varint(writer, 4, event->dropped_attributes_count);
    otlp_write_attributes(writer, 3, &event->attributes);
    otlp_write_string(writer, 2, event->name);
    otlp_write_fixed64(writer, 1, event->time_unix_nano);
    otlp_write_wrap(writer, 11, before);
}

static void write_link(struct otlp_writer *writer, const struct weir_span_link *link)
{
    size_t before = otlp_written(writer);
    otlp_write_fixed32(writer, 6, link->flags);
    otlp_write_varint(writer, 5, link->dropped_attributes_count);
    otlp_write_attributes(writer, 4, &link->attributes);
    otlp_write_string(writer, 3, link->trace_state);
    otlp_write_string(writer, 2, link->span_id);
    otlp_write_string(writer, 1, link->trace_id);
    otlp_write_wrap(writer, 13, before);
}

static void write_status(struct otlp_writer *writer, const struct weir_span *span)
{
    size_t before = otlp_written(writer);
    if (span->status_code == 0 && span->status_message.length == 0)
        return;
    otlp_write_int32(writer, 3, span->status_code);
    otlp_write_string(writer, 2, span->status_message);
    otlp_write_wrap(writer, 15, before);
}

void otlp_write_span(struct otlp_writer *writer, const struct weir_span *span)
{
    otlp_write_fixed32(writer, 16, span->flags);
    write_status(writer, span);
    otlp_write_varint(writer, 14, span->dropped_links_count);
    for (size_t i = span->link_count; i > 0; i--)
        write_link(writer, &span->links[i - 1]);
    otlp_write_varint(writer, 12, span->dropped_events_count);
    for (size_t i = span->event_count; i > 0; i--)
        write_event(writer, &span->events[i - 1]);
    otlp_write_varint(writer, 10, span->dropped_attributes_count);
    otlp_write_attributes(writer, 9, &span->attributes);
    otlp_write_fixed64(writer, 8, span->end_time_unix_nano);
    otlp_write_fixed64(writer, 7, span->start_time_unix_nano);
    otlp_write_int32(writer, 6, span->kind);
    otlp_write_string(writer, 5, span->name);
    otlp_write_string(writer, 4, span->parent_span_id);
    otlp_write_string(writer, 3, span->trace_state);
    otlp_write_string(writer, 2, span->span_id);
    otlp_write_string(writer, 1, span->trace_id);
}

void otlp_write_log_record(struct otlp_writer *writer, const struct weir_log_record *record)
{
    otlp_write_string(writer, 12, record->event_name);
    otlp_write_fixed64(writer, 11, record->observed_time_unix_nano);
    otlp_write_string(writer, 10, record->span_id);
    otlp_write_string(writer, 9, record->trace_id);
    otlp_write_fixed32(writer, 8, record->flags);
    otlp_write_varint(writer, 7, record->dropped_attributes_count);
    otlp_write_attributes(writer, 6, &record->attributes);
    size_t before = otlp_written(writer);
    if (record->body.type != WEIR_VALUE_EMPTY) {
        otlp_write_value(writer, &record->body, 0);
        otlp_write_wrap(writer, 5, before);
    }
    otlp_write_string(writer, 3, record->severity_text);
    otlp_write_int32(writer, 2, record->severity_number);
    otlp_write_fixed64(writer, 1, record->time_unix_nano);
}
