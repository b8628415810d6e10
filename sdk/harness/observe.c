// SPDX-License-Identifier: Apache-2.0
/* What a component says of itself: log lines and metrics. */
#include <config.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sdk/harness/harness.h"

/* The lines are kept in memory that has a descriptor, which is where the log writes to. */
static int log_outputs[2] = { -1, STDERR_FILENO };
static struct weir_text log_text;

void harness_log_start(void)
{
    if (log_outputs[0] < 0)
        log_outputs[0] = memfd_create("weir-harness", MFD_CLOEXEC);
    if (log_outputs[0] < 0 || ftruncate(log_outputs[0], 0) != 0 || lseek(log_outputs[0], 0, SEEK_SET) != 0)
        harness_fail("log", "no memory for it");
    weir_logging_configure(&(struct weir_logging){
        .level = WEIR_DEBUG,
        .descriptors = log_outputs,
        .descriptor_count = getenv("WEIR_HARNESS_LOG") ? 2 : 1,
    });
}

const char *weir_harness_log(void)
{
    char part[4096];
    off_t at = 0;
    weir_text_clear(&log_text);
    for (ssize_t n; (n = pread(log_outputs[0], part, sizeof part, at)) > 0; at += n)
        weir_text_add(&log_text, part, (size_t)n);
    return weir_text_string(&log_text);
}

void harness_log_show(void)
{
    const char *text = weir_harness_log();
    if (!getenv("WEIR_HARNESS_LOG") && write(STDERR_FILENO, text, strlen(text)) < 0)
        abort();
}

static double reading_of(const struct weir_series_view *view)
{
    return view->instrument->kind == WEIR_HISTOGRAM ? (double)view->observations : view->value;
}

static void note_series(const struct weir_series_view *view, void *argument)
{
    struct weir_harness *harness = argument;
    harness->before = weir_xrealloc(harness->before, (harness->before_count + 1) * sizeof *harness->before);
    harness->before[harness->before_count++] = (struct reading){ view->id, reading_of(view) };
}

void harness_read_series(struct weir_harness *harness)
{
    weir_meter_visit(note_series, harness);
}

static double reading_before(const struct weir_harness *harness, const struct weir_series_view *view)
{
    for (size_t i = 0; i < harness->before_count; i++)
        if (harness->before[i].id == view->id)
            return harness->before[i].value;
    return 0;
}

struct wanted {
    const struct weir_harness *harness;
    const char *instrument;
    const char *label; /* NULL: any */
    const char *value;
    double sum;
};

static bool has_label(const struct weir_series_view *view, const struct wanted *wanted)
{
    for (size_t i = 0; i < view->label_count; i++)
        if (strcmp(view->labels[i].name, wanted->label) == 0 && strcmp(view->labels[i].value, wanted->value) == 0)
            return true;
    return false;
}

static void add_series(const struct weir_series_view *view, void *argument)
{
    struct wanted *wanted = argument;
    if (strcmp(view->instrument->name, wanted->instrument) == 0 && (!wanted->label || has_label(view, wanted)))
        wanted->sum += reading_of(view) - reading_before(wanted->harness, view);
}

double weir_harness_series_with(const struct weir_harness *harness, const char *instrument, const char *label,
                                const char *value)
{
    struct wanted wanted = { harness, instrument, label, value, 0 };
    weir_meter_visit(add_series, &wanted);
    return wanted.sum;
}

double weir_harness_series(const struct weir_harness *harness, const char *instrument)
{
    return weir_harness_series_with(harness, instrument, NULL, NULL);
}
