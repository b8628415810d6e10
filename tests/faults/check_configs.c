// SPDX-License-Identifier: Apache-2.0
/*
 * Checks many configurations in one process, as `weir validate` does: everything is created, nothing opened.
 * Reads "LENGTH\n" and so many bytes of YAML, again and again, from stdin. Answers each with a line: "+" accepted,
 * "-" refused, each error with its place; "!" and a text where an error has none, or where there is no error.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <weir/base.h>
#include <weir/sys/worker.h>

#include "core/graph/graph.h"

/* A case that takes longer hangs: the signal's default ends the process. */
#define CASE_SECONDS 30
#define TEXT_MOST (1 << 20)

static void report(struct weir_instance *instance, enum weir_status status, const char *reason)
{
    (void)instance;
    (void)status;
    (void)reason;
}

static const struct weir_host host = { .report = report };

static void answer(const struct graph *graph, const struct weir_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct weir_problem *problem = &problems->items[i];
        const struct weir_place *place = &problem->place;
        if (problem->warning || (place->source && place->line > 0 && place->column > 0))
            continue;
        printf("!no place: %s: %s\n", problem->path, problem->message);
        return;
    }
    if (!graph && problems->errors == 0)
        puts("!refused without an error");
    else if (graph && problems->errors > 0)
        puts("!accepted with an error");
    else
        puts(graph ? "+" : "-");
}

/* The text comes from the environment: places in a "yaml:" URI have no lines, and a file is not to be had by what
 * `${...}` the text may hold. */
static void check(const char *text, struct registry *registry)
{
    static const char *const uri = "env:WEIR_CASE";
    struct weir_problems problems = { 0 };
    setenv("WEIR_CASE", text, 1);
    struct weir_config_source source = { .uris = &uri, .uri_count = 1, .closed = true };
    struct weir_config *config = weir_config_load(&source, &problems);
    struct graph *graph = graph_build(config, registry, &host, NULL, &problems);
    answer(graph, &problems);
    graph_free(graph);
    weir_config_free(config);
    weir_problems_free(&problems);
}

/* NULL at the end. */
static char *next_text(void)
{
    char line[32], *end;
    if (!fgets(line, sizeof line, stdin))
        return NULL;
    unsigned long length = strtoul(line, &end, 10);
    if (*end != '\n' || length > TEXT_MOST)
        exit(2);
    char *text = weir_xmalloc(length + 1);
    if (fread(text, 1, length, stdin) != length)
        exit(2);
    text[length] = '\0';
    return text;
}

int main(void)
{
    struct weir_error error = WEIR_ERROR_INIT;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (weir_workers_create(1, WEIR_CLOCK_SYSTEM, &error) != 0) {
        fprintf(stderr, "%s\n", weir_error_text(&error));
        return 1;
    }
    struct registry *registry = registry_new(NULL, 0);
    for (char *text = next_text(); text; text = next_text()) {
        alarm(CASE_SECONDS);
        check(text, registry);
        free(text);
    }
    registry_free(registry);
    weir_workers_destroy();
    weir_error_free(&error);
    return 0;
}
