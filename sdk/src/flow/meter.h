// SPDX-License-Identifier: Apache-2.0
/*
 * Series of instruments that are the SDK's own (the sender's), and stand in no component's table.
 */
#ifndef WEIR_FLOW_METER_H
#define WEIR_FLOW_METER_H

#include <weir/meter.h>

/* As weir_meter_series and weir_meter_observe, with the row itself, which lives as long as the process. */
struct weir_series *meter_series(struct weir_instance *instance, const struct weir_instrument *row,
                                 const struct weir_label *labels, size_t count);
void meter_observe(struct weir_instance *instance, const struct weir_instrument *row, const struct weir_label *labels,
                   size_t count, double (*read)(void *argument), void *argument);

#endif
