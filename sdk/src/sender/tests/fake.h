// SPDX-License-Identifier: Apache-2.0
/* An exporter on the sender whose destination is the test. */
#ifndef WEIR_SENDER_TESTS_FAKE_H
#define WEIR_SENDER_TESTS_FAKE_H

#include <check.h>

#include <weir/context.h>
#include <weir/harness.h>
#include <weir/sender.h>

#include "tests/unit/plugin.h"

#define SECOND INT64_C(1000000000)
#define MS INT64_C(1000000)
#define ATTEMPTS 4096

extern const struct weir_component fake_component;
extern struct weir_harness *fake; /* the fixture's */

/* Attempts in the order in which they began; items of each, and the first item's number. */
extern struct weir_attempt *attempts[ATTEMPTS];
extern uint64_t attempt_items[ATTEMPTS];
extern size_t attempt_count;
extern struct weir_context *attempt_contexts[ATTEMPTS]; /* borrowed: to be looked at while the attempt lasts */

/* Starts anew, with these options (without the quotes of JSON's keys and words: ' is "). */
void fake_start(const char *options);
/* Stops; the ledger has to close and every request to be answered. */
void fake_stop(void);

/* A request of `items` spans, or with this batch, and the end of the turn in which it came; returns its number. */
size_t offer(size_t items);
size_t offer_batch(struct weir_batch *batch);
/* How an attempt ends, and the end of the turn in which that is known. */
void succeed(size_t attempt);
void fail_with(size_t attempt, enum weir_outcome outcome, const char *reason);

/* Asserts on request `number`. */
void assert_open(size_t request);
void assert_ok(size_t request);
void assert_refused_with(size_t request, enum weir_outcome outcome, const char *text);

/* Items dropped for the reason so far. */
uint64_t dropped(const char *reason);
struct weir_ledger ledger(void);

#endif
