// SPDX-License-Identifier: Apache-2.0
/*
 * Fields of proto3, which are left out where they say nothing: the bytes they take, and writing them into room for so many.
 * The sizes are those of numbers 1 to 15.
 */
#ifndef PROMETHEUSREMOTEWRITE_FIELDS_H
#define PROMETHEUSREMOTEWRITE_FIELDS_H

#include <weir/wire.h>

#include "plugins/exporters/prometheusremotewrite/series.h"

static inline size_t text_size(struct weir_str text)
{
    return text.length ? weir_wire_bytes_size(text.length) : 0;
}

static inline uint8_t *put_text(uint8_t *at, uint32_t field, struct weir_str text)
{
    return text.length ? weir_wire_put_bytes(at, field, text) : at;
}

static inline size_t number_size(uint64_t number)
{
    return number ? 1 + weir_wire_varint_size(number) : 0;
}

static inline uint8_t *put_number_always(uint8_t *at, uint32_t field, uint64_t number)
{
    return weir_wire_put_varint(weir_wire_put_tag(at, field, WEIR_WIRE_VARINT), number);
}

static inline uint8_t *put_number(uint8_t *at, uint32_t field, uint64_t number)
{
    return number ? put_number_always(at, field, number) : at;
}

/* Negative zero is left out, too. */
static inline size_t real_size(double real)
{
    return real != 0 ? 9 : 0;
}

static inline uint8_t *put_real(uint8_t *at, uint32_t field, double real)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof(bits));
    return real != 0 ? weir_wire_put_fixed64(at, field, bits) : at;
}

/* The samples that are no native histograms, as a list of messages; with `start` (version 2), their start is told. */
size_t prw_samples_size(const struct series *series, bool start);
uint8_t *prw_put_samples(uint8_t *at, const struct series *series, bool start);

/* The native histograms among the samples, as a list of messages. With `start` (version 2), their start is told. */
size_t prw_histograms_size(const struct series *series, bool start);
uint8_t *prw_put_histograms(uint8_t *at, uint32_t field, const struct series *series, bool start);

#endif
