// SPDX-License-Identifier: Apache-2.0
/*
 * The page that is scraped (Prometheus, "Exposition formats": text 0.0.4; OpenMetrics 1.0).
 */
#ifndef PROMETHEUS_PAGE_H
#define PROMETHEUS_PAGE_H

#include <weir/buffer.h>

#include "plugins/exporters/prometheus/store.h"
#include "plugins/exporters/prometheus/text.h"

struct page_style {
    bool open_metrics;
    bool protobuf; /* delimited messages (message.h) */
    enum escaping escaping;
    bool timestamps;
    struct weir_str target_name; /* of target_info */
};

/* Series that are not on the page. */
struct page_problems {
    uint64_t count;
    struct weir_text first; /* what is wrong with one of them */
};

/* Adds the page to `out`: families sorted by name, series by labels. Reorders the snapshot. False when memory is out. Any
 * thread. */
bool page_write(struct snapshot *snapshot, const struct page_style *style, struct weir_buffer *out,
                struct page_problems *problems);

#endif
