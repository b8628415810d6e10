// SPDX-License-Identifier: Apache-2.0
/*
 * A Prometheus exposition under construction: families, and samples that add up when they have the same labels.
 */
#ifndef WEIR_CORE_SERVICE_EXPOSITION_H
#define WEIR_CORE_SERVICE_EXPOSITION_H

#include <weir/meter.h>
#include <weir/str.h>

struct exposition;

/* How names are written; upstream's default is neither suffix (collector-core 10.2). */
struct exposition_style {
    bool suffixes;               /* _total on counters, the unit behind the name */
    const char *constant_labels; /* `k="v",...` that every sample carries, "" for none */
};

struct exposition *exposition_new(const struct exposition_style *style);
void exposition_free(struct exposition *exposition);

/* Labels of a sample under construction, `k="v"` joined with commas. Zero-initialise; weir_text_free. */
void exposition_label(struct weir_text *labels, const char *name, const char *value);

/* Adds to the sample with these labels in the family of the instrument, which is made if it is not there. */
void exposition_add(struct exposition *exposition, const struct weir_instrument *instrument, const char *labels,
                    double value);
/* The same for a histogram: buckets are not cumulative, instrument->bound_count + 1 of them. */
void exposition_observe(struct exposition *exposition, const struct weir_instrument *instrument, const char *labels,
                        const uint64_t *buckets, uint64_t observations, double sum);

/* Adds the text format 0.0.4 (prometheus.io: Exposition formats), families sorted by name. */
void exposition_print(struct exposition *exposition, struct weir_text *text);

#endif
