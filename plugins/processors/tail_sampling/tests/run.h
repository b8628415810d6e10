// SPDX-License-Identifier: Apache-2.0
/* One instance under test. */
#ifndef TAIL_SAMPLING_TESTS_RUN_H
#define TAIL_SAMPLING_TESTS_RUN_H

#include "plugins/processors/tail_sampling/tests/spans.h"
#include "tests/unit/plugin.h"

#define SECOND INT64_C(1000000000)

extern const struct weir_component *tail_component;
/* The instance; its options are JSON with ' for ". */
extern struct weir_harness *tail;

void tail_start(const char *options);
void tail_stop(void);
/* The error that options are refused with; "" when they are not. To be freed. */
char *tail_refusal(const char *options);

/* Gives it all requests of the text (spans.h); returns the number of the last. */
size_t offer(const char *text);
void seconds(int count);
/* Fails unless the traces that were sent so far, since the last look, are these. */
void assert_sent(const char *traces);
/* Fails unless the batch that was sent as the n-th has these spans. */
void assert_names(size_t n, const char *names);
double series(const char *name);
/* Items dropped for the reason. */
uint64_t dropped(const char *reason);
uint64_t held(void);

#endif
