// SPDX-License-Identifier: Apache-2.0
/* The normal form: a line for each resource, scope and item. */
#include <config.h>

#include <inttypes.h>

#include "plugins/exporters/debug/debug.h"
#include "plugins/exporters/debug/print.h"

static void print_schema(struct weir_text *text, struct weir_str schema_url)
{
    if (schema_url.length == 0)
        return;
    weir_text_adds(text, " [");
    print_string(text, schema_url);
    weir_text_addc(text, ']');
}

static void print_scope_line(struct weir_text *text, const char *title, size_t index,
                             struct weir_scope_group *scope)
{
    const struct weir_scope *own = weir_scope_group_scope(scope);
    weir_text_addf(text, "%s #%zu", title, index);
    if (own && own->name.length > 0) {
        weir_text_addc(text, ' ');
        print_string(text, own->name);
    }
    if (own && own->version.length > 0) {
        weir_text_addc(text, '@');
        print_string(text, own->version);
    }
    print_schema(text, weir_scope_group_schema_url(scope));
    if (own)
        print_pairs(text, &own->attributes);
    weir_text_addc(text, '\n');
}

static void print_span(struct weir_text *text, const struct weir_span *span)
{
    print_string(text, span->name);
    weir_text_addc(text, ' ');
    print_id(text, span->trace_id);
    weir_text_addc(text, ' ');
    print_id(text, span->span_id);
    print_pairs(text, &span->attributes);
    weir_text_addc(text, '\n');
}

static void print_record(struct weir_text *text, const struct weir_log_record *record)
{
    print_value(text, &record->body);
    if (record->attributes.count == 0)
        weir_text_addc(text, ' ');
    print_pairs(text, &record->attributes);
    weir_text_addc(text, '\n');
}

static void print_optional(struct weir_text *text, const char *name, struct weir_optional_double number)
{
    if (!number.present)
        return;
    weir_text_addf(text, " %s=", name);
    print_double(text, number.value);
}

static void print_histogram(struct weir_text *text, const struct weir_data_point *point)
{
    for (size_t i = 0; i < point->positive.count; i++) {
        weir_text_addc(text, ' ');
        if (i < point->explicit_bound_count) {
            weir_text_adds(text, "le");
            print_double(text, point->explicit_bounds[i]);
            weir_text_addc(text, '=');
        }
        weir_text_addf(text, "%" PRIu64, point->positive.counts[i]);
    }
}

static void print_exponential(struct weir_text *text, const struct weir_data_point *point)
{
    for (size_t i = point->negative.count; i-- > 0;) {
        weir_text_adds(text, " le");
        print_double(text, -bucket_bound(point->scale, (int64_t)point->negative.offset + (int64_t)i));
        weir_text_addf(text, "=%" PRIu64, point->negative.counts[i]);
    }
    if (point->zero_count > 0)
        weir_text_addf(text, " zero=%" PRIu64, point->zero_count);
    for (size_t i = 0; i < point->positive.count; i++) {
        weir_text_adds(text, " le");
        print_double(text, bucket_bound(point->scale, (int64_t)point->positive.offset + (int64_t)i + 1));
        weir_text_addf(text, "=%" PRIu64, point->positive.counts[i]);
    }
}

static void print_point_value(struct weir_text *text, enum weir_metric_type type,
                              const struct weir_data_point *point)
{
    switch (type) {
    case WEIR_METRIC_GAUGE:
    case WEIR_METRIC_SUM:
        if (point->number.type == WEIR_NUMBER_INT)
            weir_text_addf(text, " %" PRId64, point->number.as_int);
        else if (point->number.type == WEIR_NUMBER_DOUBLE) {
            weir_text_addc(text, ' ');
            print_double(text, point->number.as_double);
        }
        return;
    case WEIR_METRIC_SUMMARY:
        weir_text_addf(text, " count=%" PRIu64, point->count);
        print_optional(text, "sum", point->sum);
        for (size_t i = 0; i < point->quantile_count; i++) {
            weir_text_adds(text, " q");
            print_double(text, point->quantiles[i].quantile);
            weir_text_addc(text, '=');
            print_double(text, point->quantiles[i].value);
        }
        return;
    case WEIR_METRIC_HISTOGRAM:
    case WEIR_METRIC_EXPONENTIAL_HISTOGRAM:
        weir_text_addf(text, " count=%" PRIu64, point->count);
        print_optional(text, "sum", point->sum);
        print_optional(text, "min", point->min);
        print_optional(text, "max", point->max);
        if (type == WEIR_METRIC_HISTOGRAM)
            print_histogram(text, point);
        else
            print_exponential(text, point);
        return;
    case WEIR_METRIC_EMPTY:
        return;
    }
}

static void print_metric(struct weir_text *text, const struct weir_metric *metric)
{
    for (size_t i = 0; i < metric->point_count; i++) {
        const struct weir_data_point *point = &metric->points[i];
        print_string(text, metric->name);
        weir_text_addc(text, '{');
        for (size_t a = 0; a < point->attributes.count; a++) {
            weir_text_adds(text, a ? "," : "");
            print_string(text, point->attributes.items[a].key);
            weir_text_addc(text, '=');
            print_value(text, &point->attributes.items[a].value);
        }
        weir_text_addc(text, '}');
        print_point_value(text, metric->type, point);
        weir_text_addc(text, '\n');
    }
}

static void print_entry(struct weir_text *text, enum weir_signal signal, struct weir_entry *entry)
{
    const struct weir_span *span = signal == WEIR_TRACES ? weir_entry_span(entry) : NULL;
    const struct weir_metric *metric = signal == WEIR_METRICS ? weir_entry_metric(entry) : NULL;
    const struct weir_log_record *record = signal == WEIR_LOGS ? weir_entry_log_record(entry) : NULL;
    if (span)
        print_span(text, span);
    if (metric)
        print_metric(text, metric);
    if (record)
        print_record(text, record);
}

static const char *const group_titles[] = { "ResourceTraces", "ResourceMetrics", "ResourceLog" };
static const char *const scope_titles[] = { "ScopeTraces", "ScopeMetrics", "ScopeLog" };

void debug_print_normal(struct weir_batch *batch, struct weir_text *text)
{
    enum weir_signal signal = weir_batch_signal(batch);
    size_t group_index = 0;
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group)) {
        const struct weir_resource *resource = weir_group_resource(group);
        size_t scope_index = 0;
        weir_text_addf(text, "%s #%zu", group_titles[signal], group_index++);
        print_schema(text, weir_group_schema_url(group));
        if (resource)
            print_pairs(text, &resource->attributes);
        weir_text_addc(text, '\n');
        for (struct weir_scope_group *scope = weir_group_first_scope(group); scope;
             scope = weir_scope_group_next(scope)) {
            print_scope_line(text, scope_titles[signal], scope_index++, scope);
            for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = weir_entry_next(entry))
                print_entry(text, signal, entry);
        }
    }
}
