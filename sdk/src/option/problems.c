// SPDX-License-Identifier: Apache-2.0
/*
 * The list of what is wrong with a configuration.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/node.h>

static void add(struct weir_problems *problems, struct weir_place place, const char *path, bool warning,
                const char *format, va_list arguments) WEIR_PRINTF(5, 0);

static void add(struct weir_problems *problems, struct weir_place place, const char *path, bool warning,
                const char *format, va_list arguments)
{
    if (problems->count == problems->capacity) {
        size_t capacity = problems->capacity ? problems->capacity * 2 : 8;
        problems->items = weir_xrealloc(problems->items, capacity * sizeof(*problems->items));
        problems->capacity = capacity;
    }
    struct weir_text message = { 0 };
    weir_text_vaddf(&message, format, arguments);

    struct weir_problem *problem = &problems->items[problems->count++];
    problem->place = place;
    problem->place.source = place.source ? weir_xstrdup(place.source) : NULL;
    problem->path = weir_xstrdup(path ? path : "");
    problem->message = weir_text_steal(&message);
    problem->warning = warning;
    if (!warning)
        problems->errors++;
}

void weir_problem_add(struct weir_problems *problems, struct weir_place place, const char *path,
                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(problems, place, path, false, format, arguments);
    va_end(arguments);
}

void weir_warning_add(struct weir_problems *problems, struct weir_place place, const char *path,
                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(problems, place, path, true, format, arguments);
    va_end(arguments);
}

/* Rank of a source: the place where it is first mentioned. */
static size_t source_rank(const struct weir_problems *problems, const char *source)
{
    size_t i = 0;
    while (strcmp(problems->items[i].place.source ? problems->items[i].place.source : "", source ? source : "") != 0)
        i++;
    return i;
}

static bool stands_before(const struct weir_problems *problems, const struct weir_problem *a,
                          const struct weir_problem *b)
{
    size_t a_rank = source_rank(problems, a->place.source), b_rank = source_rank(problems, b->place.source);
    if (a_rank != b_rank)
        return a_rank < b_rank;
    if (a->place.line != b->place.line)
        return a->place.line < b->place.line;
    return a->place.column < b->place.column;
}

/* Into a copy, for ranks are asked of the list as it was; stable, and quick enough for what people mistype. */
void weir_problems_sort(struct weir_problems *problems)
{
    struct weir_problem *sorted = weir_xcalloc(problems->count ? problems->count : 1, sizeof *sorted);
    for (size_t i = 0; i < problems->count; i++) {
        size_t at = i;
        for (; at > 0 && stands_before(problems, &problems->items[i], &sorted[at - 1]); at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = problems->items[i];
    }
    free(problems->items);
    problems->items = sorted;
    problems->capacity = problems->count ? problems->count : 1;
}

void weir_problems_print(const struct weir_problems *problems, struct weir_text *text)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct weir_problem *problem = &problems->items[i];
        if (problem->place.source && problem->place.line > 0)
            weir_text_addf(text, "%s:%u:%u: ", problem->place.source, problem->place.line,
                           problem->place.column);
        else if (problem->place.source)
            weir_text_addf(text, "%s: ", problem->place.source);
        if (problem->warning)
            weir_text_adds(text, "warning: ");
        if (problem->path[0])
            weir_text_addf(text, "%s: ", problem->path);
        weir_text_addf(text, "%s\n", problem->message);
    }
}

void weir_problems_free(struct weir_problems *problems)
{
    if (!problems)
        return;
    for (size_t i = 0; i < problems->count; i++) {
        free((void *)(uintptr_t)problems->items[i].place.source);
        free(problems->items[i].path);
        free(problems->items[i].message);
    }
    free(problems->items);
    *problems = (struct weir_problems){ 0 };
}
