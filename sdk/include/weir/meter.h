// SPDX-License-Identifier: Apache-2.0
/*
 * Metrics about the collector itself. The ledger (accepted, delivered, dropped, held) is the host's; here a component
 * declares and feeds what only it can know.
 */
#ifndef WEIR_METER_H
#define WEIR_METER_H

#include <weir/base.h>

WEIR_BEGIN

struct weir_instance;
struct weir_series;

enum weir_instrument_kind {
    WEIR_COUNTER,   /* only grows */
    WEIR_GAUGE,     /* goes up and down */
    WEIR_HISTOGRAM, /* counts observations in buckets */
};

/* service::telemetry::metrics::level at which an instrument starts to be shown. */
enum weir_meter_level {
    WEIR_LEVEL_NONE,
    WEIR_LEVEL_BASIC,
    WEIR_LEVEL_NORMAL,
    WEIR_LEVEL_DETAILED,
};

/* A row of a component's metric table. */
struct weir_instrument {
    const char *name; /* as upstream names it, without the prefix otelcol_; NULL ends a table */
    enum weir_instrument_kind kind;
    enum weir_meter_level level;
    const char *unit;     /* UCUM: "{span}", "By", "s" */
    const char *doc;      /* one sentence */
    const double *bounds; /* histograms: upper bounds of the buckets, ascending */
    size_t bound_count;
};

struct weir_label {
    const char *name;
    const char *value;
};

/* One time series: an instrument of the component's table with the component's own label (receiver="<id>",
 * processor=..., ...) and these labels besides (copied). The set of values must be bounded by the config, never
 * by telemetry. The same labels give the same series. Never NULL; lives as long as the process, or until
 * weir_meter_release. Main thread. */
WEIR_EXPORT struct weir_series *weir_meter_series(struct weir_instance *instance, unsigned instrument,
                                                  const struct weir_label *labels, size_t count);

/* Gives a series back whose labels name what comes and goes (a peer's address): it is shown no more, unless somebody else
 * has got it too. No worker feeds it any longer. Accepts NULL. Main thread. */
WEIR_EXPORT void weir_meter_release(struct weir_series *series);

/* Feeding: on any worker's thread, each of which has a cell of its own; no lock, no atomic read-modify-write.
 * A counter or gauge adds (gauges may add negative values: the series shows the sum over workers). */
WEIR_EXPORT void weir_series_add(struct weir_series *series, double value);
WEIR_EXPORT void weir_series_observe(struct weir_series *series, double value);

/* A series that is read when somebody asks: read(argument) on the main thread, until weir_instance's destroy. */
WEIR_EXPORT void weir_meter_observe(struct weir_instance *instance, unsigned instrument,
                                    const struct weir_label *labels, size_t count, double (*read)(void *argument),
                                    void *argument);

/* Bucket bounds that upstream uses for counts of items and for bytes (collector-core 10.1). */
#define WEIR_BOUNDS_ITEMS 22
#define WEIR_BOUNDS_BYTES 18
WEIR_EXPORT extern const double weir_bounds_items[WEIR_BOUNDS_ITEMS];
WEIR_EXPORT extern const double weir_bounds_bytes[WEIR_BOUNDS_BYTES];

WEIR_END

#endif
