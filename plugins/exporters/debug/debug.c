// SPDX-License-Identifier: Apache-2.0
/* The debug exporter (once "logging"): writes telemetry to the collector's log or to a file (collector-core 8.4, 8.5). */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/hash.h>
#include <weir/sender.h>

#include "plugins/exporters/debug/debug.h"

enum verbosity {
    VERBOSITY_UNSET,
    VERBOSITY_BASIC,
    VERBOSITY_NORMAL,
    VERBOSITY_DETAILED,
    VERBOSITY_NONE,
};

struct debug_config {
    int verbosity;
    int loglevel; /* a verbosity, as `logging` spelled it */
    int64_t sampling_initial;
    int64_t sampling_thereafter;
    bool use_internal_logger;
    struct weir_strings output_paths;
    struct weir_sender_options sender;
};

static const struct weir_option_value verbosities[] = {
    { "basic", VERBOSITY_BASIC },
    { "normal", VERBOSITY_NORMAL },
    { "detailed", VERBOSITY_DETAILED },
    { "none", VERBOSITY_NONE },
    { NULL, 0 },
};

static const struct weir_option_value loglevels[] = {
    { "debug", VERBOSITY_DETAILED }, { "info", VERBOSITY_NORMAL }, { "warn", VERBOSITY_BASIC },
    { "error", VERBOSITY_BASIC },    { "fatal", VERBOSITY_BASIC }, { NULL, 0 },
};

#define UNSET "-1"

static const struct weir_option debug_options[] = {
    WEIR_OPTION(struct debug_config, verbosity, "verbosity", .values = verbosities, .nocase = true,
                .doc = "How much is written of each batch: its counts (the default; for `logging`: normal), a line "
                       "for each item, or every field."),
    WEIR_OPTION(struct debug_config, loglevel, "loglevel", .values = loglevels, .nocase = true,
                .replaced_by = "verbosity",
                .doc = "Old name of the verbosity: debug is detailed, info is normal, all above are basic."),
    WEIR_OPTION(struct debug_config, sampling_initial, "sampling_initial", .preset = "2", .bounded = true,
                .max = INT32_MAX, .doc = "Messages of one text that are written in each second."),
    WEIR_OPTION(struct debug_config, sampling_thereafter, "sampling_thereafter", .preset = UNSET, .bounded = true,
                .min = -1, .max = INT32_MAX,
                .doc = "Of the messages behind those, every so many-th is written, none for 0; -1 stands for the "
                       "default, 1 (for `logging`: 500)."),
    WEIR_OPTION(struct debug_config, use_internal_logger, "use_internal_logger", .preset = "true",
                .doc = "Write to the collector's own log, at level info; otherwise to output_paths."),
    WEIR_OPTION(struct debug_config, output_paths, "output_paths",
                .doc = "Files to write to, stdout or stderr; the default is stdout."),
    WEIR_OPTION_INLINE(struct debug_config, sender, &weir_sender_queue_table),
    WEIR_OPTION_END,
};

static void debug_check(const void *group, struct weir_checker *checker)
{
    const struct debug_config *config = group;
    if (config->verbosity == VERBOSITY_NONE)
        weir_check_fail(checker, "verbosity", "verbosity level \"None\" is not supported");
    if (weir_check_given(checker, "loglevel") && weir_check_given(checker, "verbosity"))
        weir_check_fail(checker, "loglevel",
                        "'loglevel' and 'verbosity' are incompatible. Use only 'verbosity' instead");
    if (config->use_internal_logger && config->output_paths.present)
        weir_check_fail(checker, "output_paths", "output_paths is not supported when use_internal_logger is true");
    else if (config->output_paths.present && config->output_paths.count == 0)
        weir_check_fail(checker, "output_paths", "output_paths must name at least one output");
}

static const struct weir_option_table debug_table = { debug_options, sizeof(struct debug_config), debug_check };

#define COUNTERS 1024

/* How often a message was seen in the current second, by the hash of its text. */
struct counter {
    int64_t second;
    uint64_t count;
};

struct debug_instance {
    enum verbosity verbosity;
    uint64_t initial;
    uint64_t thereafter;
    int *outputs; /* NULL: the collector's log */
    size_t output_count;
    pthread_mutex_t lock; /* of the counters: one exporter, whatever the worker */
    struct counter counters[COUNTERS];
};

static bool passes(struct debug_instance *own, struct weir_str text, int64_t now)
{
    int64_t second = now / 1000000000;
    pthread_mutex_lock(&own->lock);
    struct counter *counter = &own->counters[weir_hash(0, text) % COUNTERS];
    if (counter->second != second)
        *counter = (struct counter){ .second = second };
    uint64_t n = ++counter->count;
    pthread_mutex_unlock(&own->lock);
    return n <= own->initial || (own->thereafter && (n - own->initial) % own->thereafter == 0);
}

static void write_all(int file, struct weir_str text)
{
    while (text.length > 0) {
        ssize_t n = write(file, text.data, text.length);
        if (n < 0 && errno != EINTR)
            return; /* best effort: this is a window, not a store */
        if (n > 0)
            text = weir_str_make(text.data + n, text.length - (size_t)n);
    }
}

/* One message: to the log with its fields, or to the outputs with the fields as JSON behind a tab. */
static void write_message(struct weir_instance *instance, const char *message, const struct weir_field *fields)
{
    struct debug_instance *own = weir_instance_data(instance);
    if (!passes(own, weir_str_of(message), weir_wall_clock()))
        return;
    if (!own->outputs) {
        weir_log_write(weir_instance_logger(instance), WEIR_INFO, message, fields);
        return;
    }
    struct weir_text line = { 0 };
    weir_text_adds(&line, message);
    for (const struct weir_field *f = fields; f && f->key; f++)
        weir_text_addf(&line, "%s\"%s\": %llu", f == fields ? "\t{" : ", ", f->key, (unsigned long long)f->natural);
    weir_text_adds(&line, fields ? "}\n" : "\n");
    for (size_t i = 0; i < own->output_count; i++)
        write_all(own->outputs[i], weir_text_view(&line));
    weir_text_free(&line);
}

static size_t count_groups(struct weir_batch *batch)
{
    size_t count = 0;
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group))
        count++;
    return count;
}

static size_t count_metrics(struct weir_batch *batch)
{
    size_t count = 0;
    for (struct weir_group *g = weir_batch_first_group(batch); g; g = weir_group_next(g))
        for (struct weir_scope_group *s = weir_group_first_scope(g); s; s = weir_scope_group_next(s))
            for (struct weir_entry *e = weir_scope_group_first(s); e; e = weir_entry_next(e))
                count++;
    return count;
}

static void write_counts(struct weir_instance *instance, struct weir_batch *batch)
{
    uint64_t items = weir_batch_items(batch);
    switch (weir_batch_signal(batch)) {
    case WEIR_TRACES: {
        struct weir_field fields[] = { WEIR_F_UINT("resource spans", count_groups(batch)), WEIR_F_UINT("spans", items),
                                       WEIR_F_END };
        write_message(instance, "Traces", fields);
        return;
    }
    case WEIR_METRICS: {
        struct weir_field fields[] = { WEIR_F_UINT("resource metrics", count_groups(batch)),
                                       WEIR_F_UINT("metrics", count_metrics(batch)),
                                       WEIR_F_UINT("data points", items), WEIR_F_END };
        write_message(instance, "Metrics", fields);
        return;
    }
    case WEIR_LOGS: {
        struct weir_field fields[] = { WEIR_F_UINT("resource logs", count_groups(batch)),
                                       WEIR_F_UINT("log records", items), WEIR_F_END };
        write_message(instance, "Logs", fields);
        return;
    }
    case WEIR_PROFILES: {
        struct weir_field fields[] = { WEIR_F_UINT("sample records", items), WEIR_F_END };
        write_message(instance, "Profiles", fields);
        return;
    }
    }
}

/* weir_send. */
static void debug_send(struct weir_shard *shard, struct weir_attempt *attempt)
{
    struct weir_instance *instance = weir_shard_instance(shard);
    const struct debug_instance *own = weir_instance_data(instance);
    struct weir_batch *batch = attempt->batch;
    struct weir_text text = { 0 };
    write_counts(instance, batch);
    if (own->verbosity != VERBOSITY_BASIC && weir_batch_signal(batch) != WEIR_PROFILES) {
        if (own->verbosity == VERBOSITY_NORMAL)
            debug_print_normal(batch, &text);
        else
            debug_print_detailed(batch, &text);
        write_message(instance, weir_text_string(&text), NULL);
    }
    weir_text_free(&text);
    weir_attempt_done(attempt, &WEIR_RESULT_OK);
}

static int debug_create(struct weir_instance *instance, struct weir_error *error)
{
    (void)error;
    const struct debug_config *config = weir_instance_config(instance);
    const char *id = weir_instance_id(instance);
    bool logging = strncmp(id, "logging", 7) == 0 && (id[7] == '\0' || id[7] == '/');
    struct debug_instance *own = weir_xcalloc(1, sizeof *own);
    int verbosity = config->verbosity ? config->verbosity : config->loglevel;
    own->verbosity = verbosity ? (enum verbosity)verbosity : logging ? VERBOSITY_NORMAL : VERBOSITY_BASIC;
    own->initial = (uint64_t)config->sampling_initial;
    own->thereafter = config->sampling_thereafter >= 0 ? (uint64_t)config->sampling_thereafter : logging ? 500 : 1;
    pthread_mutex_init(&own->lock, NULL);
    weir_sender_create(instance, &config->sender, debug_send);
    weir_instance_set_data(instance, own);
    return 0;
}

static int open_output(const char *path, struct weir_error *error)
{
    if (strcmp(path, "stdout") == 0)
        return STDOUT_FILENO;
    if (strcmp(path, "stderr") == 0)
        return STDERR_FILENO;
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return file >= 0 ? file : weir_error_errno(error, errno, "cannot open %s", path);
}

static int debug_start(struct weir_instance *instance, struct weir_error *error)
{
    const struct debug_config *config = weir_instance_config(instance);
    struct debug_instance *own = weir_instance_data(instance);
    if (weir_sender_open(instance, error) < 0)
        return -1;
    if (config->use_internal_logger)
        return 0;
    own->outputs = weir_xcalloc(config->output_paths.count + 1, sizeof *own->outputs);
    if (config->output_paths.count == 0)
        own->outputs[own->output_count++] = STDOUT_FILENO;
    for (size_t i = 0; i < config->output_paths.count; i++) {
        int file = open_output(config->output_paths.items[i], error);
        if (file < 0)
            return -1;
        own->outputs[own->output_count++] = file;
    }
    return 0;
}

static void debug_destroy(struct weir_instance *instance)
{
    struct debug_instance *own = weir_instance_data(instance);
    if (!own)
        return;
    for (size_t i = 0; i < own->output_count; i++)
        if (own->outputs[i] > STDERR_FILENO)
            close(own->outputs[i]);
    free(own->outputs);
    weir_sender_free(instance);
    pthread_mutex_destroy(&own->lock);
    free(own);
    weir_instance_set_data(instance, NULL);
}

static const char *const debug_aliases[] = { "logging", NULL };

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "debug",
    .aliases = debug_aliases,
    .version = PACKAGE_VERSION,
    .summary = "Writes telemetry to the collector's log, in three degrees of detail.",
    .stability = { WEIR_ALPHA, WEIR_ALPHA, WEIR_ALPHA, WEIR_DEVELOPMENT },
    .traits = WEIR_HOLDS,
    .options = &debug_table,
    .metrics = weir_sender_metrics,
    .create = debug_create,
    .start = debug_start,
    .worker_start = weir_sender_worker_start,
    .consume = weir_sender_consume,
    .promise = weir_sender_promise,
    .held = weir_sender_held,
    .drain = weir_sender_drain,
    .worker_stop = weir_sender_worker_stop,
    .stop = weir_sender_close,
    .export_state = weir_sender_export,
    .import_state = weir_sender_import,
    .retire = weir_sender_retire,
    .destroy = debug_destroy,
};
