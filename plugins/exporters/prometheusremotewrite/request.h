// SPDX-License-Identifier: Apache-2.0
/*
 * Requests of remote write 1.0 and 2.0 (prometheus.io: Remote-Write specifications).
 */
#ifndef PROMETHEUSREMOTEWRITE_REQUEST_H
#define PROMETHEUSREMOTEWRITE_REQUEST_H

#include <weir/buffer.h>

#include "plugins/exporters/prometheusremotewrite/options.h"
#include "plugins/exporters/prometheusremotewrite/series.h"

/* One body, not compressed yet. */
struct prw_request {
    struct prw_request *next;
    struct weir_buffer *body;
    uint64_t items; /* data points whose first series is in it */
};

/* Packs the set into requests of at most `most` bytes (of version 1; a series that is larger stands alone), with
 * `metadata` in requests behind them. Fills *out with a list that is the caller's; false, with *out as it was, when memory is
 * out. */
bool prw_requests_make(enum prw_message version, struct series_set *set, size_t most, bool metadata,
                       struct prw_request **out);
/* Accepts NULL. */
void prw_requests_free(struct prw_request *requests);

#endif
