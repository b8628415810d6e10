// SPDX-License-Identifier: Apache-2.0
/* Traces from text. */
#include <config.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugins/processors/tail_sampling/tests/spans.h"

#define ROOM 256
#define START UINT64_C(1700000000000000000)

struct maker {
    struct weir_batch *batch;
    struct weir_group *group;
    struct weir_scope_group *scope;
    struct weir_span *span;
    char trace[16];
    unsigned char spans;
};

static struct weir_arena *arena(struct maker *maker)
{
    return weir_batch_arena(maker->batch);
}

static struct weir_str copy(struct maker *maker, const char *text)
{
    return weir_arena_copy(arena(maker), weir_str_of(text));
}

static void set_attribute(struct maker *maker, struct weir_attributes *to, const char *type, char *text)
{
    char *value = strchr(text, '=');
    ck_assert_ptr_nonnull(value);
    *value++ = '\0';
    struct weir_value made = weir_value_string(copy(maker, value));
    if (strcmp(type, "int") == 0)
        made = weir_value_int(strtoll(value, NULL, 10));
    else if (strcmp(type, "bool") == 0)
        made = weir_value_bool(strcmp(value, "true") == 0);
    else if (strcmp(type, "dbl") == 0)
        made = weir_value_double(strtod(value, NULL));
    if (*type != '+') {
        ck_assert(weir_attributes_set(to, arena(maker), copy(maker, text), made));
        return;
    }
    struct weir_attribute *items = weir_arena_calloc(arena(maker), to->count + 1, sizeof *items);
    memcpy(items, to->items, to->count * sizeof *items);
    items[to->count] = (struct weir_attribute){ copy(maker, text), made };
    *to = (struct weir_attributes){ items, to->count + 1, to->count + 1 };
}

static void parse_id(const char *hex, char *id)
{
    ck_assert_uint_eq(strlen(hex), 32);
    for (int i = 0; i < 16; i++) {
        char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
        id[i] = (char)strtoul(pair, NULL, 16);
    }
}

static bool set_field(struct maker *maker, const char *key, const char *value)
{
    struct weir_span *span = maker->span;
    if (strcmp(key, "d") == 0) {
        span->start_time_unix_nano = START + strtoull(value, NULL, 10) * 1000000;
        span->end_time_unix_nano = START + strtoull(strchr(value, '-') + 1, NULL, 10) * 1000000;
    } else if (strcmp(key, "s") == 0) {
        span->status_code = strcmp(value, "OK") == 0 ? 1 : strcmp(value, "ERROR") == 0 ? 2 : 0;
    } else if (strcmp(key, "f") == 0) {
        span->flags = (uint32_t)strtoul(value, NULL, 10);
    } else if (strcmp(key, "ts") == 0) {
        span->trace_state = copy(maker, value);
        for (size_t i = 0; i < span->trace_state.length; i++)
            if (span->trace_state.data[i] == '~')
                ((char *)span->trace_state.data)[i] = ' ';
    } else if (strcmp(key, "n") == 0) {
        span->name = copy(maker, value);
    } else if (strcmp(key, "id") == 0) {
        parse_id(value, maker->trace);
    } else {
        return false;
    }
    return true;
}

static void parse_word(struct maker *maker, char *word)
{
    char *colon = strchr(word, ':');
    if (!colon && strcmp(word, "child") == 0) {
        maker->span->parent_span_id = copy(maker, "12345678");
    } else if (!colon) {
        memset(maker->trace, 0, 16);
        maker->trace[15] = (char)strtol(word, NULL, 10);
        ck_assert_int_ne(maker->trace[15], 0);
    } else {
        *colon = '\0';
        if (set_field(maker, word, colon + 1) || strcmp(word, "scope") == 0)
            return;
        if (*word == 'r')
            set_attribute(maker, &weir_group_edit_resource(maker->group)->attributes, word + 1, colon + 1);
        else
            set_attribute(maker, &maker->span->attributes, word, colon + 1);
    }
}

static void new_scope(struct maker *maker, const char *name)
{
    maker->scope = weir_group_add_scope(maker->group, WEIR_STR_NONE);
    weir_scope_group_edit_scope(maker->scope)->name = copy(maker, name);
}

static void parse_span(struct maker *maker, char *text)
{
    const char *scope = strstr(text, "scope:");
    if (scope) {
        char name[ROOM] = "";
        sscanf(scope + 6, "%255[^ ;|/]", name);
        new_scope(maker, name);
    } else if (!maker->scope) {
        new_scope(maker, "test");
    }
    maker->span = weir_scope_group_add_span(maker->scope);
    char id[9] = "span0000";
    id[7] = (char)++maker->spans;
    maker->span->span_id = weir_arena_copy(arena(maker), weir_str_make(id, 8));
    for (char *save = NULL, *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
        parse_word(maker, word);
    maker->span->trace_id = weir_arena_copy(arena(maker), weir_str_make(maker->trace, 16));
}

struct weir_batch *spans_next(const char **text)
{
    static struct maker maker;
    if (!*text || !**text)
        return NULL;
    const char *end = strchr(*text, '/');
    char *own = end ? strndup(*text, (size_t)(end - *text)) : strdup(*text), *groups = NULL;
    maker.batch = weir_batch_new(WEIR_TRACES);
    for (char *group = strtok_r(own, "|", &groups); group; group = strtok_r(NULL, "|", &groups)) {
        char *spans = NULL;
        maker.group = weir_batch_add_group(maker.batch, WEIR_STR_NONE);
        maker.scope = NULL;
        for (char *span = strtok_r(group, ";", &spans); span; span = strtok_r(NULL, ";", &spans))
            parse_span(&maker, span);
    }
    weir_batch_commit(maker.batch);
    free(own);
    *text = end ? end + 1 : NULL;
    return maker.batch;
}

static void add_trace(const struct weir_span *span, char *room)
{
    char number[16], *at = room;
    int length = snprintf(number, sizeof number, "%d", (unsigned char)span->trace_id.data[15]);
    while ((at = strstr(at, number))) {
        if ((at == room || at[-1] == ',') && (at[length] == '\0' || at[length] == ','))
            return;
        at++;
    }
    size_t used = strlen(room);
    snprintf(room + used, ROOM - used, "%s%s", used ? "," : "", number);
}

void spans_traces(struct weir_batch *const *batches, size_t count, char *room)
{
    *room = '\0';
    for (size_t i = 0; i < count; i++)
        for (struct weir_group *group = weir_batch_first_group(batches[i]); group; group = weir_group_next(group))
            for (struct weir_scope_group *scope = weir_group_first_scope(group); scope;
                 scope = weir_scope_group_next(scope))
                for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = weir_entry_next(entry))
                    add_trace(weir_entry_span(entry), room);
}

static void add(char *room, const char *text, size_t length)
{
    size_t used = strlen(room);
    snprintf(room + used, ROOM - used, "%s%.*s", used ? " " : "", (int)length, text);
}

void spans_names(struct weir_batch *batch, char *room)
{
    *room = '\0';
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group)) {
        if (*room)
            add(room, "|", 1);
        bool first = true;
        for (struct weir_scope_group *scope = weir_group_first_scope(group); scope;
             scope = weir_scope_group_next(scope)) {
            if (!first)
                add(room, "/", 1);
            first = false;
            for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = weir_entry_next(entry)) {
                struct weir_str name = weir_entry_span(entry)->name;
                add(room, name.data, name.length);
            }
        }
    }
}
