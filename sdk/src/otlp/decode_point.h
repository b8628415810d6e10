// SPDX-License-Identifier: Apache-2.0
/*
 * Decoding of one data point of any kind.
 */
#ifndef WEIR_OTLP_DECODE_POINT_H
#define WEIR_OTLP_DECODE_POINT_H

#include "sdk/src/otlp/read.h"

bool otlp_decode_point(struct weir_arena *arena, enum weir_metric_type type, struct weir_str bytes,
                       struct weir_data_point *out);

#endif
