// SPDX-License-Identifier: Apache-2.0
/*
 * In which form the scraper wants the page (RFC 9110, 12.5; Prometheus, "Content negotiation").
 */
#ifndef PROMETHEUS_NEGOTIATE_H
#define PROMETHEUS_NEGOTIATE_H

#include <weir/compress.h>
#include <weir/str.h>

#include "plugins/exporters/prometheus/text.h"

struct format {
    bool open_metrics;
    bool protobuf;
    const char *version;
    enum escaping escaping;
};

/* The best of what an Accept header names that can be had; text 0.0.4 otherwise. */
struct format negotiate_format(struct weir_str accept, bool open_metrics);

/* The Content-Type of the format. */
void negotiate_content_type(const struct format *format, struct weir_text *text);

/* The best of gzip and zstd that an Accept-Encoding header names; none where it prefers none. */
enum weir_encoding negotiate_encoding(struct weir_str accept);

#endif
