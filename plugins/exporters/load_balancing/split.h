// SPDX-License-Identifier: Apache-2.0
/*
 * Cutting what comes in, so that each backend's part waits, is retried and answered for by itself.
 */
#ifndef LOAD_BALANCING_SPLIT_H
#define LOAD_BALANCING_SPLIT_H

#include "plugins/exporters/load_balancing/send.h"

/* Offers each part of the batch to the sender; the ack is answered with the worst of their answers. */
void lb_offer(struct lb_shard *own, struct weir_batch *batch, struct weir_ack *ack);

#endif
