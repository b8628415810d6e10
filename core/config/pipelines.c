// SPDX-License-Identifier: Apache-2.0
/*
 * The service section: extensions to start, and pipelines.
 */
#include <config.h>

#include <stdlib.h>

#include "core/config/model.h"

static bool has_use(const struct weir_uses *uses, struct weir_id id)
{
    for (size_t i = 0; i < uses->count; i++) {
        if (weir_id_equal(uses->items[i].id, id))
            return true;
    }
    return false;
}

/* A list of ids while it is read. */
struct id_list {
    struct weir_config *config;
    struct weir_problems *problems;
    const char *path;
    bool once; /* an id must not stand in it twice */
    struct weir_uses *uses;
    size_t index;
};

static void fail_item(const struct id_list *list, struct weir_place place, const char *message)
{
    char *path = weir_xasprintf("%s[%zu]", list->path, list->index);
    weir_problem_add(list->problems, place, path, "%s", message);
    free(path);
}

static void add_use(struct id_list *list, struct weir_str text, struct weir_place place)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_use use = { .place = place };
    if (weir_id_parse(text, &list->config->arena, &use.id, &error) < 0)
        fail_item(list, place, weir_error_text(&error));
    else if (!has_use(list->uses, use.id))
        list->uses->items[list->uses->count++] = use;
    else if (list->once)
        weir_problem_add(list->problems, place, list->path, "references processor \"%s\" multiple times",
                         use.id.text);
    weir_error_free(&error);
    list->index++;
}

static void reserve(struct id_list *list, size_t count)
{
    list->uses->items =
        tree_must(weir_arena_calloc(&list->config->arena, count + 1, sizeof(struct weir_use)));
}

/* A text is split at its commas, as for every list. */
static void read_joined(struct id_list *list, const struct weir_node *node)
{
    struct weir_str rest = node->text;
    size_t commas = 0;
    for (size_t i = 0; i < rest.length; i++)
        commas += rest.data[i] == ',';
    reserve(list, commas + 1);
    while (rest.length > 0) {
        const char *comma = memchr(rest.data, ',', rest.length);
        size_t length = comma ? (size_t)(comma - rest.data) : rest.length;
        add_use(list, weir_str_make(rest.data, length), node->place);
        if (!comma)
            break;
        rest = weir_str_make(comma + 1, rest.length - length - 1);
    }
}

static void read_uses(struct id_list *list, const struct weir_node *node)
{
    if (!node || node->type == WEIR_NODE_NULL || node->broken)
        return;
    if (node->type == WEIR_NODE_STRING) {
        read_joined(list, node);
        return;
    }
    if (node->type != WEIR_NODE_LIST) {
        weir_problem_add(list->problems, node->place, list->path,
                         "source data must be an array or slice, got %s; expected a list of ids",
                         weir_node_type_name(node->type));
        return;
    }
    reserve(list, node->count);
    for (const struct weir_node *item = node->first; item; item = item->next) {
        if (item->type == WEIR_NODE_STRING && !item->broken) {
            add_use(list, item->expanded ? item->raw : item->text, item->place);
            continue;
        }
        struct weir_text message = { 0 };
        weir_text_addf(&message, "expected type 'string', got unconvertible type '%s'",
                       weir_node_type_name(item->type));
        if (!item->broken)
            fail_item(list, item->place, weir_text_string(&message));
        weir_text_free(&message);
        list->index++;
    }
}

static const char *const promise_names[] = {
    [WEIR_PROMISE_MEMORY] = "memory",
    [WEIR_PROMISE_DISK] = "disk",
    [WEIR_PROMISE_SINK] = "sink",
};

const char *weir_promise_name(enum weir_promise promise)
{
    return promise_names[promise];
}

/* What the pipeline's answers must mean; absent: what upstream's mean. */
static void read_ack(const struct weir_node *node, const char *path, struct weir_pipeline *pipeline,
                     struct weir_problems *problems)
{
    pipeline->ack = WEIR_PROMISE_MEMORY;
    pipeline->ack_place = node ? node->place : pipeline->place;
    if (!node || node->broken || node->type == WEIR_NODE_NULL)
        return;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(promise_names); i++)
        if (weir_str_is(node->text, promise_names[i])) {
            pipeline->ack = (enum weir_promise)i;
            return;
        }
    weir_problem_add(problems, node->place, path,
                     "unknown value \"%.*s\", expected \"memory\", \"disk\" or \"sink\"",
                     WEIR_STR_ARG(node->raw));
}

static const char *join(struct weir_config *config, const char *path, const char *key)
{
    char *joined = weir_xasprintf("%s::%s", path, key);
    const char *copy = tree_copy_text(&config->arena, weir_str_of(joined)).data;
    free(joined);
    return copy;
}

static bool find_signal(const char *name, enum weir_signal *out)
{
    for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
        if (strcmp(name, weir_signal_name((enum weir_signal)signal)) == 0) {
            *out = (enum weir_signal)signal;
            return true;
        }
    }
    return false;
}

/* Reads the id of a pipeline; false, with the problem added, if it is none. */
static bool read_pipeline_id(struct weir_config *config, const struct weir_node *node,
                             struct weir_pipeline *out, struct weir_problems *problems)
{
    static const char path[] = "service::pipelines";
    struct weir_error error = WEIR_ERROR_INIT;
    bool good = false;
    if (weir_id_parse(node->key, &config->arena, &out->id, &error) < 0)
        weir_problem_add(problems, node->key_place, path, "%s", weir_error_text(&error));
    else if (!find_signal(out->id.type, &out->signal))
        weir_problem_add(
            problems, node->key_place, path,
            "unknown signal \"%s\" in pipeline \"%s\", expected traces, metrics, logs or profiles",
            out->id.type, out->id.text);
    else
        good = true;
    weir_error_free(&error);
    for (size_t i = 0; good && i < config->pipeline_count; i++) {
        if (weir_id_equal(config->pipelines[i].id, out->id)) {
            weir_problem_add(problems, node->key_place, path, "duplicate name \"%s\"", out->id.text);
            good = false;
        }
    }
    if (good && out->signal == WEIR_PROFILES && !config->gates.profiles) {
        weir_problem_add(problems, node->key_place, path,
                         "pipeline \"%s\": profiling signal support is at alpha level, gated under the "
                         "\"service.profilesSupport\" feature gate",
                         out->id.text);
    }
    return good;
}

static void read_pipeline(struct weir_config *config, const struct weir_node *node,
                          struct weir_problems *problems)
{
    static const char *const keys[] = { "receivers", "processors", "exporters", "ack", NULL };
    struct weir_pipeline pipeline = { .place = node->key_place, .node = node };
    if (!read_pipeline_id(config, node, &pipeline, problems))
        return;
    pipeline.path = join(config, "service::pipelines", pipeline.id.text);
    if (model_is_map(node, pipeline.path, problems)) {
        for (const struct weir_node *child = node->first; child; child = child->next) {
            bool known = false;
            for (size_t i = 0; keys[i]; i++)
                known = known || weir_str_is(child->key, keys[i]);
            if (!known)
                model_unknown_key(child, pipeline.path, keys, problems);
        }
    }
    struct id_list list = { .config = config, .problems = problems };
    struct weir_uses *const uses[] = { &pipeline.receivers, &pipeline.processors, &pipeline.exporters };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(uses); i++) {
        list.path = join(config, pipeline.path, keys[i]);
        list.uses = uses[i];
        list.once = i == 1;
        list.index = 0;
        read_uses(&list, weir_node_get(node, keys[i]));
    }
    read_ack(weir_node_get(node, "ack"), join(config, pipeline.path, "ack"), &pipeline, problems);
    config->pipelines[config->pipeline_count++] = pipeline;
}

void model_service(struct weir_config *config, const struct weir_node *service,
                   struct weir_problems *problems)
{
    static const char *const keys[] = { "extensions", "pipelines", "telemetry", NULL };
    if (!model_is_map(service, "service", problems))
        service = NULL;
    for (const struct weir_node *child = service ? service->first : NULL; child; child = child->next) {
        bool known = false;
        for (size_t i = 0; keys[i]; i++)
            known = known || weir_str_is(child->key, keys[i]);
        if (!known)
            model_unknown_key(child, "service", keys, problems);
    }
    struct id_list list = { config, problems, "service::extensions", false, &config->extensions, 0 };
    read_uses(&list, weir_node_get(service, "extensions"));

    const struct weir_node *pipelines = weir_node_get(service, "pipelines");
    if (model_is_map(pipelines, "service::pipelines", problems)) {
        config->pipelines =
            tree_must(weir_arena_calloc(&config->arena, pipelines->count + 1, sizeof(struct weir_pipeline)));
        for (const struct weir_node *child = pipelines->first; child; child = child->next)
            read_pipeline(config, child, problems);
    }
    telemetry_decode(weir_node_get(service, "telemetry"), &config->arena, &config->telemetry, problems);
}
