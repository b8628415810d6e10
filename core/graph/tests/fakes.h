// SPDX-License-Identifier: Apache-2.0
/*
 * Small components for tests of graphs, which write down what happens to them.
 *
 *     receivers    src            sends what the test gives it; src_logs: logs only
 *     processors   pass, change   hands on; change changes batches
 *     exporters    sink           answers at once, by its name: sink, sink/retry, sink/fail
 *                  keep           keeps the ack until the test answers
 *                  linger         after it is closed, something of it comes back from elsewhere
 *                  hold, store    as sink, promising no more than memory, no more than disk
 *                  sink_traces    traces only
 *                  refer          names extensions in its options
 *                  no_create, no_start: fail there
 *     connectors   link           each signal into the same
 *                  count          traces into metrics
 *     extensions   ext
 */
#ifndef WEIR_CORE_GRAPH_TESTS_FAKES_H
#define WEIR_CORE_GRAPH_TESTS_FAKES_H

#include "core/graph/graph.h"

/* "start sink; open sink; ...": what was called, in order. */
extern struct weir_text fakes_events;

/* What exporters were given, in order. The batches are held until fakes_reset. */
struct fakes_arrival {
    const char *id;
    struct weir_batch *batch;
    struct weir_ack *ack; /* of keep, to be answered by the test */
};
extern struct fakes_arrival fakes_arrivals[16];
extern size_t fakes_arrival_count;

/* The id of the one whose start fails; NULL: none. */
extern const char *fakes_failing;

void fakes_register(struct registry *registry);
void fakes_reset(void);

#endif
