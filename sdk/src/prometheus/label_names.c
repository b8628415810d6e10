// SPDX-License-Identifier: Apache-2.0
/*
 * Names of labels (contrib-receivers-exporters 4.3 and 5.4).
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/prometheus/label_names.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

/* The later bytes of a character that UTF-8 writes with several. */
static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static bool only_underscores(struct weir_str key)
{
    for (size_t i = 0; i < key.length; i++) {
        if (key.data[i] != '_')
            return false;
    }
    return true;
}

/* __name__ and its like, which Prometheus keeps for itself. */
static bool reserved(struct weir_str key)
{
    return key.length > 4 && memcmp(key.data, "__", 2) == 0 && memcmp(key.data + key.length - 2, "__", 2) == 0;
}

/* Returns the end of what it has written. */
static char *escape(struct weir_str key, bool collapse, char *out)
{
    bool odd = false;
    for (size_t i = 0; i < key.length; i++) {
        if (is_label_char(key.data[i])) {
            *out++ = key.data[i];
            odd = false;
        } else if (!continues(key.data[i])) {
            if (!odd || !collapse)
                *out++ = '_';
            odd = true;
        }
    }
    return out;
}

struct weir_str prometheus_label_name(enum weir_prometheus_label_rule rule, struct weir_str key, char *room)
{
    char *start = room + PROMETHEUS_LABEL_MORE;
    if (rule == WEIR_PROMETHEUS_LABEL_UTF8)
        return only_underscores(key) ? WEIR_STR_NONE : key;
    bool written = rule == WEIR_PROMETHEUS_LABEL_WRITTEN && !reserved(key);
    char *end = escape(key, written, start);
    if (only_underscores(weir_str_make(start, (size_t)(end - start))))
        return WEIR_STR_NONE;
    const char *prefix = is_digit(*start) ? "key_" : written && *start == '_' ? "key" : "";
    size_t more = strlen(prefix);
    if (more > 0)
        memcpy(start - more, prefix, more);
    return weir_str_make(start - more, (size_t)(end - start) + more);
}

bool weir_prometheus_label_name(enum weir_prometheus_label_rule rule, struct weir_str key, struct weir_text *name)
{
    char *room = weir_xmalloc(key.length + PROMETHEUS_LABEL_MORE);
    struct weir_str made = prometheus_label_name(rule, key, room);
    weir_text_add(name, made.data, made.length);
    free(room);
    return made.length > 0;
}
