// SPDX-License-Identifier: Apache-2.0
/*
 * Bodies of requests. Each is measured, then written into a buffer of that size: series come one after the other along
 * their `next`, as they stand in the set.
 */
#ifndef PROMETHEUSREMOTEWRITE_MESSAGE_H
#define PROMETHEUSREMOTEWRITE_MESSAGE_H

#include <weir/buffer.h>

#include "plugins/exporters/prometheusremotewrite/series.h"

/* Fills series->length; returns the bytes that the series takes in a body of version 1. */
size_t prw_series_measure(struct series *series);

/* A body with `count` series from `first` on, which were measured and take `bytes` together; NULL when memory is out. */
struct weir_buffer *prw_pack_v1(const struct series *first, size_t count, size_t bytes);
/* The same in version 2, whose size nobody has to know before. */
struct weir_buffer *prw_pack_v2(const struct series *first, size_t count);

/* The bytes that a family's metadata takes in a body, and a body with those of `count` families. */
size_t prw_metadata_size(const struct family *family);
struct weir_buffer *prw_pack_metadata(const struct family *first, size_t count, size_t bytes);

#endif
