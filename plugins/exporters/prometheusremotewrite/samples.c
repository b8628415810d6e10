// SPDX-License-Identifier: Apache-2.0
/*
 * Samples: field 2 of a series, in both versions.
 */
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/fields.h"

static size_t sample_length(const struct sample *sample, bool start)
{
    return real_size(sample->value) + number_size((uint64_t)sample->timestamp) +
           (start ? number_size((uint64_t)sample->start) : 0);
}

size_t prw_samples_size(const struct series *series, bool start)
{
    size_t size = 0;
    for (size_t i = 0; i < series->sample_count; i++) {
        if (!series->samples[i].native)
            size += weir_wire_bytes_size(sample_length(&series->samples[i], start));
    }
    return size;
}

uint8_t *prw_put_samples(uint8_t *at, const struct series *series, bool start)
{
    for (size_t i = 0; i < series->sample_count; i++) {
        const struct sample *sample = &series->samples[i];
        if (sample->native)
            continue;
        at = weir_wire_put_head(at, 2, sample_length(sample, start));
        at = put_real(at, 1, sample->value);
        at = put_number(at, 2, (uint64_t)sample->timestamp);
        if (start)
            at = put_number(at, 3, (uint64_t)sample->start);
    }
    return at;
}
