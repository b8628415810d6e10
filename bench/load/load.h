// SPDX-License-Identifier: Apache-2.0
/*
 * The inside of weir-load.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdio.h>

#include <weir/buffer.h>
#include <weir/compress.h>
#include <weir/option.h>
#include <weir/value.h>

#include "bench/common/histogram.h"
#include "bench/common/number.h"

#define PRODUCER_DIGITS 4

enum load_protocol {
    LOAD_GRPC,
    LOAD_HTTP,
    LOAD_JSON,
};

struct load_options {
    enum load_protocol protocol;
    const char *endpoint; /* NULL: the protocol's default */
    enum weir_signal signals[WEIR_SIGNALS];
    size_t signal_count;
    double rate;      /* items a second; 0: as fast as answers come */
    int64_t duration; /* nanoseconds; 0: no limit */
    uint64_t count;   /* items; 0: no limit */
    unsigned connections, in_flight;
    unsigned items;
    unsigned attributes; /* of an item, numbering included; 0: as usual for the signal */
    unsigned attribute_size;
    unsigned spans_per_trace, depth, resources;
    enum weir_encoding compression;
    bool tls, skip_verify;
    const char *ca_file;
    struct weir_pair headers[32];
    size_t header_count;
    int64_t timeout;
    unsigned bodies;
    bool plain; /* bodies as they are: not numbered */
    bool reuse; /* bodies are numbered once */
    bool stamp; /* resources say when their request was due */
    const char *run;
    unsigned producer; /* number of the first */
    const char *obligations, *json;
    bool quiet;
};

/* Fills `options` from the command line; -1 after a message on stderr, 1 when the process is done (--help).
 */
int load_options_parse(struct load_options *options, int argc, char **argv);

/* --- body.c --- */

/* One request as it goes out, with places where it is numbered. */
struct body {
    enum weir_signal signal;
    struct weir_buffer *bytes;
    size_t item_count;
    struct body_item {
        size_t seq, crc; /* where the digits stand */
        struct weir_str text;
        size_t trace; /* where the trace id stands; 0: nowhere */
        unsigned trace_number;
    } * items;
    struct places {
        size_t *at;
        size_t count;
    } producers, dues; /* where they stand in each resource */
    bool fixed;        /* nothing of it is numbered any more */
    bool hex;          /* trace ids are text */
    struct weir_arena arena;
};

/* Makes body number `index`; false when memory is out. */
bool body_make(struct body *body, const struct load_options *options, enum weir_signal signal,
               unsigned index);
void body_free(struct body *body);
/* A copy that carries the numbers from `first` on, unless it is fixed, and when it was due; NULL when memory
 * is out. */
struct weir_buffer *body_number(const struct body *body, const char *producer, uint32_t base, uint64_t first,
                                int64_t due);

/* --- attributes.c --- */

/* The value of a semantic-convention attribute number `index` of an item, chosen by `seed`; strings are in
 * `arena`. */
struct weir_attribute load_attribute(enum weir_signal signal, unsigned index, uint64_t seed, unsigned size,
                                     struct weir_arena *arena);
/* A resource's attributes; returns how many were written to `out`, which has room for
 * LOAD_RESOURCE_ATTRIBUTES. */
#define LOAD_RESOURCE_ATTRIBUTES 11
size_t load_resource(uint64_t seed, struct weir_attribute *out, struct weir_arena *arena);
uint64_t load_random(uint64_t *state);

/* --- run.c --- */

struct load_result {
    uint64_t requests, requests_ok, requests_refused, requests_unknown;
    uint64_t items, items_acknowledged, items_refused, items_rejected, items_unknown;
    uint64_t bytes;       /* of bodies, as sent */
    uint64_t plain_bytes; /* before compression */
    double seconds;
    double cpu_seconds;
    struct histogram latency;
    struct load_error {
        char *text;
        uint64_t count;
    } errors[16];
    size_t error_count;
};

/* Runs the load on worker 0, which the caller has made. 0, or -1 with `error` set when it could not begin. */
int load_run(const struct load_options *options, struct load_result *result, struct weir_error *error);

/* --- report.c --- */

void report_progress(const struct load_options *options, const struct load_result *result,
                     uint64_t items_before, double since);
void report_summary(const struct load_options *options, const struct load_result *result);
/* 0, or -1 after a message on stderr. */
int report_json(const struct load_options *options, const struct load_result *result);

#endif
