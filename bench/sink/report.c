// SPDX-License-Identifier: Apache-2.0
/*
 * What weir-sink says: a line now and then, and at the end the summary, the record and what is owed.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "bench/sink/sink.h"

uint64_t sink_items(const struct sink_counts *counts)
{
    uint64_t sum = 0;
    for (int i = 0; i < WEIR_SIGNALS; i++)
        sum += counts->items[i];
    return sum;
}

static uint64_t missing_of(const struct producer *producer)
{
    /* Distinct numbers up to the highest that has come. */
    return producer->received > 0 ? producer->highest + 1 - (producer->received - producer->duplicates) : 0;
}

void sink_report_progress(const struct sink_counts *counts, uint64_t items_before, double seconds)
{
    uint64_t duplicates = 0, items = sink_items(counts);
    for (size_t i = 0; i < counts->producer_count; i++)
        duplicates += counts->producers[i].duplicates;
    fprintf(stderr, "%llu items  %.0f/s  %llu requests  %llu refused  %llu duplicates  %llu bad\n",
            (unsigned long long)items, (double)(items - items_before) / seconds,
            (unsigned long long)counts->requests, (unsigned long long)counts->refused,
            (unsigned long long)duplicates, (unsigned long long)(counts->bad_crc + counts->malformed));
}

/* --- the record --- */

static int write_record(const char *path, const struct sink_counts *counts)
{
    FILE *file = fopen(path, "w");
    for (size_t i = 0; file && i < counts->producer_count; i++) {
        const struct producer *producer = &counts->producers[i];
        for (uint64_t seq = 0; seq <= producer->highest; seq++) {
            uint64_t first = seq;
            while (seq <= producer->highest && producer_has(producer, seq))
                seq++;
            if (seq > first)
                fprintf(file, "%s %s %llu %llu\n", producer->run, producer->name, (unsigned long long)first,
                        (unsigned long long)(seq - first));
        }
    }
    if (!file || fclose(file) != 0) {
        fprintf(stderr, "weir-sink: cannot write %s: %s\n", path, strerror(errno));
        return -1;
    }
    return 0;
}

/* --- obligations --- */

/* Numbers of an obligation that have not come. */
static uint64_t count_owed(const struct sink_counts *counts, const char *run, const char *name,
                           uint64_t first, uint64_t count)
{
    uint64_t owed = count;
    for (size_t i = 0; i < counts->producer_count; i++) {
        const struct producer *producer = &counts->producers[i];
        if (strcmp(producer->run, run) != 0 || strcmp(producer->name, name) != 0)
            continue;
        for (uint64_t seq = first; seq < first + count; seq++)
            owed -= producer_has(producer, seq);
    }
    return owed;
}

static int check_obligations(const char *path, const struct sink_counts *counts, uint64_t *acknowledged,
                             uint64_t *owed)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    while (file && getline(&line, &size, file) > 0) {
        char what[16], run[256], name[256], signal[16];
        unsigned long long first, count;
        if (sscanf(line, "%15s %255s %255s %15s %llu %llu", what, run, name, signal, &first, &count) != 6 ||
            strcmp(what, "ack") != 0 || count > UINT32_MAX || first > UINT64_MAX - count)
            continue;
        *acknowledged += count;
        *owed += count_owed(counts, run, name, first, count);
    }
    free(line);
    if (!file || ferror(file)) {
        fprintf(stderr, "weir-sink: cannot read %s: %s\n", path, strerror(errno));
        if (file)
            fclose(file);
        return -1;
    }
    fclose(file);
    return 0;
}

/* --- the summary --- */

static void add_number(struct weir_text *text, const char *name, uint64_t value)
{
    weir_text_addf(text, ", \"%s\": %llu", name, (unsigned long long)value);
}

static void add_producers(struct weir_text *text, const struct sink_counts *counts)
{
    weir_text_adds(text, ", \"producers\": [");
    for (size_t i = 0; i < counts->producer_count; i++) {
        const struct producer *producer = &counts->producers[i];
        weir_text_adds(text, i > 0 ? ", {\"run\": \"" : "{\"run\": \"");
        weir_text_add_json(text, weir_str_of(producer->run));
        weir_text_adds(text, "\", \"producer\": \"");
        weir_text_add_json(text, weir_str_of(producer->name));
        weir_text_adds(text, "\"");
        add_number(text, "received", producer->received);
        add_number(text, "distinct", producer->received - producer->duplicates);
        add_number(text, "duplicates", producer->duplicates);
        add_number(text, "missing", missing_of(producer));
        add_number(text, "highest", producer->highest);
        weir_text_adds(text, "}");
    }
    weir_text_adds(text, "]");
}

static void add_latency(struct weir_text *text, const struct histogram *latency)
{
    static const struct {
        const char *name;
        double share;
    } quantiles[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 } };
    add_number(text, "stamped", latency->total);
    weir_text_adds(text, ", \"latency_ms\": {");
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(quantiles); i++)
        weir_text_addf(text, "\"%s\": %.3f, ", quantiles[i].name,
                       (double)histogram_quantile(latency, quantiles[i].share) / 1e6);
    weir_text_addf(text, "\"max\": %.3f}", (double)latency->max / 1e6);
}

static void print_summary(struct weir_text *text, const struct sink_counts *counts)
{
    uint64_t duplicates = 0, missing = 0, distinct = 0;
    for (size_t i = 0; i < counts->producer_count; i++) {
        duplicates += counts->producers[i].duplicates;
        distinct += counts->producers[i].received - counts->producers[i].duplicates;
        missing += missing_of(&counts->producers[i]);
    }
    weir_text_addf(text, "{\"requests\": %llu", (unsigned long long)counts->requests);
    add_number(text, "refused", counts->refused);
    add_number(text, "malformed", counts->malformed);
    add_number(text, "bytes", counts->bytes);
    add_number(text, "items", sink_items(counts));
    for (int i = 0; i < WEIR_SIGNALS; i++)
        add_number(text, weir_signal_items((enum weir_signal)i), counts->items[i]);
    add_number(text, "distinct", distinct);
    add_number(text, "duplicates", duplicates);
    add_number(text, "missing", missing);
    add_number(text, "unnumbered", counts->unnumbered);
    add_number(text, "bad_crc", counts->bad_crc);
    if (counts->latency.total > 0)
        add_latency(text, &counts->latency);
    add_producers(text, counts);
}

static int write_text(const char *path, const struct weir_text *text)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdout : fopen(path, "w");
    bool written = file && fputs(weir_text_string(text), file) >= 0 && fflush(file) == 0;
    if (file && !standard && fclose(file) != 0)
        written = false;
    if (!written)
        fprintf(stderr, "weir-sink: cannot write %s: %s\n", path, strerror(errno));
    return written ? 0 : -1;
}

void sink_report_now(const struct sink_options *options, const struct sink_counts *counts)
{
    struct weir_text text = { 0 };
    if (options->record)
        (void)write_record(options->record, counts);
    print_summary(&text, counts);
    weir_text_adds(&text, "}\n");
    (void)write_text("-", &text);
    weir_text_free(&text);
}

int sink_report(const struct sink_options *options, const struct sink_counts *counts)
{
    struct weir_text text = { 0 };
    uint64_t acknowledged = 0, owed = 0;
    int status = options->record ? write_record(options->record, counts) : 0;
    print_summary(&text, counts);
    if (options->obligations) {
        if (check_obligations(options->obligations, counts, &acknowledged, &owed) < 0)
            status = -1;
        add_number(&text, "acknowledged", acknowledged);
        add_number(&text, "owed", owed);
    }
    weir_text_adds(&text, "}\n");
    if (write_text(options->json ? options->json : "-", &text) < 0)
        status = -1;
    weir_text_free(&text);
    if (status == 0 && (owed > 0 || counts->bad_crc > 0))
        status = 1;
    return status;
}
