// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/loki/options.h"

/* --- modes --- */

static bool is_given(const char *text)
{
    return text && *text;
}

static bool ends_in(const char *text, const char *tail)
{
    size_t length = text ? strlen(text) : 0, tail_length = strlen(tail);
    while (length && text[length - 1] == '/')
        length--;
    return length >= tail_length && memcmp(text + length - tail_length, tail, tail_length) == 0;
}

const char *loki_otlp_path(const struct loki_config *config)
{
    return ends_in(config->endpoint, "/otlp/v1/logs") ? "" : "v1/logs";
}

enum loki_mode loki_mode(const struct loki_config *config)
{
    if (ends_in(config->endpoint, "/otlp") || ends_in(config->endpoint, "/otlp/v1/logs"))
        return LOKI_OTLP;
    return config->labels_on ? LOKI_MAPPED : LOKI_HINTED;
}

/* The push API's protobuf is always snappy. */
enum weir_encoding loki_compression(const struct loki_config *config)
{
    if (loki_mode(config) != LOKI_OTLP && config->encoding == LOKI_PROTO)
        return WEIR_ENCODING_SNAPPY;
    return config->compression == LOKI_COMPRESSION_UNSET ? WEIR_ENCODING_GZIP : (enum weir_encoding)config->compression;
}

/* --- checks --- */

static bool is_label_name(const char *name)
{
    for (const char *at = name; *at; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_';
        if (!letter && (at == name || *at < '0' || *at > '9'))
            return false;
    }
    return true;
}

static void check_names(const struct weir_pairs *pairs, const char *key, struct weir_checker *checker)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (!is_label_name(pairs->items[i].value))
            weir_check_fail(checker, key,
                            "the label `%s` is not a valid label name, which must match \"^[a-zA-Z_][a-zA-Z0-9_]*$\"",
                            pairs->items[i].value);
        if (!*pairs->items[i].name)
            weir_check_fail(checker, key, "the label `%s` is of an attribute without a name", pairs->items[i].value);
    }
}

static void check_mapping(const void *group, struct weir_checker *checker)
{
    const struct loki_mapping *labels = group;
    if (labels->attributes.count + labels->resource.count + labels->record.count == 0)
        weir_check_fail(checker, NULL,
                        "\"labels.attributes\", \"labels.resource\", or \"labels.record\" must be configured with at least "
                        "one attribute");
    check_names(&labels->attributes, "attributes", checker);
    check_names(&labels->resource, "resource", checker);
    check_names(&labels->record, "record", checker);
    for (size_t i = 0; i < labels->record.count; i++) {
        struct weir_str name = weir_str_of(labels->record.items[i].name);
        if (!weir_str_is(name, "traceID") && !weir_str_is(name, "spanID") && !weir_str_is(name, "severity")
            && !weir_str_is(name, "severityN"))
            weir_check_fail(checker, "record", "no field \"%s\": traceID, spanID, severity and severityN can be labels",
                            labels->record.items[i].name);
    }
}

static void check_endpoint(const struct loki_config *config, struct weir_checker *checker)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_url url;
    if (weir_url_parse(config->endpoint ? config->endpoint : "", &url, &error) < 0)
        weir_check_fail(checker, "endpoint", "\"endpoint\" must be a valid URL: %s", weir_error_text(&error));
    else
        weir_url_free(&url);
    weir_error_free(&error);
}

static void check_otlp(const struct loki_config *config, struct weir_checker *checker)
{
    static const char *const push_keys[] = { "labels", "format", "default_labels_enabled", "encoding" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(push_keys); i++) {
        if (weir_check_given(checker, push_keys[i]))
            weir_check_fail(checker, push_keys[i],
                            "an endpoint that ends in /otlp is Loki's intake of OTLP, which makes labels and lines itself; "
                            "the push API's ends in /loki/api/v1/push");
    }
    if (config->tenant_on && config->tenant.source == LOKI_TENANT_ATTRIBUTE)
        weir_check_fail(checker, "tenant", "an endpoint that ends in /otlp gets whole requests, which have one tenant: an "
                                           "attribute cannot name it");
    if (config->compression == WEIR_ENCODING_SNAPPY)
        weir_check_fail(checker, "compression", "Loki's intake of OTLP takes gzip, zstd, lz4 or none");
}

static void check_push(const struct loki_config *config, struct weir_checker *checker)
{
    static const char *const old_keys[] = { "format", "tenant_id", "tenant" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(old_keys) && !config->labels_on; i++) {
        if (weir_check_given(checker, old_keys[i]))
            weir_check_fail(checker, old_keys[i],
                            "belongs to the old form, which needs \"labels\"; without it the hints loki.format and "
                            "loki.tenant, or headers with X-Scope-OrgID, do this");
    }
    if (config->labels_on && weir_check_given(checker, "default_labels_enabled"))
        weir_check_fail(checker, "default_labels_enabled", "there are no default labels beside \"labels\"");
    if (config->encoding == LOKI_JSON && loki_compression(config) != WEIR_ENCODING_GZIP &&
        loki_compression(config) != WEIR_ENCODING_IDENTITY)
        weir_check_fail(checker, "compression", "the push API takes JSON with gzip or none");
    else if (config->encoding == LOKI_PROTO && config->compression != LOKI_COMPRESSION_UNSET &&
             config->compression != WEIR_ENCODING_SNAPPY)
        weir_check_warn(checker, "compression", "has no effect: the push API's requests are snappy");
}

static void check(const void *group, struct weir_checker *checker)
{
    const struct loki_config *config = group;
    check_endpoint(config, checker);
    if (loki_mode(config) == LOKI_OTLP)
        check_otlp(config, checker);
    else
        check_push(config, checker);
    if (is_given(config->tenant_id) && config->tenant_on)
        weir_check_fail(checker, "tenant_id", "both tenant_id and tenant were specified, use only \"tenant\" instead");
    if (config->tenant_on && !is_given(config->tenant.value))
        weir_check_fail(checker, "tenant", "needs a value");
    weir_sender_check_timeout(config->timeout, checker);
}

/* --- tables --- */

static const struct weir_option default_rows[] = {
    WEIR_OPTION(struct loki_default_labels, exporter, "exporter", .preset = "true", .doc = "exporter=\"OTLP\"."),
    WEIR_OPTION(struct loki_default_labels, job, "job", .preset = "true",
                .doc = "service.namespace and service.name of the resource."),
    WEIR_OPTION(struct loki_default_labels, instance, "instance", .preset = "true",
                .doc = "service.instance.id of the resource."),
    WEIR_OPTION(struct loki_default_labels, level, "level", .preset = "true",
                .doc = "The attribute level of a record with a severity, or the severity's name."),
    WEIR_OPTION_END,
};
static const struct weir_option_table default_table = { default_rows, sizeof(struct loki_default_labels), NULL };

static const struct weir_option mapping_rows[] = {
    WEIR_OPTION(struct loki_mapping, attributes, "attributes",
                .doc = "Attributes of records and the labels they become; \"\" is the attribute's own name."),
    WEIR_OPTION(struct loki_mapping, resource, "resource", .doc = "Attributes of resources, likewise."),
    WEIR_OPTION(struct loki_mapping, record, "record",
                .doc = "traceID, spanID, severity and severityN of records, likewise."),
    WEIR_OPTION_END,
};
static const struct weir_option_table mapping_table = { mapping_rows, sizeof(struct loki_mapping), check_mapping };

static const struct weir_option_value formats[] = {
    { "body", LOKI_FORMAT_BODY },
    { "json", LOKI_FORMAT_JSON },
    { "", LOKI_FORMAT_BODY },
    { NULL, 0 },
};

static const struct weir_option_value encodings[] = {
    { "proto", LOKI_PROTO },
    { "json", LOKI_JSON },
    { NULL, 0 },
};

static const struct weir_option_value sources[] = {
    { "static", LOKI_TENANT_STATIC },
    { "context", LOKI_TENANT_CONTEXT },
    { "attributes", LOKI_TENANT_ATTRIBUTE },
    { "attribute", LOKI_TENANT_ATTRIBUTE },
    { NULL, 0 },
};

static const struct weir_option tenant_rows[] = {
    WEIR_OPTION(struct loki_tenant_options, source, "source", .preset = "static", .values = sources,
                .doc = "What value is: the tenant, a key of the client's metadata, an attribute of the resource."),
    WEIR_OPTION(struct loki_tenant_options, value, "value", .doc = "See source."),
    WEIR_OPTION_END,
};
static const struct weir_option_table tenant_table = { tenant_rows, sizeof(struct loki_tenant_options), NULL };

static const struct weir_option_value compressions[] = {
    { "gzip", WEIR_ENCODING_GZIP },     { "zstd", WEIR_ENCODING_ZSTD },     { "lz4", WEIR_ENCODING_LZ4 },
    { "none", WEIR_ENCODING_IDENTITY }, { "snappy", WEIR_ENCODING_SNAPPY }, { "", LOKI_COMPRESSION_UNSET },
    { NULL, 0 },
};

static const struct weir_option rows[] = {
    WEIR_OPTION(struct loki_config, endpoint, "endpoint", .required = true,
                .doc = "Whole URL of the push API, or, ending in /otlp, base URL of Loki's intake of OTLP."),
    WEIR_OPTION(struct loki_config, timeout, "timeout", .preset = "30s",
                .doc = "How long one request may take, answer included; 0: no limit."),
    WEIR_OPTION(struct loki_config, encoding, "encoding", .preset = "proto", .values = encodings,
                .doc = "The push API's requests: proto, as Loki prefers it, or json."),
    WEIR_OPTION(struct loki_config, compression, "compression", .preset = "", .values = compressions,
                .doc = "How requests to /otlp and those in JSON are compressed, gzip without it; proto is always snappy."),
    WEIR_OPTION_GROUP(struct loki_config, defaults, "default_labels_enabled", &default_table,
                      .doc = "Labels that streams have without a hint."),
    WEIR_OPTION_OPTIONAL(struct loki_config, labels, labels_on, "labels", &mapping_table, WEIR_NONE_OFF,
                         .doc = "The old form: which attributes become labels; no hints, no default labels then."),
    WEIR_OPTION(struct loki_config, format, "format", .preset = "body", .values = formats,
                .doc = "The old form's lines."),
    WEIR_OPTION(struct loki_config, tenant_id, "tenant_id", .doc = "The old form's tenant."),
    WEIR_OPTION_OPTIONAL(struct loki_config, tenant, tenant_on, "tenant", &tenant_table, WEIR_NONE_OFF,
                         .doc = "The old form's tenant, found out for each request."),
    WEIR_OPTION_INLINE(struct loki_config, client, &weir_http_client_table),
    WEIR_OPTION_INLINE(struct loki_config, sender, &weir_sender_table),
    WEIR_OPTION_END,
};
const struct weir_option_table loki_table = { rows, sizeof(struct loki_config), check };
