// SPDX-License-Identifier: Apache-2.0
/* Where the collector's log goes and what every line carries. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <weir/node.h>
#include <weir/sys/host.h>

#include "core/service/logging.h"

struct logging {
    struct weir_logging settings;
    int *descriptors;
    char *fields;
};

char *resource_make_uuid(void)
{
    unsigned char bytes[16] = { 0 };
    struct weir_text text = { 0 };
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        memcpy(bytes, &(pid_t){ getpid() }, sizeof(pid_t));
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof bytes; i++)
        weir_text_addf(&text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
    return weir_text_steal(&text);
}

static void remove_pair(struct weir_pairs *pairs, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->items[i].name, name) == 0) {
            free(pairs->items[i].name);
            free(pairs->items[i].value);
        } else {
            pairs->items[kept++] = pairs->items[i];
        }
    }
    pairs->count = kept;
}

static void set_pair(struct weir_pairs *pairs, const char *name, const char *value)
{
    remove_pair(pairs, name);
    pairs->items = weir_xrealloc(pairs->items, (pairs->count + 1) * sizeof *pairs->items);
    pairs->items[pairs->count++] = (struct weir_pair){ weir_xstrdup(name), weir_xstrdup(value) };
}

static void add_json_text(struct weir_text *text, struct weir_str value)
{
    weir_text_addc(text, '"');
    weir_text_add_json(text, value);
    weir_text_addc(text, '"');
}

/* A part of the configuration as JSON on one line, spaced as the log's fields are. As deep as YAML was read. */
static void add_json(struct weir_text *text, const struct weir_node *node)
{
    bool map = node->type == WEIR_NODE_MAP;
    switch (node->type) {
    case WEIR_NODE_NULL:
        weir_text_adds(text, "null");
        break;
    case WEIR_NODE_BOOL:
        weir_text_adds(text, node->boolean ? "true" : "false");
        break;
    case WEIR_NODE_INT:
        weir_text_addf(text, "%lld", (long long)node->integer);
        break;
    case WEIR_NODE_MAP:
    case WEIR_NODE_LIST:
        weir_text_addc(text, map ? '{' : '[');
        for (const struct weir_node *child = node->first; child; child = child->next) {
            if (map) {
                add_json_text(text, child->key);
                weir_text_adds(text, ": ");
            }
            add_json(text, child);
            if (child->next)
                weir_text_adds(text, ", ");
        }
        weir_text_addc(text, map ? '}' : ']');
        break;
    case WEIR_NODE_DOUBLE:
        if (isfinite(node->number)) {
            weir_text_addf(text, "%.17g", node->number);
            break;
        }
        add_json_text(text, node->raw.data ? node->raw : WEIR_STR(""));
        break;
    default:
        add_json_text(text, node->raw.data ? node->raw : WEIR_STR(""));
        break;
    }
}

/* A list of values is one text, as OpenTelemetry's SDKs make a label of it: ["a", "b"] */
static char *attribute_text(const struct weir_node *value)
{
    struct weir_text text = { 0 };
    if (value->type == WEIR_NODE_LIST)
        add_json(&text, value);
    else
        weir_text_adds(&text, value->raw.data ? value->raw.data : "");
    return weir_text_steal(&text);
}

struct weir_pairs *resource_new(const struct weir_telemetry *telemetry, const char *uuid)
{
    struct weir_pairs *resource = weir_xcalloc(1, sizeof *resource);
    set_pair(resource, "service.instance.id", uuid);
    set_pair(resource, "service.name", PACKAGE_NAME);
    set_pair(resource, "service.version", PACKAGE_VERSION);
    for (size_t i = 0; i < telemetry->attribute_count; i++) {
        const struct weir_telemetry_attribute *attribute = &telemetry->attributes[i];
        char *value = attribute->value ? attribute_text(attribute->value) : NULL;
        if (value)
            set_pair(resource, attribute->name, value);
        else
            remove_pair(resource, attribute->name);
        free(value);
    }
    return resource;
}

void resource_free(struct weir_pairs *resource)
{
    if (!resource)
        return;
    for (size_t i = 0; i < resource->count; i++) {
        free(resource->items[i].name);
        free(resource->items[i].value);
    }
    free(resource->items);
    free(resource);
}

static void add_member_name(struct weir_text *text, const char *name)
{
    if (text->length > 0 && text->data[text->length - 1] != '{')
        weir_text_adds(text, ", ");
    add_json_text(text, weir_str_of(name));
    weir_text_adds(text, ": ");
}

static char *common_fields(const struct weir_telemetry_logs *logs, const struct weir_pairs *resource)
{
    struct weir_text text = { 0 };
    if (!logs->disable_zap_resource) {
        weir_text_adds(&text, "\"resource\": {");
        for (size_t i = 0; i < resource->count; i++) {
            add_member_name(&text, resource->items[i].name);
            add_json_text(&text, weir_str_of(resource->items[i].value));
        }
        weir_text_addc(&text, '}');
    }
    const struct weir_node *fields = logs->initial_fields.node;
    for (const struct weir_node *field = fields ? fields->first : NULL; field; field = field->next) {
        add_member_name(&text, field->key.data);
        add_json(&text, field);
    }
    return weir_text_steal(&text);
}

static int open_output(const char *path, struct weir_error *error)
{
    if (strcmp(path, "stderr") == 0)
        return STDERR_FILENO;
    if (strcmp(path, "stdout") == 0)
        return STDOUT_FILENO;
    if (strncmp(path, "file://", 7) == 0)
        path += 7;
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return file >= 0 ? file : weir_error_errno(error, errno, "failed to create logger: cannot open %s", path);
}

static int open_outputs(struct logging *logging, const struct weir_strings *paths, struct weir_error *error)
{
    logging->descriptors = weir_xcalloc(paths->count + 1, sizeof *logging->descriptors);
    for (size_t i = 0; i < paths->count; i++) {
        int file = open_output(paths->items[i], error);
        if (file < 0)
            return -1;
        logging->descriptors[logging->settings.descriptor_count++] = file;
    }
    if (!paths->present && paths->count == 0)
        logging->descriptors[logging->settings.descriptor_count++] = STDERR_FILENO;
    return 0;
}

struct logging *logging_open(const struct weir_telemetry *telemetry, const struct weir_pairs *resource,
                             struct weir_error *error)
{
    const struct weir_telemetry_logs *logs = &telemetry->logs;
    struct logging *logging = weir_xcalloc(1, sizeof *logging);
    if (open_outputs(logging, &logs->output_paths, error) != 0) {
        logging_close(logging);
        return NULL;
    }
    logging->fields = common_fields(logs, resource);
    logging->settings = (struct weir_logging){
        .level = (enum weir_log_level)logs->level,
        .json = logs->encoding == WEIR_TELEMETRY_JSON,
        .sampling = logs->sampling.enabled,
        .sampling_tick = logs->sampling.tick.ns,
        .sampling_initial = (unsigned)logs->sampling.initial,
        .sampling_thereafter = (unsigned)logs->sampling.thereafter,
        .descriptors = logging->descriptors,
        .descriptor_count = logging->settings.descriptor_count,
        .fields = logging->fields,
    };
    return logging;
}

void logging_use(const struct logging *logging)
{
    static const int standard_error = STDERR_FILENO;
    static const struct weir_logging plain = { .level = WEIR_INFO, .descriptors = &standard_error,
                                               .descriptor_count = 1 };
    weir_logging_configure(logging ? &logging->settings : &plain);
}

void logging_close(struct logging *logging)
{
    if (!logging)
        return;
    for (size_t i = 0; i < logging->settings.descriptor_count; i++)
        if (logging->descriptors[i] > STDERR_FILENO)
            close(logging->descriptors[i]);
    free(logging->descriptors);
    free(logging->fields);
    free(logging);
}
