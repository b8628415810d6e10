// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP's messages as tables: what may stand behind each field key. The validator runs on them.
 */
#ifndef WEIR_OTLP_SCHEMA_H
#define WEIR_OTLP_SCHEMA_H

#include <stdint.h>

enum otlp_message {
    OTLP_TRACES,
    OTLP_RESOURCE_SPANS,
    OTLP_SCOPE_SPANS,
    OTLP_SPAN,
    OTLP_EVENT,
    OTLP_LINK,
    OTLP_STATUS,
    OTLP_METRICS,
    OTLP_RESOURCE_METRICS,
    OTLP_SCOPE_METRICS,
    OTLP_METRIC,
    OTLP_GAUGE,
    OTLP_SUM,
    OTLP_HISTOGRAM,
    OTLP_EXPONENTIAL_HISTOGRAM,
    OTLP_SUMMARY,
    OTLP_NUMBER_POINT,
    OTLP_HISTOGRAM_POINT,
    OTLP_EXPONENTIAL_POINT,
    OTLP_BUCKETS,
    OTLP_SUMMARY_POINT,
    OTLP_QUANTILE,
    OTLP_EXEMPLAR,
    OTLP_LOGS,
    OTLP_RESOURCE_LOGS,
    OTLP_SCOPE_LOGS,
    OTLP_LOG_RECORD,
    OTLP_PROFILES,
    OTLP_RESOURCE_PROFILES,
    OTLP_SCOPE_PROFILES,
    OTLP_PROFILE,
    OTLP_SAMPLE,
    OTLP_RESOURCE,
    OTLP_SCOPE,
    OTLP_ENTITY_REF,
    OTLP_KEY_VALUE,
    OTLP_VALUE,
    OTLP_ARRAY,
    OTLP_MAP,
    OTLP_MESSAGES,
};

/* What the payload of a field must be. Messages follow from OTLP_DO_MESSAGE on. */
enum otlp_action {
    OTLP_DO_LOOK, /* not in the table: unknown field, wrong wire type, or a key of several bytes */
    OTLP_DO_VARINT,
    OTLP_DO_FIXED64,
    OTLP_DO_FIXED32,
    OTLP_DO_BYTES,
    OTLP_DO_STRING,
    OTLP_DO_TRACE_ID,
    OTLP_DO_SPAN_ID,
    OTLP_DO_PACKED_FIXED64,
    OTLP_DO_PACKED_VARINT,
    OTLP_DO_KEY_VALUE, /* the commonest message, which has a short cut */
    OTLP_DO_MESSAGE,
};

struct otlp_rules {
    uint8_t action[128]; /* by one-byte field key: number and wire type at once */
    uint32_t known;      /* bit n: field n exists, so that another wire type is an error */
    uint32_t items;      /* what one such message adds to the item count */
    const char *name;
};

extern const struct otlp_rules otlp_schema[OTLP_MESSAGES];

/* Span.flags is the one known field whose key takes two bytes. */
#define OTLP_SPAN_FLAGS 16u
/* In resource groups: the instrumentation-library groups of OTLP before 0.15, laid out as scope groups. */
#define OTLP_LIBRARY_GROUPS 1000u

#endif
