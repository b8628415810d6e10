// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheus/message.h"

#include <math.h>

#include "metrics.pb-c.h"

#define SECOND 1000000000u
#define MILLISECOND 1000000u

struct message_family {
    Promclient__MetricFamily proto;
    enum weir_prometheus_type type;
    size_t capacity;
};

static ProtobufCBinaryData bytes_of(struct weir_str text)
{
    return (ProtobufCBinaryData){ .len = text.length, .data = (uint8_t *)(uintptr_t)text.data };
}

static void *make(struct message *message, size_t count, size_t size)
{
    void *made = weir_arena_calloc(&message->arena, count ? count : 1, size);
    message->failed = message->failed || !made;
    return made;
}

/* Pointers to the `count` messages of `size` bytes. */
static void *point_to(struct message *message, void *messages, size_t count, size_t size)
{
    void **pointers = make(message, count, sizeof(void *));
    for (size_t i = 0; pointers && i < count; i++)
        pointers[i] = (char *)messages + i * size;
    return pointers;
}

/* NULL for 0, which is not known. */
static Promclient__Timestamp *make_time(struct message *message, uint64_t time)
{
    Promclient__Timestamp *out = time ? make(message, 1, sizeof(*out)) : NULL;
    if (!out)
        return NULL;
    promclient__timestamp__init(out);
    out->seconds = (int64_t)(time / SECOND);
    out->nanos = (int32_t)(time % SECOND);
    return out;
}

/* --- labels --- */

static void set_labels(struct message *message, struct weir_str labels, Promclient__Metric *metric)
{
    struct weir_text name = { 0 }, value = { 0 };
    size_t count = 0;
    for (struct weir_str rest = labels; text_next_label(&rest, &name, &value);)
        count++;
    Promclient__LabelPair *pairs = make(message, count, sizeof(*pairs));
    metric->label = point_to(message, pairs, count, sizeof(*pairs));
    for (size_t i = 0; !message->failed && text_next_label(&labels, &name, &value); i++) {
        struct weir_str own_name = weir_arena_copy(&message->arena, weir_text_view(&name));
        struct weir_str own_value = weir_arena_copy(&message->arena, weir_text_view(&value));
        message->failed = !own_name.data || !own_value.data;
        promclient__label_pair__init(&pairs[i]);
        pairs[i].name = bytes_of(own_name);
        pairs[i].value = bytes_of(own_value);
    }
    metric->n_label = message->failed ? 0 : count;
    weir_text_free(&name);
    weir_text_free(&value);
}

static void set_id(struct message *message, const char *name, const uint8_t *bytes, size_t count,
                   Promclient__LabelPair *pair)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = make(message, count, 2);
    for (size_t i = 0; hex && i < count; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    promclient__label_pair__init(pair);
    pair->name = bytes_of(weir_str_of(name));
    pair->value = bytes_of(weir_str_make(hex, hex ? 2 * count : 0));
}

static Promclient__Exemplar *make_exemplar(struct message *message, const struct value_exemplar *from)
{
    Promclient__Exemplar *out = from ? make(message, 1, sizeof(*out)) : NULL;
    Promclient__LabelPair *pairs = from ? make(message, 2, sizeof(*pairs)) : NULL;
    if (!out || !pairs)
        return NULL;
    promclient__exemplar__init(out);
    if (from->has_trace_id)
        set_id(message, "trace_id", from->trace_id, sizeof(from->trace_id), &pairs[out->n_label++]);
    if (from->has_span_id)
        set_id(message, "span_id", from->span_id, sizeof(from->span_id), &pairs[out->n_label++]);
    out->label = point_to(message, pairs, out->n_label, sizeof(*pairs));
    out->value = from->value;
    out->timestamp = make_time(message, from->time_unix_nano);
    return out;
}

/* --- series --- */

static void set_number(struct message *message, const struct value *value, Promclient__Number **out)
{
    Promclient__Number *number = make(message, 1, sizeof(*number));
    if (!number)
        return;
    promclient__number__init(number);
    number->value = value_number(&value->number);
    *out = number;
}

static void set_counter(struct message *message, const struct value *value, Promclient__Metric *metric)
{
    Promclient__Counter *counter = make(message, 1, sizeof(*counter));
    if (!counter)
        return;
    promclient__counter__init(counter);
    counter->value = value_number(&value->number);
    if (value->exemplar_count)
        counter->exemplar = make_exemplar(message, &value->exemplars[value->exemplar_count - 1]);
    counter->created_timestamp = make_time(message, value->start);
    metric->counter = counter;
}

static void set_summary(struct message *message, const struct value *value, Promclient__Metric *metric)
{
    Promclient__Summary *summary = make(message, 1, sizeof(*summary));
    Promclient__Quantile *quantiles = make(message, value->quantile_count, sizeof(*quantiles));
    if (!summary || !quantiles)
        return;
    promclient__summary__init(summary);
    summary->sample_count = value->count;
    summary->sample_sum = value->sum;
    for (size_t i = 0; i < value->quantile_count; i++) {
        promclient__quantile__init(&quantiles[i]);
        quantiles[i].quantile = value->quantiles[i].quantile;
        quantiles[i].value = value->quantiles[i].value;
    }
    summary->quantile = point_to(message, quantiles, value->quantile_count, sizeof(*quantiles));
    summary->n_quantile = value->quantile_count;
    summary->created_timestamp = make_time(message, value->start);
    metric->summary = summary;
}

static void set_buckets(struct message *message, const struct value *value, Promclient__Histogram *histogram)
{
    size_t bounds = value->bound_count;
    uint64_t below = 0;
    if (bounds && isinf(value->bounds[bounds - 1]))
        bounds--; /* the one that everything is below */
    Promclient__Bucket *buckets = make(message, bounds + 1, sizeof(*buckets));
    for (size_t i = 0; buckets && i <= bounds; i++) {
        if (i < value->count_count)
            below += value->counts[i];
        promclient__bucket__init(&buckets[i]);
        buckets[i].cumulative_count = i < bounds ? below : value->count;
        buckets[i].upper_bound = i < bounds ? value->bounds[i] : HUGE_VAL;
        buckets[i].exemplar = make_exemplar(message, value_bucket_exemplar(value, i));
    }
    histogram->bucket = point_to(message, buckets, bounds + 1, sizeof(*buckets));
    histogram->n_bucket = message->failed ? 0 : bounds + 1;
}

static Promclient__BucketSpan **make_spans(struct message *message, const struct weir_prometheus_runs *runs)
{
    Promclient__BucketSpan *spans = make(message, runs->span_count, sizeof(*spans));
    for (size_t i = 0; spans && i < runs->span_count; i++) {
        promclient__bucket_span__init(&spans[i]);
        spans[i].offset = runs->spans[i].offset;
        spans[i].length = runs->spans[i].length;
    }
    return point_to(message, spans, runs->span_count, sizeof(*spans));
}

static const char *set_native(struct message *message, const struct value *value, Promclient__Histogram *histogram)
{
    const struct weir_data_point point = {
        .count = value->count,
        .sum = { .present = true, .value = value->sum },
        .scale = value->scale,
        .zero_count = value->zero_count,
        .zero_threshold = value->zero_threshold,
        .positive = value->positive,
        .negative = value->negative,
    };
    struct weir_prometheus_native native;
    if (weir_prometheus_native_of(&point, &message->arena, &native, NULL) < 0)
        return "its buckets cannot be those of a native histogram";
    histogram->schema = native.schema;
    histogram->zero_threshold = native.zero_threshold;
    histogram->zero_count = native.zero_count;
    histogram->positive_span = make_spans(message, &native.positive);
    histogram->n_positive_span = native.positive.span_count;
    histogram->positive_delta = native.positive.deltas;
    histogram->n_positive_delta = native.positive.delta_count;
    histogram->negative_span = make_spans(message, &native.negative);
    histogram->n_negative_span = native.negative.span_count;
    histogram->negative_delta = native.negative.deltas;
    histogram->n_negative_delta = native.negative.delta_count;
    return NULL;
}

static const char *set_histogram(struct message *message, const struct value *value, Promclient__Metric *metric)
{
    const char *why = NULL;
    Promclient__Histogram *histogram = make(message, 1, sizeof(*histogram));
    if (!histogram)
        return NULL;
    promclient__histogram__init(histogram);
    histogram->sample_count = value->count;
    histogram->sample_sum = value->sum;
    histogram->created_timestamp = make_time(message, value->start);
    if (value->type == WEIR_METRIC_EXPONENTIAL_HISTOGRAM)
        why = set_native(message, value, histogram);
    else
        set_buckets(message, value, histogram);
    metric->histogram = histogram;
    return why;
}

static const char *set_value(struct message *message, const struct value *value, Promclient__Metric *metric)
{
    switch (message->family->type) {
    case WEIR_PROMETHEUS_COUNTER:
        set_counter(message, value, metric);
        break;
    case WEIR_PROMETHEUS_GAUGE:
        set_number(message, value, &metric->gauge);
        break;
    case WEIR_PROMETHEUS_SUMMARY:
        set_summary(message, value, metric);
        break;
    case WEIR_PROMETHEUS_HISTOGRAM:
        return set_histogram(message, value, metric);
    case WEIR_PROMETHEUS_UNKNOWN:
    case WEIR_PROMETHEUS_GAUGE_HISTOGRAM:
        set_number(message, value, &metric->untyped);
        break;
    }
    return NULL;
}

/* --- families --- */

/* The numbers of client_model's MetricType. */
static int32_t type_number(enum weir_prometheus_type type)
{
    switch (type) {
    case WEIR_PROMETHEUS_COUNTER:
        return 0;
    case WEIR_PROMETHEUS_GAUGE:
        return 1;
    case WEIR_PROMETHEUS_SUMMARY:
        return 2;
    case WEIR_PROMETHEUS_HISTOGRAM:
        return 4;
    case WEIR_PROMETHEUS_UNKNOWN:
    case WEIR_PROMETHEUS_GAUGE_HISTOGRAM:
        break;
    }
    return 3;
}

void message_begin(struct message *message, struct weir_str name, enum weir_prometheus_type type, struct weir_str help)
{
    struct message_family *family = make(message, 1, sizeof(*family));
    if (!family)
        return;
    promclient__metric_family__init(&family->proto);
    family->type = type;
    family->proto.name = bytes_of(weir_arena_copy(&message->arena, name));
    family->proto.help = bytes_of(weir_arena_copy(&message->arena, help));
    family->proto.type = type_number(type);
    message->failed = message->failed || !family->proto.name.data || !family->proto.help.data;
    message->family = family;
}

static bool make_room(struct message *message)
{
    struct message_family *family = message->family;
    if (family->proto.n_metric < family->capacity)
        return true;
    size_t capacity = family->capacity ? family->capacity * 2 : 8;
    Promclient__Metric **metrics = make(message, capacity, sizeof(*metrics));
    if (!metrics)
        return false;
    if (family->proto.n_metric)
        memcpy(metrics, family->proto.metric, family->proto.n_metric * sizeof(*metrics));
    family->proto.metric = metrics;
    family->capacity = capacity;
    return true;
}

const char *message_add(struct message *message, struct weir_str labels, const struct value *value, bool timestamp)
{
    struct message_family *family = message->family;
    Promclient__Metric *metric = message->failed ? NULL : make(message, 1, sizeof(*metric));
    if (!metric || !make_room(message))
        return NULL;
    promclient__metric__init(metric);
    set_labels(message, labels, metric);
    const char *why = set_value(message, value, metric);
    if (timestamp)
        metric->timestamp_ms = (int64_t)(value->time / MILLISECOND);
    if (!why)
        family->proto.metric[family->proto.n_metric++] = metric;
    return why;
}

static bool add_length(struct weir_buffer *out, size_t length)
{
    uint8_t bytes[10];
    size_t count = 0;
    for (; length >= 0x80; length >>= 7)
        bytes[count++] = (uint8_t)(length | 0x80);
    bytes[count++] = (uint8_t)length;
    return weir_buffer_append(out, bytes, count);
}

bool message_end(struct message *message, struct weir_buffer *out)
{
    if (message->family && !message->failed && message->family->proto.n_metric) {
        const Promclient__MetricFamily *proto = &message->family->proto;
        size_t length = promclient__metric_family__get_packed_size(proto);
        message->failed = !add_length(out, length) || !weir_buffer_reserve(out, length);
        if (!message->failed)
            out->length += promclient__metric_family__pack(proto, out->data + out->length);
    }
    message->family = NULL;
    weir_arena_free(&message->arena);
    message->arena = (struct weir_arena){ 0 };
    return !message->failed;
}
