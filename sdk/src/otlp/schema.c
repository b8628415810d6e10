// SPDX-License-Identifier: Apache-2.0
/*
 * The tables of OTLP 1.x (opentelemetry-proto: common, resource, trace, metrics, logs, profiles/v1development).
 */
#include <config.h>

#include "sdk/src/otlp/schema.h"

#define VARINT(n) [(n) << 3 | 0] = OTLP_DO_VARINT
#define FIXED64(n) [(n) << 3 | 1] = OTLP_DO_FIXED64
#define FIXED32(n) [(n) << 3 | 5] = OTLP_DO_FIXED32
#define BYTES(n) [(n) << 3 | 2] = OTLP_DO_BYTES
#define STRING(n) [(n) << 3 | 2] = OTLP_DO_STRING
#define TRACE_ID(n) [(n) << 3 | 2] = OTLP_DO_TRACE_ID
#define SPAN_ID(n) [(n) << 3 | 2] = OTLP_DO_SPAN_ID
#define KEY_VALUE(n) [(n) << 3 | 2] = OTLP_DO_KEY_VALUE
#define MESSAGE(n, m) [(n) << 3 | 2] = OTLP_DO_MESSAGE + (m)
/* Repeated numbers come packed or one by one. */
#define REPEATED_FIXED64(n) [(n) << 3 | 1] = OTLP_DO_FIXED64, [(n) << 3 | 2] = OTLP_DO_PACKED_FIXED64
#define REPEATED_VARINT(n) [(n) << 3 | 0] = OTLP_DO_VARINT, [(n) << 3 | 2] = OTLP_DO_PACKED_VARINT
#define KNOWN(first, last) ((2u << (last)) - (1u << (first)))

#define REQUEST(what, group) \
    { .name = what, .known = KNOWN(1, 1), .action = { MESSAGE(1, group) } }
#define GROUP(what, scope_group) \
    { \
        .name = what, .known = KNOWN(1, 3), \
        .action = { MESSAGE(1, OTLP_RESOURCE), MESSAGE(2, scope_group), STRING(3) } \
    }
#define SCOPE_GROUP(what, entry) \
    { \
        .name = what, .known = KNOWN(1, 3), .action = { MESSAGE(1, OTLP_SCOPE), MESSAGE(2, entry), STRING(3) } \
    }

const struct otlp_rules otlp_schema[OTLP_MESSAGES] = {
    [OTLP_TRACES] = REQUEST("ExportTraceServiceRequest", OTLP_RESOURCE_SPANS),
    [OTLP_RESOURCE_SPANS] = GROUP("ResourceSpans", OTLP_SCOPE_SPANS),
    [OTLP_SCOPE_SPANS] = SCOPE_GROUP("ScopeSpans", OTLP_SPAN),
    [OTLP_SPAN] = { .name = "Span",
                    .known = KNOWN(1, 16),
                    .items = 1,
                    .action = { TRACE_ID(1), SPAN_ID(2), STRING(3), SPAN_ID(4), STRING(5), VARINT(6), FIXED64(7),
                                FIXED64(8), KEY_VALUE(9), VARINT(10), MESSAGE(11, OTLP_EVENT), VARINT(12),
                                MESSAGE(13, OTLP_LINK), VARINT(14), MESSAGE(15, OTLP_STATUS) } },
    [OTLP_EVENT] = { .name = "Span.Event",
                     .known = KNOWN(1, 4),
                     .action = { FIXED64(1), STRING(2), KEY_VALUE(3), VARINT(4) } },
    [OTLP_LINK] = { .name = "Span.Link",
                    .known = KNOWN(1, 6),
                    .action = { TRACE_ID(1), SPAN_ID(2), STRING(3), KEY_VALUE(4), VARINT(5), FIXED32(6) } },
    [OTLP_STATUS] = { .name = "Status", .known = KNOWN(2, 3), .action = { STRING(2), VARINT(3) } },

    [OTLP_METRICS] = REQUEST("ExportMetricsServiceRequest", OTLP_RESOURCE_METRICS),
    [OTLP_RESOURCE_METRICS] = GROUP("ResourceMetrics", OTLP_SCOPE_METRICS),
    [OTLP_SCOPE_METRICS] = SCOPE_GROUP("ScopeMetrics", OTLP_METRIC),
    [OTLP_METRIC] = { .name = "Metric",
                      .known = KNOWN(1, 3) | 1u << 5 | 1u << 7 | KNOWN(9, 12),
                      .action = { STRING(1), STRING(2), STRING(3), MESSAGE(5, OTLP_GAUGE), MESSAGE(7, OTLP_SUM),
                                  MESSAGE(9, OTLP_HISTOGRAM), MESSAGE(10, OTLP_EXPONENTIAL_HISTOGRAM),
                                  MESSAGE(11, OTLP_SUMMARY), KEY_VALUE(12) } },
    [OTLP_GAUGE] = { .name = "Gauge", .known = KNOWN(1, 1), .action = { MESSAGE(1, OTLP_NUMBER_POINT) } },
    [OTLP_SUM] = { .name = "Sum",
                   .known = KNOWN(1, 3),
                   .action = { MESSAGE(1, OTLP_NUMBER_POINT), VARINT(2), VARINT(3) } },
    [OTLP_HISTOGRAM] = { .name = "Histogram",
                         .known = KNOWN(1, 2),
                         .action = { MESSAGE(1, OTLP_HISTOGRAM_POINT), VARINT(2) } },
    [OTLP_EXPONENTIAL_HISTOGRAM] = { .name = "ExponentialHistogram",
                                     .known = KNOWN(1, 2),
                                     .action = { MESSAGE(1, OTLP_EXPONENTIAL_POINT), VARINT(2) } },
    [OTLP_SUMMARY] = { .name = "Summary", .known = KNOWN(1, 1), .action = { MESSAGE(1, OTLP_SUMMARY_POINT) } },
    [OTLP_NUMBER_POINT] = { .name = "NumberDataPoint",
                            .known = KNOWN(2, 8),
                            .items = 1,
                            .action = { FIXED64(2), FIXED64(3), FIXED64(4), MESSAGE(5, OTLP_EXEMPLAR), FIXED64(6),
                                        KEY_VALUE(7), VARINT(8) } },
    [OTLP_HISTOGRAM_POINT] = { .name = "HistogramDataPoint",
                               .known = KNOWN(2, 12),
                               .items = 1,
                               .action = { FIXED64(2), FIXED64(3), FIXED64(4), FIXED64(5), REPEATED_FIXED64(6),
                                           REPEATED_FIXED64(7), MESSAGE(8, OTLP_EXEMPLAR), KEY_VALUE(9),
                                           VARINT(10), FIXED64(11), FIXED64(12) } },
    [OTLP_EXPONENTIAL_POINT] = { .name = "ExponentialHistogramDataPoint",
                                 .known = KNOWN(1, 14),
                                 .items = 1,
                                 .action = { KEY_VALUE(1), FIXED64(2), FIXED64(3), FIXED64(4), FIXED64(5), VARINT(6),
                                             FIXED64(7), MESSAGE(8, OTLP_BUCKETS), MESSAGE(9, OTLP_BUCKETS),
                                             VARINT(10), MESSAGE(11, OTLP_EXEMPLAR), FIXED64(12), FIXED64(13),
                                             FIXED64(14) } },
    [OTLP_BUCKETS] = { .name = "Buckets", .known = KNOWN(1, 2), .action = { VARINT(1), REPEATED_VARINT(2) } },
    [OTLP_SUMMARY_POINT] = { .name = "SummaryDataPoint",
                             .known = KNOWN(2, 8),
                             .items = 1,
                             .action = { FIXED64(2), FIXED64(3), FIXED64(4), FIXED64(5), MESSAGE(6, OTLP_QUANTILE),
                                         KEY_VALUE(7), VARINT(8) } },
    [OTLP_QUANTILE] = { .name = "ValueAtQuantile", .known = KNOWN(1, 2), .action = { FIXED64(1), FIXED64(2) } },
    [OTLP_EXEMPLAR] = { .name = "Exemplar",
                        .known = KNOWN(2, 7),
                        .action = { FIXED64(2), FIXED64(3), SPAN_ID(4), TRACE_ID(5), FIXED64(6), KEY_VALUE(7) } },

    [OTLP_LOGS] = REQUEST("ExportLogsServiceRequest", OTLP_RESOURCE_LOGS),
    [OTLP_RESOURCE_LOGS] = GROUP("ResourceLogs", OTLP_SCOPE_LOGS),
    [OTLP_SCOPE_LOGS] = SCOPE_GROUP("ScopeLogs", OTLP_LOG_RECORD),
    [OTLP_LOG_RECORD] = { .name = "LogRecord",
                          .known = KNOWN(1, 12) & ~(1u << 4),
                          .items = 1,
                          .action = { FIXED64(1), VARINT(2), STRING(3), MESSAGE(5, OTLP_VALUE), KEY_VALUE(6),
                                      VARINT(7), FIXED32(8), TRACE_ID(9), SPAN_ID(10), FIXED64(11), STRING(12) } },

    /* Profiles pass through opaque: checked and counted down to the samples. */
    [OTLP_PROFILES] = { .name = "ExportProfilesServiceRequest",
                        .known = KNOWN(1, 2),
                        .action = { MESSAGE(1, OTLP_RESOURCE_PROFILES), BYTES(2) } },
    [OTLP_RESOURCE_PROFILES] = GROUP("ResourceProfiles", OTLP_SCOPE_PROFILES),
    [OTLP_SCOPE_PROFILES] = SCOPE_GROUP("ScopeProfiles", OTLP_PROFILE),
    [OTLP_PROFILE] = { .name = "Profile",
                       .known = KNOWN(2, 2) | KNOWN(7, 7),
                       .action = { MESSAGE(2, OTLP_SAMPLE), TRACE_ID(7) } },
    [OTLP_SAMPLE] = { .name = "Sample", .items = 1 },

    [OTLP_RESOURCE] = { .name = "Resource",
                        .known = KNOWN(1, 3),
                        .action = { KEY_VALUE(1), VARINT(2), MESSAGE(3, OTLP_ENTITY_REF) } },
    [OTLP_SCOPE] = { .name = "InstrumentationScope",
                     .known = KNOWN(1, 4),
                     .action = { STRING(1), STRING(2), KEY_VALUE(3), VARINT(4) } },
    [OTLP_ENTITY_REF] = { .name = "EntityRef",
                          .known = KNOWN(1, 4),
                          .action = { STRING(1), STRING(2), STRING(3), STRING(4) } },
    [OTLP_KEY_VALUE] = { .name = "KeyValue",
                         .known = KNOWN(1, 3),
                         .action = { STRING(1), MESSAGE(2, OTLP_VALUE), VARINT(3) } },
    [OTLP_VALUE] = { .name = "AnyValue",
                     .known = KNOWN(1, 8),
                     .action = { STRING(1), VARINT(2), VARINT(3), FIXED64(4), MESSAGE(5, OTLP_ARRAY),
                                 MESSAGE(6, OTLP_MAP), BYTES(7), VARINT(8) } },
    [OTLP_ARRAY] = { .name = "ArrayValue", .known = KNOWN(1, 1), .action = { MESSAGE(1, OTLP_VALUE) } },
    [OTLP_MAP] = { .name = "KeyValueList", .known = KNOWN(1, 1), .action = { KEY_VALUE(1) } },
};
