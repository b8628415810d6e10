// SPDX-License-Identifier: Apache-2.0
/*
 * One pass over an OTLP request that came from outside.
 */
#ifndef WEIR_OTLP_VALIDATE_H
#define WEIR_OTLP_VALIDATE_H

#include <weir/base.h>
#include <weir/error.h>

struct otlp_summary {
    size_t items;
    bool unusual; /* holds what otlp_normalise rewrites */
};

/* Checks everything weir_batch_from_bytes promises; false with `error` set. Any thread. */
bool otlp_validate(enum weir_signal signal, const void *data, size_t length, struct otlp_summary *out,
                   struct weir_error *error);

#endif
