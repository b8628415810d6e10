// SPDX-License-Identifier: Apache-2.0
/*
 * Probes: what policies ask of the telemetry itself. Each is a question whose answer can only turn from no to yes with
 * more spans ("has any span ...?"), so that a trace keeps one bit for it and nothing has to be looked at again when the
 * trace is decided. Spans are looked at once, in one pass over their bytes, on the worker where they arrive.
 */
#ifndef TAIL_SAMPLING_PROBE_H
#define TAIL_SAMPLING_PROBE_H

#include <weir/value.h>

/* A value of an attribute, as far as policies tell them apart: the members of other types are zero. */
struct probe_value {
    enum weir_value_type type;
    struct weir_str string;
    bool boolean;
    int64_t integer;
};

struct span_view {
    const uint8_t *trace_id; /* 16 bytes */
    bool root;
    uint64_t start, end;
    int32_t status;
    uint32_t flags;
    struct weir_str trace_state;
};

/* Asked of one attribute of each resource and span. Embedded in the policy that asks. */
struct attribute_probe {
    struct attribute_probe *next; /* of the same key */
    unsigned bit;
    bool (*test)(const struct attribute_probe *probe, const struct probe_value *value, bool of_resource);
};

/* Asked of each span. */
struct span_probe {
    struct span_probe *next;
    unsigned bit;
    bool (*test)(const struct span_probe *probe, const struct span_view *span);
};

/* Asked after each span of the time from the first start to the last end so far, in whole milliseconds. */
struct latency_probe {
    struct latency_probe *next;
    unsigned bit;
    bool (*test)(const struct latency_probe *probe, int64_t milliseconds);
};

/* All probes of one instance. Constant once made. */
struct probes {
    unsigned count; /* of bits */
    struct probe_key {
        struct weir_str key;
        struct attribute_probe *first;
    } *keys;
    size_t key_count;
    struct span_probe *spans;
    struct latency_probe *latencies;
};

static inline size_t probe_words(const struct probes *probes)
{
    return (probes->count + 63) / 64;
}
static inline void probe_set(uint64_t *bits, unsigned bit)
{
    bits[bit / 64] |= UINT64_C(1) << bit % 64;
}
static inline bool probe_get(const uint64_t *bits, unsigned bit)
{
    return bits[bit / 64] >> bit % 64 & 1;
}

/* Give the probe its bit. `key` outlives the probes. Main thread, in create. */
void probes_add_attribute(struct probes *probes, const char *key, struct attribute_probe *probe);
void probes_add_span(struct probes *probes, struct span_probe *probe);
void probes_add_latency(struct probes *probes, struct latency_probe *probe);
void probes_clear(struct probes *probes);

/* Scratch of one worker: which keys have been seen in this list of attributes. */
struct probe_scratch {
    uint32_t *seen;
    uint32_t list;
};
void probe_scratch_init(struct probe_scratch *scratch, const struct probes *probes);
void probe_scratch_clear(struct probe_scratch *scratch);

/* Asks the attributes' probes of a resource (the payload of its field), which may come in several parts. */
void probe_resource(const struct probes *probes, struct probe_scratch *scratch, struct weir_str payload, uint64_t *bits);
/* Reads the payload of a span into `view` and asks all but the latencies' probes. */
void probe_span(const struct probes *probes, struct probe_scratch *scratch, struct weir_str payload,
                struct span_view *view, uint64_t *bits);
/* Takes the span into the running times (0: none yet) and asks the latencies' probes. */
void probe_latency(const struct probes *probes, uint64_t span_start, uint64_t span_end, uint64_t *start, uint64_t *end,
                   uint64_t *bits);

#endif
