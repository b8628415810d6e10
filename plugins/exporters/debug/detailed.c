// SPDX-License-Identifier: Apache-2.0
/* The detailed form: resources, scopes and spans or log records, a field on a line. Metrics are in points.c. */
#include <config.h>

#include <inttypes.h>

#include "plugins/exporters/debug/debug.h"
#include "plugins/exporters/debug/detailed.h"
#include "plugins/exporters/debug/print.h"

void detailed_attributes(struct weir_text *text, const char *title, const char *indent,
                         const struct weir_attributes *attributes)
{
    if (attributes->count == 0)
        return;
    weir_text_addf(text, "%s:\n", title);
    for (size_t i = 0; i < attributes->count; i++) {
        weir_text_addf(text, "%s-> ", indent);
        print_string(text, attributes->items[i].key);
        weir_text_adds(text, ": ");
        print_typed(text, &attributes->items[i].value);
        weir_text_addc(text, '\n');
    }
}

/* Labels of a span are padded to one column. */
static void start_label(struct weir_text *text, const char *label)
{
    weir_text_addf(text, "    %-15s: ", label);
}

static void label_id(struct weir_text *text, const char *label, weir_id_bytes id)
{
    start_label(text, label);
    print_id(text, id);
    weir_text_addc(text, '\n');
}

static void label_string(struct weir_text *text, const char *label, struct weir_str string)
{
    start_label(text, label);
    print_string(text, string);
    weir_text_addc(text, '\n');
}

static void label_time(struct weir_text *text, const char *label, uint64_t time)
{
    start_label(text, label);
    print_time(text, time);
    weir_text_addc(text, '\n');
}

static void label_count(struct weir_text *text, const char *label, uint32_t count)
{
    if (count == 0)
        return;
    start_label(text, label);
    weir_text_addf(text, "%" PRIu32 "\n", count);
}

static const char *name_of(const char *const *names, size_t count, int32_t value)
{
    return value >= 0 && (size_t)value < count ? names[value] : "";
}

static const char *const kinds[] = { "Unspecified", "Internal", "Server", "Client", "Producer", "Consumer" };
static const char *const codes[] = { "Unset", "Ok", "Error" };

static void print_events(struct weir_text *text, const struct weir_span *span)
{
    if (span->event_count > 0)
        weir_text_adds(text, "Events:\n");
    for (size_t i = 0; i < span->event_count; i++) {
        const struct weir_span_event *event = &span->events[i];
        weir_text_addf(text, "SpanEvent #%zu\n     -> Name: ", i);
        print_string(text, event->name);
        weir_text_adds(text, "\n     -> Timestamp: ");
        print_time(text, event->time_unix_nano);
        weir_text_addf(text, "\n     -> DroppedAttributesCount: %" PRIu32 "\n", event->dropped_attributes_count);
        detailed_attributes(text, "     -> Attributes:", "          ", &event->attributes);
    }
}

static void print_links(struct weir_text *text, const struct weir_span *span)
{
    if (span->link_count > 0)
        weir_text_adds(text, "Links:\n");
    for (size_t i = 0; i < span->link_count; i++) {
        const struct weir_span_link *link = &span->links[i];
        weir_text_addf(text, "SpanLink #%zu\n     -> Trace ID: ", i);
        print_id(text, link->trace_id);
        weir_text_adds(text, "\n     -> ID: ");
        print_id(text, link->span_id);
        weir_text_adds(text, "\n     -> TraceState: ");
        print_string(text, link->trace_state);
        weir_text_addf(text, "\n     -> DroppedAttributesCount: %" PRIu32 "\n", link->dropped_attributes_count);
        detailed_attributes(text, "     -> Attributes:", "          ", &link->attributes);
    }
}

static void print_span(struct weir_text *text, size_t index, const struct weir_span *span)
{
    weir_text_addf(text, "Span #%zu\n", index);
    label_id(text, "Trace ID", span->trace_id);
    label_id(text, "Parent ID", span->parent_span_id);
    label_id(text, "ID", span->span_id);
    label_string(text, "Name", span->name);
    label_string(text, "Kind", weir_str_of(name_of(kinds, WEIR_ARRAY_LENGTH(kinds), span->kind)));
    if (span->trace_state.length > 0)
        label_string(text, "TraceState", span->trace_state);
    label_time(text, "Start time", span->start_time_unix_nano);
    label_time(text, "End time", span->end_time_unix_nano);
    label_string(text, "Status code", weir_str_of(name_of(codes, WEIR_ARRAY_LENGTH(codes), span->status_code)));
    label_string(text, "Status message", span->status_message);
    label_count(text, "DroppedAttributesCount", span->dropped_attributes_count);
    label_count(text, "DroppedEventsCount", span->dropped_events_count);
    label_count(text, "DroppedLinksCount", span->dropped_links_count);
    detailed_attributes(text, "Attributes", "     ", &span->attributes);
    print_events(text, span);
    print_links(text, span);
}

static const char *const severities[] = { "Trace", "Debug", "Info", "Warn", "Error", "Fatal" };

/* Info(9), Info2(10), ... */
static void print_severity(struct weir_text *text, int32_t number)
{
    weir_text_adds(text, "SeverityNumber: ");
    if (number < 1 || number > 24)
        weir_text_addf(text, "%s(%" PRId32 ")\n", number == 0 ? "Unspecified" : "", number);
    else if ((number - 1) % 4 == 0)
        weir_text_addf(text, "%s(%" PRId32 ")\n", severities[(number - 1) / 4], number);
    else
        weir_text_addf(text, "%s%" PRId32 "(%" PRId32 ")\n", severities[(number - 1) / 4], (number - 1) % 4 + 1,
                       number);
}

static void print_record(struct weir_text *text, size_t index, const struct weir_log_record *record)
{
    weir_text_addf(text, "LogRecord #%zu\nObservedTimestamp: ", index);
    print_time(text, record->observed_time_unix_nano);
    weir_text_adds(text, "\nTimestamp: ");
    print_time(text, record->time_unix_nano);
    weir_text_adds(text, "\nSeverityText: ");
    print_string(text, record->severity_text);
    weir_text_addc(text, '\n');
    print_severity(text, record->severity_number);
    if (record->event_name.length > 0) {
        weir_text_adds(text, "EventName: ");
        print_string(text, record->event_name);
        weir_text_addc(text, '\n');
    }
    weir_text_adds(text, "Body: ");
    print_typed(text, &record->body);
    weir_text_addc(text, '\n');
    detailed_attributes(text, "Attributes", "     ", &record->attributes);
    weir_text_adds(text, "Trace ID: ");
    print_id(text, record->trace_id);
    weir_text_adds(text, "\nSpan ID: ");
    print_id(text, record->span_id);
    weir_text_addf(text, "\nFlags: %" PRIu32 "\n", record->flags);
}

static void print_entry(struct weir_text *text, enum weir_signal signal, size_t index, struct weir_entry *entry)
{
    const struct weir_span *span = signal == WEIR_TRACES ? weir_entry_span(entry) : NULL;
    const struct weir_metric *metric = signal == WEIR_METRICS ? weir_entry_metric(entry) : NULL;
    const struct weir_log_record *record = signal == WEIR_LOGS ? weir_entry_log_record(entry) : NULL;
    if (span)
        print_span(text, index, span);
    if (metric)
        detailed_metric(text, index, metric);
    if (record)
        print_record(text, index, record);
}

static void print_scope(struct weir_text *text, const char *title, size_t index, struct weir_scope_group *scope)
{
    static const struct weir_scope none;
    const struct weir_scope *own = weir_scope_group_scope(scope);
    if (!own)
        own = &none;
    weir_text_addf(text, "%s #%zu\n%s SchemaURL: ", title, index, title);
    print_string(text, weir_scope_group_schema_url(scope));
    weir_text_adds(text, "\nInstrumentationScope ");
    print_string(text, own->name);
    weir_text_addc(text, ' ');
    print_string(text, own->version);
    weir_text_addc(text, '\n');
    detailed_attributes(text, "InstrumentationScope attributes", "     ", &own->attributes);
}

static const char *const group_titles[] = { "ResourceSpans", "ResourceMetrics", "ResourceLog" };
static const char *const scope_titles[] = { "ScopeSpans", "ScopeMetrics", "ScopeLogs" };

void debug_print_detailed(struct weir_batch *batch, struct weir_text *text)
{
    enum weir_signal signal = weir_batch_signal(batch);
    size_t group_index = 0;
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group)) {
        const struct weir_resource *resource = weir_group_resource(group);
        size_t scope_index = 0;
        weir_text_addf(text, "%s #%zu\nResource SchemaURL: ", group_titles[signal], group_index++);
        print_string(text, weir_group_schema_url(group));
        weir_text_addc(text, '\n');
        if (resource)
            detailed_attributes(text, "Resource attributes", "     ", &resource->attributes);
        for (struct weir_scope_group *scope = weir_group_first_scope(group); scope;
             scope = weir_scope_group_next(scope)) {
            size_t index = 0;
            print_scope(text, scope_titles[signal], scope_index++, scope);
            for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = weir_entry_next(entry))
                print_entry(text, signal, index++, entry);
        }
    }
}
