// SPDX-License-Identifier: Apache-2.0
/* The keys of `include` and `exclude`. */
#include <config.h>

#include "plugins/processors/attributes/match.h"
#include "plugins/processors/attributes/pattern.h"

static void check_key(const void *group, struct weir_checker *checker)
{
    const struct match_attribute *attribute = group;
    if (!attribute->key || !*attribute->key)
        weir_check_fail(checker, "key", "can't have empty key in the list of attributes");
}

static const struct weir_option attribute_rows[] = {
    WEIR_OPTION(struct match_attribute, key, "key", .doc = "The attribute."),
    WEIR_OPTION(struct match_attribute, value, "value", .doc = "Its value; without it, that it is there suffices."),
    WEIR_OPTION_END,
};
static const struct weir_option_table attribute_table = { attribute_rows, sizeof(struct match_attribute), check_key };

static const struct weir_option library_rows[] = {
    WEIR_OPTION(struct match_library, name, "name", .doc = "The scope's name."),
    WEIR_OPTION(struct match_library, version, "version",
                .doc = "The scope's version; absent or null: any, \"\": only an empty one."),
    WEIR_OPTION_END,
};
static const struct weir_option_table library_table = { library_rows, sizeof(struct match_library), NULL };

static const struct weir_option regexp_rows[] = {
    WEIR_OPTION_IGNORED("cacheenabled", "expressions are compiled to machine code, a cache of results has no use"),
    WEIR_OPTION_IGNORED("cachemaxnumentries", "there is no cache"),
    WEIR_OPTION_END,
};
static const struct weir_option_table regexp_table = { regexp_rows, sizeof(struct match_regexp), NULL };

static const struct weir_option severity_rows[] = {
    WEIR_OPTION(struct match_severity, min, "min", .preset = "0", .bounded = true, .min = 0, .max = 24,
                .doc = "The least severity number that matches."),
    WEIR_OPTION(struct match_severity, match_undefined, "match_undefined", .preset = "false",
                .doc = "Whether records without a severity number match."),
    WEIR_OPTION_END,
};
static const struct weir_option_table severity_table = { severity_rows, sizeof(struct match_severity), NULL };

static const struct weir_option_value match_types[] = {
    { "strict", PATTERN_STRICT },
    { "regexp", PATTERN_REGEXP },
    { NULL, 0 },
};

static const struct weir_option rows[] = {
    WEIR_OPTION(struct match_options, match_type, "match_type", .values = match_types, .required = true,
                .doc = "How texts are compared: as they are, or by regular expressions anywhere in them."),
    WEIR_OPTION_OPTIONAL(struct match_options, regexp, regexp_on, "regexp", &regexp_table, WEIR_NONE_OFF,
                         .doc = "Upstream's cache of results."),
    WEIR_OPTION(struct match_options, services, "services", .doc = "Values of the resource's service.name (traces)."),
    WEIR_OPTION(struct match_options, span_names, "span_names", .doc = "Names of spans."),
    WEIR_OPTION(struct match_options, span_kinds, "span_kinds", .doc = "Kinds of spans: SPAN_KIND_SERVER, ..."),
    WEIR_OPTION(struct match_options, log_bodies, "log_bodies", .doc = "Bodies of log records, as text."),
    WEIR_OPTION(struct match_options, log_severity_texts, "log_severity_texts", .doc = "Severity texts."),
    WEIR_OPTION_OPTIONAL(struct match_options, severity, severity_on, "log_severity_number", &severity_table,
                         WEIR_NONE_OFF, .doc = "Severity numbers."),
    WEIR_OPTION(struct match_options, metric_names, "metric_names", .doc = "Names of metrics."),
    WEIR_OPTION_LIST(struct match_options, attributes, "attributes", &attribute_table,
                     .doc = "Attributes of the span or log record; all must match."),
    WEIR_OPTION_LIST(struct match_options, resources, "resources", &attribute_table,
                     .doc = "Attributes of the resource; all must match."),
    WEIR_OPTION_LIST(struct match_options, libraries, "libraries", &library_table,
                     .doc = "Instrumentation scopes; all must match the item's one."),
    WEIR_OPTION_END,
};
const struct weir_option_table match_table = { rows, sizeof(struct match_options), NULL };
