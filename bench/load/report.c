// SPDX-License-Identifier: Apache-2.0
/*
 * What weir-load says: a line while it runs, a summary, and the same as JSON.
 */
#include <config.h>

#include <unistd.h>

#include "bench/load/load.h"

#define BAR 20

static double milliseconds(const struct load_result *result, double share)
{
    return (double)histogram_quantile(&result->latency, share) / 1e6;
}

/* How much of the work is done, 0 to 1; negative: nobody knows. */
static double done_share(const struct load_options *options, const struct load_result *result)
{
    double share = -1;
    if (options->count > 0)
        share = (double)result->items / (double)options->count;
    if (options->duration > 0 && result->seconds / ((double)options->duration / 1e9) > share)
        share = result->seconds / ((double)options->duration / 1e9);
    return share > 1 ? 1 : share;
}

void report_progress(const struct load_options *options, const struct load_result *result,
                     uint64_t items_before, double since)
{
    bool terminal = isatty(STDERR_FILENO);
    double share = done_share(options, result);
    char bar[BAR + 1] = "";
    for (int i = 0; i < BAR && share >= 0; i++) {
        bar[i] = i < (int)(share * BAR) ? '#' : '.';
        bar[i + 1] = '\0';
    }
    double rate = since > 0 ? (double)(result->items_acknowledged - items_before) / since : 0;
    uint64_t failed = result->items_refused + result->items_rejected + result->items_unknown;
    fprintf(stderr, "%s[%s] %4.0fs  %llu items  %.0f/s  %llu failed  p50 %.2f ms  p99 %.2f ms%s",
            terminal ? "\r" : "", bar, result->seconds, (unsigned long long)result->items_acknowledged, rate,
            (unsigned long long)failed, milliseconds(result, 0.5), milliseconds(result, 0.99),
            terminal ? "\033[K" : "\n");
    fflush(stderr);
}

void report_summary(const struct load_options *options, const struct load_result *result)
{
    FILE *out = stderr;
    double seconds = result->seconds > 0 ? result->seconds : 1;
    if (!options->quiet && isatty(STDERR_FILENO))
        fputc('\n', out);
    fprintf(out, "run           %s\n", options->run);
    fprintf(
        out,
        "items         %llu sent, %llu acknowledged, %llu refused, %llu rejected, %llu without an answer\n",
        (unsigned long long)result->items, (unsigned long long)result->items_acknowledged,
        (unsigned long long)result->items_refused, (unsigned long long)result->items_rejected,
        (unsigned long long)result->items_unknown);
    fprintf(out, "requests      %llu sent, %llu accepted\n", (unsigned long long)result->requests,
            (unsigned long long)result->requests_ok);
    fprintf(out, "rate          %.0f items/s, %.2f MB/s in %.2f s\n",
            (double)result->items_acknowledged / seconds, (double)result->bytes / seconds / 1e6,
            result->seconds);
    if (result->items > 0)
        fprintf(out, "size          %.0f bytes an item, %.0f as sent\n",
                (double)result->plain_bytes / (double)result->items,
                (double)result->bytes / (double)result->items);
    fprintf(out, "own CPU       %.2f s\n", result->cpu_seconds);
    fprintf(out, "latency ms    p50 %.3f  p90 %.3f  p99 %.3f  p99.9 %.3f  max %.3f\n",
            milliseconds(result, 0.5), milliseconds(result, 0.9), milliseconds(result, 0.99),
            milliseconds(result, 0.999), (double)result->latency.max / 1e6);
    for (size_t i = 0; i < result->error_count; i++)
        fprintf(out, "error         %llu x %s\n", (unsigned long long)result->errors[i].count,
                result->errors[i].text);
}

static void add_number(struct weir_text *text, const char *name, uint64_t value)
{
    weir_text_addf(text, ", \"%s\": %llu", name, (unsigned long long)value);
}

static void print_json(const struct load_options *options, const struct load_result *result,
                       struct weir_text *text)
{
    static const char *const protocols[] = { "grpc", "http", "json" };
    weir_text_adds(text, "{\"run\": \"");
    weir_text_add_json(text, weir_str_of(options->run));
    weir_text_addf(text, "\", \"protocol\": \"%s\", \"signals\": [", protocols[options->protocol]);
    for (size_t i = 0; i < options->signal_count; i++)
        weir_text_addf(text, "%s\"%s\"", i > 0 ? ", " : "", weir_signal_name(options->signals[i]));
    weir_text_adds(text, "]");
    add_number(text, "requests", result->requests);
    add_number(text, "requests_accepted", result->requests_ok);
    add_number(text, "requests_refused", result->requests_refused);
    add_number(text, "requests_unanswered", result->requests_unknown);
    add_number(text, "items", result->items);
    add_number(text, "items_acknowledged", result->items_acknowledged);
    add_number(text, "items_refused", result->items_refused);
    add_number(text, "items_rejected", result->items_rejected);
    add_number(text, "items_unanswered", result->items_unknown);
    add_number(text, "bytes", result->bytes);
    add_number(text, "bytes_uncompressed", result->plain_bytes);
    weir_text_addf(
        text, ", \"seconds\": %.6f, \"items_per_second\": %.1f, \"cpu_seconds\": %.6f", result->seconds,
        result->seconds > 0 ? (double)result->items_acknowledged / result->seconds : 0, result->cpu_seconds);
    weir_text_addf(
        text,
        ", \"latency_ms\": {\"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"p99.9\": %.3f, \"max\": %.3f}",
        milliseconds(result, 0.5), milliseconds(result, 0.9), milliseconds(result, 0.99),
        milliseconds(result, 0.999), (double)result->latency.max / 1e6);
    weir_text_adds(text, ", \"errors\": {");
    for (size_t i = 0; i < result->error_count; i++) {
        weir_text_adds(text, i > 0 ? ", \"" : "\"");
        weir_text_add_json(text, weir_str_of(result->errors[i].text));
        weir_text_addf(text, "\": %llu", (unsigned long long)result->errors[i].count);
    }
    weir_text_adds(text, "}}\n");
}

int report_json(const struct load_options *options, const struct load_result *result)
{
    if (!options->json)
        return 0;
    bool standard = strcmp(options->json, "-") == 0;
    FILE *file = standard ? stdout : fopen(options->json, "w");
    struct weir_text text = { 0 };
    print_json(options, result, &text);
    bool written = file && fputs(weir_text_string(&text), file) >= 0 && fflush(file) == 0;
    weir_text_free(&text);
    if (file && !standard && fclose(file) != 0)
        written = false;
    if (!written)
        fprintf(stderr, "weir-load: cannot write %s\n", options->json);
    return written ? 0 : -1;
}
