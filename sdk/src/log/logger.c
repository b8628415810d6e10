// SPDX-License-Identifier: Apache-2.0
/* The collector's own log: one line for each message, as upstream's console or JSON encoding writes it
 * (collector-core 3.4). A line is one write, so that lines of several threads do not mix. */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <weir/worker.h>

#include "sdk/src/log/logger.h"

struct weir_logger {
    atomic_uint references;
    char *members; /* fields as JSON members, "" for none */
};

static const int standard_error = STDERR_FILENO;
static struct weir_logging settings = { .level = WEIR_INFO, .descriptors = &standard_error, .descriptor_count = 1 };
static char *common_members;
/* A line is written under the settings it began with; the level is looked at without the lock. */
static pthread_rwlock_t settings_lock = PTHREAD_RWLOCK_INITIALIZER;
static _Atomic int level_shown = WEIR_INFO;

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void weir_logging_configure(const struct weir_logging *logging)
{
    pthread_rwlock_wrlock(&settings_lock);
    free(common_members);
    common_members = logging->fields ? weir_xstrdup(logging->fields) : NULL;
    settings = *logging;
    settings.fields = common_members;
    atomic_store_explicit(&level_shown, (int)logging->level, memory_order_relaxed);
    pthread_rwlock_unlock(&settings_lock);
}

static void add_field(struct weir_text *text, const struct weir_field *field)
{
    weir_text_addc(text, '"');
    weir_text_add_json(text, weir_str_of(field->key));
    weir_text_adds(text, "\": ");
    switch (field->type) {
    case WEIR_FIELD_STRING:
        weir_text_addc(text, '"');
        weir_text_add_json(text, field->string);
        weir_text_addc(text, '"');
        break;
    case WEIR_FIELD_INT:
        weir_text_addf(text, "%lld", (long long)field->integer);
        break;
    case WEIR_FIELD_UINT:
        weir_text_addf(text, "%llu", (unsigned long long)field->natural);
        break;
    case WEIR_FIELD_DOUBLE:
        weir_text_addf(text, "%.9g", field->number);
        break;
    case WEIR_FIELD_BOOL:
        weir_text_adds(text, field->boolean ? "true" : "false");
        break;
    }
}

void log_add_fields(struct weir_text *text, const struct weir_field *fields)
{
    for (const struct weir_field *f = fields; f && f->key; f++) {
        if (f != fields)
            weir_text_adds(text, ", ");
        add_field(text, f);
    }
}

struct weir_logger *weir_logger_new(const struct weir_field *fields)
{
    struct weir_text members = { 0 };
    log_add_fields(&members, fields);
    struct weir_logger *logger = weir_xcalloc(1, sizeof *logger);
    logger->members = weir_text_steal(&members);
    logger->references = 1;
    return logger;
}

struct weir_logger *weir_logger_ref(struct weir_logger *logger)
{
    if (logger)
        atomic_fetch_add(&logger->references, 1);
    return logger;
}

void weir_logger_free(struct weir_logger *logger)
{
    if (!logger || atomic_fetch_sub(&logger->references, 1) > 1)
        return;
    free(logger->members);
    free(logger);
}

/* 2025-04-17T10:40:44.559+0200 */
static void add_time(struct weir_text *text, int64_t now)
{
    time_t seconds = (time_t)(now / 1000000000);
    struct tm local;
    char date[32], zone[16];
    localtime_r(&seconds, &local);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &local);
    strftime(zone, sizeof zone, "%z", &local);
    weir_text_addf(text, "%s.%03d%s", date, (int)(now / 1000000 % 1000), zone);
}

static void add_members(struct weir_text *text, const char *before, const char *members)
{
    if (!members || !*members)
        return;
    weir_text_adds(text, before);
    weir_text_adds(text, members);
}

/* The members of the process, of the component and of the line, with `lead` before the first. */
static void add_all_members(struct weir_text *text, const char *lead, const struct weir_logger *logger,
                            const struct weir_field *fields)
{
    struct weir_text own = { 0 };
    log_add_fields(&own, fields);
    size_t start = text->length;
    add_members(text, lead, settings.fields);
    add_members(text, text->length == start ? lead : ", ", logger->members);
    add_members(text, text->length == start ? lead : ", ", weir_text_string(&own));
    weir_text_free(&own);
}

/* Control characters of a message must not forge lines. */
static void add_plain(struct weir_text *text, const char *message)
{
    for (const char *c = message; *c; c++)
        weir_text_addc(text, (unsigned char)*c < 0x20 && *c != '\n' && *c != '\t' ? ' ' : *c);
}

static void add_console_line(struct weir_text *line, const struct weir_logger *logger, enum weir_log_level level,
                             const char *message, const struct weir_field *fields, int64_t now)
{
    add_time(line, now);
    weir_text_addf(line, "\t%s\t", level_names[level]);
    add_plain(line, message);
    size_t start = line->length;
    add_all_members(line, "\t{", logger, fields);
    weir_text_adds(line, line->length > start ? "}\n" : "\n");
}

static void add_json_line(struct weir_text *line, const struct weir_logger *logger, enum weir_log_level level,
                          const char *message, const struct weir_field *fields, int64_t now)
{
    weir_text_addf(line, "{\"level\": \"%s\", \"ts\": \"", level_names[level]);
    add_time(line, now);
    weir_text_adds(line, "\", \"msg\": \"");
    weir_text_add_json(line, weir_str_of(message));
    weir_text_addc(line, '"');
    add_all_members(line, ", ", logger, fields);
    weir_text_adds(line, "}\n");
}

static void write_all(int descriptor, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(descriptor, data, length);
        if (n < 0 && errno != EINTR)
            return; /* a log that cannot be written has nobody to tell */
        if (n > 0) {
            data += n;
            length -= (size_t)n;
        }
    }
}

bool weir_log_enabled(const struct weir_logger *logger, enum weir_log_level level)
{
    return logger && (int)level >= atomic_load_explicit(&level_shown, memory_order_relaxed);
}

static void write_line(struct weir_logger *logger, enum weir_log_level level, const char *message,
                       const struct weir_field *fields, int64_t now)
{
    struct weir_text line = { 0 };
    if (settings.json)
        add_json_line(&line, logger, level, message, fields, now);
    else
        add_console_line(&line, logger, level, message, fields, now);
    for (size_t i = 0; i < settings.descriptor_count; i++)
        write_all(settings.descriptors[i], line.data, line.length);
    weir_text_free(&line);
}

void weir_log_write(struct weir_logger *logger, enum weir_log_level level, const char *message,
                    const struct weir_field *fields)
{
    int64_t now = weir_wall_clock();
    if (!weir_log_enabled(logger, level))
        return;
    pthread_rwlock_rdlock(&settings_lock);
    if (log_sample(level, message, &settings, now))
        write_line(logger, level, message, fields, now);
    pthread_rwlock_unlock(&settings_lock);
}
