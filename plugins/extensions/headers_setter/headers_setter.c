// SPDX-License-Identifier: Apache-2.0
/*
 * The headers_setter extension: headers of requests on their way out, from the config, from files, or from what is
 * known of whoever sent the telemetry (contrib-processors 7).
 */
#include <config.h>

#include <ctype.h>
#include <stdlib.h>

#include <weir/auth.h>
#include <weir/watch.h>

enum action { ACTION_NONE, ACTION_INSERT, ACTION_UPDATE, ACTION_UPSERT, ACTION_DELETE };

struct header_options {
    int action; /* enum action */
    char *key;
    char *value;
    char *value_file;
    char *from_context;
    char *from_attribute;
    struct weir_secret default_value;
};

struct setter_options {
    struct weir_groups headers; /* struct header_options */
    struct weir_reference additional_auth;
};

static void check_header(const void *group, struct weir_checker *checker)
{
    const struct header_options *header = group;
    const char *const sources[] = { header->value, header->value_file, header->from_context, header->from_attribute };
    int given = 0;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(sources); i++)
        given += sources[i] != NULL;
    if (!header->key || !*header->key)
        weir_check_fail(checker, "key", "missing header name");
    if (header->action == ACTION_DELETE)
        return;
    if (given == 0)
        weir_check_fail(checker, "value", "missing header source, must be 'from_context', 'from_attribute', "
                                          "'value' or 'value_file'");
    else if (given > 1)
        weir_check_fail(checker, "value", "invalid header source, must either 'from_context', 'from_attribute', "
                                          "'value' or 'value_file'");
}

static void check_setter(const void *group, struct weir_checker *checker)
{
    const struct setter_options *options = group;
    if (options->headers.count == 0 && !options->additional_auth.id)
        weir_check_fail(checker, "headers", "missing headers configuration");
}

static const struct weir_option_value actions[] = { { "insert", ACTION_INSERT },
                                                    { "update", ACTION_UPDATE },
                                                    { "upsert", ACTION_UPSERT },
                                                    { "delete", ACTION_DELETE },
                                                    { "", ACTION_NONE },
                                                    { NULL, 0 } };

static const struct weir_option header_rows[] = {
    WEIR_OPTION(struct header_options, action, "action", .values = actions, .preset = "",
                .doc = "insert: only if the header is not there; update: only if it is; upsert: whether or not; "
                       "delete: takes it out. Default: upsert, with a warning."),
    WEIR_OPTION(struct header_options, key, "key", .doc = "Name of the header."),
    WEIR_OPTION(struct header_options, value, "value", .doc = "Its value."),
    WEIR_OPTION(struct header_options, value_file, "value_file",
                .doc = "File that holds the value, and is followed."),
    WEIR_OPTION(struct header_options, from_context, "from_context",
                .doc = "Metadata of the request that brought the telemetry (include_metadata of the receiver)."),
    WEIR_OPTION(struct header_options, from_attribute, "from_attribute",
                .doc = "What the receiver's authenticator found out of the sender, such as username."),
    WEIR_OPTION(struct header_options, default_value, "default_value",
                .doc = "Value where the context or attribute has none."),
    WEIR_OPTION_END,
};
static const struct weir_option_table header_table = { header_rows, sizeof(struct header_options), check_header };

static const struct weir_option setter_rows[] = {
    WEIR_OPTION_LIST(struct setter_options, headers, "headers", &header_table, .doc = "What to do, in order."),
    WEIR_OPTION(struct setter_options, additional_auth, "additional_auth",
                .doc = "Another client authenticator, which adds its headers first.", .interface = WEIR_AUTH_CLIENT,
                .noun = "client authenticator"),
    WEIR_OPTION_END,
};
static const struct weir_option_table setter_table = { setter_rows, sizeof(struct setter_options), check_setter };

/* A header with what of it is looked for in each request. */
struct header {
    const struct header_options *options;
    enum action action;
    char *from; /* the metadata's key, in lower case */
    struct weir_followed *file;
};

enum resolved { NOT_RESOLVED, RESOLVING, RESOLVED };

struct setter {
    struct header *headers;
    size_t count;
    struct weir_auth_client functions;
    enum resolved resolved;
    struct weir_instance *additional; /* NULL: none */
    const struct weir_auth_client *additional_functions;
};

/* --- values --- */

static int from_context(const struct header *header, const struct weir_context *context, struct weir_str *value,
                        struct weir_error *error)
{
    size_t count = 0, found = 0;
    const struct weir_metadata *metadata = weir_context_metadata(context, &count);
    for (size_t i = 0; i < count; i++) {
        if (weir_str_is(metadata[i].key, header->from)) {
            *value = metadata[i].value;
            found++;
        }
    }
    if (found > 1)
        return weir_error_set(error,
                              "failed to determine the source: %zu source keys found in the context, can't "
                              "determine which one to use",
                              found);
    return 0;
}

static void from_attribute(const struct header *header, const struct weir_context *context, struct weir_str *value)
{
    size_t count = 0;
    const struct weir_metadata *attributes = weir_context_attributes(context, &count);
    for (size_t i = 0; i < count; i++)
        if (weir_str_is(attributes[i].key, header->options->from_attribute))
            *value = attributes[i].value;
}

static int find_value(const struct header *header, const struct weir_context *context, struct weir_str *value,
                      struct weir_error *error)
{
    const struct header_options *options = header->options;
    *value = weir_str_of(options->default_value.text ? options->default_value.text : "");
    if (header->action == ACTION_DELETE)
        return 0;
    if (options->from_context)
        return from_context(header, context, value, error);
    if (options->from_attribute)
        from_attribute(header, context, value);
    else if (header->file)
        *value = weir_str_of(weir_followed_value(header->file));
    else
        *value = weir_str_of(options->value);
    return 0;
}

static void apply(const struct header *header, struct weir_str value, struct weir_auth_headers *headers)
{
    struct weir_str key = weir_str_of(header->options->key);
    bool there = weir_auth_header_has(headers, key);
    if (header->action == ACTION_DELETE)
        weir_auth_header_remove(headers, key);
    else if ((header->action != ACTION_INSERT || !there) && (header->action != ACTION_UPDATE || there))
        weir_auth_header_set(headers, key, value);
}

static int set_headers(struct weir_instance *extension, const struct weir_context *context,
                       struct weir_auth_headers *headers, struct weir_error *error)
{
    const struct setter *setter = weir_instance_data(extension);
    if (setter->additional &&
        setter->additional_functions->headers(setter->additional, context, headers, error) != 0)
        return -1;
    for (size_t i = 0; i < setter->count; i++) {
        struct weir_str value;
        if (find_value(&setter->headers[i], context, &value, error) != 0)
            return -1;
        apply(&setter->headers[i], value, headers);
    }
    return 0;
}

static const void *offer(struct weir_instance *instance, const char *interface)
{
    const struct setter *setter = weir_instance_data(instance);
    return strcmp(interface, WEIR_AUTH_CLIENT) == 0 ? &setter->functions : NULL;
}

/* --- life --- */

static int create(struct weir_instance *instance, struct weir_error *error)
{
    const struct setter_options *options = weir_instance_config(instance);
    const struct header_options *rows = options->headers.items;
    struct setter *setter = weir_xcalloc(1, sizeof(*setter));
    (void)error;
    setter->functions = (struct weir_auth_client){ sizeof(struct weir_auth_client), false, set_headers };
    setter->count = options->headers.count;
    setter->headers = weir_xcalloc(setter->count ? setter->count : 1, sizeof(*setter->headers));
    for (size_t i = 0; i < setter->count; i++) {
        struct header *header = &setter->headers[i];
        header->options = &rows[i];
        header->action = rows[i].action == ACTION_NONE ? ACTION_UPSERT : (enum action)rows[i].action;
        header->from = rows[i].from_context ? weir_xstrdup(rows[i].from_context) : NULL;
        for (char *at = header->from; at && *at; at++)
            *at = (char)tolower((unsigned char)*at);
    }
    weir_instance_set_data(instance, setter);
    return 0;
}

static const struct weir_component *own_component(void);

/* Finds the additional authenticator, and first that one's own if it is another headers_setter. */
static int resolve(struct weir_instance *instance, struct weir_error *error)
{
    const struct setter_options *options = weir_instance_config(instance);
    struct setter *setter = weir_instance_data(instance);
    const void *functions = NULL;
    const char *id = options->additional_auth.id;
    if (setter->resolved == RESOLVING)
        return weir_error_set(error, "additional_auth: \"%s\" leads back to itself", weir_instance_id(instance));
    if (!id || setter->resolved == RESOLVED)
        return 0;
    setter->resolved = RESOLVING;
    struct weir_instance *additional = NULL;
    if (weir_instance_extension(instance, id, WEIR_AUTH_CLIENT, "client authenticator", &additional, &functions,
                                error) != 0)
        return weir_error_prefix(error, "additional_auth");
    if (weir_instance_component(additional) == own_component() && resolve(additional, error) != 0)
        return -1;
    setter->additional = additional;
    setter->additional_functions = functions;
    setter->functions.needs_tls = setter->additional_functions->needs_tls;
    setter->resolved = RESOLVED;
    return 0;
}

static void *parse_value(void *user, struct weir_str content, struct weir_error *error)
{
    struct weir_str value = weir_str_trim(content);
    (void)user;
    for (size_t i = 0; i < value.length; i++) {
        if (iscntrl((unsigned char)value.data[i]) && value.data[i] != '\t') {
            weir_error_set(error, "more than one line, or control characters");
            return NULL;
        }
    }
    if (value.length == 0) {
        weir_error_set(error, "no value");
        return NULL;
    }
    return weir_str_dup(value);
}

static int start(struct weir_instance *instance, struct weir_error *error)
{
    struct setter *setter = weir_instance_data(instance);
    for (size_t i = 0; i < setter->count; i++) {
        struct header *header = &setter->headers[i];
        if (header->options->action == ACTION_NONE)
            weir_log(weir_instance_logger(instance), WEIR_WARN,
                     "The action was not provided, using 'upsert'. In future versions, we'll require this to be "
                     "explicitly set",
                     WEIR_F_TEXT("key", header->options->key));
        if (!header->options->value_file || header->action == ACTION_DELETE)
            continue;
        struct weir_followed_options options = { .path = header->options->value_file, .instance = instance,
                                                 .parse = parse_value, .release = free };
        header->file = weir_followed_new(&options, error);
        if (!header->file)
            return -1;
    }
    return resolve(instance, error);
}

static void stop(struct weir_instance *instance)
{
    struct setter *setter = weir_instance_data(instance);
    for (size_t i = 0; setter && i < setter->count; i++) {
        weir_followed_free(setter->headers[i].file);
        setter->headers[i].file = NULL;
    }
}

static void destroy(struct weir_instance *instance)
{
    struct setter *setter = weir_instance_data(instance);
    for (size_t i = 0; setter && i < setter->count; i++)
        free(setter->headers[i].from);
    if (setter)
        free(setter->headers);
    free(setter);
    weir_instance_set_data(instance, NULL);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXTENSION,
    .type = "headers_setter",
    .version = PACKAGE_VERSION,
    .summary = "Sets headers of outgoing requests, also from what brought the telemetry.",
    .options = &setter_table,
    .create = create,
    .start = start,
    .stop = stop,
    .destroy = destroy,
    .offer = offer,
};

static const struct weir_component *own_component(void)
{
    return &weir_component;
}
