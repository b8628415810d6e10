// SPDX-License-Identifier: Apache-2.0
/* What the files of the harness share. */
#ifndef WEIR_HARNESS_PRIVATE_H
#define WEIR_HARNESS_PRIVATE_H

#include <weir/harness.h>

struct request {
    struct weir_ack ack;
    bool answered;
    struct weir_result result;
    char *reason;
};

struct captured {
    struct weir_batch *batch;
    struct weir_ack *ack; /* NULL once answered */
};

/* What a series of the process said before. */
struct reading {
    const char *id; /* the series' own */
    double value;
};

struct weir_harness {
    struct weir_arena arena;
    struct weir_instance *feeder;
    struct weir_instance *subject;
    struct weir_instance *capture;
    struct weir_logger *logger;
    struct weir_ledger past; /* of instances that were replaced */
    enum weir_signal signal;
    enum weir_promise promise; /* asked of what is consumed */
    int64_t patience;
    struct request **requests;
    size_t request_count;
    struct captured *sent;
    size_t sent_count;
    char **texts; /* what weir_harness_sent_json gave out */
    size_t text_count;
    struct reading *before;
    size_t before_count;
    bool answers;
    struct weir_result answer;
    bool created;
    bool started;
    bool opened;
    bool drained;
};

/* Makes an instance between feeder and capture. */
struct weir_instance *harness_make(struct weir_harness *harness, const struct weir_component *component,
                                   const void *options);
/* Edges from the feeder to it, and from it to the capture. */
void harness_feed(struct weir_harness *harness, struct weir_instance *instance);
void harness_capture(struct weir_harness *harness, struct weir_instance *instance);
/* What is captured and waits is answered as it is on shutdown. */
void harness_answer_rest(struct weir_harness *harness);
/* Waits until what the instance said to be under way has come back, as the host does, on the real clock. */
void harness_await_rest(const struct weir_instance *instance);

/* Ends the process with a message. */
_Noreturn void harness_fail(const char *what, const char *why);

/* Decodes `yaml` (NULL: defaults) by the component's table into memory of the arena; -1 with all problems in `error`. */
int harness_decode(const struct weir_component *component, const char *yaml, struct weir_arena *arena, void **out,
                   struct weir_error *error);

/* Notes what series say: they outlive harnesses, and tests want to know what happened in this one. */
void harness_read_series(struct weir_harness *harness);

/* Begins a log of its own, and shows what it has on stderr. */
void harness_log_start(void);
void harness_log_show(void);

#endif
