// SPDX-License-Identifier: Apache-2.0
/* Matching items against `include` or `exclude`: all fields that are given must match. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "plugins/processors/attributes/match.h"
#include "plugins/processors/attributes/pattern.h"

/* One entry of `attributes` or `resources`. */
struct property {
    struct weir_str key;
    bool any; /* that it is there suffices */
    struct pattern value;
    char *text; /* of the value, as upstream renders it */
    enum weir_value_type type; /* strict: the type that the value must have; WEIR_VALUE_EMPTY with regexp */
};

struct properties {
    struct property *items;
    size_t count;
};

struct library {
    struct pattern name;
    bool any_version;
    struct pattern version;
};

struct match {
    enum weir_signal signal;
    struct patterns services, span_names, span_kinds, log_bodies, log_severity_texts, metric_names;
    const struct match_severity *severity; /* NULL: not asked for */
    struct properties attributes, resources;
    struct library *libraries;
    size_t library_count;
};

static const char *const kind_names[] = { "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
                                          "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER" };

/* --- making --- */

static int refuse(struct weir_error *error, const char *key, enum weir_signal signal)
{
    return weir_error_set(error, "%s should not be specified for %s", key, weir_signal_name(signal));
}

static int check_fields(const struct match_options *options, enum weir_signal signal, struct weir_error *error)
{
    const struct {
        const char *key;
        bool given;
        bool fits[WEIR_SIGNALS];
    } fields[] = {
        { "services", options->services.count, { [WEIR_TRACES] = true } },
        { "span_names", options->span_names.count, { [WEIR_TRACES] = true } },
        { "span_kinds", options->span_kinds.count, { [WEIR_TRACES] = true } },
        { "log_bodies", options->log_bodies.count, { [WEIR_LOGS] = true } },
        { "log_severity_texts", options->log_severity_texts.count, { [WEIR_LOGS] = true } },
        { "log_severity_number", options->severity_on, { [WEIR_LOGS] = true } },
        { "metric_names", options->metric_names.count, { [WEIR_METRICS] = true } },
        { "attributes", options->attributes.count, { [WEIR_TRACES] = true, [WEIR_LOGS] = true } },
        { "resources", options->resources.count,
          { [WEIR_TRACES] = true, [WEIR_METRICS] = true, [WEIR_LOGS] = true } },
        { "libraries", options->libraries.count, { [WEIR_TRACES] = true, [WEIR_LOGS] = true } },
    };
    bool any = false;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(fields); i++) {
        if (fields[i].given && !fields[i].fits[signal])
            return refuse(error, fields[i].key, signal);
        any = any || fields[i].given;
    }
    return any ? 0 : weir_error_set(error, "at least one field to match %s by must be specified", weir_signal_name(signal));
}

static int check_kinds(const struct match_options *options, struct weir_error *error)
{
    for (size_t i = 0; options->match_type == PATTERN_STRICT && i < options->span_kinds.count; i++) {
        size_t k = 1;
        while (k < WEIR_ARRAY_LENGTH(kind_names) && strcmp(options->span_kinds.items[i], kind_names[k]) != 0)
            k++;
        if (k == WEIR_ARRAY_LENGTH(kind_names))
            return weir_error_set(error, "span_kinds string must match one of the standard span kinds when match_type=strict: %s",
                                  options->span_kinds.items[i]);
    }
    return 0;
}

static enum weir_value_type type_of_node(const struct weir_node *node)
{
    switch (node->type) {
    case WEIR_NODE_BOOL:
        return WEIR_VALUE_BOOL;
    case WEIR_NODE_INT:
        return WEIR_VALUE_INT;
    case WEIR_NODE_DOUBLE:
        return WEIR_VALUE_DOUBLE;
    case WEIR_NODE_STRING:
    case WEIR_NODE_TIMESTAMP:
        return WEIR_VALUE_STRING;
    default:
        return WEIR_VALUE_EMPTY;
    }
}

/* The text that an attribute with this value has, too. */
static char *text_of_node(const struct weir_node *node)
{
    struct weir_text text = { 0 };
    struct weir_value value;
    switch (node->type) {
    case WEIR_NODE_BOOL:
        value = weir_value_bool(node->boolean);
        break;
    case WEIR_NODE_INT:
        value = weir_value_int(node->integer);
        break;
    case WEIR_NODE_DOUBLE:
        value = weir_value_double(node->number);
        break;
    default:
        value = weir_value_string(node->type == WEIR_NODE_STRING ? node->text : node->raw);
        break;
    }
    weir_value_print(&value, &text);
    return weir_text_steal(&text);
}

static int property_init(struct property *property, const struct match_attribute *options, enum pattern_kind kind,
                         struct weir_error *error)
{
    const struct weir_node *node = options->value.node;
    *property = (struct property){ .key = weir_str_of(options->key) };
    property->any = !node || node->type == WEIR_NODE_NULL;
    if (property->any)
        return 0;
    enum weir_value_type type = type_of_node(node);
    if (type == WEIR_VALUE_EMPTY)
        return weir_error_set(error, "the value of attribute \"%s\" must be a string, a number or a bool", options->key);
    if (kind == PATTERN_REGEXP && type != WEIR_VALUE_STRING)
        return weir_error_set(error, "match_type=regexp for \"%s\" only supports string values", options->key);
    property->type = kind == PATTERN_REGEXP ? WEIR_VALUE_EMPTY : type;
    property->text = text_of_node(node);
    return pattern_init(&property->value, property->text, kind, error);
}

static int properties_init(struct properties *properties, const struct weir_groups *groups, enum pattern_kind kind,
                           struct weir_error *error)
{
    const struct match_attribute *options = groups->items;
    properties->items = weir_xcalloc(groups->count + 1, sizeof *properties->items);
    while (properties->count < groups->count) {
        size_t at = properties->count++;
        if (property_init(&properties->items[at], &options[at], kind, error) != 0)
            return -1;
    }
    return 0;
}

static int libraries_init(struct match *match, const struct weir_groups *groups, enum pattern_kind kind,
                          struct weir_error *error)
{
    const struct match_library *options = groups->items;
    match->libraries = weir_xcalloc(groups->count + 1, sizeof *match->libraries);
    while (match->library_count < groups->count) {
        size_t at = match->library_count++;
        struct library *library = &match->libraries[at];
        const struct weir_node *version = options[at].version.node;
        library->any_version = !version || version->type == WEIR_NODE_NULL;
        if (pattern_init(&library->name, options[at].name ? options[at].name : "", kind, error) != 0 ||
            (!library->any_version && pattern_init(&library->version, version->text.data, kind, error) != 0))
            return -1;
    }
    return 0;
}

static int make(struct match *match, const struct match_options *options, struct weir_error *error)
{
    enum pattern_kind kind = (enum pattern_kind)options->match_type;
    if (check_fields(options, match->signal, error) != 0 || check_kinds(options, error) != 0)
        return -1;
    match->severity = options->severity_on ? &options->severity : NULL;
    if (patterns_init(&match->services, &options->services, kind, error) != 0 ||
        patterns_init(&match->span_names, &options->span_names, kind, error) != 0 ||
        patterns_init(&match->span_kinds, &options->span_kinds, kind, error) != 0 ||
        patterns_init(&match->log_bodies, &options->log_bodies, kind, error) != 0 ||
        patterns_init(&match->log_severity_texts, &options->log_severity_texts, kind, error) != 0 ||
        patterns_init(&match->metric_names, &options->metric_names, kind, error) != 0 ||
        properties_init(&match->attributes, &options->attributes, kind, error) != 0 ||
        properties_init(&match->resources, &options->resources, kind, error) != 0)
        return -1;
    return libraries_init(match, &options->libraries, kind, error);
}

struct match *match_new(const struct match_options *options, enum weir_signal signal, struct weir_error *error)
{
    struct match *match = weir_xcalloc(1, sizeof *match);
    match->signal = signal;
    if (make(match, options, error) == 0)
        return match;
    match_free(match);
    return NULL;
}

static void properties_free(struct properties *properties)
{
    for (size_t i = 0; i < properties->count; i++) {
        pattern_free(&properties->items[i].value);
        free(properties->items[i].text);
    }
    free(properties->items);
}

void match_free(struct match *match)
{
    if (!match)
        return;
    patterns_free(&match->services);
    patterns_free(&match->span_names);
    patterns_free(&match->span_kinds);
    patterns_free(&match->log_bodies);
    patterns_free(&match->log_severity_texts);
    patterns_free(&match->metric_names);
    properties_free(&match->attributes);
    properties_free(&match->resources);
    for (size_t i = 0; i < match->library_count; i++) {
        pattern_free(&match->libraries[i].name);
        pattern_free(&match->libraries[i].version);
    }
    free(match->libraries);
    free(match);
}

/* --- matching --- */

static bool text_matches(const struct pattern *pattern, const struct weir_value *value)
{
    struct weir_text text = { 0 };
    weir_value_print(value, &text);
    bool matches = pattern_matches(pattern, weir_text_view(&text));
    weir_text_free(&text);
    return matches;
}

static bool property_matches(const struct property *property, const struct weir_attributes *attributes)
{
    const struct weir_value *value = weir_attributes_get(attributes, property->key);
    if (!value || property->any)
        return value != NULL;
    if (property->type != WEIR_VALUE_EMPTY && property->type != value->type)
        return false;
    if (value->type == WEIR_VALUE_STRING)
        return pattern_matches(&property->value, value->string);
    return value->type != WEIR_VALUE_ARRAY && value->type != WEIR_VALUE_MAP && value->type != WEIR_VALUE_BYTES &&
           text_matches(&property->value, value);
}

static bool properties_match(const struct properties *properties, const struct weir_attributes *attributes)
{
    for (size_t i = 0; i < properties->count; i++)
        if (!property_matches(&properties->items[i], attributes))
            return false;
    return true;
}

static bool libraries_match(const struct match *match, const struct weir_scope *scope)
{
    for (size_t i = 0; i < match->library_count; i++) {
        const struct library *library = &match->libraries[i];
        if (!pattern_matches(&library->name, scope->name) ||
            (!library->any_version && !pattern_matches(&library->version, scope->version)))
            return false;
    }
    return true;
}

static struct weir_str service_name(const struct weir_resource *resource)
{
    const struct weir_value *value = weir_attributes_get(&resource->attributes, WEIR_STR("service.name"));
    return value && value->type == WEIR_VALUE_STRING ? value->string : WEIR_STR("<nil-service-name>");
}

static struct weir_str kind_name(int32_t kind)
{
    return kind > 0 && (size_t)kind < WEIR_ARRAY_LENGTH(kind_names) ? weir_str_of(kind_names[kind])
                                                                    : weir_str_of(kind_names[0]);
}

static bool span_matches(const struct match *match, const struct match_item *item)
{
    return patterns_match(&match->services, service_name(item->resource)) &&
           patterns_match(&match->span_names, item->span->name) &&
           patterns_match(&match->span_kinds, kind_name(item->span->kind)) &&
           properties_match(&match->attributes, &item->span->attributes);
}

static bool body_matches(const struct match *match, const struct weir_value *body)
{
    struct weir_text text = { 0 };
    if (match->log_bodies.count == 0)
        return true;
    weir_value_print(body, &text);
    bool matches = patterns_match(&match->log_bodies, weir_text_view(&text));
    weir_text_free(&text);
    return matches;
}

static bool severity_matches(const struct match_severity *severity, int32_t number)
{
    if (!severity)
        return true;
    return number == 0 ? severity->match_undefined : number >= severity->min;
}

static bool record_matches(const struct match *match, const struct match_item *item)
{
    return body_matches(match, &item->record->body) &&
           patterns_match(&match->log_severity_texts, item->record->severity_text) &&
           severity_matches(match->severity, item->record->severity_number) &&
           properties_match(&match->attributes, &item->record->attributes);
}

/* For metrics upstream looks at names only, whatever is said of resources. */
bool match_test(const struct match *match, const struct match_item *item)
{
    if (item->metric)
        return patterns_match(&match->metric_names, item->metric->name);
    if (!properties_match(&match->resources, &item->resource->attributes) || !libraries_match(match, item->scope))
        return false;
    return item->span ? span_matches(match, item) : record_matches(match, item);
}
