// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "units.h"

struct word {
    const char *unit;
    const char *word;
};

static const struct word words[] = {
    { "d", "days" },         { "h", "hours" },        { "min", "minutes" },   { "s", "seconds" },
    { "ms", "milliseconds" }, { "us", "microseconds" }, { "ns", "nanoseconds" }, { "By", "bytes" },
    { "KiBy", "kibibytes" }, { "MiBy", "mebibytes" }, { "GiBy", "gibibytes" }, { "TiBy", "tibibytes" },
    { "KBy", "kilobytes" },  { "MBy", "megabytes" },  { "GBy", "gigabytes" }, { "TBy", "terabytes" },
    { "m", "meters" },       { "V", "volts" },        { "A", "amperes" },     { "J", "joules" },
    { "W", "watts" },        { "g", "grams" },        { "Cel", "celsius" },   { "Hz", "hertz" },
    { "1", "" },             { "%", "percent" },
};

static const struct word per_words[] = {
    { "s", "second" }, { "m", "minute" }, { "h", "hour" }, { "d", "day" },
    { "w", "week" },   { "mo", "month" }, { "y", "year" },
};

static struct weir_str find(const struct word *table, size_t count, struct weir_str unit)
{
    for (size_t i = 0; i < count; i++) {
        if (weir_str_is(unit, table[i].unit))
            return weir_str_of(table[i].word);
    }
    return unit;
}

/* A half with an annotation, such as {request}, has no word. */
static bool annotated(struct weir_str unit)
{
    return unit.length && (memchr(unit.data, '{', unit.length) || memchr(unit.data, '}', unit.length));
}

struct unit_words unit_words_of(struct weir_str unit)
{
    struct unit_words out = { WEIR_STR_NONE, WEIR_STR_NONE };
    const char *slash = unit.length ? memchr(unit.data, '/', unit.length) : NULL;
    struct weir_str main = unit, per = WEIR_STR_NONE;
    if (slash) {
        main.length = (size_t)(slash - unit.data);
        per = weir_str_make(slash + 1, unit.length - main.length - 1);
    }
    main = weir_str_trim(main);
    per = weir_str_trim(per);
    if (!annotated(main))
        out.main = find(words, WEIR_ARRAY_LENGTH(words), main);
    if (!annotated(per))
        out.per = find(per_words, WEIR_ARRAY_LENGTH(per_words), per);
    return out;
}
