// SPDX-License-Identifier: Apache-2.0
/*
 * The tracestate of a span with OpenTelemetry's member `ot` (W3C Trace Context section 3.3; opentelemetry-specification,
 * trace/tracestate-handling), within the limits of upstream's parser.
 */
#ifndef PROBABILISTIC_SAMPLER_TRACESTATE_H
#define PROBABILISTIC_SAMPLER_TRACESTATE_H

#include <weir/str.h>

#define TRACESTATE_MEMBERS 32
#define TRACESTATE_FIELDS 128

/* Views into the text that was parsed. */
struct tracestate {
    bool has_randomness, has_threshold;
    uint64_t randomness, threshold;
    struct weir_str fields[TRACESTATE_FIELDS]; /* of `ot`, others than rv and th: "key:value" */
    size_t field_count;
    struct weir_str members[TRACESTATE_MEMBERS]; /* of other vendors: "key=value" */
    size_t member_count;
};

/* NULL, or what is wrong with the text. */
const char *tracestate_parse(struct weir_str text, struct tracestate *out);

/* `ot` first, in it rv and th, then everything else in its order. */
void tracestate_print(const struct tracestate *state, struct weir_text *text);

#endif
