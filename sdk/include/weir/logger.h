// SPDX-License-Identifier: Apache-2.0
/*
 * The collector's own log.
 */
#ifndef WEIR_LOGGER_H
#define WEIR_LOGGER_H

#include <weir/str.h>

WEIR_BEGIN

enum weir_log_level {
    WEIR_DEBUG,
    WEIR_INFO,
    WEIR_WARN,
    WEIR_ERROR,
};

/* Where a component's lines go, with the fields that name the component on each. Owned by the host. */
struct weir_logger;

/* A key and a value behind the message. */
struct weir_field {
    const char *key; /* NULL ends a list */
    enum { WEIR_FIELD_STRING, WEIR_FIELD_INT, WEIR_FIELD_UINT, WEIR_FIELD_DOUBLE, WEIR_FIELD_BOOL } type;
    union {
        struct weir_str string;
        int64_t integer;
        uint64_t natural;
        double number;
        bool boolean;
    };
};

/* Writes one line: level, message, the logger's own fields, then `fields` up to the one without a key (NULL: none).
 * Repeats of one message are sampled as service::telemetry::logs::sampling says. Any thread; a NULL logger drops it. */
WEIR_EXPORT void weir_log_write(struct weir_logger *logger, enum weir_log_level level, const char *message,
                                const struct weir_field *fields);

/* True if a line of this level would be written: to spare the making of one. Any thread. */
WEIR_EXPORT bool weir_log_enabled(const struct weir_logger *logger, enum weir_log_level level);

#ifndef __cplusplus
#define WEIR_F_STR(name, value) ((struct weir_field){ (name), WEIR_FIELD_STRING, { .string = (value) } })
#define WEIR_F_TEXT(name, value) WEIR_F_STR(name, weir_str_of(value))
#define WEIR_F_INT(name, value) ((struct weir_field){ (name), WEIR_FIELD_INT, { .integer = (value) } })
#define WEIR_F_UINT(name, value) ((struct weir_field){ (name), WEIR_FIELD_UINT, { .natural = (value) } })
#define WEIR_F_DOUBLE(name, value) ((struct weir_field){ (name), WEIR_FIELD_DOUBLE, { .number = (value) } })
#define WEIR_F_BOOL(name, value) ((struct weir_field){ (name), WEIR_FIELD_BOOL, { .boolean = (value) } })
#define WEIR_F_END ((struct weir_field){ .key = NULL })

/* weir_log(logger, WEIR_WARN, "Sender failed", WEIR_F_TEXT("error", reason)); fields are optional. */
#define weir_log(logger, level, ...) WEIR_LOG_(logger, level, __VA_ARGS__, WEIR_F_END)
#define WEIR_LOG_(logger, level, message, ...) \
    weir_log_write((logger), (level), (message), (const struct weir_field[]){ __VA_ARGS__ })
#endif

WEIR_END

#endif
