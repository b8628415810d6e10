// SPDX-License-Identifier: Apache-2.0
/*
 * Names of labels (contrib-receivers-exporters 4.3 and 5.4).
 */
#include <config.h>

#include <weir/prometheus.h>

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

static void add_escaped(struct weir_str key, bool collapse, struct weir_text *name)
{
    bool odd = false;
    for (size_t i = 0; i < key.length; i++) {
        if (is_label_char(key.data[i])) {
            weir_text_addc(name, key.data[i]);
            odd = false;
        } else if (!continues(key.data[i])) {
            if (!odd || !collapse)
                weir_text_addc(name, '_');
            odd = true;
        }
    }
}

bool weir_prometheus_label_name(enum weir_prometheus_label_rule rule, struct weir_str key, struct weir_text *name)
{
    struct weir_text made = { 0 };
    if (rule == WEIR_PROMETHEUS_LABEL_UTF8)
        weir_text_add(&made, key.data, key.length);
    else
        add_escaped(key, rule == WEIR_PROMETHEUS_LABEL_WRITTEN && !reserved(key), &made);
    bool good = !only_underscores(weir_text_view(&made));
    if (good && rule != WEIR_PROMETHEUS_LABEL_UTF8 && is_digit(made.data[0]))
        weir_text_adds(name, "key_");
    else if (good && rule == WEIR_PROMETHEUS_LABEL_WRITTEN && made.data[0] == '_' && !reserved(key))
        weir_text_adds(name, "key");
    if (good)
        weir_text_add(name, made.data, made.length);
    weir_text_free(&made);
    return good;
}
