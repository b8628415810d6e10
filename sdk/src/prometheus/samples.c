// SPDX-License-Identifier: Apache-2.0
/*
 * The samples that a data point stands for (contrib-receivers-exporters 4.4 and 5.4).
 */
#include <config.h>

#include <math.h>

#include <weir/json.h>
#include <weir/prometheus.h>

double weir_prometheus_stale(void)
{
    uint64_t bits = 0x7ff0000000000002u;
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* d.ddde±x as digits only. */
static void add_plain(const char *shortest, size_t length, struct weir_text *text)
{
    struct weir_str number = { shortest, length };
    const char *e = memchr(shortest, 'e', length);
    if (!e) {
        weir_text_add(text, number.data, number.length);
        return;
    }
    char digits[WEIR_JSON_DOUBLE_ROOM];
    size_t count = 0, whole = 0;
    bool point = false;
    int64_t exponent = 0;
    const char *sign = e[1] == '+' ? e + 2 : e + 1;
    weir_str_to_i64(weir_str_make(sign, (size_t)(shortest + length - sign)), &exponent);
    for (const char *at = shortest; at < e; at++) {
        if (*at == '-')
            weir_text_addc(text, '-');
        else if (*at == '.')
            point = true;
        else {
            digits[count++] = *at;
            whole += !point;
        }
    }
    int64_t before = (int64_t)whole + exponent; /* digits before the point */
    if (before <= 0)
        weir_text_adds(text, "0.");
    for (int64_t i = before; i < 0; i++)
        weir_text_addc(text, '0');
    for (size_t i = 0; i < count; i++) {
        if (before > 0 && (int64_t)i == before)
            weir_text_addc(text, '.');
        weir_text_addc(text, digits[i]);
    }
    for (int64_t i = (int64_t)count; i < before; i++)
        weir_text_addc(text, '0');
}

void weir_prometheus_number(double value, bool plain, struct weir_text *text)
{
    char shortest[WEIR_JSON_DOUBLE_ROOM];
    if (isnan(value)) {
        weir_text_adds(text, "NaN");
        return;
    }
    if (isinf(value)) {
        weir_text_adds(text, value > 0 ? "+Inf" : "-Inf");
        return;
    }
    size_t length = weir_json_format_double(shortest, value);
    if (plain)
        add_plain(shortest, length, text);
    else
        weir_text_add(text, shortest, length);
}

double weir_prometheus_exemplar_value(const struct weir_exemplar *exemplar)
{
    return exemplar->number.type == WEIR_NUMBER_INT ? (double)exemplar->number.as_int
           : exemplar->number.type == WEIR_NUMBER_DOUBLE ? exemplar->number.as_double
                                                         : 0;
}

size_t weir_prometheus_bucket_of(const struct weir_data_point *point, double value)
{
    size_t bucket = 0;
    while (bucket < point->explicit_bound_count && point->explicit_bounds[bucket] < value)
        bucket++;
    return bucket;
}

struct output {
    void (*emit)(void *user, const struct weir_prometheus_sample *sample);
    void *user;
    bool stale;
    struct weir_text label;
};

static void put(struct output *out, const char *suffix, double value)
{
    struct weir_prometheus_sample sample = { .suffix = suffix, .bucket = WEIR_PROMETHEUS_NO_BUCKET };
    sample.value = out->stale ? weir_prometheus_stale() : value;
    out->emit(out->user, &sample);
}

static void put_labelled(struct output *out, const char *suffix, const char *label, double label_value, size_t bucket,
                         double value)
{
    struct weir_prometheus_sample sample = { .suffix = suffix, .label = label, .bucket = bucket };
    weir_text_clear(&out->label);
    weir_prometheus_number(label_value, true, &out->label);
    sample.label_value = weir_text_view(&out->label);
    sample.value = out->stale ? weir_prometheus_stale() : value;
    out->emit(out->user, &sample);
}

/* The last bucket has the whole count, whatever the buckets say. */
static void put_histogram(struct output *out, const struct weir_data_point *point)
{
    uint64_t below = 0;
    for (size_t i = 0; i < point->explicit_bound_count; i++) {
        if (i < point->positive.count)
            below += point->positive.counts[i];
        put_labelled(out, "_bucket", "le", point->explicit_bounds[i], i, (double)below);
    }
    put_labelled(out, "_bucket", "le", HUGE_VAL, point->explicit_bound_count, (double)point->count);
    if (point->sum.present)
        put(out, "_sum", point->sum.value);
    put(out, "_count", (double)point->count);
}

static void put_summary(struct output *out, const struct weir_data_point *point)
{
    for (size_t i = 0; i < point->quantile_count; i++)
        put_labelled(out, "", "quantile", point->quantiles[i].quantile, WEIR_PROMETHEUS_NO_BUCKET,
                     point->quantiles[i].value);
    put(out, "_sum", point->sum.value);
    put(out, "_count", (double)point->count);
}

void weir_prometheus_expand(const struct weir_metric *metric, const struct weir_data_point *point,
                            void (*emit)(void *user, const struct weir_prometheus_sample *sample), void *user)
{
    struct output out = { .emit = emit, .user = user, .stale = point->flags & WEIR_POINT_NO_RECORDED_VALUE };
    switch (metric->type) {
    case WEIR_METRIC_GAUGE:
    case WEIR_METRIC_SUM:
        put(&out, "", point->number.type == WEIR_NUMBER_INT ? (double)point->number.as_int
                      : point->number.type == WEIR_NUMBER_DOUBLE ? point->number.as_double
                                                                 : 0);
        break;
    case WEIR_METRIC_HISTOGRAM:
        put_histogram(&out, point);
        break;
    case WEIR_METRIC_SUMMARY:
        put_summary(&out, point);
        break;
    case WEIR_METRIC_EXPONENTIAL_HISTOGRAM:
    case WEIR_METRIC_EMPTY:
        break;
    }
    weir_text_free(&out.label);
}
