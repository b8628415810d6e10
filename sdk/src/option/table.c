// SPDX-License-Identifier: Apache-2.0
/*
 * Walks option tables: rows by key, words of enums, ranges.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "sdk/src/option/decode.h"

void *option_calloc(struct weir_arena *arena, size_t count, size_t size)
{
    void *piece = weir_arena_calloc(arena, count ? count : 1, size);
    if (!piece) {
        fputs("weir: out of memory while reading the configuration\n", stderr);
        abort();
    }
    return piece;
}

char *option_copy(struct weir_arena *arena, struct weir_str text)
{
    char *copy = option_calloc(arena, text.length + 1, 1);
    if (text.length > 0)
        memcpy(copy, text.data, text.length);
    return copy;
}

struct found_row option_find(const struct weir_option_table *table, struct weir_str key, char *base)
{
    for (const struct weir_option *row = table->options; row->key; row++) {
        char *field = base ? base + row->offset : NULL;
        if (row->kind == WEIR_OPTION_KIND_INLINE) {
            struct found_row found = option_find(row->table, key, field);
            if (found.row)
                return found;
        } else if (weir_str_is(key, row->key)) {
            return (struct found_row){ row, base };
        }
    }
    return (struct found_row){ NULL, NULL };
}

/* The key `*skip` rows from here, counting those that are worth proposing; lowers *skip by what it passed. */
static const char *key_at(const struct weir_option_table *table, size_t *skip)
{
    for (const struct weir_option *row = table->options; row->key; row++) {
        if (row->kind == WEIR_OPTION_KIND_INLINE) {
            const char *key = key_at(row->table, skip);
            if (key)
                return key;
        } else if (!row->replaced_by && row->kind != WEIR_OPTION_KIND_REFUSED &&
                   row->kind != WEIR_OPTION_KIND_IGNORED) {
            if (*skip == 0)
                return row->key;
            (*skip)--;
        }
    }
    return NULL;
}

const char *option_next_key(void *keys)
{
    struct option_keys *all = keys;
    size_t skip = all->skip++;
    return key_at(all->table, &skip);
}

bool option_find_word(const struct weir_option *row, struct weir_str word, int *out)
{
    for (const struct weir_option_value *value = row->values; value && value->name; value++) {
        struct weir_str name = weir_str_of(value->name);
        if (row->nocase ? weir_str_equal_nocase(name, word) : weir_str_equal(name, word)) {
            *out = value->value;
            return true;
        }
    }
    return false;
}

const char *option_next_word(void *values)
{
    const struct weir_option_value **next = values;
    return (*next)->name ? (*next)++->name : NULL;
}

bool option_range(const struct weir_option *row, int64_t *min, int64_t *max)
{
    if (!row->bounded && row->min == 0 && row->max == 0)
        return false;
    *min = row->min;
    *max = row->max == 0 && row->min >= 0 ? INT64_MAX : row->max;
    return true;
}
