// SPDX-License-Identifier: Apache-2.0
/* Batches for tests. */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>

#include <weir/harness.h>

static struct weir_str item_name(struct weir_arena *arena, uint64_t number)
{
    char *name = weir_xasprintf("item-%" PRIu64, number);
    struct weir_str copy = weir_arena_copy(arena, weir_str_of(name));
    free(name);
    return copy;
}

static void add_spans(struct weir_arena *arena, struct weir_scope_group *scope, uint64_t first, size_t items)
{
    for (size_t i = 0; i < items; i++) {
        struct weir_span *span = weir_scope_group_add_span(scope);
        span->name = item_name(arena, first + i);
        span->trace_id = WEIR_STR("0123456789abcdef");
        span->span_id = WEIR_STR("01234567");
        span->start_time_unix_nano = 1000000000;
        span->end_time_unix_nano = 2000000000;
    }
}

static void add_records(struct weir_arena *arena, struct weir_scope_group *scope, uint64_t first, size_t items)
{
    for (size_t i = 0; i < items; i++) {
        struct weir_log_record *record = weir_scope_group_add_log_record(scope);
        record->time_unix_nano = 1000000000;
        record->body = weir_value_string(item_name(arena, first + i));
    }
}

static void add_points(struct weir_arena *arena, struct weir_scope_group *scope, uint64_t first, size_t items)
{
    struct weir_metric *metric = weir_scope_group_add_metric(scope);
    metric->name = WEIR_STR("test.gauge");
    metric->type = WEIR_METRIC_GAUGE;
    metric->points = weir_arena_calloc(arena, items, sizeof *metric->points);
    metric->point_count = items;
    for (size_t i = 0; i < items; i++) {
        metric->points[i].time_unix_nano = 1000000000;
        metric->points[i].number.type = WEIR_NUMBER_INT;
        metric->points[i].number.as_int = (int64_t)(first + i);
    }
}

struct weir_batch *weir_harness_batch(enum weir_signal signal, uint64_t first, size_t items)
{
    struct weir_batch *batch = weir_batch_new(signal);
    struct weir_arena *arena = weir_batch_arena(batch);
    struct weir_group *group = weir_batch_add_group(batch, WEIR_STR_NONE);
    struct weir_resource *resource = weir_group_edit_resource(group);
    struct weir_scope_group *scope = weir_group_add_scope(group, WEIR_STR_NONE);
    if (!weir_attributes_set(&resource->attributes, arena, WEIR_STR("service.name"),
                             weir_value_string(WEIR_STR("test"))))
        abort();
    if (signal == WEIR_TRACES)
        add_spans(arena, scope, first, items);
    else if (signal == WEIR_METRICS)
        add_points(arena, scope, first, items);
    else
        add_records(arena, scope, first, items);
    weir_batch_commit(batch);
    return batch;
}
