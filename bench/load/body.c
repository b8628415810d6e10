// SPDX-License-Identifier: Apache-2.0
/*
 * Request bodies, made once: telemetry is built and encoded with marks where the numbers go, and the marks
 * are found in the encoded bytes. To number a body is then to copy it and overwrite the marks.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/batch.h>
#include <weir/otlp_json.h>
#include <weir/worker.h>

#include "bench/load/load.h"

#define POINTS_PER_METRIC 10
#define PRODUCER_MARK "#P#P"
#define DUE_MARK "#D#D#D#D#D#D#D#D"

struct maker {
    const struct load_options *options;
    struct body *body;
    uint64_t random;
    uint64_t now;
    size_t next; /* item */
    unsigned attributes;
    uint8_t trace_id[16];
    unsigned trace_spans;    /* made of the current trace */
    uint8_t span_ids[64][8]; /* of the trace's path from the root to the last span */
    unsigned trace_number;
};

static void *take(struct maker *maker, size_t size)
{
    void *piece = weir_arena_calloc(&maker->body->arena, 1, size);
    if (!piece)
        abort(); /* a few hundred KiB at start */
    return piece;
}

static struct weir_str text_of(struct maker *maker, const char *format, unsigned number)
{
    char *text = weir_xasprintf("%s%0*u#", format, (int)(strcmp(format, "#S") == 0 ? 9 : 5), number);
    struct weir_str copy = weir_arena_copy(&maker->body->arena, weir_str_of(text));
    free(text);
    return copy;
}

/* Attributes of the next item; the last two carry its number. */
static struct weir_attributes item_attributes(struct maker *maker, struct weir_str text)
{
    bool plain = maker->options->plain;
    unsigned usual = maker->attributes;
    unsigned own = plain ? usual : usual > 2 ? usual - 2 : 0;
    unsigned count = plain ? own : own + 2;
    struct weir_attributes attributes = { .items = take(maker, (count + 1) * sizeof(struct weir_attribute)),
                                          .count = count,
                                          .capacity = count + 1 };
    uint64_t seed = load_random(&maker->random);
    for (unsigned i = 0; i < own; i++)
        attributes.items[i] =
            load_attribute(maker->body->signal, i, seed, maker->options->attribute_size, &maker->body->arena);
    if (!plain) {
        attributes.items[own] =
            (struct weir_attribute){ WEIR_STR("weir.seq"),
                                     weir_value_string(text_of(maker, "#S", (unsigned)maker->next)) };
        attributes.items[own + 1] =
            (struct weir_attribute){ WEIR_STR("weir.crc"),
                                     weir_value_string(text_of(maker, "#C", (unsigned)maker->next)) };
    }
    maker->body->items[maker->next++].text = text;
    return attributes;
}

static struct weir_str bytes_of(struct maker *maker, const void *data, size_t length)
{
    return weir_arena_copy(&maker->body->arena, weir_str_make(data, length));
}

static void make_span(struct maker *maker, struct weir_span *span)
{
    static const char *const names[] = { "GET /api/v1/orders/{id}", "POST /api/v1/carts",
                                         "SELECT shop.orders", "cart.add" };
    unsigned depth = maker->options->depth;
    unsigned level = maker->trace_spans < depth
                         ? maker->trace_spans
                         : 1 + (unsigned)(load_random(&maker->random) % (depth > 1 ? depth - 1 : 1));
    if (maker->trace_spans == 0) {
        uint64_t halves[2] = { load_random(&maker->random), load_random(&maker->random) };
        memcpy(maker->trace_id, halves, sizeof halves);
        maker->trace_number++;
        level = 0;
    }
    if (level >= 64)
        level = 63;
    uint64_t id = load_random(&maker->random) | 1;
    memcpy(maker->span_ids[level], &id, sizeof id);
    maker->body->items[maker->next].trace_number = maker->trace_number;
    span->trace_id = bytes_of(maker, maker->trace_id, 16);
    span->span_id = bytes_of(maker, maker->span_ids[level], 8);
    if (level > 0)
        span->parent_span_id = bytes_of(maker, maker->span_ids[level - 1], 8);
    span->name = weir_str_of(names[load_random(&maker->random) % 4]);
    span->kind = level == 0 ? WEIR_SPAN_SERVER : (int32_t)(1 + load_random(&maker->random) % 3);
    uint64_t length = 1000000 + load_random(&maker->random) % 80000000;
    span->start_time_unix_nano = maker->now - length;
    span->end_time_unix_nano = maker->now;
    span->flags = 0x101;
    span->attributes = item_attributes(maker, span->name);
    if (load_random(&maker->random) % 50 == 0)
        span->status_code = WEIR_STATUS_ERROR;
    if (++maker->trace_spans == maker->options->spans_per_trace)
        maker->trace_spans = 0;
}

static void make_log(struct maker *maker, struct weir_log_record *record)
{
    static const char *const bodies[] = {
        "GET /api/v1/orders/42 took 12 ms, 1 row, cache miss, 2 retries left",
        "could not reach payment provider within 3000 ms, falling back to queue",
        "user u-4711 added product 1138 to cart c-9 (3 items, 42.17 EUR)",
        "connection pool: 7 of 20 in use, 0 waiting, oldest idle for 31 s",
    };
    static const struct {
        int32_t number;
        const char *text;
    } levels[] = { { 9, "INFO" }, { 9, "INFO" }, { 13, "WARN" }, { 17, "ERROR" } };
    size_t choice = load_random(&maker->random) % 4;
    uint64_t id[3] = { load_random(&maker->random), load_random(&maker->random),
                       load_random(&maker->random) | 1 };
    record->time_unix_nano = maker->now;
    record->observed_time_unix_nano = maker->now + 20000;
    record->severity_number = levels[choice].number;
    record->severity_text = weir_str_of(levels[choice].text);
    record->body = weir_value_string(weir_str_of(bodies[choice]));
    record->trace_id = bytes_of(maker, id, 16);
    record->span_id = bytes_of(maker, id + 2, 8);
    record->attributes = item_attributes(maker, record->body.string);
}

static void make_histogram_point(struct maker *maker, struct weir_data_point *point)
{
    static double bounds[] = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5 };
    size_t count = WEIR_ARRAY_LENGTH(bounds);
    point->explicit_bounds = bounds;
    point->explicit_bound_count = count;
    point->positive.counts = take(maker, (count + 1) * sizeof(uint64_t));
    point->positive.count = count + 1;
    for (size_t i = 0; i <= count; i++)
        point->count += point->positive.counts[i] = load_random(&maker->random) % 100;
    point->sum = (struct weir_optional_double){ true, (double)point->count * 0.07 };
}

/* As many data points as are left, at most POINTS_PER_METRIC. */
static void make_metric(struct maker *maker, struct weir_metric *metric, size_t points)
{
    static const struct {
        const char *name, *unit;
        enum weir_metric_type type;
    } kinds[] = { { "http.server.request.count", "{request}", WEIR_METRIC_SUM },
                  { "process.memory.usage", "By", WEIR_METRIC_GAUGE },
                  { "http.server.request.duration", "s", WEIR_METRIC_HISTOGRAM },
                  { "http.server.active_requests", "{request}", WEIR_METRIC_SUM } };
    size_t kind = (maker->next / POINTS_PER_METRIC) % 4;
    metric->name = weir_str_of(kinds[kind].name);
    metric->unit = weir_str_of(kinds[kind].unit);
    metric->type = kinds[kind].type;
    metric->temporality = WEIR_TEMPORALITY_CUMULATIVE;
    metric->monotonic = kind == 0;
    metric->points = take(maker, points * sizeof(struct weir_data_point));
    metric->point_count = points;
    for (size_t i = 0; i < points; i++) {
        struct weir_data_point *point = &metric->points[i];
        point->start_time_unix_nano = maker->now - 60000000000u;
        point->time_unix_nano = maker->now;
        point->attributes = item_attributes(maker, metric->name);
        if (metric->type == WEIR_METRIC_HISTOGRAM) {
            make_histogram_point(maker, point);
        } else {
            point->number.type = WEIR_NUMBER_INT;
            point->number.as_int = (int64_t)(load_random(&maker->random) % 1000000);
        }
    }
}

static bool fill_scope(struct maker *maker, struct weir_scope_group *scope, size_t items)
{
    struct weir_scope *identity = weir_scope_group_edit_scope(scope);
    if (!identity)
        return false;
    identity->name = WEIR_STR("io.opentelemetry.instrumentation");
    identity->version = WEIR_STR("1.32.0");
    while (items > 0) {
        size_t made = 1;
        struct weir_span *span;
        struct weir_log_record *record;
        struct weir_metric *metric;
        switch (maker->body->signal) {
        case WEIR_TRACES:
            if (!(span = weir_scope_group_add_span(scope)))
                return false;
            make_span(maker, span);
            break;
        case WEIR_LOGS:
            if (!(record = weir_scope_group_add_log_record(scope)))
                return false;
            make_log(maker, record);
            break;
        default:
            made = items < POINTS_PER_METRIC ? items : POINTS_PER_METRIC;
            if (!(metric = weir_scope_group_add_metric(scope)))
                return false;
            make_metric(maker, metric, made);
            break;
        }
        items -= made;
    }
    return true;
}

static bool fill_batch(struct maker *maker, struct weir_batch *batch)
{
    const struct load_options *options = maker->options;
    for (unsigned i = 0; i < options->resources; i++) {
        size_t items = options->items / options->resources + (i < options->items % options->resources);
        struct weir_group *group = items > 0 ? weir_batch_add_group(batch, WEIR_STR_NONE) : NULL;
        struct weir_resource *resource = group ? weir_group_edit_resource(group) : NULL;
        struct weir_scope_group *scope = group ? weir_group_add_scope(group, WEIR_STR_NONE) : NULL;
        if (items == 0)
            continue;
        if (!resource || !scope)
            return false;
        struct weir_attributes *attributes = &resource->attributes;
        attributes->items = take(maker, LOAD_RESOURCE_ATTRIBUTES * sizeof(struct weir_attribute));
        attributes->capacity = LOAD_RESOURCE_ATTRIBUTES;
        attributes->count =
            load_resource(load_random(&maker->random), attributes->items, &maker->body->arena);
        if (!options->plain) {
            attributes->items[attributes->count++] =
                (struct weir_attribute){ WEIR_STR("weir.run"), weir_value_string(weir_str_of(options->run)) };
            attributes->items[attributes->count++] =
                (struct weir_attribute){ WEIR_STR("weir.producer"),
                                         weir_value_string(WEIR_STR(PRODUCER_MARK)) };
        }
        if (options->stamp)
            attributes->items[attributes->count++] =
                (struct weir_attribute){ WEIR_STR("weir.due"), weir_value_string(WEIR_STR(DUE_MARK)) };
        maker->trace_spans = 0;
        if (!fill_scope(maker, scope, items))
            return false;
    }
    weir_batch_commit(batch);
    return true;
}

static struct weir_buffer *encode(struct weir_batch *batch, enum load_protocol protocol)
{
    struct weir_buffer *out = NULL;
    if (protocol == LOAD_JSON) {
        out = weir_buffer_new(65536);
        if (out && !weir_batch_to_json(batch, out, NULL)) {
            weir_buffer_unref(out);
            out = NULL;
        }
        return out;
    }
    struct weir_slices slices = { 0 };
    if (weir_batch_encode(batch, &slices))
        out = weir_slices_join(&slices);
    weir_slices_free(&slices);
    return out;
}

/* Where `mark` stands, from *at on, which moves behind it. */
static size_t find(const struct weir_buffer *bytes, size_t *at, const char *mark, size_t length)
{
    const uint8_t *found = memmem(bytes->data + *at, bytes->length - *at, mark, length);
    if (!found)
        return 0;
    *at = (size_t)(found - bytes->data) + length;
    return (size_t)(found - bytes->data);
}

static bool find_items(struct body *body)
{
    size_t at = 0;
    for (size_t i = 0; i < body->item_count; i++) {
        char mark[16];
        snprintf(mark, sizeof mark, "#S%09u#", (unsigned)i);
        body->items[i].seq = find(body->bytes, &at, mark, NUMBER_SEQ_DIGITS);
        snprintf(mark, sizeof mark, "#C%05u#", (unsigned)i);
        body->items[i].crc = find(body->bytes, &at, mark, NUMBER_CRC_DIGITS);
        if (body->items[i].seq == 0 || body->items[i].crc == 0)
            return false;
    }
    return true;
}

static bool find_places(const struct body *body, unsigned resources, const char *mark, struct places *places)
{
    size_t at = 0;
    places->at = weir_xcalloc(resources, sizeof *places->at);
    for (unsigned i = 0; i < resources; i++) {
        size_t found = find(body->bytes, &at, mark, strlen(mark));
        if (found > 0)
            places->at[places->count++] = found;
    }
    return places->count > 0;
}

/* The places of trace ids, which stand before the number of their span. */
static void find_traces(struct body *body, struct weir_batch *batch)
{
    size_t at = 0, i = 0;
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group))
        for (struct weir_scope_group *scope = weir_group_first_scope(group); scope;
             scope = weir_scope_group_next(scope))
            for (struct weir_entry *entry = weir_scope_group_first(scope); entry;
                 entry = weir_entry_next(entry)) {
                const struct weir_span *span = weir_entry_span(entry);
                char hex[33];
                for (size_t byte = 0; byte < 16; byte++)
                    number_print((uint8_t)span->trace_id.data[byte], hex + 2 * byte, 2);
                body->items[i++].trace = body->hex ? find(body->bytes, &at, hex, 32)
                                                   : find(body->bytes, &at, span->trace_id.data, 16);
            }
}

/* Numbers it for good. */
static bool fix(struct body *body, const struct load_options *options, unsigned index)
{
    char producer[PRODUCER_DIGITS + 1] = "";
    number_print(options->producer, producer, PRODUCER_DIGITS);
    uint32_t base = number_base(weir_str_of(options->run), weir_str_of(producer));
    struct weir_buffer *bytes = body_number(body, producer, base, (uint64_t)index * options->items, 0);
    if (!bytes)
        return false;
    weir_buffer_unref(body->bytes);
    body->bytes = bytes;
    body->fixed = true;
    return true;
}

bool body_make(struct body *body, const struct load_options *options, enum weir_signal signal, unsigned index)
{
    static const unsigned usual[WEIR_SIGNALS] = { 10, 4, 5, 0 };
    *body = (struct body){ .signal = signal,
                           .item_count = options->items,
                           .fixed = options->plain,
                           .hex = options->protocol == LOAD_JSON };
    body->items = weir_xcalloc(options->items, sizeof *body->items);
    struct maker maker = { .options = options,
                           .body = body,
                           .random = ((uint64_t)index << 8) + (uint64_t)signal,
                           .now = (uint64_t)weir_wall_clock(),
                           .attributes = options->attributes ? options->attributes : usual[signal] };
    struct weir_batch *batch = weir_batch_new(signal);
    bool made = batch && fill_batch(&maker, batch) && (body->bytes = encode(batch, options->protocol));
    if (made && !options->plain) {
        made = find_items(body) && find_places(body, options->resources, PRODUCER_MARK, &body->producers);
        if (made && signal == WEIR_TRACES)
            find_traces(body, batch);
    }
    if (made && options->stamp)
        made = find_places(body, options->resources, DUE_MARK, &body->dues);
    if (made && options->reuse && !options->plain)
        made = fix(body, options, index);
    weir_batch_unref(batch);
    return made;
}

void body_free(struct body *body)
{
    weir_buffer_unref(body->bytes);
    free(body->items);
    free(body->producers.at);
    free(body->dues.at);
    weir_arena_free(&body->arena);
}

/* Every trace of every request gets its own id, random in both halves. */
static void number_trace(const struct body *body, const struct body_item *item, uint32_t base, uint64_t first,
                         uint8_t *out)
{
    uint64_t state = ((uint64_t)base << 32) + first * 131 + item->trace_number;
    uint64_t halves[2] = { load_random(&state) | 1, load_random(&state) };
    for (size_t i = 0; i < 2; i++) {
        if (body->hex)
            number_print(halves[i], (char *)out + item->trace + 16 * i, 16);
        else
            memcpy(out + item->trace + 8 * i, &halves[i], 8);
    }
}

struct weir_buffer *body_number(const struct body *body, const char *producer, uint32_t base, uint64_t first,
                                int64_t due)
{
    struct weir_buffer *out = weir_buffer_copy(body->bytes->data, body->bytes->length);
    if (!out)
        return NULL;
    for (size_t i = 0; i < body->dues.count; i++)
        number_print((uint64_t)due, (char *)out->data + body->dues.at[i], NUMBER_DUE_DIGITS);
    for (size_t i = 0; !body->fixed && i < body->producers.count; i++)
        memcpy(out->data + body->producers.at[i], producer, PRODUCER_DIGITS);
    for (size_t i = 0; !body->fixed && i < body->item_count; i++) {
        const struct body_item *item = &body->items[i];
        char *digits = (char *)out->data + item->seq;
        number_print(first + i, digits, NUMBER_SEQ_DIGITS);
        number_print(number_crc(base, digits, item->text), (char *)out->data + item->crc, NUMBER_CRC_DIGITS);
        if (item->trace > 0)
            number_trace(body, item, base, first, out->data);
    }
    return out;
}
