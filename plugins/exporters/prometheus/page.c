// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheus/page.h"

#include <math.h>
#include <stdlib.h>

#include "plugins/exporters/prometheus/message.h"

#define MILLISECOND 1000000u
/* The least scale that Prometheus' native histograms have. */
#define SCALE_MIN (-4)

struct writer {
    const struct page_style *style;
    struct weir_buffer *out;
    struct page_problems *problems;
    bool failed;
    struct weir_text text;   /* what goes to `out` next */
    struct weir_text name;   /* the family's, escaped, without quotes */
    struct weir_text labels; /* the series', escaped */
    struct weir_text extra;  /* the value of le or quantile */
    bool quoted;             /* the name needs quotes */
    struct message message;  /* the family, in place of `text` */
};

static void flush(struct writer *writer)
{
    if (!writer->failed)
        writer->failed = !weir_buffer_append(writer->out, writer->text.data, writer->text.length);
    weir_text_clear(&writer->text);
}

static void problem(struct writer *writer, const struct snapshot_entry *entry, const char *what, struct weir_str which)
{
    if (writer->problems->count++ == 0)
        weir_text_addf(&writer->problems->first, "%.*s{%.*s}: %s%.*s", WEIR_STR_ARG(entry->family->name),
                       WEIR_STR_ARG(entry->series->labels), what, WEIR_STR_ARG(which));
}

/* --- lines --- */

static void add_head(struct writer *writer, const char *suffix)
{
    struct weir_text *text = &writer->text;
    if (writer->quoted) {
        weir_text_adds(text, "{\"");
        text_add_quoted(text, weir_text_view(&writer->name));
        weir_text_adds(text, suffix);
        weir_text_addc(text, '"');
    } else {
        weir_text_add(text, writer->name.data, writer->name.length);
        weir_text_adds(text, suffix);
    }
}

/* The line up to its value; `label` (NULL: none) has the value in writer->extra. */
static void begin_line(struct writer *writer, const char *suffix, const char *label)
{
    struct weir_text *text = &writer->text;
    const char *separator = writer->quoted ? "," : "{";
    add_head(writer, suffix);
    if (writer->labels.length) {
        weir_text_adds(text, separator);
        weir_text_add(text, writer->labels.data, writer->labels.length);
        separator = ",";
    }
    if (label) {
        weir_text_addf(text, "%s%s=\"", separator, label);
        weir_text_add(text, writer->extra.data, writer->extra.length);
        weir_text_addc(text, '"');
    }
    weir_text_adds(text, writer->quoted || writer->labels.length || label ? "} " : " ");
}

static void add_timestamp(struct writer *writer, uint64_t time)
{
    if (!writer->style->timestamps)
        return;
    weir_text_addc(&writer->text, ' ');
    if (writer->style->open_metrics)
        text_add_seconds(&writer->text, time / MILLISECOND * MILLISECOND);
    else
        weir_text_addf(&writer->text, "%llu", (unsigned long long)(time / MILLISECOND));
}

static void add_hex(struct weir_text *text, const char *name, const uint8_t *bytes, size_t count)
{
    weir_text_addf(text, "%s=\"", name);
    for (size_t i = 0; i < count; i++)
        weir_text_addf(text, "%02x", bytes[i]);
    weir_text_addc(text, '"');
}

static void add_exemplar(struct writer *writer, const struct value_exemplar *exemplar)
{
    struct weir_text *text = &writer->text;
    if (!exemplar || !writer->style->open_metrics)
        return;
    weir_text_adds(text, " # {");
    if (exemplar->has_trace_id)
        add_hex(text, "trace_id", exemplar->trace_id, sizeof(exemplar->trace_id));
    if (exemplar->has_span_id)
        add_hex(text, exemplar->has_trace_id ? ",span_id" : "span_id", exemplar->span_id, sizeof(exemplar->span_id));
    weir_text_adds(text, "} ");
    text_add_number(text, exemplar->value, true);
    if (exemplar->time_unix_nano) {
        weir_text_addc(text, ' ');
        text_add_seconds(text, exemplar->time_unix_nano);
    }
}

static void put_number(struct writer *writer, const char *suffix, const char *label, const struct value *value,
                       double number, const struct value_exemplar *exemplar)
{
    begin_line(writer, suffix, label);
    text_add_number(&writer->text, number, writer->style->open_metrics);
    add_timestamp(writer, value->time);
    add_exemplar(writer, exemplar);
    weir_text_addc(&writer->text, '\n');
}

static void put_count(struct writer *writer, const char *suffix, const char *label, const struct value *value,
                      uint64_t count, const struct value_exemplar *exemplar)
{
    begin_line(writer, suffix, label);
    weir_text_addf(&writer->text, "%llu", (unsigned long long)count);
    add_timestamp(writer, value->time);
    add_exemplar(writer, exemplar);
    weir_text_addc(&writer->text, '\n');
}

/* When the series began. */
static void put_created(struct writer *writer, const struct value *value)
{
    if (!writer->style->open_metrics || value->start == 0)
        return;
    begin_line(writer, "_created", NULL);
    text_add_seconds(&writer->text, value->start);
    add_timestamp(writer, value->time);
    weir_text_addc(&writer->text, '\n');
}

/* --- series --- */

static void set_extra(struct writer *writer, double number)
{
    weir_text_clear(&writer->extra);
    text_add_number(&writer->extra, number, writer->style->open_metrics);
}

static void put_histogram(struct writer *writer, const struct value *value)
{
    bool classic = value->type == WEIR_METRIC_HISTOGRAM;
    size_t bounds = classic ? value->bound_count : 0;
    uint64_t below = 0;
    if (bounds && isinf(value->bounds[bounds - 1]))
        bounds--; /* said below */
    for (size_t i = 0; i < bounds; i++) {
        if (i < value->count_count)
            below += value->counts[i];
        set_extra(writer, value->bounds[i]);
        put_count(writer, "_bucket", "le", value, below, value_bucket_exemplar(value, i));
    }
    set_extra(writer, HUGE_VAL);
    put_count(writer, "_bucket", "le", value, value->count, classic ? value_bucket_exemplar(value, bounds) : NULL);
    put_number(writer, "_sum", NULL, value, value->sum, NULL);
    put_count(writer, "_count", NULL, value, value->count, NULL);
    put_created(writer, value);
}

static void put_summary(struct writer *writer, const struct value *value)
{
    for (size_t i = 0; i < value->quantile_count; i++) {
        set_extra(writer, value->quantiles[i].quantile);
        put_number(writer, "", "quantile", value, value->quantiles[i].value, NULL);
    }
    put_number(writer, "_sum", NULL, value, value->sum, NULL);
    put_count(writer, "_count", NULL, value, value->count, NULL);
    put_created(writer, value);
}

/* NULL, or why the series cannot be on the page. */
static const char *put_series(struct writer *writer, enum weir_prometheus_type type, const char *suffix,
                              const struct value *value)
{
    if (writer->style->protobuf)
        return message_add(&writer->message, weir_text_view(&writer->labels), value, writer->style->timestamps);
    if (type == WEIR_PROMETHEUS_HISTOGRAM)
        put_histogram(writer, value);
    else if (type == WEIR_PROMETHEUS_SUMMARY)
        put_summary(writer, value);
    else if (type == WEIR_PROMETHEUS_COUNTER) {
        const struct value_exemplar *last = value->exemplar_count ? &value->exemplars[value->exemplar_count - 1] : NULL;
        put_number(writer, suffix, NULL, value, value_number(&value->number), last);
        if (*suffix)
            put_created(writer, value);
    } else
        put_number(writer, "", NULL, value, value_number(&value->number), NULL);
    flush(writer);
    return NULL;
}

/* --- families --- */

static void add_help(struct weir_text *text, struct weir_str help, bool quotes)
{
    for (size_t i = 0; i < help.length; i++) {
        char c = help.data[i];
        if (c == '\\' || (quotes && c == '"'))
            weir_text_addc(text, '\\');
        if (c == '\n')
            weir_text_adds(text, "\\n");
        else
            weir_text_addc(text, c);
    }
}

/* # HELP NAME or # TYPE NAME, and a space. */
static void begin_comment(struct writer *writer, const char *word)
{
    struct weir_text *text = &writer->text;
    weir_text_addf(text, "# %s ", word);
    if (writer->quoted)
        weir_text_addc(text, '"');
    text_add_quoted(text, weir_text_view(&writer->name));
    weir_text_adds(text, writer->quoted ? "\" " : " ");
}

static const char *type_word(enum weir_prometheus_type type)
{
    switch (type) {
    case WEIR_PROMETHEUS_COUNTER:
        return "counter";
    case WEIR_PROMETHEUS_GAUGE:
        return "gauge";
    case WEIR_PROMETHEUS_HISTOGRAM:
        return "histogram";
    case WEIR_PROMETHEUS_SUMMARY:
        return "summary";
    case WEIR_PROMETHEUS_UNKNOWN:
    case WEIR_PROMETHEUS_GAUGE_HISTOGRAM:
        break;
    }
    return "untyped";
}

/* Writes what stands before a family's series, and returns what its counters have behind their name: in OpenMetrics the
 * family has the name without _total, and what has no such name is no counter. */
static const char *begin_family(struct writer *writer, struct weir_str name, enum weir_prometheus_type type,
                                struct weir_str help)
{
    const char *word = type_word(type), *suffix = "";
    weir_text_clear(&writer->name);
    text_add_name(&writer->name, name, true, writer->style->escaping);
    if (writer->style->protobuf) {
        message_begin(&writer->message, weir_text_view(&writer->name), type, help);
        return suffix;
    }
    writer->quoted = !text_is_plain_name(weir_text_view(&writer->name), true);
    if (writer->style->open_metrics && type == WEIR_PROMETHEUS_COUNTER) {
        const char *total = "_total";
        size_t length = strlen(total);
        word = "unknown";
        if (writer->name.length > length
            && memcmp(writer->name.data + writer->name.length - length, total, length) == 0) {
            writer->name.length -= length;
            word = "counter";
            suffix = total;
        }
    }
    begin_comment(writer, "HELP");
    add_help(&writer->text, help, writer->style->open_metrics);
    weir_text_addc(&writer->text, '\n');
    begin_comment(writer, "TYPE");
    weir_text_addf(&writer->text, "%s\n", word);
    return suffix;
}

/* The family is whole. */
static void end_family(struct writer *writer)
{
    if (writer->style->protobuf && !message_end(&writer->message, writer->out))
        writer->failed = true;
}

static void set_labels(struct writer *writer, struct weir_str labels)
{
    weir_text_clear(&writer->labels);
    text_add_labels(&writer->labels, labels, writer->style->escaping);
}

/* Why the series cannot be on the page; NULL: it can. `before` is the series in front of it that is (NULL: none). */
static const char *unfit(const struct snapshot_entry *entry, const struct family *first,
                         const struct snapshot_entry *before)
{
    if (!entry->series->labels.data)
        return "duplicate label name ";
    if (entry->family->type != first->type)
        return "another metric of the name has another type";
    if (before && weir_str_equal(before->series->labels, entry->series->labels))
        return "another series has the same labels";
    if (entry->value->type == WEIR_METRIC_EXPONENTIAL_HISTOGRAM && entry->value->scale < SCALE_MIN)
        return "cannot convert exponential to native histogram: scale must be >= -4";
    return NULL;
}

/* The entries have one name; the family that came first has the say. */
static void put_family(struct writer *writer, const struct snapshot_entry *entries, size_t count)
{
    const struct family *first = entries[0].family;
    const struct snapshot_entry *before = NULL;
    const char *suffix = NULL;
    for (size_t i = 1; i < count; i++) {
        if (entries[i].family->sequence < first->sequence)
            first = entries[i].family;
    }
    for (size_t i = 0; i < count; i++) {
        const struct snapshot_entry *entry = &entries[i];
        const char *why = unfit(entry, first, before);
        if (why) {
            problem(writer, entry, why, entry->series->clash);
            continue;
        }
        if (!suffix)
            suffix = begin_family(writer, first->name, first->type, first->help);
        set_labels(writer, entry->series->labels);
        why = put_series(writer, first->type, suffix, entry->value);
        if (why)
            problem(writer, entry, why, WEIR_STR_NONE);
        else
            before = entry;
    }
    if (suffix)
        end_family(writer);
}

/* --- the page --- */

static int compare_entries(const void *a, const void *b)
{
    const struct snapshot_entry *left = a, *right = b;
    int order = weir_str_compare(left->family->name, right->family->name);
    if (order == 0)
        order = weir_str_compare(left->series->labels, right->series->labels);
    if (order == 0)
        order = (left->series->sequence > right->series->sequence) - (left->series->sequence < right->series->sequence);
    return order;
}

static int compare_targets(const void *a, const void *b)
{
    const struct target *const *left = a, *const *right = b;
    return weir_str_compare((*left)->labels, (*right)->labels);
}

static void put_targets(struct writer *writer, struct snapshot *snapshot)
{
    struct value one = { .number = { .type = WEIR_NUMBER_INT, .as_int = 1 } };
    const struct page_style *style = writer->style;
    struct page_style without = *style;
    without.timestamps = false;
    if (snapshot->target_count == 0)
        return;
    qsort(snapshot->targets, snapshot->target_count, sizeof(struct target *), compare_targets);
    writer->style = &without;
    begin_family(writer, style->target_name, WEIR_PROMETHEUS_GAUGE, WEIR_STR("Target metadata"));
    for (size_t i = 0; i < snapshot->target_count; i++) {
        set_labels(writer, snapshot->targets[i]->labels);
        put_series(writer, WEIR_PROMETHEUS_GAUGE, "", &one);
    }
    end_family(writer);
    writer->style = style;
}

/* The first entry whose name is not below; the entries are sorted. */
static size_t find_name(const struct snapshot *snapshot, struct weir_str name)
{
    size_t low = 0, high = snapshot->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (weir_str_compare(snapshot->entries[middle].family->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* True for the name of a line that a histogram or summary has. */
static bool is_taken(const struct snapshot *snapshot, struct weir_str name)
{
    static const char *const suffixes[] = { "_bucket", "_sum", "_count" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(suffixes); i++) {
        size_t length = strlen(suffixes[i]);
        if (name.length <= length || memcmp(name.data + name.length - length, suffixes[i], length) != 0)
            continue;
        struct weir_str base = weir_str_make(name.data, name.length - length);
        for (size_t at = find_name(snapshot, base);
             at < snapshot->count && weir_str_equal(snapshot->entries[at].family->name, base); at++) {
            enum weir_prometheus_type type = snapshot->entries[at].family->type;
            if (type == WEIR_PROMETHEUS_HISTOGRAM || (type == WEIR_PROMETHEUS_SUMMARY && i > 0))
                return true;
        }
    }
    return false;
}

/* The entries have one name. */
static void put_name(struct writer *writer, const struct snapshot *snapshot, size_t from, size_t to)
{
    struct weir_str name = snapshot->entries[from].family->name;
    const char *why = NULL;
    if (snapshot->target_count && weir_str_equal(name, writer->style->target_name))
        why = "the name is that of the resources";
    else if (is_taken(snapshot, name))
        why = "the name is that of a part of a histogram or summary";
    else
        put_family(writer, &snapshot->entries[from], to - from);
    for (size_t i = from; why && i < to; i++)
        problem(writer, &snapshot->entries[i], why, WEIR_STR_NONE);
}

static void put_all(struct writer *writer, struct snapshot *snapshot)
{
    bool targets_done = false;
    if (snapshot->count > 1)
        qsort(snapshot->entries, snapshot->count, sizeof(*snapshot->entries), compare_entries);
    for (size_t from = 0, to; from < snapshot->count; from = to) {
        struct weir_str name = snapshot->entries[from].family->name;
        for (to = from + 1; to < snapshot->count; to++) {
            if (!weir_str_equal(snapshot->entries[to].family->name, name))
                break;
        }
        if (!targets_done && weir_str_compare(name, writer->style->target_name) >= 0) {
            put_targets(writer, snapshot);
            targets_done = true;
        }
        put_name(writer, snapshot, from, to);
    }
    if (!targets_done)
        put_targets(writer, snapshot);
}

bool page_write(struct snapshot *snapshot, const struct page_style *style, struct weir_buffer *out,
                struct page_problems *problems)
{
    struct writer writer = { .style = style, .out = out, .problems = problems };
    put_all(&writer, snapshot);
    if (style->open_metrics)
        weir_text_adds(&writer.text, "# EOF\n");
    flush(&writer);
    weir_text_free(&writer.text);
    weir_text_free(&writer.name);
    weir_text_free(&writer.labels);
    weir_text_free(&writer.extra);
    return !writer.failed;
}
