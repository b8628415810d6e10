// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheus/negotiate.h"

/* One element of a list with weights. */
struct element {
    struct weir_str name;
    struct weir_str version;  /* its parameters, data NULL where not given */
    struct weir_str escaping;
    struct weir_str proto;
    struct weir_str encoding;
    double q;
};

/* Takes what stands before `separator` off the front. */
static struct weir_str next_part(struct weir_str *rest, char separator)
{
    const char *end = rest->length ? memchr(rest->data, separator, rest->length) : NULL;
    size_t length = end ? (size_t)(end - rest->data) : rest->length;
    struct weir_str part = weir_str_make(rest->data, length);
    size_t taken = end ? length + 1 : length;
    *rest = weir_str_make(rest->data + taken, rest->length - taken);
    return weir_str_trim(part);
}

static void take_parameter(struct element *element, struct weir_str parameter)
{
    struct weir_str name = next_part(&parameter, '='), value = weir_str_trim(parameter);
    if (value.length >= 2 && value.data[0] == '"' && value.data[value.length - 1] == '"')
        value = weir_str_make(value.data + 1, value.length - 2);
    if (weir_str_equal_nocase(name, WEIR_STR("q"))) {
        if (!weir_str_to_double(value, &element->q) || !(element->q >= 0 && element->q <= 1))
            element->q = 0;
    } else if (weir_str_equal_nocase(name, WEIR_STR("version")))
        element->version = value;
    else if (weir_str_equal_nocase(name, WEIR_STR("escaping")))
        element->escaping = value;
    else if (weir_str_equal_nocase(name, WEIR_STR("proto")))
        element->proto = value;
    else if (weir_str_equal_nocase(name, WEIR_STR("encoding")))
        element->encoding = value;
}

static bool next_element(struct weir_str *rest, struct element *element)
{
    while (rest->length) {
        struct weir_str part = next_part(rest, ',');
        *element = (struct element){ .name = next_part(&part, ';'), .q = 1 };
        while (part.length)
            take_parameter(element, next_part(&part, ';'));
        if (element->name.length)
            return true;
    }
    return false;
}

static bool is_version(const struct element *element, const char *version)
{
    return weir_str_is(element->version, version);
}

static enum escaping escaping_of(struct weir_str name)
{
    if (weir_str_is(name, "allow-utf-8"))
        return ESCAPE_NOT;
    if (weir_str_is(name, "dots"))
        return ESCAPE_DOTS;
    return weir_str_is(name, "values") ? ESCAPE_VALUES : ESCAPE_UNDERSCORES;
}

/* False: not to be had in that form. */
static bool format_of(const struct element *element, bool open_metrics, struct format *out)
{
    struct format format = { .escaping = escaping_of(element->escaping) };
    if (weir_str_equal_nocase(element->name, WEIR_STR("text/plain"))) {
        if (element->version.length && !is_version(element, "0.0.4") && !is_version(element, "1.0.0"))
            return false;
        format.version = is_version(element, "1.0.0") ? "1.0.0" : "0.0.4";
    } else if (open_metrics && weir_str_equal_nocase(element->name, WEIR_STR("application/openmetrics-text"))) {
        if (element->version.length && !is_version(element, "0.0.1") && !is_version(element, "1.0.0"))
            return false;
        format.open_metrics = true;
        format.version = is_version(element, "1.0.0") ? "1.0.0" : "0.0.1";
    } else if (weir_str_equal_nocase(element->name, WEIR_STR("application/vnd.google.protobuf"))) {
        if (!weir_str_is(element->proto, "io.prometheus.client.MetricFamily") ||
            !weir_str_is(element->encoding, "delimited"))
            return false;
        format.protobuf = true;
    } else
        return false;
    *out = format;
    return true;
}

struct format negotiate_format(struct weir_str accept, bool open_metrics)
{
    struct format best = { .version = "0.0.4", .escaping = ESCAPE_UNDERSCORES };
    struct element element;
    double best_q = 0;
    while (next_element(&accept, &element)) {
        if (element.q > best_q && format_of(&element, open_metrics, &best))
            best_q = element.q;
    }
    return best;
}

void negotiate_content_type(const struct format *format, struct weir_text *text)
{
    static const char *const names[] = { "underscores", "dots", "values", "allow-utf-8" };
    if (format->protobuf)
        weir_text_adds(text, "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited");
    else
        weir_text_addf(text, "%s; version=%s; charset=utf-8",
                       format->open_metrics ? "application/openmetrics-text" : "text/plain", format->version);
    weir_text_addf(text, "; escaping=%s", names[format->escaping]);
}

/* The weight that the list gives the coding, by its name or as one of all others; negative: none. */
static double weight(struct weir_str accept, const char *coding)
{
    struct element element;
    double q = -1;
    while (next_element(&accept, &element)) {
        if (weir_str_equal_nocase(element.name, weir_str_of(coding)))
            return element.q;
        if (weir_str_is(element.name, "*"))
            q = element.q;
    }
    return q;
}

enum weir_encoding negotiate_encoding(struct weir_str accept)
{
    double identity = weight(accept, "identity"), gzip = weight(accept, "gzip"), zstd = weight(accept, "zstd");
    enum weir_encoding best = WEIR_ENCODING_IDENTITY;
    double best_q = identity > 0 ? identity : 0;
    if (gzip > best_q) {
        best = WEIR_ENCODING_GZIP;
        best_q = gzip;
    }
    return zstd > best_q ? WEIR_ENCODING_ZSTD : best;
}
