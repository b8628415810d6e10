// SPDX-License-Identifier: Apache-2.0
/* Families and samples, and their text. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/service/exposition.h"

struct sample {
    char *labels;
    double value; /* the sum of a histogram */
    uint64_t observations;
    uint64_t *buckets;
};

struct family {
    const struct weir_instrument *instrument;
    struct sample *samples;
    size_t count;
};

struct exposition {
    struct exposition_style style;
    struct family *families;
    size_t count;
};

struct exposition *exposition_new(const struct exposition_style *style)
{
    struct exposition *exposition = weir_xcalloc(1, sizeof *exposition);
    exposition->style = *style;
    return exposition;
}

void exposition_free(struct exposition *exposition)
{
    for (size_t f = 0; f < exposition->count; f++) {
        struct family *family = &exposition->families[f];
        for (size_t s = 0; s < family->count; s++) {
            free(family->samples[s].labels);
            free(family->samples[s].buckets);
        }
        free(family->samples);
    }
    free(exposition->families);
    free(exposition);
}

/* Label names take letters, digits and underscores: any other character becomes one underscore. */
static void add_label_name(struct weir_text *text, const char *name)
{
    if (*name >= '0' && *name <= '9')
        weir_text_addc(text, '_');
    for (const char *c = name; *c; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        bool continues = ((unsigned char)*c & 0xc0) == 0x80; /* UTF-8: part of the character before */
        if (!continues)
            weir_text_addc(text, plain ? *c : '_');
    }
}

/* Values have three escapes. */
void exposition_label(struct weir_text *labels, const char *name, const char *value)
{
    if (labels->length > 0)
        weir_text_addc(labels, ',');
    add_label_name(labels, name);
    weir_text_adds(labels, "=\"");
    for (const char *c = value; *c; c++) {
        if (*c == '\\' || *c == '"')
            weir_text_addc(labels, '\\');
        if (*c == '\n')
            weir_text_adds(labels, "\\n");
        else
            weir_text_addc(labels, *c);
    }
    weir_text_addc(labels, '"');
}

static struct family *get_family(struct exposition *exposition, const struct weir_instrument *instrument)
{
    size_t at = 0;
    for (; at < exposition->count; at++) {
        int order = strcmp(exposition->families[at].instrument->name, instrument->name);
        if (order == 0)
            return &exposition->families[at];
        if (order > 0)
            break;
    }
    exposition->families =
        weir_xrealloc(exposition->families, (exposition->count + 1) * sizeof *exposition->families);
    memmove(exposition->families + at + 1, exposition->families + at,
            (exposition->count - at) * sizeof *exposition->families);
    exposition->families[at] = (struct family){ .instrument = instrument };
    exposition->count++;
    return &exposition->families[at];
}

static struct sample *get_sample(struct exposition *exposition, const struct weir_instrument *instrument,
                                 const char *labels)
{
    struct family *family = get_family(exposition, instrument);
    for (size_t i = 0; i < family->count; i++)
        if (strcmp(family->samples[i].labels, labels) == 0)
            return &family->samples[i];
    family->samples = weir_xrealloc(family->samples, (family->count + 1) * sizeof *family->samples);
    struct sample *sample = &family->samples[family->count++];
    *sample = (struct sample){ .labels = weir_xstrdup(labels) };
    if (instrument->kind == WEIR_HISTOGRAM)
        sample->buckets = weir_xcalloc(instrument->bound_count + 1, sizeof *sample->buckets);
    return sample;
}

void exposition_add(struct exposition *exposition, const struct weir_instrument *instrument, const char *labels,
                    double value)
{
    get_sample(exposition, instrument, labels)->value += value;
}

void exposition_observe(struct exposition *exposition, const struct weir_instrument *instrument, const char *labels,
                        const uint64_t *buckets, uint64_t observations, double sum)
{
    struct sample *sample = get_sample(exposition, instrument, labels);
    for (size_t i = 0; i <= instrument->bound_count; i++)
        sample->buckets[i] += buckets[i];
    sample->observations += observations;
    sample->value += sum;
}

/* UCUM units that Prometheus spells out; annotations in braces have no unit. */
static const char *unit_suffix(const char *unit)
{
    if (strcmp(unit, "s") == 0)
        return "_seconds";
    if (strcmp(unit, "By") == 0)
        return "_bytes";
    return "";
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static char *family_name(const struct exposition *exposition, const struct weir_instrument *instrument)
{
    struct weir_text name = { 0 };
    weir_text_adds(&name, instrument->name);
    if (exposition->style.suffixes) {
        const char *suffix = unit_suffix(instrument->unit);
        if (!ends_with(instrument->name, suffix))
            weir_text_adds(&name, suffix);
        if (instrument->kind == WEIR_COUNTER && !ends_with(instrument->name, "_total"))
            weir_text_adds(&name, "_total");
    }
    return weir_text_steal(&name);
}

/* As few digits as give the number back, written as upstream (Go's %g) writes them: 0.1, 100000, 1.048576e+06. */
static void print_finite(struct weir_text *text, double value)
{
    char digits[32];
    int precision = 0;
    do
        snprintf(digits, sizeof digits, "%.*e", precision, value);
    while (strtod(digits, NULL) != value && ++precision <= 16);
    long exponent = strtol(strchr(digits, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= 6)
        weir_text_adds(text, digits);
    else
        weir_text_addf(text, "%.*f", precision > exponent ? (int)(precision - exponent) : 0, value);
}

static void print_number(struct weir_text *text, double value)
{
    if (isnan(value))
        weir_text_adds(text, "NaN");
    else if (isinf(value))
        weir_text_adds(text, value > 0 ? "+Inf" : "-Inf");
    else
        print_finite(text, value);
}

static void print_line(struct weir_text *text, const struct exposition *exposition, const char *name,
                       const char *suffix, const char *labels, const char *extra, double value)
{
    const char *parts[] = { labels, exposition->style.constant_labels, extra };
    weir_text_addf(text, "%s%s", name, suffix);
    bool open = false;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(parts); i++) {
        if (!*parts[i])
            continue;
        weir_text_adds(text, open ? "," : "{");
        weir_text_adds(text, parts[i]);
        open = true;
    }
    weir_text_adds(text, open ? "} " : " ");
    print_number(text, value);
    weir_text_addc(text, '\n');
}

static void print_histogram(struct weir_text *text, const struct exposition *exposition, const char *name,
                            const struct weir_instrument *instrument, const struct sample *sample)
{
    uint64_t below = 0;
    for (size_t i = 0; i <= instrument->bound_count; i++) {
        struct weir_text le = { 0 };
        below += sample->buckets[i];
        weir_text_adds(&le, "le=\"");
        print_number(&le, i < instrument->bound_count ? instrument->bounds[i] : INFINITY);
        weir_text_addc(&le, '"');
        print_line(text, exposition, name, "_bucket", sample->labels, weir_text_string(&le), (double)below);
        weir_text_free(&le);
    }
    print_line(text, exposition, name, "_sum", sample->labels, "", sample->value);
    print_line(text, exposition, name, "_count", sample->labels, "", (double)sample->observations);
}

static const char *const type_names[] = {
    [WEIR_COUNTER] = "counter",
    [WEIR_GAUGE] = "gauge",
    [WEIR_HISTOGRAM] = "histogram",
};

void exposition_print(struct exposition *exposition, struct weir_text *text)
{
    for (size_t f = 0; f < exposition->count; f++) {
        const struct family *family = &exposition->families[f];
        const struct weir_instrument *instrument = family->instrument;
        char *name = family_name(exposition, instrument);
        weir_text_addf(text, "# HELP %s %s\n# TYPE %s %s\n", name, instrument->doc, name,
                       type_names[instrument->kind]);
        for (size_t s = 0; s < family->count; s++) {
            if (instrument->kind == WEIR_HISTOGRAM)
                print_histogram(text, exposition, name, instrument, &family->samples[s]);
            else
                print_line(text, exposition, name, "", family->samples[s].labels, "", family->samples[s].value);
        }
        free(name);
    }
}
