// SPDX-License-Identifier: Apache-2.0
/*
 * The inside of weir-sink.
 */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <stdio.h>

#include <weir/batch.h>
#include <weir/otlp_response.h>

#include "bench/common/histogram.h"
#include "bench/common/number.h"

struct sink_options {
    const char *grpc, *http; /* addresses; NULL: no server */
    const char *cert, *key;
    int64_t delay;
    double fail_rate;
    int fail_code;       /* gRPC */
    int fail_status;     /* HTTP */
    uint64_t fail_first; /* requests */
    int64_t retry_after; /* nanoseconds, -1: not said */
    bool discard;
    bool latency; /* from when weir-load says that they were due */
    bool control; /* commands on standard input */
    const char *record, *obligations, *json;
    int64_t interval; /* of the progress line; 0: none */
};

/* Fills `options` from the command line; -1 after a message on stderr, 1 when the process is done (--help).
 */
int sink_options_parse(struct sink_options *options, int argc, char **argv);
/* One of the options that say how requests are answered, as NAME=VALUE; -1 after a message on stderr. */
int sink_options_change(struct sink_options *options, char *text);

/* What one producer's numbers say. */
struct producer {
    char *run, *name;
    uint32_t base;
    uint64_t *seen; /* a bit for each number */
    size_t words;
    uint64_t received, duplicates, highest; /* highest + 1 numbers were sent, as far as is known */
};

struct sink_counts {
    uint64_t requests, refused, malformed;
    uint64_t bytes;
    uint64_t items[WEIR_SIGNALS];
    uint64_t unnumbered, bad_crc;
    struct histogram latency;
    struct producer *producers;
    size_t producer_count, producer_capacity;
};

/* --- check.c --- */

/* Counts a batch's items and marks their numbers. */
void sink_take(struct sink_counts *counts, struct weir_batch *batch);
bool producer_has(const struct producer *producer, uint64_t seq);
struct producer *sink_producer(struct sink_counts *counts, struct weir_str run, struct weir_str name);
void sink_counts_free(struct sink_counts *counts);

/* --- latency.c --- */

/* Counts how long ago each resource of an OTLP request, in protobuf, was due. */
void sink_take_latency(struct sink_counts *counts, struct weir_str request);

/* --- control.c --- */

/* Obeys the lines of standard input on worker 0, which the caller has made, until it is closed:
 * NAME=VALUE changes `options`, `report` prints the summary. */
void sink_control_start(struct sink_options *options, const struct sink_counts *counts);
void sink_control_stop(void);

/* --- serve.c --- */

/* Serves on worker 0, which the caller has made, until a signal comes. 0, or -1 with `error` set. */
int sink_serve(struct sink_options *options, struct sink_counts *counts, struct weir_error *error);

/* --- report.c --- */

void sink_report_progress(const struct sink_counts *counts, uint64_t items_before, double seconds);
uint64_t sink_items(const struct sink_counts *counts);
/* The record and, on standard output, the summary so far. */
void sink_report_now(const struct sink_options *options, const struct sink_counts *counts);
/* Writes the summary, the record, and what is missing of the obligations; 0: all is well, 1: numbers are
 * missing of what was acknowledged, or wrong, -1: a file could not be read or written, after a message on
 * stderr. */
int sink_report(const struct sink_options *options, const struct sink_counts *counts);

#endif
